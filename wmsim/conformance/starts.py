"""Start frames that a world has lived through itself, to begin the same way under several seeds or pasts.

Shape legend: n slots, L start frames, P proprio width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from wmsim.conformance.probe import FIELDS, Sequel, WorldProbe, run, script
from wmsim.control import Control
from wmsim.world import Start, World


def lived_start(probe: WorldProbe, frames: int) -> Start:
    """The last L = `frames` frames (n, L, H, W, 3) of a short run of every slot, the controls between, the proprio."""
    world, n = probe.world(probe.config.slots), probe.config.slots
    steps = -(-frames // probe.spec.frames_per_step)
    controls = script(probe.spec, n, steps, 12, world.device)
    lived = run(world, range(n), probe.seeds(n), controls)
    shown = {name: torch.cat([s.frames[name] for s in lived], 1)[:, -frames:] for name in probe.spec.cameras}
    return Start(shown, _joined(controls, frames - 1), _proprio(lived, frames))


def usual_start(probe: WorldProbe) -> Start | None:
    """A lived start as long as the world's window, of one frame if it takes no more, None if it takes none."""
    world, n = probe.world(probe.config.slots), probe.config.slots
    for frames in sorted({probe.spec.context or 1, 1}, reverse=True):
        start = lived_start(probe, frames)
        if takes(world, probe.seeds(n), start):
            return start
    return None


def takes(world: World, seeds: list[int], start: Start) -> bool:
    """Whether the world begins from such frames."""
    try:
        world.reset(range(len(seeds)), seeds, start)
    except ValueError:
        return False
    return True


def _joined(controls: list[Control], frames: int) -> Control | None:
    """The last `frames` frames of controls as one Control, None for 0."""
    if frames == 0:
        return None
    names = [name for name in (*FIELDS, "robot") if getattr(controls[0], name) is not None]
    joined: dict[str, Any] = {name: torch.cat([getattr(c, name) for c in controls], 1)[:, -frames:] for name in names}
    return replace(controls[0], **joined)


def _proprio(lived: Sequel, frames: int) -> torch.Tensor | None:
    parts = [step.proprio for step in lived if step.proprio is not None]
    return torch.cat(parts, 1)[:, -frames:] if parts else None
