"""A scripted driver that follows the lane from the true state and errs on purpose.

Shape legend: n slots asked for. Wheel controls are [steer, drive] in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wmsim.control import MAX_ACCELERATION, MAX_WHEEL_ANGLE, WHEELBASE_METRES
from wmsim.policy.protocol import need_slots
from wmsim.sims.state import CURVATURE_METRES, PREVIEW_METRES, STATE_NAMES

Array = NDArray[np.float64]

_SPEED, _FRICTION, _GAP = (STATE_NAMES.index(name) for name in ("speed_mps", "friction", "gap_m"))
_CURVATURE = slice(STATE_NAMES.index("curvature_0m"), STATE_NAMES.index("curvature_0m") + len(CURVATURE_METRES))
_PREVIEW = slice(STATE_NAMES.index("preview_3m_x"), STATE_NAMES.index("preview_3m_x") + 2 * len(PREVIEW_METRES))
_CURVATURE_METRES, _PREVIEW_METRES = np.array(CURVATURE_METRES, np.float64), np.array(PREVIEW_METRES, np.float64)


@dataclass(frozen=True)
class DriverConfig:
    """How the scripted driver drives.

    slow, fast: range of the cruising speed in m/s, drawn per episode. grip: lateral acceleration in bends, m/s^2.
    noise: size of the slow (Ornstein-Uhlenbeck) wander added to steering; pedal_noise: to the pedals.
    recoveries: deliberate swerves per second, each corrected after about half a second. stops: stops per second for
    no reason. mistakes: blunders per second: ignoring a bend, drifting off the road, running into the car ahead.
    roams: spells per second in which it drives blind to the road, for two to five seconds: without them where the
    wheel points tells where the road will lead, and a dream learns that roads obey the wheel.
    lets_go: chance per second of letting go of the wheel for good; half of those who do keep their speed, for the
    others the pedals too stay as they are.
    """

    slow: float = 7.0
    fast: float = 14.0
    grip: float = 4.0
    noise: float = 0.06
    pedal_noise: float = 0.15
    recoveries: float = 0.15
    stops: float = 0.02
    mistakes: float = 0.07
    roams: float = 0.0
    lets_go: float = 0.0


_STEADY, _SWERVE, _STOP, _FAST, _DRIFT, _BLIND, _ROAM, _GONE = range(8)
"""What a driver is doing: driving well, swerving, stopping, too fast, drifting off, not braking, roaming, nothing."""


@dataclass
class _Mood:
    """One row's private state."""

    rng: np.random.Generator
    cruise: float
    wander: float = 0.0
    pedal: float = 0.0
    doing: int = _STEADY
    left: int = 0
    push: float = 0.0
    press: float | None = None


