"""Typed and spoken events: what a world's spec declares goes to it as `Control.event`; the rest is answered.

A name is known whatever its case and punctuation. Other wordings are understood with the extra [text], speech is
recognised with the extra [voice]; without them the answer says what to install.
"""

from __future__ import annotations

import asyncio
import difflib
import importlib.util
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wmsim.text.captions import DRIVE

if TYPE_CHECKING:
    from wmsim.serve.voice import Listener, Spoken
    from wmsim.text.understand import Understander

_NEAREST = 3


@dataclass(frozen=True)
class Heard:
    """What became of a text: the event for the world, None when there is none, and the answer for the person.

    score: 1 for a name, else the probability of the event. nearest: events that could be meant where none is.
    """

    event: str | None
    answer: str
    score: float = 1.0
    nearest: tuple[str, ...] = ()


def hear(
    text: str, events: tuple[str, ...] | None, name: str, understander: Understander | None = None, hint: str = ""
) -> Heard:
    """The event that `text` means. events: as `WorldSpec.events`; name: the world's, for the answer.

    understander: of wordings other than the names; hint: what to say in its absence.
    """
    if events is None:
        return Heard(text, f"“{text}” was told to the world.")
    if not events:
        return Heard(None, f"The world “{name}” takes no events: nothing was told to it.", 0.0)
    known = {_plain(event): event for event in events}
    if _plain(text) in known:
        event = known[_plain(text)]
        return Heard(event, f"“{event}” was told to the world.")
    if understander is None:
        near = difflib.get_close_matches(_plain(text), known, n=_NEAREST, cutoff=0.0)
        return _not_understood(text, tuple(known[one] for one in near), 0.0, hint)
    told = understander.understand(text)
    mine = known.get(_plain(told.event)) if told.event is not None else None
    if mine is not None:
        answer = f"“{text}” is understood as “{mine}” ({told.score:.0%}), which was told to the world."
        return Heard(mine, answer, told.score)
    nearest = tuple(known[_plain(event)] for event, _ in told.nearest if _plain(event) in known)
    return _not_understood(text, nearest[:_NEAREST], told.score, "")


def _not_understood(text: str, nearest: tuple[str, ...], score: float, hint: str) -> Heard:
    return Heard(None, f"“{text}” is not understood. Nearest: {', '.join(nearest)}.{hint}", score, nearest)


class Hearing:
    """The ears of a play server: one thread in which text is understood and speech recognised, loaded at first use.

    speech: whether a recording can be recognised here.
    """

    def __init__(self, events: tuple[str, ...] | None, name: str) -> None:
        self._events, self._name = events, name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hearing")
        self._understander: Understander | None = None
        self._listener: Listener | None = None
        self._hint = ""
        self.speech = bool(self._captions()) and importlib.util.find_spec("pocketsphinx") is not None

    async def hear(self, text: str) -> Heard:
        """The event that a text means."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._hear, text)

    async def listen(self, data: bytes) -> Spoken:
        """The phrase in a recording of 16 kHz mono PCM. ImportError, ValueError: no speech can be recognised here."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._listen, data)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _captions(self) -> Mapping[str, tuple[str, ...]]:
        """The captions of those events of the world that have some; free text takes all."""
        mine = None if self._events is None else {_plain(event): event for event in self._events}
        return {event: ways for event, ways in DRIVE.items() if mine is None or _plain(event) in mine}

    def _hear(self, text: str) -> Heard:
        if self._events and self._captions() and self._understander is None and not self._hint:
            self._understander = self._loaded()
        return hear(text, self._events, self._name, self._understander, self._hint)

    def _loaded(self) -> Understander | None:
        try:
            from wmsim.text.embed import Embedder
            from wmsim.text.understand import Understander

            # Of all captions, whichever the world takes: what means one of the others is then told from its own.
            return Understander(DRIVE, Embedder())
        except ImportError as missing:
            self._hint = f" Names alone are known here: {missing}."
            return None

    def _listen(self, data: bytes) -> Spoken:
        from wmsim.serve.voice import Listener, samples_of

        if not self._captions():
            raise ValueError(f"the world “{self._name}” takes no events that speech is recognised for")
        if self._listener is None:
            self._listener = Listener(self._captions())
        return self._listener.listen(samples_of(data))


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
