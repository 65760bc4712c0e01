"""Episodes on disk: written whole or not at all, found again, checked, and summed up for other libraries.

Shape legend: T actions, so T + 1 frames of H x W pixels; D action width, P proprio width, S world state width.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from wmsim.data import lerobot
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.video import decode_video, encode_video

SETTINGS = "meta/recording.json"
_DATA_NAME = re.compile(r"chunk-(\d+)/file-(\d+)\.parquet$")
_PARTIAL = ".partial"


@dataclass(frozen=True)
class Episode:
    """One episode of T actions: frame t + 1 and reward t follow from frame t under action t.

    frames: (T + 1, H, W, 3) uint8. action: (T, D). reward: (T,) or None where it is not known. proprio: (T + 1, P).
    state: (T + 1, S). terminated: whether the last action ended it; None where ends are not known. truncated: whether
    it was cut there. event, caption: what was told with each action, by its name and in which words, "" for nothing, T
    each; None where nothing ever is. notes: anything JSON can hold, kept with the episode.
    """

    frames: UInt8[np.ndarray, "frames H W 3"]
    action: Float32[np.ndarray, "T D"]
    reward: Float32[np.ndarray, " T"] | None = None
    proprio: Float32[np.ndarray, "frames P"] | None = None
    state: Float32[np.ndarray, "frames S"] | None = None
    terminated: bool | None = None
    truncated: bool = False
    seed: int = 0
    task: str = ""
    notes: dict[str, Any] = field(default_factory=dict)
    event: tuple[str, ...] | None = None
    caption: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Dataset:
    """A folder of episodes in the LeRobot v3 layout; see docs/data.md."""

    root: Path

    @cached_property
    def spec(self) -> DatasetSpec:
        """What each episode holds. FileNotFoundError, ValueError: no dataset of this layout."""
        path = self.root / lerobot.INFO
        if not path.is_file():
            raise FileNotFoundError(f"{self.root} is no dataset: it has no {lerobot.INFO}; `wmsim record` makes one")
        try:
            return lerobot.spec_of_info(json.loads(path.read_text()), path)
        except json.JSONDecodeError as fault:
            raise ValueError(f"{path} is truncated or damaged ({fault})") from fault

    def indices(self) -> list[int]:
        """The episodes there are: those that have both files, in order."""
        found = (_DATA_NAME.search(path.as_posix()) for path in (self.root / "data").glob("*/*.parquet"))
        numbers = [int(match[1]) * lerobot.CHUNK + int(match[2]) for match in found if match]
        return sorted(index for index in numbers if self.files(index)[1].is_file())

    def files(self, index: int) -> tuple[Path, Path]:
        """The table and the video of an episode, there or not."""
        video = lerobot.video_path(index, self.spec.video_key)
        return self.root / lerobot.data_path(index), self.root / video

    def notes(self, index: int) -> dict[str, Any]:
        """length, seed, task, terminated, truncated, statistics and notes of an episode; its frames are not read."""
        return lerobot.read_notes(self._present(index))

    def columns(self, index: int) -> dict[str, np.ndarray]:
        """The table of one episode as arrays, T + 1 rows."""
        return lerobot.read_table(self._present(index))[0]

    def frames(self, index: int) -> UInt8[np.ndarray, "frames H W 3"]:
        """The frames of one episode. ValueError names a truncated or damaged video."""
        notes = self.notes(index)
        return decode_video(self.files(index)[1], notes["length"], notes["checksum"])

    def read(self, index: int) -> Episode:
        """One whole episode. FileNotFoundError: there is none; ValueError names a truncated or damaged file."""
        columns, notes, spec = self.columns(index), self.notes(index), self.spec
        vectors = {name: columns[name].reshape(notes["length"], -1) for name in columns if name in _VECTORS}
        return Episode(
            frames=self.frames(index),
            action=vectors["action"][:-1],
            reward=columns["next.reward"][:-1] if spec.reward else None,
            proprio=vectors.get("observation.state"),
            state=vectors.get("observation.world_state"),
            event=tuple(("", *spec.events)[1 + i] for i in columns["event_index"][:-1]) if spec.events else None,
            caption=tuple(map(str, columns["event"][:-1])) if spec.events else None,
            **{name: notes[name] for name in ("terminated", "truncated", "seed", "task", "notes")},
        )

    def _present(self, index: int) -> Path:
        path = self.files(index)[0]
        if not path.is_file():
            raise FileNotFoundError(f"{self.root} has no episode {index}")
        return path


_VECTORS = ("action", "observation.state", "observation.world_state")


def create(root: Path, spec: DatasetSpec, settings: dict[str, Any] | None = None) -> Dataset:
    """The dataset at `root`, begun if it is not there. ValueError when it was begun with another spec or settings.

    settings: what else decides which episodes come out, in plain JSON; kept beside info.json.
    """
    dataset, settings = Dataset(Path(root)), json.loads(json.dumps(settings or {}, default=str))
    _same_settings(dataset.root, settings)
    if not (dataset.root / lerobot.INFO).is_file():
        store(dataset.root, lerobot.INFO, _json(lerobot.info_of(spec)))
    elif dataset.spec != spec:
        raise ValueError(f"{root} holds other episodes: {dataset.spec}; asked for {spec}. Choose another folder")
    store(dataset.root, SETTINGS, _json(settings))
    return dataset


def _same_settings(root: Path, settings: dict[str, Any]) -> None:
    if not (root / SETTINGS).is_file():
        return
    before = json.loads((root / SETTINGS).read_text())
    other = [key for key in settings if before.get(key) != settings[key]]
    if other:
        changes = ", ".join(f"{key} {before.get(key)!r} -> {settings[key]!r}" for key in other)
        raise ValueError(f"{root} was begun with other settings ({changes}): choose another folder")


def write(dataset: Dataset, index: int, episode: Episode) -> None:
    """Put one episode on disk: its video, then its table, each under its name only when it is complete.

    ValueError: shapes that do not fit the spec. OSError: a full disk; what was finished before stays as it was.
    """
    spec = dataset.spec
    columns = columns_of(episode, spec, index)
    notes = {name: getattr(episode, name) for name in ("seed", "task", "terminated", "truncated", "notes")}
    notes["length"] = len(episode)
    notes["statistics"] = lerobot.statistics_of(columns, episode.frames, spec.video_key)
    video = encode_video(episode.frames, spec.frames_per_second, spec.codec)
    notes["checksum"] = zlib.crc32(video)
    store(dataset.root, lerobot.video_path(index, spec.video_key), video)
    store(dataset.root, lerobot.data_path(index), lerobot.table_bytes(columns, notes))


def columns_of(episode: Episode, spec: DatasetSpec, index: int) -> dict[str, np.ndarray]:
    """The table of an episode: row t has the action taken at frame t and what came next; the last row took none.

    In the last row the action and the reward are 0 and the flags repeat how the episode ended.
    """
    length = len(episode)
    columns = {"action": _last(_fits("action", episode.action, (length - 1, len(spec.action))))}
    for name, values, names in (
        ("observation.state", episode.proprio, spec.proprio),
        ("observation.world_state", episode.state, spec.state),
    ):
        if names:
            columns[name] = _fits(name, values, (length, len(names)))
    _fits("frames", episode.frames, (length, *spec.size, 3))
    if spec.reward:
        columns["next.reward"] = _last(_fits("reward", episode.reward, (length - 1,)))
    if spec.termination:
        columns |= _ends(episode)
    if spec.events:
        columns |= _told(episode, spec)
    columns["seed"] = np.full(length, episode.seed, np.int64)
    counted = np.arange(length)
    columns["timestamp"] = (counted / spec.frames_per_second).astype(np.float32)
    columns |= {"frame_index": counted, "episode_index": np.full(length, index), "index": counted}
    return columns | {"task_index": np.zeros(length, np.int64)}


def _ends(episode: Episode) -> dict[str, np.ndarray]:
    if episode.terminated is None:
        raise ValueError("this dataset declares terminations: an episode's `terminated` must be True or False")
    last = np.arange(len(episode)) >= len(episode) - 2
    flags = {"terminated": episode.terminated, "truncated": episode.truncated}
    flags["done"] = episode.terminated or episode.truncated
    return {f"next.{name}": last & flag for name, flag in flags.items()}


def _told(episode: Episode, spec: DatasetSpec) -> dict[str, np.ndarray]:
    event, caption = episode.event or (), episode.caption or ()
    if len(event) != len(episode) - 1 or len(caption) != len(event):
        found = f"{len(event)} and {len(caption)}"
        raise ValueError(f"events and captions go with the {len(episode) - 1} actions of an episode, got {found}")
    alien = sorted({name for name in event if name} - set(spec.events))
    if alien:
        raise ValueError(f"event {alien[0]!r} is none of this dataset's: {', '.join(spec.events)}")
    numbers = [spec.events.index(name) if name else -1 for name in event]
    return {"event": np.array([*caption, ""], object), "event_index": np.array([*numbers, -1], np.int64)}


def _fits(name: str, values: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    if values is None or values.shape != shape:
        found = None if values is None else values.shape
        raise ValueError(f"the {name} of this episode has shape {found}, the dataset's spec asks for {shape}")
    return values


def _last(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, np.zeros_like(values, shape=(1, *values.shape[1:]))])


# --- keeping what is finished --------------------------------------------------------------------------------------


def store(root: Path, name: str, content: bytes) -> None:
    """Write root/name whole or not at all: a temporary file, flushed to the disk, then renamed.

    OSError says which file there was no room for; whatever bore the name before is untouched.
    """
    path, partial = root / name, root / _PARTIAL / f"{name.replace('/', '_')}.{os.getpid()}"
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)  # noqa: PTH105 -- one call that a test can make fail
    except OSError as fault:
        partial.unlink(missing_ok=True)
        raise _explained(fault, path) from fault


def _explained(fault: OSError, path: Path) -> OSError:
    if fault.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return fault
    text = f"no room on the disk for {path}: {fault.strerror}. Finished episodes are kept; free space and run again"
    return OSError(fault.errno, text)


def finalise(dataset: Dataset) -> int:
    """Rebuild meta/ and the running numbers in the tables from the episodes there are; returns how many.

    Needed before another library reads the dataset; ours reads it without. Calling it twice changes nothing.
    """
    indices = dataset.indices()
    notes = {index: dataset.notes(index) for index in indices}
    tasks = sorted({note["task"] for note in notes.values()})
    rows, start = [], 0
    for index in indices:
        note = notes[index]
        _renumber(dataset, index, start, tasks.index(note["task"]))
        rows.append(_row(dataset.spec, index, start, note))
        start += note["length"]
    if rows:
        store(dataset.root, lerobot.EPISODES, lerobot.rows_bytes(rows))
    store(dataset.root, lerobot.TASKS, lerobot.tasks_bytes(tasks))
    statistics = lerobot.merge_statistics([note["statistics"] for note in notes.values()])
    store(dataset.root, lerobot.STATS, _json(statistics))
    store(dataset.root, lerobot.INFO, _json(lerobot.info_of(dataset.spec, len(indices), start, len(tasks))))
    shutil.rmtree(dataset.root / _PARTIAL, ignore_errors=True)
    return len(indices)


def _renumber(dataset: Dataset, index: int, start: int, task: int) -> None:
    content = lerobot.renumber(dataset.files(index)[0], start, task)
    if content is not None:
        store(dataset.root, lerobot.data_path(index), content)


def _row(spec: DatasetSpec, index: int, start: int, note: dict[str, Any]) -> dict[str, Any]:
    place = {"chunk_index": index // lerobot.CHUNK, "file_index": index % lerobot.CHUNK}
    video = place | {"from_timestamp": 0.0, "to_timestamp": note["length"] / spec.frames_per_second}
    row = {"episode_index": index, "tasks": [note["task"]], "length": note["length"]}
    row |= {f"data/{name}": value for name, value in place.items()}
    row |= {"dataset_from_index": start, "dataset_to_index": start + note["length"]}
    row |= {f"videos/{spec.video_key}/{name}": value for name, value in video.items()}
    row |= {name: note[name] for name in ("seed", "terminated", "truncated")}
    for feature, numbers in note["statistics"].items():
        row |= {f"stats/{feature}/{name}": value for name, value in numbers.items()}
    return row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}


def repair(dataset: Dataset) -> list[int]:
    """Read every episode in full and move those that are truncated or damaged to `broken/`; returns their numbers.

    Recording again with the same settings makes them anew.
    """
    broken = []
    for index in dataset.indices():
        try:
            dataset.read(index)
        except ValueError:
            broken.append(index)
            for path in dataset.files(index):
                aside = dataset.root / "broken" / path.relative_to(dataset.root)
                aside.parent.mkdir(parents=True, exist_ok=True)
                path.replace(aside)
    return broken


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()
