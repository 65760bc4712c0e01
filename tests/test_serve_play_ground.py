"""A line on the picture becomes a line on the ground, and the car follows it; the camera is the twin's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wmsim.control import Control
from wmsim.serve.play_ground import GROUNDS, Windscreen
from wmsim.serve.play_path import DrawnPath
from wmsim.sims.toy import ToyWorld


@pytest.mark.parametrize("name", sorted(GROUNDS))
def test_to_the_ground_and_back(name: str) -> None:
    ground = GROUNDS[name]
    points = np.random.default_rng(0).uniform([0.1, 0.6], [0.9, 1.0], (50, 2))
    np.testing.assert_allclose(ground.to_picture(ground.to_ground(points)), points, atol=1e-9)


def test_the_sky_is_no_ground() -> None:
    ground = GROUNDS["drive"]
    assert len(ground.to_ground(np.array([[0.5, 0.1], [0.5, 0.44]]))) == 0
    assert len(ground.to_picture(np.array([[-3.0, 0.0]]))) == 0


def test_left_is_left_and_far_is_up() -> None:
    x, y = GROUNDS["drive"].to_ground(np.array([[0.3, 0.9], [0.3, 0.6]])).T
    assert (y > 0).all()
    assert x[1] > x[0] > 0


def test_the_windscreen_is_the_twins_own() -> None:
    drive = pytest.importorskip("wmsim.sims.drive", reason="the twin needs MuJoCo")
    world, ground = drive.DriveWorld(size=16, outputs=("camera", "depth", "segmentation")), GROUNDS["drive"]
    assert isinstance(ground, Windscreen)
    try:
        info = world.reset([0], [3]).info
    finally:
        world.close()
    c2w = info["camera"][0, 0]
    assert c2w[2, 3] == pytest.approx(ground.height, abs=0.05)
    assert -c2w[2, 2] == pytest.approx(np.sin(ground.dip), abs=0.02)
    below = info["depth"][0, 0][14:, 4:12]
    rows, columns = np.mgrid[14:16, 4:12]
    points = np.stack([(columns.ravel() + 0.5) / 16, (rows.ravel() + 0.5) / 16], 1)
    ahead = ground.to_ground(points)[:, 0] - ground.ahead
    # Depth lies along the camera's axis: it is tilted by the dip against the way ahead.
    depth = np.cos(ground.dip) * ahead + np.sin(ground.dip) * ground.height
    np.testing.assert_allclose(below.ravel(), depth, rtol=0.06)


def test_too_short_a_line_is_told() -> None:
    with pytest.raises(ValueError, match="on the ground"):
        DrawnPath(np.zeros((0, 2)))
    with pytest.raises(ValueError, match="shorter than a metre"):
        DrawnPath(np.array([[0.2, 0.0], [0.4, 0.0]]))


@pytest.mark.parametrize("bend", [-0.12, 0.0, 0.12])
def test_the_toy_car_follows_a_bend(bend: float) -> None:
    world = ToyWorld(outputs=("state",), size=8)
    step = world.reset([0], [11])
    x = np.arange(0.5, 7.0, 0.25)
    path = DrawnPath(np.stack([x, bend * x**2], 1))
    begun, frames = step.info["state"][0][:3], 0
    while not path.done:
        speed, _rate = step.proprio[0, -1].tolist()
        step = world.step([0], Control.of_wheel(torch.tensor([path.wheel(speed)])))
        path.move(*step.proprio[0, -1].tolist(), 1 / 16)
        frames += 1
        assert frames < 200
    moved = step.info["state"][0][:2] - begun[:2]
    turn = np.array([[np.cos(begun[2]), np.sin(begun[2])], [-np.sin(begun[2]), np.cos(begun[2])]])
    ahead, left = turn @ moved
    assert ahead > 4.5
    assert left == pytest.approx(bend * ahead**2, abs=0.8)
