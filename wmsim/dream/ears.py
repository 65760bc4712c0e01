"""What a dream makes of texts: which of its events they mean, and the vectors that its network is told."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from wmsim.model.events import Embeds, make_embedder


@runtime_checkable
class Meaning(Protocol):
    """What was understood: the event, or None, and the nearest (event, score), best first."""

    event: str | None
    nearest: tuple[tuple[str, float], ...]


@runtime_checkable
class Understands(Protocol):
    """`wmsim.text.understand.Understander`, or what stands in its place."""

    def understand(self, text: str) -> Meaning:
        """What a sentence means."""
        ...


class Ears:
    """How one dream understands what is told; the parts of the extra [text] are made when they are first needed."""

    def __init__(
        self,
        captions: Mapping[str, Sequence[str]],
        embedder: Embeds | None = None,
        understander: Understands | None = None,
    ) -> None:
        """captions: event -> the wordings that taught it. None: of the extra [text]."""
        self._captions, self._embedder, self._understander = captions, embedder, understander
        self._names = {event.casefold(): event for event in captions}

    def hear(self, text: str) -> str:
        """`text`, which means one of the events. ValueError: it means none, or there are none."""
        if not self._captions:
            raise ValueError(f"this dream takes no events: {text!r} cannot be told to it")
        if text.strip().casefold() not in self._names:
            meant = self._understanding().understand(text)
            if meant.event is None:
                near = ", ".join(f"{event} ({score:.2f})" for event, score in meant.nearest[:3])
                raise ValueError(f"{text!r} is not understood; nearest: {near}")
        return text

    def vector(self, text: str) -> Float32[np.ndarray, " E"]:
        """The vector that stands for a text; errors as `hear`."""
        understood = self.hear(text)
        vector: Float32[np.ndarray, " E"] = self._embedding().embed([understood])[0]
        return vector

    def _embedding(self) -> Embeds:
        self._embedder = self._embedder or make_embedder()
        return self._embedder

    def _understanding(self) -> Understands:
        if self._understander is None:
            embedder = self._embedding()
            text: Any = importlib.import_module("wmsim.text.understand")
            shipped = importlib.import_module("wmsim.text.captions").DRIVE
            # The fit to the captions that ship comes ready; any other takes some seconds.
            captions = shipped if set(shipped) == set(self._captions) else self._captions
            made: Understands = text.Understander(captions, embedder)
            self._understander = made
        return self._understander
