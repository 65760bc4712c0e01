"""Replicas are killed at random under load: is every frame that of an undisturbed run, and how soon does it go on?"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.load import control_of, reset_ended, together
from wmsim.serve.pool import Pool
from wmsim.serve.source import Source
from wmsim.world import Step, World

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class KillConfig:
    """kills: of replicas that have clients, each `pause` seconds (drawn between the two) after the pool is whole again.

    clients: of one slot each, in threads. overlap: kill without waiting until the pool is whole.
    """

    kills: int
    clients: int
    pause: tuple[float, float]
    overlap: bool = False
    seed: int = 0


@dataclass
class Run:
    """What one client saw: the end of every step, wrong frames, and the worst difference in grey levels."""

    ends: list[float]
    wrong: int = 0
    frames: int = 0
    worst: float = 0.0


def kill_under_load(pool: Pool, source: Source, config: KillConfig) -> dict[str, Any]:
    """Kills, lost episodes, wrong frames, and the seconds from each kill until every client had its next frame."""
    done, kills = threading.Event(), list[float]()
    worlds = [pool.world(1) for _ in range(config.clients)]
    twins = [source.make(1) for _ in worlds]
    before = pool.status()["restarts"]

    def kill() -> None:
        try:
            kills.extend(_kill(pool, config))
        finally:
            done.set()

    calls = [lambda w=w, t=t, i=i: _compare(w, t, done, i) for i, (w, t) in enumerate(zip(worlds, twins, strict=True))]
    *runs, _ = together([*calls, kill])
    for world in (*worlds, *twins):
        world.close()
    recovery = [max(_next(run.ends, at) - at for run in runs) for at in kills]
    return {
        "kills": len(kills),
        "restarts": pool.status()["restarts"] - before,
        "frames": sum(run.frames for run in runs),
        "wrong_frames": sum(run.wrong for run in runs),
        "worst_grey_levels": max(run.worst for run in runs),
        "recovery_seconds": [round(seconds, 3) for seconds in recovery],
        "recovery_p50": float(np.median(recovery)),
        "recovery_worst": max(recovery),
    }


def _kill(pool: Pool, config: KillConfig) -> list[float]:
    drawn, kills = random.Random(config.seed), []
    while len(kills) < config.kills:
        _whole(pool, config)
        time.sleep(drawn.uniform(*config.pause))
        there = sorted(pool.status()["replicas"].items())
        used = [one["pid"] for _, one in there if one["granted"]]  # one without clients would cost nobody anything
        os.kill(int(drawn.choice(used or [one["pid"] for _, one in there])), signal.SIGKILL)
        kills.append(time.perf_counter())
    _whole(pool, config)
    time.sleep(config.pause[1])
    return kills


def _whole(pool: Pool, config: KillConfig) -> None:
    """Wait until all replicas are ready, or with overlap until one is."""
    wanted = 1 if config.overlap else pool.config.replicas
    while len(pool.status()["replicas"]) < wanted:
        time.sleep(_POLL_SECONDS)


def _compare(world: World, twin: World, done: threading.Event, seed: int) -> Run:
    """Step the served world and its undisturbed twin in this process alike until `done`, through many episodes."""
    run, rngs = Run([]), [np.random.default_rng(seed) for _ in range(2)]
    both = list(zip((world, twin), rngs, strict=True))
    for one, _ in both:
        one.reset([0], [seed])
    while not done.is_set():
        shown = []
        for one, rng in both:
            shown.append(one.step([0], control_of(one, 1, rng)))
            if one is world:
                run.ends.append(time.perf_counter())
        far = max(_apart(*shown, name) for name in world.spec.cameras)
        run.worst, run.frames = max(run.worst, far), run.frames + world.spec.frames_per_step
        run.wrong += far > world.spec.tolerance
        for (one, rng), step in zip(both, shown, strict=True):
            reset_ended(one, step, rng)
    return run


def _apart(one: Step, other: Step, camera: str) -> float:
    return float((one.frames[camera].float() - other.frames[camera].float()).abs().mean())


def _next(ends: list[float], at: float) -> float:
    """The end of the first step that ended after `at`."""
    return next((end for end in ends if end > at), float("inf"))
