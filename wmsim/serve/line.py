"""A line to a replica, which all clients in a process share: their steps travel in one call where they come together.

A call of an actor costs both sides about a millisecond of processor time, whatever it carries; with a client for each
of many slots that was most of what serving cost. A lone client's step leaves at once.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from wmsim.serve.door import Way, way_through
from wmsim.serve.wire import Message

_LULL_SECONDS = 2e-3
"""A call leaves when so long nobody has joined it, though somebody who was answered lately is not back."""

_LATELY_SECONDS = 1e-2

Receive = Callable[[float], Message]
"""Waits at most so many seconds for the reply; raises what the call raised, ConnectionError or TimeoutError."""

Send = Callable[[Sequence[Message]], Callable[[float], Sequence[Message]]]
"""Begins a call with some messages; what it returns waits for their replies."""


@dataclass
class Bundle:
    """Messages that travel together, and what came back; `lock` is held by whoever fetches it."""

    messages: list[Message] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    replies: Sequence[Message] | None = None
    problem: Exception | None = None


class Line:
    """Gathers the calls of several threads; the first that wants its reply sends the bundle and fetches all replies."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._open = Bundle()
        self._answered: dict[str, float] = {}

    def call(self, client: str, message: Message) -> Receive:
        """Put a message into the next bundle; it leaves when somebody waits for a reply."""
        with self._changed:
            self._answered.pop(client, None)
            bundle, place = self._open, len(self._open.messages)
            bundle.messages.append(message)
            self._changed.notify_all()
        return partial(self._receive, bundle, place, client)

    def _receive(self, bundle: Bundle, place: int, client: str, seconds: float) -> Message:
        with bundle.lock:
            if bundle.replies is None and bundle.problem is None:
                try:
                    bundle.replies = self._leave(bundle)(seconds)
                except Exception as problem:
                    bundle.problem = problem
        if bundle.problem is not None:
            raise bundle.problem
        assert bundle.replies is not None
        with self._changed:
            self._answered[client] = time.monotonic()
        return bundle.replies[place]

    def _leave(self, bundle: Bundle) -> Callable[[float], Sequence[Message]]:
        with self._changed:
            while self._awaited() and self._changed.wait(_LULL_SECONDS):
                pass
            self._open = Bundle()
        return self._send(bundle.messages)

    def _awaited(self) -> bool:
        """Whether a client is away that was answered a moment ago."""
        lately = time.monotonic() - _LATELY_SECONDS
        self._answered = {client: at for client, at in self._answered.items() if at > lately}
        return bool(self._answered)


_LINES: weakref.WeakValueDictionary[str, Line] = weakref.WeakValueDictionary()
_MAKING = threading.Lock()


def line_of(handle: Any, door: str | None) -> Line:
    """The line of this process to a replica, by its actor handle and the name of its door."""
    with _MAKING:
        name = handle._actor_id.hex()
        line = _LINES.get(name)
        if line is None:
            way = way_through(door)
            send = partial(_call, handle)
            line = _LINES[name] = Line(send if way is None else Shortcut(way, send))
        return line


class Shortcut:
    """Sends small messages through a replica's door and others by a call of the actor."""

    def __init__(self, way: Way, call: Send) -> None:
        self._way, self._call = way, call
        self._small = True

    def __call__(self, messages: Sequence[Message]) -> Callable[[float], Sequence[Message]]:
        """Begin a call. After the first reply that was not small all go to the actor: who heard one will hear more."""
        packed = [message for message in messages if isinstance(message, bytes)]
        if not self._small or len(packed) < len(messages):
            return self._call(messages)
        receive = self._way.send(packed)
        return lambda seconds: self._whole(messages, receive(seconds), seconds)

    def _whole(self, messages: Sequence[Message], replies: list[bytes | None], seconds: float) -> Sequence[Message]:
        large = [place for place, reply in enumerate(replies) if reply is None]
        if not large:
            return [reply for reply in replies if reply is not None]
        self._small = False
        # What has been done is not done again: an id that was answered is answered the same way.
        rest = dict(zip(large, self._call([messages[place] for place in large])(seconds), strict=True))
        return [rest[place] if reply is None else reply for place, reply in enumerate(replies)]


def _call(handle: Any, messages: Sequence[Message]) -> Callable[[float], Sequence[Message]]:
    import ray

    if len(messages) == 1:
        one = handle.act.remote(messages[0])
        return lambda seconds: [ray.get(one, timeout=seconds)]
    several = handle.act_all.remote(list(messages))
    return lambda seconds: ray.get(several, timeout=seconds)
