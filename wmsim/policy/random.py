"""A policy that draws every action evenly from its space.

Shape legend: n slots asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from wmsim.policy.protocol import need_slots


class RandomPolicy:
    """Draws every action evenly from a space, each row from a generator of its own."""

    def __init__(self, space: spaces.Space[Any], slots: int) -> None:
        """space: of one slot's action. ValueError: fewer than one slot."""
        need_slots(slots)
        self._space = space
        self._rngs = [np.random.default_rng(0) for _ in range(slots)]

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Key the rows' generators."""
        for row, seed in zip(rows, seeds, strict=True):
            self._rngs[row] = np.random.default_rng([seed, 0x5A])

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[Any]:
        """(n, 1, ...) drawn from the space."""
        drawn = []
        for row in rows:
            self._space.seed(int(self._rngs[row].integers(2**31)))
            drawn.append(self._space.sample())
        return np.stack(drawn)[:, None]
