"""Dynamic batching: calls for different slots that arrive within a few milliseconds run as one call of the world.

A batch is closed when everyone who was answered lately is back, when it is full, or when `wait_ms` are over, or a tenth
of the time that a step of the world takes; who was slow the last time is not waited for. Between clients it is fair:
the one who waits longest goes first, and no client's next call is taken before everybody else's first. Needs no Ray:
the replica gives it to one world and one event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from wmsim.serve import wire
from wmsim.serve.errors import Busy
from wmsim.serve.threads import world_thread
from wmsim.world import World

_LATELY = 2.0
"""A slot is waited for when it was answered at most so many times the waiting time ago."""
_SHARE = 0.1
"""Of the time that the last step of the world took: a batch may wait so long, which costs less than two calls."""


@dataclass(frozen=True)
class BatchConfig:
    """wait_ms: how long a batch waits for others at least. most: rows in a batch. queue: rows that may wait."""

    wait_ms: float
    most: int
    queue: int


@dataclass
class Job:
    """One client's call on some slots: "step" and "reset" are joined with others', a "call" has the world for itself.

    given: the parts of a control, seeds and starts, or a function of the world.
    """

    client: str
    what: str
    slots: list[int]
    given: Any
    arrived: float = field(default_factory=time.perf_counter)
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def rows(self) -> int:
        """How much of a batch it takes."""
        return max(1, len(self.slots))

    @property
    def key(self) -> Any:
        """Jobs with equal keys may run as one call of the world."""
        alone = self.what == "call" or (self.what == "reset" and self.given["starts"] is not None)
        return id(self) if alone else (self.what, wire.build(self.given))


class Queue:
    """Jobs that wait, in turns between clients."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, deque[Job]] = OrderedDict()
        self.rows = 0

    def put(self, job: Job) -> None:
        """Behind the client's other jobs; a client who had none goes to the end of the turns."""
        self._turns.setdefault(job.client, deque()).append(job)
        self.rows += job.rows

    def first_arrival(self) -> float:
        """When the job that waits longest arrived."""
        return min(jobs[0].arrived for jobs in self._turns.values())

    def take(self, most: int) -> list[Job]:
        """At most `most` rows (one job at least): a job of each client in turn, then a second of each, and so on.

        Who is passed over because his job no longer fits keeps his place, which is then nearer to the front.
        """
        taken: list[Job] = []
        room, passed = most, set[str]()
        while waiting := [client for client in self._turns if client not in passed]:
            for client in waiting:
                jobs = self._turns[client]
                if taken and jobs[0].rows > room:
                    passed.add(client)
                    continue
                room -= jobs[0].rows
                taken.append(jobs.popleft())
                self._to_the_end(client)
        self.rows -= sum(job.rows for job in taken)
        return taken

    def _to_the_end(self, client: str) -> None:
        self._turns.move_to_end(client)
        if not self._turns[client]:
            del self._turns[client]


class Batcher:
    """Runs the jobs of one world; everything but the world itself happens on the event loop.

    settle: called with every job and its result, an exception if it failed, before the client hears of it.
    after: awaited between two batches, while the world is idle. thread: the world's own, None for a new one.
    """

    def __init__(
        self,
        world: World,
        config: BatchConfig,
        settle: Callable[[Job, Any], None],
        after: Callable[[Sequence[Job]], Awaitable[None]],
        thread: ThreadPoolExecutor | None = None,
    ) -> None:
        self.world, self.config, self.queue = world, config, Queue()
        self._settle, self._after = settle, after
        self._thread = thread or world_thread()
        self._arrived = asyncio.Event()
        self._answered: dict[int, float] = {}
        self._absence: dict[int, float] = {}
        self._took = self._free = 0.0
        self.busy_since: float | None = None

    async def submit(self, job: Job) -> Any:
        """The job's result. Busy: as many rows wait as may wait. Other errors are the world's own."""
        if job.slots and self.queue.rows + len(job.slots) > self.config.queue:
            raise Busy(
                f"{self.queue.rows} steps wait here and at most {self.config.queue} may: try again a little later, "
                f"or start the pool with more replicas or a longer queue (max_queue)"
            )
        for slot in job.slots:
            if (at := self._answered.pop(slot, None)) is not None:
                self._absence[slot] = job.arrived - at
        self.queue.put(job)
        self._arrived.set()
        return await job.done

    async def run(self) -> None:
        """For ever: wait for jobs, let a batch fill, run it, answer, let `after` use the idle world."""
        while True:
            await self._window()
            jobs = self.queue.take(self.config.most)
            groups: dict[Any, list[Job]] = {}
            for job in jobs:
                groups.setdefault(job.key, []).append(job)
            for group in groups.values():
                began = time.perf_counter()
                results = await self.on_world(partial(perform, group))
                if group[0].what == "step":
                    self._took = time.perf_counter() - began
                self._answer(group, results)
            await self._after(jobs)
            self._free = time.perf_counter()

    async def on_world(self, call: Callable[[World], Any]) -> Any:
        """What `call` returns, run in the world's own thread; only `run` and `after` may ask for it."""
        self.busy_since = time.perf_counter()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call, self.world)
        finally:
            self.busy_since = None

    async def _window(self) -> None:
        while self.queue.rows == 0:
            self._arrived.clear()
            await self._arrived.wait()
        patience = max(self.config.wait_ms / 1e3, _SHARE * self._took)
        # Those who came while the world was busy wait for those whom it answered, or the two would take turns for ever.
        closes = max(self.queue.first_arrival(), self._free) + patience
        while self.queue.rows < self.config.most and self._awaited(_LATELY * patience):
            left = closes - time.perf_counter()
            if left <= 0:
                break
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                break

    def _awaited(self, seconds: float) -> bool:
        """Whether a slot is away that was answered so lately, and that was back so soon the last time."""
        lately = time.perf_counter() - seconds
        return any(at > lately and self._absence.get(slot, 0.0) < seconds for slot, at in self._answered.items())

    def _answer(self, jobs: list[Job], results: list[Any]) -> None:
        now = time.perf_counter()
        for job, result in zip(jobs, results, strict=True):
            self._settle(job, result)
            self._answered.update(dict.fromkeys(job.slots, now))
            if job.done.cancelled():
                continue
            if isinstance(result, Exception):
                job.done.set_exception(result)
            else:
                job.done.set_result(result)


def perform(jobs: Sequence[Job], world: World) -> list[Any]:
    """The result of each of the jobs, which share a key, by one call of the world; an exception stands for a failure.

    A ValueError is one client's mistake and touches no slot, so the jobs are then run one by one.
    """
    try:
        return _together(world, jobs)
    except ValueError as refused:
        return [refused] if len(jobs) == 1 else [perform([job], world)[0] for job in jobs]
    except Exception as problem:
        return [problem] * len(jobs)


def _together(world: World, jobs: Sequence[Job]) -> list[Any]:
    if jobs[0].what == "call":
        return [jobs[0].given(world)]
    slots = [slot for job in jobs for slot in job.slots]
    given = wire.join([job.given for job in jobs])
    if jobs[0].what == "reset":
        shown = world.reset(slots, given["seeds"], wire.to_start(given["starts"], world.device))
    else:
        control = wire.to_control(given)
        assert control is not None
        shown = world.step(slots, control)
    return _shares(wire.of_step(shown), [len(job.slots) for job in jobs])


def _shares(parts: wire.Parts, counts: Sequence[int]) -> list[wire.Parts]:
    if len(counts) == 1:
        return [parts]
    shares, first = [], 0
    for count in counts:
        shares.append(wire.pick(parts, range(first, first + count)))
        first += count
    return shares
