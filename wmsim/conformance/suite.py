"""How checks are run: in order, each by name, skipped with a reason when one that it builds on has failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from wmsim.conformance.report import Result, Status

Probe = TypeVar("Probe")


class BrokenError(Exception):
    """A check's verdict: the text says what to fix."""


class SkipError(Exception):
    """A check cannot be run on this subject: the text says why."""


@dataclass(frozen=True)
class Check(Generic[Probe]):
    """A named promise. run: probe -> what was seen; it raises BrokenError or SkipError.

    needs: checks that this one builds on; when one of them failed, this one is skipped, so that one fault shows once.
    """

    run: Callable[[Probe], str]
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The function's name."""
        return self.run.__name__


def run_checks(checks: Sequence[Check[Probe]], probe: Probe) -> tuple[Result, ...]:
    """Every check in turn; an unexpected exception fails the check in which it was raised."""
    results: list[Result] = []
    for check in checks:
        failed = {r.name for r in results if r.status == "fail"}
        results.append(_run(check, probe, [name for name in check.needs if name in failed]))
    return tuple(results)


def _run(check: Check[Probe], probe: Probe, missing: list[str]) -> Result:
    began = time.perf_counter()
    status: Status = "pass"
    try:
        if missing:
            raise SkipError(f"builds on {', '.join(missing)}, which failed: mend that first")
        message = check.run(probe)
    except BrokenError as broken:
        status, message = "fail", str(broken)
    except SkipError as skip:
        status, message = "skip", str(skip)
    except Exception as problem:
        status, message = "fail", f"raised {type(problem).__name__}: {problem}"
    return Result(check.name, status, message, time.perf_counter() - began)


def expect(holds: bool, fix: str) -> None:
    """BrokenError with `fix` when the promise does not hold."""
    if not holds:
        raise BrokenError(fix)
