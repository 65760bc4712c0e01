"""Where policies are played against each other: the same episodes in the twin and in the dream, from the same frames.

An episode begins with some frames of the twin under a steady driver. In the twin a policy takes over where they end;
in the dream it takes over from those very frames. What follows is judged by rewards and ends alone, in both alike.

Shape legend: E episodes, L frames before the policy takes over, T frames after, H x W pixels, A action, P proprio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from eval.clips import control_of
from eval.outside import OutsideEpisodes
from wmsim.env.episodes import Episodes, observe
from wmsim.env.task import EnvConfig, find_task, open_world
from wmsim.policy import Executor, Policy
from wmsim.policy.protocol import rows_of
from wmsim.world import Start, World

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Departures:
    """The first frames of E episodes: seed (E,), frames (E, L, H, W, 3), action (E, L - 1, A), proprio (E, L, P)."""

    seed: Array
    frames: Array
    action: Array
    proprio: Array

    def __len__(self) -> int:
        return len(self.seed)

    def select(self, chosen: Array | slice) -> Departures:
        """Some of them."""
        return Departures(self.seed[chosen], self.frames[chosen], self.action[chosen], self.proprio[chosen])


@dataclass(frozen=True)
class Played:
    """E episodes of T frames under one policy: reward (E, T), 0 after the end; alive (E, T): not over before the frame;
    ended (E,): it ended by itself; parts: components of the reward (E, T) by name, where the world tells them."""

    reward: Array
    alive: Array
    ended: Array
    parts: Mapping[str, Array] = field(default_factory=dict)

    def score(self, frames: int | None = None) -> Array:
        """(E,) rewards summed over the first `frames`, all by default."""
        total: Array = self.reward[:, :frames].sum(1)
        return total

    @property
    def length(self) -> Array:
        """(E,) frames until the end."""
        frames: Array = self.alive.sum(1)
        return frames


@dataclass(frozen=True)
class ArenaConfig:
    """world: "sim", "dream", a checkpoint's path, or a World; or what makes one of anyone's Gymnasium environments.

    replay: reach the moment of departure by playing the recorded actions from the seed on, as a simulator can; else
    begin from the recorded frames. task, settings: of `wmsim.env`, for worlds.
    """

    world: str | Path | World | Callable[[], gym.Env[Any, Any]]
    replay: bool
    slots: int
    task: str = "drive"
    settings: Mapping[str, Any] = field(default_factory=dict)


class Arena:
    """Some slots of one world, in which policies play episodes to their end."""

    def __init__(self, config: ArenaConfig) -> None:
        self.config, self.engine = config, _engine(config)
        self.observation_space: spaces.Space[Any] = self.engine.observation_space
        self.action_space: spaces.Space[Any] = self.engine.action_space

    def depart(self, departures: Departures) -> dict[str, Any]:
        """Begin an episode in the first len(departures) slots; returns what is known of their last frame."""
        rows = list(range(len(departures)))
        for row in rows:
            self.engine.seed(row, int(departures.seed[row]))
        if not self.config.replay:
            return self.engine.begin(rows, self._start(departures)).info
        info = self.engine.begin(rows).info
        for action in departures.action.swapaxes(0, 1):
            info = self.engine.advance(rows, action).info
        return info

    def _start(self, departures: Departures) -> Start:
        assert isinstance(self.engine, Episodes)
        spec = self.engine.world.spec
        camera = next(iter(spec.cameras))
        control = control_of(spec, departures.action) if departures.action.shape[1] else None
        proprio = torch.from_numpy(departures.proprio) if departures.proprio.shape[2] else None
        return Start({camera: torch.from_numpy(departures.frames)}, control, proprio)

    def play(
        self, policy: Callable[[Arena], Policy], departures: Departures, frames: int, tick: Callable[[], None]
    ) -> Played:
        """All departures, as many at a time as there are slots, for at most `frames` frames each.

        policy: makes one for all slots of this arena. tick: called after every batch's frame.
        """
        parts = []
        actor = policy(self)
        for first in range(0, len(departures), self.config.slots):
            batch = departures.select(slice(first, first + self.config.slots))
            parts.append(self._play(actor, batch, frames, tick))
        reward, alive, ended = (np.concatenate([getattr(p, n) for p in parts]) for n in ("reward", "alive", "ended"))
        named = {name: np.concatenate([part.parts[name] for part in parts]) for name in parts[0].parts}
        return Played(reward, alive, ended, named)

    def _play(self, policy: Policy, batch: Departures, frames: int, tick: Callable[[], None]) -> Played:
        count = len(batch)
        info, going = self.depart(batch), np.arange(count)
        reward, alive, ended = np.zeros((count, frames)), np.zeros((count, frames), bool), np.zeros(count, bool)
        parts: dict[str, Array] = {}
        policy.reset(going.tolist(), batch.seed.tolist())
        waiting: list[list[Array]] = [[] for _ in range(count)]
        for t in range(frames):
            if len(going):
                self._think(policy, going, info, waiting)
                action = np.stack([waiting[row].pop(0) for row in going])
                outcome = self.engine.advance(going.tolist(), action)
                reward[going, t], alive[going, t] = outcome.reward.cpu().numpy(), True
                for name, values in outcome.info.items():
                    if name.startswith("reward_"):
                        parts.setdefault(name, np.zeros((count, frames)))[going, t] = _array(values).sum(-1)
                over = outcome.over
                ended[going] = outcome.terminated.cpu().numpy()
                info, going = rows_of(outcome.info, np.flatnonzero(~over).tolist()), going[~over]
            tick()
        return Played(reward, alive, ended, parts)

    def _think(self, policy: Policy, going: Array, info: Mapping[str, Any], waiting: list[list[Array]]) -> None:
        places = [place for place, row in enumerate(going) if not waiting[row]]
        if places:
            rows = going[places].tolist()
            chunks = policy.act(rows, rows_of(observe(self.engine), rows), rows_of(info, places))
            for row, chunk in zip(rows, chunks, strict=True):
                waiting[row].extend(chunk)

    def close(self) -> None:
        """Give back the world, if it was made here, or the environments."""
        if isinstance(self.engine, OutsideEpisodes):
            self.engine.close()
        elif self.engine.world is not self.config.world:
            self.engine.world.close()


def _engine(config: ArenaConfig) -> Episodes | OutsideEpisodes:
    if callable(config.world) and not isinstance(config.world, World):
        return OutsideEpisodes(config.world, config.slots)
    task, settings = find_task(config.task), EnvConfig(**{"observation": "dict", **config.settings})
    return Episodes(open_world(config.world, task, config.slots, settings), task, settings, config.slots)


def depart_from(arena: Arena, driver: Policy, seeds: Sequence[int], before: int) -> Departures:
    """Drive `before` frames from every seed's start; seeds whose episode ends in that time are left out."""
    found: list[Departures] = []
    for first in range(0, len(seeds), arena.config.slots):
        chosen = list(seeds[first : first + arena.config.slots])
        found.append(_film(arena, driver, chosen, before))
    return Departures(*(np.concatenate([getattr(part, n) for part in found]) for n in Departures.__annotations__))


