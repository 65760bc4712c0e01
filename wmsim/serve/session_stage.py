"""What all sessions share: the world and its twin, each with the one thread that may touch it, and what they can do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from wmsim.control import Control
from wmsim.serve.play_config import Limits, PlayConfig
from wmsim.serve.play_events import Hearing
from wmsim.serve.play_ground import GROUNDS, Ground
from wmsim.serve.play_steer import Asked, Steering
from wmsim.serve.threads import side_thread
from wmsim.world import Snapshot, Start, Step, World

T = TypeVar("T")

LEAD_FRAMES = 8
"""Frames of the twin that the world begins from, so that both show the same moment."""


class WorldThread:
    """A world behind the one thread that calls it: calls of all sessions come one after another, none blocks the page.

    camera: the one that is shown.
    """

    def __init__(self, world: World, camera: str = "") -> None:
        """ValueError: the world has no such camera."""
        if camera and camera not in world.spec.cameras:
            raise ValueError(
                f"world {world.spec.name!r} has no camera {camera!r}: choose of {list(world.spec.cameras)}"
            )
        self.world, self.spec = world, world.spec
        self.camera = camera or next(iter(world.spec.cameras))
        # torch with one thread: a team that spins takes the cores from the browser beside it, and wins 3 ms a step.
        self._executor = side_thread(f"world-{world.spec.name}")

    async def run(self, work: Callable[[World], T]) -> T:
        """What `work` makes of the world, in the world's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, self.world)

    def close(self) -> None:
        """End the thread when it has done what was asked; the world stays open."""
        self._executor.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class Stage:
    """The world that is played, its twin where there is one, and what follows from their specs."""

    config: PlayConfig
    world: WorldThread
    twin: WorldThread | None
    steering: Steering
    ground: Ground | None
    takes_starts: bool
    films: ThreadPoolExecutor
    photos: ThreadPoolExecutor
    hearing: Hearing

    @property
    def limits(self) -> Limits:
        """What one session may ask for."""
        return self.config.limits

    @property
    def rate(self) -> float:
        """Frames per second."""
        return self.world.spec.frames_per_second

    @property
    def lead_frames(self) -> int:
        """How many frames the twin rolls before the world takes over its view; 1 where it cannot."""
        return LEAD_FRAMES if self.takes_starts else 1

    def shape(self) -> tuple[int, int, int]:
        """(H, W, 3) of the picture that is shown."""
        return self.world.spec.cameras[self.world.camera]

    def close(self) -> None:
        """End the threads."""
        for thread in (self.world, self.twin):
            if thread is not None:
                thread.close()
        for pool in (self.films, self.photos):
            pool.shutdown(wait=True, cancel_futures=True)
        self.hearing.close()


def make_stage(config: PlayConfig, world: World, twin: World | None = None, camera: str = "") -> Stage:
    """The stage of a world. ValueError: a world that nobody can steer, or a twin that is none."""
    steering, shown = Steering(world.spec), WorldThread(world, camera)
    beside = None if twin is None else _twin(world, twin, shown.camera)
    line = "wheel" in world.spec.controls and "speed_mps" in world.spec.proprio
    ground = GROUNDS.get(world.spec.name) if line else None
    films, photos = (ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("films", "photos"))
    hearing, starts = Hearing(world.spec.events, world.spec.name), _takes_starts(world, shown.camera)
    return Stage(config, shown, beside, steering, ground, starts, films, photos, hearing)


def _twin(world: World, twin: World, camera: str) -> WorldThread:
    ours, its = world.spec, twin.spec
    same = ours.frames_per_second == its.frames_per_second and ours.frames_per_step == its.frames_per_step
    if not same or set(ours.controls) != set(its.controls) or ours.cameras[camera] != its.cameras.get(camera):
        raise ValueError(f"{its.name!r} is no twin of {ours.name!r}: it differs in camera, controls or frame rate")
    if twin.slots < world.slots:
        raise ValueError(f"the twin has {twin.slots} slots, the world {world.slots}: give it as many")
    return WorldThread(twin, camera)


def _takes_starts(world: World, camera: str) -> bool:
    """Whether the world begins from a given frame: tried once, since no spec tells."""
    shape = world.spec.cameras[camera]
    frames = torch.full((1, 1, *shape), 128, dtype=torch.uint8)
    try:
        world.reset([0], [0], Start({camera: frames}))
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Advance:
    """What a batched step made: the step, and the snapshots asked for by slot."""

    step: Step
    kept: dict[int, Snapshot]


def advance(
    world: World, steering: Steering, slots: Sequence[int], asked: Sequence[Asked], keep: Sequence[int]
) -> Advance:
    """Step `slots` in one call; keep: those whose state is wanted after it."""
    step = world.step(slots, steering.control(asked))
    states = world.snapshot(keep) if keep else None
    return Advance(step, {} if states is None else {slot: states.select([row]) for row, slot in enumerate(keep)})


@dataclass(frozen=True)
class Led:
    """A twin that rolled for some frames: its last step, its state, and the start of all its frames."""

    step: Step
    state: Snapshot
    start: Start


def lead_in(world: World, steering: Steering, slot: int, seed: int, camera: str, length: int) -> Led:
    """Begin a twin's episode and let it roll for `length` frames, for a world that then goes on from its view."""
    steps = [world.reset([slot], [seed])]
    control = steering.control([Asked()])
    while len(steps) < length:
        step = world.step([slot], control)
        if step.terminated is not None and bool(step.terminated.any()):
            steps = [world.reset([slot], [seed])]
            break
        steps.append(step)
    frames = torch.cat([step.frames[camera] for step in steps], 1)
    told = [step.proprio for step in steps if step.proprio is not None]
    start = Start({camera: frames}, _rolling(control, frames.shape[1] - 1), torch.cat(told, 1) if told else None)
    return Led(steps[-1], world.snapshot([slot]), start)


def restart(world: World, slot: int, seed: int, start: Start | None) -> tuple[Step, Snapshot]:
    """Begin an episode in one slot; its first step and its state."""
    step = world.reset([slot], [seed], start)
    return step, world.snapshot([slot])


def _rolling(control: Control, count: int) -> Control | None:
    """The control of every frame but the first."""
    if control.robot is None or count == 0:
        return None
    return Control.of_robot(control.robot[:, :1].expand(-1, count, -1), control.domain)


def last_pixels(step: Step, camera: str, row: int, t: int = -1) -> NDArray[np.uint8]:
    """One frame (H, W, 3) of a step."""
    pixels: NDArray[np.uint8] = step.frames[camera][row, t].cpu().numpy()
    return pixels
