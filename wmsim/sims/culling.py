"""Which rays matter: bounding boxes projected onto a grid of pixels, seen from a camera or from the sun.

Shape legend: G geoms, K of them, N points. Everything here is conservative: it never drops a ray that could hit.
"""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

_SIGNS = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
_EDGES = np.array([(i, i | bit) for bit in (1, 2, 4) for i in range(8) if not i & bit])
_NEAR = 0.05
_SUN_CELLS = 96


class Boxes:
    """World corners of the bounding boxes of a model's geoms; those of geoms that cannot move are computed once."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self._model = model
        body = model.geom_bodyid
        self._moving = np.flatnonzero((model.body_weldid[body] != 0) | (model.body_mocapid[body] >= 0))
        self._corners: Array | None = None

    def corners(self, data: mujoco.MjData) -> Array:
        """Corners (G, 8, 3)."""
        if self._corners is None:
            self._corners = self._compute(data, np.arange(self._model.ngeom))
        self._corners[self._moving] = self._compute(data, self._moving)
        return self._corners

    def _compute(self, data: mujoco.MjData, rows: NDArray[np.int64]) -> Array:
        box = self._model.geom_aabb[rows]
        local = box[:, None, :3] + _SIGNS * box[:, None, 3:]
        turned: Array = local @ data.geom_xmat[rows].reshape(-1, 3, 3).transpose(0, 2, 1) + data.geom_xpos[rows, None]
        return turned


def screen_cover(corners: Array, position: Array, rotation: Array, size: int, focal: float) -> Bools:
    """Pixels (size * size,) of a camera that any box (K, 8, 3) may reach; rotation is camera to world."""
    view = (corners - position) @ rotation
    whole = (view[..., 2] >= _NEAR).all(1)
    low, high = _extent(view[whole, :, :2] / view[whole, :, 2:])
    parts = [np.stack([low, high], 1)]
    behind = view[~whole & (view[..., 2] > _NEAR).any(1)]
    if len(behind):
        parts.append(_clipped(behind))
    bounds = np.concatenate(parts) * focal + size / 2
    return _fill(bounds[:, 0], bounds[:, 1], size).ravel()


def sun_cover(corners: Array, points: Array, origin: Array, sun: Array) -> Bools:
    """Points (N,) that some box (K, 8, 3) may hide from `origin`, a point far away in the direction `sun`."""
    side = np.cross(sun, (0.0, 0.0, 1.0) if abs(sun[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(sun, side), -sun])
    bounds, cell = [], []
    for at, box in zip(_seen(points - origin, axes), _seen(corners - origin, axes), strict=True):
        start = at.min()
        scale = (_SUN_CELLS - 2) / max(float(at.max() - start), 1e-9)
        bounds.append((box - start) * scale + 1)
        cell.append(((at - start) * scale + 1).astype(np.int64))
    low = np.stack([b.min(1) for b in bounds], 1)
    high = np.stack([b.max(1) for b in bounds], 1)
    found: Bools = _fill(low, high, _SUN_CELLS)[cell[1], cell[0]]
    return found


def _seen(offsets: Array, axes: Array) -> tuple[Array, Array]:
    """Where a far eye that looks along the third axis sees points (..., 3): two coordinates (...)."""
    x, y, z = (offsets @ axis for axis in axes)
    return x / z, y / z


def _extent(points: Array) -> tuple[Array, Array]:
    return points.min(1), points.max(1)


def _clipped(view: Array) -> Array:
    """Screen bounds (K, 2, 2) of boxes that reach behind the camera: their edges count up to the near plane."""
    a, b = view[:, _EDGES[:, 0]], view[:, _EDGES[:, 1]]
    rise = b[..., 2] - a[..., 2]
    part = np.clip((_NEAR - a[..., 2]) / np.where(rise == 0, 1e-9, rise), 0, 1)[..., None]
    cut = a + part * (b - a)
    ends = np.concatenate([np.where(p[..., 2:] < _NEAR, cut, p) for p in (a, b)], 1)
    front = (ends[..., 2] >= 0.999 * _NEAR)[..., None]
    screen = ends[..., :2] / np.maximum(ends[..., 2:], _NEAR)
    return np.stack([np.where(front, screen, np.inf).min(1), np.where(front, screen, -np.inf).max(1)], 1)


def _fill(low: Array, high: Array, size: int) -> Bools:
    """Cells (size, size), row first, that lie in any rectangle from low to high (K, 2), grown by one cell."""
    low = np.clip(np.floor(np.clip(low, -9, size + 9)) - 1, 0, size).astype(np.int64)
    high = np.clip(np.ceil(np.clip(high, -9, size + 9)) + 1, 0, size).astype(np.int64)
    keep = (low < high).all(1)
    (x0, y0), (x1, y1) = low[keep].T, high[keep].T
    side = size + 1
    count = np.bincount(np.concatenate([y0 * side + x0, y1 * side + x1]), minlength=side * side)
    count = count - np.bincount(np.concatenate([y0 * side + x1, y1 * side + x0]), minlength=side * side)
    total = count.astype(np.int32).reshape(side, side).cumsum(0, dtype=np.int32).cumsum(1, dtype=np.int32)
    covered: Bools = total[:size, :size] > 0
    return covered
