"""Anyone's Gymnasium environment where an arena expects the episodes of a world.

Shape legend: n rows named in a call, S rows in all, H x W pixels, P proprio width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from wmsim.env.episodes import Outcome
from wmsim.env.task import EnvConfig
from wmsim.world import Frames, Start

CAMERA = "front"
"""What its one picture is called."""


class OutsideEpisodes:
    """`rows` environments made by `make`, stepped one after another, with the methods of `wmsim.env.episodes.Episodes`.

    Their observations are a picture, or a Dict of "image" and "proprio", as `wmsim.env.pictured.Pictured` gives them.
    """

    def __init__(self, make: Callable[[], gym.Env[Any, Any]], rows: int) -> None:
        self.envs = [make() for _ in range(rows)]
        self.observation_space, self.action_space = self.envs[0].observation_space, self.envs[0].action_space
        parts = dict(self.observation_space) if isinstance(self.observation_space, spaces.Dict) else {}
        self.config = EnvConfig(observation="dict" if parts else "image")
        picture, vector = parts.get("image", self.observation_space), parts.get("proprio")
        self.frames: Frames = {CAMERA: torch.zeros(rows, *(picture.shape or ()), dtype=torch.uint8)}
        self.proprio: Tensor | None = None if vector is None else torch.zeros(rows, *(vector.shape or ()))
        self._seeds: list[int | None] = [None] * rows

    def seed(self, row: int, seed: int) -> None:
        """The next episode of `row` is that of `seed`."""
        self._seeds[row] = seed

    def begin(self, rows: Sequence[int], starts: Start | None = None) -> Outcome:
        """Begin an episode in each row. ValueError: start frames, which fix no state of a real environment."""
        if starts is not None:
            raise ValueError("an environment cannot begin from frames: replay its actions instead")
        for row in rows:
            seen, _ = self.envs[row].reset(seed=self._seeds[row])
            self._see(row, seen)
        none = np.zeros(len(rows), bool)
        return Outcome(torch.zeros(len(rows)), torch.from_numpy(none), none.copy(), {})

    def advance(self, rows: Sequence[int], actions: Any) -> Outcome:
        """Step each row."""
        given = np.asarray(actions, np.float32)
        reward, terminated, truncated = np.zeros(len(rows), np.float32), *np.zeros((2, len(rows)), bool)
        for place, row in enumerate(rows):
            seen, gained, ended, cut, _ = self.envs[row].step(given[place])
            reward[place], terminated[place], truncated[place] = float(gained), ended, cut
            self._see(row, seen)
        return Outcome(torch.from_numpy(reward), torch.from_numpy(terminated), truncated, {})

    def _see(self, row: int, seen: Any) -> None:
        # New tensors at every step: those of earlier steps are in the hands of policies.
        picture = seen["image"] if isinstance(seen, dict) else seen
        self.frames = {CAMERA: self.frames[CAMERA].clone()}
        self.frames[CAMERA][row] = torch.from_numpy(np.array(picture))  # environments give read-only ones too
        if self.proprio is not None:
            self.proprio = self.proprio.clone()
            self.proprio[row] = torch.from_numpy(np.asarray(seen["proprio"], np.float32))

    def close(self) -> None:
        """Close every environment."""
        for env in self.envs:
            env.close()
