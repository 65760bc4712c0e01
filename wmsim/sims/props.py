"""What events bring onto the road beside cars: a pedestrian and road works, as bodies that stand far below until asked.

Metres; every prop is one mocap body with x forward along its yaw, z up from the road. Nothing here draws from a seed,
so the towns are what they were without props.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wmsim.sims import streets
from wmsim.sims.roads import Array
from wmsim.sims.shading import PATTERNS

HIDDEN_METRES = -1000.0
"""Height of a prop that is not there: beyond every ray."""

_PLAIN, _STRIPES, _DIGGING = (PATTERNS.index(name) for name in ("plain", "stripes", "digging"))
_RED, _WHITE, _ORANGE = (0.85, 0.06, 0.05), (0.97, 0.97, 0.95), (1.0, 0.42, 0.02)
_COAT, _TROUSERS, _SKIN = (0.98, 0.80, 0.05), (0.10, 0.13, 0.35), (0.85, 0.62, 0.48)


@dataclass(frozen=True)
class Part:
    """One geom of a prop: kind and half sizes as in MJCF, place x, y, z, yaw on the prop, and its looks."""

    kind: str
    place: tuple[float, float, float, float]
    size: tuple[float, ...]
    colour: tuple[float, float, float]
    label: int
    second: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pattern: int = _PLAIN
    solid: bool = True


def _pedestrian() -> tuple[Part, ...]:
    label = streets.PEDESTRIAN
    return (
        Part("box", (0.0, 0.0, 0.47, 0.0), (0.18, 0.20, 0.47), _TROUSERS, label),
        Part("box", (0.0, 0.0, 1.28, 0.0), (0.22, 0.38, 0.40), _COAT, label),
        Part("sphere", (0.0, 0.0, 1.86, 0.0), (0.19,), _SKIN, label, solid=False),
    )


def _barrier() -> tuple[Part, ...]:
    label = streets.WORKS
    return (
        Part("box", (0.0, 0.0, 0.80, 0.0), (0.08, 0.95, 0.38), _RED, label, _WHITE, _STRIPES),
        Part("box", (0.0, 0.75, 0.21, 0.0), (0.10, 0.08, 0.21), _WHITE, label),
        Part("box", (0.0, -0.75, 0.21, 0.0), (0.10, 0.08, 0.21), _WHITE, label),
    )


def _cone() -> tuple[Part, ...]:
    label = streets.WORKS
    return (
        Part("cylinder", (0.0, 0.0, 0.42, 0.0), (0.17, 0.42), _ORANGE, label),
        Part("cylinder", (0.0, 0.0, 0.50, 0.0), (0.19, 0.11), _WHITE, label, solid=False),
        Part("box", (0.0, 0.0, 0.04, 0.0), (0.28, 0.28, 0.04), _ORANGE, label, solid=False),
    )


def _sign() -> tuple[Part, ...]:
    label = streets.WORKS
    return (
        Part("cylinder", (0.0, 0.0, 0.7, 0.0), (0.06, 0.7), (0.5, 0.5, 0.5), label),
        Part(
            "box",
            (0.0, 0.0, 1.95, 0.0),
            (0.05, 0.62, 0.62),
            _ORANGE,
            label,
            (0.05, 0.05, 0.05),
            _DIGGING,
        ),
    )


PROPS: dict[str, tuple[Part, ...]] = {
    "pedestrian": _pedestrian(),
    "sign": _sign(),
    **{f"cone{i}": _cone() for i in range(4)},
    "barrier0": _barrier(),
    "barrier1": _barrier(),
}
"""Name -> its parts, in the order of the mocap bodies after the traffic."""

WORKS_LAYOUT: dict[str, tuple[float, float]] = {
    "sign": (-9.0, -2.15),
    "cone0": (-7.5, -1.70),
    "cone1": (-5.0, -1.25),
    "cone2": (-2.5, -0.70),
    "cone3": (2.5, -0.15),
    "barrier0": (0.0, -0.95),
    "barrier1": (5.0, -0.95),
}
"""Where the parts of road works stand: metres along the lane from their middle, metres left of the lane's middle."""

_RAMP = (-17.0, -7.0, 7.0, 16.0)
_ASIDE_METRES = 1.3


def detour(along: Array) -> Array:
    """How far left of a lane's middle (...) its cars drive, at `along` (...) metres from road works on it."""
    first, begin, end, last = _RAMP
    up, down = (along - first) / (begin - first), (last - along) / (last - end)
    rise = np.clip(np.minimum(up, down), 0, 1)
    path: Array = _ASIDE_METRES * rise * rise * (3 - 2 * rise)
    return path
