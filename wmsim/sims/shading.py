"""Light and materials for the ray renderer: sky, haze, and procedural patterns from points on a geom's own surface.

Shape legend: N samples, G geoms. Colours are RGB in [0, 1]; a pattern fades to its mean where a pixel outgrows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PATTERNS = ("plain", "windows", "body", "cabin", "leaves", "stripes", "digging")
"""What a surface may carry: nothing, rows of windows, a car's lower half, a car's glass, mottled green, slanted
stripes, a black triangle on a sign."""


@dataclass(frozen=True)
class Light:
    """sun: unit vector towards the sun; colours of sun, ambient, zenith and horizon; haze: extinction per metre."""

    sun: tuple[float, float, float] = (0.4, 0.5, 0.77)
    sun_colour: tuple[float, float, float] = (0.75, 0.7, 0.62)
    ambient: tuple[float, float, float] = (0.42, 0.46, 0.52)
    zenith: tuple[float, float, float] = (0.3, 0.5, 0.85)
    horizon: tuple[float, float, float] = (0.75, 0.83, 0.9)
    haze: float = 0.006


@dataclass(frozen=True)
class Materials:
    """Looks of every geom. colour, second: (G, 3); pattern: (G,) index into PATTERNS; period: (G, 2) metres;
    label: (G,) segmentation id."""

    colour: Array
    second: Array
    pattern: NDArray[np.int64]
    period: Array
    label: NDArray[np.int32]


def sky(light: Light, rays: Array) -> Array:
    """Colour (N, 3) of the sky along unit rays (N, 3): a gradient from horizon to zenith, the sun and its glow."""
    height = np.clip(rays[:, 2:], 0, 1) ** 0.6
    base = np.asarray(light.horizon) * (1 - height) + np.asarray(light.zenith) * height
    toward = np.clip(rays @ np.asarray(light.sun), 0, 1)[:, None]
    sun = np.asarray(light.sun_colour)
    disc = 1.2 * np.clip((toward - 0.9985) * 1500, 0, 1)
    shown: Array = np.clip(base + sun * (0.25 * toward**8 + 0.35 * toward**60 + disc), 0, 1)
    return shown


def haze(light: Light, colour: Array, rays: Array, distance: Array) -> Array:
    """`colour` (N, 3) seen through haze over `distance` (N,) metres along unit rays (N, 3)."""
    clear = np.exp(-light.haze * distance)[:, None]
    toward = np.clip(rays @ np.asarray(light.sun), 0, 1)[:, None]
    veil = np.asarray(light.horizon) + np.asarray(light.sun_colour) * (0.25 * toward**8)
    seen: Array = colour * clear + np.clip(veil, 0, 1) * (1 - clear)
    return seen


def lit(light: Light, albedo: Array, normals: Array, shadow: Array) -> Array:
    """Diffuse light on `albedo` (N, 3): sun where `shadow` (N,) is 0, and ambient light, stronger from above."""
    facing = np.clip(normals @ np.asarray(light.sun), 0, 1) * (1 - shadow)
    above = 0.75 + 0.25 * normals[:, 2]
    sun, ambient = np.asarray(light.sun_colour), np.asarray(light.ambient)
    bright: Array = albedo * (facing[:, None] * sun * 1.15 + above[:, None] * ambient)
    return bright


_WHITE_LAMP, _RED_LAMP = (1.0, 0.97, 0.8), (0.85, 0.06, 0.05)


def mottle(x: Array, y: Array) -> Array:
    """Smooth low-frequency variation (N,) in [-1, 1] over the plane, some 6 to 20 metres across."""
    return 0.6 * np.sin(0.31 * x + 1.7 * np.sin(0.17 * y)) + 0.4 * np.sin(0.43 * y + 1.3 * np.sin(0.23 * x))


def albedo(
    materials: Materials, geom: NDArray[np.int64], local: Array, normal: Array, size: Array, width: Array
) -> Array:
    """Colour (N, 3) of points on geoms: local (N, 3) points and normals in the geom's axes, size (N, 3) of the geom,
    width (N,) of a pixel there in metres."""
    colour = materials.colour[geom].copy()
    pattern = materials.pattern[geom]
    for index, paint in enumerate((None, _windows, _body, _cabin, _leaves, _stripes, _digging)):
        rows = np.flatnonzero(pattern == index) if paint is not None else ()
        if paint is not None and len(rows):
            second, period = materials.second[geom[rows]], materials.period[geom[rows]]
            colour[rows] = paint(colour[rows], second, period, local[rows], normal[rows], size[rows], width[rows])
    return colour


def glow(
    materials: Materials, geom: NDArray[np.int64], local: Array, normal: Array, size: Array, width: Array
) -> Array:
    """Light (N, 3) that surfaces give by themselves at night: lamps of cars, some windows; arguments as of `albedo`."""
    shine = np.zeros((len(geom), 3))
    pattern = materials.pattern[geom]
    cars = np.flatnonzero((pattern == PATTERNS.index("body")) & (np.abs(normal[:, 0]) > 0.5))
    # A lamp outshines its size: it counts as at least a hand wide.
    lamp = _lamp(local[cars], size[cars], np.maximum(width[cars], 0.2))
    shine[cars] = 1.6 * lamp[:, None] * np.where(normal[cars, :1] > 0, _WHITE_LAMP, _RED_LAMP)
    rows = np.flatnonzero((pattern == PATTERNS.index("windows")) & (np.abs(normal[:, 2]) < 0.5))
    p, period = local[rows], materials.period[geom[rows]]
    across = np.where(np.abs(normal[rows, 0]) > 0.5, p[:, 1], p[:, 0]) / period[:, 0]
    up = (p[:, 2] + size[rows, 2]) / period[:, 1]
    room = np.sin(12.9 * np.floor(across) + 78.2 * np.floor(up) + 3.7 * geom[rows]) * 43758.5
    lit_room = (room - np.floor(room) < 0.3) * (np.abs(across % 1 - 0.5) < 0.25) * (np.abs(up % 1 - 0.53) < 0.25)
    shine[rows] = 0.55 * lit_room[:, None] * np.array([1.0, 0.78, 0.42])
    return shine


def _band(x: Array, low: Array | float, high: Array | float, width: Array) -> Array:
    """How much of a pixel of `width` around x lies between low and high (N,), in [0, 1]."""
    return np.clip((np.minimum(x + width / 2, high) - np.maximum(x - width / 2, low)) / width, 0, 1)


def _blend(a: Array, b: Array | tuple[float, float, float], part: Array) -> Array:
    return a + (np.asarray(b) - a) * part[:, None]


def _windows(colour: Array, second: Array, period: Array, p: Array, n: Array, size: Array, width: Array) -> Array:
    """Window panes on the walls, a darker ground floor, a plain roof."""
    wall = np.abs(n[:, 2]) < 0.5
    across = np.where(np.abs(n[:, 0]) > 0.5, p[:, 1], p[:, 0])
    up = p[:, 2] + size[:, 2]
    fade = np.clip(1.6 - 1.6 * width / period.min(1), 0, 1)
    w = np.maximum(width, 1e-3)
    u, v = np.mod(across, period[:, 0]), np.mod(up, period[:, 1])
    pane = _band(u, 0.25 * period[:, 0], 0.75 * period[:, 0], w) * _band(v, 0.28 * period[:, 1], 0.78 * period[:, 1], w)
    pane = fade * pane + (1 - fade) * 0.25
    colour = _blend(colour, second, pane * wall)
    base = _band(up, 0.0, 0.9, w) * wall
    eaves = _band(up, 2 * size[:, 2] - 0.7, 2 * size[:, 2] + 9, w) * wall
    return colour * (1 - 0.35 * np.maximum(base, eaves))[:, None] * np.where(wall, 1.0, 0.75)[:, None]


def _body(colour: Array, second: Array, period: Array, p: Array, n: Array, size: Array, width: Array) -> Array:
    """A car's lower half: wheels on the sides, red lamps behind, white ones in front, a dark sill."""
    w = np.maximum(width, 0.02)
    side, end = np.abs(n[:, 1]) > 0.5, np.abs(n[:, 0]) > 0.5
    axle = np.abs(p[:, 0]) - 0.62 * size[:, 0]
    wheel = np.clip((0.36 - np.hypot(axle, p[:, 2] + size[:, 2])) / w + 0.5, 0, 1) * side
    sill = _band(p[:, 2], -9.0, 0.14 - size[:, 2], w)
    lamp = _lamp(p, size, w) * end
    colour = _blend(colour, (0.12, 0.12, 0.13), np.maximum(wheel, sill))
    return _blend(colour, np.where(n[:, :1] > 0, _WHITE_LAMP, _RED_LAMP), lamp)


