"""What a conformance run found: one result a check, as a table, as a flag, or as an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

Status = Literal["pass", "fail", "skip"]

_COLOURS: dict[Status, str] = {"pass": "green", "fail": "bold red", "skip": "yellow"}


class ConformanceError(AssertionError):
    """Raised by `Report.raise_for_failures`; its text names each failed check and what to fix."""


@dataclass(frozen=True)
class Result:
    """One check: its message says what was seen, or what to fix, or why it could not be run."""

    name: str
    status: Status
    message: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """All results of one subject, in the order in which they were run."""

    subject: str
    results: tuple[Result, ...]

    @property
    def ok(self) -> bool:
        """No check failed; a skipped one says why in its message."""
        return not self.named("fail")

    def named(self, status: Status) -> list[str]:
        """The names of the checks of that status."""
        return [result.name for result in self.results if result.status == status]

    def raise_for_failures(self) -> None:
        """ConformanceError with every failure, when there is one."""
        failures = [f"{r.name}: {r.message}" for r in self.results if r.status == "fail"]
        if failures:
            raise ConformanceError(f"{self.subject} fails {len(failures)} checks\n" + "\n".join(failures))

    def table(self) -> Table:
        """The results as a rich table."""
        table = Table(title=f"conformance of {self.subject}", title_justify="left")
        table.add_column("check", no_wrap=True)
        table.add_column("result")
        table.add_column("what was seen, or what to fix", overflow="fold")
        table.add_column("s", justify="right")
        for r in self.results:
            table.add_row(r.name, f"[{_COLOURS[r.status]}]{r.status}[/]", r.message, f"{r.seconds:.1f}")
        return table

    def print(self, console: Console | None = None) -> None:
        """The table and a line of totals."""
        shown = console or Console()
        shown.print(self.table())
        totals = {status: len(self.named(status)) for status in _COLOURS}
        shown.print(f"{totals['pass']} passed, {totals['fail']} failed, {totals['skip']} skipped")
