"""What waits to be sent to one page: of frames the newest alone, so that a slow line shows the present."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from wmsim.serve.play_messages import Shown, pack_film, pack_frame, pack_note

_MOST_NOTES = 128


class Outbox:
    """Frames replace each other while the page has more than `unseen` of them to paint; notes and films wait."""

    def __init__(self, unseen: int) -> None:
        self._unseen = unseen
        self._frames: dict[int, Shown] = {}
        self._notes: deque[str] = deque(maxlen=_MOST_NOTES)
        self._film: deque[bytes] = deque()
        self._ready = asyncio.Event()
        self._number = self._seen = 0
        self.dropped = 0

    def frame(self, shown: Shown) -> None:
        """Send this frame, or a later one of its pane."""
        if shown.pane in self._frames:
            self.dropped += 1
        self._frames[shown.pane] = shown
        self._ready.set()

    def note(self, kind: str, **facts: Any) -> None:
        """Send a rare message; when a page takes none at all, the oldest go."""
        self._notes.append(pack_note(kind, **facts))
        self._ready.set()

    def film(self, data: bytes) -> None:
        """Send a film, in pieces between the frames; one that was still on its way is given up."""
        self._film = deque(pack_film(data))
        self._ready.set()

    def seen(self, number: int) -> None:
        """The page has painted the frame message of this number."""
        self._seen = max(self._seen, min(number, self._number))
        self._ready.set()

    @property
    def open(self) -> bool:
        """Whether the page is ready for another frame."""
        return self._number - self._seen < self._unseen

    async def next(self) -> str | bytes:
        """The next message, when there is one that may be sent."""
        while True:
            self._ready.clear()
            message = self._take()
            if message is not None:
                return message
            await self._ready.wait()

    def _take(self) -> str | bytes | None:
        if self._notes:
            return self._notes.popleft()
        if self._frames and self.open:
            self._number += 1
            return pack_frame(self._frames.pop(next(iter(self._frames))), self._number, self.dropped)
        return self._film.popleft() if self._film else None
