"""The LeRobotDataset v3.0 layout: where files lie, what info.json says, what stands in the tables.

https://github.com/huggingface/lerobot, codebase_version v3.0. One data file and one video file an episode.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wmsim.data.video import CODECS

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as missing:
    raise ImportError("episodes need pyarrow: pip install 'wmsim[data]'") from missing

VERSION = "v3.0"
CHUNK = 1000
"""Files in one chunk folder."""
INFO, STATS, TASKS = "meta/info.json", "meta/stats.json", "meta/tasks.parquet"
EPISODES = "meta/episodes/chunk-000/file-000.parquet"
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"

_NOTES = b"wmsim"
_COUNTERS = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64"}
_STATISTICS = ("min", "max", "mean", "std", "count")


@dataclass(frozen=True)
class DatasetSpec:
    """What every episode of a dataset holds.

    size: (H, W) of the one camera. action, proprio, state: one name a number, with its unit. reward, termination:
    whether they are known; if not, there is no such column. domain: what the action means, "wheel" for example. low,
    high: bounds of the action, one number each, empty where they are not known; they are no part of what makes two
    specs equal. events: the names of what may be told, empty where nothing is; each row then has the caption told, ""
    for nothing, and the event's number in `events`, -1 for none.
    """

    frames_per_second: float
    size: tuple[int, int]
    action: tuple[str, ...]
    proprio: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    reward: bool = True
    termination: bool = True
    domain: str = ""
    camera: str = "front"
    codec: str = "ffv1"
    low: tuple[float, ...] = field(default=(), compare=False, repr=False)
    high: tuple[float, ...] = field(default=(), compare=False, repr=False)
    events: tuple[str, ...] = field(default=(), repr=False)

    @property
    def video_key(self) -> str:
        """The feature that the frames are, `observation.images.<camera>`."""
        return f"observation.images.{self.camera}"


# --- info.json -----------------------------------------------------------------------------------------------------


def features_of(spec: DatasetSpec) -> dict[str, Any]:
    """The `features` of info.json: column -> dtype, shape, names."""
    height, width = spec.size
    video = {
        "video.height": height,
        "video.width": width,
        "video.codec": spec.codec,
        "video.pix_fmt": CODECS[spec.codec].pixels,
        "video.is_depth_map": False,
        "video.fps": _number(spec.frames_per_second),
        "video.channels": 3,
        "has_audio": False,
    }
    features: dict[str, Any] = {
        spec.video_key: {
            "dtype": "video",
            "shape": [height, width, 3],
            "names": ["height", "width", "channels"],
            "info": video,
        }
    }
    vectors = {"action": spec.action, "observation.state": spec.proprio, "observation.world_state": spec.state}
    features |= {key: _feature("float32", names) for key, names in vectors.items() if names}
    if spec.low:
        features["action"]["info"] = {"low": list(spec.low), "high": list(spec.high)}
    features |= {"next.reward": _feature("float32")} if spec.reward else {}
    if spec.events:
        features |= {"event": _feature("string"), "event_index": _feature("int64")}
        features["event_index"]["info"] = {"events": list(spec.events)}
    if spec.termination:
        features |= {f"next.{name}": _feature("bool") for name in ("terminated", "truncated", "done")}
    features |= {"seed": _feature("int64")} | {key: _feature(dtype) for key, dtype in _COUNTERS.items()}
    return features | {"task_index": _feature("int64")}


def info_of(spec: DatasetSpec, episodes: int = 0, frames: int = 0, tasks: int = 0) -> dict[str, Any]:
    """The whole of info.json."""
    return {
        "codebase_version": VERSION,
        "robot_type": spec.domain or None,
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": tasks,
        "chunks_size": CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": _number(spec.frames_per_second),
        "splits": {"train": f"0:{episodes}"},
        "data_path": DATA,
        "video_path": VIDEO,
        "features": features_of(spec),
    }


def spec_of_info(info: dict[str, Any], path: Path) -> DatasetSpec:
    """The spec that an info.json written by `info_of` came from. ValueError names `path` when it is a foreign one."""
    features = info.get("features", {})
    videos = [key for key, feature in features.items() if feature.get("dtype") == "video"]
    if info.get("codebase_version") != VERSION or len(videos) != 1 or "action" not in features:
        found = f"version {info.get('codebase_version')!r}, {len(videos)} videos, columns {sorted(features)}"
        raise ValueError(f"{path} is no LeRobot {VERSION} dataset with one camera and an action: {found}")
    height, width, _ = features[videos[0]]["shape"]
    vectors = [features.get(key, {}).get("names") or () for key in ("observation.state", "observation.world_state")]
    bounds = features["action"].get("info") or {}
    return DatasetSpec(
        frames_per_second=float(info["fps"]),
        size=(height, width),
        action=tuple(features["action"]["names"]),
        proprio=tuple(vectors[0]),
        state=tuple(vectors[1]),
        reward="next.reward" in features,
        termination="next.terminated" in features,
        domain=info.get("robot_type") or "",
        camera=videos[0].removeprefix("observation.images."),
        codec=features[videos[0]]["info"]["video.codec"],
        low=tuple(bounds.get("low", ())),
        high=tuple(bounds.get("high", ())),
        events=tuple((features.get("event_index", {}).get("info") or {}).get("events", ())),
    )


def _feature(dtype: str, names: Sequence[str] = ()) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [len(names) or 1], "names": list(names) or None}


def _number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else float(value)


# --- tables --------------------------------------------------------------------------------------------------------


def data_path(episode: int) -> str:
    """Where the table of an episode lies, relative to the dataset."""
    return DATA.format(chunk_index=episode // CHUNK, file_index=episode % CHUNK)


def video_path(episode: int, key: str) -> str:
    """Where the video of an episode lies, relative to the dataset."""
    return VIDEO.format(video_key=key, chunk_index=episode // CHUNK, file_index=episode % CHUNK)


def table_bytes(columns: dict[str, np.ndarray], notes: dict[str, Any]) -> bytes:
    """A parquet file of the columns, (T,) or (T, D), with `notes` as JSON in its metadata.

    A column of width 1 is a plain number a row, as LeRobot has it.
    """
    arrays = {name: _arrow(values) for name, values in columns.items()}
    table = pa.table(arrays).replace_schema_metadata({_NOTES: json.dumps(notes)})
    return _parquet(table)


def read_table(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The columns, (T,) or (T, D), and the notes of a table. ValueError names a truncated or damaged file."""
    table = _read(path)
    return {name: _numpy(table[name]) for name in table.column_names}, _notes(table.schema, path)