def _lamp(p: Array, size: Array, width: Array) -> Array:
    """How much of a pixel (N,) on a car's front or back is lamp."""
    return _band(np.abs(p[:, 1]), 0.45 * size[:, 1], size[:, 1], width) * _band(p[:, 2], 0.05, 0.3, width)


def _cabin(colour: Array, second: Array, period: Array, p: Array, n: Array, size: Array, width: Array) -> Array:
    """A car's glass between its roof and its body."""
    w = np.maximum(width, 0.02)
    wall = np.abs(n[:, 2]) < 0.5
    glass = _band(p[:, 2], -0.8 * size[:, 2], 0.72 * size[:, 2], w) * wall
    post = np.where(np.abs(n[:, 1]) > 0.5, 1 - _band(np.abs(p[:, 0]), 0.9 * size[:, 0], 9.0, w), 1.0)
    return _blend(colour, second, glass * post)


def _leaves(colour: Array, second: Array, period: Array, p: Array, n: Array, size: Array, width: Array) -> Array:
    """Lighter towards the top, with soft lumps."""
    lumps = 0.5 + 0.5 * np.sin(2.6 * p[:, 0] + 1.1) * np.sin(2.3 * p[:, 1] + 0.4) * np.sin(2.5 * p[:, 2])
    return _blend(colour, second, np.clip(0.55 * lumps + 0.35 * n[:, 2], 0, 1))


def _stripes(colour: Array, second: Array, period: Array, p: Array, n: Array, size: Array, width: Array) -> Array:
    """Slanted stripes of 0.3 m in two colours."""
    place = np.mod(p[:, 1] + p[:, 2], 0.6)
    return _blend(colour, second, _band(place, 0.0, 0.3, np.maximum(width, 1e-3)))


def _digging(colour: Array, second: Array, period: Array, p: Array, n: Array, size: Array, width: Array) -> Array:
    """A triangle in the second colour on the front and back of a sign."""
    edge = 0.55 * size[:, 1] * (0.6 * size[:, 2] - p[:, 2]) / np.maximum(size[:, 2], 1e-6) - np.abs(p[:, 1])
    inside = np.clip(edge / np.maximum(width, 0.02) + 0.5, 0, 1) * (p[:, 2] > -0.6 * size[:, 2])
    return _blend(colour, second, inside * (np.abs(n[:, 0]) > 0.5))
