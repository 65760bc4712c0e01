"""Worlds that any dream must beat: every frame is the last one that it was given, or what chance makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from wmsim import dream
from wmsim.control import Control
from wmsim.dream import DreamWorld
from wmsim.model.dynamics import Dynamics
from wmsim.world import (
    Frames,
    Snapshot,
    Start,
    Step,
    WorldSpec,
    check_seeds,
    check_slots,
    check_snapshot,
)


class CopyLastFrame:
    """A World that takes the spec of another and stands still: it predicts neither reward nor end."""

    def __init__(self, like: WorldSpec, slots: int) -> None:
        self._spec = replace(
            like, name="copy-last-frame", reward=False, termination=False, uncertainty=False, proprio=()
        )
        self._slots = slots
        self._last: dict[int, Frames] = {}

    @property
    def spec(self) -> WorldSpec:
        """The other world's cameras, rate and controls; nothing is predicted."""
        return self._spec

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return self._slots

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return torch.device("cpu")

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        """Keep the last start frame of each slot. ValueError without starts: there is nothing to copy."""
        rows = check_slots(slots, self._slots)
        check_seeds(seeds, rows)
        if starts is None:
            raise ValueError("copy-last-frame has no frames of its own: reset it with starts")
        for index, row in enumerate(rows):
            self._last[row] = {camera: frames[index, -1:] for camera, frames in starts.frames.items()}
        return self._show(rows, 1)

    def step(self, slots: Sequence[int], control: Control) -> Step:
        """The same frame again, whatever the control."""
        rows = check_slots(slots, self._slots)
        missing = [row for row in rows if row not in self._last]
        if missing:
            raise ValueError(f"slot {missing[0]} was never reset: reset it first")
        return self._show(rows, self._spec.frames_per_step)

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        """The kept frames."""
        return Snapshot(self._spec.name, tuple(self._last[row] for row in check_slots(slots, self._slots)))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        """Keep the frames of a snapshot."""
        rows = check_slots(slots, self._slots)
        check_snapshot(snapshot, self._spec.name, rows)
        self._last.update(zip(rows, snapshot.states, strict=True))

    def close(self) -> None:
        """Nothing is held."""

    def _show(self, rows: list[int], count: int) -> Step:
        def film(camera: str) -> Tensor:
            return torch.stack([self._last[row][camera].expand(count, -1, -1, -1) for row in rows])

        return Step({camera: film(camera) for camera in self._spec.cameras})


class _Standing(DreamWorld):
    """A dream whose frames stand still; what it says of reward, end and motion follows the controls as ever."""

    def _advance(
        self, rows: list[int], action: Tensor, steps: int, context: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        shown = self.model.encode(self._frames[rows])
        given = self._noise(rows), action, self._cache, rows, context, self._proprio[rows]
        readings = self.model.commit(shown, *given)
        return self._read(rows, readings)


def copying(source: str | Path, slots: int) -> DreamWorld:
    """The dream `source`, but with frames that are copies of the last one it was given."""
    base = dream.load(source, slots=slots)
    return _Standing(base.model, base.card, base.starts, slots)


def scrambled(source: str | Path, slots: int, seed: int = 0) -> DreamWorld:
    """The dream `source` with the weights of its dynamics drawn anew, as before any training."""
    base = dream.load(source, slots=slots)
    torch.manual_seed(seed)
    fresh = Dynamics(base.model.config.dynamics)
    base.model.dynamics.load_state_dict(fresh.state_dict())
    return base
