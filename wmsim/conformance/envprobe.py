"""Driving a vector environment from outside: environments of each autoreset mode, scripts of actions, what was seen.

Shape legend: n environments, K steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from wmsim.conformance.probe import CheckConfig
from wmsim.conformance.suite import SkipError

Array = NDArray[Any]
Factory = Callable[[int, AutoresetMode], VectorEnv[Any, Any, Any]]


@dataclass(frozen=True)
class Beat:
    """One reset or step of n environments: obs (n, numbers) float64, reward, terminated, truncated (n,), infos."""

    obs: Array
    reward: Array
    terminated: Array
    truncated: Array
    infos: Mapping[str, Any]

    @property
    def over(self) -> Array:
        """(n,) true where an episode ended."""
        return np.asarray(self.terminated | self.truncated)


@dataclass(frozen=True)
class FirstEnd:
    """A run in NEXT_STEP mode up to and past the first end: beats[at] is the end, beats[at + 1] the next episode."""

    beats: tuple[Beat, ...]
    at: int

    @property
    def rows(self) -> list[int]:
        """Which environments ended."""
        return np.flatnonzero(self.beats[self.at].over).tolist()


class EnvProbe:
    """A vector environment under test, made in every autoreset mode that it offers."""

    def __init__(self, factory: Factory, config: CheckConfig) -> None:
        """factory: number of environments, autoreset mode -> vector environment; it raises for a mode not offered."""
        self.factory, self.config = factory, config
        self._made: dict[tuple[int, AutoresetMode], VectorEnv[Any, Any, Any]] = {}
        self._refused: dict[AutoresetMode, str] = {}

    @property
    def tolerance(self) -> float:
        """Units of the observation allowed between one environment alone and in a batch."""
        if self.config.tolerance is not None:
            return self.config.tolerance
        spec = getattr(getattr(self.env().unwrapped, "world", None), "spec", None)
        return float(getattr(spec, "tolerance", 0.0))

    @property
    def mode(self) -> AutoresetMode:
        """NEXT_STEP, or the first mode that is offered."""
        for mode in AutoresetMode:
            if self.offers(mode):
                return mode
        raise ValueError(f"the environment could not be made in any autoreset mode: {self._refused}")

    def offers(self, mode: AutoresetMode) -> bool:
        """Whether the factory makes an environment of that mode."""
        try:
            self.env(mode=mode)
        except SkipError:
            return False
        return True

    def env(self, count: int | None = None, mode: AutoresetMode | None = None) -> VectorEnv[Any, Any, Any]:
        """The environment of that size and mode, made at the first call; SkipError when the mode is not offered."""
        chosen = self.mode if mode is None else mode
        if chosen in self._refused:
            raise SkipError(f"{chosen.name} is not offered: {self._refused[chosen]}")
        key = (self.config.slots if count is None else count, chosen)
        if key not in self._made:
            self._made[key] = self._make(*key)
        return self._made[key]

    def _make(self, count: int, mode: AutoresetMode) -> VectorEnv[Any, Any, Any]:
        try:
            made = self.factory(count, mode)
        except Exception as problem:
            self._refused[mode] = f"{type(problem).__name__}: {problem}"
            raise SkipError(f"{mode.name} is not offered: {problem}") from problem
        given = made.metadata.get("autoreset_mode", mode)
        if given != mode:
            made.close()
            self._refused[mode] = f"the environment says {given}"
            raise SkipError(f"{mode.name} is not offered: the environment says {given}")
        return made

    def close(self) -> None:
        """Close every environment."""
        for env in self._made.values():
            env.close()

    @cached_property
    def first_end(self) -> FirstEnd:
        """The first end of an episode in NEXT_STEP mode; SkipError when none comes in long_frames steps."""
        env = self.env(mode=AutoresetMode.NEXT_STEP)
        beats, actions = [reset(env, self.config.seed)], self.actions(self.config.long_frames + 2)
        for k, action in enumerate(actions):
            beats.append(step(env, action))
            if k > 0 and beats[-2].over.any():
                return FirstEnd(tuple(beats), len(beats) - 2)
        raise SkipError(f"no episode ended in {len(beats)} steps: pass a larger long_frames")

    def actions(self, steps: int, count: int | None = None, shift: int = 0) -> list[Any]:
        """A script of random actions for n environments, each held for a dozen steps; `shift` hands on a neighbour's.

        An environment of another count gets the first rows of the same script.
        """
        n = self.config.slots
        space = self.env().single_action_space
        space.seed(self.config.seed + 1)
        held = [[space.sample() for _ in range(n)] for _ in range(-(-steps // 12))]
        rows = [(i + shift) % n for i in range(n if count is None else count)]
        return [self.pack([held[k // 12][i] for i in rows]) for k in range(steps)]

    def pack(self, rows: Sequence[Any]) -> Any:
        """Single actions as one batch."""
        return _pack(self.env().single_action_space, rows)


def _pack(space: spaces.Space[Any], rows: Sequence[Any]) -> Any:
    if isinstance(space, spaces.Dict):
        return {name: _pack(part, [row[name] for row in rows]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_pack(part, [row[i] for row in rows]) for i, part in enumerate(space.spaces))
    return np.stack([np.asarray(row, space.dtype) for row in rows])


# --- what was seen ---------------------------------------------------------------------------------------------------


def reset(env: VectorEnv[Any, Any, Any], seed: int | None, options: dict[str, Any] | None = None) -> Beat:
    """Reset and note what was shown."""
    obs, infos = env.reset(seed=seed, options=options)
    zero, never = np.zeros(env.num_envs), np.zeros(env.num_envs, bool)
    return Beat(flat(obs, env.num_envs), zero, never, never, dict(infos))


def step(env: VectorEnv[Any, Any, Any], action: Any) -> Beat:
    """Step and note what was shown, as copies."""
    obs, reward, terminated, truncated, infos = env.step(action)
    paid, ended, cut = (np.array(array(part)) for part in (reward, terminated, truncated))
    return Beat(flat(obs, env.num_envs), paid, ended, cut, dict(infos))


def run(env: VectorEnv[Any, Any, Any], seed: int, actions: Sequence[Any]) -> list[Beat]:
    """Reset and step."""
    return [reset(env, seed), *(step(env, action) for action in actions)]


def array(value: Any) -> Array:
    """A tensor or an array as numpy."""
    return np.asarray(value.cpu().numpy() if isinstance(value, Tensor) else value)


def flat(obs: Any, count: int) -> Array:
    """A batch of observations of any kind as (n, numbers) float64, copied."""
    if isinstance(obs, Mapping):
        return np.concatenate([flat(obs[name], count) for name in sorted(obs)], 1)
    if isinstance(obs, tuple):
        return np.concatenate([flat(part, count) for part in obs], 1)
    return array(obs).astype(np.float64).reshape(count, -1)


def flat_one(obs: Any) -> Array:
    """One observation as (numbers,) float64."""
    if isinstance(obs, Mapping):
        return np.concatenate([flat_one(obs[name]) for name in sorted(obs)])
    if isinstance(obs, tuple):
        return np.concatenate([flat_one(part) for part in obs])
    return array(obs).astype(np.float64).reshape(-1)


def apart(a: Array, b: Array) -> float:
    """Mean absolute difference."""
    return float(np.abs(a - b).mean())


def rows_apart(a: Sequence[Beat], b: Sequence[Beat], rows: tuple[int, int]) -> float:
    """Mean absolute difference of row rows[0] of `a` and rows[1] of `b`, over all beats."""
    return float(np.mean([apart(x.obs[rows[0]], y.obs[rows[1]]) for x, y in zip(a, b, strict=True)]))
