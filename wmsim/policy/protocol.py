"""What acts in a world: the Policy protocol, and an executor that plays its chunks of actions one step at a time.

Shape legend: n slots asked for, N slots in all, C actions of a chunk.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Policy(Protocol):
    """Chooses actions for any of its slots; what it remembers of each is its own affair."""

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Begin an episode in each of `rows`; a row's seed alone keys its randomness."""
        ...

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[Any]:
        """The next C actions of each of `rows`, (n, C, ...), from what these rows, and no others, show."""
        ...


class Executor:
    """Acts for all N slots step by step; asks the policy only for slots whose last chunk is used up."""

    def __init__(self, policy: Policy, slots: int, execute: int | None = None) -> None:
        """execute: how many actions of a chunk are taken before the policy is asked again; None: all of them.

        ValueError: fewer than one slot or action.
        """
        need_slots(slots)
        if execute is not None and execute < 1:
            raise ValueError(f"at least 1 action of each chunk is taken, got execute={execute}")
        self.policy, self.execute = policy, execute
        self._waiting: list[list[NDArray[Any]]] = [[] for _ in range(slots)]

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Begin an episode in each of `rows`; what was left of their chunks is dropped."""
        for row in rows:
            self._waiting[row].clear()
        self.policy.reset(rows, seeds)

    def act(self, observation: Any, info: Mapping[str, Any]) -> NDArray[Any]:
        """One action for each slot, (N, ...), from what all of them show."""
        empty = [row for row, waiting in enumerate(self._waiting) if not waiting]
        if empty:
            whole = len(empty) == len(self._waiting)
            seen, told = (observation, info) if whole else (rows_of(observation, empty), rows_of(info, empty))
            chunks = self.policy.act(empty, seen, told)
            for row, chunk in zip(empty, chunks, strict=True):
                self._waiting[row].extend(chunk[: self.execute])
        return np.stack([waiting.pop(0) for waiting in self._waiting])


def rows_of(tree: Any, rows: Sequence[int]) -> Any:
    """Some rows of a batched observation or info: of every array, in dictionaries and tuples of any depth."""
    if isinstance(tree, Mapping):
        return {key: rows_of(value, rows) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(rows_of(value, rows) for value in tree)
    return tree if tree is None else tree[list(rows)]


def need_slots(slots: int) -> None:
    """ValueError when a policy is asked to act for nobody."""
    if slots < 1:
        raise ValueError(f"a policy acts for at least 1 slot, got {slots}")


def imported(module: str, who: str) -> Any:
    """A module of the extra [policy]; ImportError, with what to install, for `who` needs it where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{who} need {module}: pip install 'wmsim[policy]'") from error
