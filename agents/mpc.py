"""Planning in the dream: the present is forked into many futures under different actions, and the best begins.

    python -m agents.mpc                                     drives in the twin, plans in the dream
    python -m agents.mpc world=dream episodes=4

Needs no training. The cross-entropy method over smooth action sequences (iCEM, Pinneri et al., arXiv 2008.06389): every
plan begins from the last frames seen, all candidates of all slots are one batch of slots of the planner's own world,
and what the last plan wanted to do next is where the next one starts.

Shape legend: n slots, C candidates of each, H steps of a plan, L frames remembered, A actions, P proprio width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import hydra
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from wmsim.control import Control
from wmsim.world import Snapshot, Start, World

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PlanConfig:
    """How much is thought about and how.

    candidates: C. horizon: H, frames. rounds: of drawing and choosing. elite: share of the candidates that the next
    round is drawn around. spread: standard deviation of the first round, in half ranges of the actions. smooth: share
    of a step's deviation that carries over to the next. execute: frames between two plans. memory: L. doubt: times
    the world's uncertainty that is taken from its reward. discount: per frame. most: candidates rolled at once.
    """

    candidates: int = 24
    horizon: int = 16
    rounds: int = 2
    elite: float = 0.2
    spread: float = 0.4
    smooth: float = 0.8
    execute: int = 4
    memory: int = 8
    doubt: float = 0.0
    discount: float = 0.99
    most: int = 192

    def __post_init__(self) -> None:
        """ValueError: nothing to choose from, or a plan shorter than what is executed of it."""
        if self.candidates < 2 or not 0 < self.elite <= 1 or min(self.rounds, self.memory) < 1:
            raise ValueError(f"a plan needs 2 candidates, an elite in 0 .. 1, a round and a frame, got {self}")
        if not 1 <= self.execute <= self.horizon:
            raise ValueError(f"execute={self.execute} frames of a plan of horizon={self.horizon} cannot be taken")


class Planner:
    """A `Policy` that plans in `world`, whose slots are its own to use; it sees pictures, alone or in a Dict."""

    def __init__(self, world: World, config: PlanConfig, slots: int = 1) -> None:
        """slots: to act for. ValueError: a world that takes no vector of bounded actions or has too few slots."""
        domain, space = next(iter(world.spec.controls.items()))
        if not isinstance(space, spaces.Box) or len(space.shape) != 1 or not space.is_bounded():
            raise ValueError(f"the planner draws actions from a bounded Box of one axis, the world takes {space}")
        if world.spec.frames_per_step != 1:
            raise ValueError(f"the planner plans frame by frame, the world makes {world.spec.frames_per_step} a step")
        if world.slots < config.candidates:
            raise ValueError(f"{config.candidates} candidates need as many slots, the world has {world.slots}")
        self.world, self.config, self.domain, self.space = world, config, domain, space
        self._rngs = [np.random.default_rng(0) for _ in range(slots)]
        self._seen: list[list[NDArray[np.uint8]]] = [[] for _ in range(slots)]
        self._felt: list[Array | None] = [None] * slots
        self._done: list[list[Array]] = [[] for _ in range(slots)]
        self._plan: list[Array] = [self._calm() for _ in range(slots)]

    def _calm(self) -> Array:
        return np.zeros((self.config.horizon, *self.space.shape), np.float32)

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Forget what was seen; a row's seed keys its candidates."""
        for row, seed in zip(rows, seeds, strict=True):
            self._rngs[row] = np.random.default_rng([seed, 0x3C])
            self._seen[row], self._done[row], self._felt[row] = [], [], None
            self._plan[row] = self._calm()

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> Array:
        """(n, 1, A): the next action of each row; a new plan is made where the last one is used up."""
        image = observation["image"] if isinstance(observation, Mapping) else observation
        felt = observation.get("proprio") if isinstance(observation, Mapping) else None
        due = []
        for place, row in enumerate(rows):
            self._seen[row] = [*self._seen[row], np.asarray(image[place])][-self.config.memory :]
            self._felt[row] = None if felt is None else np.asarray(felt[place], np.float32)
            if len(self._done[row]) % self.config.execute == 0:
                due.append(row)
        together = max(1, min(self.config.most, self.world.slots) // self.config.candidates)
        for first in range(0, len(due), together):
            self._think(due[first : first + together])
        return self._scaled(np.stack([self._take(row) for row in rows]))[:, None]

    def _take(self, row: int) -> Array:
        """The first step of a row's plan, which moves on by one."""
        action, self._plan[row] = self._plan[row][0], np.concatenate([self._plan[row][1:], self._plan[row][-1:]])
        self._done[row].append(action)
        return action

    def _scaled(self, action: Array) -> Array:
        low, high = self.space.low, self.space.high
        return (low + (action + 1) / 2 * (high - low)).astype(np.float32)

    def _think(self, rows: list[int]) -> None:
        """Make the plans of some rows anew: draw, roll, choose, draw around the chosen."""
        c = self.config
        now = self._forks(rows)
        middle, spread = np.stack([self._plan[row] for row in rows]), np.full(len(rows), c.spread)[:, None, None]
        for _ in range(c.rounds):
            drawn = self._draw(rows, middle, spread)
            worth = self._roll(now, drawn)
            best = np.argsort(-worth, 1)[:, : max(1, round(c.elite * c.candidates))]
            chosen = np.take_along_axis(drawn, best[..., None, None], 1)
            middle, spread = chosen.mean(1), np.maximum(chosen.std(1), 0.05)
            first = chosen[:, 0]
        for row, plan in zip(rows, first if c.rounds == 1 else middle, strict=True):
            self._plan[row] = plan

    def _forks(self, rows: list[int]) -> Snapshot:
        """The present of each row, dreamt from its last frames, once for every candidate."""
        states: list[Snapshot] = []
        for row in rows:  # rows may remember differently many frames
            camera = next(iter(self.world.spec.cameras))
            frames, between = np.stack(self._seen[row]), len(self._seen[row]) - 1
            acted = np.stack(self._done[row][-between:]) if between else None
            control = None if acted is None else Control.of_robot(self._scaled(acted)[None], self.domain)
            felt = self._felt[row]
            proprio = None if felt is None else torch.from_numpy(np.repeat(felt[None, None], len(frames), 1))
            start = Start({camera: torch.from_numpy(frames)[None]}, control, proprio)
            self.world.reset([0], [int(self._rngs[row].integers(2**31))], start)
            states.append(self.world.snapshot([0]))
        return Snapshot(states[0].world, tuple(s.states[0] for s in states for _ in range(self.config.candidates)))

    def _draw(self, rows: list[int], middle: Array, spread: Array) -> Array:
        """(n, C, H, A) in -1 .. 1 around `middle`, (n, H, A); the middle itself is the first candidate."""
        c, keep = self.config, self.config.smooth
        noise = np.stack([self._rngs[r].normal(size=(c.candidates, c.horizon, *self.space.shape)) for r in rows])
        for t in range(1, c.horizon):
            noise[:, :, t] = keep * noise[:, :, t - 1] + np.sqrt(1 - keep**2) * noise[:, :, t]
        noise[:, 0] = 0
        drawn: Array = (middle[:, None] + spread[:, None] * noise).clip(-1, 1).astype(np.float32)
        return drawn

    def _roll(self, now: Snapshot, drawn: Array) -> Array:
        """(n, C) discounted reward, less the doubt, of every candidate."""
        c, flat = self.config, drawn.reshape(-1, *drawn.shape[2:])
        slots = list(range(len(flat)))
        self.world.restore(slots, now)
        worth, going = np.zeros(len(flat)), np.ones(len(flat), bool)
        for t in range(c.horizon):
            step = self.world.step(slots, Control.of_robot(self._scaled(flat[:, t])[:, None], self.domain))
            assert step.reward is not None
            gained = step.reward[:, 0]
            if c.doubt and step.uncertainty is not None:
                gained = gained - c.doubt * step.uncertainty[:, 0]
            worth += c.discount**t * gained.cpu().numpy() * going
            if step.terminated is not None:
                going &= ~step.terminated[:, 0].cpu().numpy()
        return worth.reshape(drawn.shape[:2])


@dataclass(frozen=True)
class MPCConfig:
    """Where is driven and in what is planned. world: "sim" or a dream; dream: the planner's, see `wmsim.dream.load`."""

    world: str = "sim"
    dream: str = "drive"
    env: str = "wmsim/Drive-v0"
    episodes: int = 4
    steps: int = 160
    seed: int = 1_000_000
    threads: int = 0
    plan: PlanConfig = field(default_factory=PlanConfig)


def run(config: MPCConfig, console: Console) -> list[float]:
    """Drive some episodes at once; returns their returns."""
    import gymnasium as gym

    import wmsim  # noqa: F401 (registers the environments)
    from wmsim import dream

    if config.threads:
        torch.set_num_threads(config.threads)
    made = {"vectorization_mode": "vector_entry_point", "observation": "dict", "max_episode_steps": config.steps}
    env = gym.make_vec(config.env, config.episodes, world=config.world, **made)
    many = replace(config.plan, most=max(config.plan.most, config.plan.candidates))
    planner = Planner(dream.load(config.dream, slots=many.most), many, config.episodes)
    rows, gained, going = list(range(config.episodes)), np.zeros(config.episodes), np.ones(config.episodes, bool)
    seen, info = env.reset(seed=config.seed)
    planner.reset(rows, [config.seed + row for row in rows])
    for _ in range(config.steps):
        live = np.flatnonzero(going).tolist()
        action = np.zeros((config.episodes, *planner.space.shape), np.float32)
        part = {name: value[live] for name, value in seen.items()}
        action[live] = planner.act(live, part, info)[:, 0]
        seen, reward, terminated, truncated, info = env.step(action)
        gained += reward * going
        going &= ~(terminated | truncated)
        if not going.any():
            break
    env.close()
    console.print(f"returns {np.round(gained, 2).tolist()}, mean {gained.mean():.2f}")
    return [float(g) for g in gained]


@hydra.main(version_base=None, config_path="../configs", config_name="agents/mpc")
def main(settings: DictConfig) -> None:
    """Read the settings and drive."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    plan = PlanConfig(**plain.pop("plan"))
    run(MPCConfig(**plain, plan=plan), Console())


if __name__ == "__main__":
    main()