def _film(arena: Arena, driver: Policy, seeds: list[int], before: int) -> Departures:
    rows, engine = list(range(len(seeds))), arena.engine
    for row, seed in zip(rows, seeds, strict=True):
        engine.seed(row, seed)
    info, steady = engine.begin(rows).info, Executor(driver, len(rows))
    steady.reset(rows, seeds)
    seen, done, over = [_shown(engine, rows)], [], np.zeros(len(rows), bool)
    for _ in range(before - 1):
        going = np.flatnonzero(~over).tolist()
        action = steady.act(rows_of(observe(engine), rows), info)
        outcome = engine.advance(going, action[going])
        over[going] |= outcome.over
        info = {name: _put(info[name], going, value) for name, value in outcome.info.items() if name in info}
        seen.append(_shown(engine, rows))
        done.append(action)
    kept = ~over
    frames, proprio = (np.stack([moment[part] for moment in seen], 1)[kept] for part in (0, 1))
    action = np.stack(done, 1)[kept].astype(np.float32)
    return Departures(np.asarray(seeds)[kept], frames, action, proprio)


def _shown(engine: Episodes | OutsideEpisodes, rows: list[int]) -> tuple[Array, Array]:
    frame = next(iter(engine.frames.values()))[rows].cpu().numpy()
    proprio = np.zeros((len(rows), 0), np.float32) if engine.proprio is None else engine.proprio[rows].cpu().numpy()
    return frame, proprio


def _put(old: Any, rows: list[int], new: Any) -> Array:
    whole = _array(old).copy()
    whole[rows] = _array(new)
    return whole


def _array(value: Any) -> Array:
    return value.cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
