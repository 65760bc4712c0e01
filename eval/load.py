"""Clients that keep a world busy: in this process, or each in a thread of one of several Ray actors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from wmsim.control import Control
from wmsim.serve.client import RemoteWorld
from wmsim.world import Step, World

_LEAST = 5


def control_of(world: World, slots: int, rng: np.random.Generator) -> Control:
    """A random robot control (slots, T, D) that the world takes."""
    domain, space = next(iter(world.spec.controls.items()))
    assert isinstance(space, spaces.Box)
    shape = (slots, world.spec.frames_per_step, *space.shape)
    return Control.of_robot(rng.uniform(space.low, space.high, shape).astype(np.float32), domain)


@dataclass(frozen=True)
class Load:
    """Calls of step in `seconds` seconds, and how long each took in seconds."""

    seconds: float
    times: list[float]


def keep_stepping(world: World, begin: float, seconds: float, seed: int) -> Load:
    """Step all slots, and reset those that end, from now on; what begins in the `seconds` after `begin` counts.

    On a machine that gets hardly anything done it goes on until there are a few steps to tell of.
    """
    rng, slots, times = np.random.default_rng(seed), range(world.slots), list[float]()
    world.reset(slots, [seed + slot for slot in slots])
    while time.perf_counter() < begin + seconds or len(times) < _LEAST:
        control = control_of(world, world.slots, rng)
        began = time.perf_counter()
        shown = world.step(slots, control)
        if began >= begin:
            times.append(time.perf_counter() - began)
        reset_ended(world, shown, rng)
    return Load(time.perf_counter() - begin, times)


def reset_ended(world: World, shown: Step, rng: np.random.Generator) -> None:
    """Begin anew wherever an episode is over."""
    over = [] if shown.terminated is None else np.flatnonzero(shown.terminated[:, -1].cpu().numpy()).tolist()
    if over:
        world.reset(over, rng.integers(0, 2**31, len(over)).tolist())


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """The results of calls that run at the same time in threads of this process; the first error is raised."""
    results: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            results[index] = calls[index]()
        except Exception as problem:
            results[index] = problem

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


class Clients:
    """Several clients of `slots` slots each, in one process; runs as a Ray actor."""

    def __init__(self, pool: str, count: int, first_seed: int, slots: int = 1) -> None:
        self._worlds = [RemoteWorld(pool, slots) for _ in range(count)]
        self._seed = first_seed

    def run(self, warm: float, seconds: float) -> list[Load]:
        """What each client got done in the `seconds` after `warm` seconds."""
        begin = time.perf_counter() + warm
        return together([partial(keep_stepping, w, begin, seconds, self._seed + i) for i, w in enumerate(self._worlds)])

    def close(self) -> None:
        """Give the slots back."""
        for world in self._worlds:
            world.close()
