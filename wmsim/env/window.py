"""Showing frames to a person: a pygame window, and the grid that tiles the frames of many slots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

RENDER_MODES = ("rgb_array", "human")

_WINDOW_PIXELS = 640


def check_render_mode(mode: str | None) -> str | None:
    """The mode itself; ValueError when unknown, ImportError when "human" is asked and pygame is not installed."""
    if mode is not None and mode not in RENDER_MODES:
        raise ValueError(f"unknown render_mode {mode!r}: choose one of {list(RENDER_MODES)} or None")
    if mode == "human":
        _pygame()
    return mode


def tile(frames: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(n, H, W, 3) uint8 -> one picture (rows * H, columns * W, 3), as square as can be, black where none is left."""
    stack = np.asarray(frames)
    columns = math.ceil(math.sqrt(len(stack)))
    rows = math.ceil(len(stack) / columns)
    full = np.zeros((rows * columns, *stack.shape[1:]), np.uint8)
    full[: len(stack)] = stack
    return np.asarray(rearrange(full, "(r c) h w k -> (r h) (c w) k", r=rows))


class Window:
    """A window that shows frames enlarged by a whole number, at the world's own pace."""

    def __init__(self, shape: tuple[int, ...], frames_per_second: float, caption: str) -> None:
        """shape: (H, W) of the frames. ImportError when pygame is not installed."""
        self._pygame = _pygame()
        self._rate = frames_per_second
        scale = max(1, _WINDOW_PIXELS // max(shape[0], shape[1]))
        self._size = (shape[1] * scale, shape[0] * scale)
        self._pygame.display.init()
        self._screen = self._pygame.display.set_mode(self._size)
        self._pygame.display.set_caption(caption)
        self._clock = self._pygame.time.Clock()

    def show(self, frame: NDArray[np.uint8]) -> None:
        """Draw (H, W, 3) uint8 and wait for the rest of its frame time."""
        surface = self._pygame.surfarray.make_surface(rearrange(frame, "h w k -> w h k"))
        self._screen.blit(self._pygame.transform.scale(surface, self._size), (0, 0))
        self._pygame.event.pump()
        self._pygame.display.flip()
        self._clock.tick(self._rate)

    def close(self) -> None:
        """Close the window."""
        self._pygame.display.quit()


def _pygame() -> Any:
    try:
        import pygame
    except ImportError as problem:
        raise ImportError("render_mode='human' needs pygame: pip install 'wmsim[render]'") from problem
    return pygame
