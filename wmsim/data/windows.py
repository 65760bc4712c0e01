"""Fixed-length windows of recorded episodes, views of the memory-mapped cache.

Shape legend: B windows in a batch of T frames, H x W pixels; D action, P proprio, S world state width, E episodes.
Everything is in ARRIVAL convention, see `wmsim.data.cache`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

from wmsim.data.cache import ARRAYS, Cache, load_cache, open_cache

__all__ = ["Batch", "Cache", "Windows", "load_cache", "open_cache"]


@dataclass(frozen=True)
class Batch:
    """Windows of T frames in arrival convention; without the leading B axis it is a single window.

    frames: (B, T, H, W, 3) uint8. action: (B, T, D). proprio: (B, T, P). state: (B, T, S). reward: (B, T) and
    terminated: (B, T) or None. is_start: (B, T) bool, true at an episode's first frame. told: (B, T) as in the cache.
    """

    frames: UInt8[np.ndarray, "*B T H W 3"]
    action: Float32[np.ndarray, "*B T D"]
    proprio: Float32[np.ndarray, "*B T P"]
    state: Float32[np.ndarray, "*B T S"]
    reward: Float32[np.ndarray, "*B T"] | None
    terminated: Bool[np.ndarray, "*B T"] | None
    is_start: Bool[np.ndarray, "*B T"]
    told: Int32[np.ndarray, "*B T"] | None = None


@dataclass(frozen=True)
class Windows:
    """Every window of `length` frames that lies inside an episode of the cache, at any offset.

    Episodes shorter than that have none: `skipped` counts them. ValueError when there is no window at all.
    """

    cache: Cache
    length: int

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"a window has at least 1 frame, got {self.length}")
        if not len(self):
            longest = int(self.cache.episode_length.max(initial=0))
            raise ValueError(f"no episode has {self.length} frames, the longest has {longest}: take shorter windows")

    @cached_property
    def _ends(self) -> Int64[np.ndarray, " E"]:
        return np.cumsum(np.maximum(self.cache.episode_length - self.length + 1, 0))

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def skipped(self) -> int:
        """Episodes too short for one window."""
        return int((self.cache.episode_length < self.length).sum())

    def rows(self, index: int) -> slice:
        """The rows of the cache that window `index`, 0 .. len - 1, is."""
        if not 0 <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        episode = int(np.searchsorted(self._ends, index, side="right"))
        before = int(self._ends[episode - 1]) if episode else 0
        start = int(self.cache.episode_start[episode]) + index - before
        return slice(start, start + self.length)

    def window(self, index: int) -> Batch:
        """One window; its arrays are views of the mapped files, nothing is copied but `is_start`."""
        rows = self.rows(index)
        return Batch(**{name: _pick(getattr(self.cache, name), rows) for name in ARRAYS}, is_start=self._starts(rows))

    def batch(self, indices: Iterable[int]) -> Batch:
        """Windows one beside the other: each is copied once, into its place."""
        windows = [self.window(int(index)) for index in indices]
        names = (*ARRAYS, "is_start")
        return Batch(**{name: _stack([getattr(window, name) for window in windows]) for name in names})

    def sample(self, rng: np.random.Generator, batch: int, ends: float = 0.0) -> Batch:
        """`batch` windows drawn evenly, the same for the same state of rng.

        ends: the share of them, 0 .. 1, that are the last window of an episode: ends are one frame in hundreds.
        """
        indices = rng.integers(len(self), size=batch)
        last = np.unique(self._ends[self.cache.episode_length >= self.length]) - 1
        return self.batch(np.where(rng.random(batch) < ends, rng.choice(last, batch), indices).tolist())

    def _starts(self, rows: slice) -> Bool[np.ndarray, " T"]:
        first = np.searchsorted(self.cache.episode_start, rows.start)
        starts = np.zeros(self.length, np.bool_)
        starts[0] = first < self.cache.episodes and self.cache.episode_start[first] == rows.start
        return starts


def _pick(values: np.ndarray | None, rows: slice) -> Any:
    return None if values is None else values[rows]


def _stack(values: list[Any]) -> Any:
    return None if values[0] is None else np.stack(values)
