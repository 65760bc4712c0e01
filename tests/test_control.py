"""Controls: round trips of every translator, their units and axes, and what a wrong shape is told."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from wmsim import control as c
from wmsim.control import KEYS, Control

COMBINATIONS = torch.tensor(list(itertools.product([False, True], repeat=4)))
PLAIN = COMBINATIONS[~(COMBINATIONS[:, 0] & COMBINATIONS[:, 2]) & ~(COMBINATIONS[:, 1] & COMBINATIONS[:, 3])]


def held(*names: str) -> torch.Tensor:
    return torch.tensor([name in names for name in KEYS])


# --- keys <-> wheel --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steer", [0.25, 0.5, 1.0])
def test_keys_come_back_from_the_wheel(steer: float) -> None:
    assert len(PLAIN) == 9
    assert torch.equal(c.wheel_to_keys(c.keys_to_wheel(PLAIN, steer)), PLAIN)


def test_opposite_keys_cancel() -> None:
    assert c.keys_to_wheel(held("forward", "backward")).tolist() == [0, 0]
    assert c.keys_to_wheel(held("left", "right")).tolist() == [0, 0]
    assert not c.wheel_to_keys(c.keys_to_wheel(held(*KEYS))).any()


def test_left_is_plus_and_forward_is_throttle() -> None:
    assert c.keys_to_wheel(held("left", "forward")).tolist() == [0.5, 1.0]
    assert c.keys_to_wheel(held("right", "backward")).tolist() == [-0.5, -1.0]


def test_keys_of_any_leading_axes() -> None:
    keys = PLAIN.expand(2, 3, *PLAIN.shape)
    assert torch.equal(c.wheel_to_keys(c.keys_to_wheel(keys)), keys)
    assert all(c.keyboard_space().contains(row.numpy().astype(np.int8)) for row in COMBINATIONS)


# --- wheel <-> trajectory --------------------------------------------------------------------------------------------


def grid(*axes: list[float]) -> list[torch.Tensor]:
    return list(torch.meshgrid(*(torch.tensor(axis) for axis in axes), indexing="ij"))


def test_the_wheel_comes_back_from_its_trajectory() -> None:
    """Steer and drive within 0.01 over all locks and drives, at every speed at which a tenth of a metre is covered."""
    locks, drives = [-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0], [-1.0, -0.5, -0.2, 0.0, 0.3, 0.6, 1.0]
    steer, drive, speed = grid(locks, drives, [2.0, 3.0, 6.0, 10.0, 15.0])
    wheel = torch.stack([steer, drive], -1)
    back = c.trajectory_to_wheel(c.wheel_to_trajectory(wheel, speed), speed)
    assert float((back - wheel).abs().max()) < 0.01


def test_a_straight_trajectory_comes_back_exactly() -> None:
    drive, speed = grid([-0.3, 0.0, 0.25, 1.0], [4.0, 8.0, 20.0])
    wheel = torch.stack([torch.zeros_like(drive), drive], -1)
    back = c.trajectory_to_wheel(c.wheel_to_trajectory(wheel, speed), speed)
    assert torch.allclose(back, wheel, atol=1e-4)


def test_waypoints_are_metres_a_quarter_of_a_second_apart() -> None:
    points = c.wheel_to_trajectory(torch.tensor([0.0, 0.0]), torch.tensor(8.0))
    assert points.shape == (c.WAYPOINTS, 2)
    assert torch.allclose(points[:, 0], 2.0 * torch.arange(1, 9))
    assert torch.allclose(points[:, 1], torch.zeros(8))


def test_a_held_wheel_drives_the_circle_of_the_bicycle() -> None:
    points = c.wheel_to_trajectory(torch.tensor([0.6, 0.0]), torch.tensor(6.0)).double()
    radius = c.WHEELBASE_METRES / math.tan(0.6 * c.MAX_WHEEL_ANGLE)
    assert (points[:, 1] > 0).all(), "plus is left"
    assert torch.allclose(torch.hypot(points[:, 0], points[:, 1] - radius), torch.tensor(radius).double(), rtol=1e-3)


def test_braking_stops_and_does_not_reverse() -> None:
    points = c.wheel_to_trajectory(torch.tensor([0.0, -1.0]), torch.tensor(4.0))
    assert (points[:, 0].diff() >= 0).all()
    assert float(points[-1, 0]) == pytest.approx(4.0**2 / (2 * 2 * c.MAX_ACCELERATION), rel=0.02)
    assert c.trajectory_to_wheel(points, torch.tensor(4.0)).tolist() == pytest.approx([0.0, -1.0], abs=0.02)


def test_any_trajectory_gives_a_wheel_in_range() -> None:
    points = torch.from_numpy(np.random.default_rng(0).uniform(-60, 60, (200, 8, 2)).astype(np.float32))
    wheel = c.trajectory_to_wheel(points, torch.full((200,), 5.0))
    assert all(c.wheel_space().contains(row.numpy()) for row in wheel)


# --- keys and look <-> camera ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [0.05, 0.1, 1.0])
def test_keys_and_look_come_back_from_the_camera_step(stride: float) -> None:
    looks = torch.tensor(list(itertools.product([-0.35, -0.1, 0.0, 0.2, 0.35], repeat=2)))
    keys, look = PLAIN[:, None].expand(-1, len(looks), -1), looks.expand(len(PLAIN), -1, -1)
    step = c.keys_look_to_camera(keys, look, stride)
    back, turned = c.camera_to_keys_look(step, stride)
    assert torch.equal(back, keys)
    assert torch.allclose(turned, look, atol=1e-6)


def test_a_camera_step_is_a_rigid_motion() -> None:
    look = torch.from_numpy(np.random.default_rng(1).uniform(-0.35, 0.35, (50, 2)))
    keys = PLAIN[torch.arange(50) % 9]
    step = c.keys_look_to_camera(keys, look)
    rotation = step[:, :3, :3]
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3).double().expand(50, 3, 3))
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(50).double())
    assert torch.equal(step[:, 3], torch.tensor([0.0, 0.0, 0.0, 1.0]).double().expand(50, 4))
    assert step.dtype == torch.float64


def test_camera_axes_are_opencv() -> None:
    ahead = c.keys_look_to_camera(held("forward"), torch.zeros(2))
    assert ahead[:3, 3].tolist() == pytest.approx([0, 0, 0.1])
    aside = c.keys_look_to_camera(held("right"), torch.zeros(2))
    assert aside[:3, 3].tolist() == pytest.approx([0.1, 0, 0])
    right = c.keys_look_to_camera(held("forward"), torch.tensor([math.pi / 2, 0.0]))
    assert right[:3, 2].tolist() == pytest.approx([1, 0, 0], abs=1e-6), "yaw + looks right"
    assert right[:3, 3].tolist() == pytest.approx([0.1, 0, 0], abs=1e-6), "turn first, then walk"
    down = c.rotation_of_look(torch.tensor([0.0, 0.3]))
    assert down[:, 2].tolist() == pytest.approx([0, math.sin(0.3), math.cos(0.3)]), "pitch + looks down (y down)"


def test_walking_stays_level_relative_to_the_turned_camera_and_opposites_cancel() -> None:
    both = c.keys_look_to_camera(held(*KEYS), torch.tensor([0.2, 0.0]))
    assert both[:3, 3].tolist() == [0, 0, 0]


def test_look_comes_back_from_its_rotation() -> None:
    look = torch.from_numpy(np.random.default_rng(2).uniform(-1.5, 1.5, (100, 2)))
    assert torch.allclose(c.look_of_rotation(c.rotation_of_look(look)), look)


# --- Control ---------------------------------------------------------------------------------------------------------


def test_spaces_have_the_shapes_of_one_frame() -> None:
    spaces = [c.wheel_space(), c.keyboard_space(), c.trajectory_space(), c.look_space(), c.camera_space()]
    assert [space.shape for space in spaces] == [(2,), (4,), (8, 2), (2,), (4, 4)]
    assert c.look_space(0.1).high.tolist() == pytest.approx([0.1, 0.1])


def test_of_wheel_adds_the_frame_axis() -> None:
    assert Control.of_wheel(np.zeros((3, 2), np.float64)).require("robot").shape == (3, 1, 2)
    chunk = Control.of_wheel(torch.zeros(3, 5, 2))
    assert chunk.require("robot").shape == (3, 5, 2)
    assert chunk.domain == "wheel"
    assert chunk.slots == 3


def test_wrong_shapes_are_told() -> None:
    with pytest.raises(ValueError, match=r"shape \(slots, D\) or \(slots, frames, D\), got \(2,\)"):
        Control.of_robot(np.zeros(2, np.float32), "arm")
    with pytest.raises(ValueError, match=r"a wheel control is \[steer, drive\], got 3 numbers"):
        Control.of_wheel(np.zeros((1, 3), np.float32))


def test_require_names_what_is_there() -> None:
    with pytest.raises(ValueError, match=r"takes 'buttons' controls, the control holds \['robot'\]"):
        Control.of_wheel(torch.zeros(1, 2)).require("buttons")
    with pytest.raises(ValueError, match="holds nothing"):
        Control().require("look")


def test_an_empty_control_speaks_for_no_slot() -> None:
    with pytest.raises(ValueError, match="the control is empty"):
        _ = Control().slots
    assert Control(event=("go", None)).slots == 2


def test_select_picks_rows_of_everything() -> None:
    control = Control(look=torch.arange(6.0).reshape(3, 1, 2), event=("a", None, "c"))
    picked = control.select([2, 0, 2])
    assert picked.require("look")[:, 0, 0].tolist() == [4, 0, 4]
    assert picked.event == ("c", "a", "c")
    assert picked.robot is None
