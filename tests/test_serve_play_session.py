"""Sessions without a socket: each has its own slot, goes back to the bit, records, and harms no neighbour."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from wmsim.control import Control
from wmsim.serve.play_config import Limits, PlayConfig
from wmsim.serve.play_events import hear
from wmsim.serve.play_messages import Command, Inputs, Path, Photo
from wmsim.serve.play_photo import read_photo
from wmsim.serve.play_steer import Asked, Steering
from wmsim.serve.session import Session
from wmsim.serve.session_outbox import Outbox
from wmsim.serve.session_pace import Bucket
from wmsim.serve.session_pool import Ended, SessionPool, seat
from wmsim.serve.session_stage import make_stage
from wmsim.serve.session_work import begin, obey
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


# --- slots -----------------------------------------------------------------------------------------------------------


def test_sessions_step_in_one_batch_and_see_only_their_own() -> None:
    world = Eventful(3)

    async def work(pool: SessionPool) -> None:
        sessions = [await opened(pool, seed) for seed in (3, 4, 5)]
        for session in sessions[:2]:
            session.receive(CIRCLE)
        world.batches.clear()
        await ticks(pool, 6)
        assert world.batches == [[0, 1]] * 6
        assert [session.view.frame for session in sessions] == [6, 6, 0]
        np.testing.assert_array_equal(sessions[0].view.pixels, alone(3, (1.0, 0.0), 6))
        np.testing.assert_array_equal(sessions[1].view.pixels, alone(4, (1.0, 0.0), 6))

    play(world, work)


def test_slots_are_limited_and_given_back() -> None:
    async def work(pool: SessionPool) -> None:
        with seat(pool) as first, seat(pool), pytest.raises(Ended, match="all 2 seats are taken"):
            pool.open()
        with seat(pool), seat(pool) as third:
            assert third.slot != first.slot or third is not first
        assert pool.told()["sessions"] == 0

    play(ToyWorld(5), work, sessions=2)


def test_a_world_that_fails_ends_the_session_that_made_it_fail() -> None:
    world = Eventful(2)

    async def work(pool: SessionPool) -> None:
        good, bad = await opened(pool, 3), await opened(pool, 4)
        for session in (good, bad):
            session.receive(CIRCLE)
        world.broken = bad.slot
        await ticks(pool, 3)
        why = await pool.ended(bad)
        assert why.code == 4500
        assert "the wheel came off" in why.reason
        assert good.view.frame == 3
        assert not pool._endings[good].done()

    play(world, work)


def test_it_stands_still_until_something_is_done() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 3)
        await ticks(pool, 3)
        assert session.view.frame == 0
        session.receive(Inputs(1, FORWARD))
        session.receive(Inputs(2))  # a tap, shorter than a frame
        await ticks(pool, 2)
        assert session.view.frame == 2
        assert session.hands.seq == 2
        await obey(session, Command("pause", True))
        await ticks(pool, 3)
        assert session.view.frame == 2
        await obey(session, Command("pause", False))
        await ticks(pool, 1)
        assert session.view.frame == 3

    play(ToyWorld(1), work)


def test_a_tap_between_two_frames_counts_once() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 3)
        session.receive(Inputs(1, FORWARD))
        session.receive(Inputs(2))
        assert session.take().wheel == (0.0, 1.0)
        assert session.take().wheel == (0.0, 0.0)

    play(ToyWorld(1), work)


def test_a_step_of_several_frames_is_shown_frame_by_frame() -> None:
    world = Eventful(1, frames_per_step=3)

    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 3)
        session.receive(CIRCLE)
        seen = []
        for _ in range(7):
            await ticks(pool, 1)
            seen.append(session.view.frame)
        assert seen == [1, 2, 3, 4, 5, 6, 7]
        assert len(world.batches) == 3

    play(world, work)


# --- time ------------------------------------------------------------------------------------------------------------


def test_rewinding_and_going_the_same_way_shows_the_same_pictures() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        session.receive(CIRCLE)
        await ticks(pool, 32)
        there, twin_there = session.view.pixels, session.twin_view
        await obey(session, Command("rewind", 1.0))
        assert session.view.frame == 16
        assert session.turn == 2
        assert session.waiting
        session.receive(Inputs(2, analog=True, steer=1.0))
        await ticks(pool, 16)
        np.testing.assert_array_equal(session.view.pixels, there)
        assert twin_there is None

    play(ToyWorld(1), work)


def test_another_turn_can_be_taken_and_the_first_returned_to() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        session.receive(CIRCLE)
        await ticks(pool, 20)
        first = session.view.pixels
        await obey(session, Command("rewind", 1.0))
        session.receive(Inputs(2, analog=True, steer=-1.0))
        await ticks(pool, 12)
        assert not np.array_equal(session.view.pixels, first)
        await obey(session, Command("turn", 1))
        assert (session.turn, session.view.frame) == (1, 20)
        np.testing.assert_array_equal(session.view.pixels, first)
        session.receive(CIRCLE)
        await ticks(pool, 4)
        np.testing.assert_array_equal(session.view.pixels, alone(7, (1.0, 0.0), 24))
        assert [one["turn"] for one in session.turns.told(16.0)] == [2]
        with pytest.raises(ValueError, match="turn 9 is not kept"):
            await obey(session, Command("turn", 9))

    play(ToyWorld(1), work)


def test_the_ring_keeps_no_more_than_its_seconds() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        session.receive(CIRCLE)
        await ticks(pool, 80)
        assert len(session.ring) == 5
        await obey(session, Command("rewind", 3600.0))
        assert session.view.frame == 80 - 32

    play(ToyWorld(1), work, rewind_seconds=2.0)


def test_a_step_under_way_at_a_reset_is_thrown_away() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        session.receive(CIRCLE)
        stepping = asyncio.create_task(pool._tick())
        await asyncio.sleep(0)
        await begin(session, 9)
        await stepping
        assert session.view.frame == 0
        np.testing.assert_array_equal(session.view.pixels, alone(9, (0.0, 0.0), 0))

    play(ToyWorld(1), work)


# --- the twin --------------------------------------------------------------------------------------------------------


def test_the_twin_begins_at_the_same_moment_and_stays_in_step() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        await obey(session, Command("twin", True))
        session.receive(CIRCLE)
        await ticks(pool, 20)
        assert session.twin_view is not None
        np.testing.assert_array_equal(session.twin_view.pixels, session.view.pixels)
        twin_there = session.twin_view.pixels
        await obey(session, Command("rewind", 1.0))
        assert session.view.frame == 0
        session.receive(CIRCLE)
        await ticks(pool, 20)
        np.testing.assert_array_equal(session.twin_view.pixels, twin_there)
        await obey(session, Command("twin", False))
        assert session.twin_view is None

    play(ToyWorld(1), work, ToyWorld(1))


def test_a_world_that_begins_from_frames_is_given_the_twins() -> None:
    world = Eventful(1)

    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        world.starts.clear()
        await obey(session, Command("twin", True))
        (start,) = world.starts
        assert start.frames["top"].shape == (1, 8, 40, 40, 3)
        assert start.control is not None
        assert start.control.require("robot").shape == (1, 7, 2)
        assert start.proprio is not None

    play(world, work, ToyWorld(1))


def test_without_a_twin_there_is_none() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        with pytest.raises(ValueError, match="no twin"):
            await obey(session, Command("twin", True))

    play(ToyWorld(1), work)


@pytest.mark.parametrize("wrong", [ToyWorld(1, size=24), ToyWorld(1, ride="walk"), ToyWorld(1, frames_per_second=8.0)])
def test_what_differs_is_no_twin(wrong: ToyWorld) -> None:
    with pytest.raises(ValueError, match="is no twin"):
        make_stage(PlayConfig(), ToyWorld(1), wrong)


# --- films, events, photos, lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize("twin", [False, True])
def test_a_recording_holds_every_frame(twin: bool) -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        if twin:
            await obey(session, Command("twin", True))
        await obey(session, Command("record", True))
        session.receive(CIRCLE)
        await ticks(pool, 12)
        await obey(session, Command("record", False))
        data = b"".join(piece[9:] for piece in session.outbox._film)
        with av.open(io.BytesIO(data)) as film:
            pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert len(pictures) == 12
        assert pictures[0].shape == (410, 664 if twin else 336, 3)
        shown = pictures[-1][26 + 4 : 26 + 320 : 8, 8 + 4 : 8 + 320 : 8].astype(float)
        assert np.abs(shown - session.view.pixels).mean() < 8

    play(ToyWorld(1), work, ToyWorld(1) if twin else None)


def test_a_recording_ends_at_its_limit() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        await obey(session, Command("record", True))
        session.receive(CIRCLE)
        await ticks(pool, 10)
        assert session.recording.frames == 8
        assert session.commands.get_nowait() == Command("record", False)
        await obey(session, Command("record", False))

    play(ToyWorld(1), work, film_seconds=0.5)


def test_events_go_to_a_world_that_takes_them() -> None:
    world = Eventful(2)

    async def work(pool: SessionPool) -> None:
        session, other = await opened(pool, 7), await opened(pool, 8)
        other.receive(CIRCLE)
        await obey(session, Command("event", "night falls!"))
        await ticks(pool, 3)
        assert world.heard == ["Night falls"]
        assert session.view.uncertainty == 0.25
        await obey(session, Command("event", "a dragon"))
        await ticks(pool, 2)
        assert world.heard == ["Night falls"]
        assert "not understood. Nearest: " in list(session.outbox._notes)[-1]

    play(world, work)


def test_what_is_heard_is_answered() -> None:
    assert hear("fog", (), "toy").event is None
    assert "takes no events" in hear("fog", (), "toy").answer
    assert hear("the sea rises", None, "toy").event == "the sea rises"
    assert hear("FOG.", ("Fog",), "toy").event == "Fog"


def photo(width: int, height: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(buffer, kind)
    return buffer.getvalue()


def test_a_photo_is_the_start_frame() -> None:
    world = Eventful(1)

    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        await obey(session, Photo(photo(300, 100, "JPEG")))
        frames = world.starts[-1].frames["top"]
        assert frames.shape == (1, 1, 40, 40, 3)
        assert frames.float().mean((0, 1, 2, 3)).tolist() == pytest.approx([200, 30, 30], abs=3)
        with pytest.raises(ValueError, match="no JPEG"):
            await obey(session, Photo(b"GIF89a" + bytes(50)))

    play(world, work)


def test_a_world_that_takes_no_frames_says_so() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        with pytest.raises(ValueError, match="cannot begin from a picture"):
            await obey(session, Photo(photo(8, 8)))

    play(ToyWorld(1), work)


@pytest.mark.parametrize("data", [b"", photo(64, 64)[:60], photo(64, 64, "GIF"), b"\xff\xd8\xff" + bytes(200)])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no JPEG, PNG or WebP"):
        read_photo(data, 16, 16, 10**6)


def test_a_picture_bomb_is_refused_before_it_is_decoded() -> None:
    buffer = io.BytesIO()
    Image.new("1", (9000, 9000)).save(buffer, "PNG")
    with pytest.raises(ValueError, match="9000 x 9000"):
        read_photo(buffer.getvalue(), 16, 16, 10**6)


def test_a_drawn_line_is_followed_and_dropped() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        line = np.stack([np.linspace(0.5, 0.4, 8), np.linspace(0.74, 0.4, 8)], 1)
        session.receive(Path(1, line))
        await ticks(pool, 4)
        assert session.view.frame == 4
        left = session.hands.line()
        assert left is not None
        assert len(left) < 14
        session.receive(Inputs(2, FORWARD))
        assert session.hands.line() is None
        session.receive(Path(3, np.zeros((0, 2))))
        session.receive(Path(4, np.array([[0.5, 0.74], [0.5, 0.73]])))
        assert "shorter than a metre" in list(session.outbox._notes)[-1]

    play(ToyWorld(1), work)


@pytest.mark.parametrize("ride", ["wheel", "walk"])
def test_every_kind_of_steering_is_taken(ride: str) -> None:
    world = ToyWorld(2, ride=ride)
    world.reset([0, 1], [1, 2])
    asked = [Asked(Inputs(1, FORWARD, look=(0.1, 0.0)), (0.5, 1.0)), Asked()]
    step = world.step([0, 1], Steering(world.spec).control(asked))
    assert step.frames["top"].shape[0] == 2


# --- what waits to be sent -------------------------------------------------------------------------------------------


def test_a_page_that_lags_gets_the_newest_frame_and_no_queue() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 7)
        session.outbox = Outbox(2)
        session.receive(CIRCLE)
        await ticks(pool, 1)
        messages = [await session.outbox.next()]
        await ticks(pool, 1)
        messages.append(await session.outbox.next())
        await ticks(pool, 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.outbox.next(), 0.05)
        assert session.outbox.dropped == 9
        session.outbox.seen(2)
        newest = await session.outbox.next()
        assert isinstance(newest, bytes)
        assert int.from_bytes(newest[8:12], "little") == session.view.frame == 12

    play(ToyWorld(1), work)


def test_a_bucket_lets_bursts_through_and_no_more() -> None:
    bucket = Bucket(10.0)
    assert [bucket.take(1.0) for _ in range(21)] == [True] * 20 + [False]
    assert bucket.take(1.1)
    assert not bucket.take(1.1)
