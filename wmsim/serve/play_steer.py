"""From what people hold down to the Control of one batched step, for every kind of control that a person can give.

Shape legend: n sessions, T frames per step, D robot width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from einops import repeat
from gymnasium import spaces

from wmsim.control import Control, keys_look_to_camera, keys_to_wheel
from wmsim.serve.play_messages import Inputs
from wmsim.world import WorldSpec

_REST = (0.0, 0.0)


@dataclass(frozen=True)
class Asked:
    """What one session asks of its next step: the inputs, the wheel (steer, drive) that they or a drawn line mean, and
    an event."""

    inputs: Inputs = field(default_factory=Inputs)
    wheel: tuple[float, float] = _REST
    event: str | None = None

    def without_event(self) -> Asked:
        """The same for a world that takes no events."""
        return replace(self, event=None)


def wheel_of(inputs: Inputs) -> tuple[float, float]:
    """Steer (+ = left) and drive of keys or stick; keys that are held win."""
    if any(inputs.keys) or not inputs.analog:
        steer, drive = keys_to_wheel(torch.tensor(inputs.keys)).tolist()
        return steer, drive
    return inputs.steer, inputs.drive


class Steering:
    """How a world is steered: by "wheel", by "walk" (buttons and look), by "camera" steps, or by a robot's numbers."""

    def __init__(self, spec: WorldSpec) -> None:
        """ValueError: the world takes nothing that keys, stick or mouse can say."""
        self._spec, self.kind, self._domain = spec, "", ""
        named = [name for name, space in spec.controls.items() if isinstance(space, spaces.Box)]
        if "wheel" in spec.controls:
            self.kind = "wheel"
        elif {"buttons", "look"} & set(spec.controls):
            self.kind = "walk"
        elif "camera" in spec.controls:
            self.kind = "camera"
        elif named and len(spec.controls[named[0]].shape or ()) == 1:
            self.kind, self._domain = "robot", named[0]
        else:
            raise ValueError(f"a person steers wheel, buttons, look, camera or a vector, {spec.name!r} takes "
                             f"{list(spec.controls)}")  # fmt: skip

    def control(self, asked: Sequence[Asked]) -> Control:
        """The Control of these sessions, held for the T frames of a step."""
        made = {"wheel": self._wheel, "walk": self._walk, "camera": self._camera, "robot": self._robot}[self.kind](
            asked
        )
        events = tuple(one.event for one in asked)
        return replace(made, event=events) if any(events) else made

    def _held(self, rows: torch.Tensor) -> torch.Tensor:
        return repeat(rows, "n ... -> n t ...", t=self._spec.frames_per_step).contiguous()

    def _wheel(self, asked: Sequence[Asked]) -> Control:
        return Control.of_wheel(self._held(torch.tensor([one.wheel for one in asked], dtype=torch.float32)))

    def _keys(self, asked: Sequence[Asked]) -> torch.Tensor:
        return self._held(torch.tensor([one.inputs.keys for one in asked]))

    def _look(self, asked: Sequence[Asked]) -> torch.Tensor:
        return self._held(torch.tensor([one.inputs.look for one in asked], dtype=torch.float32))

    def _walk(self, asked: Sequence[Asked]) -> Control:
        taken = self._spec.controls
        keys = self._keys(asked) if "buttons" in taken else None
        return Control(buttons=keys, look=self._look(asked) if "look" in taken else None)

    def _camera(self, asked: Sequence[Asked]) -> Control:
        return Control(camera=keys_look_to_camera(self._keys(asked), self._look(asked)))

    def _robot(self, asked: Sequence[Asked]) -> Control:
        """The first number follows right and left, the second ahead and back; the others rest in their middle."""
        space = self._spec.controls[self._domain]
        assert isinstance(space, spaces.Box)
        middle, half = (space.high + space.low) / 2, (space.high - space.low) / 2
        rows = np.repeat(middle[None], len(asked), 0)
        for row, one in enumerate(asked):
            moved = np.array([-one.wheel[0], one.wheel[1]])[: len(middle)]
            rows[row, : len(moved)] += half[: len(moved)] * moved
        return Control.of_robot(self._held(torch.from_numpy(rows.astype(np.float32))), self._domain)
