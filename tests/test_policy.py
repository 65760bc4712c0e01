"""Policies: the random one, and the scripted driver, good and bad."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from wmsim.control import Control, wheel_space
from wmsim.data.episodes import Dataset
from wmsim.data.record import RecordConfig, record
from wmsim.policy import (
    DriverConfig,
    Executor,
    Policy,
    RandomPolicy,
    ReplayPolicy,
    ScriptedDriver,
    WanderPolicy,
    pursuit,
)
from wmsim.sims.state import STATE_NAMES


def _state(**values: float) -> np.ndarray:
    """A straight, free road at 8 m/s."""
    row = dict.fromkeys(STATE_NAMES, 0.0)
    row.update({f"preview_{d}m_x": float(d) for d in (3, 6, 10, 15, 22)}, speed_mps=8.0, gap_m=45.0, friction=0.9)
    row.update(values)
    return np.array([[row[name] for name in STATE_NAMES]], np.float32)


_GOOD = DriverConfig(slow=10.0, fast=10.0, noise=0.0, pedal_noise=0.0, recoveries=0.0, stops=0.0, mistakes=0.0)


def _act(config: DriverConfig = _GOOD, **values: float) -> np.ndarray:
    return ScriptedDriver(config, 1).act([0], None, {"state": _state(**values)})[0, 0]


def test_random_policies_draw_from_the_space_by_seed_alone() -> None:
    first, second = RandomPolicy(wheel_space(), 2), RandomPolicy(wheel_space(), 1)
    assert isinstance(first, Policy)
    first.reset([0, 1], [4, 9])
    second.reset([0], [9])
    for _ in range(3):
        both, one = first.act([0, 1], None, {}), second.act([0], None, {})
        assert both.shape == (2, 1, 2)
        assert wheel_space().contains(both[0, 0])
        np.testing.assert_array_equal(both[1], one[0])
        assert not np.array_equal(both[0], both[1])


def test_a_replay_does_what_the_episode_of_the_same_seed_did(tmp_path: Path) -> None:
    first = Dataset(
        record(RecordConfig("wmsim/Toy-v0", tmp_path / "one", episodes=2, max_steps=6, progress=False)).root
    )
    levels = ({"data": str(first.root)},)
    config = RecordConfig("wmsim/Toy-v0", tmp_path / "two", episodes=2, max_steps=8, policy="replay", levels=levels)
    second = Dataset(record(replace(config, progress=False)).root)
    for index in range(2):
        old, new = first.read(index), second.read(index)
        assert np.array_equal(new.action[:6], old.action)
        assert np.array_equal(new.frames[:7], old.frames)
        assert np.array_equal(new.action[6:], old.action[[-1, -1]])
    with pytest.raises(ValueError, match="no episode of seed 2: it has those from 0 to 1"):
        record(replace(config, out=tmp_path / "more", episodes=3))
    with pytest.raises(ValueError, match=r'give it the level \{"data": FOLDER\}'):
        record(replace(config, out=tmp_path / "none", levels=()))
    with pytest.raises(ValueError, match=r"holds actions of 2 numbers, those of .* have 1"):
        ReplayPolicy(spaces.Box(-1, 1, (1,)), 1, first.root)


def test_wandering_holds_values_for_spells_and_rests_by_seed_alone() -> None:
    space = spaces.Box(np.array([-1, 0.5], np.float32), np.array([3, 2], np.float32))
    first, second = WanderPolicy(space, 2, 2, 6), WanderPolicy(space, 1, 2, 6)
    assert isinstance(first, Policy)
    first.reset([0, 1], [4, 9])
    second.reset([0], [9])
    told = []
    for _ in range(400):
        both, one = first.act([0, 1], None, {}), second.act([0], None, {})
        assert space.contains(both[0, 0])
        np.testing.assert_array_equal(both[1], one[0])
        told.append(both[0, 0])
    walk = np.stack(told)
    for number, rest in ((0, 0.0), (1, 0.5)):
        changes = np.flatnonzero(np.diff(walk[:, number]))
        assert np.diff(changes).min() >= 2
        assert 0.3 < (walk[:, number] == np.float32(rest)).mean() < 0.7
        assert len(set(walk[:, number])) > 20
    first.reset([0], [4])
    np.testing.assert_array_equal(first.act([0], None, {})[0, 0], walk[0])
    with pytest.raises(ValueError, match="bounded Box"):
        WanderPolicy(spaces.Discrete(3), 1)
    eager = WanderPolicy(space, 1, 1, 3, rest=[0.0, 1.0])
    eager.reset([0], [4])
    moves = np.stack([eager.act([0], None, {})[0, 0] for _ in range(60)])
    assert (moves[:, 0] != 0).all()
    assert (moves[:, 1] == 0.5).all()
    with pytest.raises(ValueError, match="rest is a share"):
        WanderPolicy(space, 1, rest=[0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="spells"):
        WanderPolicy(space, 1, 0)


def test_the_driver_steers_towards_the_lane() -> None:
    left = {f"preview_{d}m_y": 0.05 * d for d in (3, 6, 10, 15, 22)}
    right = {name: -value for name, value in left.items()}
    assert abs(_act()[0]) < 1e-6
    assert _act(**left)[0] > 0.02
    assert _act(**right)[0] < -0.02


def test_pursuit_of_a_circle_gives_its_curvature() -> None:
    radius, rear = 12.0, 1.3
    row = _state(speed_mps=6.0).astype(np.float64)[0]
    for d in (3, 6, 10, 15, 22):
        row[STATE_NAMES.index(f"preview_{d}m_x")] = radius * np.sin((d + rear) / radius) - rear
        row[STATE_NAMES.index(f"preview_{d}m_y")] = radius * (1 - np.cos((d + rear) / radius))
    assert np.tan(pursuit(row)) / 2.6 == pytest.approx(1 / radius, rel=0.03)


def test_the_driver_keeps_speed_and_brakes_for_bends_and_cars() -> None:
    assert _act(speed_mps=5.0)[1] > 0.5
    assert abs(_act(speed_mps=10.0)[1]) < 0.05
    assert _act(speed_mps=10.0, gap_m=8.0)[1] < -0.3
    assert _act(speed_mps=10.0, curvature_5m=0.2)[1] < -0.3


def test_a_blind_driver_does_not_brake_for_the_car_ahead() -> None:
    config = DriverConfig(slow=10.0, fast=10.0, noise=0.0, pedal_noise=0.0, recoveries=0.0, stops=0.0, mistakes=1e9)
    driver = ScriptedDriver(config, 12)
    driver.reset(range(12), range(12))
    state = np.repeat(_state(speed_mps=10.0, gap_m=6.0), 12, 0)
    drives = driver.act(range(12), None, {"state": state})[:, 0]
    assert (drives[:, 1] > -0.2).any()
    assert np.abs(drives[:, 0]).max() > 0.05


def test_who_lets_go_does_so_for_good_and_never_brakes() -> None:
    driver = ScriptedDriver(replace(_GOOD, noise=0.3, lets_go=1e9), 40)
    driver.reset(range(40), range(40))
    first, later = (
        driver.act(range(40), None, {"state": np.repeat(_state(speed_mps=10.0, gap_m=gap, curvature_5m=bend), 40, 0)})
        for gap, bend in ((45.0, 0.0), (5.0, 0.2))
    )
    np.testing.assert_array_equal(first, later)
    assert (first[:, 0, 1] >= 0).all()
    assert 0.02 < (first[:, 0] == 0).all(-1).mean() < 0.5
    driver.reset([3], [3])
    assert driver.act([3], None, {"state": _state()}).shape == (1, 1, 2)


def test_rows_are_keyed_by_their_seeds_alone() -> None:
    one, three = ScriptedDriver(DriverConfig(), 1), ScriptedDriver(DriverConfig(), 3)
    one.reset([0], [5])
    three.reset([0, 1, 2], [1, 5, 2])
    for _ in range(40):
        a = one.act([0], None, {"state": _state()})
        b = three.act([2, 1], None, {"state": np.repeat(_state(), 2, 0)})
        np.testing.assert_array_equal(a[0], b[1])
    assert wheel_space().contains(a[0, 0])
    assert a.dtype == np.float32


def test_what_a_user_gets_wrong_is_told() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ScriptedDriver(DriverConfig(), 0)
    with pytest.raises(ValueError, match="slow to fast"):
        ScriptedDriver(DriverConfig(slow=9.0, fast=3.0), 1)
    with pytest.raises(ValueError, match="outputs"):
        ScriptedDriver(DriverConfig(), 1).act([0], None, {})
    with pytest.raises(ValueError, match="at least 1 action"):
        Executor(RandomPolicy(wheel_space(), 1), 1, execute=0)


class _Counting:
    """Chunks of three: each slot's own count, row by row; remembers whom it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def reset(self, rows, seeds):  # type: ignore[no-untyped-def]
        pass

    def act(self, rows, observation, info):  # type: ignore[no-untyped-def]
        self.asked.append(list(rows))
        np.testing.assert_array_equal(observation["front"][:, 0], 10 * np.array(rows))
        assert info["speed"].shape == (len(rows),)
        return np.array([[[10 * row + k] for k in range(3)] for row in rows], np.float32)


