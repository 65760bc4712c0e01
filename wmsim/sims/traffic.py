"""Moving cars: they follow their lanes, slow for bends, and brake for each other and for the ego car.

Shape legend: C cars, K look-ahead points, D discs. Metres, seconds; each car is two discs, one fore and one aft.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from wmsim.sims.roads import Array, Lane, LaneTable, poses_on, wrap

FREE_METRES = 45.0
"""The gap told when nothing is ahead."""
_LOOK = np.arange(3.0, FREE_METRES, 2.0)
_DISC, _REACH, _BUMPER = 1.15, 1.95, 2.2


@dataclass(frozen=True)
class TrafficState:
    """lane (C,) index; s (C,) arc length; speed, cruise (C,) m/s; waited (C,) seconds spent blocked and standing;
    aside (C,) metres left of the lane's middle and turn (C,) radians out of its direction, None: on it."""

    lane: NDArray[np.int64]
    s: Array
    speed: Array
    cruise: Array
    waited: Array
    aside: Array | None = None
    turn: Array | None = None


@dataclass(frozen=True)
class Mover:
    """One road user at `point` (2,) with yaw and speed."""

    point: Array
    yaw: float
    speed: float


class Traffic:
    """The moving cars of one town."""

    def __init__(self, lanes: tuple[Lane, ...], state: TrafficState) -> None:
        self._lanes, self._table = lanes, LaneTable(lanes)
        self.state = state

    @staticmethod
    def spawn(lanes: tuple[Lane, ...], count: int, rng: np.random.Generator, ego: Array) -> Traffic:
        """`count` cars at random places on the lanes, 12 m from each other and 16 m from `ego` (2,)."""
        places: list[Array] = [ego]
        lane: list[int] = []
        s: list[float] = []
        while len(lane) < count:
            pick = int(rng.integers(len(lanes)))
            arc = float(rng.uniform(0, lanes[pick].length))
            point = lanes[pick].at(arc)[0][0]
            far = [np.hypot(*(point - other)) > (12 if i else 16) for i, other in enumerate(places)]
            if all(far):
                places.append(point)
                lane.append(pick)
                s.append(arc)
        cruise = rng.uniform(6.0, 11.0, count)
        state = TrafficState(np.array(lane, np.int64), np.array(s), 0.7 * cruise, cruise, np.zeros(count))
        return Traffic(lanes, state)

    def step(self, seconds: float, ego: Mover, others: Array | None = None) -> None:
        """Advance every car; others: (K, 2) points of whatever else they brake for."""
        state = self.state
        point, yaw, _ = self.poses(np.zeros(1))
        ahead, _, bend = self.poses(np.concatenate([[0.0], _LOOK]))
        discs, owner = _discs(point[:, 0], yaw[:, 0], ego)
        if others is not None:
            discs, owner = np.concatenate([discs, others]), np.concatenate([owner, np.full(len(others), -2)])
        gap = _gaps(ahead[:, 1:], discs, np.arange(len(state.s))[:, None] != owner[None])
        gap = np.minimum(gap, self._yield(ahead[:, 1:], yaw[:, 0], ego))
        patient = state.waited < 4 + 0.7 * np.arange(len(state.s))
        gap = np.where(patient, gap, _gaps(ahead[:, 1:3], discs, np.arange(len(state.s))[:, None] != owner[None]))
        limit = np.sqrt(2.6 / np.maximum(np.abs(bend), 1e-3))
        reach = np.concatenate([[0.0], _LOOK])
        wanted = np.minimum(np.sqrt(limit**2 + 2 * 2.0 * reach).min(1), state.cruise)
        wanted = np.minimum(wanted, np.sqrt(2 * 3.0 * np.maximum(gap - 4.0, 0)))
        speed = np.maximum(state.speed + np.clip(wanted - state.speed, -7 * seconds, 2 * seconds), 0)
        waited = np.where((speed < 0.3) & (gap < 6), state.waited + seconds, 0.0)
        length = np.array([lane.length for lane in self._lanes])[state.lane]
        self.state = replace(state, s=(state.s + speed * seconds) % length, speed=speed, waited=waited)

    def poses(self, ahead: Array) -> tuple[Array, Array, Array]:
        """Points (C, K, 2), yaws and curvatures (C, K) `ahead` (K,) metres before each car on its lane."""
        point, yaw, bend = poses_on(self._table, self.state.lane[:, None], self.state.s[:, None] + ahead)
        if self.state.aside is not None:
            point = point + self.state.aside[:, None, None] * np.stack([-np.sin(yaw), np.cos(yaw)], -1)
        return point, yaw, bend

    def put(self, data: mujoco.MjData) -> None:
        """Move the mocap bodies to where the cars are; a car's yaw is that of the chord between its axles."""
        point, _, _ = self.poses(np.array([-1.3, 1.3]))
        middle, chord = point.mean(1), point[:, 1] - point[:, 0]
        half = (np.arctan2(chord[:, 1], chord[:, 0]) + (0.0 if self.state.turn is None else self.state.turn)) / 2
        cars = slice(len(middle))
        data.mocap_pos[cars, :2], data.mocap_pos[cars, 2] = middle, 0
        data.mocap_quat[cars] = 0
        data.mocap_quat[cars, 0], data.mocap_quat[cars, 3] = np.cos(half), np.sin(half)

    def gap(self, lane: Lane, s: float, others: Array | None = None) -> float:
        """Free metres before a car's bumper at arc length s of a lane, up to FREE_METRES; others: as of `step`."""
        if not len(self.state.s):
            return FREE_METRES
        point, yaw, _ = self.poses(np.zeros(1))
        path = lane.at(s + _LOOK)[0][None]
        axis = np.stack([np.cos(yaw[:, 0]), np.sin(yaw[:, 0])], 1) * _DISC
        discs = np.concatenate([point[:, 0] + axis, point[:, 0] - axis, *([] if others is None else [others])])
        return float(_gaps(path, discs, np.ones((1, len(discs)), bool))[0])

    def _yield(self, ahead: Array, yaw: Array, ego: Mover) -> Array:
        """The gap (C,) to where the ego car will be within 1.6 s, for cars that come from the side."""
        times = np.array([0.5, 1.0, 1.6])
        axis = np.array([np.cos(ego.yaw), np.sin(ego.yaw)])
        discs = ego.point + axis * (ego.speed * times)[:, None]
        across = np.abs(np.abs(wrap(yaw - ego.yaw)) - np.pi / 2) < 0.9
        return _gaps(ahead[:, :8], discs, np.repeat(across[:, None], len(discs), 1))


def _discs(point: Array, yaw: Array, ego: Mover) -> tuple[Array, NDArray[np.int64]]:
    """Discs (D, 2) of all cars and the ego car, and whose they are (D,); the ego car's owner is -1."""
    points = np.concatenate([point, ego.point[None]])
    yaws = np.concatenate([yaw, [ego.yaw]])
    axis = np.stack([np.cos(yaws), np.sin(yaws)], 1) * _DISC
    owner = np.concatenate([np.arange(len(point)), [-1]])
    return np.concatenate([points + axis, points - axis]), np.concatenate([owner, owner])


def _gaps(path: Array, discs: Array, counts: NDArray[np.bool_]) -> Array:
    """Free metres (C,) along paths (C, K, 2) before a disc (D, 2) that counts (C, D)."""
    delta = path[:, :, None] - discs[None, None]
    blocked = ((delta * delta).sum(-1) < _REACH**2) & counts[:, None]
    hit = blocked.any(2)
    first = np.argmax(hit, 1)
    return np.where(hit.any(1), np.maximum(_LOOK[first] - _BUMPER, 0.0), FREE_METRES)
