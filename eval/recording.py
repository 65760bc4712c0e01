"""Drives in a twin, recorded once and kept on disk: evaluating another checkpoint reads them back in a second.

Shape legend: T actions, L context frames, H frames after them, h x w pixels.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import multiprocessing
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eval.clips import Array, Clips, control_of, cut
from eval.twins import STEADY, TWINS
from wmsim.data.episodes import Episode
from wmsim.data.progress import Meter
from wmsim.metrics import View, pixel_classes
from wmsim.policy import Executor
from wmsim.world import Step, World

_PROOF_TOWNS = (999_983, 999_984)
"""Two short drives here are the twin's fingerprint: when they come out otherwise, kept recordings are stale."""

_LEAST = 8


@dataclass(frozen=True)
class DriveConfig:
    """One drive in a twin, and the clip in it that is to be dreamt.

    level: of the driver's noise and mistakes, see `eval.twins`. frames: at most; an end comes sooner. context,
    horizon: of the clip, which lies anywhere in the drive. masks: tell new, moving and static pixels apart. again:
    simulate the clip a second time, and a third with the wheel shaken by `jitter`.
    """

    twin: str
    seed: int
    level: int
    frames: int
    size: int
    context: int = 1
    horizon: int = 1
    masks: bool = False
    again: bool = False
    jitter: float = 0.02


@dataclass(frozen=True)
class Drive:
    """episode: all of it. begin: the clip's first frame. classes (H, h, w): of `pixel_classes`, or None. again and
    jittered (H, h, w, 3): the clip's frames simulated anew under the same and under shaken controls, or None."""

    episode: Episode
    begin: int
    classes: Array | None = None
    again: Array | None = None
    jittered: Array | None = None


def record(configs: Sequence[DriveConfig], folder: Path, workers: int, title: str) -> list[Drive]:
    """Every drive, from disk where it is kept, else driven now in `workers` processes (0: in this one)."""
    paths = [folder / f"{_key(config)}.npz" for config in configs]
    missing = [(config, path) for config, path in zip(configs, paths, strict=True) if not path.is_file()]
    folder.mkdir(parents=True, exist_ok=True)
    with Meter(title, len(missing), "drives", shown=bool(missing)) as meter:
        for frames in _driven(missing, workers):
            meter.advance(1, frames, "frames")
    return [_read(path) for path in paths]


def clips_of(drives: Sequence[Drive], context: int, horizon: int) -> Clips:
    """The clip of every drive."""
    clips = cut([drive.episode for drive in drives], [drive.begin for drive in drives], context, horizon)
    known = [drive.classes for drive in drives if drive.classes is not None]
    return replace(clips, classes=np.stack(known) if len(known) == len(drives) else None)


def _driven(missing: list[tuple[DriveConfig, Path]], workers: int) -> Iterator[int]:
    if workers == 0 or len(missing) < 2:
        yield from (_drive_and_keep(one) for one in missing)
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_drive_and_keep, missing)


def _drive_and_keep(job: tuple[DriveConfig, Path]) -> int:
    torch.set_num_threads(1)
    config, path = job
    drive = drive_once(config)
    arrays = {name: value for name, value in vars(drive.episode).items() if name != "notes" and value is not None}
    arrays |= {name: value for name, value in vars(drive).items() if name != "episode" and value is not None}
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(path)
    return len(drive.episode)


