"""Who tells events while episodes are recorded: at random moments, each in one of many wordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wmsim.named import named

_REST_SECONDS = 1.5
"""The least time between two tellings: what was told must begin to show."""


@dataclass(frozen=True)
class TellingConfig:
    """captions: event -> ways to say it; the world is told the event, what is written down are both. seconds: mean
    time between two tellings. ValueError: no caption, or no time between them."""

    captions: Mapping[str, Sequence[str]]
    seconds: float = 6.0

    def __post_init__(self) -> None:
        """Check the settings and keep them as plain dictionaries and tuples, which other processes can be sent."""
        object.__setattr__(self, "captions", {event: tuple(ways) for event, ways in self.captions.items()})
        silent = [event for event, ways in self.captions.items() if not all(ways) or not ways]
        if silent or not self.captions:
            raise ValueError(f"every event needs captions that are not empty, got none for {silent or 'any'}")
        if self.seconds <= _REST_SECONDS:
            raise ValueError(f"tellings are more than {_REST_SECONDS} s apart on average, got seconds={self.seconds}")


def captions_of(name: str) -> Mapping[str, Sequence[str]]:
    """The mapping of events to captions that "module:MAPPING" names. ValueError: there is none."""
    found = named(name, "captions as module:MAPPING")
    if not isinstance(found, Mapping):
        raise ValueError(f"{name!r} is a {type(found).__name__}: captions are a mapping of events to texts")
    return found


class Teller:
    """What is told in one episode, as its seed draws it."""

    def __init__(self, config: TellingConfig, frames_per_second: float, seed: int) -> None:
        self._config, self._rate = config, frames_per_second
        self._rng = np.random.default_rng([seed, 0xE7])
        self._wait = int(self._rng.uniform(0, config.seconds) * frames_per_second)

    def next(self) -> tuple[str, str] | None:
        """The event and the caption told in the next step, or None."""
        self._wait -= 1
        if self._wait >= 0:
            return None
        pause = _REST_SECONDS + self._rng.exponential(self._config.seconds - _REST_SECONDS)
        self._wait = int(pause * self._rate)
        event = list(self._config.captions)[int(self._rng.integers(len(self._config.captions)))]
        ways = self._config.captions[event]
        return event, ways[int(self._rng.integers(len(ways)))]
