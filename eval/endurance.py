"""Five minutes on end: a driver that sees only frames drives in the dream; does it freeze, fade, blur or drift off?

Shape legend: n dreams, T frames, h x w pixels, W windows of 16 frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from eval.clips import Clips, control_of, start_of
from eval.keeper import Keeper
from wmsim.metrics import (
    Interval,
    Probe,
    bootstrap_mean,
    clip_features,
    colour_shift,
    frozen,
    motion,
    relative_distance,
    sharpness,
)
from wmsim.metrics.distribution import WINDOW
from wmsim.world import Start, World, WorldSpec

Array = np.ndarray[Any, Any]

SPAN_SECONDS = 20.0
"""Length of the piece of film, up to the moment asked about, that the figures of that moment are taken from."""

_PATIENCE = 16


def endure(world: World, clips: Clips, probe: Probe, frames: int, tick: Callable[[], None] = lambda: None) -> Array:
    """Dream on from the clips' context for `frames` frames under the keeper: (n, frames, h, w, 3).

    Where the dream says that the drive is over, it goes on from its own last frames, at most once in `_PATIENCE`
    frames: so nothing real comes in, and a world that ends for ever shows as frozen. ValueError when there are more
    clips than slots.
    """
    if len(clips) > world.slots:
        raise ValueError(f"{len(clips)} long dreams need as many slots, the world has {world.slots}")
    slots, every = list(range(len(clips))), world.spec.frames_per_step
    world.reset(slots, slots, start_of(clips, world.spec))
    keeper = Keeper(probe, clips.frames[:, : clips.context])
    memory, went_on = _Memory(clips), 0
    film = np.empty((len(clips), frames, *clips.frames.shape[2:]), np.uint8)
    for t in range(0, frames, every):
        action = np.repeat(keeper.act()[:, None], every, 1)
        step = world.step(slots, control_of(world.spec, action))
        shown = next(iter(step.frames.values())).cpu().numpy()
        film[:, t : t + every] = shown[:, : frames - t]
        memory.see(shown, action)
        for moment in range(every):
            keeper.see(shown[:, moment])
        if step.terminated is not None and bool(step.terminated.any()) and t - went_on >= _PATIENCE:
            over, went_on = torch.nonzero(step.terminated[:, -1]).flatten().tolist(), t
            world.reset(over, [len(clips) + t + slot for slot in over], memory.start(over, world.spec))
        tick()
    return film


class _Memory:
    """The latest frames of each slot with the actions between them, as many as the clips' context."""

    def __init__(self, clips: Clips) -> None:
        self.clips = clips
        self.frames = clips.frames[:, : clips.context]
        self.action = clips.action[:, : clips.context - 1]

    def see(self, frames: Array, action: Array) -> None:
        self.frames = np.concatenate([self.frames, frames], 1)[:, -self.clips.context :]
        self.action = np.concatenate([self.action, action], 1)[:, len(action[0]) :]

    def start(self, rows: list[int], spec: WorldSpec) -> Start:
        clips = replace(self.clips.select(rows), frames=self.frames[rows], action=self.action[rows], proprio=None)
        return start_of(clips, spec)


def span(film: Array, second: float, frames_per_second: float) -> Array:
    """(n, S, h, w, 3): the last `SPAN_SECONDS` before `second`, or what there is of it; none if the film is shorter."""
    end = round(second * frames_per_second)
    if end > film.shape[1]:
        return film[:, :0]
    return film[:, max(0, end - round(SPAN_SECONDS * frames_per_second)) : end]


def windows(films: Sequence[Array]) -> tuple[Array, Array]:
    """Every whole window in the films, (W, 16, h, w, 3), and the number (W,) of the film that it comes from."""
    cut = [film[: len(film) // WINDOW * WINDOW].reshape(-1, WINDOW, *film.shape[1:]) for film in films]
    return np.concatenate(cut), np.repeat(np.arange(len(cut)), [len(part) for part in cut])


def endurance(
    film: Array,
    real: Sequence[Array],
    features: Array,
    towns: Array,
    frames_per_second: float,
    seconds: Sequence[float],
) -> dict[str, dict[str, Interval]]:
    """The state of n films at each of `seconds`, against real drives.

    film: (n, T, h, w, 3). real: n real films (T', h, w, 3), of the town that each dream began in. features, towns:
    those of all real windows. Returns second -> figure -> interval: "distance" (WM-KID, 1 = another real town),
    "frozen" (part of the frames), "motion" and "sharpness" (times those of real films), "colour shift" (percent of full
    scale).
    """
    changes = np.concatenate([motion(one) for one in real])
    usual = float(np.median(changes))
    sharp = float(np.mean([sharpness(one[:: WINDOW // 2]).mean() for one in real]))
    pieces = {second: span(film, second, frames_per_second) for second in seconds}
    found = {}
    for second, piece in pieces.items():
        if piece.shape[1] < WINDOW:
            continue
        shift = np.array([float(colour_shift(one, own)) for one, own in zip(piece, real, strict=True)])
        clear = sharpness(piece[:, :: WINDOW // 2]).mean(1) / sharp
        found[f"{second:g} s"] = {
            "distance": _distance(piece, features, towns),
            "frozen": bootstrap_mean(frozen(motion(piece), usual)),
            "motion": bootstrap_mean(motion(piece).mean(-1) / float(changes.mean())),
            "colour shift": bootstrap_mean(shift),
            "sharpness": bootstrap_mean(clear),
        }
    return found


def _distance(piece: Array, features: Array, towns: Array) -> Interval:
    cut, _ = windows(list(piece))
    _, relative = relative_distance(clip_features(cut), features, towns, len(piece))
    return Interval(relative, np.nan, np.nan, len(piece))
