"""One episode of the Drive twin: a town, a car, its traffic, and the reward that the car has earned.

Metres, radians, seconds, 16 frames a second; x east, y north, yaw + = left.
"""

from __future__ import annotations

import copy
import functools
import threading
from dataclasses import dataclass, replace

import mujoco
import numpy as np
from numpy.typing import NDArray

from wmsim.sims import streets
from wmsim.sims.car import FRAMES_PER_SECOND, EgoCar
from wmsim.sims.events import Events, EventState
from wmsim.sims.gl import GlRenderer
from wmsim.sims.raycast import CameraConfig, Image, RayRenderer, Renderer
from wmsim.sims.roads import Array, Lane, wrap
from wmsim.sims.state import CURVATURE_METRES, PREVIEW_METRES
from wmsim.sims.town import Town, make_town
from wmsim.sims.traffic import Mover, Traffic, TrafficState

_SECONDS = 1.0 / FRAMES_PER_SECOND
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION
_lock = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """What one frame shows. parts: progress, lane, collision and jerk rewards; proprio: speed and yaw rate.

    c2w: (4, 4) the camera's pose, OpenCV axes. events: (E,) how far each of `events.EVENTS` can be seen, in [0, 1].
    """

    image: Image
    parts: tuple[float, float, float, float]
    terminated: bool
    proprio: tuple[float, float]
    state: NDArray[np.float32]
    c2w: NDArray[np.float32]
    events: NDArray[np.float32]


@dataclass(frozen=True)
class EpisodeState:
    """All that makes what follows: physics with the solver's warm start, traffic, events, place on a lane, past
    motion."""

    seed: int
    physics: Array
    traffic: TrafficState
    lane: int
    s: float
    progress: float
    velocity: Array
    acceleration: Array
    outcome: Outcome
    events: EventState


@functools.lru_cache(maxsize=2)
def _cached_town(seed: int) -> Town:
    return make_town(seed)


def town_of(seed: int) -> Town:
    """The town of a seed, kept for a while; its model is shared, so copy it before changing anything."""
    with _lock:
        return _cached_town(seed)


