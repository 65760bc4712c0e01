"""Opens the world under test: the shipped dream, a checkpoint, or anyone's world by module:callable."""

from __future__ import annotations

import importlib
import re

from wmsim import dream
from wmsim.world import World


def open_world(source: str, slots: int, steps: int | None = None, device: str = "cpu") -> World:
    """The world that `source` names: what `wmsim.dream.load` takes, or "package.module:callable".

    A dream goes on whatever it says of its end, so that what is compared is dreamt. The callable gets slots, steps (of
    its sampler; None for its own choice) and device by name. ValueError when there is no such callable.
    """
    named = re.fullmatch(r"([\w.]+):(\w+)", source)
    if not named:
        return dream.load(source, slots=slots, device=device, steps=steps, endless=True)
    try:
        factory = getattr(importlib.import_module(named[1]), named[2])
    except (ImportError, AttributeError) as fault:
        raise ValueError(f"there is no world {source!r}: {fault}") from fault
    made = factory(slots=slots, steps=steps, device=device)
    assert isinstance(made, World)
    return made
