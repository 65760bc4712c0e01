"""What a town's seed says of light and ground: time of day, haze, road surface, and the colours underfoot."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

from wmsim.sims import streets
from wmsim.sims.roads import Array
from wmsim.sims.shading import Light

_SURFACES = (
    (0.95, (0.38, 0.38, 0.40)),
    (1.0, (0.27, 0.27, 0.30)),
    (0.9, (0.52, 0.50, 0.47)),
    (0.65, (0.22, 0.24, 0.28)),
)
"""Tyre friction and colour of dry asphalt, new asphalt, concrete and wet asphalt."""


def light_of(rng: np.random.Generator) -> Light:
    """Time of day and haze: a low sun is warm and weak, a high one white."""
    height, azimuth = np.radians(rng.uniform(16, 62)), rng.uniform(-np.pi, np.pi)
    high = float(np.clip((np.degrees(height) - 16) / 30, 0, 1))
    sun = (float(np.cos(height) * np.cos(azimuth)), float(np.cos(height) * np.sin(azimuth)), float(np.sin(height)))
    dull = float(rng.uniform(0, 1) ** 2)
    warm, white = np.array([0.95, 0.62, 0.36]), np.array([0.80, 0.76, 0.68])
    shine = (warm + (white - warm) * high) * (1 - 0.45 * dull)
    ambient = np.array([0.40, 0.42, 0.52]) + high * np.array([0.05, 0.06, 0.02]) + 0.08 * dull
    zenith = np.array([0.30, 0.42, 0.68]) + high * np.array([-0.06, 0.08, 0.20])
    horizon = np.array([0.93, 0.78, 0.66]) + high * np.array([-0.15, 0.07, 0.26])
    grey = np.array([0.74, 0.77, 0.80])
    haze = float(0.0015 + 0.008 * rng.uniform(0, 1) ** 2 + 0.006 * dull)
    zenith, horizon = zenith + (grey - zenith) * 0.6 * dull, horizon + (grey - horizon) * 0.5 * dull
    return Light(sun, _triple(shine), _triple(ambient), _triple(zenith), _triple(horizon), haze)


def _triple(colour: Array) -> tuple[float, float, float]:
    return (float(colour[0]), float(colour[1]), float(colour[2]))


def surface_of(rng: np.random.Generator) -> tuple[float, Array]:
    """Tyre friction and colour of the road: dry asphalt, new asphalt, concrete, or wet."""
    friction, colour = _SURFACES[int(rng.choice(4, p=[0.4, 0.2, 0.2, 0.2]))]
    return friction, np.array(colour) + rng.uniform(-0.03, 0.03)


def palette_of(rng: np.random.Generator, asphalt: Array) -> NDArray[np.uint8]:
    """Colours (256, 3) of the ground's classes."""
    palette = np.zeros((256, 3))
    palette[streets.GRASS] = hue(rng, 0.22, 0.33, 0.35, 0.6, 0.42, 0.58)
    palette[streets.ROAD] = asphalt
    palette[streets.MARKING] = (0.97, 0.97, 0.94)
    palette[streets.KERB] = (0.80, 0.80, 0.78)
    palette[streets.PAVEMENT] = hue(rng, 0.03, 0.12, 0.05, 0.3, 0.56, 0.70)
    palette[streets.BAY] = asphalt * 0.85
    return (palette * 255).astype(np.uint8)


def hue(rng: np.random.Generator, *ranges: float) -> Array:
    """A colour (3,) drawn evenly from ranges of hue, saturation and value, six numbers."""
    h, s, v = (float(rng.uniform(ranges[2 * i], ranges[2 * i + 1])) for i in range(3))
    return np.array(colorsys.hsv_to_rgb(h % 1.0, s, v))
