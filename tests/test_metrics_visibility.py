"""Newly seen, moving and static pixels in scenes whose answer is known by geometry."""

import numpy as np

from wmsim.metrics import MOVING, NEW, STATIC, View, newly_seen, pixel_classes
from wmsim.metrics.visibility import points_of, project

SIZE = 32
INTRINSICS = np.array([[SIZE / 2, 0, SIZE / 2], [0, SIZE / 2, SIZE / 2], [0, 0, 1.0]])
"""A field of view of 90 degrees."""


def pose(x=0.0, z=0.0, yaw=0.0):
    c2w = np.eye(4)
    c2w[:3, :3] = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    c2w[:3, 3] = [x, 0, z]
    return c2w


def wall(distance, **moved):
    return View(np.full((SIZE, SIZE), float(distance)), INTRINSICS, pose(**moved))


def block_before_wall(x=0.0):
    """A block 2 m away, from 0.5 m left of the axis to 0.5 m right, 1 m high and low; a wall 10 m away."""
    columns = np.arange(SIZE) + 0.5
    sideways = (columns - SIZE / 2) / (SIZE / 2) * 2 + x
    rows = np.abs(np.arange(SIZE) + 0.5 - SIZE / 2) / (SIZE / 2) * 2 <= 1
    block = rows[:, None] & (np.abs(sideways) <= 0.5)[None]
    return View(np.where(block, 2.0, 10.0), INTRINSICS, pose(x=x)), block


def test_points_and_projection_are_inverse():
    view = View(np.random.default_rng(0).uniform(1, 9, (SIZE, SIZE)), INTRINSICS, pose(x=3, z=-2, yaw=0.7))
    place, depth = project(points_of(view), view)
    rows, columns = np.indices((SIZE, SIZE)) + 0.5
    np.testing.assert_allclose(place, np.stack([columns, rows], -1), atol=1e-9)
    np.testing.assert_allclose(depth, view.depth)


def test_a_pixel_of_depth_two_straight_ahead_lies_two_metres_along_z():
    view = View(np.full((2, 2), 2.0), np.array([[1.0, 0, 0.5], [0, 1.0, 0.5], [0, 0, 1]]), pose(z=5))
    np.testing.assert_allclose(points_of(view)[0, 0], [0, 0, 7])


def test_nothing_is_new_without_moving_or_when_driving_on():
    assert not newly_seen(wall(10), wall(10)).any()
    assert not newly_seen(wall(6, z=4), wall(10)).any()


def test_driving_backwards_shows_the_border():
    new = newly_seen(wall(20, z=-10), wall(10))
    inner = np.zeros((SIZE, SIZE), bool)
    inner[8:24, 8:24] = True
    np.testing.assert_array_equal(new, ~inner)


def test_a_step_to_the_right_shows_the_right_edge():
    new = newly_seen(wall(10, x=2.5), wall(10))
    assert new[:, -4:].all()
    assert not new[:, :-4].any()


def test_turning_right_shows_new_sky_on_the_right_and_known_sky_stays_known():
    sky = np.full((SIZE, SIZE), np.inf)
    new = newly_seen(View(sky, INTRINSICS, pose(yaw=np.pi / 4)), View(sky, INTRINSICS, pose()))
    assert new[SIZE // 2, SIZE // 2 + 1 :].all()
    assert not new[SIZE // 2, : SIZE // 2].any()


def test_what_stood_behind_a_block_is_new():
    before, _ = block_before_wall()
    after, block = block_before_wall(x=1.5)
    new = newly_seen(after, before)
    wall_x = ((np.arange(SIZE) + 0.5 - SIZE / 2) / (SIZE / 2) * 10 + 1.5)[None]
    rows = np.abs(np.arange(SIZE) + 0.5 - SIZE / 2)[:, None] / (SIZE / 2) * 10
    well_inside = (np.abs(wall_x) < 1.5) & (rows < 4.0) & ~block
    well_outside = (np.abs(wall_x) > 3.2) & (np.abs(wall_x) < 9.0)
    assert well_inside.sum() >= 16
    assert new[well_inside].all()
    assert not (new & well_outside).any()
    assert not new[block].any()


def test_classes_put_moving_first():
    moving = np.zeros((SIZE, SIZE), bool)
    moving[:, -2:] = True
    moving[:, :2] = True
    classes = pixel_classes(wall(10, x=2.5), wall(10), moving)
    assert (classes[:, -2:] == MOVING).all()
    assert (classes[:, :2] == MOVING).all()
    assert (classes[:, -4:-2] == NEW).all()
    assert (classes[:, 2:-4] == STATIC).all()
