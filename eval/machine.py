"""What a figure of speed rests on: the processor, its load, the threads, the memory of this process."""

from __future__ import annotations

import os
import platform
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

_NAP = 0.05
"""Seconds that the thread sleeps which tells how late the machine wakes one."""


def machine() -> dict[str, Any]:
    """Processor, cores, load average of the last minute, threads, versions: goes beside every table."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def processor() -> str:
    """The processor's name as the system tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def resident_megabytes() -> float:
    """Memory of this process that is resident now (on Linux; elsewhere the most that ever was)."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


@contextmanager
def disturbance() -> Iterator[dict[str, float]]:
    """Fills the dictionary at the end with what the machine itself did to a measurement.

    stolen: share of the cores' time in which they had work and the host gave them to others, 0 where the system does
    not tell. latest_wake_ms: by which a thread that only sleeps was woken late at most.
    """
    told: dict[str, float] = {}
    over, late = threading.Event(), [0.0]

    def nap() -> None:
        while not over.is_set():
            began = time.perf_counter()
            over.wait(_NAP)
            late[0] = max(late[0], time.perf_counter() - began - _NAP)

    thread, before = threading.Thread(target=nap, daemon=True), _ticks()
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
        passed, stolen = (now - then for now, then in zip(_ticks(), before, strict=True))
        told["stolen"] = round(stolen / max(passed, 1), 3)
        told["latest_wake_ms"] = round(late[0] * 1e3, 1)


def _ticks() -> tuple[int, int]:
    """Of all cores since the start, in the kernel's ticks: time, and how much of it was stolen (man 5 proc_stat)."""
    counts = Path("/proc/stat")
    spent = [int(count) for count in counts.read_text().splitlines()[0].split()[1:9]] if counts.exists() else [0] * 8
    return sum(spent), spent[7]
