"""Typed events: what a world's spec declares goes to it as `Control.event`; the rest is answered, never ignored."""

from __future__ import annotations

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """What became of a typed text: the event for the world, None when there is none, and the answer for the person."""

    event: str | None
    answer: str


def hear(text: str, events: tuple[str, ...] | None, name: str) -> Heard:
    """The event that `text` names. events: as `WorldSpec.events`; name: the world's, for the answer."""
    if events is None:
        return Heard(text, f"“{text}” was told to the world.")
    if not events:
        return Heard(None, f"The world “{name}” takes no events: nothing was told to it.")
    known = {_plain(event): event for event in events}
    if _plain(text) in known:
        event = known[_plain(text)]
        return Heard(event, f"“{event}” was told to the world.")
    near = difflib.get_close_matches(_plain(text), known, n=3, cutoff=0.0)
    return Heard(None, f"“{text}” is not understood. Nearest: {', '.join(known[one] for one in near)}.")


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
