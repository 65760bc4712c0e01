"""A session's recording: pairs frames with the twin's, draws and encodes them in the films' own thread."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future

from wmsim.serve.play_film import Film, Pixels, Scene
from wmsim.serve.session_stage import Stage

_MOST_WAITING = 64
_MOST_UNPAIRED = 32


class Recording:
    """On or off; frames are counted up to the limit of the length."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._film: Film | None = None
        self._paired = False
        self._scenes: dict[tuple[int, int], Scene] = {}
        self._jobs: deque[Future[None]] = deque()
        self.frames = self.skipped = 0

    @property
    def on(self) -> bool:
        """Whether frames are recorded."""
        return self._film is not None

    @property
    def full(self) -> bool:
        """Whether the film has the length that is allowed."""
        return self.frames >= self._stage.limits.film_seconds * self._stage.rate

    def start(self, twin: bool) -> None:
        """Record from the next frame on, beside the twin or not. ImportError: PyAV is missing."""
        config = self._stage.config
        titles = f"{config.made} picture".capitalize(), f"{config.twin_made} twin".capitalize()
        self._film = Film(self._stage.rate, titles[0], titles[1] if twin else None)
        self._paired, self.frames, self.skipped = twin, 0, 0

    def add(self, place: tuple[int, int], scene: Scene, twin: bool) -> None:
        """A frame of the world; place: (turn, frame). twin: whether the twin will show the same frame."""
        if self._film is None or self.full:
            return
        self.frames += 1
        if not (twin and self._paired):
            self._encode(scene, None)
            return
        self._scenes[place] = scene
        if len(self._scenes) > _MOST_UNPAIRED:
            self._encode(self._scenes.pop(next(iter(self._scenes))), None)

    def add_twin(self, place: tuple[int, int], pixels: Pixels) -> None:
        """The twin's frame of a scene that waits for it."""
        scene = self._scenes.pop(place, None)
        if scene is not None:
            self._encode(scene, pixels)

    async def stop(self) -> bytes:
        """The film; off from here on."""
        film, self._film = self._film, None
        assert film is not None
        for scene in self._scenes.values():
            self._submit(film, scene, None)
        self._scenes.clear()
        jobs = [asyncio.wrap_future(job) for job in self._jobs]
        self._jobs.clear()
        await asyncio.gather(*jobs)
        return await asyncio.get_running_loop().run_in_executor(self._stage.films, film.finish)

    def _encode(self, scene: Scene, twin: Pixels | None) -> None:
        assert self._film is not None
        while self._jobs and self._jobs[0].done():
            self._jobs.popleft().result()
        if len(self._jobs) >= _MOST_WAITING:
            self.skipped += 1
            return
        self._submit(self._film, scene, twin)

    def _submit(self, film: Film, scene: Scene, twin: Pixels | None) -> None:
        self._jobs.append(self._stage.films.submit(film.add, scene, twin))
