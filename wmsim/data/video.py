"""Frames to mp4 bytes and back, frame for frame.

Shape legend: T frames of H x W pixels; frames are uint8 RGB.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

try:
    import av
    from av.video.reformatter import VideoReformatter
except ImportError as missing:
    raise ImportError("episodes need PyAV: pip install 'wmsim[data]'") from missing

GOP = 16
"""Frames between key frames: the most a reader decodes to reach one frame."""


@dataclass(frozen=True)
class Codec:
    """An encoder of FFmpeg with its pixel format and options."""

    encoder: str
    pixels: str
    options: dict[str, str]


CODECS: dict[str, Codec] = {
    "ffv1": Codec("ffv1", "bgr0", {"level": "3", "coder": "0", "slicecrc": "1"}),
    "h264": Codec("libx264", "yuv444p", {"crf": "6", "bf": "0", "preset": "medium"}),
}
"""ffv1: lossless, with a checksum in every slice. h264: a third of the bytes at 45 dB; for large pictures."""


def encode_video(frames: UInt8[np.ndarray, "T H W 3"], frames_per_second: float, codec: str = "ffv1") -> bytes:
    """The frames as the bytes of an mp4 file. ValueError: an unknown codec."""
    if codec not in CODECS:
        raise ValueError(f"unknown video codec {codec!r}: choose one of {sorted(CODECS)}")
    chosen, buffer = CODECS[codec], io.BytesIO()
    rate = Fraction(frames_per_second).limit_denominator(1001)
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream(chosen.encoder, rate=rate, options=dict(chosen.options))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt, stream.codec_context.gop_size = chosen.pixels, GOP
        stream.codec_context.thread_count = 1
        for image in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return buffer.getvalue()


def decode_video(path: Path, length: int | None = None, checksum: int | None = None) -> UInt8[np.ndarray, "T H W 3"]:
    """Every frame of the file.

    ValueError names the file when it is truncated or damaged: it is no video, or has not `length` frames, or its
    bytes have not this CRC-32 (FFmpeg itself shows a damaged slice without a word).
    """
    if checksum is not None and path.is_file() and zlib.crc32(path.read_bytes()) != checksum:
        raise ValueError(f"the video {path} is truncated or damaged (wrong checksum); `repair` sets it aside")
    frames = [*read_video(path)]
    if not frames or (length is not None and len(frames) != length):
        raise ValueError(f"the video {path} holds {len(frames)} frames, {length} belong there; `repair` sets it aside")
    return np.stack(frames)


def read_video(path: Path) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The frames of a file one after another. FileNotFoundError, ValueError: no file, or no readable video."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no video {path}")
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            yield from _pictures(container.decode(stream))
    except (av.error.FFmpegError, IndexError, EOFError) as fault:
        raise ValueError(f"the video {path} is truncated or damaged ({fault}); `repair` sets it aside") from fault


def _pictures(decoded: Iterable[av.VideoFrame]) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    reformatter = VideoReformatter()
    for picture in decoded:
        if picture.format.name == "bgr0":  # twice as fast as FFmpeg's own conversion
            plane = picture.planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(picture.height, plane.line_size)
            yield rows[:, : 4 * picture.width].reshape(picture.height, picture.width, 4)[..., 2::-1]
        else:
            yield reformatter.reformat(picture, format="rgb24").to_ndarray()
