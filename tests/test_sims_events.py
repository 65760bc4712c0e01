"""Events of the Drive twin: each is seen, lasts as it should, can be run into, and worlds without any are as before."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from wmsim.control import Control
from wmsim.policy import ScriptedDriver
from wmsim.policy.driver import DriverConfig
from wmsim.sims.atmosphere import HOURS, SKIES, Weather
from wmsim.sims.drive import EVENTS, STATE_NAMES, DriveWorld
from wmsim.sims.props import detour
from wmsim.sims.shading import Light
from wmsim.world import Step

CALM = DriverConfig(noise=0.0, pedal_noise=0.0, recoveries=0.0, stops=0.0, mistakes=0.0)
QUIET_FRAMES = "c0a975189f9e607c97fdef841d01978adf0b4bcc85ecf20a075030099ebffce6"
"""SHA-256 of the 25 frames below as they were drawn before the twin knew events."""


def _wheel(rows: int, event: tuple[str | None, ...] | None = None, steer: float = 0.0, drive: float = 0.3) -> Control:
    return replace(Control.of_wheel(np.tile(np.array([[steer, drive]], np.float32), (rows, 1))), event=event)


def _drive(event: str | None, seed: int, frames: int, size: int = 32, told: int = 4) -> list[Step]:
    """A careful drive in which `event` is told in step `told`."""
    world, driver = DriveWorld(1, size, ("state", "events", "segmentation")), ScriptedDriver(CALM)
    driver.reset([0], [seed])
    steps = [world.reset([0], [seed])]
    for t in range(frames):
        control = Control.of_wheel(driver.act([0], None, steps[-1].info))
        steps.append(world.step([0], replace(control, event=(event,)) if t == told else control))
    return steps


def _seen(steps: list[Step], event: str) -> list[float]:
    return [float(step.info["events"][0][EVENTS.index(event)]) for step in steps]


def _frame(step: Step) -> np.ndarray:
    return step.frames["front"][0, 0].numpy().astype(float)


def test_without_events_the_twin_draws_what_it_always_drew() -> None:
    world, digest = DriveWorld(2, size=32), hashlib.sha256()
    digest.update(world.reset([0, 1], [11, 3]).frames["front"].numpy().tobytes())
    for i in range(24):
        wheel = np.array([[0.1 * (i % 3 - 1), 0.4], [0.05, 0.2]], np.float32)
        control = replace(Control.of_wheel(wheel), event=(None, None) if i % 2 else None)
        digest.update(world.step([0, 1], control).frames["front"].numpy().tobytes())
    assert digest.hexdigest() == QUIET_FRAMES


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_in_the_picture_within_two_seconds(event: str) -> None:
    shown, plain = _drive(event, 2, 40), _drive(None, 2, 40)
    first = next(t for t, seen in enumerate(_seen(shown, event)) if seen > 0.5)
    assert 4 < first <= 5 + 32
    assert max(_seen(plain, event)) == 0
    assert all(np.array_equal(_frame(a), _frame(b)) for a, b in zip(shown[:5], plain[:5], strict=True))
    soon = slice(first, 5 + 32)
    different = [np.abs(_frame(a) - _frame(b)).max(-1) > 25 for a, b in zip(shown[soon], plain[soon], strict=True)]
    assert max(pixels.sum() for pixels in different) >= 5


@pytest.mark.parametrize("event", ["night", "fog", "a pedestrian crosses", "road works ahead"])
def test_an_event_acts_from_the_frame_of_its_own_step(event: str) -> None:
    shown, plain = _drive(event, 2, 6), _drive(None, 2, 6)
    assert not np.array_equal(_frame(shown[5]), _frame(plain[5]))


def test_weather_stays_until_other_weather_is_told() -> None:
    world = DriveWorld(1, 16, ("events",))
    world.reset([0], [4])
    tellings = {0: "night", 20: "fog", 40: "rain", 60: "clear weather"}
    steps = [world.step([0], _wheel(1, (tellings.get(t),), drive=0.0)) for t in range(80)]
    night, fog, rain, clear = (_seen(steps, name) for name in ("night", "fog", "rain", "clear weather"))
    assert night[19] == night[39] == night[59] == 1
    assert fog[39] == rain[59] == clear[79] == 1
    assert fog[59] == rain[79] == night[79] == 0
    assert _frame(steps[19]).mean() < 0.4 * _frame(steps[79]).mean()


def test_a_change_of_mind_keeps_the_weights_whole_and_arrives() -> None:
    weather = Weather().tell("night").tell("fog")
    for _ in range(6):
        weather = weather.step()
    weather = weather.tell("dusk").tell("clear weather")
    for _ in range(6):
        weather = weather.step()
        assert sum(weather.hours) == pytest.approx(1)
        assert sum(weather.skies) == pytest.approx(1)
    for _ in range(30):
        weather = weather.step()
    assert dict(zip(HOURS, weather.hours, strict=True))["day"] == 1
    assert dict(zip(SKIES, weather.skies, strict=True))["clear"] == 1
    assert Weather().air(Light()) is None


def test_a_calm_driver_comes_through_every_event() -> None:
    ends = {}
    for event in EVENTS[5:]:
        for seed in (5, 8):
            steps = _drive(event, seed, 80, size=8)
            ends[event, seed] = bool(steps[-1].terminated.any())  # type: ignore[union-attr]
    assert not any(ends.values()), ends


def test_a_calm_driver_slows_for_a_pedestrian_and_goes_on() -> None:
    speeds = [float(s.proprio[0, 0, 0]) for s in _drive("a pedestrian crosses", 5, 140, size=8)]  # type: ignore[index]
    assert min(speeds) < 0.6 * speeds[4]
    assert speeds[-1] > min(speeds) + 1


def test_works_are_gone_once_they_lie_behind() -> None:
    seen = _seen(_drive("road works ahead", 5, 160), "road works ahead")
    assert max(seen) == 1
    assert seen[-1] == 0


def _run_into(event: str, seed: int) -> list[Step]:
    """Straight ahead at what comes, steering along the lane's middle and never braking."""
    world = DriveWorld(1, 8, ("state",))
    blind = ScriptedDriver(CALM)
    blind.reset([0], [seed])
    steps = [world.reset([0], [seed])]
    gap = STATE_NAMES.index("gap_m")
    while not bool(steps[-1].terminated.any()) and len(steps) < 120:  # type: ignore[union-attr]
        state = steps[-1].info["state"].copy()
        state[0, gap] = 45.0
        wheel = blind.act([0], None, {"state": state})
        if event == "road works ahead" and len(steps) > 2:
            wheel[..., 0] = np.minimum(wheel[..., 0], 0.0)
        steps.append(world.step([0], replace(Control.of_wheel(wheel), event=(event if len(steps) == 2 else None,))))
    return steps


