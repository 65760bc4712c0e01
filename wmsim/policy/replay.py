"""A policy that does again what was recorded: the same drive once more, in another world or with nothing told.

Shape legend: n slots asked for, T actions of D numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from wmsim.policy.protocol import need_slots


class ReplayPolicy:
    """Takes the actions of the recorded episode that has a slot's seed, one a step, and holds the last of them."""

    def __init__(self, space: spaces.Space[Any], slots: int, data: str | Path) -> None:
        """space: of one slot's action, as it was recorded in. data: the recording's folder. ValueError: other actions.

        FileNotFoundError: no recording.
        """
        from wmsim.data.episodes import Dataset

        need_slots(slots)
        self._space, self._dataset = space, Dataset(Path(data))
        width, recorded = spaces.flatdim(space), len(self._dataset.spec.action)
        if width != recorded:
            raise ValueError(f"{data} holds actions of {recorded} numbers, those of {space} have {width}")
        self._index = {int(self._dataset.notes(index)["seed"]): index for index in self._dataset.indices()}
        self._actions: list[NDArray[np.float32]] = [np.zeros((1, width), np.float32) for _ in range(slots)]
        self._step = [0] * slots

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Begin the episodes of these seeds. ValueError: none was recorded with a seed."""
        for row, seed in zip(rows, seeds, strict=True):
            if seed not in self._index:
                raise ValueError(f"{self._dataset.root} has no episode of seed {seed}: it has {_some(self._index)}")
            actions = self._dataset.columns(self._index[seed])["action"]
            self._actions[row], self._step[row] = actions.reshape(len(actions), -1)[:-1], 0

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[Any]:
        """(n, 1, ...) what was done then."""
        done = []
        for row in rows:
            actions = self._actions[row]
            done.append(spaces.unflatten(self._space, actions[min(self._step[row], len(actions) - 1)]))
            self._step[row] += 1
        return np.stack(done)[:, None]


def _some(seeds: Mapping[int, int]) -> str:
    return f"those from {min(seeds)} to {max(seeds)}" if seeds else "none"
