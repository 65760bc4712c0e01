"""Planning in the dream: the present is forked into many futures under different actions, and the best begins.

    python -m agents.mpc                                     drives in the twin, plans in the dream
    python -m agents.mpc world=dream episodes=4
    python -m agents.mpc guide=runs/clone/policy.onnx plan.tail=24

Needs no training. The cross-entropy method over smooth action sequences (iCEM, Pinneri et al., arXiv 2008.06389): every
plan begins from the last frames seen, all candidates of all slots are one batch of slots of the planner's own world,
and what the last plan wanted to do next is where the next one starts.

With a guide, a policy, a plan is what is added to the guide's actions, and the guide alone drives on after it: the
rollout algorithm (Bertsekas, Rollout, Policy Iteration, and Distributed Reinforcement Learning, 2020), which improves
on its guide as far as the dream is true.

Shape legend: n slots, C candidates of each, H steps of a plan, L frames remembered, A actions, P proprio width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from wmsim.control import Control
from wmsim.policy import OnnxPolicy, Policy
from wmsim.policy.protocol import rows_of
from wmsim.world import Snapshot, Start, Step, World

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PlanConfig:
    """How much is thought about and how.

    candidates: C. horizon: H, frames. rounds: of drawing and choosing. elite: share of the candidates that the next
    round is drawn around. spread: standard deviation of the first round, in half ranges of the actions. smooth: share
    of a step's deviation that carries over to the next. execute: frames between two plans. memory: L. doubt: times
    the world's uncertainty that is taken from its reward. discount: per frame. most: candidates rolled at once.
    tail: frames that a guide drives on after the plan. ending: what an end costs, as all that would have been earned
    after a plan.
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
    tail: int = 0
    ending: float = 0.0

    def __post_init__(self) -> None:
        """ValueError: nothing to choose from, or a plan shorter than what is executed of it."""
        if self.candidates < 2 or not 0 < self.elite <= 1 or min(self.rounds, self.memory) < 1:
            raise ValueError(f"a plan needs 2 candidates, an elite in 0 .. 1, a round and a frame, got {self}")
        if not 1 <= self.execute <= self.horizon:
            raise ValueError(f"execute={self.execute} frames of a plan of horizon={self.horizon} cannot be taken")
        if self.tail < 0:
            raise ValueError(f"a guide drives on for 0 frames or more, got tail={self.tail}")


