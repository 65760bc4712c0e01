"""Shows how a long job goes: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS = 15.0
"""Between two lines in a log."""


class Meter:
    """Counts what is done against a total and shows it with its rate; `shown=False` only counts."""

    def __init__(self, title: str, total: int, unit: str, done: int = 0, shown: bool = True) -> None:
        self.title, self.total, self.unit, self.done = title, total, unit, done
        self.rate_unit, self.rated, self._first = f"{unit}/s", 0, time.monotonic()
        self._shown, self._next = shown, time.monotonic() + SECONDS
        self._bar: Progress | None = None
        if shown and sys.stderr.isatty():
            columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
            self._bar = Progress(*columns, TimeRemainingColumn())
            self._task = self._bar.add_task(title, total=total, completed=done, rate="")

    def __enter__(self) -> Meter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()
        elif self._shown:
            self._line()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._first

    def advance(self, steps: int = 1, rated: int = 0, unit: str = "") -> None:
        """Count `steps` more of the total, and `rated` more of what the rate is of (`unit`, by default the total's)."""
        self.done += steps
        self.rated += rated if unit else steps
        self.rate_unit = f"{unit}/s" if unit else self.rate_unit
        if self._bar:
            self._bar.update(self._task, completed=self.done, rate=self._rate())
        elif self._shown and time.monotonic() > self._next:
            self._next = time.monotonic() + SECONDS
            self._line()

    def _rate(self) -> str:
        return f"{self.rated / max(self.seconds, 1e-9):.0f} {self.rate_unit}"

    def _line(self) -> None:
        line = f"{self.title}: {self.done}/{self.total} {self.unit}, {self._rate()}, {self.seconds:.0f} s"
        print(line, file=sys.stderr, flush=True)