@pytest.mark.parametrize("event", ["a car cuts in", "a pedestrian crosses", "road works ahead"])
def test_what_comes_can_be_run_into(event: str) -> None:
    collided = STATE_NAMES.index("collided")
    ends = [_run_into(event, seed)[-1].info["state"][0, collided] for seed in (1, 2, 5)]
    quiet = [_run_into("fog", seed)[-1].info["state"][0, collided] for seed in (1, 2, 5)]
    assert sum(ends) > sum(quiet)


def test_a_snapshot_carries_what_was_told() -> None:
    world = DriveWorld(2, 16, ("state", "events"))
    world.reset([0, 1], [5, 5])
    for name in ("rain", "road works ahead", "a pedestrian crosses", "a car cuts in", None, None):
        world.step([0], _wheel(1, (name,)))
    kept = pickle.loads(pickle.dumps(world.snapshot([0])))
    first = [world.step([0], _wheel(1)) for _ in range(24)]
    world.restore([1], kept)
    again = [world.step([1], _wheel(1)) for _ in range(24)]
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a.frames["front"], b.frames["front"])
        assert np.array_equal(a.info["state"], b.info["state"])
        assert np.array_equal(a.info["events"], b.info["events"])
    assert _seen(first, "rain")[-1] == 1


def test_events_of_one_slot_leave_the_other_alone() -> None:
    world, plain = DriveWorld(2, 16), DriveWorld(2, 16)
    for one in (world, plain):
        one.reset([0, 1], [5, 6])
    for t in range(12):
        a = world.step([0, 1], _wheel(2, (EVENTS[t % 8], None)))
        b = plain.step([0, 1], _wheel(2))
        assert torch.equal(a.frames["front"][1], b.frames["front"][1])
    assert not torch.equal(a.frames["front"][0], b.frames["front"][0])


def test_unknown_events_and_wrong_counts_are_told() -> None:
    world = DriveWorld(1, 8)
    world.reset([0], [1])
    with pytest.raises(ValueError, match=r"no event 'snow'.*night, dusk"):
        world.step([0], _wheel(1, ("snow",)))
    with pytest.raises(ValueError, match="1 slots take 1 events"):
        world.step([0], _wheel(1, ("fog", None)))


def test_the_way_around_works_is_smooth_and_ends() -> None:
    along = np.arange(-40, 40, 0.5)
    path = detour(along)
    assert path[0] == path[-1] == 0
    assert path.max() == pytest.approx(1.3)
    assert np.abs(np.diff(path)).max() < 0.12
