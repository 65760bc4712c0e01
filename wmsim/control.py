"""Control: what is asked of a world in one video frame, its Gymnasium spaces, and pure translators between kinds.

Shape legend: n slots, T frames per step, B buttons, D robot width, W waypoints; `...` any leading axes.
Units: metres, radians, seconds. Vehicle axes: x forward, y left, yaw + = left (ISO 8855).
Camera axes: OpenCV (x right, y down, z forward); `c2w` maps camera to world coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from einops import rearrange, repeat
from gymnasium import spaces
from jaxtyping import Bool, Float
from torch import Tensor

KEYS: tuple[str, ...] = ("forward", "left", "backward", "right")
"""Order of `buttons`: W, A, S, D."""

WAYPOINTS = 8
"""Waypoints in one `trajectory` control: where the car should be after 1/4 s, 2/4 s, ... 2 s."""
WAYPOINT_SECONDS = 0.25

WHEELBASE_METRES = 2.6
MAX_WHEEL_ANGLE = 0.55
"""Front-wheel angle in radians at steer = 1."""
MAX_ACCELERATION = 4.0
"""Metres per second squared at drive = 1; braking at drive = -1 reaches twice that."""

_REACH_METRES = 60.0


def wheel_space() -> spaces.Box:
    """Box (2,) in [-1, 1]: steer (+ = left) and drive (+ = throttle, - = brake)."""
    return spaces.Box(-1.0, 1.0, (2,), np.float32)


def keyboard_space() -> spaces.MultiBinary:
    """MultiBinary (4,): the keys of `KEYS`, 1 while held down."""
    return spaces.MultiBinary(len(KEYS))


def trajectory_space() -> spaces.Box:
    """Box (WAYPOINTS, 2) in metres: x forward, y left in the car's present frame, WAYPOINT_SECONDS apart."""
    return spaces.Box(-_REACH_METRES, _REACH_METRES, (WAYPOINTS, 2), np.float32)


def look_space(limit: float = 0.35) -> spaces.Box:
    """Box (2,) in radians per frame: yaw (+ = right) and pitch (+ = down), at most `limit` each."""
    return spaces.Box(-limit, limit, (2,), np.float32)


def camera_space() -> spaces.Box:
    """Box (4, 4): the next camera's c2w in the present camera's frame, translation in metres."""
    return spaces.Box(-_REACH_METRES, _REACH_METRES, (4, 4), np.float32)


