"""How uncertain a dream says it is where its past is real: what is above that, a guarded dream halts at.

Shape legend: N moments of a recording.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from wmsim.control import Control
from wmsim.env.starts import RecordedStarts
from wmsim.world import Start, World

Array = np.ndarray[Any, Any]


def doubt(world: World, data: str | Path, count: int, before: int = 16) -> Array:
    """(N,) the uncertainty of the next frame behind `before` recorded ones, at `count` recorded moments or some more.

    ValueError: the world tells no uncertainty, or the recording does not fit it.
    """
    if not world.spec.uncertainty:
        raise ValueError(f"world {world.spec.name!r} tells no uncertainty")
    moments, slots = RecordedStarts(data, world.spec, before + 1), list(range(world.slots))
    told = []
    for first in range(0, count, world.slots):
        seeds = list(range(first, first + world.slots))
        known, taken = split(moments.draw(seeds))
        world.reset(slots, seeds, known)
        said = world.step(slots, taken).uncertainty
        assert said is not None
        told.append(said.amax(1).float().cpu().numpy())
    return np.concatenate(told)


def split(start: Start) -> tuple[Start, Control]:
    """All frames but the last, and the control that led to the last."""
    control = start.control
    assert control is not None
    assert control.robot is not None
    frames = {camera: film[:, :-1] for camera, film in start.frames.items()}
    proprio = None if start.proprio is None else start.proprio[:, :-1]
    earlier, last = (
        Control(robot=part, domain=control.domain) for part in (control.robot[:, :-1], control.robot[:, -1:])
    )
    return Start(frames, earlier, proprio), last
