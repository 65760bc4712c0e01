"""The world that a replica makes: named by a text, as on the command line, or made by a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wmsim.named import named
from wmsim.world import World


@dataclass(frozen=True)
class Source:
    """world: the name of a checkpoint that ships, a checkpoint's path, "module:factory", or a function slots -> World.

    settings: go to whatever makes the world.
    """

    world: str | Callable[..., World]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def make(self, slots: int, device: str | None = None) -> World:
        """The world with so many slots; device: passed on where the settings name none and None is not given.

        ValueError, FileNotFoundError: nothing of that name, or a setting that it does not take.
        """
        asked = dict(self.settings) | ({"device": device} if device and "device" not in self.settings else {})
        try:
            made: World = self._factory()(slots=slots, **asked)
        except TypeError as problem:
            raise ValueError(f"{self.world!r} could not be made with {asked}: {problem}") from problem
        return made

    def _factory(self) -> Callable[..., World]:
        if not isinstance(self.world, str):
            return self.world
        if ":" in self.world and not Path(self.world).exists():
            factory: Callable[..., World] = named(self.world, "a world as module:factory")
            return factory
        return _dream(self.world)


def _dream(source: str) -> Callable[..., World]:
    from wmsim import dream

    path = Path(source).absolute() if Path(source).is_file() else source

    def load(**settings: Any) -> World:
        return dream.load(path, **settings)

    return load
