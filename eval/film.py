"""Two films side by side with their controls drawn in, and sheets of frames: what one looks at before any figure.

Shape legend: C clips, T frames, H x W pixels; frames are uint8 RGB.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP = 4
"""Pixels between tiles."""

_INK, _PAPER = (20, 20, 24), (245, 245, 242)
_GREEN, _RED = (60, 170, 90), (200, 60, 50)


def sheet(rows: Sequence[np.ndarray], row_names: Sequence[str], column_names: Sequence[str], scale: int) -> Image.Image:
    """A contact sheet: each of `rows` is (columns, H, W, 3); names stand at the left and on top."""
    columns, height, width = rows[0].shape[:3]
    high, wide, left, top = height * scale + GAP, width * scale + GAP, 150, 24
    page = Image.new("RGB", (left + columns * wide, top + len(rows) * high), _PAPER)
    draw, font = ImageDraw.Draw(page), _font(14)
    for column, name in enumerate(column_names):
        draw.text((left + column * wide, 4), name, _INK, font)
    for row, (tiles, name) in enumerate(zip(rows, row_names, strict=True)):
        draw.text((6, top + row * high + 4), name, _INK, font)
        for column, tile in enumerate(tiles):
            page.paste(enlarge(tile, scale), (left + column * wide, top + row * high))
    return page


def enlarge(frame: np.ndarray, scale: int) -> Image.Image:
    """The frame, `scale` times as large, every pixel a square: nothing is made to look smoother than it is."""
    return Image.fromarray(frame).resize((frame.shape[1] * scale, frame.shape[0] * scale), Image.Resampling.NEAREST)


def side_by_side(
    dreamt: np.ndarray, real: np.ndarray, wheel: np.ndarray, names: Sequence[str], note: Sequence[str], scale: int
) -> np.ndarray:
    """A film (T, h, w, 3) of C pairs of tiles, dream left and twin right, with steering wheel and pedals below.

    dreamt, real: (C, T, H, W, 3). wheel: (C, T, 2), steer (+ = left) and drive. names: one a pair. note: one a frame.
    """
    count, frames = dreamt.shape[:2]
    across = min(count, 4)
    return np.stack(
        [_page(dreamt[:, t], real[:, t], wheel[:, t], names, note[t], scale, across) for t in range(frames)]
    )


def _page(
    dreamt: np.ndarray,
    real: np.ndarray,
    wheel: np.ndarray,
    names: Sequence[str],
    note: str,
    scale: int,
    across: int,
) -> np.ndarray:
    height, width = dreamt.shape[1] * scale, dreamt.shape[2] * scale
    wide, high, top = 2 * width + 3 * GAP, height + 40, 22
    lines = -(-len(dreamt) // across)
    page = Image.new("RGB", (even(across * wide), even(top + lines * high)), _INK)
    draw = ImageDraw.Draw(page)
    draw.text((GAP, 4), note, _PAPER, _font(13))
    for index, name in enumerate(names):
        x, y = index % across * wide + GAP, top + index // across * high
        page.paste(enlarge(dreamt[index], scale), (x, y))
        page.paste(enlarge(real[index], scale), (x + width + GAP, y))
        draw.text((x + 34, y + height + 10), name, _PAPER, _font(12))
        _controls(draw, x, y + height + 2, wheel[index], 2 * width + GAP)
    return np.asarray(page)


def _controls(draw: ImageDraw.ImageDraw, x: int, y: int, wheel: np.ndarray, width: int) -> None:
    """A steering wheel at the left, turned as the control says (half a turn at 1), and a pedal bar at the right."""
    steer, drive = (float(part) for part in wheel)
    middle, radius = (x + 15, y + 16), 13
    draw.ellipse(
        [middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius], outline=_PAPER, width=2
    )
    for spoke in (-90.0, 30.0, 150.0):
        angle = np.deg2rad(spoke - 180 * steer)
        end = (middle[0] + radius * np.cos(angle), middle[1] + radius * np.sin(angle))
        draw.line([middle, end], fill=_PAPER, width=2)
    zero, length = x + width - 44, 40
    draw.rectangle([zero - length, y + 12, zero + length, y + 20], outline=_PAPER)
    ends = sorted([zero, zero + length * drive])
    draw.rectangle([ends[0], y + 13, ends[1], y + 19], fill=_GREEN if drive >= 0 else _RED)


def save_film(path: Path, film: np.ndarray, frames_per_second: float) -> None:
    """Write (T, h, w, 3) as an mp4 that every player shows: H.264, 4:2:0, even sides."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(frames_per_second).limit_denominator(1001))
        stream.height, stream.width, stream.pix_fmt = *film.shape[1:3], "yuv420p"
        stream.options = {"crf": "18", "preset": "fast"}
        for image in film:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode())


def even(number: int) -> int:
    """The number, or the next even one: video encoders take no odd sides."""
    return number + number % 2


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
