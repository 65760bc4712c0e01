"""The frames of one dataset or several as memory-mapped arrays, built once and opened at once.

Shape legend: N frames of all E episodes one after another, H x W pixels; D action, P proprio, S world state width.
Everything is in ARRIVAL convention: row t has frame t, the action that led INTO it (zeros at an episode's first frame)
and the reward and the end that arrived with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8

from wmsim.data.episodes import Dataset
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.progress import Meter

VERSION = 1
"""Of the cache's layout: a cache of another version is built anew."""

ARRAYS = ("frames", "action", "proprio", "state", "reward", "terminated", "told")
"""The arrays of a `Cache` that have one row a frame."""

_COLUMNS = {
    "action": "action",
    "proprio": "observation.state",
    "state": "observation.world_state",
    "reward": "next.reward",
    "terminated": "next.terminated",
}
_EPISODES = ("episode_start", "episode_length", "episode_seed")
_NAME = re.compile(r"[0-9a-f]{16}")

Roots = str | Path | Sequence[str | Path]
"""The folder of a dataset, or those of several that are read as one."""


@dataclass(frozen=True)
class Cache:
    """All frames of a dataset as memory-mapped arrays; opening it reads nothing.

    frames: (N, H, W, 3) uint8. action: (N, D). proprio: (N, P). state: (N, S). reward: (N,) and terminated: (N,) bool,
    None where the recording does not know them. episode_start, episode_length, episode_seed: (E,) int64.
    told: (N,) int32, which of `captions` was told with the action that led into each row, -1 for none; None where
    nothing ever is told. captions: each wording with the number of its event in spec.events.
    """

    spec: DatasetSpec
    frames: UInt8[np.ndarray, "N H W 3"]
    action: Float32[np.ndarray, "N D"]
    proprio: Float32[np.ndarray, "N P"]
    state: Float32[np.ndarray, "N S"]
    reward: Float32[np.ndarray, " N"] | None
    terminated: Bool[np.ndarray, " N"] | None
    episode_start: Int64[np.ndarray, " E"]
    episode_length: Int64[np.ndarray, " E"]
    episode_seed: Int64[np.ndarray, " E"]
    told: Int32[np.ndarray, " N"] | None = None
    captions: tuple[tuple[str, int], ...] = ()

    @property
    def episodes(self) -> int:
        """How many episodes this cache, or this part of it, speaks of."""
        return len(self.episode_start)

    @property
    def frame_count(self) -> int:
        """How many frames the episodes have together."""
        return int(self.episode_length.sum())

    def episode(self, index: int) -> slice:
        """The rows of the index-th episode of this part."""
        start = int(self.episode_start[index])
        return slice(start, start + int(self.episode_length[index]))

    def select(self, episodes: Sequence[int] | np.ndarray) -> Cache:
        """The same arrays with only some of the episodes."""
        chosen = np.asarray(episodes, np.int64)
        return replace(self, **{name: getattr(self, name)[chosen] for name in _EPISODES})

    def shortened(self, frames: int) -> Cache:
        """The first `frames` frames of every episode, or all that it has; the arrays stay whole."""
        return replace(self, episode_length=np.minimum(self.episode_length, frames))

    def best(self, share: float) -> Cache:
        """The `share`, over 0 to 1, of the episodes that have the highest mean reward a frame, at least one.

        ValueError: another share, or a recording that knows no reward.
        """
        if not 0 < share <= 1:
            raise ValueError(f"the share of best episodes lies in 0 .. 1 and is not 0, got {share}")
        if self.reward is None:
            raise ValueError("no rewards were recorded, so none of the episodes is best: take all, a share of 1")
        means = np.array([self.reward[self.episode(index)].mean() for index in range(self.episodes)])
        order = np.argsort(-means, kind="stable")
        return self.select(np.sort(order[: max(1, round(share * self.episodes))]))

    def split(self, test: float = 0.1, seed: int | None = 0) -> tuple[Cache, Cache]:
        """Train and test part, by whole episodes, at least one each.

        test: the share of the episodes, 0 .. 1. seed: shuffles which; None takes the last ones.
        """
        if not 0 < test < 1 or self.episodes < 2:
            raise ValueError(f"a split takes a share in 0 .. 1 and 2 episodes, got {test} of {self.episodes}")
        order = np.arange(self.episodes) if seed is None else np.random.default_rng(seed).permutation(self.episodes)
        cut = self.episodes - min(max(round(test * self.episodes), 1), self.episodes - 1)
        return self.select(np.sort(order[:cut])), self.select(np.sort(order[cut:]))


