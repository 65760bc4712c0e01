"""Dynamic batching without Ray: calls are joined, one client's mistake is his own, nobody waits for the slow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np

from wmsim.control import Control
from wmsim.serve import wire
from wmsim.serve.batch import BatchConfig, Batcher, Job, Queue
from wmsim.serve.errors import Busy
from wmsim.sims.toy import ToyWorld
from wmsim.world import Step


class Counted(ToyWorld):
    """A toy that notes which slots each call steps; slow: seconds that a call takes."""

    def __init__(self, slots: int, slow: float = 0.0) -> None:
        super().__init__(slots, size=12)
        self.calls: list[list[int]] = []
        self.slow = slow
        super().reset(range(slots), range(slots))

    def step(self, slots: Sequence[int], control: Control) -> Step:
        self.calls.append(list(slots))
        time.sleep(self.slow)
        return super().step(slots, control)


def wheel(count: int = 1, steer: float = 0.1) -> Any:
    return wire.of_control(Control.of_wheel(np.full((count, 2), steer, np.float32)))


def drive(world: ToyWorld, use: Callable[[Batcher], Awaitable[Any]], **numbers: Any) -> Any:
    """What `use` makes of a running batcher."""

    async def whole() -> Any:
        async def after(jobs: Sequence[Job]) -> None: ...

        config = BatchConfig(**{"wait_ms": 20.0, "most": 16, "queue": 64, **numbers})
        batcher = Batcher(world, config, lambda job, result: None, after)
        running = asyncio.create_task(batcher.run())
        try:
            return await use(batcher)
        finally:
            running.cancel()

    return asyncio.run(whole())


def test_steps_that_arrive_together_are_one_call() -> None:
    world, alone = Counted(4), Counted(4)

    async def use(batcher: Batcher) -> list[Any]:
        return await asyncio.gather(
            *(batcher.submit(Job(f"c{i}", "step", [i], wheel(steer=0.1 * i))) for i in range(4))
        )

    replies = drive(world, use)
    assert world.calls == [[0, 1, 2, 3]]
    for i, reply in enumerate(replies):
        shown = alone.step([i], Control.of_wheel(np.full((1, 2), 0.1 * i, np.float32)))
        assert (reply["frames"]["top"] == shown.frames["top"].numpy()).all()


def test_a_batch_waits_for_who_was_answered_a_moment_ago() -> None:
    world = Counted(2)

    async def use(batcher: Batcher) -> None:
        async def client(slot: int, pause: float) -> None:
            for _ in range(5):
                await batcher.submit(Job(f"c{slot}", "step", [slot], wheel()))
                await asyncio.sleep(pause)

        await asyncio.gather(client(0, 0.0), client(1, 0.01))

    drive(world, use, wait_ms=200.0)
    assert sum(len(call) == 2 for call in world.calls) >= 4


def test_nobody_waits_for_a_slow_client() -> None:
    world = Counted(2)

    async def use(batcher: Batcher) -> float:
        await batcher.submit(Job("slow", "step", [1], wheel()))
        await asyncio.sleep(0.2)
        began = time.perf_counter()
        for _ in range(10):
            await batcher.submit(Job("fast", "step", [0], wheel()))
        return time.perf_counter() - began

    assert drive(world, use, wait_ms=50.0) < 0.4
    assert world.calls == [[1], *[[0]] * 10]


def test_clients_that_take_turns_find_together() -> None:
    world = Counted(4, slow=0.1)

    async def use(batcher: Batcher) -> None:
        async def client(slot: int, late: float) -> None:
            await asyncio.sleep(late)
            for _ in range(6):
                await batcher.submit(Job(f"c{slot}", "step", [slot], wheel()))
                await asyncio.sleep(0.004)  # longer than wait_ms, and nothing beside the world's own time

        await asyncio.gather(*(client(slot, 0.05 * (slot // 2)) for slot in range(4)))

    drive(world, use, wait_ms=1.0)
    assert world.calls[0] == [0, 1]
    assert sum(len(call) == 4 for call in world.calls) >= 4


def test_who_was_slow_the_last_time_is_not_waited_for() -> None:
    world = Counted(2)

    async def use(batcher: Batcher) -> list[float]:
        async def slow() -> None:
            for _ in range(4):
                await batcher.submit(Job("slow", "step", [1], wheel()))
                await asyncio.sleep(0.5)

        waits, slowly = list[float](), asyncio.create_task(slow())
        while not slowly.done():
            began = time.perf_counter()
            await batcher.submit(Job("fast", "step", [0], wheel()))
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.01)
        return waits

    waits = drive(world, use, wait_ms=200.0)
    assert sum(wait > 0.15 for wait in waits) <= 2, "only until it is known how long it takes"
    assert len(waits) > 40


def test_one_clients_mistake_is_not_the_others() -> None:
    world = Counted(3)
    wrong = wheel(steer=float("nan"))

    async def use(batcher: Batcher) -> list[Any]:
        jobs = [Job(f"c{i}", "step", [i], wrong if i == 1 else wheel()) for i in range(3)]
        return await asyncio.gather(*(batcher.submit(job) for job in jobs), return_exceptions=True)

    good, bad, other = drive(world, use)
    assert isinstance(bad, ValueError)
    assert "finite" in str(bad)
    assert good["frames"]["top"].shape == other["frames"]["top"].shape == (1, 1, 12, 12, 3)


def test_controls_of_another_build_are_another_call() -> None:
    world = Counted(3)
    buttons = wire.of_control(Control(buttons=np_bool(1)))

    async def use(batcher: Batcher) -> list[Any]:
        jobs = [Job("a", "step", [0], wheel()), Job("b", "step", [1], buttons), Job("c", "step", [2], wheel())]
        return await asyncio.gather(*(batcher.submit(job) for job in jobs), return_exceptions=True)

    _, wrong, _ = drive(world, use)
    assert isinstance(wrong, ValueError)
    assert world.calls[0] == [0, 2]


def np_bool(count: int) -> Any:
    import torch

    return torch.zeros(count, 1, 4, dtype=torch.bool)


def test_a_full_queue_is_busy_and_says_what_to_do() -> None:
    world = Counted(8, slow=0.05)

    async def use(batcher: Batcher) -> list[Any]:
        jobs = [Job(f"c{i}", "step", [i], wheel()) for i in range(6)]
        return await asyncio.gather(*(batcher.submit(job) for job in jobs), return_exceptions=True)

    results = drive(world, use, queue=4)
    busy = [one for one in results if isinstance(one, Busy)]
    assert len(busy) == 2
    assert "max_queue" in str(busy[0])


def test_clients_take_turns() -> None:
    async def whole() -> tuple[list[list[str]], int]:
        queue = Queue()
        for slot in range(6):
            queue.put(Job("greedy", "step", [slot], None))
        queue.put(Job("modest", "step", [6], None))
        queue.put(Job("wide", "step", [7, 8, 9], None))
        return [[one.client for one in queue.take(3)] for _ in range(3)], queue.rows

    assert asyncio.run(whole()) == (
        [["greedy", "modest", "greedy"], ["wide"], ["greedy", "greedy", "greedy"]],
        1,
    )