def _read(path: Path) -> Drive:
    try:
        with np.load(io.BytesIO(path.read_bytes())) as kept:
            arrays = {name: kept[name] for name in kept.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as fault:
        raise ValueError(f"{path} is truncated or damaged ({fault}): delete it and run again") from fault
    scalars = {name: value.item() if value.ndim == 0 else value for name, value in arrays.items()}
    rest = {name: scalars.pop(name) for name in ("begin", "classes", "again", "jittered") if name in scalars}
    return Drive(Episode(**scalars), **rest)


def _key(config: DriveConfig) -> str:
    text = json.dumps(asdict(config), sort_keys=True) + _fingerprint(config.twin, config.size)
    return f"{config.twin}-{config.seed}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


@functools.cache
def _fingerprint(twin: str, size: int) -> str:
    """A hash of what two short drives show, with all that is kept of them."""
    found = hashlib.sha256()
    for level, seed in enumerate(_PROOF_TOWNS):
        drive = drive_once(DriveConfig(twin, seed, level + 2, 24, size, context=4, horizon=8, masks=True))
        episode = drive.episode
        for array in (episode.frames, episode.action, episode.reward, episode.state, drive.classes):
            found.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


# --- one drive -----------------------------------------------------------------------------------------------------


def drive_once(config: DriveConfig) -> Drive:
    """Drive, choose the clip, and look at it as the config asks.

    A drive that ends too soon to hold the context and `_LEAST` frames more is left for that in town seed + 1000.
    """
    twin = TWINS[config.twin]
    world = twin.make(config.size, config.masks)
    views: list[tuple[View, Array] | None] = []
    looking = (lambda step: views.append(twin.view(world, step))) if config.masks else (lambda step: None)
    episode = _play(world, Executor(twin.driver(config.level, 1), 1), config, looking)
    if len(episode) < min(config.frames, config.context + _LEAST):
        world.close()
        return drive_once(replace(config, seed=config.seed + 1000))
    begin = _begin(len(episode), config)
    classes = _classes(views, begin, config) if config.masks else None
    again = jittered = None
    if config.again:
        again = _replay(world, episode.action, begin, config, 0.0)
        jittered = _replay(world, episode.action, begin, config, config.jitter)
    world.close()
    return Drive(episode, begin, classes, again, jittered)


def _play(world: World, driver: Executor, config: DriveConfig, look: Callable[[Step], None]) -> Episode:
    driver.reset([0], [config.seed])
    step = world.reset([0], [config.seed])
    look(step)
    shown, done, ended = [_shown(step)], [], False
    while not ended and len(shown) < config.frames:
        action = np.asarray(driver.act(shown[-1][0][None], _batched(step)), np.float32).clip(-1, 1)
        step = world.step([0], control_of(world.spec, action[:, None]))
        look(step)
        shown.append(_shown(step))
        done.append((action[0], 0.0 if step.reward is None else float(step.reward[0, -1])))
        ended = step.terminated is not None and bool(step.terminated[0, -1])
    frames, proprio, state = (np.stack(part) for part in zip(*shown, strict=True))
    action, reward = (np.stack(part).astype(np.float32) for part in zip(*done, strict=True))
    return Episode(frames, action, reward, proprio, state, ended, not ended, config.seed)


def _shown(step: Step) -> tuple[Array, Array, Array]:
    assert step.proprio is not None
    frame = next(iter(step.frames.values()))[0, -1].cpu().numpy()
    return frame, step.proprio[0, -1].cpu().numpy(), np.asarray(step.info["state"][0])


def _batched(step: Step) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in step.info.items()}


def _begin(length: int, config: DriveConfig) -> int:
    """Where the clip begins: anywhere if all of it fits into the drive, else at the drive's first frame."""
    spare = max(0, length - config.context - config.horizon)
    return int(np.random.default_rng(config.seed).integers(spare + 1))


def _classes(views: list[tuple[View, Array] | None], begin: int, config: DriveConfig) -> Array | None:
    last = begin + config.context - 1
    if views[last] is None:
        return None
    after = range(last + 1, last + 1 + config.horizon)
    shown = [views[min(t, len(views) - 1)] for t in after]
    earlier = views[last]
    assert earlier is not None
    return np.stack([pixel_classes(later[0], earlier[0], later[1]) for later in shown if later is not None])


def _replay(world: World, action: Array, begin: int, config: DriveConfig, jitter: float) -> Array:
    """The clip's frames, simulated anew from the drive's beginning; from the context's end on the wheel is shaken."""
    rng, first = np.random.default_rng(config.seed), begin + config.context - 1
    world.reset([0], [config.seed])
    film = []
    for t in range(min(first + config.horizon, len(action))):
        now = action[t] + jitter * rng.standard_normal(action.shape[1]) * (t >= first)
        step = world.step([0], control_of(world.spec, now[None, None].clip(-1, 1).astype(np.float32)))
        film.append(_shown(step)[0])
    film = film[first:]
    return np.stack(film + film[-1:] * (config.horizon - len(film)))


def drives_of(twin: str, count: int, seed: int, frames: int, size: int, **more: Any) -> list[DriveConfig]:
    """`count` drives in towns `seed`, `seed` + 1 ..., the driver's levels taken round robin."""
    return [DriveConfig(twin, seed + i, i, frames, size, **more) for i in range(count)]


def steady(configs: Sequence[DriveConfig]) -> list[DriveConfig]:
    """The same drives under a driver that makes no mistakes."""
    return [replace(config, level=STEADY) for config in configs]