class Planner:
    """A `Policy` that plans in `world`, whose slots are its own to use; it sees pictures, alone or in a Dict."""

    def __init__(
        self, world: World, config: PlanConfig, slots: int = 1, guide: Callable[[int], Policy] | None = None
    ) -> None:
        """slots: to act for. guide: makes a policy for so many slots, of whose chunks the first action counts; it is
        shown the last L frames before it is asked what it would do in a dream of theirs.

        ValueError: a world that takes no vector of bounded actions or has too few slots, a tail without a guide.
        """
        domain, space = next(iter(world.spec.controls.items()))
        if not isinstance(space, spaces.Box) or len(space.shape) != 1 or not space.is_bounded():
            raise ValueError(f"the planner draws actions from a bounded Box of one axis, the world takes {space}")
        if world.spec.frames_per_step != 1:
            raise ValueError(f"the planner plans frame by frame, the world makes {world.spec.frames_per_step} a step")
        if world.slots < config.candidates:
            raise ValueError(f"{config.candidates} candidates need as many slots, the world has {world.slots}")
        if config.tail and guide is None:
            raise ValueError(f"nobody drives the tail={config.tail} frames after a plan: give a guide, or tail=0")
        self.world, self.config, self.domain, self.space = world, config, domain, space
        self._guide = guide and guide(slots)
        self._inner = guide and guide(world.slots)
        self._rngs = [np.random.default_rng(0) for _ in range(slots)]
        self._seen: list[list[Any]] = [[] for _ in range(slots)]
        self._done: list[list[Array]] = [[] for _ in range(slots)]
        self._plan: list[Array] = [self._calm() for _ in range(slots)]

    def _calm(self) -> Array:
        return np.zeros((self.config.horizon, *self.space.shape), np.float32)

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Forget what was seen; a row's seed keys its candidates."""
        for row, seed in zip(rows, seeds, strict=True):
            self._rngs[row] = np.random.default_rng([seed, 0x3C])
            self._seen[row], self._done[row] = [], []
            self._plan[row] = self._calm()
        if self._guide:
            self._guide.reset(rows, seeds)

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> Array:
        """(n, 1, A): the next action of each row; a new plan is made where the last one is used up."""
        due = []
        for place, row in enumerate(rows):
            self._seen[row] = [*self._seen[row], rows_of(observation, [place])][-self.config.memory :]
            if len(self._done[row]) % self.config.execute == 0:
                due.append(row)
        together = max(1, min(self.config.most, self.world.slots) // self.config.candidates)
        for first in range(0, len(due), together):
            self._think(due[first : first + together])
        advice = self._advice(self._guide, rows, observation, info)
        return self._scaled(np.stack([self._take(row, base) for row, base in zip(rows, advice, strict=True)]))[:, None]

    def _take(self, row: int, base: Array) -> Array:
        """The first step of a row's plan, which moves on by one, on top of what the guide does."""
        offset, self._plan[row] = self._plan[row][0], np.concatenate([self._plan[row][1:], self._plan[row][-1:]])
        action: Array = (base + offset).clip(-1, 1)
        self._done[row].append(action)
        return action

    def _scaled(self, action: Array) -> Array:
        low, high = self.space.low, self.space.high
        return (low + (action + 1) / 2 * (high - low)).astype(np.float32)

    def _advice(self, guide: Policy | None, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> Array:
        """(n, A) in -1 .. 1: what the guide does, or zeros where there is none."""
        if guide is None:
            return np.zeros((len(rows), *self.space.shape), np.float32)
        low, high = self.space.low, self.space.high
        action = np.asarray(guide.act(rows, observation, info), np.float32)[:, 0]
        return (2 * (action - low) / (high - low) - 1).astype(np.float32)

    def _think(self, rows: list[int]) -> None:
        """Make the plans of some rows anew: draw, roll, choose, draw around the chosen."""
        c = self.config
        now = self._forks(rows)
        middle, spread = np.stack([self._plan[row] for row in rows]), np.full(len(rows), c.spread)[:, None, None]
        for _ in range(c.rounds):
            drawn = self._draw(rows, middle, spread)
            worth = self._roll(rows, now, drawn)
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
            frames, felt = (_shown(self._seen[row], part) for part in ("image", "proprio"))
            between = len(self._seen[row]) - 1
            acted = np.stack(self._done[row][-between:]) if between else None
            control = None if acted is None else Control.of_robot(self._scaled(acted)[None], self.domain)
            proprio = None if felt is None else torch.from_numpy(felt.astype(np.float32))
            start = Start({camera: torch.from_numpy(frames)}, control, proprio)
            self.world.reset([0], [int(self._rngs[row].integers(2**31))], start)
            states.append(self.world.snapshot([0]))
        return Snapshot(states[0].world, tuple(s.states[0] for s in states for _ in range(self.config.candidates)))

    def _draw(self, rows: list[int], middle: Array, spread: Array) -> Array:
        """(n, C, H, A) around `middle`, (n, H, A), which is the first candidate; the second, with a guide, is the guide
        alone. Actions in -1 .. 1, or what is added to the guide's."""
        c, keep = self.config, self.config.smooth
        noise = np.stack([self._rngs[r].normal(size=(c.candidates, c.horizon, *self.space.shape)) for r in rows])
        for t in range(1, c.horizon):
            noise[:, :, t] = keep * noise[:, :, t - 1] + np.sqrt(1 - keep**2) * noise[:, :, t]
        noise[:, 0] = 0
        drawn: Array = (middle[:, None] + spread[:, None] * noise).clip(-1, 1).astype(np.float32)
        if self._inner:
            drawn[:, 1] = 0
        return drawn

    def _roll(self, rows: list[int], now: Snapshot, drawn: Array) -> Array:
        """(n, C) discounted reward, less the doubt, of every candidate."""
        c, flat = self.config, drawn.reshape(-1, *drawn.shape[2:])
        slots = list(range(len(flat)))
        self.world.restore(slots, now)
        base = self._recall(rows, slots)
        worth, going = np.zeros(len(flat)), np.ones(len(flat), bool)
        for t in range(c.horizon + c.tail):
            action = (base + flat[:, t]).clip(-1, 1) if t < c.horizon else base
            step = self.world.step(slots, Control.of_robot(self._scaled(action)[:, None], self.domain))
            worth += c.discount**t * going * self._gained(step)
            if step.terminated is not None:
                going &= ~step.terminated[:, 0].cpu().numpy()
            if self._inner:
                base = self._advice(self._inner, slots, self._observed(step), {})
        return worth.reshape(drawn.shape[:2])

    def _gained(self, step: Step) -> NDArray[np.float64]:
        """(n,) reward, less the doubt and the risk of an end, which is what the world says of it or whether it came."""
        c = self.config
        assert step.reward is not None
        gained = step.reward[:, 0].double()
        if c.doubt and step.uncertainty is not None:
            gained = gained - c.doubt * step.uncertainty[:, 0]
        if c.ending and step.terminated is not None:
            gained = gained - c.ending * step.info.get("end_probability", step.terminated)[:, 0]
        return gained.cpu().numpy()

    def _recall(self, rows: list[int], slots: list[int]) -> Array:
        """(n * C, A): what the guide does now in every candidate's slot, after it was shown what its row remembers."""
        advice = np.zeros((len(slots), *self.space.shape), np.float32)
        if self._inner is None:
            return advice
        self._inner.reset(slots, [0] * len(slots))
        each = len(slots) // len(rows)
        for place, row in enumerate(rows):
            mine = slots[place * each : (place + 1) * each]
            for seen in self._seen[row]:
                advice[mine] = self._advice(self._inner, mine, rows_of(seen, [0] * each), {})
        return advice

    def _observed(self, step: Step) -> Any:
        """A step of the world as the planner's own observations are."""
        image = step.frames[next(iter(self.world.spec.cameras))][:, -1].cpu().numpy()
        if not any(isinstance(seen[-1], Mapping) for seen in self._seen if seen):
            return image
        return {"image": image} | ({} if step.proprio is None else {"proprio": step.proprio[:, -1].cpu().numpy()})


def _shown(seen: Sequence[Any], part: str) -> NDArray[Any] | None:
    """(1, L, ...): a part of the observations of one row, which may be pictures alone."""
    if not isinstance(seen[0], Mapping):
        return np.stack([np.asarray(one) for one in seen], 1) if part == "image" else None
    return np.stack([np.asarray(one[part]) for one in seen], 1) if part in seen[0] else None


@dataclass(frozen=True)
class MPCConfig:
    """Where is driven and in what is planned. world: "sim" or a dream; dream: the planner's, see `wmsim.dream.load`.
    guide: a policy file whose actions are improved on, "" for none."""

    world: str = "sim"
    dream: str = "drive"
    env: str = "wmsim/Drive-v0"
    episodes: int = 4
    steps: int = 160
    seed: int = 1_000_000
    threads: int = 0
    guide: str = ""
    plan: PlanConfig = field(default_factory=PlanConfig)


def from_file(path: str | Path) -> Callable[[int], Policy]:
    """A policy file as a guide."""
    return lambda slots: OnnxPolicy(path, slots)


def run(config: MPCConfig, console: Console) -> list[float]:
    """Drive some episodes at once; returns their returns. ValueError: a guide of other spaces."""
    import gymnasium as gym

    import wmsim  # noqa: F401 (registers the environments)
    from wmsim import dream

    if config.threads:
        torch.set_num_threads(config.threads)
    made = {"vectorization_mode": "vector_entry_point", "observation": "dict", "max_episode_steps": config.steps}
    env = gym.make_vec(config.env, config.episodes, world=config.world, **made)
    many = replace(config.plan, most=max(config.plan.most, config.plan.candidates))
    guide = from_file(config.guide) if config.guide else None
    if config.guide:
        OnnxPolicy(config.guide).check(env.single_observation_space, env.single_action_space)
    planner = Planner(dream.load(config.dream, slots=many.most), many, config.episodes, guide)
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
