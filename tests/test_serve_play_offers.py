"""What a session offers beside steering: films, events, photos, drawn lines; and what waits for a page that lags."""

from __future__ import annotations

import asyncio
import io

import av
import numpy as np
import pytest
from PIL import Image
from play_sessions import CIRCLE, FORWARD, Eventful, opened, play, ticks

from wmsim.serve.play_events import hear
from wmsim.serve.play_messages import Command, Inputs, Path, Photo
from wmsim.serve.play_photo import read_photo
from wmsim.serve.play_steer import Asked, Steering
from wmsim.serve.session_outbox import Outbox
from wmsim.serve.session_pace import Bucket
from wmsim.serve.session_pool import SessionPool
from wmsim.serve.session_work import obey
from wmsim.sims.toy import ToyWorld

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