@dataclass(frozen=True)
class Control:
    """What n slots are asked to do in the T frames of one step; every field is optional.

    buttons: (n, T, B) bool, order of `KEYS`.
    look:    (n, T, 2) radians per frame, yaw + = right, pitch + = down.
    camera:  (n, T, 4, 4) SE(3), the next camera's c2w in the present camera's frame.
    robot:   (n, T, D) float, whose meaning `domain` names; domain "wheel" is [steer, drive] of `wheel_space`.
    event:   one text or None for each slot.
    """

    buttons: Bool[Tensor, "n T B"] | None = None
    look: Float[Tensor, "n T 2"] | None = None
    camera: Float[Tensor, "n T 4 4"] | None = None
    robot: Float[Tensor, "n T D"] | None = None
    domain: str = ""
    event: tuple[str | None, ...] | None = None

    @staticmethod
    def of_robot(vector: np.ndarray | Tensor, domain: str) -> Control:
        """A robot control from (n, D) or (n, T, D); anything else raises ValueError."""
        robot = torch.as_tensor(vector, dtype=torch.float32)
        if robot.ndim == 2:
            robot = robot[:, None]
        if robot.ndim != 3:
            raise ValueError(
                f"a {domain!r} control has shape (slots, D) or (slots, frames, D), got {tuple(robot.shape)}"
            )
        return Control(robot=robot, domain=domain)

    @staticmethod
    def of_wheel(vector: np.ndarray | Tensor) -> Control:
        """A wheel control from (n, 2) or (n, T, 2) in [-1, 1]: steer (+ = left), drive."""
        control = Control.of_robot(vector, "wheel")
        if control.require("robot").shape[-1] != 2:
            raise ValueError(f"a wheel control is [steer, drive], got {control.require('robot').shape[-1]} numbers")
        return control

    @property
    def slots(self) -> int:
        """How many slots this control speaks for; ValueError when it is empty."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "domain" and value is not None:
                return len(value)
        raise ValueError("the control is empty: set one of buttons, look, camera, robot, event")

    def require(self, kind: str) -> Tensor:
        """The tensor of `kind`; ValueError names the kinds that are there when it is missing."""
        value = getattr(self, kind)
        if not isinstance(value, Tensor):
            given = [f.name for f in fields(self) if isinstance(getattr(self, f.name), Tensor)]
            raise ValueError(f"this world takes {kind!r} controls, the control holds {given or 'nothing'}")
        return value

    def select(self, rows: Sequence[int]) -> Control:
        """The control of some of the rows, in the order asked for."""
        index = list(rows)
        return replace(self, **{f.name: _rows(getattr(self, f.name), index) for f in fields(self)})


def _rows(value: Any, index: list[int]) -> Any:
    if isinstance(value, Tensor):
        return value[index]
    return tuple(value[i] for i in index) if isinstance(value, tuple) else value


# --- keys <-> wheel ------------------------------------------------------------------------------------------------


def keys_to_wheel(buttons: Bool[Tensor, "... 4"], steer: float = 0.5) -> Float[Tensor, "... 2"]:
    """W and S push drive to +1 and -1, A and D steer to +steer and -steer; opposite keys cancel."""
    held = buttons.float()
    forward, left, backward, right = held.unbind(-1)
    return torch.stack([steer * (left - right), forward - backward], -1)


def wheel_to_keys(wheel: Float[Tensor, "... 2"], threshold: float = 0.2) -> Bool[Tensor, "... 4"]:
    """The keys nearest to a wheel control: a key is down where its direction exceeds `threshold`."""
    steer, drive = wheel.unbind(-1)
    return torch.stack([drive > threshold, steer > threshold, drive < -threshold, steer < -threshold], -1)


# --- trajectory <-> wheel ------------------------------------------------------------------------------------------


def wheel_to_trajectory(
    wheel: Float[Tensor, "... 2"], speed: Float[Tensor, "..."], substeps: int = 8
) -> Float[Tensor, "... W 2"]:
    """Where a kinematic bicycle would be if the wheel were held: WAYPOINTS points in metres, x forward, y left.

    speed in m/s. Rear-axle bicycle, yaw rate = v tan(angle) / wheelbase (Rajamani, Vehicle Dynamics, 2.2).
    """
    steer, drive = wheel.unbind(-1)
    curvature = torch.tan(steer * MAX_WHEEL_ANGLE) / WHEELBASE_METRES
    acceleration = _acceleration(drive)
    x, y, yaw, v = (torch.zeros_like(steer), torch.zeros_like(steer), torch.zeros_like(steer), speed + 0.0 * steer)
    dt, points = WAYPOINT_SECONDS / substeps, []
    for _ in range(WAYPOINTS):
        for _ in range(substeps):
            middle = (v + 0.5 * dt * acceleration).clamp(min=0)
            heading = yaw + 0.5 * dt * middle * curvature
            x, y = x + dt * middle * torch.cos(heading), y + dt * middle * torch.sin(heading)
            yaw, v = yaw + dt * middle * curvature, (v + dt * acceleration).clamp(min=0)
        points.append(torch.stack([x, y], -1))
    return torch.stack(points, -2)


def trajectory_to_wheel(
    waypoints: Float[Tensor, "... W 2"], speed: Float[Tensor, "..."], lookahead: int = 3
) -> Float[Tensor, "... 2"]:
    """The wheel that follows `waypoints` from the present speed (m/s).

    Steering by pure pursuit of waypoint `lookahead` (Coulter, CMU-RI-TR-92-01: curvature = 2 y / distance^2), which
    fades to 0 when it lies within 0.1 m; the path's chords are lengthened to the arcs of that curvature. Drive from
    the constant acceleration that covers the path to that waypoint in its time, or, when the path is shorter than
    that of braking to a stop there, from the one that stops at its end.
    """
    target = waypoints[..., lookahead, :]
    squared = target.square().sum(-1).clamp(min=1e-2)
    steer = torch.atan(WHEELBASE_METRES * 2 * target[..., 1] / squared) / MAX_WHEEL_ANGLE
    start = torch.zeros_like(waypoints[..., :1, :])
    path = torch.cat([start, waypoints[..., : lookahead + 1, :]], -2)
    chords = path.diff(dim=-2).norm(dim=-1)
    half_turns = (chords * (target[..., 1].abs() / squared)[..., None]).clamp(1e-4, 0.9)
    length = (chords * torch.asin(half_turns) / half_turns).sum(-1)
    seconds = WAYPOINT_SECONDS * (lookahead + 1)
    steady = 2 * (length - speed * seconds) / seconds**2
    stopping = -speed.square() / (2 * length.clamp(min=1e-3))
    acceleration = torch.where(2 * length < speed * seconds, stopping, steady)
    return torch.stack([steer, _drive(acceleration)], -1).clamp(-1, 1)


def _acceleration(drive: Tensor) -> Tensor:
    return torch.where(drive >= 0, MAX_ACCELERATION * drive, 2 * MAX_ACCELERATION * drive)


def _drive(acceleration: Tensor) -> Tensor:
    return torch.where(acceleration >= 0, acceleration / MAX_ACCELERATION, acceleration / (2 * MAX_ACCELERATION))


def to_unit(action: Tensor, low: Sequence[float], high: Sequence[float]) -> Tensor:
    """Actions (..., A) counted from -1 to 1 between their bounds: what a network is told, whatever the units."""
    bounds = torch.tensor([list(low), list(high)], dtype=action.dtype, device=action.device)
    return (action - bounds.mean(0)) / ((bounds[1] - bounds[0]) / 2).clamp(min=1e-6)


# --- keys and look <-> camera step ---------------------------------------------------------------------------------


def keys_look_to_camera(
    buttons: Bool[Tensor, "... 4"], look: Float[Tensor, "... 2"], stride: float = 0.1
) -> Float[Tensor, "... 4 4"]:
    """A camera step: turn by `look`, then walk `stride` metres on the level along the keys; opposite keys cancel.

    Returns the next camera's c2w in the present camera's frame: rotation R_y(yaw) R_x(-pitch) in OpenCV axes.
    """
    forward, left, backward, right = buttons.to(look.dtype).unbind(-1)
    step = repeat(torch.eye(4, dtype=look.dtype, device=look.device), "i j -> one i j", one=1).squeeze(0)
    step = step.expand(*look.shape[:-1], 4, 4).clone()
    rotation = rotation_of_look(look)
    step[..., :3, :3] = rotation
    walk = torch.stack([right - left, torch.zeros_like(left), forward - backward], -1) * stride
    step[..., :3, 3] = (rotation @ walk[..., None]).squeeze(-1)
    return step


def camera_to_keys_look(
    camera: Float[Tensor, "... 4 4"], stride: float = 0.1
) -> tuple[Bool[Tensor, "... 4"], Float[Tensor, "... 2"]]:
    """The keys and the look that `keys_look_to_camera` would turn into this step: exact on its range, else nearest."""
    rotation = camera[..., :3, :3]
    look = look_of_rotation(rotation)
    walk = (rotation_of_look(look).mT @ camera[..., :3, 3:]).squeeze(-1) / stride
    right, ahead = walk[..., 0], walk[..., 2]
    return torch.stack([ahead > 0.5, right < -0.5, ahead < -0.5, right > 0.5], -1), look


def rotation_of_look(look: Float[Tensor, "... 2"]) -> Float[Tensor, "... 3 3"]:
    """R_y(yaw) R_x(-pitch): yaw + turns right, pitch + looks down, OpenCV axes (y down)."""
    yaw, pitch = look.unbind(-1)
    cy, sy, cp, sp = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin()
    zero = torch.zeros_like(yaw)
    rows = [cy, -sy * sp, sy * cp, zero, cp, sp, -sy, -cy * sp, cy * cp]
    return rearrange(torch.stack(rows, -1), "... (i j) -> ... i j", i=3)


def look_of_rotation(rotation: Float[Tensor, "... 3 3"]) -> Float[Tensor, "... 2"]:
    """Yaw and pitch of the viewing direction (third column) of a rotation without roll."""
    x, y, z = rotation[..., 2].unbind(-1)
    return torch.stack([torch.atan2(x, z), torch.atan2(y, torch.hypot(x, z))], -1)
