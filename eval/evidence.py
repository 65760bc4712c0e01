"""What a dream is held against: clips of unseen drives, drives to train the probe on, long drives for five minutes.

They come from a twin, recorded when missing, or from a recorded data set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.clips import Array, Clips, cut
from eval.recording import Drive, clips_of, drives_of, record, steady
from eval.twins import STEADY, TWINS
from wmsim.data.episodes import Dataset, Episode

UNSEEN = 1_000_000
"""Town seeds from here on are never trained on."""

_PROBE_TOWNS, _LONG_TOWNS = 900_000, UNSEEN + 500_000
_REWARD_WINDOWS = 3


@dataclass(frozen=True)
class EvidenceConfig:
    """Where real films come from and how many.

    twin: a name in `eval.twins`; data: the folder of a recorded data set instead (then nothing long is tried).
    probe_data: a data set of which the first `probe_drives` episodes train the probe; "" drives them in the twin.
    drives: of how many unseen towns, `frames` at most each.
    context, horizon: of a clip. again: how many drives are simulated twice. probe_drives, probe_frames; long_drives
    likewise, dreamt on for long_frames, driven in the twin for long_real_frames. reward_horizon: frames over which
    reward and end are foretold. cache: where drives are kept.
    """

    twin: str
    data: str
    probe_data: str
    size: int
    drives: int
    frames: int
    context: int
    horizon: int
    again: int
    probe_drives: int
    probe_frames: int
    long_drives: int
    long_frames: int
    long_real_frames: int
    reward_horizon: int
    workers: int
    cache: str


@dataclass(frozen=True)
class Evidence:
    """clips: one a drive. short: clips of `reward_horizon` frames, among them every end. probe: to train the probe on.

    again, jittered (C, H, h, w, 3): the first clips simulated anew, under the same and under shaken controls. long:
    steady drives. expert: (N, S) states -> actions of the steady driver. yaw_rate: its place in proprio.
    """

    clips: Clips
    short: Clips
    probe: list[Episode]
    rate: float
    yaw_rate: int | None = None
    again: Array | None = None
    jittered: Array | None = None
    long: tuple[Episode, ...] = ()
    expert: Callable[[Array], Array] | None = None


def gather(config: EvidenceConfig) -> Evidence:
    """All that the config asks for. ValueError: neither or both of `twin` and `data`, or a data set without clips."""
    if bool(config.twin) == bool(config.data):
        raise ValueError(f"choose a twin or a data set, one of the two: got twin={config.twin!r}, data={config.data!r}")
    return _of_twin(config) if config.twin else _of_data(config)


# --- from a twin ---------------------------------------------------------------------------------------------------


def _of_twin(config: EvidenceConfig) -> Evidence:
    if config.twin not in TWINS:
        raise ValueError(f"there is no twin {config.twin!r}: choose one of {sorted(TWINS)}")
    folder, workers = Path(config.cache), config.workers
    clip: dict[str, Any] = {"context": config.context, "horizon": config.horizon}
    about = (config.twin, config.drives, UNSEEN, config.frames, config.size)
    looked = drives_of(*about, **clip, masks=True)
    wanted = [*drives_of(*about, **clip, masks=True, again=True)[: config.again], *looked[config.again :]]
    drives = record(wanted, folder, workers, "unseen towns")
    taught = _probe_episodes(config) or [
        drive.episode
        for drive in record(
            drives_of(config.twin, config.probe_drives, _PROBE_TOWNS, config.probe_frames, config.size),
            folder,
            workers,
            "towns for the probe",
        )
    ]
    long = steady(drives_of(config.twin, config.long_drives, _LONG_TOWNS, config.long_real_frames, config.size))
    driven = record(long, folder, workers, "long drives")
    spec = TWINS[config.twin].make(config.size, False).spec
    return Evidence(
        clips=clips_of(drives, config.context, config.horizon),
        short=short_clips([drive.episode for drive in drives], config.context, config.reward_horizon),
        probe=taught,
        rate=spec.frames_per_second,
        yaw_rate=_place(spec.proprio),
        again=_films(drives[: config.again], "again"),
        jittered=_films(drives[: config.again], "jittered"),
        long=tuple(drive.episode for drive in driven),
        expert=lambda states: _expert(config.twin, states),
    )


def _films(drives: Sequence[Drive], name: str) -> Array | None:
    return np.stack([getattr(drive, name) for drive in drives]) if drives else None


def _expert(twin: str, states: Array) -> Array:
    driver = TWINS[twin].driver(STEADY, len(states))
    rows = range(len(states))
    driver.reset(rows, rows)
    return np.asarray(driver.act(rows, None, {"state": states})[:, 0], np.float32)


def short_clips(episodes: Sequence[Episode], context: int, horizon: int) -> Clips:
    """Some windows of each episode, and for each one that ended a window with the end in it, at a moment drawn."""
    rng, begins, owners = np.random.default_rng(0), [], []
    for episode in episodes:
        spare = len(episode) - context - 1
        found = rng.integers(0, spare + 1, _REWARD_WINDOWS).tolist()
        if episode.terminated:
            found.append(max(0, len(episode) - 1 - context - int(rng.integers(horizon))))
        begins += found
        owners += [episode] * len(found)
    return cut(owners, begins, context, horizon)


# --- from a data set -----------------------------------------------------------------------------------------------


def _of_data(config: EvidenceConfig) -> Evidence:
    dataset = Dataset(Path(config.data))
    episodes = [dataset.read(index) for index in dataset.indices()]
    owners, begins = _windows(episodes, config.context + config.horizon, config.drives)
    clips = _told_apart(cut(owners, begins, config.context, config.horizon))
    short, first = _windows(episodes, config.context + config.reward_horizon, 4 * config.drives)
    return Evidence(
        clips=clips,
        short=_told_apart(cut(short, first, config.context, config.reward_horizon)),
        probe=_probe_episodes(config),
        rate=dataset.spec.frames_per_second,
        yaw_rate=_place(dataset.spec.proprio),
    )


def _told_apart(clips: Clips) -> Clips:
    """With fewer than five drives each clip counts by itself: one long drive is all that some data sets hold."""
    return clips if len(np.unique(clips.town)) >= 5 else replace(clips, town=np.arange(len(clips)))


def _probe_episodes(config: EvidenceConfig) -> list[Episode]:
    if not config.probe_data:
        return []
    dataset = Dataset(Path(config.probe_data))
    return [dataset.read(index) for index in dataset.indices()[: config.probe_drives]]


def _windows(episodes: Sequence[Episode], length: int, most: int) -> tuple[list[Episode], list[int]]:
    """Windows that do not overlap, at most `most`, spread evenly over all there are; short episodes give one."""
    found = [(e, b) for e in episodes for b in range(0, max(1, len(e) - length + 1), length) if len(e) > length // 2]
    if not found:
        raise ValueError(f"no episode has {length // 2} frames: choose a shorter context or horizon")
    chosen = [found[int(i)] for i in np.linspace(0, len(found) - 1, min(most, len(found))).round()]
    return [episode for episode, _ in chosen], [begin for _, begin in chosen]


def _place(names: Sequence[str]) -> int | None:
    return names.index("yaw_rate_radps") if "yaw_rate_radps" in names else None
