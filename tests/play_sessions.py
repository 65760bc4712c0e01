"""A toy world with events, and a pool whose clock stands still, for the tests of sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from wmsim.control import Control
from wmsim.serve.play_config import Limits, PlayConfig
from wmsim.serve.play_messages import Inputs
from wmsim.serve.session import Session
from wmsim.serve.session_pool import SessionPool
from wmsim.serve.session_stage import make_stage
from wmsim.serve.session_work import begin
from wmsim.sims.toy import ToyWorld
from wmsim.world import Start, Step, World, WorldSpec

FORWARD = (True, False, False, False)
CIRCLE = Inputs(1, analog=True, steer=1.0, drive=0.0)


class Eventful(ToyWorld):
    """A toy that takes events, begins from frames, tells uncertainty, and fails in a slot that is told so."""

    def __init__(
        self, slots: int = 1, events: tuple[str, ...] | None = ("Night falls", "Fog"), **settings: Any
    ) -> None:
        super().__init__(slots, **settings)
        self._events, self.heard, self.batches, self.broken = events, [], [], -1
        self.starts: list[Start] = []

    @property
    def spec(self) -> WorldSpec:
        return replace(super().spec, events=self._events, uncertainty=True)

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        self.starts += [] if starts is None else [starts]
        return super().reset(slots, seeds)

    def step(self, slots: Sequence[int], control: Control) -> Step:
        self.heard += [event for event in control.event or () if event]
        self.batches.append(list(slots))
        if self.broken in slots:
            raise RuntimeError("the wheel came off")
        step = super().step(slots, control)
        return replace(step, uncertainty=torch.full(step.reward.shape, 0.25))


def play(
    world: World, work: Callable[[SessionPool], Awaitable[None]], twin: World | None = None, **limits: Any
) -> None:
    """Run `work` on a pool of a world whose clock stands still: frames come from `pool._tick()` alone."""

    async def whole() -> None:
        pool = SessionPool(make_stage(PlayConfig(limits=Limits(**limits)), world, twin))
        try:
            async with asyncio.timeout(20):
                await work(pool)
        finally:
            await pool.stop()

    asyncio.run(whole())


async def opened(pool: SessionPool, seed: int) -> Session:
    session = pool.open()
    await begin(session, seed)
    return session


async def ticks(pool: SessionPool, count: int) -> None:
    for _ in range(count):
        await pool._tick()
        rows = [session for session in pool.sessions if session.twin_jobs]
        if rows:
            await pool._advance_twins({session: session.twin_jobs.popleft() for session in rows})


def alone(seed: int, wheel: tuple[float, float], frames: int) -> np.ndarray:
    """What the toy shows after so many frames of one control."""
    world = ToyWorld(1)
    step = world.reset([0], [seed])
    for _ in range(frames):
        step = world.step([0], Control.of_wheel(torch.tensor([wheel])))
    return step.frames["top"][0, -1].numpy()
