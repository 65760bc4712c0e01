"""A driver that sees nothing but frames, so it can drive in a dream: on real frames it learns from the scripted one.

Shape legend: n slots, N frames in all, H x W pixels, S state width, D action width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wmsim.data.episodes import Episode
from wmsim.metrics import Probe, ProbeConfig, fit_probe

Array = np.ndarray[Any, Any]

GAP = 2
"""Frames between the two that the keeper looks at: enough to see how fast it goes."""


def fit_keeper(episodes: Sequence[Episode], wanted: Callable[[Array], Array], config: ProbeConfig) -> Probe:
    """Learn to do from two frames what `wanted`, (N, S) states -> (N, D) actions, would do in their state.

    The episodes may hold noise and mistakes: the labels are those of a steady driver in the same situation.
    """
    frames = np.concatenate([episode.frames for episode in episodes])
    labels = np.concatenate([wanted(_state(episode)) for episode in episodes])
    first = np.cumsum([0, *(len(episode) for episode in episodes[:-1])])
    here = np.concatenate([at + np.arange(GAP, len(e)) for at, e in zip(first, episodes, strict=True)])
    return fit_probe(frames, np.stack([here - GAP, here], -1), labels[here].astype(np.float32), config)


def _state(episode: Episode) -> Array:
    if episode.state is None:
        raise ValueError(f"episode {episode.seed} has no state: a keeper is taught from a twin, not from plain films")
    return episode.state


class Keeper:
    """Drives n slots at once from their latest frames."""

    def __init__(self, probe: Probe, context: Array) -> None:
        """context: (n, L, H, W, 3) frames seen so far, L > GAP."""
        if context.shape[1] <= GAP:
            raise ValueError(f"the keeper needs more than {GAP} frames of context, got {context.shape[1]}")
        self.probe = probe
        self.seen = deque((context[:, t] for t in range(context.shape[1])), maxlen=GAP + 1)

    def act(self) -> Array:
        """(n, D) actions in [-1, 1]."""
        return self.probe.read(np.stack([self.seen[0], self.seen[-1]], 1)).clip(-1, 1)

    def see(self, frames: Array) -> None:
        """Take in the (n, H, W, 3) frames that came of it."""
        self.seen.append(frames)
