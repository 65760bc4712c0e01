"""Threads for a world and for what lies beside it.

A world is made and stepped in one and the same thread: the Drive dream on two cores takes 28 ms a step so, 33 when it
was made in another thread, which is what one core alone needs. And there is at most one team of torch's threads in a
process: GNU's OpenMP lets threads spin between two operations only while all teams together are no more than the
machine's cores, and a thread that has run one large operation keeps its team for ever.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch


def world_thread(threads: int | None = None) -> ThreadPoolExecutor:
    """The one thread in which a world is made and called; threads: of torch in it, None leaves that to torch."""
    # torch counts its threads for each thread that calls it, so this one has to be told.
    begin = None if threads is None else partial(torch.set_num_threads, threads)
    return ThreadPoolExecutor(1, "world", initializer=begin)


def side_thread(name: str) -> ThreadPoolExecutor:
    """One thread in which torch makes no team, for which copying a snapshot would do."""
    return ThreadPoolExecutor(1, name, initializer=partial(torch.set_num_threads, 1))
