"""A drive as mp4: world and twin side by side, wheel, pedals, keys and what it is drawn in, encoded while it goes on.

Shape legend: H x W pixels; frames are uint8 RGB.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

_INK, _PAPER, _DIM = (18, 20, 26), (240, 240, 236), (120, 124, 134)
_GREEN, _RED = (60, 170, 90), (214, 74, 62)
_TILE, _TOP, _BAR, _GAP = 320, 26, 64, 8


@dataclass(frozen=True)
class Scene:
    """One frame of the film. keys: W, A, S, D. wheel: steer (+ = left) and drive. note: seconds, turn, event."""

    pixels: Pixels
    wheel: tuple[float, float]
    keys: tuple[bool, bool, bool, bool]
    note: str


class Film:
    """An mp4 in memory: H.264 in 4:2:0, which every player shows. Use it from one thread at a time."""

    def __init__(self, rate: float, made: str, twin_made: str | None) -> None:
        """rate: frames per second. made, twin_made: what stands above the pictures; no twin: None.

        ImportError: PyAV is missing.
        """
        try:
            import av
        except ImportError as missing:
            raise ImportError("recording needs PyAV: pip install 'wmsim[serve]'") from missing
        self._titles = [made] if twin_made is None else [made, twin_made]
        self._buffer = io.BytesIO()
        self._container = av.open(self._buffer, "w", format="mp4")
        steady = Fraction(rate).limit_denominator(1001)
        self._stream: Any = self._container.add_stream(
            "libx264", rate=steady, options={"crf": "20", "preset": "veryfast"}
        )
        self._stream.width = len(self._titles) * (_TILE + _GAP) + _GAP
        self._stream.height, self._stream.pix_fmt = _TOP + _TILE + _BAR, "yuv420p"
        self._stream.codec_context.thread_count = 1
        self._frame_of = av.VideoFrame.from_ndarray
        self.frames = 0

    def add(self, scene: Scene, twin: Pixels | None) -> None:
        """Draw and encode one frame; a twin that has no picture leaves its place dark."""
        shown: list[Pixels | None] = [scene.pixels] if len(self._titles) == 1 else [scene.pixels, twin]
        page = draw_scene(scene, shown, self._titles)
        self._container.mux(self._stream.encode(self._frame_of(np.asarray(page), format="rgb24")))
        self.frames += 1

    def finish(self) -> bytes:
        """The whole file."""
        self._container.mux(self._stream.encode())
        self._container.close()
        return self._buffer.getvalue()


def draw_scene(scene: Scene, shown: list[Pixels | None], titles: list[str]) -> Image.Image:
    """The pictures, enlarged without smoothing, with their titles above and the controls below."""
    page = Image.new("RGB", (len(shown) * (_TILE + _GAP) + _GAP, _TOP + _TILE + _BAR), _INK)
    draw = ImageDraw.Draw(page)
    for place, (pixels, title) in enumerate(zip(shown, titles, strict=True)):
        x = _GAP + place * (_TILE + _GAP)
        draw.text((x, 5), title, _PAPER, _font(13))
        if pixels is not None:
            page.paste(_fitted(pixels), (x, _TOP))
    _draw_wheel(draw, 40, _TOP + _TILE + 32, scene.wheel[0])
    _draw_pedals(draw, 76, _TOP + _TILE + 26, scene.wheel[1])
    _draw_keys(draw, 196, _TOP + _TILE + 8, scene.keys)
    draw.text((page.width - _GAP, 6), scene.note[:40], _DIM, _font(12), anchor="ra")
    return page


def _fitted(pixels: Pixels) -> Image.Image:
    return Image.fromarray(pixels).resize((_TILE, _TILE), Image.Resampling.NEAREST)


def _draw_wheel(draw: ImageDraw.ImageDraw, x: int, y: int, steer: float) -> None:
    """Turned half a turn at steer = 1."""
    draw.ellipse([x - 22, y - 22, x + 22, y + 22], outline=_PAPER, width=3)
    for spoke in (-90.0, 30.0, 150.0):
        angle = np.deg2rad(spoke - 180 * steer)
        draw.line([(x, y), (x + 22 * np.cos(angle), y + 22 * np.sin(angle))], fill=_PAPER, width=3)


def _draw_pedals(draw: ImageDraw.ImageDraw, x: int, y: int, drive: float) -> None:
    """A bar from its middle: green to the right while accelerating, red to the left while braking."""
    middle = x + 52
    draw.rectangle([x, y, x + 104, y + 12], outline=_PAPER)
    ends = sorted([middle, middle + round(50 * drive)])
    draw.rectangle([ends[0], y + 2, ends[1], y + 10], fill=_GREEN if drive >= 0 else _RED)


def _draw_keys(draw: ImageDraw.ImageDraw, x: int, y: int, keys: tuple[bool, ...]) -> None:
    places = ((1, 0, "W"), (0, 1, "A"), (1, 1, "S"), (2, 1, "D"))
    for held, (column, row, name) in zip(keys, places, strict=True):
        left, top = x + 24 * column, y + 24 * row
        draw.rectangle([left, top, left + 21, top + 21], fill=_GREEN if held else None, outline=_DIM)
        draw.text((left + 6, top + 3), name, _PAPER, _font(12))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