class Episode:
    """A drive through one town, from a random place on a lane until it crashes or leaves the road."""

    def __init__(self, seed: int, size: int, renderer: str = "rays", outputs: tuple[str, ...] = ()) -> None:
        """Draws the start: lane, place, speed up to what the next bend allows, a little off the lane's middle."""
        self.seed, self._town = seed, town_of(seed)
        self._model = copy.copy(self._town.model)
        self._data = mujoco.MjData(self._model)
        self._car = EgoCar(self._model)
        self._view_model = copy.copy(self._town.view)
        self._view = mujoco.MjData(self._view_model)
        self._renderer = make_renderer(self._view_model, self._town, size, renderer, outputs)
        rng = np.random.default_rng([seed, 0xE6])
        self._lane = int(rng.integers(len(self._town.lanes)))
        self._s = float(rng.uniform(0, self._way.length))
        point, yaw, _ = self._way.at(self._s)
        bend = np.abs(self._way.at(self._s + np.arange(0, 16, 2.0))[2]).max()
        speed = min(float(rng.uniform(0, 11)), float(np.sqrt(3.5 / max(bend, 1e-3))))
        aside = float(np.clip(rng.normal(0, 0.25), -0.6, 0.6))
        spot = point[0] + aside * np.array([-np.sin(yaw[0]), np.cos(yaw[0])])
        self._car.place(self._data, spot, float(yaw[0] + rng.normal(0, 0.03)), speed)
        self._traffic = Traffic.spawn(self._town.lanes, self._town.traffic, rng, spot)
        self._traffic.put(self._data)
        self._events = Events(seed)
        mujoco.mj_forward(self._model, self._data)
        self._progress, self._acceleration = 0.0, np.zeros(2)
        self._velocity = self._data.qvel[:2].copy()
        self.outcome = self._observe((0.0, 0.0, 0.0, 0.0), 0.0, 0.0, False)

    def step(self, steer: float, drive: float, event: str | None = None) -> Outcome:
        """Advance one frame, in which one of `events.EVENTS` may begin; an ended episode stays as it is, reward 0."""
        if self.outcome.terminated:
            self.outcome = replace(self.outcome, parts=(0.0, 0.0, 0.0, 0.0))
            return self.outcome
        if event is not None:
            self._events.tell(event, self._mover(), self._lane, self._town.lanes, self._s, self._traffic)
        self._events.step(_SECONDS, self._mover(), self._traffic)
        self._traffic.put(self._data)
        self._events.put(self._data)
        collided = self._car.drive(self._data, steer, drive)
        mujoco.mj_kinematics(self._model, self._data)
        self.outcome = self._observe(self._reward(collided), steer, drive, collided)
        return self.outcome

    def save(self) -> EpisodeState:
        """The state, independent of what happens here later."""
        physics = np.empty(mujoco.mj_stateSize(self._model, _STATE))
        mujoco.mj_getState(self._model, self._data, physics, _STATE)
        return EpisodeState(
            self.seed, physics, self._traffic.state, self._lane, self._s, self._progress,
            self._velocity.copy(), self._acceleration.copy(), self.outcome, self._events.state,
        )  # fmt: skip

    def load(self, state: EpisodeState) -> None:
        """Take over a state of an episode with this seed."""
        mujoco.mj_setState(self._model, self._data, state.physics, _STATE)
        mujoco.mj_kinematics(self._model, self._data)
        self._traffic = Traffic(self._town.lanes, state.traffic)
        self._events.state = state.events
        self._lane, self._s, self._progress = state.lane, state.s, state.progress
        self._velocity, self._acceleration = state.velocity.copy(), state.acceleration.copy()
        self.outcome = state.outcome

    def close(self) -> None:
        """Give the renderer's resources back."""
        self._renderer.close()

    # --- inside ----------------------------------------------------------------------------------------------------

    @property
    def _way(self) -> Lane:
        return self._town.lanes[self._lane]

    def _mover(self) -> Mover:
        point, yaw = self._car.pose(self._data)
        return Mover(point[:2], yaw, self._car.speed(self._data))

    def _on_road(self) -> bool:
        return int(self._town.ground.class_at(self._data.qpos[None, :2])[0]) in streets.PAVED

    def _reward(self, collided: bool) -> tuple[float, float, float, float]:
        """Progress, lane, collision and jerk rewards of the frame just simulated; follows the lane."""
        gained, aside = self._follow()
        self._progress += gained
        lane = -0.05 * min(max(abs(aside) - 0.75, 0.0), 2.0) - (0.0 if self._on_road() else 1.0)
        velocity = self._data.qvel[:2].copy()
        acceleration = (velocity - self._velocity) / _SECONDS
        change = min(float(np.hypot(*(acceleration - self._acceleration))), 10.0)
        self._velocity, self._acceleration = velocity, acceleration
        return 0.1 * gained, lane, -1.0 if collided else 0.0, -0.002 * change

    def _follow(self) -> tuple[float, float]:
        """Metres gained along the lane and the offset from where to drive on it; changes to a lane that fits better
        after a turn."""
        point, yaw = self._car.pose(self._data)
        s, aside = self._way.project(point[:2], near=self._s)
        half = self._way.length / 2
        gained = float(np.clip((s - self._s + half) % (2 * half) - half, -1.5, 1.5))
        self._s = s
        aside -= self._aside(s)
        if abs(aside) < 2.5:
            return gained, aside
        for index, lane in enumerate(self._town.lanes):
            other, off = lane.project(point[:2])
            if abs(off) < 1.5 and abs(wrap(lane.at(other)[1] - yaw)[0]) < 0.8:
                self._lane, self._s = index, other
                return gained, off
        return gained, aside

    def _aside(self, s: float) -> float:
        """How far left of its lane's middle the car is to drive at arc length s: around works."""
        point, yaw, _ = self._way.at(s)
        return float(self._events.aside(point, yaw)[0])

    def _observe(
        self, parts: tuple[float, float, float, float], steer: float, drive: float, collided: bool
    ) -> Outcome:  # fmt: skip
        speed, rate = self._car.speed(self._data), float(self._data.qvel[5])
        on_road = self._on_road()
        position, rotation = self._car.camera(self._data)
        self._view.mocap_pos[:], self._view.mocap_quat[:] = self._data.mocap_pos, self._data.mocap_quat
        mujoco.mj_kinematics(self._view_model, self._view)
        image = self._renderer.draw(self._view, position, rotation, self._events.air(self._town.scene.light))
        c2w = np.eye(4, dtype=np.float32)
        c2w[:3, :3], c2w[:3, 3] = rotation, position
        state = self._state(speed, rate, steer, drive, on_road, collided)
        labels = frozenset(np.unique(image.label).tolist())
        shown = self._events.shown(labels, self._mover(), self._traffic, (streets.PEDESTRIAN, streets.WORKS))
        return Outcome(image, parts, collided or not on_road, (speed, rate), state, c2w, shown.astype(np.float32))

    def _state(
        self, speed: float, rate: float, steer: float, drive: float, on_road: bool, collided: bool
    ) -> NDArray[np.float32]:  # fmt: skip
        point, yaw = self._car.pose(self._data)
        s, aside = self._way.project(point[:2], near=self._s)
        aside -= self._aside(s)
        _, along, bend = self._way.at(self._s + np.array(CURVATURE_METRES, np.float64))
        path, way, _ = self._way.at(self._s + np.array(PREVIEW_METRES, np.float64))
        normal = np.stack([-np.sin(way), np.cos(way)], -1)
        ahead = path + self._events.aside(path, way)[:, None] * normal - point[:2]
        turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
        error = float(wrap(yaw - along[:1])[0])
        gap = self._traffic.gap(self._way, self._s, self._events.walkers())
        head = [point[0], point[1], yaw, speed, rate, steer, drive, aside, error]
        tail = [gap, self._progress, float(on_road), float(collided), self._town.friction]
        return np.concatenate([head, bend, (ahead @ turn).ravel(), tail]).astype(np.float32)


def make_renderer(
    view: mujoco.MjModel, town: Town, size: int, renderer: str, outputs: tuple[str, ...] = ()
) -> Renderer:  # fmt: skip
    """The renderer "rays" or "gl" for one copy of a town's view. ImportError: "gl" where there is no OpenGL."""
    config = CameraConfig(size=size)
    if renderer == "gl":
        return GlRenderer(town.view_mjcf, town.scene, config, outputs)
    return RayRenderer(view, town.scene, config)
