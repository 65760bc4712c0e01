"""What told weather does to a town's light: hours and skies that fade into each other, headlights, wet roads, rain.

Shape legend: N samples, S x S pixels. A town's own light stays untouched, to the bit, until something is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wmsim.sims.shading import Light

Array = NDArray[np.float64]
Triple = tuple[float, float, float]

HOURS = ("own", "dusk", "night", "day")
SKIES = ("own", "fog", "rain", "clear")
TOLD = {
    "night": ("night", None),
    "dusk": ("dusk", None),
    "fog": (None, "fog"),
    "rain": (None, "rain"),
    "clear weather": ("day", "clear"),
}
"""Event -> hour and sky that it asks for, None: as it is."""

_FADE_FRAMES = 14
"""Frames, 1/16 s each, from one hour or sky to another."""
_HEADLIGHT = np.array([1.0, 0.94, 0.78])


@dataclass(frozen=True)
class Air:
    """How the view is lit. lamps, wet, rain: in [0, 1], how far lamps burn, the road is wet, rain falls; tick: the
    frame's number, which moves the rain."""

    light: Light
    lamps: float = 0.0
    wet: float = 0.0
    rain: float = 0.0
    tick: int = 0


@dataclass(frozen=True)
class Weather:
    """hours, skies: weights in the order of HOURS and SKIES, which sum to 1; hour, sky: where they are going; tick:
    frames since the episode's first."""

    hours: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)
    skies: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)
    hour: str = "own"
    sky: str = "own"
    tick: int = 0

    def tell(self, event: str) -> Weather:
        """The weather after one of TOLD is told."""
        hour, sky = TOLD[event]
        return replace(self, hour=hour or self.hour, sky=sky or self.sky)

    def step(self) -> Weather:
        """The weather one frame later."""
        hours, skies = _toward(self.hours, HOURS.index(self.hour)), _toward(self.skies, SKIES.index(self.sky))
        return replace(self, hours=hours, skies=skies, tick=self.tick + 1)

    def holds(self, event: str) -> float:
        """How far one of TOLD holds, in [0, 1]."""
        hour, sky = TOLD[event]
        parts = [self.hours[HOURS.index(hour)]] if hour else []
        parts += [self.skies[SKIES.index(sky)]] if sky else []
        return min(parts)

    def air(self, own: Light) -> Air | None:
        """The light of a town whose own is `own`; None: just that."""
        if self.hours[0] == 1.0 and self.skies[0] == 1.0:
            return None
        _, _, night, _ = self.hours
        _, fog, rain, clear = self.skies
        lights = (own, _dusk(own), _night(own), _day(own))
        light = _under(_mixed(lights, self.hours), fog, rain, clear)
        return Air(light, min(night + 0.25 * self.hours[1] + 0.15 * rain, 1.0), rain, rain, self.tick)


def _toward(weights: tuple[float, ...], goal: int) -> tuple[float, ...]:
    """Weights one frame nearer to `goal`: they keep their sum, and arrive exactly."""
    missing = 1.0 - weights[goal]
    part = min(1.0, 1.0 / _FADE_FRAMES / missing) if missing > 1e-9 else 1.0
    if part >= 1.0:
        return tuple(float(i == goal) for i in range(len(weights)))
    return tuple(w + part * (float(i == goal) - w) for i, w in enumerate(weights))


# --- lights --------------------------------------------------------------------------------------------------------


def _dusk(own: Light) -> Light:
    return Light(
        _sun(own, 5.0), (0.75, 0.30, 0.12), (0.27, 0.21, 0.29), (0.20, 0.17, 0.36), (0.98, 0.47, 0.22), 0.004,
    )  # fmt: skip


def _night(own: Light) -> Light:
    return Light(
        _sun(own, 40.0), (0.03, 0.035, 0.06), (0.050, 0.055, 0.095), (0.008, 0.010, 0.032), (0.030, 0.034, 0.075), 0.003
    )  # fmt: skip


def _day(own: Light) -> Light:
    return Light(
        _sun(own, 50.0), (0.82, 0.78, 0.70), (0.46, 0.49, 0.54), (0.16, 0.42, 0.92), (0.72, 0.86, 0.98), 0.001,
    )  # fmt: skip


