"""One person's session: what is held down, what is shown, and where its slot of the world stands in time.

All methods run in the event loop's thread; the worlds' own work is done in `Stage`'s threads.
Shape legend: T frames per step, H x W pixels; frames are uint8 RGB.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from wmsim.serve.play_film import Pixels, Scene
from wmsim.serve.play_messages import LEAPS, Command, Inputs, Message, Path, Photo, Seen, Shown, Voice
from wmsim.serve.play_steer import Asked
from wmsim.serve.session_hands import Hands
from wmsim.serve.session_outbox import Outbox
from wmsim.serve.session_pace import Bucket
from wmsim.serve.session_recording import Recording
from wmsim.serve.session_ring import Moment, Ring, Turns
from wmsim.serve.session_stage import Stage, WorldThread, last_pixels
from wmsim.world import Snapshot, Step

_MOST_WAITING = 8
_MOST_TWIN_JOBS = 48


@dataclass(frozen=True)
class TwinJob:
    """A step that the twin has still to do."""

    epoch: int
    frame: int
    turn: int
    asked: Asked
    keep: bool


@dataclass(frozen=True)
class View:
    """What one pane shows. motion: speed m/s and yaw rate rad/s, NaN where unknown."""

    pixels: Pixels
    frame: int = 0
    motion: tuple[float, float] = (math.nan, math.nan)
    uncertainty: float = math.nan
    ended: bool = False


class Session:
    """A slot of the world, the person's hands, and the way back.

    epoch: counts resets and rewinds; what a step that began before one of them brings is thrown away. ready: whether
    the slot may be stepped. waiting: it begins to move when the person does something.
    """

    def __init__(self, slot: int, stage: Stage) -> None:
        limits, per_second = stage.limits, stage.rate / stage.world.spec.frames_per_step
        self.slot, self.stage = slot, stage
        self.hands, self.outbox = Hands(stage.ground), Outbox(limits.unseen)
        self.commands: asyncio.Queue[Command | Photo | Voice] = asyncio.Queue(_MOST_WAITING)
        self.keep_every = max(round(limits.snapshot_seconds * per_second), 1)
        self.ring = Ring(math.ceil(limits.rewind_seconds * per_second / self.keep_every) + 1)
        self.turns, self.turn = Turns(limits.turns), 1
        self.recording = Recording(stage)
        self.view = View(np.zeros(stage.shape(), np.uint8))
        self.twin_view: View | None = None
        self.twin_jobs: deque[TwinJob] = deque()
        self.ready, self.paused, self.waiting, self.twin_on = False, False, True, False
        self.epoch = self.seed = self._steps = 0
        self._later: deque[View] = deque()
        self._commanded, self._leapt = Bucket(limits.commands_per_second), Bucket(limits.leaps_per_second, 4.0)
        self._asked, self._shown_at = Asked(), 0.0
        self.heard_at = self.opened_at = time.monotonic()

    # --- from the page -----------------------------------------------------------------------------------------------

    def receive(self, message: Message) -> None:
        """Take in a parsed message; what costs more than a step waits in `commands`."""
        now = time.monotonic()
        if isinstance(message, Seen):
            self.outbox.seen(message.number)
            return
        self.heard_at = now
        if isinstance(message, Inputs):
            self.hands.hold(message, now)
        elif isinstance(message, Path):
            self._draw(message, now)
        elif not self._allowed(message, now) or self.commands.full():
            self.outbox.note("note", text="Too many commands at once: the last one was left out.")
        else:
            self.commands.put_nowait(message)

    def _allowed(self, message: Command | Photo | Voice, now: float) -> bool:
        leap = isinstance(message, Photo | Voice) or message.name in LEAPS
        return self._commanded.take(now) and (not leap or self._leapt.take(now))

    def _draw(self, path: Path, now: float) -> None:
        try:
            self.hands.draw(path, now)
        except ValueError as fault:
            self.outbox.note("note", text=str(fault))

    # --- steps -------------------------------------------------------------------------------------------------------

    def due(self) -> bool:
        """Whether the next tick steps this session's slot; one that waits is woken when something is held."""
        if self.ready and self.waiting and not self.paused and not self.hands.idle:
            self.waiting = False
        moving = self.ready and not (self.paused or self.waiting or self.view.ended)
        if not moving:
            self._shown_at = 0.0
        return moving and not self._later

    @property
    def keeps(self) -> bool:
        """Whether the state after the next step goes into the ring."""
        return (self._steps + 1) % self.keep_every == 0

    def take(self) -> Asked:
        """What the next step is asked."""
        speed = self.view.motion[0]
        self._asked = self.hands.take(speed if math.isfinite(speed) else 0.0, time.monotonic())
        return self._asked

    def show(self, step: Step, row: int, kept: Snapshot | None, milliseconds: float) -> float:
        """Take in the step of this slot: T frames, the first shown now and the others at the next ticks.

        Returns the seconds since the frame before, 0 after standing still.
        """
        thread = self.stage.world
        views = views_of(thread, step, row, self.view.frame)
        self._steps += 1
        motion = _finite(views[-1].motion)
        self.hands.moved(*motion, len(views) / self.stage.rate)
        if kept is not None:
            last = views[-1]
            self.ring.add(Moment(last.frame, self.turn, kept, last.pixels, motion, last.ended))
        if self.twin_on:
            self._ask_twin(views[-1].frame, kept is not None)
        self._later.extend(views)
        return self.show_next(milliseconds)

    @property
    def has_more(self) -> bool:
        """Whether frames of the last step are still to be shown."""
        return self.ready and bool(self._later)

    def show_next(self, milliseconds: float = 0.0) -> float:
        """Show the next frame of the last step; returns the seconds since the one before, 0 after standing still."""
        self.view = self._later.popleft()
        self.send(milliseconds)
        scene = Scene(self.view.pixels, self._asked.wheel, self._asked.inputs.keys, self._caption())
        self.recording.add((self.turn, self.view.frame), scene, self.twin_on)
        if self.recording.on and self.recording.full and not self.commands.full():
            self.commands.put_nowait(Command("record", False))
        now, before = time.monotonic(), self._shown_at
        self._shown_at = now
        return now - before if before else 0.0

    def send(self, milliseconds: float = 0.0) -> None:
        """Send what is shown to the page."""
        self.outbox.frame(
            Shown(
                pane=0, pixels=self.view.pixels, frame=self.view.frame, turn=self.turn, seq=self.hands.seq,
                ended=self.view.ended, waiting=self.waiting, recording=self.recording.on,
                uncertainty=self.view.uncertainty, speed=self.view.motion[0], wheel=self._asked.wheel,
                step_ms=milliseconds, wait_ms=self.hands.wait_ms, path=self.hands.line(),
            )
        )  # fmt: skip

    # --- the twin ----------------------------------------------------------------------------------------------------

    def _ask_twin(self, frame: int, keep: bool) -> None:
        self.twin_jobs.append(TwinJob(self.epoch, frame, self.turn, self._asked, keep))
        if len(self.twin_jobs) > _MOST_TWIN_JOBS:
            self.drop_twin("The twin cannot keep up on this machine and was turned off.")

    def show_twin(self, job: TwinJob, step: Step, row: int, kept: Snapshot | None) -> None:
        """Take in the twin's step of a job, unless the session has gone elsewhere since."""
        thread = self.stage.twin
        if job.epoch != self.epoch or thread is None or not self.twin_on:
            return
        views = views_of(thread, step, row, job.frame - step.frames[thread.camera].shape[1])
        self.twin_view = views[-1]
        if kept is not None:
            self.ring.add_twin(job.frame, kept, self.twin_view.pixels)
        for view in views:
            self.recording.add_twin((job.turn, view.frame), view.pixels)
        self.send_twin()

    def send_twin(self) -> None:
        """Send what the twin shows."""
        if self.twin_view is not None:
            shown = self.twin_view
            motion = shown.motion[0]
            self.outbox.frame(Shown(1, shown.pixels, shown.frame, self.turn, ended=shown.ended, speed=motion))

    def drop_twin(self, reason: str) -> None:
        """Go on without the twin."""
        self.twin_on, self.twin_view = False, None
        self.twin_jobs.clear()
        self.outbox.note("twin", on=False, text=reason)

    # --- leaping -----------------------------------------------------------------------------------------------------

    def halt(self) -> None:
        """Stand still for a leap: what is under way is thrown away when it comes."""
        self.epoch += 1
        self.ready = False
        self._later.clear()
        self.twin_jobs.clear()

    def land(self, moment: Moment, turn: int) -> None:
        """Stand at a moment, in a future of its own, and wait for the person."""
        self.turn, self._steps = turn, 0
        self.view = View(moment.pixels, moment.frame, moment.motion, ended=moment.ended)
        if moment.twin_pixels is not None and self.twin_on:
            self.twin_view = View(moment.twin_pixels, moment.frame)
        self.hands.release()
        self._asked = Asked(self._asked.inputs)
        self.waiting, self.ready, self._shown_at = True, True, 0.0
        self.send()
        self.send_twin()

    def moment(self, state: Snapshot, twin: Snapshot | None) -> Moment:
        """What is shown now, with the state behind it."""
        pixels = None if twin is None or self.twin_view is None else self.twin_view.pixels
        kept = Moment(self.view.frame, self.turn, state, self.view.pixels, _finite(self.view.motion), self.view.ended)
        return replace(kept, twin=twin, twin_pixels=pixels)

    def _caption(self) -> str:
        seconds = self.view.frame / self.stage.rate
        told = f" · {self._asked.event}" if self._asked.event else ""
        return f"{seconds:.1f} s · turn {self.turn}{told}"


def views_of(thread: WorldThread, step: Step, row: int, before: int) -> list[View]:
    """The T frames of one row of a step, counted on from frame `before`."""
    count = step.frames[thread.camera].shape[1]
    return [
        View(
            last_pixels(step, thread.camera, row, t),
            before + t + 1,
            _motion(thread, step, row, t),
            math.nan if step.uncertainty is None else float(step.uncertainty[row, t]),
            step.terminated is not None and bool(step.terminated[row, t]),
        )
        for t in range(count)
    ]


def _motion(thread: WorldThread, step: Step, row: int, t: int) -> tuple[float, float]:
    if step.proprio is None:
        return math.nan, math.nan
    names, told = thread.spec.proprio, step.proprio[row, t].tolist()
    known = dict(zip(names, told, strict=True))
    return known.get("speed_mps", math.nan), known.get("yaw_rate_radps", math.nan)


def _finite(motion: tuple[float, float]) -> tuple[float, float]:
    speed, rate = (number if math.isfinite(number) else 0.0 for number in motion)
    return speed, rate