def open_cache(
    root: Roots, folder: str | Path | None = None, workers: int | None = None, progress: bool = True
) -> Cache:
    """The cache of the dataset at `root`, built when there is none or the dataset has changed since.

    root: several, such as those of different drivers, become one, in that order. folder: where it lies, <root>/cache by
    default; that of several lies in <the first root>/cache/joined. workers: threads that decode, by default one a core.
    Of several, each may have been told other events, or nothing ever. ValueError: no episode, a truncated or damaged
    file, by its name, or datasets that do not hold the same.
    """
    datasets = [Dataset(Path(each)) for each in ([root] if isinstance(root, str | Path) else root)]
    spec = _joined(datasets)
    place = Path(folder) if folder else datasets[0].root / ("cache/joined" if len(datasets) > 1 else "cache")
    ready = place / fingerprint(*datasets)
    if not (ready / "meta.json").is_file():
        _build(datasets, spec, ready, workers or os.cpu_count() or 1, progress)
    return load_cache(ready)


def _joined(datasets: list[Dataset]) -> DatasetSpec:
    """What all of them hold, and the events that any of them knows."""
    if not datasets:
        raise ValueError("no dataset to open: name one folder or several")
    first = datasets[0]
    for other in datasets:
        for part in fields(DatasetSpec):
            ours, theirs = getattr(first.spec, part.name), getattr(other.spec, part.name)
            if ours != theirs and part.name not in ("codec", "events"):
                raise ValueError(
                    f"datasets are read as one only if they hold the same: {part.name} is {ours} in {first.root} and "
                    f"{theirs} in {other.root}"
                )
    return replace(first.spec, events=tuple(dict.fromkeys(event for each in datasets for event in each.spec.events)))


def fingerprint(*datasets: Dataset) -> str:
    """A name that changes when any file of any episode does."""
    digest = hashlib.sha256()
    for dataset in datasets:
        digest.update(f"{VERSION} {dataset.spec}".encode())
        for index in dataset.indices():
            for path in dataset.files(index):
                state = path.stat()
                digest.update(f"{path.name} {state.st_size} {state.st_mtime_ns}".encode())
    return digest.hexdigest()[:16]


def load_cache(folder: str | Path) -> Cache:
    """Map a cache that lies ready in `folder`."""
    folder = Path(folder)
    meta = json.loads((folder / "meta.json").read_text())
    spec = meta["spec"]
    captions = tuple((text, event) for text, event in meta.get("captions", ()))
    names = ("size", "action", "proprio", "state", "low", "high", "events")
    spec = DatasetSpec(**spec | {name: tuple(spec.get(name, ())) for name in names})

    def mapped(name: str) -> Any:
        path = folder / f"{name}.npy"
        return np.load(path, mmap_mode="r") if path.is_file() else None

    episodes = {name: np.array(mapped(name)) for name in _EPISODES}
    return Cache(spec, **{name: mapped(name) for name in ARRAYS}, **episodes, captions=captions)


