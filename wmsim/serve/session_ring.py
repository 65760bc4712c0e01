"""What a session can go back to: the last seconds as snapshots, and the futures that were left for another turn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wmsim.world import Snapshot


@dataclass(frozen=True)
class Moment:
    """One frame of a session with all that follows from it. proprio: (speed m/s, yaw rate rad/s), 0 where unknown.

    twin, twin_pixels: the same frame of the twin, None where it did not run.
    """

    frame: int
    turn: int
    state: Snapshot
    pixels: NDArray[np.uint8]
    motion: tuple[float, float] = (0.0, 0.0)
    ended: bool = False
    twin: Snapshot | None = None
    twin_pixels: NDArray[np.uint8] | None = None


class Ring:
    """The last `length` moments, oldest first; the oldest goes when a new one comes."""

    def __init__(self, length: int) -> None:
        self._moments: deque[Moment] = deque(maxlen=max(length, 1))

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays in all moments that are kept."""
        return sum(map(_nbytes, self._moments))

    def add(self, moment: Moment) -> None:
        """Keep a moment, the newest."""
        self._moments.append(moment)

    def add_twin(self, frame: int, state: Snapshot, pixels: NDArray[np.uint8]) -> None:
        """The twin's part of a moment that is kept already, or was already forgotten."""
        for place, moment in enumerate(self._moments):
            if moment.frame == frame:
                self._moments[place] = replace(moment, twin=state, twin_pixels=pixels)

    def before(self, frame: int) -> Moment | None:
        """The last moment at or before `frame`, else the oldest; None when nothing is kept."""
        earlier = [moment for moment in self._moments if moment.frame <= frame]
        return earlier[-1] if earlier else (self._moments[0] if self._moments else None)

    def cut(self, frame: int) -> None:
        """Forget what came after `frame`: it belongs to another turn."""
        while self._moments and self._moments[-1].frame > frame:
            self._moments.pop()

    def clear(self) -> None:
        """Forget everything."""
        self._moments.clear()

    def __len__(self) -> int:
        return len(self._moments)


class Turns:
    """The futures that were left: by number, the `most` last ones."""

    def __init__(self, most: int) -> None:
        self._left: deque[Moment] = deque(maxlen=most)
        self.last = 1

    def leave(self, moment: Moment) -> None:
        """Keep where a future was left."""
        self._left = deque((m for m in self._left if m.turn != moment.turn), self._left.maxlen)
        self._left.append(moment)

    def take(self, number: int) -> Moment | None:
        """Where the future of that number was left, which is then no longer kept; None: there is no such one."""
        found = next((m for m in self._left if m.turn == number), None)
        self._left = deque((m for m in self._left if m.turn != number), self._left.maxlen)
        return found

    def new(self) -> int:
        """The number of a new future."""
        self.last += 1
        return self.last

    def clear(self) -> None:
        """Forget all; the next future is number 1."""
        self._left.clear()
        self.last = 1

    def told(self, rate: float) -> list[dict[str, int | float]]:
        """For the page: number and second of each."""
        return [{"turn": m.turn, "seconds": round(m.frame / rate, 1)} for m in self._left]


def _nbytes(value: Any) -> int:
    """Bytes of the arrays and tensors in a state, or anything that is built like one."""
    if is_dataclass(value):
        value = vars(value)
    parts = list(value.values()) if isinstance(value, dict) else value
    return sum(map(_nbytes, parts)) if isinstance(parts, list | tuple) else int(getattr(parts, "nbytes", 0))
