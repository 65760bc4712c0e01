"""Memory of a process that serves until its end: nothing waits for garbage collection, and what is free is given back.

GNU's C library keeps freed memory for what is asked for next, and how much it keeps depends on which small piece still
lies behind it. A play server whose sessions forget a drive's snapshots, some fifty MiB each time, seems to grow so,
though nothing leaks.
"""

from __future__ import annotations

import ctypes
import gc
import sys


def keep_for_good() -> None:
    """Garbage collection overlooks all that is there now, for a process that serves until its end.

    Looking through the modules of torch and Ray alone takes 77 ms, which would be one step's every few hundred steps.
    """
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Free pages of the C library's heap go back to the system; other C libraries than GNU's see to it themselves."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
