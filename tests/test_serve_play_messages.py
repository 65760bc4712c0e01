"""What page and server say to each other: every field survives, nothing else gets through."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable

import numpy as np
import pytest
from play_client import read_picture

from wmsim.serve.play_config import Limits, PlayConfig
from wmsim.serve.play_messages import (  # fmt: skip
    COMMANDS,
    Command,
    Inputs,
    Malformed,
    Path,
    Photo,
    Seen,
    Shown,
    Voice,
    pack_film,
    pack_frame,
    parse,
)
from wmsim.serve.session import Session
from wmsim.serve.session_stage import make_stage
from wmsim.sims.toy import ToyWorld

LIMITS = Limits()
INPUT = struct.pack("<BBIffff", 1, 0b10101, 7, 0.25, -0.5, 0.1, -0.1)
PATH = struct.pack("<BBI4H", 2, 2, 9, 0, 65535, 32768, 0)


def test_inputs_are_read() -> None:
    read = parse(INPUT, LIMITS)
    assert isinstance(read, Inputs)
    assert (read.seq, read.keys, read.analog) == (7, (True, False, True, False), True)
    assert (read.steer, read.drive, *read.look) == pytest.approx((0.25, -0.5, 0.1, -0.1))


def test_a_line_is_read() -> None:
    read = parse(PATH, LIMITS)
    assert isinstance(read, Path)
    np.testing.assert_allclose(read.points, [[0, 1], [0.5, 0]], atol=1e-4)


def test_the_small_kinds_are_read() -> None:
    assert parse(struct.pack("<BI", 4, 77), LIMITS) == Seen(77)
    assert parse(b"\x03abc", LIMITS) == Photo(b"abc")
    assert parse(b"\x05ab", LIMITS) == Voice(b"ab")
    assert parse('{"do": "rewind", "value": 10}', LIMITS) == Command("rewind", 10.0)
    assert parse('{"do": "reset", "value": null}', LIMITS) == Command("reset", None)
    assert parse('{"do": "event", "value": "  thick  fog "}', LIMITS) == Command("event", "thick fog")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "empty"),
        (b"\x09", "unknown kind"),
        (INPUT[:-1], "22 bytes"),
        (INPUT + b"\x00", "22 bytes"),
        (struct.pack("<BBIffff", 1, 0x20, 7, 0, 0, 0, 0), "unknown keys"),
        (struct.pack("<BBIffff", 1, 0, 7, float("nan"), 0, 0, 0), "steer and drive"),
        (struct.pack("<BBIffff", 1, 0, 7, 0, 1.5, 0, 0), "steer and drive"),
        (struct.pack("<BBIffff", 1, 0, 7, 0, 0, 0, float("inf")), "look"),
        (PATH[:-1], "a line"),
        (struct.pack("<BBI", 2, 200, 1) + bytes(800), "a line of 200"),
        (b"\x03" + bytes(LIMITS.message_bytes), "bytes"),
        ("", "no JSON"),
        ("[]", "a command is"),
        ('{"do": "pause"}', "a command is"),
        ('{"do": "pause", "value": true, "more": 1}', "a command is"),
        ('{"do": "quit", "value": 1}', "unknown command"),
        ('{"do": "pause", "value": 1}', "takes a bool"),
        ('{"do": "reset", "value": true}', "takes a int"),
        ('{"do": "reset", "value": -1}', "between"),
        ('{"do": "rewind", "value": NaN}', "no JSON"),
        ('{"do": "rewind", "value": 1e999}', "between"),
        ('{"do": "event", "value": ""}', "printable"),
        ('{"do": "event", "value": "a\\u0000b"}', "printable"),
        ('{"do": "event", "value": "' + "x" * 201 + '"}', "printable"),
        ('{"do": "event", "value": "' + "x" * 2000 + '"}', "longer"),
        ("[" * 1000, "no JSON"),
    ],
)
def test_what_no_page_sends_is_told(message: bytes | str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse(message, LIMITS)


def test_a_frame_arrives_as_it_was() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)
    path = np.array([[0.5, 0.9], [0.4, 0.6], [-0.2, 1.2]])
    shown = Shown(1, pixels, 40, 3, 17, ended=True, recording=True, wheel=(0.5, -1.0), path=path)
    number, read = read_picture(pack_frame(shown, 99, 1000))
    assert (number, read.pane, read.frame, read.turn, read.seq, read.path) == (99, 1, 40, 3, 17, 3)
    assert (read.ended, read.waiting, read.recording, read.wheel) == (True, False, True, (0.5, -1.0))
    np.testing.assert_array_equal(read.pixels, pixels)


def test_large_frames_travel_as_jpeg() -> None:
    message = pack_frame(Shown(0, np.zeros((256, 256, 3), np.uint8), 0, 1), 1, 0)
    assert message[2] == 1
    assert message[48:50] == b"\xff\xd8"
    assert len(message) < 10_000


def test_a_film_travels_in_pieces() -> None:
    data = bytes(range(256)) * 1000
    pieces = pack_film(data, 65536)
    assert b"".join(piece[9:] for piece in pieces) == data
    assert [struct.unpack_from("<BII", piece) for piece in pieces][1] == (2, 65536, len(data))


def test_limits_that_let_nobody_in_are_refused() -> None:
    with pytest.raises(ValueError, match="sessions is above 0"):
        Limits(sessions=0)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.org", "::"])
def test_an_open_address_needs_a_token(host: str) -> None:
    with pytest.raises(ValueError, match="token"):
        PlayConfig(host=host)
    with pytest.raises(ValueError, match="16"):
        PlayConfig(host=host, token="short")
    assert PlayConfig(host=host, token="x" * 16).token


# --- hostile bytes ---------------------------------------------------------------------------------------------------


def _valid(rng: random.Random) -> bytes | str:
    """A message such as a page sends."""
    name = rng.choice(list(COMMANDS))
    value = {bool: True, int: 3, float: 2.5, str: "fog"}[COMMANDS[name][0]]
    return rng.choice(
        [
            INPUT,
            PATH,
            struct.pack("<BI", 4, 3),
            b"\x03\xff\xd8",
            b"\x05" + bytes(64),
            json.dumps({"do": name, "value": value}),
        ]
    )


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(0, 80))


def _mutated(rng: random.Random) -> bytes | str:
    message = _valid(rng)
    raw = bytearray(message.encode() if isinstance(message, str) else message)
    for _ in range(rng.randrange(1, 6)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    cut = bytes(raw[: rng.randrange(len(raw) + 1)]) if rng.random() < 0.3 else bytes(raw) * rng.choice([1, 1, 2, 40])
    return cut.decode("utf-8", "replace") if isinstance(message, str) else cut


def _json(rng: random.Random) -> str:
    value = rng.choice(
        ["1e9999", "-1", "null", "[[]]", '{"a":1}', '"\\ud800"', "9" * 400, "true", '"' + "x" * 300 + '"']
    )
    key = rng.choice([*COMMANDS, "__class__", "eval", "", "reset\\u0000"])
    return rng.choice(['{"do":"%s","value":%s}', '{"do":"%s","value":%s,"x":1}', '["%s",%s]', '{"do":"%s" %s}']) % (
        key,
        value,
    )


def hostile(count: int, seed: int) -> list[bytes | str]:
    """Messages that are noise, broken copies of true ones, or JSON that asks for what is not there."""
    rng = random.Random(seed)
    makers: list[Callable[[random.Random], bytes | str]] = [_noise, _mutated, _mutated, _json]
    return [rng.choice(makers)(rng) for _ in range(count)]


def offered(session: Session, message: bytes | str) -> str | None:
    """Gives a message to a session; why it was refused, or None."""
    try:
        session.receive(parse(message, session.stage.limits))
    except Malformed as fault:
        return str(fault)
    return None


def test_ten_thousand_hostile_messages_are_refused_or_harmless() -> None:
    stage = make_stage(PlayConfig(), ToyWorld(1))
    session, refused = Session(0, stage), 0
    try:
        for message in hostile(20_000, 5):
            reason = offered(session, message)
            refused += reason is not None
            assert reason is None or 0 < len(reason) < 200
            while not session.commands.empty():
                session.commands.get_nowait()
            session.outbox._notes.clear()
        assert refused >= 10_000
        asked = session.take()
        assert np.isfinite(asked.wheel).all()
        assert np.abs(asked.wheel).max() <= 1
    finally:
        stage.close()
