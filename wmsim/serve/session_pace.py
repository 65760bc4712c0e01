"""How fast and how long: a bucket of tokens for the rate of messages, and a stopwatch for the gaps between frames."""

from __future__ import annotations

from collections import deque


class Bucket:
    """Lets `rate` things a second through, on average, and the work of `burst` seconds at once."""

    def __init__(self, rate: float, burst: float = 2.0) -> None:
        self._rate, self._most, self._then = rate, burst * rate, 0.0
        self._level = self._most

    def take(self, now: float) -> bool:
        """Whether one more may pass at `now` (seconds of a clock that never goes back)."""
        if self._then:
            self._level = min(self._most, self._level + (now - self._then) * self._rate)
        self._then = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


class Gaps:
    """The time between frames that should follow each other, and how long steps took: milliseconds.

    late: steps that ended after the next one was due.
    """

    def __init__(self, last: int = 2000) -> None:
        self._steps: deque[float] = deque(maxlen=last)
        self.longest_ms = 0.0
        self.frames = self.ticks = self.late = 0

    def step(self, milliseconds: float, frames: int) -> None:
        """A batched step of so many sessions was done."""
        self._steps.append(milliseconds)
        self.ticks += 1
        self.frames += frames

    def gap(self, seconds: float) -> None:
        """Two frames of one session followed each other so far apart."""
        self.longest_ms = max(self.longest_ms, 1000 * seconds)

    def percentile(self, share: float) -> float:
        """The step time that `share` of the last steps did not exceed; 0 when there was none."""
        ordered = sorted(self._steps)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
