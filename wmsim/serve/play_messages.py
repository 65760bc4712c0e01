"""What page and server say to each other: small binary messages, JSON for rare commands; parsed under strict limits.

Binary messages are little-endian and begin with a byte that tells their kind. Nothing is unpickled or evaluated: a
message is fixed fields, a list of fixed fields, the bytes of a picture or a recording, or one flat JSON object of two
keys.
Shape legend: P points, H x W pixels.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wmsim.serve.play_config import Limits

INPUT, PATH, PHOTO, SEEN, VOICE = 1, 2, 3, 4, 5
"""Kinds of binary messages from the page."""
FRAME, FILM = 1, 2
"""Kinds of binary messages to the page."""
RAW, JPEG = 0, 1
"""How a frame's pixels are packed."""

MAX_POINTS = 64
VOICE_RATE = 16000
"""Samples a second of a recording."""
_INPUT = struct.Struct("<BBIffff")
_PATH = struct.Struct("<BBI")
_SEEN = struct.Struct("<BI")
_FRAME = struct.Struct("<BBBBIIIHHHffffffBB")
_FILM = struct.Struct("<BII")
_ANALOG = 0x10
_LOOK_LIMIT = 0.35


class Malformed(ValueError):
    """A message that no page of ours sends; its text is the reason that ends the session."""


@dataclass(frozen=True)
class Inputs:
    """What a person holds down. seq: counts the page's messages. keys: W, A, S, D. analog: whether steer and drive
    come from a stick, a finger or the mouse. look: radians per frame, yaw + = right, pitch + = down."""

    seq: int = 0
    keys: tuple[bool, bool, bool, bool] = (False, False, False, False)
    analog: bool = False
    steer: float = 0.0
    drive: float = 0.0
    look: tuple[float, float] = (0.0, 0.0)

    @property
    def idle(self) -> bool:
        """Whether nothing at all is held."""
        return not any(self.keys) and not self.analog and self.look == (0.0, 0.0)


@dataclass(frozen=True)
class Path:
    """A line drawn on the picture: points (P, 2) float64 in [0, 1], across and down; no points take the line away."""

    seq: int
    points: NDArray[np.float64]


@dataclass(frozen=True)
class Photo:
    """The bytes of a picture file to begin from."""

    data: bytes


@dataclass(frozen=True)
class Voice:
    """A short recording: 16-bit little-endian samples, mono, 16 kHz."""

    data: bytes


@dataclass(frozen=True)
class Seen:
    """The page has painted the message of this number."""

    number: int


@dataclass(frozen=True)
class Command:
    """What costs more than a step: `name` is a key of `COMMANDS`, `value` of the type and range given there."""

    name: str
    value: bool | int | float | str | None


Message = Inputs | Path | Photo | Voice | Seen | Command

COMMANDS: dict[str, tuple[type, float, float]] = {
    "reset": (int, 0, 2**31 - 1),
    "pause": (bool, 0, 1),
    "rewind": (float, 0, 3600),
    "turn": (int, 1, 2**16 - 1),
    "record": (bool, 0, 1),
    "twin": (bool, 0, 1),
    "event": (str, 1, 200),
}
"""Name -> type of its value, least and greatest value (for a text: length). reset takes null too: any seed."""

LEAPS = ("reset", "rewind", "turn", "twin")
"""Commands that cost the world more than a step."""


def parse(message: bytes | str, limits: Limits) -> Message:
    """The message that was sent; Malformed tells what is wrong with it."""
    if isinstance(message, str):
        return _command(message, limits)
    if not message:
        raise Malformed("an empty message")
    if len(message) > limits.message_bytes:
        raise Malformed(f"a message of {len(message)} bytes, {limits.message_bytes} are allowed")
    if message[0] == VOICE:
        return _voice(message, limits)
    kinds: dict[int, Callable[[bytes], Message]] = {INPUT: _inputs, PATH: _path, PHOTO: _photo, SEEN: _seen}
    if message[0] not in kinds:
        raise Malformed(f"unknown kind of message {message[0]}")
    return kinds[message[0]](message)


def _inputs(message: bytes) -> Inputs:
    _, bits, seq, steer, drive, *look = _unpack(_INPUT, message)
    if bits & ~0x1F:
        raise Malformed(f"unknown keys {bits:#x}")
    _range("steer and drive", (steer, drive), 1.0)
    _range("look", look, _LOOK_LIMIT)
    keys = (bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8))
    return Inputs(seq, keys, bool(bits & _ANALOG), steer, drive, (look[0], look[1]))


def _path(message: bytes) -> Path:
    if len(message) < _PATH.size:
        raise Malformed(f"a line of {len(message)} bytes")
    _, count, seq = _PATH.unpack_from(message)
    if count > MAX_POINTS or count == 1 or len(message) != _PATH.size + 4 * count:
        raise Malformed(f"a line of {count} points in {len(message)} bytes")
    flat = np.frombuffer(message, "<u2", offset=_PATH.size).astype(np.float64) / 65535
    return Path(seq, flat.reshape(count, 2))


def _photo(message: bytes) -> Photo:
    return Photo(bytes(message[1:]))


