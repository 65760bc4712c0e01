"""Rolls a world open loop: from the context of each clip on, under the recorded controls, blind to what truly followed.

Shape legend: C clips, H frames, h x w pixels.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.clips import Clips, control_of, start_of
from wmsim.world import Step, World

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rollout:
    """frames (C, H, h, w, 3) uint8; reward (C, H) and end (C, H), larger where the end is likelier, None where the
    world predicts none; proprio (C, H, P) or None; uncertainty (C, H) or None; seconds that it took."""

    frames: Array
    reward: Array | None
    end: Array | None
    proprio: Array | None
    uncertainty: Array | None
    seconds: float


def roll_out(world: World, clips: Clips, action: Array | None = None, seed: int = 0) -> Rollout:
    """Roll every clip, as many at a time as the world has slots; `action` replaces the recorded ones.

    Clip i has seed `seed` + i. ValueError when the clips have another frame size than the world.
    """
    _check(world, clips)
    used = clips.action if action is None else action
    began, parts = time.perf_counter(), []
    for first in range(0, len(clips), world.slots):
        rows = np.arange(first, min(first + world.slots, len(clips)))
        parts.append(_roll_batch(world, clips.select(rows), used[rows], (rows + seed).tolist()))
    seconds = time.perf_counter() - began
    joined = {name: _joined([part[name] for part in parts]) for name in ("reward", "end", "proprio", "uncertainty")}
    return Rollout(frames=np.concatenate([part["frames"] for part in parts]), seconds=seconds, **joined)


def _check(world: World, clips: Clips) -> None:
    name, shape = next(iter(world.spec.cameras.items()))
    if clips.frames.shape[2:] != shape:
        raise ValueError(f"the clips have frames {clips.frames.shape[2:]}, camera {name!r} of the world has {shape}")


def _roll_batch(world: World, clips: Clips, action: Array, seeds: list[int]) -> dict[str, Array | None]:
    slots, every = list(range(len(clips))), world.spec.frames_per_step
    world.reset(slots, seeds, start_of(clips, world.spec))
    shown: list[Step] = []
    for t in range(clips.context - 1, action.shape[1], every):
        chunk = action[:, t : t + every]
        missing = every - chunk.shape[1]
        chunk = np.concatenate([chunk, np.repeat(chunk[:, -1:], missing, 1)], 1)
        shown.append(world.step(slots, control_of(world.spec, chunk)))
    parts = [_arrays(world, step) for step in shown]
    return {name: _along_time([part[name] for part in parts], clips.horizon) for name in parts[0]}


def _arrays(world: World, step: Step) -> dict[str, Array | None]:
    camera = next(iter(world.spec.cameras))
    said = {"reward": step.reward, "proprio": step.proprio, "uncertainty": step.uncertainty}
    told = {name: None if value is None else value.float().cpu().numpy() for name, value in said.items()}
    return {"frames": step.frames[camera].cpu().numpy(), "end": end_score(step), **told}


def end_score(step: Step) -> Array | None:
    """How likely each frame is the last: the probability in info["end_probability"] where given, else the verdict."""
    if step.terminated is None:
        return None
    said = step.info.get("end_probability", step.terminated)
    return np.asarray(said.cpu() if hasattr(said, "cpu") else said, np.float32).reshape(step.terminated.shape)


def _along_time(parts: list[Array | None], horizon: int) -> Array | None:
    return None if parts[0] is None else np.concatenate([p for p in parts if p is not None], 1)[:, :horizon]


def _joined(parts: list[Array | None]) -> Array | None:
    return None if parts[0] is None else np.concatenate([p for p in parts if p is not None])
