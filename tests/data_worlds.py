"""Small Gymnasium environments that the tests of wmsim.data record."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Walker(gym.Env[Any, Any]):
    """A bright dot that the action moves over a seeded background; it ends when the dot leaves the picture."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 16}

    def __init__(self, view: str = "image", length: int = 12, die_at: int = -1, marker: str = "") -> None:
        picture = spaces.Box(0, 255, (24, 32, 3), np.uint8)
        speed = spaces.Box(-1, 1, (2,), np.float32)
        kinds = {"image": picture, "dict": spaces.Dict({"camera": picture, "speed": speed}), "state": speed}
        self.view, self.length, self.die_at, self.marker = view, length, die_at, marker
        self.observation_space: spaces.Space[Any] = kinds[view]
        self.action_space = spaces.Box(-1, 1, (2,), np.float32)
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed == self.die_at and not Path(self.marker).exists():
            Path(self.marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        self.ground = self.np_random.integers(0, 99, (24, 32, 3), dtype=np.uint8)
        self.position, self.speed, self.time = np.array([12.0, 16.0]), np.zeros(2, np.float32), 0
        return self._seen(), self._info()

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.speed = np.asarray(action, np.float32)
        self.position = self.position + 4 * self.speed
        self.time += 1
        out = bool((self.position < 0).any() or (self.position >= (24, 32)).any())
        return self._seen(), float(self.speed[0]), out, self.time >= self.length, self._info()

    def render(self) -> np.ndarray:
        picture = self.ground.copy()
        row, column = np.clip(self.position, 0, (23, 31)).astype(int)
        picture[row, column] = 255
        return picture

    def _seen(self) -> Any:
        picture = self.render()
        return {"image": picture, "dict": {"camera": picture, "speed": self.speed}, "state": self.speed}[self.view]

    def _info(self) -> dict[str, Any]:
        return {"state": np.append(self.position, self.time).astype(np.float32)}


def walker(**kwargs: Any) -> Walker:
    """A factory that a worker process can import."""
    return Walker(**kwargs)


class Straight:
    """A policy that always goes down at `speed`."""

    def __init__(self, env: gym.Env[Any, Any], speed: float = 0.5) -> None:
        self.action = np.array([[[speed, 0.0]]], np.float32)

    def reset(self, rows: list[int], seeds: list[int]) -> None:
        """Nothing to forget."""

    def act(self, rows: Any, observation: Any, info: Any) -> np.ndarray:
        """Down."""
        assert info["state"].shape == (1, 3)
        return self.action