def _voice(message: bytes, limits: Limits) -> Voice:
    most = 2 * round(limits.voice_seconds * VOICE_RATE)
    if len(message) % 2 == 0 or not 1 < len(message) <= most + 1:
        raise Malformed(f"a recording of {len(message) - 1} bytes: pairs of bytes, {most} at most")
    return Voice(bytes(message[1:]))


def _seen(message: bytes) -> Seen:
    return Seen(_unpack(_SEEN, message)[1])


def _unpack(layout: struct.Struct, message: bytes) -> tuple[Any, ...]:
    if len(message) != layout.size:
        raise Malformed(f"a message of kind {message[0]} has {layout.size} bytes, got {len(message)}")
    return layout.unpack(message)


def _range(name: str, numbers: Any, limit: float) -> None:
    if not all(math.isfinite(number) and abs(number) <= limit + 1e-6 for number in numbers):
        raise Malformed(f"{name} lie within {limit:g}, got {[float(number) for number in numbers]}")


def _command(text: str, limits: Limits) -> Command:
    if len(text.encode("utf-8", "replace")) > limits.text_bytes:
        raise Malformed(f"a command longer than {limits.text_bytes} bytes")
    try:
        told = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as fault:
        raise Malformed("a command that is no JSON") from fault
    if not isinstance(told, dict) or set(told) != {"do", "value"} or not isinstance(told["do"], str):
        raise Malformed('a command is {"do": name, "value": ...} and nothing else')
    return Command(told["do"], _value(told["do"], told["value"]))


def _no_constant(name: str) -> Literal[0]:
    raise ValueError(f"{name} is no number here")


def _value(name: str, value: object) -> bool | int | float | str | None:
    if name not in COMMANDS:
        raise Malformed(f"unknown command {name[:20]!r}")
    kind, low, high = COMMANDS[name]
    if value is None and name == "reset":
        return None
    if isinstance(value, str) and kind is str:
        return _text(name, value, int(low), int(high))
    if isinstance(value, bool) and kind is bool:
        return value
    number = isinstance(value, int) or (isinstance(value, float) and kind is float)
    if isinstance(value, bool) or kind in (str, bool) or not number:
        raise Malformed(f"{name} takes a {kind.__name__}, got a {type(value).__name__}")
    assert isinstance(value, int | float)
    if not low <= value <= high:
        raise Malformed(f"{name} lies between {low:g} and {high:g}")
    return float(value) if kind is float else int(value)


def _text(name: str, value: str, low: int, high: int) -> str:
    clean = " ".join(value.split())
    if not low <= len(clean) <= high or not clean.isprintable():
        raise Malformed(f"{name} takes {low} to {high} printable characters")
    return clean


# --- to the page -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """One frame for the page.

    pane: 0 the world, 1 its twin. frame: frames since the reset. turn: counts the futures. seq: last input that this
    frame obeys. uncertainty: NaN where the world tells none. wheel: steer and drive that led here. step_ms, wait_ms:
    how long the world took, and how long the input waited for its frame to begin. path: what is left of a drawn line,
    (P, 2) in [0, 1].
    """

    pane: int
    pixels: NDArray[np.uint8]
    frame: int
    turn: int
    seq: int = 0
    ended: bool = False
    waiting: bool = False
    recording: bool = False
    uncertainty: float = math.nan
    speed: float = math.nan
    wheel: tuple[float, float] = (0.0, 0.0)
    step_ms: float = 0.0
    wait_ms: float = 0.0
    path: NDArray[np.float64] | None = None


def pack_frame(shown: Shown, number: int, dropped: int) -> bytes:
    """The message of a frame; number: counts messages, the page answers with it. dropped: frames not sent so far."""
    height, width = shown.pixels.shape[:2]
    coding, body = _pixels(shown.pixels)
    flags = shown.ended | shown.waiting << 1 | shown.recording << 2
    line = np.zeros((0, 2)) if shown.path is None else shown.path[:MAX_POINTS]
    points = np.clip(line * 16384 + 16384, 0, 65535).astype("<u2")
    head = _FRAME.pack(
        FRAME, shown.pane, coding, flags, number, shown.frame, shown.seq, shown.turn & 0xFFFF, width, height,
        shown.uncertainty, shown.speed, *shown.wheel, shown.step_ms, shown.wait_ms, len(points), min(dropped, 255),
    )  # fmt: skip
    return head + points.tobytes() + body


def _pixels(pixels: NDArray[np.uint8]) -> tuple[int, bytes]:
    """Small pictures travel as they are; larger ones as JPEG, which then costs less than the bytes that it saves."""
    if pixels.size <= 65536:
        return RAW, pixels.tobytes()
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
    return JPEG, buffer.getvalue()


def pack_film(data: bytes, chunk: int = 65536) -> list[bytes]:
    """A film in pieces small enough to travel between frames: each tells its place and how long the whole is."""
    return [_FILM.pack(FILM, i, len(data)) + data[i : i + chunk] for i in range(0, len(data), chunk)]


def pack_note(kind: str, **facts: Any) -> str:
    """A rare message in JSON: "hello", "note", "heard", "spoken", "turns", "film" or "end"."""
    return json.dumps({"say": kind, **facts})
