"""From actions to Controls: the action space of each kind of control, the check of every action, the translation.

Shape legend: n actions, T frames per step, P proprio width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from einops import repeat
from gymnasium import spaces
from torch import Tensor

from wmsim import control as controls
from wmsim.control import Control
from wmsim.world import WorldSpec

ActionSpace = spaces.Box | spaces.MultiBinary

_FIELDS = ("buttons", "look", "camera")
_SLACK = 1e-4


@dataclass(frozen=True)
class Translator:
    """How actions of one kind become the native Control of a world.

    convert: (actions (n, ...), speed (n,) m/s or None) -> (n, D...) of one frame. speed_column: where the proprio
    holds the speed when `convert` needs it, else None.
    """

    kind: str
    space: ActionSpace
    native: str
    frames: int
    convert: Callable[[Tensor, Tensor | None], Tensor]
    speed_column: int | None = None

    def control(self, actions: Tensor, proprio: Tensor | None) -> Control:
        """The Control that holds each action for the T frames of a step; proprio: (n, P) before the step."""
        speed = None if self.speed_column is None or proprio is None else proprio[:, self.speed_column]
        held = repeat(self.convert(actions, speed), "n ... -> n t ...", t=self.frames)
        if self.native in _FIELDS:
            named: dict[str, Any] = {self.native: held}
            return Control(**named)
        return Control(robot=held.float(), domain=self.native)


def find_translator(kind: str, spec: WorldSpec, offered: tuple[str, ...] = ()) -> Translator:
    """The translator of `kind` ("" for the first offered) onto a world.

    ValueError: a kind that is unknown or cannot be translated to what the world takes, or one that needs the car's
    speed on a world without the proprio "speed_mps".
    """
    ways = _ways(spec)
    choices = [k for k in offered if k in ways] or list(ways)
    chosen = kind or (choices[0] if choices else "")
    if chosen not in choices:
        raise ValueError(f"unknown control {kind!r} for world {spec.name!r}: choose one of {choices}")
    made = ways[chosen]
    if chosen == "trajectory" and "speed_mps" not in spec.proprio:
        raise ValueError(f"control='trajectory' needs the speed, world {spec.name!r} has no proprio 'speed_mps'")
    return made


def _ways(spec: WorldSpec) -> dict[str, Translator]:
    frames = spec.frames_per_step
    ways = {}
    for native, space in spec.controls.items():
        if isinstance(space, spaces.Box | spaces.MultiBinary):
            ways[native] = Translator(native, space, native, frames, lambda given, speed: given)
    if "wheel" in spec.controls:
        column = spec.proprio.index("speed_mps") if "speed_mps" in spec.proprio else None
        keys, path = controls.keyboard_space(), controls.trajectory_space()
        ways["keyboard"] = Translator("keyboard", keys, "wheel", frames, lambda given, _: controls.keys_to_wheel(given))
        ways["trajectory"] = Translator("trajectory", path, "wheel", frames, _follow, column)
    return ways


def _follow(waypoints: Tensor, speed: Tensor | None) -> Tensor:
    assert speed is not None
    return controls.trajectory_to_wheel(waypoints, speed)


def check_actions(actions: Any, space: ActionSpace, count: int, device: torch.device) -> Tensor:
    """`actions` as a tensor (n, ...) on `device`: float32 for a Box, bool for a MultiBinary.

    n must be `count`. ValueError tells a wrong shape, a dtype that is no number, a value that is not finite or lies
    outside the space.
    """
    given = _as_tensor(actions, space, device)
    wanted = (count, *space.shape)
    if tuple(given.shape) != wanted:
        raise ValueError(f"actions have shape {wanted} here, got {tuple(given.shape)}")
    _check_range(given, space)
    if isinstance(space, spaces.MultiBinary):
        return given.bool()
    low, high = _bounds(space, device)
    return torch.clamp(given.float(), low, high)


def _as_tensor(actions: Any, space: spaces.Space[Any], device: torch.device) -> Tensor:
    try:
        given = torch.as_tensor(actions if isinstance(actions, Tensor) else np.asarray(actions), device=device)
    except (TypeError, ValueError, RuntimeError) as problem:
        raise ValueError(f"actions are numbers of {space}, got {type(actions).__name__}: {problem}") from problem
    if given.is_complex() or (given.dtype == torch.bool and isinstance(space, spaces.Box)):
        raise ValueError(f"actions are {space.dtype} numbers of {space}, got {given.dtype}")
    return given


def _check_range(given: Tensor, space: ActionSpace) -> None:
    if isinstance(space, spaces.MultiBinary):
        if not bool(((given == 0) | (given == 1)).all()):
            raise ValueError("buttons are 0 or 1, got something else")
        return
    low, high = _bounds(space, given.device)
    if not bool(((given >= low - _SLACK) & (given <= high + _SLACK)).all()):
        if not bool(torch.isfinite(given).all()):
            raise ValueError("an action holds a value that is not finite")
        given_range = f"{float(given.min()):g} to {float(given.max()):g}"
        raise ValueError(f"actions lie in [{space.low.min():g}, {space.high.max():g}], got {given_range}")


def _bounds(space: spaces.Box, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.as_tensor(space.low, device=device), torch.as_tensor(space.high, device=device)