@pytest.mark.parametrize(
    ("execute", "actions", "asked"), [(None, [0, 1, 2, 0], 2), (2, [0, 1, 0, 1], 2), (1, [0] * 4, 4)]
)
def test_an_executor_plays_chunks_and_asks_for_those_that_are_used_up(execute, actions, asked) -> None:  # type: ignore[no-untyped-def]
    policy = _Counting()
    executor = Executor(policy, 3, execute)
    seen, told = {"front": np.array([[0], [10], [20]])}, {"speed": np.zeros(3)}
    made = [executor.act(seen, told) for _ in range(4)]
    assert [int(step[0, 0]) for step in made] == actions
    assert [int(step[2, 0]) - 20 for step in made] == actions
    assert policy.asked == [[0, 1, 2]] * asked


def test_an_executor_drops_the_chunk_of_a_slot_that_begins_anew() -> None:
    policy = _Counting()
    executor = Executor(policy, 3)
    seen, told = {"front": np.array([[0], [10], [20]])}, {"speed": np.zeros(3)}
    executor.act(seen, told)
    executor.reset([1], [5])
    assert executor.act(seen, told)[:, 0].tolist() == [1, 10, 21]
    assert policy.asked == [[0, 1, 2], [1]]


# --- in the twin ---------------------------------------------------------------------------------------------------


