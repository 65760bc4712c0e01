"""Events of the Drive twin: what is told, by name, changes the weather or brings someone or something onto the road.

Weather stays until other weather is told. A car cuts in, a pedestrian crosses and road works come within sight of the
ego car at once, have bodies to run into, and are gone when they lie behind. Same seed, same tellings, same events.
Metres, seconds, radians; shape legend: C cars of the traffic.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import mujoco
import numpy as np

from wmsim.sims.atmosphere import TOLD, Air, Weather
from wmsim.sims.props import HIDDEN_METRES, PROPS, WORKS_LAYOUT, detour
from wmsim.sims.roads import Array, Lane, wrap
from wmsim.sims.shading import Light
from wmsim.sims.traffic import Mover, Traffic

CUT_IN, PEDESTRIAN, WORKS = "a car cuts in", "a pedestrian crosses", "road works ahead"
EVENTS: tuple[str, ...] = (*TOLD, CUT_IN, PEDESTRIAN, WORKS)
"""The names that a `Control.event` may bear."""

_WALK_SPEED, _KERB_METRES, _CROSSING_METRES = 1.5, 2.7, 9.5
_CUT_SECONDS, _CUT_SHOWN_SECONDS, _ASIDE_METRES = 1.9, 6.0, 3.5
_SIGHT = 0.5
"""Bearing, radians, within which what comes is placed: the field of view is 1.4 across."""


@dataclass(frozen=True)
class CutIn:
    """car: index in the traffic; side: +1 from the left, -1 from the right; age: seconds since it was told."""

    car: int
    side: float
    age: float = 0.0


@dataclass(frozen=True)
class Walk:
    """A pedestrian who set out at `spot` (2,) along `yaw`, `age` seconds ago, and stops after the crossing."""

    spot: tuple[float, float]
    yaw: float
    age: float = 0.0

    @property
    def place(self) -> Array:
        """Where the pedestrian is (2,)."""
        gone = min(_WALK_SPEED * self.age, _CROSSING_METRES)
        return np.array(self.spot) + gone * np.array([np.cos(self.yaw), np.sin(self.yaw)])


@dataclass(frozen=True)
class EventState:
    """All that events have changed; works: name of a part -> its x, y, yaw, and "" -> the middle of the works."""

    weather: Weather = field(default_factory=Weather)
    cut: CutIn | None = None
    walk: Walk | None = None
    works: tuple[tuple[str, tuple[float, float, float]], ...] = ()


def check_events(events: tuple[str | None, ...] | None, slots: int) -> tuple[str | None, ...]:
    """One of EVENTS or None for each slot. ValueError: another name, or not one entry a slot."""
    told = (None,) * slots if events is None else events
    if len(told) != slots:
        raise ValueError(f"{slots} slots take {slots} events, None where nothing is told, got {len(told)}")
    unknown = [event for event in told if event is not None and event not in EVENTS]
    if unknown:
        raise ValueError(f"the drive twin knows no event {unknown[0]!r}: tell one of {', '.join(EVENTS)}")
    return told


class Events:
    """What is going on in one episode; `state` is all of it, and can be kept and put back."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.state = EventState()

    def tell(self, event: str, ego: Mover, lane: int, lanes: tuple[Lane, ...], s: float, traffic: Traffic) -> None:
        """Let one of EVENTS begin for an ego car at arc length s of lanes[lane]."""
        rng = np.random.default_rng([self._seed, 0xEE, self.state.weather.tick])
        if event in TOLD:
            self.state = replace(self.state, weather=self.state.weather.tell(event))
        elif event == CUT_IN:
            self._cut_in(ego, lane, lanes[lane], s, traffic)
        elif event == PEDESTRIAN:
            self._walk(rng, ego, lanes[lane], s)
        else:
            self._dig(ego, lanes[lane], s)

    def step(self, seconds: float, ego: Mover, traffic: Traffic) -> None:
        """Advance the traffic, which brakes for pedestrians and passes works, and everything that was told."""
        traffic.step(seconds, ego, self.walkers())
        state = replace(self.state, weather=self.state.weather.step())
        if state.walk is not None:
            walk = replace(state.walk, age=state.walk.age + seconds)
            state = replace(state, walk=None if _passed(ego, walk.place, 6.0, 60.0) else walk)
        if state.works and _passed(ego, np.array(state.works[0][1][:2]), 20.0, 90.0):
            state = replace(state, works=())
        if state.cut is not None:
            cut = replace(state.cut, age=state.cut.age + seconds)
            state = replace(state, cut=cut if cut.age < _CUT_SHOWN_SECONDS else None)
        self.state = state
        self._steer(seconds, ego, traffic)

    def put(self, data: mujoco.MjData) -> None:
        """Move the props' mocap bodies, which follow the traffic's, to where they are."""
        poses = dict(self.state.works)
        if self.state.walk is not None:
            x, y = map(float, self.state.walk.place)
            poses["pedestrian"] = (x, y, self.state.walk.yaw)
        first = len(data.mocap_pos) - len(PROPS)
        for row, name in enumerate(PROPS, first):
            x, y, yaw = poses.get(name, (0.0, 0.0, 0.0))
            data.mocap_pos[row] = x, y, 0.0 if name in poses else HIDDEN_METRES
            data.mocap_quat[row] = np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)

    def walkers(self) -> Array | None:
        """Points (1, 2) of pedestrians on the road; None: there are none."""
        return None if self.state.walk is None else self.state.walk.place[None]

    def aside(self, point: Array, yaw: Array) -> Array:
        """How far left of a lane's middle (...) a car is to drive at points (..., 2) of it, whose direction is yaw."""
        if not self.state.works:
            return np.zeros(np.shape(yaw))
        x, y, way = self.state.works[0][1]
        delta = point - np.array([x, y])
        along = delta[..., 0] * np.cos(way) + delta[..., 1] * np.sin(way)
        left = -delta[..., 0] * np.sin(way) + delta[..., 1] * np.cos(way)
        here = (np.abs(left) < 1.75 + 0.3 * np.abs(along)) & (np.abs(wrap(yaw - way)) < 1.2)
        return np.where(here, detour(along), 0.0)

    def air(self, own: Light) -> Air | None:
        """How the view is lit; None: by the town's own light."""
        return self.state.weather.air(own)

    def shown(self, labels: frozenset[int], ego: Mover, traffic: Traffic, ids: tuple[int, int]) -> Array:
        """How far each of EVENTS can be seen, in [0, 1]; labels: segmentation ids in the picture, ids: those of
        pedestrians and of works."""
        told = [self.state.weather.holds(event) for event in TOLD]
        cut = self.state.cut is not None and _in_sight(ego, traffic.poses(np.zeros(1))[0][self.state.cut.car, 0])
        return np.array([*told, float(cut), *(float(i in labels) for i in ids)])

    # --- inside ----------------------------------------------------------------------------------------------------

    def _cut_in(self, ego: Mover, lane: int, way: Lane, s: float, traffic: Traffic) -> None:
        """The car farthest away comes alongside, from the left unless somebody is there."""
        state = traffic.state
        point, _, _ = traffic.poses(np.zeros(1))
        car = int(np.argmax(np.hypot(*(point[:, 0] - ego.point).T)))
        at, yaw, _ = way.at(s + np.arange(-4.0, 32.0, 3.0))
        beside = at + _ASIDE_METRES * np.stack([-np.sin(yaw), np.cos(yaw)], 1)
        others = np.delete(point[:, 0], car, 0)
        free = np.hypot(*(others[:, None] - beside[None]).transpose(2, 0, 1)).min(initial=99.0) > 3.0
        traffic.state = replace(
            state,
            lane=_with(state.lane, car, lane),
            s=_with(state.s, car, (s - 3.0) % way.length),
            speed=_with(state.speed, car, ego.speed),
            cruise=_with(state.cruise, car, max(0.6 * ego.speed, 3.5)),
            waited=_with(state.waited, car, 0.0),
        )
        self.state = replace(self.state, cut=CutIn(car, 1.0 if free else -1.0))

    def _walk(self, rng: np.random.Generator, ego: Mover, way: Lane, s: float) -> None:
        """Somebody steps onto the road from the right, or now and then from the other side."""
        point, yaw = _spot(ego, way, s, 9.0 + 1.3 * ego.speed, 8.0)
        left = np.array([-np.sin(yaw), np.cos(yaw)])
        near = bool(rng.random() < 0.75)
        spot = point + left * (-_KERB_METRES if near else _KERB_METRES + 3.5)
        heading = yaw + (np.pi / 2 if near else -np.pi / 2)
        self.state = replace(self.state, walk=Walk((float(spot[0]), float(spot[1])), float(heading)))

    def _dig(self, ego: Mover, way: Lane, s: float) -> None:
        """Barriers, cones and a sign on the right half of the lane."""
        middle = _arc(ego, way, s, 19.0 + 0.9 * ego.speed, 17.0)
        parts = [("", _pose(way, middle, 0.0))]
        parts += [(name, _pose(way, middle + along, left)) for name, (along, left) in WORKS_LAYOUT.items()]
        self.state = replace(self.state, works=tuple(parts))

    def _steer(self, seconds: float, ego: Mover, traffic: Traffic) -> None:
        """Lead the cars around works and the one that cuts in along its swerve."""
        cut = self.state.cut
        if cut is None and not self.state.works:
            if traffic.state.aside is not None:
                traffic.state = replace(traffic.state, aside=None, turn=None)
            return
        if cut is not None and cut.age <= _CUT_SECONDS:
            speed = _with(traffic.state.speed, cut.car, ego.speed + _lead(cut.age))
            gained = (speed[cut.car] - traffic.state.speed[cut.car]) * seconds
            s = _with(traffic.state.s, cut.car, traffic.state.s[cut.car] + gained)
            traffic.state = replace(traffic.state, speed=speed, s=s)
        before = traffic.state.aside
        traffic.state = replace(traffic.state, aside=None)
        point, yaw, _ = traffic.poses(np.zeros(1))
        aside = self.aside(point[:, 0], yaw[:, 0])
        if cut is not None:
            aside[cut.car] += cut.side * _ASIDE_METRES * _swerve(cut.age)
        drift = (aside - (aside if before is None else before)) / seconds
        if cut is not None and cut.age <= 1.5 * seconds:
            drift[cut.car] = 0.0
        turn = np.arctan2(drift, np.maximum(traffic.state.speed, 2.0))
        traffic.state = replace(traffic.state, aside=aside, turn=turn)


