"""Which pixels of a later view show what an earlier view could not: newly seen, moving, or static.

Shape legend: H x W pixels. Camera axes are OpenCV's (x right, y down, z forward); `c2w` maps camera to world; metres.
Pixel (row 0, column 0) has its centre at (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

STATIC, MOVING, NEW = 0, 1, 2
"""Classes of `pixel_classes`."""

SKY_METRES = 1e4
"""Where a pixel without a surface is taken to lie: far enough that no step of the camera shows in it."""


@dataclass(frozen=True)
class View:
    """One rendered view: z-depth along the optical axis (not finite where there is sky), intrinsics, camera pose."""

    depth: Float[np.ndarray, "H W"]
    intrinsics: Float[np.ndarray, "3 3"]
    c2w: Float[np.ndarray, "4 4"]


def points_of(view: View) -> Float[np.ndarray, "H W 3"]:
    """World coordinates of what each pixel of `view` shows, sky at `SKY_METRES`."""
    rows, columns = np.indices(view.depth.shape) + 0.5
    depth = np.where(np.isfinite(view.depth), view.depth, SKY_METRES).clip(max=SKY_METRES)
    pixels = np.stack([columns, rows, np.ones_like(rows)], -1)
    rays = pixels @ np.linalg.inv(view.intrinsics).T
    return np.asarray((rays * depth[..., None]) @ view.c2w[:3, :3].T + view.c2w[:3, 3])


def project(
    points: Float[np.ndarray, "H W 3"], view: View
) -> tuple[Float[np.ndarray, "H W 2"], Float[np.ndarray, "H W"]]:
    """Pixel coordinates (column, row) and z-depth of world points as `view`'s camera sees them; z <= 0 lies behind."""
    seen = (points - view.c2w[:3, 3]) @ view.c2w[:3, :3]
    depth = seen[..., 2]
    image = seen @ view.intrinsics.T
    return np.asarray(image[..., :2] / np.where(depth == 0, 1e-9, depth)[..., None]), np.asarray(depth)


def newly_seen(later: View, earlier: View, slack: float = 0.05) -> Bool[np.ndarray, "H W"]:
    """Pixels of `later` whose point lay outside `earlier`'s image or behind what it showed there.

    A point counts as hidden when it lies more than `slack` of its depth (and 0.2 m) behind the farthest surface in
    the 3 x 3 pixels around its place: so edges and slanted ground are not taken for news.
    """
    height, width = earlier.depth.shape
    place, depth = project(points_of(later), earlier)
    inside = (depth > 0) & (place >= 0).all(-1) & (place < [width, height]).all(-1)
    column = place[..., 0].clip(0, width - 1).astype(int)
    row = place[..., 1].clip(0, height - 1).astype(int)
    shown = _farthest_around(earlier.depth)[row, column]
    hidden = depth > shown * (1 + slack) + 0.2
    return np.asarray(~inside | hidden)


def pixel_classes(
    later: View, earlier: View, moving: Bool[np.ndarray, "H W"], slack: float = 0.05
) -> UInt8[np.ndarray, "H W"]:
    """`MOVING` where `moving` says that the pixel shows a moving body, else `NEW` where newly seen, else `STATIC`."""
    classes = np.where(newly_seen(later, earlier, slack), NEW, STATIC)
    return np.where(moving, MOVING, classes).astype(np.uint8)


def _farthest_around(depth: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    surfaces = np.where(np.isfinite(depth), depth, np.inf)
    padded = np.pad(surfaces, 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    return np.asarray(windows.max((-2, -1)))
