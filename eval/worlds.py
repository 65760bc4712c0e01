"""Opens the world under test: the shipped dream, a checkpoint, or anyone's world by module:callable."""

from __future__ import annotations

import re

from wmsim import dream
from wmsim.named import named
from wmsim.world import World


def open_world(source: str, slots: int, steps: int | None = None, device: str = "cpu") -> World:
    """The world that `source` names: what `wmsim.dream.load` takes, or "package.module:callable".

    A dream goes on whatever it says of its end, so that what is compared is dreamt. The callable gets slots, steps (of
    its sampler; None for its own choice) and device by name. ValueError when there is no such callable.
    """
    if not re.fullmatch(r"[\w.]+:\w+", source):
        return dream.load(source, slots=slots, device=device, steps=steps, endless=True)
    made = named(source, "a world as module:callable")(slots=slots, steps=steps, device=device)
    assert isinstance(made, World)
    return made