class ScriptedDriver:
    """Follows the lane from `info["state"]` by pure pursuit and speed control, with noise, recoveries and mistakes."""

    def __init__(self, config: DriverConfig | None = None, slots: int = 1, frames_per_second: float = 16.0) -> None:
        """config None: the defaults. ValueError: fewer than one slot, or a cruising range that is empty."""
        need_slots(slots)
        config = config or DriverConfig()
        if not 0 < config.slow <= config.fast:
            raise ValueError(f"the cruising speeds go from slow to fast, got {config.slow} to {config.fast}")
        self._config, self._rate = config, frames_per_second
        self._moods = [self._mood(0) for _ in range(slots)]

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Draw each row's cruising speed and begin it in good driving."""
        for row, seed in zip(rows, seeds, strict=True):
            self._moods[row] = self._mood(seed)

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[np.float32]:
        """Wheel controls (n, 1, 2) from info["state"] (n, len(STATE_NAMES)). ValueError: no state of n rows."""
        state = info.get("state")
        if state is None or len(state) != len(rows):
            got = "nothing" if state is None else f"{len(state)} rows"
            wanted = f'info["state"] with {len(rows)} rows (outputs=("state",))'
            raise ValueError(f"the driver reads {wanted}, got {got}")
        acts = [self._act(self._moods[row], np.asarray(s, np.float64)) for row, s in zip(rows, state, strict=True)]
        return np.array(acts, np.float32)[:, None]

    # --- inside ----------------------------------------------------------------------------------------------------

    def _mood(self, seed: int) -> _Mood:
        rng = np.random.default_rng([seed, 0xD1])
        return _Mood(rng, float(rng.uniform(self._config.slow, self._config.fast)))

    def _act(self, mood: _Mood, row: Array) -> tuple[float, float]:
        self._decide(mood, row[_SPEED])
        self._stir(mood)
        steer = pursuit(row) / MAX_WHEEL_ANGLE + mood.wander
        drive = self._pedals(mood, row) + mood.pedal
        if mood.doing in (_SWERVE, _DRIFT, _ROAM):
            steer = mood.push + (1.0 if mood.doing == _ROAM else 0.3) * mood.wander
        elif mood.doing == _GONE:
            steer, drive = mood.push, drive if mood.press is None else mood.press
        return float(np.clip(steer, -1, 1)), float(np.clip(drive, -1, 1))

    def _decide(self, mood: _Mood, speed: float) -> None:
        """Let what goes on run out, then perhaps begin a swerve, a stop or a blunder."""
        mood.left -= 1
        if mood.left > 0 or mood.doing == _GONE:
            return
        mood.doing, config, draw = _STEADY, self._config, mood.rng.random() * self._rate
        if draw < config.mistakes:
            mood.doing = (_FAST, _DRIFT, _BLIND)[int(mood.rng.integers(3))]
            mood.left = int(self._rate * {_FAST: 6.0, _DRIFT: 2.5, _BLIND: 10.0}[mood.doing])
            mood.push = float(mood.rng.choice([-1, 1]) * mood.rng.uniform(0.06, 0.4))
        elif draw < config.mistakes + config.recoveries and speed > 1:
            mood.doing, mood.left = _SWERVE, int(self._rate * mood.rng.uniform(0.2, 0.6))
            mood.push = float(mood.rng.choice([-1, 1]) * mood.rng.uniform(0.1, 0.6) * min(1.0, 25 / speed**2))
        elif draw < config.mistakes + config.recoveries + config.stops:
            mood.doing, mood.left = _STOP, int(self._rate * mood.rng.uniform(1.0, 3.5))
        elif draw < config.mistakes + config.recoveries + config.stops + config.roams:
            mood.doing, mood.left = _ROAM, int(self._rate * mood.rng.uniform(2.0, 5.0))
            mood.push = float(mood.rng.choice([0.0, 0.05, 0.15, 0.4]) * mood.rng.normal())
        elif draw < config.mistakes + config.recoveries + config.stops + config.roams + config.lets_go:
            mood.doing, sizes = _GONE, (0.0, 0.0, 0.05, 0.2, 0.5)
            mood.push, press = (float(x) for x in mood.rng.choice(sizes, 2) * mood.rng.normal(size=2))
            mood.press = abs(press) if mood.rng.random() < 0.5 else None
        if mood.rng.random() * self._rate < 0.08:
            mood.cruise = float(mood.rng.uniform(config.slow, config.fast))

    def _stir(self, mood: _Mood) -> None:
        """Ornstein-Uhlenbeck steps with a memory of 0.6 s for the wheel and the pedals."""
        keep = float(np.exp(-1 / (0.6 * self._rate)))
        spread = float(np.sqrt(1 - keep**2))
        mood.wander = keep * mood.wander + spread * self._config.noise * float(mood.rng.normal())
        mood.pedal = keep * mood.pedal + spread * self._config.pedal_noise * float(mood.rng.normal())

    def _pedals(self, mood: _Mood, row: Array) -> float:
        """Drive in [-1, 1] towards the speed that the bends, the gap ahead and the mood allow."""
        grip = min(self._config.grip, 6.0 * row[_FRICTION])
        if mood.doing == _STOP:
            return -0.45
        wanted = 15.0 if mood.doing in (_FAST, _DRIFT) else mood.cruise
        if mood.doing not in (_FAST, _ROAM, _GONE):
            bend = grip / np.maximum(np.abs(row[_CURVATURE]), 1e-3)
            wanted = min(wanted, float(np.sqrt(bend + 2 * 2.5 * _CURVATURE_METRES).min()))
        if mood.doing not in (_BLIND, _FAST, _ROAM, _GONE):
            wanted = min(wanted, float(np.sqrt(2 * 2.5 * max(row[_GAP] - 3.5, 0.0))))
        rate = 2.0 * (wanted - row[_SPEED])
        return float(np.clip(rate / MAX_ACCELERATION if rate > 0 else rate / (2 * MAX_ACCELERATION), -1, 1))


def pursuit(row: Array) -> float:
    """Front-wheel angle in radians towards the lane some 0.75 s ahead (pure pursuit, Coulter, CMU-RI-TR-92-01)."""
    reach = np.clip(2.5 + 0.55 * row[_SPEED], _PREVIEW_METRES[0], _PREVIEW_METRES[-1])
    points = row[_PREVIEW].reshape(-1, 2)
    x, y = np.interp(reach, _PREVIEW_METRES, points[:, 0]), np.interp(reach, _PREVIEW_METRES, points[:, 1])
    # The rear axle is what pure pursuit steers; previews are seen from the middle of the wheelbase.
    x += WHEELBASE_METRES / 2
    return float(np.arctan(WHEELBASE_METRES * 2 * y / max(x * x + y * y, 1e-2)))
