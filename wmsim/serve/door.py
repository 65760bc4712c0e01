"""A replica's door for clients on its own machine: a socket beside Ray, by which a small step costs next to nothing.

A call of an actor costs several milliseconds where client and replica share two cores with Ray's own processes. Who
runs elsewhere, or sends or hears more than a small message, calls the actor, and Ray's shared memory carries it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
import threading
import uuid
import weakref
from asyncio.trsock import TransportSocket
from collections.abc import Awaitable, Callable, Sequence

import msgpack

from wmsim.serve.wire import Message

_LENGTH = struct.Struct("!I")
_PEER = struct.Struct("iII")
_MOST_BYTES = 1 << 26
_WELCOME = b"w"
_GREETING_SECONDS = 1.0

Answer = Callable[[Sequence[bytes]], Awaitable[Sequence[Message]]]


class Door:
    """Answers what comes through it on the event loop that opened it, each connection's bundles one by one.

    Linux only, in the abstract namespace, so nothing is left of it when its process is killed; open to processes of
    the same user alone.
    """

    def __init__(self, answer: Answer) -> None:
        """answer: packed messages -> their replies."""
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def open(self) -> str | None:
        """Its name; None on systems that have no such sockets."""
        if sys.platform != "linux":
            return None
        name = f"wmsim-{uuid.uuid4().hex}"
        self._server = await asyncio.start_unix_server(self._serve, f"\0{name}")
        return name

    async def close(self) -> None:
        """Let nobody in any more; those inside are answered still."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _user(writer.get_extra_info("socket")) != os.getuid():
                return
            writer.write(_WELCOME)
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                if length > _MOST_BYTES:
                    return
                messages = msgpack.unpackb(await reader.readexactly(length))
                if not isinstance(messages, list) or not all(isinstance(message, bytes) for message in messages):
                    return
                replies = await self._answer(messages)
                writer.write(_framed([reply if isinstance(reply, bytes) else None for reply in replies]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, msgpack.UnpackException):
            pass
        finally:
            writer.close()


class Way:
    """A process's way through a door: as many connections as bundles were ever under way at once."""

    def __init__(self, name: str) -> None:
        """name: the door's. OSError: it is not on this machine, or not this user's."""
        self._name = name
        self._lock = threading.Lock()
        self._idle = [self._connection()]
        self.close = weakref.finalize(self, _close, self._idle)

    def send(self, messages: Sequence[bytes]) -> Callable[[float], list[bytes | None]]:
        """Send a bundle. What this returns waits so many seconds for the replies, None for one that is not small.

        ConnectionError from either: the replica is gone. TimeoutError: it takes longer.
        """
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._connection()
        try:
            connection.sendall(_framed(messages))
        except OSError:
            connection.close()
            raise

        def receive(seconds: float) -> list[bytes | None]:
            try:
                connection.settimeout(seconds)
                (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
                replies: list[bytes | None] = msgpack.unpackb(_exactly(connection, length))
            except OSError:
                connection.close()
                raise
            with self._lock:
                self._idle.append(connection)
            return replies

        return receive

    def _connection(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_GREETING_SECONDS)
            connection.connect(f"\0{self._name}")
            _exactly(connection, len(_WELCOME))
        except OSError:
            connection.close()
            raise
        return connection


def way_through(name: str | None) -> Way | None:
    """The way through the door of that name; None where there is none from here."""
    if name is None or sys.platform != "linux":
        return None
    try:
        return Way(name)
    except OSError:
        return None


def _close(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()


def _framed(parts: Sequence[bytes | None]) -> bytes:
    content: bytes = msgpack.packb(list(parts))
    return _LENGTH.pack(len(content)) + content


def _exactly(connection: socket.socket, count: int) -> bytearray:
    """So many bytes. ConnectionError: the other side hung up before."""
    content = bytearray(count)
    view, got = memoryview(content), 0
    while got < count:
        more = connection.recv_into(view[got:])
        if more == 0:
            raise ConnectionResetError("the replica hung up")
        got += more
    return content


def _user(connection: socket.socket | TransportSocket) -> int:
    """The user whose process is at the other end of a connection on this machine."""
    _, user, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(user)
