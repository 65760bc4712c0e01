"""The toy world is exact: closed forms, seeds, chunks, the same bits in any batch."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from wmsim.control import MAX_ACCELERATION, MAX_WHEEL_ANGLE, WHEELBASE_METRES, Control
from wmsim.sims.toy import STATE_NAMES, ToyConfig, ToyWorld
from wmsim.world import Start, World


def wheel(*rows: tuple[float, float], frames: int = 1) -> Control:
    return Control.of_wheel(torch.tensor(rows)[:, None].expand(-1, frames, -1))


def state(world: ToyWorld, control: Control) -> np.ndarray:
    return np.asarray(world.step(range(control.slots), control).info["state"])


def test_it_is_a_world() -> None:
    assert isinstance(ToyWorld(), World)


def test_one_frame_is_the_bicycle() -> None:
    world = ToyWorld(1, outputs=("state",))
    x, y, yaw, speed, _ = world.reset([0], [4]).info["state"][0].astype(float)
    moved = dict(zip(STATE_NAMES, state(world, wheel((0.5, 1.0)))[0], strict=True))
    speed += MAX_ACCELERATION / 16
    rate = speed * math.tan(0.5 * MAX_WHEEL_ANGLE) / WHEELBASE_METRES
    yaw += rate / 16
    expected = (x + speed / 16 * math.cos(yaw), y + speed / 16 * math.sin(yaw), yaw, speed, rate)
    assert list(moved.values()) == pytest.approx(expected, rel=1e-5)


def test_braking_is_twice_as_strong_and_stops_at_nought() -> None:
    world = ToyWorld(1, outputs=("state",))
    speed = world.reset([0], [4]).info["state"][0, 3]
    assert state(world, wheel((0.0, -0.1)))[0, 3] == pytest.approx(speed - 0.2 * MAX_ACCELERATION / 16, rel=1e-5)
    for _ in range(40):
        last = state(world, wheel((0.0, -1.0)))
    assert last[0, 3] == 0


def test_reward_is_the_metres_driven_and_minus_one_at_the_end() -> None:
    world = ToyWorld(1, outputs=("state",))
    before = world.reset([0], [0]).info["state"][0]
    rewards = []
    for _ in range(200):
        step = world.step([0], wheel((0.0, 1.0)))
        assert step.reward is not None
        assert step.terminated is not None
        rewards.append(float(step.reward[0, 0]))
        if step.terminated[0, 0]:
            break
    after = step.info["state"][0]
    metres = float(np.hypot(*(after[:2] - before[:2])))
    assert rewards[-1] == -1
    assert sum(rewards[:-1]) + after[3] / 16 == pytest.approx(metres, abs=1e-3)
    assert np.hypot(*after[:2]) > 12 or rewards[-1] == -1
    again = world.step([0], wheel((0.0, 1.0)))
    assert again.reward is not None
    assert again.reward[0, 0] == 0
    assert again.terminated is not None
    assert bool(again.terminated[0, 0])
    assert torch.equal(again.frames["top"], step.frames["top"])


def test_a_chunk_is_its_frames_one_by_one() -> None:
    single, chunk = ToyWorld(2), ToyWorld(2, frames_per_step=5)
    single.reset([0, 1], [1, 2])
    chunk.reset([0, 1], [1, 2])
    for _ in range(10):
        steps = [single.step([0, 1], wheel((0.3, 1.0), (-0.2, 0.5))) for _ in range(5)]
        whole = chunk.step([0, 1], wheel((0.3, 1.0), (-0.2, 0.5), frames=5))
        assert torch.equal(whole.frames["top"], torch.cat([s.frames["top"] for s in steps], 1))
        for name in ("reward", "terminated", "proprio"):
            assert torch.equal(getattr(whole, name), torch.cat([getattr(s, name) for s in steps], 1))
    assert whole.terminated is not None
    assert whole.terminated.any()


@pytest.mark.parametrize("slots", [1, 3, 17])
def test_the_same_bits_in_any_batch(slots: int) -> None:
    world, alone = ToyWorld(slots), ToyWorld(1)
    world.reset(range(slots), range(50, 50 + slots))
    alone.reset([0], [50 + slots - 1])
    for k in range(30):
        control = wheel(*[(math.sin(k + i), 0.8) for i in range(slots)])
        step, one = world.step(range(slots), control), alone.step([0], control.select([slots - 1]))
        assert torch.equal(step.frames["top"][-1:], one.frames["top"])
        assert torch.equal(step.reward[-1:], one.reward)  # type: ignore[index, arg-type]


def test_walking_turns_right_and_steps_along_the_keys() -> None:
    world = ToyWorld(1, ride="walk", outputs=("state",))
    x, y, yaw, *_ = world.reset([0], [3]).info["state"][0]
    keys = torch.tensor([[[True, False, False, False]]])
    step = world.step([0], Control(buttons=keys, look=torch.tensor([[[0.3, 0.1]]])))
    turned = yaw - 0.3
    assert step.info["state"][0, :3] == pytest.approx(
        (x + 0.25 * math.cos(turned), y + 0.25 * math.sin(turned), turned)
    )
    assert step.reward is not None
    assert float(step.reward[0, 0]) == 0.25


def test_what_is_ahead_comes_nearer_on_the_picture() -> None:
    world = ToyWorld(1, size=32)
    world.reset([0], [0])
    world._state["pose"][0] = (0, 0, 0, 8, 0)
    world._state["obstacle"][0] = (6, 0)
    world._state["palette"][0] = ((40, 40, 40), (40, 40, 40), (250, 40, 40))
    rows = []
    for _ in range(8):
        red = world.step([0], wheel((0.0, 1.0))).frames["top"][0, 0, :, :, 0].numpy() > 200
        red &= world._draw([0])[0, :, :, 1] < 100
        rows.append(np.nonzero(red)[0].mean())
        assert np.nonzero(red)[1].mean() == pytest.approx(15.5)
    assert np.all(np.diff(rows) > 0.9), "0.5 metres a frame are 1 pixel of half a metre, downwards"


def test_left_on_the_ground_is_left_on_the_picture() -> None:
    world = ToyWorld(1, size=32)
    world.reset([0], [0])
    world._state["pose"][0] = (0, 0, math.pi / 2, 0, 0)
    world._state["obstacle"][0] = (-5, 4)
    world._state["palette"][0] = ((40, 40, 40), (40, 40, 40), (40, 250, 40))
    green = world._draw([0])[0].astype(int)
    rows, columns = np.nonzero((green[:, :, 1] > 200) & (green[:, :, 0] < 100))
    assert columns.mean() < 8
    assert rows.mean() < 20


def test_snapshots_are_picklable_copies() -> None:
    world = ToyWorld(2)
    world.reset([0, 1], [1, 2])
    state_ = pickle.loads(pickle.dumps(world.snapshot([0, 1])))
    first = world.step([0, 1], wheel((0.1, 1.0), (0.2, 1.0)))
    world.restore([1, 0], state_)
    second = world.step([1, 0], wheel((0.1, 1.0), (0.2, 1.0)))
    assert torch.equal(first.frames["top"], second.frames["top"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"slots": 0}, "slots is at least 1, got 0"),
        ({"size": 0}, "size is at least 1"),
        ({"frames_per_step": 0}, "frames_per_step is at least 1"),
        ({"ride": "fly"}, r"unknown ride 'fly'.*walk"),
        ({"outputs": ("depth",)}, r"cannot give \['depth'\]"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ToyWorld(**settings)  # type: ignore[arg-type]


def test_it_cannot_begin_from_frames() -> None:
    with pytest.raises(ValueError, match="cannot begin from frames"):
        ToyWorld(1, ToyConfig(size=8)).reset([0], [0], Start({"top": torch.zeros(1, 1, 8, 8, 3, dtype=torch.uint8)}))


def test_wrong_keys_are_refused() -> None:
    world = ToyWorld(1, ride="walk")
    world.reset([0], [0])
    keys, look = torch.zeros(1, 1, 4, dtype=torch.bool), torch.zeros(1, 1, 2)
    with pytest.raises(ValueError, match="'look' controls, the control holds"):
        world.step([0], Control(buttons=keys))
    with pytest.raises(ValueError, match=r"'buttons' has shape \(1, 1, 4\) here"):
        world.step([0], Control(buttons=keys.repeat(1, 2, 1), look=look.repeat(1, 2, 1)))
    with pytest.raises(ValueError, match="not finite"):
        world.step([0], Control(buttons=keys, look=look / 0))
