"""A drawn line followed: kept in the car's frame as the car moves, turned into the waypoints that a translator takes.

Shape legend: P points, W waypoints. Metres in the car's frame, x forward, y left; speed m/s, yaw rate rad/s, + = left.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from wmsim.control import WAYPOINT_SECONDS, WAYPOINTS, trajectory_to_wheel

Array = NDArray[np.float64]

_SLOWEST, _FASTEST = 4.0, 14.0
_GRIP = 3.0
"""Lateral acceleration in m/s^2 that bends of a drawn line are taken with."""
_SPACING = 0.5


class DrawnPath:
    """A line on the ground that the car drives along, at the speed that it has, slower in bends."""

    def __init__(self, points: Array) -> None:
        """points: (P, 2) as drawn, nearest first. ValueError: fewer than two, or less than a metre long."""
        if len(points) < 2:
            raise ValueError("the line does not lie on the ground: draw it on the road, below the horizon")
        line = _resampled(np.concatenate([np.zeros((1, 2)), points]))
        if len(line) < 3:
            raise ValueError("the line is shorter than a metre: draw a longer one")
        self.points = line

    def move(self, speed: float, yaw_rate: float, seconds: float) -> None:
        """The car has moved for `seconds`; what lies behind it is forgotten."""
        turned = yaw_rate * seconds
        shift = speed * seconds * np.array([np.cos(turned / 2), np.sin(turned / 2)])
        back = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
        points = (self.points - shift) @ back
        nearest = int(np.argmin((points[: _window(points)] ** 2).sum(1)))
        self.points = points[nearest:]

    @property
    def done(self) -> bool:
        """Whether the car has come to the end."""
        return len(self.points) < 3

    def wheel(self, speed: float) -> tuple[float, float]:
        """Steer and drive that follow the line from here."""
        asked = torch.tensor(self.waypoints(speed), dtype=torch.float32)
        steer, drive = trajectory_to_wheel(asked, torch.tensor(float(speed))).tolist()
        return steer, drive

    def waypoints(self, speed: float) -> Array:
        """Where the car should be at each waypoint's time: (W, 2), beyond the line's end straight on."""
        pace = min(max(speed, _SLOWEST), _FASTEST, _bend_speed(self.points))
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.points, axis=0), axis=1))])
        wanted = pace * WAYPOINT_SECONDS * np.arange(1, WAYPOINTS + 1)
        line = np.stack([np.interp(wanted, along, self.points[:, i]) for i in range(2)], 1)
        last = self.points[-1] - self.points[-min(4, len(self.points))]
        beyond = np.maximum(wanted - along[-1], 0.0)[:, None]
        reach: Array = np.clip(line + beyond * last / max(float(np.linalg.norm(last)), 1e-6), -60, 60)
        return reach


def _window(points: Array) -> int:
    """How many points may be the nearest: a line that comes back near its beginning is not cut short."""
    return min(len(points), max(4, round(3.0 / _SPACING)))


def _resampled(points: Array) -> Array:
    """Points half a metre apart, smoothed once, so that a shaky hand makes no bends."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = int(along[-1] / _SPACING) + 1
    even = np.stack([np.interp(np.arange(count) * _SPACING, along, points[:, i]) for i in range(2)], 1)
    if count < 5:
        return even
    padded = np.concatenate([even[:1], even[:1], even, even[-1:], even[-1:]])
    smooth: Array = np.stack([np.convolve(padded[:, i], np.full(5, 0.2), "valid") for i in range(2)], 1)
    return smooth


def _bend_speed(points: Array) -> float:
    """The speed at which the sharpest bend of the next ten metres is taken with `_GRIP`."""
    near = points[: round(10 / _SPACING)]
    if len(near) < 5:
        return _FASTEST
    steps = near[2:] - near[:-2]
    heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    curvature = np.abs(heading[2:] - heading[:-2]) / (2 * _SPACING)
    return float(np.sqrt(_GRIP / max(float(curvature.max(initial=0.0)), 1e-3)))
