"""The ray renderer against analytic scenes: depth, ids, shadows, smooth edges, culling."""

from __future__ import annotations

import dataclasses

import mujoco
import numpy as np
import pytest

from wmsim.sims import raycast
from wmsim.sims.culling import Boxes, screen_cover, sun_cover
from wmsim.sims.ground import GroundMap
from wmsim.sims.raycast import CameraConfig, RayRenderer, Scene, intrinsics, pixel_rays
from wmsim.sims.shading import PATTERNS, Light, Materials, albedo

_LEVEL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Looking along +x, level: camera right is -y, camera down is -z."""


def _model(boxes: str) -> tuple[mujoco.MjModel, mujoco.MjData]:
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{boxes}</worldbody></mujoco>")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def _scene(count: int, ground: bool = True, **light: object) -> Scene:
    classes = np.full((64, 64), 3, np.uint8)
    palette = np.full((256, 3), 128, np.uint8)
    looks = Materials(
        np.tile([0.8, 0.2, 0.2], (count, 1)), np.zeros((count, 3)), np.zeros(count, np.int64), np.ones((count, 2)),
        np.arange(10, 10 + count, dtype=np.int32),
    )  # fmt: skip
    floor = GroundMap(classes, palette, 200.0) if ground else None
    return Scene(looks, Light(**light), floor, sky_label=7)  # type: ignore[arg-type]


_BOX = '<geom type="box" size="1 2 2" pos="11 0 2"/>'


def test_depth_labels_and_normals_of_a_known_scene() -> None:
    model, data = _model(_BOX)
    image = RayRenderer(model, _scene(1), CameraConfig(size=32, field_of_view=1.2)).draw(
        data, np.array([0, 0, 2.0]), _LEVEL
    )
    wall = image.label == 10
    assert wall[15, 15]
    assert wall[16, 16]
    np.testing.assert_allclose(image.depth[wall], 10.0, atol=1e-5)
    np.testing.assert_allclose(image.normals[wall], np.broadcast_to([-1.0, 0, 0], (wall.sum(), 3)), atol=1e-6)
    ground = image.label == 3
    rows = np.broadcast_to((np.arange(32) + 0.5)[:, None], (32, 32))
    focal = intrinsics(32, 1.2)[0, 0]
    np.testing.assert_allclose(image.depth[ground], 2.0 * focal / (rows[ground] - 16), rtol=1e-4)
    assert (image.label[0] == 7).all()
    assert np.isinf(image.depth[0]).all()


def test_intrinsics_project_rays_onto_their_pixels() -> None:
    rays = pixel_rays(16, 1.4)[:, 0]
    seen = rays @ intrinsics(16, 1.4).T
    columns = (seen[:, 0] / seen[:, 2]).reshape(16, 16)
    np.testing.assert_allclose(columns[3], np.arange(16) + 0.5, atol=1e-9)


def test_the_sun_casts_shadows_on_the_ground_and_none_when_they_are_off() -> None:
    model, data = _model(_BOX)
    low = np.array([0.6, 0.0, 0.8])
    scene = _scene(1, sun=tuple(low), haze=0.0)
    eye = np.array([0.0, 0.0, 4.0])
    lit = RayRenderer(model, scene, CameraConfig(size=64, shadows=False)).draw(data, eye, _LEVEL)
    shaded = RayRenderer(model, scene, CameraConfig(size=64)).draw(data, eye, _LEVEL)
    darker = shaded.colour.astype(int).sum(-1) < lit.colour.astype(int).sum(-1) - 30
    depth, (row, column) = shaded.depth, np.nonzero(darker & (shaded.label == 3))
    assert len(row) > 20
    # The box is 4 m high and the sun stands 53 degrees high behind it: its shadow is 3 m long and ends at x = 7.
    assert depth[row, column].min() > 6.5
    assert depth[row, column].max() < 13.5
    assert not darker[shaded.label == 10].any()


def test_supersampling_gives_edges_intermediate_colours() -> None:
    model, data = _model('<geom type="box" size="1 2 2" pos="11 0 2" euler="20 0 0"/>')
    eye = np.array([0, 0, 2.0])
    scene = _scene(1, haze=0.0)
    smooth = RayRenderer(model, scene, CameraConfig(size=32, shadows=False)).draw(data, eye, _LEVEL)
    rough = RayRenderer(model, scene, CameraConfig(size=32, shadows=False, supersample=False)).draw(data, eye, _LEVEL)

    def kinds(image: raycast.Image) -> int:
        return len(np.unique(image.colour[:, :, 0][(image.colour[:, :, 0] > 100)]))

    assert kinds(smooth) > kinds(rough)
    inside = np.abs(smooth.colour.astype(int) - rough.colour.astype(int)).max(-1)
    assert (inside == 0).mean() > 0.5
    assert inside.max() > 20


def test_rays_that_culling_skips_would_have_hit_nothing() -> None:
    rng = np.random.default_rng(4)
    boxes = "".join(
        f'<geom type="box" size="{rng.uniform(0.3, 5):.2f} {rng.uniform(0.3, 5):.2f} {rng.uniform(0.5, 6):.2f}" '
        f'pos="{rng.uniform(-40, 40):.2f} {rng.uniform(-40, 40):.2f} 2" euler="0 0 {rng.uniform(0, 90):.0f}"/>'
        for _ in range(60)
    )
    model, data = _model(boxes)
    corners = Boxes(model).corners(data)
    config = CameraConfig(size=48)
    eye, dip = np.array([0.0, 0.0, 9.0]), 0.6
    forward, right = np.array([np.cos(dip), 0.0, -np.sin(dip)]), np.array([0.0, -1.0, 0.0])
    for turn in (_LEVEL, np.stack([right, np.cross(forward, right), forward], 1)):
        near = screen_cover(corners, eye, turn, 48, intrinsics(48, config.field_of_view)[0, 0])
        rays = pixel_rays(48, config.field_of_view)[:, 0] @ turn.T
        hit, distance, normal = np.full(len(rays), -1, np.int32), np.zeros(len(rays)), np.zeros(3 * len(rays))
        mujoco.mj_multiRay(model, data, eye, rays.ravel(), None, 1, -1, hit, distance, normal, len(rays), 1e3)
        assert not (hit[~near] >= 0).any()
        assert (hit >= 0).sum() > 50
        assert (~near).any()


def test_points_that_the_sun_mask_clears_are_in_the_sun() -> None:
    model, data = _model(_BOX)
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.uniform(-25, 25, (4000, 2)) + np.array([8.0, 0.0]), np.zeros((4000, 1))], 1)
    sun = np.array([0.5, 0.5, 0.70710678])
    origin = points.mean(0) + 3000 * sun
    near = sun_cover(Boxes(model).corners(data), points, origin, sun)
    path = points - origin
    length = np.linalg.norm(path, axis=1)
    hit, distance = np.full(4000, -1, np.int32), np.zeros(4000)
    rays = np.ascontiguousarray(path / length[:, None]).ravel()
    mujoco.mj_multiRay(model, data, origin, rays, None, 1, -1, hit, distance, None, 4000, 1e4)
    blocked = (hit >= 0) & (distance < length - 0.02)
    assert blocked.sum() > 20
    assert not blocked[~near].any()
    assert near.mean() < 0.5


def test_a_scene_without_ground_shows_sky_below() -> None:
    model, data = _model(_BOX)
    image = RayRenderer(model, _scene(1, ground=False), CameraConfig(size=16)).draw(data, np.array([0, 0, 2.0]), _LEVEL)
    assert set(np.unique(image.label)) == {7, 10}


def test_haze_and_distance_pull_colours_to_the_horizon() -> None:
    model, data = _model('<geom type="box" size="1 30 30" pos="61 0 0"/>')
    clear = RayRenderer(model, _scene(1, haze=0.0), CameraConfig(size=16)).draw(data, np.array([0, 0, 2.0]), _LEVEL)
    thick = RayRenderer(model, _scene(1, haze=0.05), CameraConfig(size=16)).draw(data, np.array([0, 0, 2.0]), _LEVEL)
    horizon = np.array(Light().horizon) * 255
    wall = clear.label == 10

    def gap(image: raycast.Image) -> float:
        return float(np.abs(image.colour[wall] - horizon).mean())

    assert gap(thick) < 0.3 * gap(clear)


def test_patterns_fade_to_one_colour_where_a_pixel_outgrows_them() -> None:
    looks = dataclasses.replace(
        _scene(1).materials, pattern=np.array([PATTERNS.index("windows")]), period=np.array([[3.0, 3.0]])
    )
    rng = np.random.default_rng(0)
    local = np.stack([np.full(500, -5.0), rng.uniform(-4, 4, 500), rng.uniform(-3, 3, 500)], 1)
    normal, size = np.tile([-1.0, 0, 0], (500, 1)), np.tile([5.0, 5, 5], (500, 1))
    geom = np.zeros(500, np.int64)
    near = albedo(looks, geom, local, normal, size, np.full(500, 0.05))
    far = albedo(looks, geom, local, normal, size, np.full(500, 6.0))
    assert near[:, 0].std() > 0.2
    assert far[:, 0].std() < 0.05


def test_ground_map_means_edges_and_refuses_odd_sizes() -> None:
    classes = np.zeros((64, 64), np.uint8)
    classes[:, 32:] = 1
    palette = np.zeros((256, 3), np.uint8)
    palette[1] = 255
    ground = GroundMap(classes, palette, 32.0)
    points = np.array([[-8.0, 0.0], [8.0, 0.0], [0.0, 0.0], [500.0, 0.0]])
    wide = np.array([[0.0, 4.0]] * 4)
    got = ground.sample(points, np.array([[4.0, 0.0]] * 4), wide)[:, 0]
    np.testing.assert_allclose(got, [0, 1, 0.5, 1], atol=0.02)
    assert ground.class_at(points).tolist() == [0, 1, 1, 1]
    with pytest.raises(ValueError, match="power of two"):
        GroundMap(np.zeros((60, 60), np.uint8), palette, 10.0)
