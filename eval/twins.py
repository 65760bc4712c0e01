"""The worlds that tell the truth: how to make each, who drives in it, and what its camera can see."""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from wmsim.control import Control
from wmsim.data.record import DRIVER_LEVELS
from wmsim.metrics import View
from wmsim.policy import DriverConfig, Policy, ScriptedDriver
from wmsim.sims.toy import ToyWorld
from wmsim.world import Step, World

Array = np.ndarray[Any, Any]
STEADY = -1
"""The level of a driver that makes no mistakes."""

_DRAWN_TOWN = 999_985


class Twin(Protocol):
    """What evaluation must know of a simulator."""

    def make(self, size: int, masks: bool) -> World:
        """One slot, frames of `size` pixels, "state" in its infos, and what `view` needs when masks are wanted."""
        ...

    def driver(self, level: int, slots: int) -> Policy:
        """One of its drivers: `STEADY`, or a level of noise and mistakes, taken round robin."""
        ...

    def view(self, world: World, step: Step) -> tuple[View, Array] | None:
        """The camera's view of a one-slot step and which pixels show a moving body; None where it cannot tell."""
        ...

    def speeds(self, size: int) -> Mapping[str, Callable[[], World]]:
        """Ways to run it whose speed is worth knowing, by name."""
        ...

    def drawings(self, size: int) -> Mapping[str, Callable[[], object]]:
        """Ways to draw one frame, of which the first is the usual one: what a picture's quality costs."""
        ...


class DriveTwin:
    """The Drive twin: MuJoCo is imported when one is made."""

    _steady = DriverConfig(slow=9.0, fast=9.0, noise=0.0, pedal_noise=0.0, recoveries=0.0, stops=0.0, mistakes=0.0)

    def make(self, size: int, masks: bool) -> World:
        """A `DriveWorld` of one slot."""
        from wmsim.sims.drive import DriveWorld

        return DriveWorld(1, size, ("state", "depth", "segmentation", "camera") if masks else ("state",))

    def driver(self, level: int, slots: int) -> Policy:
        """The drivers that training data is recorded with, from calm to wild."""
        config = self._steady if level == STEADY else DriverConfig(**DRIVER_LEVELS[level % len(DRIVER_LEVELS)])
        return ScriptedDriver(config, slots)

    def view(self, world: World, step: Step) -> tuple[View, Array]:
        """Depth and pose as the twin tells them; moving are the cars in traffic."""
        from wmsim.sims.raycast import CameraConfig, intrinsics
        from wmsim.sims.streets import TRAFFIC

        depth, label = step.info["depth"][0, -1], step.info["segmentation"][0, -1]
        matrix = intrinsics(len(depth), CameraConfig().field_of_view)
        return View(depth.astype(np.float64), matrix, step.info["camera"][0, -1].astype(np.float64)), label == TRAFFIC

    def speeds(self, size: int) -> Mapping[str, Callable[[], World]]:
        """One core, and a thread on every core."""
        from wmsim.sims.drive import DriveWorld

        cores = os.cpu_count() or 1
        return {
            "twin, one core": lambda: DriveWorld(1, size),
            f"twin, {cores} threads": lambda: DriveWorld(4 * cores, size, workers=cores),
        }

    def drawings(self, size: int) -> Mapping[str, Callable[[], object]]:
        """The views of one steady drive, with and without supersampling and shadows; no physics, no traffic."""
        import mujoco

        from wmsim.sims.episode import town_of
        from wmsim.sims.raycast import CameraConfig, RayRenderer

        town, poses = town_of(_DRAWN_TOWN), itertools.cycle(_poses(self, _DRAWN_TOWN))
        data = mujoco.MjData(town.view)
        mujoco.mj_forward(town.view, data)

        def draw(config: CameraConfig) -> Callable[[], object]:
            renderer = RayRenderer(copy.copy(town.view), town.scene, config)

            def once() -> object:
                pose = next(poses)
                return renderer.draw(data, pose[:3, 3], pose[:3, :3])

            return once

        return {
            "with supersampling and shadows": draw(CameraConfig(size)),
            "without shadows": draw(CameraConfig(size, shadows=False)),
            "without supersampling": draw(CameraConfig(size, supersample=False)),
            "with neither": draw(CameraConfig(size, supersample=False, shadows=False)),
        }


def _poses(twin: DriveTwin, seed: int) -> list[Array]:
    """The camera's c2w in 64 frames of a steady drive."""
    world, driver = twin.make(16, True), twin.driver(STEADY, 1)
    driver.reset([0], [seed])
    step, poses = world.reset([0], [seed]), []
    for _ in range(64):
        poses.append(step.info["camera"][0, -1].astype(np.float64))
        step = world.step([0], Control.of_wheel(driver.act([0], None, step.info)[:, 0]))
    return poses


class ToyTwin:
    """The toy world, for tests: no network, no MuJoCo."""

    def make(self, size: int, masks: bool) -> World:
        """A `ToyWorld` of one slot; it has no depth, so no masks."""
        return ToyWorld(1, size=size, outputs=("state",))

    def driver(self, level: int, slots: int) -> Policy:
        """Circles around the middle of the disc; from level 1 on with ever more noise."""
        return Circling(slots, noise=0.0 if level == STEADY else 0.3 * (1 + level % 3))

    def view(self, world: World, step: Step) -> None:
        """It cannot tell."""

    def speeds(self, size: int) -> Mapping[str, Callable[[], World]]:
        """One slot."""
        return {"twin, one core": lambda: ToyWorld(1, size=size)}

    def drawings(self, size: int) -> Mapping[str, Callable[[], object]]:
        """Its one closed form is all there is."""
        return {}


class Circling:
    """Steers the toy car towards the middle of the disc, at a walking pace, with slow noise on the wheel."""

    def __init__(self, slots: int, noise: float) -> None:
        self.noise, self.rngs, self.wander = noise, [np.random.default_rng(0)] * slots, np.zeros(slots)

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Key the noise of the rows."""
        for row, seed in zip(rows, seeds, strict=True):
            self.rngs[row], self.wander[row] = np.random.default_rng(seed), 0.0

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> Array:
        """(n, 1, 2) from info["state"]: x, y, yaw, speed."""
        x, y, yaw, speed = np.asarray(info["state"], np.float64)[:, :4].T
        chosen = list(rows)
        stirred = self.noise * np.array([self.rngs[row].normal() for row in chosen])
        self.wander[chosen] = 0.9 * self.wander[chosen] + stirred
        aside = np.sin(np.arctan2(-y, -x) - yaw) + self.wander[chosen]
        return np.stack([aside, 0.5 * (3.0 - speed)], 1).clip(-1, 1).astype(np.float32)[:, None]


TWINS: dict[str, Twin] = {"drive": DriveTwin(), "toy": ToyTwin()}
"""Every twin by name."""
