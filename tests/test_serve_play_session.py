"""Sessions without a socket: each has its own slot, goes back to the bit, records, and harms no neighbour."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from play_sessions import CIRCLE, FORWARD, Eventful, alone, opened, play, ticks

from wmsim.serve import session_pool
from wmsim.serve.play_config import PlayConfig
from wmsim.serve.play_messages import Command, Inputs
from wmsim.serve.session_pool import Ended, SessionPool, seat
from wmsim.serve.session_stage import make_stage
from wmsim.serve.session_work import begin, obey
from wmsim.sims.toy import ToyWorld

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


def test_what_can_be_gone_back_to_is_counted() -> None:
    async def work(pool: SessionPool) -> None:
        session = await opened(pool, 3)
        first = session.ring.nbytes
        assert first > session.view.pixels.nbytes
        session.receive(CIRCLE)
        await ticks(pool, 8)
        assert session.ring.nbytes == len(session.ring) * first > first
        assert pool.told()["kept_mib"] == round(session.ring.nbytes / 2**20, 2)

    play(ToyWorld(1), work)


def test_slots_are_limited_and_given_back() -> None:
    async def work(pool: SessionPool) -> None:
        with seat(pool) as first, seat(pool), pytest.raises(Ended, match="all 2 seats are taken"):
            pool.open()
        with seat(pool), seat(pool) as third:
            assert third.slot != first.slot or third is not first
        assert pool.told()["sessions"] == 0

    play(ToyWorld(5), work, sessions=2)


def test_a_world_that_fails_ends_the_session_that_made_it_fail(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Eventful(2)
    monkeypatch.setattr(session_pool._LOG, "disabled", False)  # a program run by another test may have silenced it

    async def work(pool: SessionPool) -> None:
        good, bad = await opened(pool, 3), await opened(pool, 4)
        for session in (good, bad):
            session.receive(CIRCLE)
        world.broken = bad.slot
        await ticks(pool, 3)
        why = await pool.ended(bad)
        assert why.code == 4500
        assert "the server's log says why" in why.reason
        assert "the wheel came off" in caplog.text
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
