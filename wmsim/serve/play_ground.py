"""From the picture to the ground and back: what the camera's place and lens say about a line drawn on the road.

Shape legend: P points. Pictures: (across, down) in [0, 1]. Ground: metres in the car's frame, x forward, y left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FAR_METRES = 60.0
_NEAR_METRES = 0.5


@runtime_checkable
class Ground(Protocol):
    """The plane on which the car stands, as one camera sees it."""

    def to_ground(self, points: Array) -> Array:
        """Ground points of the picture's points (P, 2); those that look at the sky are left out, in order."""
        ...

    def to_picture(self, points: Array) -> Array:
        """Picture points (may lie outside [0, 1]) of the ground's points (P, 2); those behind the lens are left out."""
        ...


@dataclass(frozen=True)
class Windscreen:
    """A pinhole camera in the car that looks ahead.

    height: metres above the ground. ahead: metres in front of the car's origin. dip: radians that it looks down.
    field_of_view: radians, the same across and down.
    """

    height: float
    ahead: float
    dip: float
    field_of_view: float

    def to_ground(self, points: Array) -> Array:
        """Where the ray of each point meets the ground, at most 60 m ahead."""
        ray = (points - 0.5) * 2 * np.tan(self.field_of_view / 2)
        forward = np.cos(self.dip) - np.sin(self.dip) * ray[:, 1]
        down = np.sin(self.dip) + np.cos(self.dip) * ray[:, 1]
        reaching = down * _FAR_METRES > self.height * forward
        scale = self.height / down[reaching]
        return np.stack([self.ahead + scale * forward[reaching], -scale * ray[reaching, 0]], 1)

    def to_picture(self, points: Array) -> Array:
        """Where ground points are seen."""
        x, y = points[:, 0] - self.ahead, points[:, 1]
        depth = np.cos(self.dip) * x + np.sin(self.dip) * self.height
        seen = depth > _NEAR_METRES
        below = -np.sin(self.dip) * x + np.cos(self.dip) * self.height
        focal = 0.5 / np.tan(self.field_of_view / 2)
        seen_at: Array = 0.5 + focal * np.stack([-y[seen], below[seen]], 1) / depth[seen, None]
        return seen_at


@dataclass(frozen=True)
class Overhead:
    """A view from above that turns with the car. metres: across the picture. car: its place, across and down."""

    metres: float
    car: tuple[float, float]

    def to_ground(self, points: Array) -> Array:
        """Ahead is up, left is left."""
        return np.stack([self.car[1] - points[:, 1], self.car[0] - points[:, 0]], 1) * self.metres

    def to_picture(self, points: Array) -> Array:
        """Where ground points are seen."""
        return np.stack([self.car[0] - points[:, 1] / self.metres, self.car[1] - points[:, 0] / self.metres], 1)


GROUNDS: dict[str, Ground] = {
    "drive": Windscreen(height=1.35, ahead=0.55, dip=0.07, field_of_view=1.4),
    "toy": Overhead(metres=16.0, car=(0.5, 0.75)),
}
"""The camera of each world, by the world's name, in which a line can be drawn; a test holds "drive" to its twin."""
