"""At most one team of torch's threads in a server: that of the thread in which a replica's world is stepped.

GNU's OpenMP lets threads spin between two operations only while all teams of a process together are no more than the
machine's cores. A thread that has run one large operation keeps its team for ever, so a world that is loaded in one
thread and stepped in another wakes threads from sleep hundreds of times a step: the Drive dream on two cores then takes
45 ms a step instead of 29.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import torch


@contextmanager
def without_a_team() -> Iterator[None]:
    """torch works in the calling thread alone within the block, and with as many threads as before behind it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def side_thread(name: str) -> ThreadPoolExecutor:
    """One thread in which torch makes no team, for which copying a snapshot would do."""
    return ThreadPoolExecutor(1, name, initializer=partial(torch.set_num_threads, 1))