def _build(datasets: list[Dataset], spec: DatasetSpec, ready: Path, workers: int, progress: bool) -> None:
    """Write the arrays beside their place, then rename: a cache is there whole or not at all."""
    episodes: list[tuple[Dataset, int]] = []
    for dataset in datasets:
        if not (indices := dataset.indices()):
            raise ValueError(f"{dataset.root} has no episode yet: record some with `wmsim record`")
        episodes += [(dataset, index) for index in indices]
    notes = [dataset.notes(index) for dataset, index in episodes]
    lengths = np.array([note["length"] for note in notes], np.int64)
    starts = np.cumsum(lengths) - lengths
    partial = ready.with_name(f"{ready.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        seeds = np.array([note["seed"] for note in notes], np.int64)
        for name, values in zip(_EPISODES, (starts, lengths, seeds), strict=True):
            np.save(partial / f"{name}.npy", values)
        captions = _captions(episodes, spec.events)
        arrays = _allocate(partial, spec, int(lengths.sum()))
        number = {(text, spec.events[event]): row for row, (text, event) in enumerate(captions)}
        _fill(episodes, starts, arrays, number, workers, progress)
        meta = {"version": VERSION, "spec": asdict(spec), "captions": captions}
        (partial / "meta.json").write_text(json.dumps(meta, indent=2))
        for old in ready.parent.iterdir():
            if old != ready and _NAME.fullmatch(old.name) and (old / "meta.json").is_file():
                shutil.rmtree(old, ignore_errors=True)
        _rename(partial, ready)
    except OSError as fault:
        raise OSError(
            fault.errno, f"cannot build the cache {ready}: {fault.strerror}. No episode was touched"
        ) from fault
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _rename(partial: Path, ready: Path) -> None:
    try:
        partial.replace(ready)
    except OSError:
        if not (ready / "meta.json").is_file():  # else another process was faster: what it built is the same
            raise


def _captions(episodes: list[tuple[Dataset, int]], events: tuple[str, ...]) -> list[tuple[str, int]]:
    """Every wording that was told, with the number in `events` of its event, in order."""
    told = {pair for dataset, index in episodes for pair in _tellings(dataset, dataset.columns(index)) if pair}
    return sorted((text, events.index(event)) for text, event in told)


def _tellings(dataset: Dataset, columns: Mapping[str, np.ndarray]) -> list[tuple[str, str] | None]:
    """Wording and event of every row of an episode, None where nothing was told."""
    if not (names := dataset.spec.events):
        return [None] * len(next(iter(columns.values())))
    pairs = zip(columns["event"], columns["event_index"].tolist(), strict=True)
    return [(str(text), names[event]) if event >= 0 else None for text, event in pairs]


def _allocate(folder: Path, spec: DatasetSpec, count: int) -> dict[str, np.ndarray]:
    shapes: dict[str, tuple[tuple[int, ...], Any]] = {
        "frames": ((count, *spec.size, 3), np.uint8),
        "action": ((count, len(spec.action)), np.float32),
        "proprio": ((count, len(spec.proprio)), np.float32),
        "state": ((count, len(spec.state)), np.float32),
    }
    shapes |= {"reward": ((count,), np.float32)} if spec.reward else {}
    shapes |= {"terminated": ((count,), np.bool_)} if spec.termination else {}
    shapes |= {"told": ((count,), np.int32)} if spec.events else {}
    return {name: _mapped_file(folder / f"{name}.npy", shape, kind) for name, (shape, kind) in shapes.items()}


def _mapped_file(path: Path, shape: tuple[int, ...], kind: Any) -> np.ndarray:
    if 0 in shape:
        np.save(path, np.zeros(shape, kind))
        return np.zeros(shape, kind)
    array = np.lib.format.open_memmap(path, "w+", kind, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:  # a full disk must show now: later, a write through the map kills the process
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _fill(
    episodes: list[tuple[Dataset, int]],
    starts: np.ndarray,
    arrays: dict[str, np.ndarray],
    number: Mapping[tuple[str, str], int],
    workers: int,
    progress: bool,
) -> None:
    meter = Meter("caching frames", len(arrays["frames"]), "frames", shown=progress)
    with meter, ThreadPoolExecutor(workers) as pool:
        pairs = zip(episodes, starts, strict=True)
        jobs = [pool.submit(_copy, *episode, int(start), arrays, number) for episode, start in pairs]
        try:
            for job in jobs:
                meter.advance(job.result())
        finally:
            pool.shutdown(cancel_futures=True)


def _copy(
    dataset: Dataset, index: int, start: int, arrays: dict[str, np.ndarray], number: Mapping[tuple[str, str], int]
) -> int:
    """Put one episode into its rows; what is known at departure moves one row on, to where it arrives."""
    columns, frames = dataset.columns(index), dataset.frames(index)
    rows = slice(start, start + len(frames))
    arrays["frames"][rows] = frames
    for name, column in _COLUMNS.items():
        if column in columns:
            values = columns[column].reshape(len(frames), *arrays[name].shape[1:])
            arrays[name][rows] = values if name in ("proprio", "state") else _arrived(values)
    if "told" in arrays:
        told = [-1, *(-1 if pair is None else number[pair] for pair in _tellings(dataset, columns))]
        arrays["told"][rows] = told[:-1]
    return len(frames)


def _arrived(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values[:1]), values[:-1]])
