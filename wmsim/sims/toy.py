"""An analytic world for fast tests: a car, or a walker, seen from above on a checkered disc; exact, no network, no GL.

Shape legend: n slots named in a call, T frames per step, H x W pixels. Metres, radians, seconds; x forward, y left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray

from wmsim import control as controls
from wmsim.control import Control
from wmsim.world import Frames, Snapshot, Start, Step, WorldSpec, check_robot, check_seeds, check_slots, check_snapshot

RIDES = ("wheel", "walk")
Array = NDArray[Any]

STATE_NAMES: tuple[str, ...] = ("x_m", "y_m", "yaw_rad", "speed_mps", "yaw_rate_radps")

_DISC_METRES = 12.0
_OBSTACLE_METRES = 1.0
_TOP_SPEED = 8.0
_STRIDE_METRES = 0.25
_FELL = -1.0

_STATE = np.dtype([("pose", "f8", 5), ("palette", "f4", (3, 3)), ("obstacle", "f8", 2), ("begun", "?"), ("ended", "?")])


@dataclass(frozen=True)
class ToyConfig:
    """size: pixels a side (16 metres are in view). ride: "wheel" drives a car, "walk" takes keys and look.

    frames_per_step: frames a step makes. outputs: what `Step.info` holds besides, out of ("state",).
    """

    size: int = 40
    ride: str = "wheel"
    frames_per_step: int = 1
    frames_per_second: float = 16.0
    outputs: tuple[str, ...] = ()


class ToyWorld:
    """A World drawn in closed form: the plane turns and slides under the car, the seed sets start, colours, obstacle.

    Reward is the metres driven forward, -1 in the frame in which the car leaves the disc or hits the obstacle, which
    ends the episode. Equal seeds give equal bits on every machine with IEEE arithmetic, whatever the batch.
    """

    def __init__(self, slots: int = 1, config: ToyConfig = ToyConfig(), device: str = "cpu", **settings: Any) -> None:
        """`settings` are fields of `ToyConfig`; ValueError: a number below 1, an unknown ride or output."""
        self.config = _checked(replace(config, **settings), slots)
        self._slots = slots
        self._device = torch.device(device)
        self._spec = _spec(self.config)
        self._state = np.zeros(slots, _STATE)
        self._grid = _view_grid(self.config.size)

    @property
    def spec(self) -> WorldSpec:
        """Camera "top", "wheel" or "buttons" and "look" controls, proprio speed and yaw rate, full state as memory."""
        return self._spec

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return self._slots

    @property
    def device(self) -> torch.device:
        """Where the frames are put; they are computed on the CPU."""
        return self._device

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        """Draw start pose, palette and obstacle of each slot from its seed. ValueError when `starts` is given."""
        rows = check_slots(slots, self._slots)
        if starts is not None:
            raise ValueError("the toy world cannot begin from frames: reset it with seeds only")
        for row, seed in zip(rows, check_seeds(seeds, rows), strict=True):
            self._state[row] = _drawn(seed, self.config.ride)
        n = len(rows)
        return self._step(rows, [self._draw(rows)], [np.zeros(n)], [np.zeros(n, bool)], [self._proprio(rows)])

    def step(self, slots: Sequence[int], control: Control) -> Step:
        """Advance the slots by frames_per_step frames; a slot whose episode is over stands still."""
        rows = check_slots(slots, self._slots)
        if not self._state["begun"][rows].all():
            raise ValueError(f"slot {rows[int(np.argmin(self._state['begun'][rows]))]} was never reset: reset it first")
        asked = self._asked(control, rows)
        frames, rewards, ends, proprio = [], [], [], []
        for t in range(self.config.frames_per_step):
            rewards.append(self._advance(rows, [part[:, t] for part in asked]))
            frames.append(self._draw(rows))
            ends.append(self._state["ended"][rows])
            proprio.append(self._proprio(rows))
        return self._step(rows, frames, rewards, ends, proprio)

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        """One structured array a slot."""
        rows = check_slots(slots, self._slots)
        return Snapshot(self._spec.name, tuple(self._state[[row]] for row in rows))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        """Put the rows back, into any slots."""
        rows = check_slots(slots, self._slots)
        check_snapshot(snapshot, self._spec.name, rows)
        self._state[rows] = np.concatenate(snapshot.states)

    def close(self) -> None:
        """Nothing is held."""

    def _asked(self, control: Control, rows: list[int]) -> list[Array]:
        frames = self.config.frames_per_step
        if self.config.ride == "wheel":
            return [check_robot(control, "wheel", 2, rows, frames).cpu().numpy().clip(-1, 1)]
        parts = [control.require("buttons"), control.require("look")]
        for part, name, width in zip(parts, ("buttons", "look"), (4, 2), strict=True):
            if tuple(part.shape) != (len(rows), frames, width):
                raise ValueError(f"{name!r} has shape {(len(rows), frames, width)} here, got {tuple(part.shape)}")
            if not bool(torch.isfinite(part).all()):
                raise ValueError(f"a {name!r} control holds a value that is not finite")
        return [part.cpu().numpy().astype(np.float64) for part in parts]

    def _advance(self, rows: list[int], asked: list[Array]) -> Array:
        state = self._state[rows]
        seconds = 1.0 / self.config.frames_per_second
        move = _drive if self.config.ride == "wheel" else _walk
        pose, progress = move(state["pose"], asked, seconds)
        alive = ~state["ended"]
        state["pose"][alive] = pose[alive]
        fell = alive & _outside(state["pose"][:, :2], state["obstacle"])
        state["ended"] |= fell
        self._state[rows] = state
        return np.where(fell, _FELL, np.where(alive, progress, 0.0))

    def _draw(self, rows: list[int]) -> Array:
        state = self._state[rows]
        return _picture(self._grid, state["pose"][:, :3], state["palette"], state["obstacle"])

    def _proprio(self, rows: list[int]) -> Array:
        return self._state["pose"][rows][:, 3:]

    def _step(
        self, rows: list[int], frames: list[Array], rewards: list[Array], ends: list[Array], proprio: list[Array]
    ) -> Step:
        shown: Frames = {"top": self._tensor(frames, torch.uint8)}
        info: dict[str, Any] = {}
        if "state" in self.config.outputs:
            info["state"] = self._state["pose"][rows].astype(np.float32)
        reward, terminated = self._tensor(rewards, torch.float32), self._tensor(ends, torch.bool)
        return Step(shown, reward, terminated, self._tensor(proprio, torch.float32), info=info)

    def _tensor(self, parts: list[Array], dtype: torch.dtype) -> torch.Tensor:
        return torch.from_numpy(np.stack(parts, 1)).to(self._device, dtype)


def _checked(config: ToyConfig, slots: int) -> ToyConfig:
    for name, number in (("slots", slots), ("size", config.size), ("frames_per_step", config.frames_per_step)):
        if number < 1:
            raise ValueError(f"{name} is at least 1, got {number}")
    if config.ride not in RIDES:
        raise ValueError(f"unknown ride {config.ride!r}: choose one of {list(RIDES)}")
    unknown = set(config.outputs) - {"state"}
    if unknown:
        raise ValueError(f"the toy world cannot give {sorted(unknown)}: its outputs are ['state']")
    return config


def _spec(config: ToyConfig) -> WorldSpec:
    wheel = {"wheel": controls.wheel_space()}
    walk = {"buttons": controls.keyboard_space(), "look": controls.look_space()}
    return WorldSpec(
        name="toy",
        cameras={"top": (config.size, config.size, 3)},
        frames_per_second=config.frames_per_second,
        controls=wheel if config.ride == "wheel" else walk,
        frames_per_step=config.frames_per_step,
        proprio=("speed_mps", "yaw_rate_radps"),
        memory="state",
    )


# --- closed forms ----------------------------------------------------------------------------------------------------


def _drawn(seed: int, ride: str) -> Array:
    """A fresh state (): anywhere within 4 m of the middle, the obstacle at least 5 m from it."""
    rng = np.random.default_rng(seed)
    state = np.zeros((), _STATE)
    angle, far = rng.uniform(-np.pi, np.pi), rng.uniform(5.0, 9.0)
    speed = rng.uniform(1.0, 3.0) if ride == "wheel" else 0.0
    state["pose"] = (*rng.uniform(-2.8, 2.8, 2), rng.uniform(-np.pi, np.pi), speed, 0.0)
    state["palette"] = rng.integers(30, 226, (3, 3))
    state["obstacle"] = far * np.cos(angle), far * np.sin(angle)
    state["begun"] = True
    return state


def _drive(pose: Array, asked: list[Array], seconds: float) -> tuple[Array, Array]:
    """One frame of a kinematic bicycle: the pose (n, 5) after it and the metres driven (n,)."""
    steer, drive = asked[0].astype(np.float64).T
    gain = np.where(drive >= 0, controls.MAX_ACCELERATION, 2 * controls.MAX_ACCELERATION)
    x, y, yaw, speed, _ = pose.T
    speed = np.clip(speed + gain * drive * seconds, 0.0, _TOP_SPEED)
    rate = speed * np.tan(steer * controls.MAX_WHEEL_ANGLE) / controls.WHEELBASE_METRES
    yaw = yaw + rate * seconds
    metres = speed * seconds
    return np.stack([x + metres * np.cos(yaw), y + metres * np.sin(yaw), yaw, speed, rate], 1), metres


def _walk(pose: Array, asked: list[Array], seconds: float) -> tuple[Array, Array]:
    """One frame on foot: turn by look (yaw + = right), then a stride along the keys; from above pitch shows nothing."""
    keys, look = asked
    forward, left, backward, right = keys.T
    x, y, yaw, _, _ = pose.T
    yaw = yaw - look[:, 0]
    ahead, aside = _STRIDE_METRES * (forward - backward), _STRIDE_METRES * (left - right)
    x = x + ahead * np.cos(yaw) - aside * np.sin(yaw)
    y = y + ahead * np.sin(yaw) + aside * np.cos(yaw)
    speed = np.hypot(ahead, aside) / seconds
    return np.stack([x, y, yaw, speed, -look[:, 0] / seconds], 1), ahead


def _outside(position: Array, obstacle: Array) -> Array:
    off = (position**2).sum(1) > _DISC_METRES**2
    hit = ((position - obstacle) ** 2).sum(1) < _OBSTACLE_METRES**2
    return np.asarray(off | hit)


def _view_grid(size: int) -> Array:
    """(2, H, W) metres ahead and to the left of the car for each pixel; the car stands three quarters down."""
    across = (np.arange(size) + 0.5) / size * 16.0
    return np.stack(np.broadcast_arrays((12.0 - across)[:, None], (8.0 - across)[None, :]))


def _picture(grid: Array, pose: Array, palette: Array, obstacle: Array) -> Array:
    """(n, H, W, 3) uint8: soft checkers of two colours, the obstacle in a third, dark beyond the disc, a white car."""
    x, y, yaw = rearrange(pose, "n k -> k n 1 1")
    ahead, left = grid[:, None]
    wx = x + ahead * np.cos(yaw) - left * np.sin(yaw)
    wy = y + ahead * np.sin(yaw) + left * np.cos(yaw)
    ox, oy = rearrange(obstacle, "n k -> k n 1 1")
    checker = (0.5 + 1.5 * _triangle(wx) * _triangle(wy)).clip(0, 1)
    stone = (1.5 * (_OBSTACLE_METRES**2 - (wx - ox) ** 2 - (wy - oy) ** 2) + 0.5).clip(0, 1)
    ground = (0.1 * (_DISC_METRES**2 - wx**2 - wy**2)).clip(0.1, 1)
    car = (np.abs(ahead) < 1.0) & (np.abs(left) < 0.6)
    first, second, third = rearrange(palette, "n k c -> k n 1 1 c")
    checker, stone, ground = checker[..., None], stone[..., None], ground[..., None]
    colour = ground * (first + checker * (second - first))
    colour = colour + stone * (third - colour)
    return np.where(car[..., None], 255.0, colour).astype(np.uint8)


def _triangle(metres: Array) -> Array:
    """A triangle wave in [-1, 1] that repeats every 4 metres."""
    turns = metres * 0.25
    return np.asarray(4.0 * np.abs(turns - np.floor(turns) - 0.5) - 1.0)
