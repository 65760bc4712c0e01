"""A photo as a start frame: decoded under limits, turned upright, cut to the world's shape, made as small.

Shape legend: H x W pixels, frames are uint8 RGB.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_FORMATS = ("JPEG", "PNG", "WEBP")


def read_photo(data: bytes, height: int, width: int, most_pixels: int) -> NDArray[np.uint8]:
    """The middle of the picture as (H, W, 3). ValueError: too many pixels, or no JPEG, PNG or WebP that can be read."""
    try:
        # The header alone is read here, so that a small file cannot make a huge picture before it is refused.
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > most_pixels:
                raise _TooLarge(picture.width, picture.height, most_pixels)
            picture.draft("RGB", (2 * width, 2 * height))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            fitted = ImageOps.fit(upright, (width, height), Image.Resampling.BOX)
    except _TooLarge:
        raise
    except Exception as fault:  # decoders of hostile bytes raise anything: struct.error, SyntaxError, OSError, ...
        raise ValueError("this is no JPEG, PNG or WebP picture that can be read: choose another file") from fault
    return np.asarray(fitted).copy()


class _TooLarge(ValueError):
    def __init__(self, width: int, height: int, most: int) -> None:
        super().__init__(f"the picture has {width} x {height} pixels, at most {most / 1e6:g} million are read")