def read_notes(path: Path) -> dict[str, Any]:
    """The notes of a table, without its columns. ValueError names a truncated or damaged file."""
    try:
        return _notes(pq.read_schema(path), path)
    except (pa.ArrowInvalid, pa.ArrowIOError) as fault:
        raise ValueError(_broken(path, fault)) from fault


def renumber(path: Path, start: int, task: int) -> bytes | None:
    """The file again with `index` counting from start and this task_index; None when it is so already."""
    table = _read(path)
    index = np.arange(start, start + len(table))
    tasks = np.full(len(table), task)
    if np.array_equal(_numpy(table["index"]), index) and np.array_equal(_numpy(table["task_index"]), tasks):
        return None
    for name, values in (("index", index), ("task_index", tasks)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values))
    return _parquet(table)


def tasks_bytes(tasks: Sequence[str]) -> bytes:
    """tasks.parquet: task_index with the text as the index that pandas restores."""
    texts = {"name": "task", "field_name": "task", "pandas_type": "unicode", "numpy_type": "object", "metadata": None}
    ids = {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64"}
    pandas = {"index_columns": ["task"], "columns": [ids | {"metadata": None}, texts], "pandas_version": "2.0.0"}
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks, pa.string())})
    return _parquet(table.replace_schema_metadata({b"pandas": json.dumps(pandas | {"column_indexes": []})}))


