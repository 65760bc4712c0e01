"""Episodes on disk: what is written is read, other libraries read it too, and damage is named."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from wmsim.data import episodes, lerobot
from wmsim.data.episodes import Dataset, Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.video import CODECS, decode_video, encode_video

SPEC = DatasetSpec(16.0, (24, 32), ("steer", "drive"), ("speed_mps",), ("x_m", "y_m", "yaw_rad"), domain="wheel")


def an_episode(steps: int = 9, seed: int = 0, terminated: bool = True, task: str = "drive") -> Episode:
    rng = np.random.default_rng(seed)

    def numbers(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    frames = rng.integers(0, 255, (steps + 1, 24, 32, 3), dtype=np.uint8)
    vectors = (numbers(steps, 2), numbers(steps), numbers(steps + 1, 1), numbers(steps + 1, 3))
    return Episode(frames, *vectors, terminated, not terminated, seed, task, {"level": seed})


def a_dataset(root: Path, lengths: tuple[int, ...] = (9, 5, 7)) -> Dataset:
    dataset = episodes.create(root, SPEC)
    for index, steps in enumerate(lengths):
        episodes.write(dataset, index, an_episode(steps, index, task=f"task {index % 2}"))
    return dataset


def test_what_is_written_is_read_to_the_bit(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path)
    for index, steps in enumerate((9, 5, 7)):
        written, read = an_episode(steps, index, task=f"task {index % 2}"), dataset.read(index)
        for name in ("frames", "action", "reward", "proprio", "state"):
            np.testing.assert_array_equal(getattr(read, name), getattr(written, name), err_msg=name)
        assert (read.terminated, read.truncated, read.seed, read.notes) == (True, False, index, {"level": index})


def test_rows_tell_departures_and_the_last_row_took_no_action(tmp_path: Path) -> None:
    columns = a_dataset(tmp_path).columns(0)
    episode = an_episode()
    np.testing.assert_array_equal(columns["action"], np.vstack([episode.action, np.zeros((1, 2))]))
    np.testing.assert_array_equal(columns["next.reward"], np.append(episode.reward, 0))
    for name, ended in (("next.terminated", True), ("next.truncated", False), ("next.done", True)):
        assert columns[name].tolist() == [False] * 8 + [ended] * 2
    np.testing.assert_allclose(columns["timestamp"], np.arange(10) / 16)


def test_a_foreign_library_finds_the_layout_of_lerobot_v3(tmp_path: Path) -> None:
    """Reads as LeRobot does, by info.json's templates and the episodes table, with pyarrow and PyAV alone."""
    episodes.finalise(a_dataset(tmp_path))
    info = json.loads((tmp_path / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["fps"], info["robot_type"], info["splits"]) == (16, "wheel", {"train": "0:3"})
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (3, 24, 2)
    [key] = [name for name, feature in info["features"].items() if feature["dtype"] == "video"]
    rows = pq.read_table(tmp_path / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    tables = pq.ParquetDataset(sorted((tmp_path / "data").glob("*/*.parquet"))).read()
    assert tables["index"].to_pylist() == list(range(24))
    assert set(tables.column_names) == {name for name in info["features"] if name != key}
    for row in rows:
        place = {"chunk_index": row["data/chunk_index"], "file_index": row["data/file_index"]}
        assert (tmp_path / info["data_path"].format(**place)).is_file()
        assert row["dataset_to_index"] - row["dataset_from_index"] == row["length"]
        part = tables.slice(row["dataset_from_index"], row["length"])
        assert set(part["episode_index"].to_pylist()) == {row["episode_index"]}
        video = {name: row[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
        with av.open(str(tmp_path / info["video_path"].format(video_key=key, **video))) as container:
            times = [picture.time for picture in container.decode(video=0)]
        np.testing.assert_allclose(np.array(times) + row[f"videos/{key}/from_timestamp"], part["timestamp"], atol=1e-4)
        assert row[f"videos/{key}/to_timestamp"] == pytest.approx(row["length"] / 16)


def test_the_features_of_info_describe_the_columns(tmp_path: Path) -> None:
    episodes.finalise(a_dataset(tmp_path))
    features = json.loads((tmp_path / "meta/info.json").read_text())["features"]
    table = pq.read_table(tmp_path / "data/chunk-000/file-000.parquet")
    assert features["action"] == {"dtype": "float32", "shape": [2], "names": ["steer", "drive"]}
    for name in table.column_names:
        width = features[name]["shape"][0]
        kind = {"float32": "float", "int64": "int64", "bool": "bool"}[features[name]["dtype"]]
        wanted = kind if width == 1 else f"fixed_size_list<element: {kind}>[{width}]"
        assert str(table.schema.field(name).type) == wanted, name


def test_statistics_are_those_of_all_frames_together(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path)
    episodes.finalise(dataset)
    stats = json.loads((tmp_path / "meta/stats.json").read_text())
    frames = np.concatenate([dataset.frames(i) for i in range(3)]) / 255
    action = np.concatenate([dataset.columns(i)["action"] for i in range(3)])
    pixels = stats[SPEC.video_key]
    np.testing.assert_allclose(np.squeeze(pixels["mean"]), frames.mean((0, 1, 2)))
    np.testing.assert_allclose(np.squeeze(pixels["std"]), frames.std((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(np.squeeze(pixels["max"]), frames.max((0, 1, 2)))
    np.testing.assert_allclose(stats["action"]["std"], action.std(0), rtol=1e-5)
    np.testing.assert_allclose(stats["action"]["min"], action.min(0))
    assert stats["action"]["count"] == [24]


def test_a_thousand_files_fill_a_chunk(tmp_path: Path) -> None:
    dataset = episodes.create(tmp_path, SPEC)
    for index in (1234, 7):
        episodes.write(dataset, index, an_episode())
    assert (tmp_path / "data/chunk-001/file-234.parquet").is_file()
    assert dataset.indices() == [7, 1234]


def test_finalising_twice_changes_nothing(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path)
    episodes.finalise(dataset)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "data").rglob("*.parquet")}
    assert episodes.finalise(dataset) == 3
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before}


def test_an_episode_without_its_table_does_not_exist(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path)
    dataset.files(1)[0].unlink()
    assert dataset.indices() == [0, 2]
    with pytest.raises(FileNotFoundError, match="no episode 1"):
        dataset.read(1)
    assert episodes.finalise(dataset) == 2


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_file_is_named_and_set_aside(tmp_path: Path, which: int, damage: str) -> None:
    dataset = a_dataset(tmp_path)
    path = dataset.files(1)[which]
    content = bytearray(path.read_bytes())
    content[80 if which == 0 else len(content) // 2] ^= 0x40
    path.write_bytes(path.read_bytes()[:-40] if damage == "cut" else content)
    with pytest.raises(ValueError, match=f"{path.name} is truncated or damaged"):
        dataset.read(1)
    assert episodes.repair(dataset) == [1]
    assert (tmp_path / "broken" / path.relative_to(tmp_path)).is_file()
    assert dataset.indices() == [0, 2]


def test_a_full_disk_leaves_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = a_dataset(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"no room on the disk for .*file-003.*Finished episodes are kept") as caught:
        episodes.write(dataset, 3, an_episode())
    assert caught.value.errno == errno.ENOSPC
    assert dataset.indices() == [0, 1, 2]
    assert dataset.read(2).seed == 2
    assert not any((tmp_path / ".partial").iterdir())


def test_a_write_that_really_fails_leaves_no_file(tmp_path: Path) -> None:
    """The system itself refuses to let a file grow past 4 kB, in a process of its own."""
    dataset = a_dataset(tmp_path)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    program = (
        "import sys, pathlib, numpy as np\n"
        "from wmsim.data import episodes\n"
        f"dataset = episodes.Dataset(pathlib.Path({str(tmp_path)!r}))\n"
        "episode = dataset.read(0)\n"
        "episodes.write(dataset, 3, episode)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no room on the disk" in done.stderr
    assert "file-003.mp4" in done.stderr
    assert dataset.indices() == [0, 1, 2]
    assert not list((tmp_path / ".partial").iterdir())


def test_no_dataset_and_a_foreign_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no meta/info\.json"):
        _ = Dataset(tmp_path).spec
    (tmp_path / "meta").mkdir()
    (tmp_path / lerobot.INFO).write_text('{"codebase_version": "v2.1", "features": {}}')
    with pytest.raises(ValueError, match=r"version 'v2\.1'"):
        _ = Dataset(tmp_path).spec
    (tmp_path / lerobot.INFO).write_text('{"codebase_')
    with pytest.raises(ValueError, match=r"info\.json is truncated"):
        _ = Dataset(tmp_path).spec


def test_another_spec_may_not_be_mixed_in(tmp_path: Path) -> None:
    a_dataset(tmp_path)
    assert episodes.create(tmp_path, SPEC).spec == SPEC
    with pytest.raises(ValueError, match="holds other episodes"):
        episodes.create(tmp_path, DatasetSpec(16.0, (24, 32), ("steering",)))


def test_an_episode_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    dataset = episodes.create(
        tmp_path, DatasetSpec(16.0, (64, 64), ("steer", "drive"), ("speed_mps",), ("a", "b", "c"))
    )
    with pytest.raises(ValueError, match=r"frames of this episode has shape \(10, 24, 32, 3\)"):
        episodes.write(dataset, 0, an_episode())
    assert dataset.indices() == []


def test_what_is_not_known_has_no_column(tmp_path: Path) -> None:
    spec = DatasetSpec(20.0, (24, 32), ("steering",), reward=False, termination=False)
    dataset = episodes.create(tmp_path, spec)
    whole = an_episode()
    episodes.write(dataset, 0, Episode(whole.frames, whole.action[:, :1]))
    assert episodes.create(tmp_path, spec).spec == spec
    assert not [name for name in dataset.columns(0) if name.startswith("next.")]
    read = dataset.read(0)
    assert (read.reward, read.terminated, read.proprio, read.state) == (None, None, None, None)
    np.testing.assert_array_equal(read.action, whole.action[:, :1])


def test_ffv1_is_lossless_and_h264_nearly(tmp_path: Path) -> None:
    grid = np.linspace(0, 255, 64, dtype=np.uint8)
    frames = np.stack([np.stack([np.roll(grid, 2 * t)[None].repeat(64, 0)] * 3, -1) for t in range(20)])
    for codec, loudest in (("ffv1", 0), ("h264", 12)):
        path = tmp_path / f"{codec}.mp4"
        path.write_bytes(encode_video(frames, 16.0, codec))
        assert np.abs(decode_video(path, 20).astype(int) - frames).max() <= loudest
    with pytest.raises(ValueError, match="unknown video codec 'av1'"):
        encode_video(frames, 16.0, "av1")
    assert set(CODECS) == {"ffv1", "h264"}
