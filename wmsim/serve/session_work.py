"""What a person can ask beside steering: reset, photo, pause, rewind, another turn, film, twin, an event, speech."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace

import torch

from wmsim.serve.memory import give_back
from wmsim.serve.play_messages import Command, Photo, Voice
from wmsim.serve.play_photo import read_photo
from wmsim.serve.session import Session, views_of
from wmsim.serve.session_ring import Moment
from wmsim.serve.session_stage import lead_in, restart
from wmsim.world import Snapshot, Start

_SEEDS = 1_000_000


async def work(session: Session, seed: int | None = None) -> None:
    """Begin the session's first drive, then do what it is asked, one thing after another, until cancelled.

    What a person can put right is answered on the page; any other error ends the session.
    """
    await begin(session, seed)
    while True:
        asked = await session.commands.get()
        try:
            await obey(session, asked)
        except (ValueError, ImportError) as fault:
            session.ready = True
            session.outbox.note("note", text=str(fault))


async def obey(session: Session, asked: Command | Photo | Voice) -> None:
    """Do one thing. ValueError, ImportError: it cannot be done here; the text says why."""
    if isinstance(asked, Photo):
        await begin_from(session, asked)
    elif isinstance(asked, Voice):
        await listen(session, asked)
    elif asked.name == "reset":
        await begin(session, None if asked.value is None else int(asked.value))
    elif asked.name == "pause":
        pause(session, bool(asked.value))
    elif asked.name == "rewind":
        await rewind(session, float(asked.value or 0))
    elif asked.name == "turn":
        await take_turn(session, int(asked.value or 0))
    elif asked.name == "record":
        await record(session, bool(asked.value))
    elif asked.name == "twin":
        await use_twin(session, bool(asked.value))
    else:
        await tell(session, str(asked.value))


# --- beginnings ------------------------------------------------------------------------------------------------------


async def begin(session: Session, seed: int | None, start: Start | None = None) -> None:
    """A new drive: of this seed, or of any; with the twin, both from the same moment of the twin's drive."""
    stage, slot = session.stage, session.slot
    chosen = secrets.randbelow(_SEEDS) if seed is None else seed
    session.halt()
    twin_state: Snapshot | None = None
    if session.twin_on and stage.twin is not None:
        length = stage.lead_frames
        session.outbox.note("busy", text="The twin builds its town …")
        led = await stage.twin.run(lambda w: lead_in(w, stage.steering, slot, chosen, stage.world.camera, length))
        session.twin_view = replace(views_of(stage.twin, led.step, 0, -1)[-1], frame=0)
        twin_state, start = led.state, led.start if stage.takes_starts else None
    step, state = await stage.world.run(lambda w: restart(w, slot, chosen, start))
    session.seed = chosen
    session.turns.clear()
    session.ring.clear()
    view = replace(views_of(stage.world, step, 0, -1)[-1], frame=0)
    session.view, session.turn = view, 1
    moment = session.moment(state, twin_state)
    session.ring.add(moment)
    session.land(moment, 1)
    session.outbox.note("began", seed=chosen, twin=session.twin_on)
    tell_turns(session)
    await stage.world.run(lambda _: give_back())  # what the last drive could rewind to


async def begin_from(session: Session, photo: Photo) -> None:
    """A drive that begins with a photo. ValueError: the world cannot, or it is no picture."""
    stage = session.stage
    if not stage.takes_starts:
        raise ValueError(f"the world “{stage.world.spec.name}” cannot begin from a picture")
    height, width, _ = stage.shape()
    loop, most = asyncio.get_running_loop(), stage.limits.photo_pixels
    pixels = await loop.run_in_executor(stage.photos, read_photo, photo.data, height, width, most)
    if session.twin_on:
        session.drop_twin("A photo fixes no state of the twin: it was turned off.")
    frames = torch.from_numpy(pixels)[None, None]
    await begin(session, None, Start({stage.world.camera: frames}))
    session.outbox.note("note", text="The photo is the first frame; all that follows is made up.")


# --- time ------------------------------------------------------------------------------------------------------------


