"""What can go wrong between a client and a pool, each error with its own way out."""

from __future__ import annotations

from typing import Any


class PoolError(RuntimeError):
    """The pool could not do what was asked; the text says what to do about it."""


class Busy(PoolError):
    """No slot is free or a queue is full; the text says how many there are and what to change."""


class StepOrderError(PoolError):
    """A step's id is neither the last one of its slot nor the next: two clients drive one slot, or one lost count."""


class LeaseLost(PoolError):
    """The client was silent for longer than its lease, so its slots were given away."""


class Moved(PoolError):
    """The slot is not on this replica any more; clients answer by asking the head where it is."""


class Gone(PoolError):
    """No snapshot is left from which the given part of the log could be replayed; the whole log is wanted."""


_KINDS: dict[str, type[Exception]] = {
    "value": ValueError,
    "busy": Busy,
    "order": StepOrderError,
    "lease": LeaseLost,
    "moved": Moved,
    "gone": Gone,
    "failed": PoolError,
}


def told(error: Exception) -> dict[str, Any]:
    """`error` as a message: its kind and its text, without a traceback of another machine."""
    for kind, cls in _KINDS.items():
        if isinstance(error, cls) and kind != "failed":
            return {"error": [kind, str(error)]}
    text = str(error) if isinstance(error, PoolError) else f"the world raised {type(error).__name__}: {error}"
    return {"error": ["failed", text]}


def checked(reply: dict[str, Any]) -> dict[str, Any]:
    """`reply`, or the error that it tells."""
    if "error" in reply:
        kind, text = reply["error"]
        raise _KINDS[kind](text)
    return reply