def rows_bytes(rows: Sequence[dict[str, Any]]) -> bytes:
    """A parquet file of plain rows."""
    return _parquet(pa.Table.from_pylist(list(rows)))


def _read(path: Path) -> Any:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True).read()
    except (pa.ArrowInvalid, pa.ArrowIOError) as fault:
        raise ValueError(_broken(path, fault)) from fault


def _broken(path: Path, fault: Exception) -> str:
    return f"the table {path} is truncated or damaged ({fault}); `repair` sets it aside"


def _notes(schema: Any, path: Path) -> dict[str, Any]:
    metadata = schema.metadata or {}
    if _NOTES not in metadata:
        raise ValueError(f"the table {path} was not written by wmsim: its metadata has no {_NOTES.decode()!r}")
    notes: dict[str, Any] = json.loads(metadata[_NOTES])
    return notes


def _arrow(values: np.ndarray) -> Any:
    if values.ndim == 1 or values.shape[1] == 1:
        return pa.array(values.reshape(-1))
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])


def _numpy(column: Any) -> np.ndarray:
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0)
    if not pa.types.is_fixed_size_list(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    flat = array.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat).reshape(len(array), array.type.list_size)


def _parquet(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True)
    return bytes(sink.getvalue().to_pybytes())


# --- statistics ----------------------------------------------------------------------------------------------------


def statistics_of(columns: dict[str, np.ndarray], frames: np.ndarray, key: str) -> dict[str, dict[str, Any]]:
    """Feature -> min, max, mean, std, count of one episode; the frames' are per channel in 0 .. 1, (3, 1, 1).

    Columns of text have none, as in LeRobot.
    """
    numbers = {name: values for name, values in columns.items() if values.dtype != object}
    found = {name: _statistics(values.reshape(len(values), -1)) for name, values in numbers.items()}
    return found | {key: _pixel_statistics(frames) | {"count": [len(frames)]}}


def _pixel_statistics(frames: np.ndarray) -> dict[str, Any]:
    """Of each channel in 0 .. 1, from its histogram: exact, and far faster than sums over all pixels."""
    counts = np.stack([np.bincount(frames[..., channel].ravel(), minlength=256) for channel in range(3)])
    levels, weight = np.arange(256) / 255, counts / counts.sum(1, keepdims=True)
    mean = weight @ levels
    std = np.sqrt((weight * (levels - mean[:, None]) ** 2).sum(1))
    low, high = (counts > 0).argmax(1) / 255, 1 - (counts[:, ::-1] > 0).argmax(1) / 255
    numbers = {"min": low, "max": high, "mean": mean, "std": std}
    return {name: number.reshape(3, 1, 1).tolist() for name, number in numbers.items()}


def _statistics(values: np.ndarray) -> dict[str, Any]:
    numbers = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    return {name: number.astype(np.float64).tolist() for name, number in numbers.items()} | {"count": [len(values)]}


def merge_statistics(episodes: Sequence[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The statistics of all episodes together (parallel variance, Chan et al. 1979)."""
    return {key: _merge([episode[key] for episode in episodes]) for key in episodes[0]} if episodes else {}


def _merge(parts: list[dict[str, Any]]) -> dict[str, Any]:
    stacked = {name: np.stack([np.asarray(part[name], np.float64) for part in parts]) for name in _STATISTICS}
    weight = stacked["count"].reshape(-1, *[1] * (stacked["mean"].ndim - 1)) / stacked["count"].sum()
    mean = (weight * stacked["mean"]).sum(0)
    variance = (weight * (stacked["std"] ** 2 + (stacked["mean"] - mean) ** 2)).sum(0)
    merged = {"min": stacked["min"].min(0), "max": stacked["max"].max(0), "mean": mean, "std": np.sqrt(variance)}
    return {name: value.tolist() for name, value in merged.items()} | {"count": [int(stacked["count"].sum())]}