def _sun(own: Light, degrees: float) -> Triple:
    """The sun where it is, but this high."""
    azimuth, height = np.arctan2(own.sun[1], own.sun[0]), np.radians(degrees)
    return (float(np.cos(height) * np.cos(azimuth)), float(np.cos(height) * np.sin(azimuth)), float(np.sin(height)))


def _mixed(lights: tuple[Light, ...], weights: tuple[float, ...]) -> Light:
    def mean(name: str) -> Array:
        return np.asarray(sum(w * np.asarray(getattr(light, name)) for w, light in zip(weights, lights, strict=True)))

    sun = mean("sun") / np.linalg.norm(mean("sun"))
    colours = {name: _triple(mean(name)) for name in ("sun_colour", "ambient", "zenith", "horizon")}
    return Light(sun=_triple(sun), haze=float(mean("haze")), **colours)


def _under(light: Light, fog: float, rain: float, clear: float) -> Light:
    """A light as fog, rain and clear air change it: grey veils as bright as the hour allows."""
    horizon, zenith = np.asarray(light.horizon), np.asarray(light.zenith)
    grey = 0.85 * horizon.mean() + 0.15 * horizon
    ambient, sun = np.asarray(light.ambient), np.asarray(light.sun_colour)
    misty, stormy = 0.92 * grey, 0.60 * grey
    dry = 1 - fog - rain
    return replace(
        light,
        horizon=_triple(dry * horizon + fog * misty + rain * stormy),
        zenith=_triple(dry * zenith + fog * misty + rain * 0.75 * stormy),
        sun_colour=_triple(sun * (1 - 0.9 * fog - 0.85 * rain)),
        ambient=_triple(ambient * (1 + 0.1 * fog - 0.15 * rain)),
        haze=(1 - fog - rain - clear) * light.haze + fog * 0.06 + rain * 0.014 + clear * min(light.haze, 0.0012),
    )


def _triple(colour: Array) -> Triple:
    return (float(colour[0]), float(colour[1]), float(colour[2]))


# --- what it does to samples and pictures ---------------------------------------------------------------------------


def headlight(air: Air, rays: Array, normals: Array, distance: Array, forward: Array) -> Array:
    """Light (N, 3) of the ego car's lamps on surfaces seen along unit rays (N, 3); forward: where the car looks."""
    cone = np.clip((rays @ forward - 0.82) / 0.14, 0, 1)
    facing = 0.45 + 0.55 * np.clip(-(rays * normals).sum(1), 0, 1)
    strength = 1.1 * air.lamps * cone * facing / (1 + (distance / 15) ** 2)
    light: Array = strength[:, None] * _HEADLIGHT
    return light


def mirrored(air: Air, shown: Array, rays: Array) -> Array:
    """The ground's colour (N, 3) with the sky in its water, more at grazing rays (Schlick's Fresnel, steepened)."""
    part = air.wet * (0.08 + 0.6 * (1 - np.abs(rays[:, 2])) ** 4)[:, None]
    pool: Array = shown * (1 - part) + np.asarray(air.light.horizon) * part
    return pool


def rained(air: Air, colour: Array) -> Array:
    """A picture (S, S, 3) in [0, 1] with falling streaks; which and where follows from the tick alone."""
    size = len(colour)
    rng = np.random.default_rng(0xDA)
    count, scale = 90, size / 64
    x, start, pace = rng.uniform(0, size, count), rng.uniform(0, 1, count), rng.uniform(0.16, 0.28, count)
    length, bright = rng.uniform(4, 9, count) * scale, rng.uniform(0.25, 0.55, count) * air.rain
    head = ((start + pace * air.tick) % 1.0) * (size + 10 * scale)
    shown = colour.copy()
    level = 0.35 + 0.65 * float(np.mean(air.light.horizon)) + 0.1
    for part in np.linspace(0, 1, max(int(9 * scale), 2)):
        row, column = (head - part * length).astype(int), (x + 1.2 * scale * part).astype(int)
        inside = (row >= 0) & (row < size) & (column < size)
        row, column, weight = row[inside], column[inside], bright[inside, None]
        shown[row, column] = np.maximum(shown[row, column], colour[row, column] * (1 - weight) + level * weight)
    return shown