def _lead(age: float) -> float:
    """How much faster, m/s, than the ego car a car is that cuts in: it passes, then falls in."""
    return float(np.interp(age, [0.0, 1.0, _CUT_SECONDS], [9.0, 9.0, 0.0]))


def _swerve(age: float) -> float:
    """What is left, from 1 to 0, of the way aside of a car that cuts in."""
    part = float(np.clip((age - 0.5) / 1.1, 0, 1))
    return 1 - part * part * (3 - 2 * part)


def _with(column: Any, row: int, value: float | int) -> Any:
    changed = column.copy()
    changed[row] = value
    return changed


def _pose(way: Lane, s: float, left: float) -> tuple[float, float, float]:
    point, yaw, _ = way.at(s)
    return (
        float(point[0, 0] - left * np.sin(yaw[0])), float(point[0, 1] + left * np.cos(yaw[0])), float(yaw[0])
    )  # fmt: skip


def _bearing(ego: Mover, point: Array) -> tuple[float, float]:
    """Distance and bearing of a point from the ego car."""
    delta = point - ego.point
    return float(np.hypot(*delta)), float(wrap(np.arctan2(delta[1:], delta[:1]) - ego.yaw)[0])


def _arc(ego: Mover, way: Lane, s: float, wanted: float, least: float) -> float:
    """The farthest arc length from s + wanted down to s + least that the ego car sees ahead of itself."""
    for reach in np.arange(wanted, least, -1.0):
        if abs(_bearing(ego, way.at(s + reach)[0][0])[1]) < _SIGHT:
            return float(s + reach)
    return s + least


def _spot(ego: Mover, way: Lane, s: float, wanted: float, least: float) -> tuple[Array, float]:
    point, yaw, _ = way.at(_arc(ego, way, s, wanted, least))
    return point[0], float(yaw[0])


def _in_sight(ego: Mover, point: Array) -> bool:
    distance, bearing = _bearing(ego, point)
    return distance < 25.0 and abs(bearing) < 0.6


def _passed(ego: Mover, point: Array, behind: float, far: float) -> bool:
    """Whether a point lies this far behind the ego car, or this far away at all."""
    distance, bearing = _bearing(ego, point)
    return bool(distance > far or -distance * np.cos(bearing) > behind)
