"""Reads Udacity's real car drive (an mp4 and a table of steering angles) into episodes of our layout.

Its frames come 20 a second; the one control is the steering wheel. It tells no speed, no reward and no end.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image

from wmsim.data import episodes
from wmsim.data.episodes import Dataset, Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.video import read_video

VIDEO, LABELS, ANGLE = "drive_320x240_20fps.mp4", "labels.csv", "steering_wheel_angle_rad"
FRAMES_PER_SECOND = 20.0
FULL_ANGLE = 1.0
"""Radians at the steering wheel where the action is 1 (+ = left); the drive has -0.88 to 0.95."""


@dataclass(frozen=True)
class UdacityConfig:
    """How to read the drive.

    folder: holds the video and labels.csv. out: the dataset. size: of the square frames. box: left, top, right, bottom
    in the 320x240 picture, by default a square without the upper sky. pieces: the drive is cut into so many episodes
    of equal length, so that `Cache.split(0.2, seed=None)` gives the first 80 % and the last 20 %.
    """

    folder: str | Path
    out: str | Path
    size: int = 64
    box: tuple[int, int, int, int] = (60, 40, 260, 240)
    pieces: int = 10


def read_udacity(config: UdacityConfig) -> Dataset:
    """Write the drive as a dataset; pieces that are there already stay.

    FileNotFoundError: no video or labels in the folder. ValueError: labels of another form, or not one a frame.
    """
    angles = read_angles(Path(config.folder) / LABELS)
    length = len(angles) // config.pieces
    if config.pieces < 1 or length < 2:
        raise ValueError(f"{len(angles)} frames make no {config.pieces} episodes of 2 frames or more")
    spec = DatasetSpec(
        FRAMES_PER_SECOND,
        (config.size, config.size),
        ("steering_wheel",),
        reward=False,
        termination=False,
        domain="steering",
    )
    settings = {"folder": "udacity", "pieces": config.pieces, "box": asdict(config)["box"]}
    dataset = episodes.create(Path(config.out), spec, settings)
    if len(dataset.indices()) < config.pieces:
        frames = np.stack([*_frames(Path(config.folder) / VIDEO, config)])
        if len(frames) != len(angles):
            raise ValueError(f"{config.folder} has {len(frames)} frames and {len(angles)} labels: one belongs to each")
        for index in range(config.pieces):
            rows = slice(index * length, (index + 1) * length)
            action = angles[rows][:-1, None] / np.float32(FULL_ANGLE)
            episodes.write(dataset, index, Episode(frames[rows], action, truncated=True, task="drive along CA-92"))
        episodes.finalise(dataset)
    return dataset


def read_angles(path: Path) -> Float32[np.ndarray, " T"]:
    """The steering wheel's angle at each frame, in radians, + = left. ValueError names what is wrong in the file."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: the drive is {VIDEO} and {LABELS} in one folder")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"frame", ANGLE} <= rows[0].keys():
        raise ValueError(f"{path} needs the columns frame and {ANGLE}, it has {list(rows[0]) if rows else 'no rows'}")
    late = next((k for k, row in enumerate(rows) if row["frame"] != str(k)), None)
    if late is not None:
        raise ValueError(f"row {late} of {path} is of frame {rows[late]['frame']!r}: row k belongs to frame k")
    try:
        return np.array([float(row[ANGLE]) for row in rows], np.float32)
    except ValueError as fault:
        raise ValueError(f"{path} has an angle that is no number: {fault}") from fault


def _frames(path: Path, config: UdacityConfig) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    for picture in read_video(path):
        crop = Image.fromarray(picture).crop(config.box)
        yield np.asarray(crop.resize((config.size, config.size), Image.Resampling.HAMMING))
