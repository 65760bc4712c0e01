"""A fake dream for the tests of the recipes: it turns the last frame with the wheel, and foretells reward and end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from wmsim.sims.toy import ToyWorld
from wmsim.world import Snapshot, Step


class Turning:
    """A World that begins from frames: the picture rolls sideways by the steering, in proportion to `gain`."""

    def __init__(self, slots: int, gain: float = 6.0, size: int = 32) -> None:
        self.spec = replace(ToyWorld(1, size=size).spec, name="turning", memory="window", context=1)
        self.slots, self.gain, self.steps, self.device = slots, gain, 1, torch.device("cpu")
        self._last: dict[int, Any] = {}

    def reset(self, slots, seeds, starts=None):
        for index, slot in enumerate(slots):
            size = self.spec.cameras["top"]
            self._last[slot] = starts.frames["top"][index, -1] if starts else torch.full(size, 90, dtype=torch.uint8)
        return self._show(slots, torch.zeros(len(slots)))

    def step(self, slots, control):
        steer = control.robot[:, 0, 0]
        for slot, shift in zip(slots, (self.gain * steer).round().int().tolist(), strict=True):
            self._last[slot] = self._last[slot].roll(shift, 1)
        return self._show(slots, steer)

    def _show(self, slots, steer):
        frames = torch.stack([self._last[slot] for slot in slots])[:, None]
        end = torch.rand(len(slots), 1, generator=torch.Generator().manual_seed(len(slots)))
        proprio = torch.stack([torch.ones_like(steer), steer], -1)[:, None]
        over = torch.zeros(len(slots), 1, dtype=torch.bool)
        return Step({"top": frames}, steer[:, None].abs(), over, proprio, info={"end_probability": end})

    def snapshot(self, slots):
        return Snapshot("turning", tuple(self._last[slot] for slot in slots))

    def restore(self, slots, snapshot):
        self._last.update(zip(slots, snapshot.states, strict=True))

    def close(self):
        pass


def turning(slots: int, steps: int | None = None, device: str = "cpu") -> Turning:
    """As `eval.worlds` wants it."""
    return Turning(slots)
