"""A painted ground plane: a colour map with its pyramid, sampled without aliasing from hit points and footprints.

Shape legend: R x R texels, N samples, K taps. Metres; the plane is z = 0, x east, y north.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TAPS = np.array([(a, b) for a in (-0.375, -0.125, 0.125, 0.375) for b in (-0.25, 0.25)])
"""Where a footprint is sampled: four times along its long axis, twice along the short one."""


class GroundMap:
    """Classes and colours of a square patch of ground around the origin; beyond it the border goes on.

    One flat array of packed RGBA texels holds every level of the pyramid; A is the class.
    """

    def __init__(self, classes: NDArray[np.uint8], palette: NDArray[np.uint8], metres: float) -> None:
        """classes: (2 R, 2 R), R a power of two, row 0 in the south; palette: (256, 3) colour of each class.

        The colours of the R x R texels are means of 2 x 2 classes. ValueError: R is not a power of two.
        """
        side = len(classes) // 2
        if classes.shape != (2 * side, 2 * side) or side & (side - 1):
            raise ValueError(f"a ground map is square with twice a power of two classes a side, got {classes.shape}")
        self.classes = np.ascontiguousarray(classes[::2, ::2])
        self.metres = metres
        self.texel = metres / side
        self._side = side
        self._levels = min(7, side.bit_length() - 1)
        self._texels = _pyramid(classes, palette, self._levels)
        sides = side >> np.arange(self._levels)
        self._start = np.concatenate([[0], np.cumsum(sides.astype(np.int64) ** 2)[:-1]])

    def class_at(self, points: Array) -> NDArray[np.uint8]:
        """The class (N,) under points (N, 2)."""
        place = np.floor((points + self.metres / 2) / self.texel).astype(np.int64)
        place = np.clip(place, 0, self._side - 1)
        found: NDArray[np.uint8] = self.classes[place[:, 1], place[:, 0]]
        return found

    def picture(self, side: int) -> NDArray[np.uint8]:
        """The map as (side, side, 3) colours, row 0 in the south; side is R over a power of two."""
        level = self._side.bit_length() - side.bit_length()
        texels = self._texels[self._start[level] : self._start[level] + side * side]
        return np.ascontiguousarray(texels.view(np.uint8).reshape(side, side, 4)[:, :, :3])

    def sample(self, points: Array, minor: Array, major: Array) -> Array:
        """Mean colour (N, 3) in [0, 1] of footprints at points (N, 2); half axes as vectors (N, 2) in metres."""
        width = np.maximum(np.hypot(minor[:, 0], minor[:, 1]), 0.5 * self.texel)
        level = np.clip(np.log2(width / self.texel).astype(np.int64), 0, self._levels - 1)
        grow = np.maximum(0.5 * self.texel / np.maximum(np.hypot(minor[:, 0], minor[:, 1]), 1e-9), 1.0)[:, None]
        x = points[:, :1] + (major[:, :1] * (2 * _TAPS[:, 0]) + grow * minor[:, :1] * (2 * _TAPS[:, 1]))
        y = points[:, 1:] + (major[:, 1:] * (2 * _TAPS[:, 0]) + grow * minor[:, 1:] * (2 * _TAPS[:, 1]))
        scale = 1.0 / (self.texel * (1 << level))[:, None]
        last = (self._side >> level)[:, None]
        half = self.metres / 2
        column = np.clip(((x + half) * scale).astype(np.int64), 0, last - 1)
        row = np.clip(((y + half) * scale).astype(np.int64), 0, last - 1)
        texels = self._texels[self._start[level][:, None] + row * last + column]
        # Two channels add up side by side in one integer: eight bytes never reach the next channel's bits.
        red_blue, green = (texels & 0xFF00FF).sum(1, dtype=np.uint32), ((texels >> 8) & 0xFF).sum(1, dtype=np.uint32)
        total = np.stack([red_blue & 0xFFFF, green, red_blue >> 16], 1)
        mean: Array = total / (255.0 * len(_TAPS))
        return mean


def _pyramid(classes: NDArray[np.uint8], palette: NDArray[np.uint8], levels: int) -> NDArray[np.uint32]:
    """All levels of the packed texels, one after the other; a coarser texel is the rounded mean of four."""
    packed = np.concatenate([palette, np.arange(256, dtype=np.uint8)[:, None]], 1).view(np.uint32)[:, 0]
    fine = _halved(classes, packed)
    parts = [fine.ravel()]
    for _ in range(levels - 1):
        fine = _halved(fine, None)
        parts.append(fine.ravel())
    return np.concatenate(parts)


def _halved(cells: NDArray[Any], packed: NDArray[np.uint32] | None) -> NDArray[np.uint32]:
    """Packed means (R, R) of 2 x 2 cells (2 R, 2 R), which are packed colours themselves or indices into `packed`."""
    rows = cells.reshape(len(cells) // 2, 2, -1)
    pairs = [np.ascontiguousarray(rows[:, i]) for i in (0, 1)]
    corner = [pair[:, j::2] for pair in pairs for j in (0, 1)]
    # Most of a map is even; only where the four differ is there a mean to take.
    mixed = np.nonzero((corner[0] != corner[1]) | (corner[0] != corner[2]) | (corner[0] != corner[3]))
    texels = np.ascontiguousarray(corner[0]) if packed is None else packed[corner[0]]
    four = np.stack([c[mixed] for c in corner], 1)
    colours = (four if packed is None else packed[four]).view(np.uint8).reshape(-1, 4, 4)
    mean = ((colours.sum(1, dtype=np.uint16) + 2) >> 2).astype(np.uint8)
    texels[mixed] = np.ascontiguousarray(mean).view(np.uint32)[:, 0]
    return texels
