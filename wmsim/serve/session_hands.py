"""What a person does between two steps: keys held or just tapped, a stick, a glance, a drawn line, a typed event."""

from __future__ import annotations

import numpy as np

from wmsim.serve.play_ground import Ground
from wmsim.serve.play_messages import Inputs, Path
from wmsim.serve.play_path import DrawnPath
from wmsim.serve.play_steer import Asked, wheel_of

_LOOK_LIMIT = 0.35


class Hands:
    """Gathers messages until a step takes them: a tap shorter than a frame counts, glances add up, lines are followed.

    seq: the last message that a step has taken; wait_ms: how long the first message of that step had waited.
    """

    def __init__(self, ground: Ground | None) -> None:
        self._ground = ground
        self._path: DrawnPath | None = None
        self._inputs, self._tapped, self._look = Inputs(), (False, False, False, False), np.zeros(2)
        self._event: str | None = None
        self._newest, self._arrived = 0, 0.0
        self.seq, self.wait_ms = 0, 0.0

    def hold(self, inputs: Inputs, now: float) -> None:
        """Keys, stick and look; whoever touches them takes over from a drawn line."""
        self._came(inputs.seq, now)
        self._inputs = inputs
        a, b, c, d = (old or new for old, new in zip(self._tapped, inputs.keys, strict=True))
        self._tapped = (a, b, c, d)
        self._look = np.clip(self._look + inputs.look, -_LOOK_LIMIT, _LOOK_LIMIT)
        if any(inputs.keys) or inputs.analog:
            self._path = None

    def draw(self, path: Path, now: float) -> None:
        """Follow a line, or none. ValueError: this world has no ground to draw on, or the line is not on it."""
        self._came(path.seq, now)
        self._path = None
        if not len(path.points):
            return
        if self._ground is None:
            raise ValueError("no line can be drawn in this world: its camera's place is not known")
        self._path = DrawnPath(self._ground.to_ground(path.points))

    def tell(self, event: str) -> None:
        """An event for the next step."""
        self._event = event

    def take(self, speed: float, now: float) -> Asked:
        """What the next step is asked, at this speed (m/s)."""
        tapped = Inputs(
            self._newest, self._tapped, self._inputs.analog, self._inputs.steer, self._inputs.drive,
            (float(self._look[0]), float(self._look[1])),
        )  # fmt: skip
        self.seq = self._newest
        self.wait_ms = 1000 * (now - self._arrived) if self._arrived else 0.0
        wheel = wheel_of(tapped) if self._path is None else self._path.wheel(speed)
        asked = Asked(tapped, wheel, self._event)
        self._tapped, self._look, self._event, self._arrived = self._inputs.keys, np.zeros(2), None, 0.0
        return asked

    def moved(self, speed: float, yaw_rate: float, seconds: float) -> None:
        """The car has moved: the drawn line slides by, and is dropped at its end."""
        if self._path is not None:
            self._path.move(speed, yaw_rate, seconds)
            if self._path.done:
                self._path = None

    @property
    def idle(self) -> bool:
        """Whether nothing is asked."""
        still = not any(self._tapped) and not self._look.any() and self._inputs.idle
        return still and self._path is None and self._event is None

    def line(self) -> np.ndarray | None:
        """What is left of the drawn line, on the picture: (P, 2) in [0, 1]."""
        if self._path is None or self._ground is None:
            return None
        points = self._path.points
        return self._ground.to_picture(points[:: max(1, -(-len(points) // 48))])

    def release(self) -> None:
        """Let go of everything; a key that is still down counts again when the page says so."""
        self._path, self._event = None, None
        self._inputs, self._tapped, self._look = Inputs(), (False, False, False, False), np.zeros(2)

    def _came(self, seq: int, now: float) -> None:
        self._newest = max(self._newest, seq)
        self._arrived = self._arrived or now
