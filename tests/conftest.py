"""What every test shares: shapes and types of wmsim are checked, one torch thread a process, no window."""

from __future__ import annotations

import os
import random
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

# beartype draws the list item that it looks at; wmsim promises to leave the global generator alone, so it gets its own.
with mock.patch("random.getrandbits", random.Random(0).getrandbits):
    import beartype  # noqa: F401

from jaxtyping import install_import_hook

install_import_hook("wmsim", "beartype.beartype")

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """A training or a server that took more threads would slow every test after it: workers share the cores."""
    torch.set_num_threads(1)
