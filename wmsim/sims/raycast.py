"""The renderer of every twin: MuJoCo casts the rays, numpy shades them; no GL, the same frame on every machine.

Shape legend: H = W = S pixels, P = S*S pixels, N samples, G geoms. World axes z up; camera axes OpenCV (x right,
y down, z forward). Rays go through pixel centres; pixels where the geom, its normal or a shadow changes are drawn
again from 2 x 2 rays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import mujoco
import numpy as np
from numpy.typing import NDArray

from wmsim.sims.atmosphere import Air, headlight, mirrored, rained
from wmsim.sims.culling import Boxes, screen_cover, sun_cover
from wmsim.sims.ground import GroundMap
from wmsim.sims.shading import Light, Materials, albedo, glow, haze, lit, mottle, sky

Array = NDArray[np.float64]
Ints = NDArray[np.int32]

SKY, GROUND = -1, -2
"""Ids beside the geoms' own, 0 .. G - 1."""

_SEEN, _CASTS, _HIDDEN = 0, 1, 5
_SUN_METRES = 3000.0


@dataclass(frozen=True)
class CameraConfig:
    """size: pixels a side; field of view in radians, the same across and down; far: metres that rays go."""

    size: int = 64
    field_of_view: float = 1.4
    far: float = 160.0
    shadow_metres: float = 70.0
    supersample: bool = True
    shadows: bool = True


@dataclass(frozen=True)
class Image:
    """colour (S, S, 3) uint8; depth (S, S) float32, metres along the optical axis, inf for sky; label (S, S) int32,
    segmentation; normals (S, S, 3) float32 in world axes, 0 for sky."""

    colour: NDArray[np.uint8]
    depth: NDArray[np.float32]
    label: Ints
    normals: NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """What a renderer must know beside the model. sky_label: id of the sky in segmentation; ground None: no ground."""

    materials: Materials
    light: Light
    ground: GroundMap | None
    sky_label: int = 0


@runtime_checkable
class Renderer(Protocol):
    """What draws a view: `RayRenderer`, or `gl.GlRenderer` where there is OpenGL."""

    def draw(self, data: mujoco.MjData, position: Array, rotation: Array, air: Air | None = None) -> Image:
        """The view from `position` (3,) with camera-to-world `rotation` (3, 3), OpenCV axes; air None: as the scene."""
        ...

    def close(self) -> None:
        """Give back what the renderer holds."""
        ...


@dataclass
class _Samples:
    """Surface points: rays, hit id, distance, normal, position and shadow of N samples."""

    rays: Array
    hit: Ints
    distance: Array
    normal: Array
    point: Array
    shadow: Array


def intrinsics(size: int, field_of_view: float) -> Array:
    """The 3 x 3 OpenCV camera matrix K of a square pinhole image; pixel centres lie at half integers."""
    focal = size / 2 / np.tan(field_of_view / 2)
    return np.array([[focal, 0, size / 2], [0, focal, size / 2], [0, 0, 1.0]])


def pixel_rays(size: int, field_of_view: float, factor: int = 1) -> Array:
    """Unit rays (S*S, factor**2, 3) in camera axes through factor x factor even points of each pixel."""
    matrix = intrinsics(size, field_of_view)
    inside = (np.arange(factor) + 0.5) / factor
    row, column = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    v, u = np.meshgrid(inside, inside, indexing="ij")
    x = (column.reshape(-1, 1) + u.reshape(1, -1) - matrix[0, 2]) / matrix[0, 0]
    y = (row.reshape(-1, 1) + v.reshape(1, -1) - matrix[1, 2]) / matrix[1, 1]
    rays = np.stack([x, y, np.ones_like(x)], -1)
    unit: Array = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return unit


