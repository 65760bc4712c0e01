"""A play server in a thread and visitors that speak its protocol, for the tests of `wmsim.serve`."""

from __future__ import annotations

import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import uvicorn
from websockets.sync.client import ClientConnection, connect

from wmsim.serve.play_app import make_app
from wmsim.serve.play_config import PlayConfig
from wmsim.serve.play_server import listen, uvicorn_config
from wmsim.world import World

FRAME_HEAD = struct.Struct("<BBBBIIIHHHffffffBB")


@dataclass(frozen=True)
class Server:
    """Where a running server is reached, and its application."""

    port: int
    app: Any

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def told(self) -> dict[str, Any]:
        """The pool's figures."""
        return self.app.state.pool.told()

    def visit(self, **headers: str) -> Visitor:
        """A visitor whose session has begun."""
        opened, url = ExitStack(), f"ws://127.0.0.1:{self.port}/session"
        asking = connect(url, origin=self.origin, additional_headers=headers, max_size=None, max_queue=None)
        return Visitor(opened.enter_context(asking), opened)


@contextmanager
def running(world: World, twin: World | None = None, **settings: Any) -> Iterator[Server]:
    """A server on a free port for the length of a block."""
    config = PlayConfig(port=0, made="simulated", **settings)
    listening = listen(config)
    app = make_app(config, world, twin)
    server = uvicorn.Server(uvicorn_config(app, config))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until(lambda: server.started)
        yield Server(listening.getsockname()[1], app)
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def until(true: Any, seconds: float = 10.0) -> None:
    """Wait until `true()` holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


@dataclass(frozen=True)
class Picture:
    """A frame message as a page reads it."""

    pane: int
    frame: int
    turn: int
    seq: int
    ended: bool
    waiting: bool
    recording: bool
    wheel: tuple[float, float]
    pixels: np.ndarray
    path: int


def read_picture(message: bytes) -> tuple[int, Picture]:
    """The number of a frame message and what it shows."""
    _, pane, _, flags, number, frame, seq, turn, width, height, *rest = FRAME_HEAD.unpack_from(message)
    points = rest[6]
    body = message[FRAME_HEAD.size + 4 * points :]
    pixels = np.frombuffer(body, np.uint8).reshape(height, width, 3)
    flagged = bool(flags & 1), bool(flags & 2), bool(flags & 4)
    return number, Picture(pane, frame, turn, seq, *flagged, (rest[2], rest[3]), pixels, points)


@dataclass
class Visitor:
    """A page without a browser."""

    socket: ClientConnection
    opened: ExitStack
    notes: list[dict[str, Any]] = field(default_factory=list)
    film: bytes = b""
    seq: int = 0

    def picture(self, seconds: float = 5.0) -> Picture:
        """The next frame; notes and films on the way are kept."""
        while True:
            message = self.socket.recv(timeout=seconds)
            if isinstance(message, str):
                self.notes.append(json.loads(message))
            elif message[0] == 2:
                self.film += message[9:]
            else:
                number, picture = read_picture(message)
                self.socket.send(struct.pack("<BI", 4, number))
                return picture

    def pictures(self, count: int) -> list[Picture]:
        return [self.picture() for _ in range(count)]

    def note(self, kind: str, seconds: float = 5.0) -> dict[str, Any]:
        """The next note of a kind, from those that came or will come."""
        deadline = time.monotonic() + seconds
        while True:
            found = next((note for note in self.notes if note["say"] == kind), None)
            if found is not None:
                self.notes.remove(found)
                return found
            assert time.monotonic() < deadline, f"no note {kind!r} came, only {self.notes}"
            message = self.socket.recv(timeout=seconds)
            if isinstance(message, str):
                self.notes.append(json.loads(message))
            elif message[0] == 1:
                self.socket.send(struct.pack("<BI", 4, read_picture(message)[0]))
            else:
                self.film += message[9:]

    def hold(self, keys: int = 0, steer: float | None = None, drive: float = 0.0) -> None:
        """Hold keys (bits W 1, A 2, S 4, D 8), or a stick."""
        self.seq += 1
        bits = keys | (0 if steer is None else 16)
        self.socket.send(struct.pack("<BBIffff", 1, bits, self.seq, steer or 0.0, drive, 0.0, 0.0))

    def ask(self, name: str, value: Any) -> None:
        self.socket.send(json.dumps({"do": name, "value": value}))

    def close(self) -> None:
        self.opened.close()
