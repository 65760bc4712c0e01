"""All sessions of one world: a slot for each, one batched step a tick for all that are due, one for all twins behind.

A session that fails is ended alone; the clock goes on for the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from wmsim.serve.play_steer import Asked
from wmsim.serve.session import Session, TwinJob
from wmsim.serve.session_pace import Gaps
from wmsim.serve.session_stage import Advance, Stage, WorldThread, advance

_LOG = logging.getLogger(__name__)

BUSY, FAILED = 4503, 4500


class Ended(Exception):
    """Why a session is over: a WebSocket close code of 4000 and up, and a reason of at most 120 bytes."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason.encode()[:120].decode(errors="ignore")


class SessionPool:
    """Hands out slots, keeps the time, steps the worlds."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sessions: list[Session] = []
        self.gaps = Gaps()
        self.opened = self.refused = 0
        self._free = list(range(min(stage.world.world.slots, stage.limits.sessions)))
        self._endings: dict[Session, asyncio.Future[Ended]] = {}
        self._twins_wanted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the clock; call it in the event loop."""
        self._tasks = [asyncio.create_task(self._clock()), asyncio.create_task(self._twins())]

    async def stop(self) -> None:
        """Stop the clock, tell every session that it is over, and end the worlds' threads; the worlds stay open."""
        for session in list(self.sessions):
            self.end(session, Ended(1001, "the server was stopped"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.stage.close()

    # --- slots -------------------------------------------------------------------------------------------------------

    def open(self) -> Session:
        """A session with a slot of its own. Ended: all slots are taken."""
        if not self._free:
            self.refused += 1
            raise Ended(BUSY, f"all {len(self.sessions)} seats are taken: try again in a while")
        session = Session(self._free.pop(0), self.stage)
        self.sessions.append(session)
        self._endings[session] = asyncio.get_running_loop().create_future()
        self.opened += 1
        return session

    def close(self, session: Session) -> None:
        """Take the slot back; what it remembers is overwritten before anyone else sees it."""
        if session in self.sessions:
            session.halt()
            self.sessions.remove(session)
            self._endings.pop(session).cancel()
            self._free.append(session.slot)

    def end(self, session: Session, why: Ended) -> None:
        """Tell whoever serves this session that it is over."""
        ending = self._endings.get(session)
        if ending is not None and not ending.done():
            ending.set_result(why)

    async def ended(self, session: Session) -> Ended:
        """Waits until the pool ends this session; why it did."""
        return await self._endings[session]

    def told(self) -> dict[str, Any]:
        """Figures of the pool: sessions, frames, milliseconds, and MiB of what sessions can rewind to."""
        gaps = self.gaps
        return {
            "sessions": len(self.sessions),
            "seats": len(self.sessions) + len(self._free),
            "opened": self.opened,
            "refused": self.refused,
            "frames": gaps.frames,
            "batches": gaps.ticks,
            "late": gaps.late,
            "step_ms_p50": round(gaps.percentile(0.5), 2),
            "step_ms_p95": round(gaps.percentile(0.95), 2),
            "longest_gap_ms": round(gaps.longest_ms, 1),
            "dropped": sum(session.outbox.dropped for session in self.sessions),
            "kept_mib": round(sum(session.ring.nbytes for session in self.sessions) / 2**20, 2),
        }

    # --- the clock ---------------------------------------------------------------------------------------------------

    async def _clock(self) -> None:
        loop, period = asyncio.get_running_loop(), 1 / self.stage.rate
        due = loop.time()
        while True:
            due = max(due + period, loop.time())
            await asyncio.sleep(due - loop.time())
            took = await self._tick()
            self.gaps.late += took > period

    async def _tick(self) -> float:
        """One frame of everybody; returns the seconds that the step took."""
        began = time.perf_counter()
        served = [session for session in self.sessions if session.has_more]
        for session in served:
            with self._alone(session):
                self.gaps.gap(session.show_next())
        rows = [session for session in self.sessions if session not in served and session.due()]
        if not rows:
            return 0.0
        asked, keep = [session.take() for session in rows], [session.slot for session in rows if session.keeps]
        epochs = [session.epoch for session in rows]
        for group, done in await self._advance(self.stage.world, rows, asked, keep):
            took = 1000 * (time.perf_counter() - began)
            self.gaps.step(took, len(group))
            for row, session in enumerate(group):
                if session.epoch == epochs[rows.index(session)]:
                    with self._alone(session):
                        self.gaps.gap(session.show(done.step, row, done.kept.get(session.slot), took))
        self._twins_wanted.set()
        return time.perf_counter() - began

    async def _advance(
        self, thread: WorldThread, rows: Sequence[Session], asked: Sequence[Asked], keep: Sequence[int]
    ) -> list[tuple[Sequence[Session], Advance]]:
        """One batched step of all rows; when it fails, each alone, and whose own step fails is ended."""
        slots, steering = [session.slot for session in rows], self.stage.steering
        try:
            return [(rows, await thread.run(lambda w: advance(w, steering, slots, asked, keep)))]
        except Exception:
            if len(rows) == 1:
                self._failed(rows[0])
                return []
        done = []
        for session, one in zip(rows, asked, strict=True):
            done += await self._advance(thread, [session], [one], [s for s in keep if s == session.slot])
        return done

    @contextlib.contextmanager
    def _alone(self, session: Session) -> Iterator[None]:
        """Whatever fails inside ends this session and no other; the visitor learns that, the log why."""
        try:
            yield
        except Exception:
            self._failed(session)

    def _failed(self, session: Session) -> None:
        _LOG.exception("a session of %r failed", self.stage.world.spec.name)
        self.end(session, Ended(FAILED, "the world failed here: the server's log says why"))

    async def _twins(self) -> None:
        while True:
            await self._twins_wanted.wait()
            self._twins_wanted.clear()
            while rows := [session for session in self.sessions if session.twin_jobs]:
                jobs = {session: session.twin_jobs.popleft() for session in rows}
                await self._advance_twins(jobs)

    async def _advance_twins(self, jobs: dict[Session, TwinJob]) -> None:
        thread, rows = self.stage.twin, list(jobs)
        assert thread is not None
        deaf = not thread.spec.events and thread.spec.events is not None
        asked = [job.asked.without_event() if deaf else job.asked for job in jobs.values()]
        keep = [session.slot for session, job in jobs.items() if job.keep]
        for group, done in await self._advance(thread, rows, asked, keep):
            for row, session in enumerate(group):
                with self._alone(session):
                    session.show_twin(jobs[session], done.step, row, done.kept.get(session.slot))


@contextlib.contextmanager
def seat(pool: SessionPool) -> Iterator[Session]:
    """A session for the length of a block; its slot is given back whatever happens. Ended: all slots are taken."""
    session = pool.open()
    try:
        yield session
    finally:
        pool.close(session)