class RayRenderer:
    """Draws a model from any camera. It owns the model's geom groups: one renderer for a model at a time.

    A ray's cost grows with all geoms of the model, seen or not: give it a model of what is to be seen and no more.
    """

    def __init__(self, model: mujoco.MjModel, scene: Scene, config: CameraConfig) -> None:
        self._model, self._scene, self._config = model, scene, config
        self._boxes, self._casters = Boxes(model), np.zeros((0, 8, 3))
        self._one = pixel_rays(config.size, config.field_of_view)[:, 0]
        self._four = pixel_rays(config.size, config.field_of_view, 2)
        self._pixel = 2 * np.tan(config.field_of_view / 2) / config.size
        self._radius = np.where(model.geom_rbound > 0, model.geom_rbound, 1e3)
        labels = scene.materials.label
        self._light, self._forward = scene.light, np.zeros(3)
        self._air: Air | None = None
        self._label_of = np.concatenate([labels, [0, scene.sky_label]]).astype(np.int32)

    def draw(self, data: mujoco.MjData, position: Array, rotation: Array, air: Air | None = None) -> Image:
        """The view from `position` (3,) with camera-to-world `rotation` (3, 3), OpenCV axes; air None: as the scene."""
        self._air, self._light, self._forward = air, air.light if air else self._scene.light, rotation[:, 2]
        self._cull(data, position, rotation[:, 2])
        corners = self._boxes.corners(data)
        seen = corners[self._model.geom_group == _SEEN]
        near = screen_cover(seen, position, rotation, self._config.size, 1 / self._pixel)
        self._casters = corners[self._model.geom_group != _HIDDEN]
        first = self._trace(data, position, self._one @ rotation.T, near)
        edges = self._edges(first) if self._config.supersample else np.zeros(len(first.hit), bool)
        calm, rough = np.flatnonzero(~edges), np.flatnonzero(edges)
        rays = self._four[rough].reshape(-1, 3) @ rotation.T
        second = self._trace(data, position, rays, np.repeat(near[rough], 4))
        width = np.repeat([self._pixel, self._pixel / 2], [len(calm), len(rays)])
        shades = self._shade(data, _join(first, calm, second), width)
        colour = np.empty((len(first.hit), 3))
        colour[calm] = shades[: len(calm)]
        a, b, c, d = (shades[len(calm) + i :: 4] for i in range(4))
        colour[rough] = (a + b + c + d) / 4
        return self._image(colour, first)

    def close(self) -> None:
        """Nothing to give back."""

    # --- rays ------------------------------------------------------------------------------------------------------

    def _cull(self, data: mujoco.MjData, position: Array, forward: Array) -> None:
        """Put geoms that no ray can need into a group that rays skip."""
        offset = data.geom_xpos - position
        ahead = offset @ forward
        distance = np.sqrt((offset * offset).sum(1))
        seen = (ahead > -self._radius) & (distance - self._radius < self._config.far)
        # Half a right angle more than the view's diagonal would still be safe; the bounding sphere adds to it.
        seen &= (distance < 3 * self._radius) | (ahead + 2 * self._radius > 0.45 * distance)
        casts = distance - self._radius < self._config.shadow_metres
        group = np.where(seen, _SEEN, np.where(casts, _CASTS, _HIDDEN))
        self._model.geom_group[:] = group

    def _cast(
        self, data: mujoco.MjData, origin: Array, rays: Array, groups: tuple[int, ...], far: float, normals: bool
    ) -> tuple[Ints, Array, Array]:
        count = len(rays)
        hit, distance, normal = np.full(count, -1, np.int32), np.zeros(count), np.zeros(3 * count)
        mask = np.zeros(6, np.uint8)
        mask[list(groups)] = 1
        mujoco.mj_multiRay(
            self._model, data, origin, np.ascontiguousarray(rays).ravel(), mask, 1, -1, hit, distance,
            normal if normals else None, count, far,
        )  # fmt: skip
        return hit, distance, normal.reshape(-1, 3)

    def _trace(self, data: mujoco.MjData, position: Array, rays: Array, near: NDArray[np.bool_]) -> _Samples:
        hit, distance, normal = np.full(len(rays), SKY, np.int32), np.zeros(len(rays)), np.zeros((len(rays), 3))
        rows = np.flatnonzero(near)
        if len(rows):
            found = self._cast(data, position, rays[rows], (_SEEN,), self._config.far, True)
            hit[rows], distance[rows], normal[rows] = found
        distance = np.where(hit >= 0, distance, np.inf)
        if self._scene.ground is not None:
            down = np.minimum(rays[:, 2], -1e-9)
            plane = np.where(rays[:, 2] < -1e-4, -position[2] / down, np.inf)
            below = plane < distance
            hit[below], distance[below], normal[below] = GROUND, plane[below], (0.0, 0.0, 1.0)
        reach = np.where(np.isfinite(distance), distance, 0.0)
        point = position + rays * reach[:, None]
        return _Samples(rays, hit, distance, normal, point, self._shadow(data, hit, reach, normal, point))

    def _shadow(self, data: mujoco.MjData, hit: Ints, reach: Array, normal: Array, point: Array) -> Array:
        """1 where the sun is hidden (N,). Rays run from the sun, a point far away, so that one call casts them all."""
        shadow = np.zeros(len(hit))
        sun = np.asarray(self._light.sun)
        rows = np.flatnonzero((hit != SKY) & (normal @ sun > 0) & (reach < self._config.shadow_metres))
        if not self._config.shadows or not len(rows):
            return shadow
        anchor = point[rows].mean(0)
        origin = anchor + sun * _SUN_METRES
        raised = point[rows] + normal[rows] * 0.02
        near = sun_cover(self._casters, raised, origin, sun)
        rows, path = rows[near], raised[near] - origin
        if not len(rows):
            return shadow
        length = np.sqrt((path * path).sum(1))
        rays = path / length[:, None]
        blocker, distance, _ = self._cast(data, origin, rays, (_SEEN, _CASTS), 2 * _SUN_METRES, False)
        shadow[rows] = (blocker >= 0) & (distance < length - 0.02)
        # Fading out with distance hides the end of the shadows' reach.
        return shadow * np.clip(4 - 4 * reach / self._config.shadow_metres, 0, 1)

    def _edges(self, first: _Samples) -> NDArray[np.bool_]:
        """Pixels (P,) whose geom, normal or shadow differs from a neighbour's."""
        size = self._config.size
        facing = np.round(first.normal @ np.array([1.0, 2.0, 4.0]), 1)
        facing = np.where(self._round(first.hit), 0.0, facing)
        key = first.hit * 1000.0 + facing * 20 + (first.shadow > 0)
        key = key.reshape(size, size)
        edge = np.zeros((size, size), bool)
        across, down = key[:, 1:] != key[:, :-1], key[1:] != key[:-1]
        edge[:, 1:] |= across
        edge[:, :-1] |= across
        edge[1:] |= down
        edge[:-1] |= down
        return edge.ravel()

    def _round(self, hit: Ints) -> NDArray[np.bool_]:
        box = np.concatenate([self._model.geom_type == mujoco.mjtGeom.mjGEOM_BOX, [True, True]])
        smooth: NDArray[np.bool_] = ~box[hit]
        return smooth

    # --- colours ---------------------------------------------------------------------------------------------------

    def _shade(self, data: mujoco.MjData, s: _Samples, pixel: Array) -> Array:
        """Colours (N, 3) of samples whose pixels are `pixel` (N,) wide at one metre."""
        light = self._light
        colour = np.empty((len(s.hit), 3))
        void = np.flatnonzero(s.hit == SKY)
        colour[void] = sky(light, s.rays[void])
        for rows, paint in ((np.flatnonzero(s.hit >= 0), self._solid), (np.flatnonzero(s.hit == GROUND), self._floor)):
            if len(rows):
                part = _pick(s, rows)
                colour[rows] = haze(light, paint(data, part, pixel[rows]), part.rays, part.distance)
        return colour

    def _solid(self, data: mujoco.MjData, s: _Samples, pixel: Array) -> Array:
        """Light (N, 3) that geoms send to the camera, before the haze."""
        geom = s.hit.astype(np.int64)
        turn = data.geom_xmat[geom].reshape(-1, 3, 3)
        local = np.einsum("nji,nj->ni", turn, s.point - data.geom_xpos[geom])
        normal = np.einsum("nji,nj->ni", turn, s.normal)
        place = (self._scene.materials, geom, local, normal, self._model.geom_size[geom], s.distance * pixel)
        look = albedo(*place)
        bare = lit(self._light, look, s.normal, s.shadow)
        if self._air is not None:
            bare += look * headlight(self._air, s.rays, s.normal, s.distance, self._forward)
            bare += self._air.lamps * glow(*place)
        return bare

    def _floor(self, data: mujoco.MjData, s: _Samples, pixel: Array) -> Array:
        """The same of the ground."""
        assert self._scene.ground is not None
        flat = s.rays[:, :2] / np.maximum(np.hypot(s.rays[:, 0], s.rays[:, 1]), 1e-9)[:, None]
        half = (0.5 * pixel * s.distance)[:, None]
        minor = half * np.stack([-flat[:, 1], flat[:, 0]], 1)
        major = flat * half / np.maximum(-s.rays[:, 2:], 0.01)
        colour = self._scene.ground.sample(s.point[:, :2], minor, major)
        look = colour * (1 + 0.06 * mottle(s.point[:, 0], s.point[:, 1]))[:, None]
        if self._air is None:
            return lit(self._light, look, s.normal, s.shadow)
        look *= 1 - 0.5 * self._air.wet
        bare = lit(self._light, look, s.normal, s.shadow)
        bare += look * headlight(self._air, s.rays, s.normal, s.distance, self._forward)
        return mirrored(self._air, bare, s.rays)

    def _image(self, colour: Array, first: _Samples) -> Image:
        size = self._config.size
        depth = first.distance * np.tile(self._one[:, 2], 1)
        label = self._label_of[first.hit]
        floor = np.flatnonzero(first.hit == GROUND)
        if self._scene.ground is not None:
            label[floor] = self._scene.ground.class_at(first.point[floor, :2])
        picture = colour.reshape(size, size, 3)
        if self._air is not None and self._air.rain:
            picture = rained(self._air, picture)
        return Image(
            np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8),
            depth.astype(np.float32).reshape(size, size),
            label.reshape(size, size),
            first.normal.astype(np.float32).reshape(size, size, 3),
        )


def _pick(s: _Samples, rows: NDArray[np.int64]) -> _Samples:
    return _Samples(s.rays[rows], s.hit[rows], s.distance[rows], s.normal[rows], s.point[rows], s.shadow[rows])


def _join(a: _Samples, rows: NDArray[np.int64], b: _Samples) -> _Samples:
    pairs = ((getattr(a, f.name)[rows], getattr(b, f.name)) for f in fields(_Samples))
    return _Samples(*(np.concatenate(pair) for pair in pairs))
