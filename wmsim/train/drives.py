"""Recorded drives that a dream follows: where they begin, which rows they run along, and what each frame weighs.

Shape legend: N drives of K frames, those known before among them, R moments of a recording.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from wmsim.data.cache import Cache


@dataclass(frozen=True)
class Drives:
    """rows: in the cache; a drive's last one is repeated where its recording is over. weight: 0 there."""

    rows: Int64[np.ndarray, "N K"]
    weight: Float[np.ndarray, "N K"]


def draw_drives(
    cache: Cache, count: int, before: int, frames: int, ends: float, seed: int, tellings: float = 0.0
) -> Drives:
    """`count` drives of at most `frames` frames behind `before` known ones, from moments drawn evenly.

    ends: share of them drawn among those that end by themselves within `frames`; they weigh less for it, so that ends
    stay as likely as in the recording. tellings: share of the others drawn among those in the first half of which an
    event is told. ValueError: no episode has before + 1 frames.
    """
    rng = np.random.default_rng([seed, 0x0C])
    begun, length = np.asarray(cache.episode_start), np.asarray(cache.episode_length)
    counts = np.maximum(length - before, 0)
    if not counts.any():
        raise ValueError(
            f"no episode has {before + 1} frames: record longer ones, or let dreams begin behind fewer known frames "
            f"(outcomes.before, dynamics.followers.before)"
        )
    first = np.concatenate([np.arange(s, s + n) for s, n in zip(begun, counts, strict=True)])
    left = np.concatenate([n - np.arange(n) for n in counts])
    near = _ending(cache, first + before - 1 + left) & (left <= frames)
    share = ends if near.any() else 0.0
    chosen = rng.integers(len(first), size=count)
    if tellings and len(told := np.flatnonzero(_told(cache, first + before, np.minimum(left, frames // 2)))):
        chosen = np.where(rng.random(count) < tellings, rng.choice(told, count), chosen)
    if share:
        chosen = np.where(rng.random(count) < share, rng.choice(np.flatnonzero(near), count), chosen)
    weight = 1 / ((1 - share) + share * len(first) / max(near.sum(), 1) * near[chosen])
    after, last = np.arange(before + frames), before + np.minimum(left[chosen], frames)[:, None] - 1
    rows = first[chosen, None] + np.minimum(after, last)
    return Drives(rows, ((after <= last) * weight[:, None]).astype(np.float32))


def _told(cache: Cache, first: Int64[np.ndarray, " R"], frames: Int64[np.ndarray, " R"]) -> Bool[np.ndarray, " R"]:
    """Whether an event is told in so many rows from each of `first` on."""
    if cache.told is None:
        return np.zeros(len(first), bool)
    until = np.concatenate([[0], np.cumsum(np.asarray(cache.told) >= 0)])
    some: Bool[np.ndarray, " R"] = until[first + frames] > until[first]
    return some


def _ending(cache: Cache, last: Int64[np.ndarray, " R"]) -> Bool[np.ndarray, " R"]:
    """Whether an episode with such a last row ended by itself."""
    if cache.terminated is None:
        return np.zeros(len(last), bool)
    ended: Bool[np.ndarray, " R"] = np.asarray(cache.terminated)[last]
    return ended
