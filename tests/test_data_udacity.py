"""The real car drive: frames and angles meet, the crop is what it says, mistakes in the folder are named."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wmsim.data.cache import open_cache
from wmsim.data.udacity import LABELS, VIDEO, UdacityConfig, read_angles, read_udacity
from wmsim.data.video import read_video

FIXTURE = Path(__file__).parent / "fixtures" / "udacity"
WHOLE = Path(os.environ.get("WMSIM_SHARED", "../shared")) / "data" / "udacity_drive"


def a_copy(root: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, root / "drive", ignore=shutil.ignore_patterns("*.md", "*.txt")))


def test_the_fixture_is_small_and_bears_its_licences() -> None:
    files = [path for path in FIXTURE.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    assert sum("MIT" in path.read_text() for path in files if path.name.startswith("LICENSE")) == 2


def test_frames_and_angles_meet(tmp_path: Path) -> None:
    dataset = read_udacity(UdacityConfig(FIXTURE, tmp_path, pieces=4))
    spec, angles = dataset.spec, read_angles(FIXTURE / LABELS)
    assert (spec.frames_per_second, spec.size, spec.action, spec.domain) == (
        20,
        (64, 64),
        ("steering_wheel",),
        "steering",
    )
    assert (spec.reward, spec.termination, spec.proprio) == (False, False, ())
    assert angles.std() > 0.01
    whole = [Image.fromarray(picture) for picture in read_video(FIXTURE / VIDEO)]
    for index in range(4):
        episode = dataset.read(index)
        assert (len(episode), episode.reward, episode.terminated) == (16, None, None)
        np.testing.assert_array_equal(episode.action[:, 0], angles[16 * index : 16 * index + 15])
        cropped = whole[16 * index + 5].crop((60, 40, 260, 240)).resize((64, 64), Image.Resampling.HAMMING)
        np.testing.assert_array_equal(episode.frames[5], np.asarray(cropped))


def test_the_last_pieces_are_the_end_of_the_drive(tmp_path: Path) -> None:
    read_udacity(UdacityConfig(FIXTURE, tmp_path, size=32, pieces=5))
    cache = open_cache(tmp_path, progress=False)
    train, test = cache.split(0.2, seed=None)
    assert (train.frame_count, test.episode_start.tolist(), cache.frames.shape) == (48, [48], (60, 32, 32, 3))
    assert (cache.reward, cache.terminated) == (None, None)
    angles = read_angles(FIXTURE / LABELS)
    np.testing.assert_array_equal(cache.action[48:, 0], [0, *angles[48:59]])


def test_reading_again_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = UdacityConfig(FIXTURE, tmp_path, pieces=4)
    read_udacity(config)
    monkeypatch.setattr("wmsim.data.udacity.read_video", None)
    assert read_udacity(config).indices() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"other settings \(pieces 4 -> 2\)"):
        read_udacity(dataclasses.replace(config, pieces=2))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no .*labels\.csv: the drive is drive_320x240_20fps\.mp4 and labels"):
        read_udacity(UdacityConfig(tmp_path, tmp_path / "set"))
    folder = a_copy(tmp_path)
    (folder / VIDEO).unlink()
    with pytest.raises(FileNotFoundError, match=r"no video .*drive_320x240_20fps\.mp4"):
        read_udacity(UdacityConfig(folder, tmp_path / "set"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "steering_wheel_angle_rad",
            "angle",
            r"needs the columns frame and steering_wheel_angle_rad, it has \['frame'",
        ),
        ("\n7,", "\n8,", r"row 7 of .* is of frame '8'"),
    ],
)
def test_labels_of_another_form_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    labels = a_copy(tmp_path) / LABELS
    labels.write_text(labels.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        read_angles(labels)


def test_an_angle_that_is_no_number_and_a_label_too_few(tmp_path: Path) -> None:
    folder = a_copy(tmp_path)
    lines = (folder / LABELS).read_text().splitlines()
    (folder / LABELS).write_text("\n".join([*lines[:3], "2,0,left,0"]))
    with pytest.raises(ValueError, match=r"an angle that is no number: .*left"):
        read_angles(folder / LABELS)
    (folder / LABELS).write_text("\n".join(lines[:-1]))
    with pytest.raises(ValueError, match="64 frames and 63 labels"):
        read_udacity(UdacityConfig(folder, tmp_path / "set", pieces=2))
    with pytest.raises(ValueError, match="63 frames make no 40 episodes"):
        read_udacity(UdacityConfig(folder, tmp_path / "set", pieces=40))


@pytest.mark.skipif(not WHOLE.is_dir(), reason=f"the whole drive is not at {WHOLE}: set WMSIM_SHARED")
def test_the_whole_drive_has_the_labels_it_should() -> None:
    angles = read_angles(WHOLE / LABELS)
    assert len(angles) == 4600
    assert angles.min() == pytest.approx(-0.878, abs=1e-3)
    assert angles.max() == pytest.approx(0.950, abs=1e-3)