def pause(session: Session, on: bool) -> None:
    """Stand still, or go on."""
    session.paused = on
    session.waiting = session.waiting and on
    session.outbox.note("paused", on=on)


async def rewind(session: Session, seconds: float) -> None:
    """Go back so far, or as far as is kept; the future that is left can be returned to. ValueError: nothing kept."""
    rate = session.stage.rate
    moment = session.ring.before(round(session.view.frame - seconds * rate))
    if moment is None:
        raise ValueError("there is nothing to go back to yet")
    left = session.turn
    await _leave(session)
    session.ring.cut(moment.frame)
    await _land(session, moment, session.turns.new())
    back = moment.frame / rate
    session.outbox.note("note", text=f"Back at {back:.1f} s. Take another turn; turn {left} is kept as it was left.")
    tell_turns(session)


async def take_turn(session: Session, number: int) -> None:
    """Return to where another future was left. ValueError: it is not kept."""
    moment = session.turns.take(number)
    if moment is None:
        raise ValueError(f"turn {number} is not kept any more")
    await _leave(session)
    session.ring.clear()
    session.ring.add(moment)
    await _land(session, moment, number)
    session.outbox.note("note", text=f"Turn {number} goes on where you left it.")
    tell_turns(session)


async def _leave(session: Session) -> None:
    """Keep the present among the futures, once the twin has come as far."""
    stage, slots = session.stage, [session.slot]
    session.ready = False
    while session.twin_jobs:
        await asyncio.sleep(0.005)
    twin = None
    if session.twin_on and stage.twin is not None:
        twin = await stage.twin.run(lambda w: w.snapshot(slots))
    state = await stage.world.run(lambda w: w.snapshot(slots))
    session.halt()
    session.turns.leave(session.moment(state, twin))


async def _land(session: Session, moment: Moment, turn: int) -> None:
    stage, slots, twin = session.stage, [session.slot], moment.twin
    await stage.world.run(lambda w: w.restore(slots, moment.state))
    if session.twin_on and twin is None:
        session.drop_twin("The twin did not run at that moment: it was turned off.")
    elif session.twin_on and stage.twin is not None and twin is not None:
        await stage.twin.run(lambda w: w.restore(slots, twin))
    session.land(moment, turn)


def tell_turns(session: Session) -> None:
    """Tell the page which futures it can return to."""
    session.outbox.note("turns", now=session.turn, left=session.turns.told(session.stage.rate))


# --- the rest --------------------------------------------------------------------------------------------------------


async def record(session: Session, on: bool) -> None:
    """Begin a film, or end it and send it. ImportError: PyAV is missing."""
    recording = session.recording
    if on and not recording.on:
        recording.start(session.twin_on)
        session.outbox.note("recording", on=True)
    elif not on and recording.on:
        frames = recording.frames
        data = await recording.stop()
        session.outbox.note("recording", on=False, frames=frames, skipped=recording.skipped, bytes=len(data))
        if frames:
            session.outbox.film(data)
    session.send()


async def use_twin(session: Session, on: bool) -> None:
    """Show the twin beside the world, from the beginning of this drive, or no longer. ValueError: there is none."""
    if not on:
        session.drop_twin("")
        return
    if session.stage.twin is None:
        raise ValueError(f"the world “{session.stage.world.spec.name}” has no twin here")
    if not session.twin_on:
        session.twin_on = True
        session.outbox.note("twin", on=True, text="Both begin at the same moment, under the same controls.")
        await begin(session, session.seed)


async def tell(session: Session, text: str) -> None:
    """Tell the world an event, and the person what became of it."""
    heard = await session.stage.hearing.hear(text)
    if heard.event is not None:
        session.hands.tell(heard.event)
    session.outbox.note(
        "heard", text=heard.answer, event=heard.event, score=round(heard.score, 3), nearest=list(heard.nearest)
    )


async def listen(session: Session, voice: Voice) -> None:
    """Tell the person what was heard; the page asks for the event when nobody objects. ImportError: no voice here."""
    spoken = await session.stage.hearing.listen(voice.data)
    session.outbox.note(
        "spoken", phrase=spoken.phrase, event=spoken.event, score=round(spoken.score, 3), why=spoken.why
    )
