"""Behaviour cloning: a recurrent policy learns to do what the recorded drivers did.

    wmsim record wmsim/Drive-v0 runs/data ...
    python -m agents.bc data=runs/data

Where rewards were recorded it also learns what the drivers went on to earn, which is where the critic of reinforcement
learning begins.

Writes <out>/policy.onnx, <out>/actor.pt (for agents.ppo clone=...), curves and a state to go on from. What a clone is
good for: a start and an anchor for reinforcement learning, and a family of policies of known strengths (by `share`, how
much of the data it sees).

Shape legend: B windows of T frames, A actions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import hydra
import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

import wmsim  # noqa: F401 (registers the environments)
from agents.network import ActorCritic, Observation, log_density, parts, save_actor, save_weights
from wmsim.data.cache import Cache, Roots, open_cache
from wmsim.data.windows import Windows
from wmsim.env.pictured import Pictured
from wmsim.policy.onnx import onnx_export
from wmsim.train.loop import Draw, Loop, LoopConfig


@dataclass(frozen=True)
class BCConfig:
    """What is cloned, from what, for how long.

    data: a recorded dataset, or several that are read as one. env, env_kwargs: the environment whose spaces the policy
    gets; world: of a wmsim environment, None for others, and view: how those are seen (`wmsim.env.pictured.Pictured`),
    None for as they are. share: of the episodes that is learnt from. avoid: seconds before an episode ended by itself
    (a crash) that are not imitated. worth: weight of the squared error of the value, which is the recorded rewards to
    come by `discount`. stack: frames that the policy sees at once, 0 for one with a GRU. batch: windows of `frames`
    frames; steps, rate: of the optimiser.
    """

    data: Roots
    out: str
    env: str = "wmsim/Drive-v0"
    world: str | None = "dream"
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    view: dict[str, Any] | None = None
    share: float = 1.0
    avoid: float = 2.0
    worth: float = 0.5
    stack: int = 0
    discount: float = 0.97
    batch: int = 12
    frames: int = 48
    steps: int = 3000
    rate: float = 6e-4
    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        """ValueError: no share of the data."""
        if not 0 < self.share <= 1:
            raise ValueError(f"share (of the episodes) lies in 0 .. 1 and is not 0, got {self.share}")
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount is at least 0 and less than 1, got {self.discount}")


class CloneStage:
    """Negative log likelihood of the recorded actions along windows, with the memory of the window alone."""

    name = "clone"

    def __init__(self, network: ActorCritic, cache: Cache, config: BCConfig, proprio: bool) -> None:
        """ValueError: recorded actions of another width than the environment's, or no window as long as asked."""
        if cache.action.shape[1] != len(network.low):
            raise ValueError(
                f"the recorded actions have {cache.action.shape[1]} numbers, the environment takes {len(network.low)}"
            )
        self.module: nn.Module = network
        self.network, self.cache, self.config, self.proprio = network, cache, config, proprio
        self.windows, self._good = Windows(cache, config.frames + 1), _imitated(cache, config.avoid)
        self._earned, self._known = earnings(cache, config.discount)

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """The likelihood of a batch, the mean absolute error in shares of the action's range, the value's error."""
        drawn = draw.numpy.integers(len(self.windows), size=self.config.batch)
        rows = np.stack([np.arange(*self.windows.rows(int(i)).indices(len(self.cache.frames))) for i in drawn])
        seen = self._observed(rows[:, :-1].ravel())
        embedded = self.network.embed(seen).unflatten(0, (len(rows), -1))
        means, values, _ = self.network.along(embedded.transpose(0, 1), self.network.begin(len(rows)))
        mean, good = means.transpose(0, 1), torch.from_numpy(self._good[rows[:, 1:]]).float()
        done = self.network.unscaled(torch.from_numpy(self.cache.action[rows[:, 1:]]))
        unlikely = -log_density(done, mean, self.network.log_std)
        error = (done - mean).detach().abs().mean(-1) / 2
        then, known = rows[:, :-1], torch.from_numpy(self._known[rows[:, :-1]]).float()
        missed = (values.transpose(0, 1) - torch.from_numpy(self._earned[then])).square()
        clone, off, value = (
            (part * weight).sum() / weight.sum().clamp(min=1)
            for part, weight in ((unlikely, good), (error, good), (missed, known))
        )
        return {"total": clone + self.config.worth * value, "unlikely": clone, "error": off, "value": value}

    def _observed(self, rows: np.ndarray) -> Observation:
        image = torch.from_numpy(self.cache.frames[rows])
        return {"image": image, "proprio": torch.from_numpy(self.cache.proprio[rows])} if self.proprio else image

    def saved(self) -> None:
        """The policy is written at the end."""


def _imitated(cache: Cache, avoid: float) -> np.ndarray:
    """(N,) true at frames whose action is learnt: all but the last `avoid` seconds before an end."""
    good = np.ones(len(cache.frames), bool)
    if cache.terminated is None:
        return good
    last = cache.episode_start + cache.episode_length - 1
    for end in last[np.asarray(cache.terminated[last])]:
        good[max(0, end + 1 - round(avoid * cache.spec.frames_per_second)) : end + 1] = False
    return good


def earnings(cache: Cache, discount: float) -> tuple[np.ndarray, np.ndarray]:
    """What came after each frame, (N,) discounted rewards, and (N,) where that is known: not where the recording stops.

    Nowhere without recorded rewards. Known is it where less than a tenth of the weight lies behind an episode's last
    frame, and everywhere in episodes that ended by themselves.
    """
    earned, known = np.zeros(len(cache.frames), np.float32), np.zeros(len(cache.frames), bool)
    if cache.reward is None:
        return earned, known
    beyond = 1 if discount == 0 else math.ceil(math.log(0.1) / math.log(discount))
    for first, length in zip(cache.episode_start, cache.episode_length, strict=True):
        running, last = 0.0, first + length - 1
        for row in range(last - 1, first - 1, -1):
            running = float(cache.reward[row + 1]) + discount * running
            earned[row] = running
        over = cache.terminated is not None and bool(cache.terminated[last])
        known[first : last if over else max(first, last - beyond)] = True
    return earned, known


def train(config: BCConfig) -> Path:
    """Clone; returns the path of the policy. ValueError when environment and data do not fit."""
    onnx_export()
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    world = {} if config.world is None else {"world": config.world}
    env: gym.Env[Any, Any] = gym.make(config.env, **world, **config.env_kwargs)
    if config.view is not None:
        env = Pictured(env, **config.view)
    spaces = env.observation_space, env.action_space
    env.close()
    whole = open_cache(config.data)
    cache = whole if config.share == 1 else whole.split(1 - config.share, seed=config.seed)[0]
    picture, proprio = parts(spaces[0])
    if cache.frames.shape[1:3] != picture.shape[:2]:
        raise ValueError(f"the recording has frames {cache.frames.shape[1:3]}, the environment {picture.shape[:2]}")
    network = ActorCritic(*spaces, stack=config.stack)
    stage = CloneStage(network, cache, config, proprio is not None)
    Loop(stage, LoopConfig(config.steps, config.rate, ema=0.995), Path(config.out), config.seed).run()
    path = Path(config.out) / "policy.onnx"
    save_actor(network, path, *spaces)
    save_weights(network, path.with_name("actor.pt"))
    return path


@hydra.main(version_base=None, config_path="../configs", config_name="agents/bc")
def main(settings: DictConfig) -> None:
    """Read the settings and clone."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    train(BCConfig(**plain))


if __name__ == "__main__":
    main()