def _drive(config: DriverConfig, seed: int, seconds: float) -> tuple[float, float, list[float]]:
    """Seconds until the end, metres of progress, and the steering used."""
    pytest.importorskip("mujoco")
    from wmsim.sims.drive import DriveWorld

    world, driver = DriveWorld(1, size=8, outputs=("state",)), ScriptedDriver(config, 1)
    step = world.reset([0], [seed])
    driver.reset([0], [seed])
    steers: list[float] = []
    for _ in range(int(16 * seconds)):
        wheel = driver.act([0], None, step.info)[:, 0]
        steers.append(float(wheel[0, 0]))
        step = world.step([0], Control.of_wheel(wheel))
        if bool(step.terminated.any()):  # type: ignore[union-attr]
            break
    return len(steers) / 16, float(step.info["state"][0, STATE_NAMES.index("progress_m")]), steers


@pytest.mark.parametrize("seed", [0, 5])
def test_a_driver_without_mistakes_drives_for_half_a_minute(seed: int) -> None:
    seconds, metres, steers = _drive(DriverConfig(mistakes=0.0), seed, 30)
    assert seconds == 30
    assert metres > 150
    assert np.std(steers) > 0.05


def test_mistakes_end_episodes() -> None:
    ends = [_drive(DriverConfig(mistakes=0.6), seed, 12)[0] < 12 for seed in (2, 4, 6)]
    assert sum(ends) >= 2
