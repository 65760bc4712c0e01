"""Starts drawn from a recording: an agent that trains in a dream begins in states that drivers have truly been in.

Shape legend: n episodes, L frames of each start, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from wmsim.control import Control
from wmsim.world import Start, WorldSpec


class RecordedStarts:
    """Any moment of any recorded episode with the L - 1 frames before it; the episode's seed says which."""

    def __init__(
        self,
        data: str | Path | Sequence[str | Path],
        spec: WorldSpec,
        length: int = 8,
        seconds: float | None = None,
        best: float = 1.0,
    ) -> None:
        """data: of a recording or several; spec: of the world that begins from it; seconds: only moments so early in
        their episode, before drivers got into what they made of it, None for all; best: only moments of this share of
        the episodes, those with the highest mean reward a frame: an agent that begins where careless drivers had got
        to learns to stand still.

        ValueError: another size, action or no episode as long; best without rewards. ImportError: an extra is missing.
        """
        from wmsim.data.windows import Windows, open_cache  # reading recordings needs the [data] extra

        self._cache, self._spec = open_cache(data, progress=False), spec
        early = self._cache if best == 1 else self._cache.best(best)
        if seconds is not None:
            early = early.shortened(round(seconds * early.spec.frames_per_second))
            if early.episode_length.max(initial=0) < length:
                raise ValueError(f"no episode has {length} frames to begin from within {seconds} seconds")
        self._windows = Windows(early, length)
        camera, shape = next(iter(spec.cameras.items()))
        if self._cache.frames.shape[1:] != shape:
            raise ValueError(f"{data} has frames {self._cache.frames.shape[1:]}, camera {camera!r} has {shape}")
        kind, space = next(iter(spec.controls.items()))
        if (self._cache.action.shape[1],) != space.shape:
            raise ValueError(f"{data} has {self._cache.action.shape[1]} actions, {kind!r} controls have {space.shape}")

    def draw(self, seeds: Sequence[int]) -> Start:
        """A start for each seed."""
        spec, cache = self._spec, self._cache
        chosen = [int(np.random.default_rng([seed, 0x57]).integers(len(self._windows))) for seed in seeds]
        rows = [self._windows.rows(index) for index in chosen]
        frames = torch.from_numpy(np.stack([cache.frames[row] for row in rows]))
        action = np.stack([cache.action[row][1:] for row in rows])
        control = Control.of_robot(action, next(iter(spec.controls))) if action.shape[1] else None
        proprio = None
        if spec.proprio and cache.proprio.shape[1] == len(spec.proprio):
            proprio = torch.from_numpy(np.stack([cache.proprio[row] for row in rows]))
        return Start({next(iter(spec.cameras)): frames}, control, proprio)
