"""What a client remembers of its episodes, so that a slot that was lost can be brought back: ids and controls."""

from __future__ import annotations

from collections import deque
from typing import Any

from wmsim.serve import wire

LONGEST = 1024
"""Steps of an episode that are kept even though a snapshot makes them needless, in case the snapshot is lost too."""

Entry = tuple[int, str, Any, int]
"""A turn's id, what it was, what was given, and the row of it that is this slot's."""


class EpisodeLog:
    """One slot's turns since its episode began.

    acked: id of the last turn whose answer is here. saved: id of the newest snapshot that is known to be safe.
    """

    def __init__(self) -> None:
        self.acked, self.saved = 0, 0
        self._turns: deque[Entry] = deque()

    @property
    def begun(self) -> bool:
        """Whether there is an episode."""
        return self.acked > 0

    def add(self, what: str, given: Any, row: int, saved: int) -> None:
        """A turn was answered. A reset or a restore begins anew; `saved` is the newest snapshot that is safe."""
        self.acked += 1
        self.saved = saved
        if what != "step":
            self._turns.clear()
        self._turns.append((self.acked, what, given, row))
        while len(self._turns) > LONGEST and self._turns[0][0] <= saved:
            self._turns.popleft()

    def since(self, turn: int) -> list[list[Any]]:
        """[id, what, given] of every turn after `turn` that is kept."""
        return [[number, what, wire.pick(given, [row])] for number, what, given, row in self._turns if number > turn]
