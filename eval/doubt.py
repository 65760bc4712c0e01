"""How uncertain a dream gets where drivers were as they were recorded: what is above that, a guarded dream halts at.

A dream that goes on from a recorded moment under the recorded actions doubts more with every frame, so what is usual is
measured along such drives, as long as the agent's own, and not for their first frame alone.

Shape legend: N moments of a recording, T frames dreamt from each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wmsim.control import Control
from wmsim.data.cache import Roots
from wmsim.env.starts import RecordedStarts
from wmsim.world import Start, World

Array = np.ndarray[Any, Any]


def doubt(world: World, data: Roots, count: int, frames: int = 1, before: int = 16) -> Array:
    """(N, T) the uncertainty of each of the next `frames` behind `before` recorded ones, under the recorded actions.

    From `count` recorded moments or some more. ValueError: the world tells no uncertainty, or the recording does not
    fit it or is too short.
    """
    if not world.spec.uncertainty:
        raise ValueError(f"world {world.spec.name!r} tells no uncertainty")
    moments, slots = RecordedStarts(data, world.spec, before + frames), list(range(world.slots))
    told = []
    for first in range(0, count, world.slots):
        seeds = list(range(first, first + world.slots))
        known, taken = split(moments.draw(seeds), before)
        world.reset(slots, seeds, known)
        drive = []
        for control in taken:
            said = world.step(slots, control).uncertainty
            assert said is not None
            drive.append(said.amax(1).float().cpu().numpy())
        told.append(np.stack(drive, 1))
    return np.concatenate(told)


def split(start: Start, before: int) -> tuple[Start, list[Control]]:
    """The first `before` frames, and the controls that led to the others, one by one."""
    control = start.control
    assert control is not None
    assert control.robot is not None
    frames = {camera: film[:, :before] for camera, film in start.frames.items()}
    proprio = None if start.proprio is None else start.proprio[:, :before]
    earlier, *later = (
        Control(robot=part, domain=control.domain)
        for part in (control.robot[:, : before - 1], *control.robot[:, before - 1 :].split(1, 1))
    )
    return Start(frames, earlier, proprio), later
