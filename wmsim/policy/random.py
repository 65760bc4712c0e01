"""Policies that know nothing: one draws every action evenly from its space, one wanders through it in spells.

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


class WanderPolicy:
    """Holds actions for spells of random length: a share of them at rest, the others at a value drawn evenly.

    Each number of the action keeps its own time. Actions drawn anew at every step cancel each other out before they
    have moved a body; spells take it to places that a recording must hold. Rest is what lies nearest to 0.
    """

    def __init__(
        self,
        space: spaces.Space[Any],
        slots: int,
        shortest: int = 2,
        longest: int = 24,
        rest: float | int | Sequence[float | int] = 0.5,
    ) -> None:
        """space: of one slot's action. shortest, longest: steps of a spell. rest: the share at rest, 0 to 1, of all
        numbers of the action or of each. ValueError: no bounded Box, no spell as long as asked, or no such shares.
        """
        need_slots(slots)
        if not isinstance(space, spaces.Box) or not space.is_bounded():
            raise ValueError(f"a wandering policy needs a bounded Box of actions, got {space}")
        if not 1 <= shortest <= longest:
            raise ValueError(f"spells have 1 <= shortest <= longest steps, got {shortest} and {longest}")
        shares = np.asarray(rest, float)
        if shares.shape not in ((), space.shape) or not ((shares >= 0) & (shares <= 1)).all():
            raise ValueError(f"rest is a share from 0 to 1, or {space.shape} of them, got {rest!r}")
        self._space, self._lengths, self._rest = space, (shortest, longest), shares
        self._rngs = [np.random.default_rng(0) for _ in range(slots)]
        self._held = np.zeros((slots, *space.shape), space.dtype)
        self._left = np.zeros((slots, *space.shape), int)

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Key the rows' generators; new spells begin."""
        for row, seed in zip(rows, seeds, strict=True):
            self._rngs[row], self._left[row] = np.random.default_rng([seed, 0x5B]), 0

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[Any]:
        """(n, 1, ...) the values held now."""
        low, high = self._space.low, self._space.high
        for row in rows:
            rng, over = self._rngs[row], self._left[row] == 0
            value = np.where(rng.random(low.shape) < self._rest, np.clip(0, low, high), rng.uniform(low, high))
            self._held[row] = np.where(over, value, self._held[row])
            length = rng.integers(self._lengths[0], self._lengths[1], low.shape, endpoint=True)
            self._left[row] = np.where(over, length, self._left[row]) - 1
        held: NDArray[Any] = self._held[list(rows)][:, None]
        return held
