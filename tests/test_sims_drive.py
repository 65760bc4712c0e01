"""The Drive twin: its physics, its reward and ends, and the contract of a World."""

from __future__ import annotations

import copy
import hashlib
import os
import pickle
import subprocess
import sys

import mujoco
import numpy as np
import pytest
import torch

from wmsim.control import MAX_ACCELERATION, MAX_WHEEL_ANGLE, WHEELBASE_METRES, Control
from wmsim.sims import streets
from wmsim.sims.car import TOP_SPEED, EgoCar, ego_xml
from wmsim.sims.drive import STATE_NAMES, DriveWorld
from wmsim.sims.episode import Episode
from wmsim.world import Snapshot, Start, Step, World

Column = {name: i for i, name in enumerate(STATE_NAMES)}


def _wheel(rows: int, steer: float = 0.0, drive: float = 0.0) -> Control:
    return Control.of_wheel(np.tile(np.array([[steer, drive]], np.float32), (rows, 1)))


def _same(a: Step, b: Step) -> bool:
    assert a.reward is not None
    assert b.reward is not None
    assert a.proprio is not None
    assert b.proprio is not None
    return (
        torch.equal(a.frames["front"], b.frames["front"])
        and torch.equal(a.reward, b.reward)
        and torch.equal(a.proprio, b.proprio)
        and all(np.array_equal(a.info[k], b.info[k]) for k in a.info)
    )


def _row(step: Step, row: int) -> tuple[np.ndarray, float]:
    assert step.reward is not None
    return step.frames["front"][row].numpy(), float(step.reward[row, 0])


# --- physics -------------------------------------------------------------------------------------------------------


def _plain(friction: float = 0.95, wall: str = "") -> tuple[mujoco.MjModel, EgoCar]:
    body, actuators = ego_xml(friction)
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><compiler angle="radian"/><option timestep="{1 / 208!r}" integrator="implicitfast" cone="elliptic"/>'
        f'<worldbody><geom name="floor" type="plane" size="0 0 1" contype="0" conaffinity="5"/>{wall}{body}</worldbody>'
        f"{actuators}</mujoco>"
    )
    return model, EgoCar(model)


def _roll(
    speed: float, steer: float, drive: float, frames: int, **kind: object
) -> tuple[mujoco.MjData, EgoCar, list[bool]]:
    model, car = _plain(**kind)  # type: ignore[arg-type]
    data = mujoco.MjData(model)
    car.place(data, np.zeros(2), 0.0, speed)
    mujoco.mj_forward(model, data)
    return data, car, [car.drive(data, steer, drive) for _ in range(frames)]


def test_throttle_accelerates_as_the_control_says() -> None:
    data, car, _ = _roll(0.0, 0.0, 1.0, 24)
    assert car.speed(data) == pytest.approx(1.5 * MAX_ACCELERATION, rel=0.1)


def test_throttle_fades_out_at_the_top_speed() -> None:
    data, car, _ = _roll(19.0, 0.0, 1.0, 64)
    assert 18.0 < car.speed(data) < TOP_SPEED


def test_the_brake_is_twice_as_strong_and_never_reverses() -> None:
    data, car, _ = _roll(12.0, 0.0, -1.0, 16)
    assert 12.0 - car.speed(data) == pytest.approx(2 * MAX_ACCELERATION, rel=0.15)
    data, car, _ = _roll(6.0, 0.0, -1.0, 40)
    assert abs(car.speed(data)) < 0.1


def test_a_slippery_road_brakes_worse() -> None:
    dry, car, _ = _roll(12.0, 0.0, -1.0, 16)
    wet, _, _ = _roll(12.0, 0.0, -1.0, 16, friction=0.4)
    assert car.speed(wet) > car.speed(dry) + 2


@pytest.mark.parametrize("steer", [0.3, -0.2])
def test_steering_follows_the_bicycle_and_positive_is_left(steer: float) -> None:
    data, car, _ = _roll(6.0, steer, 0.03, 24)
    bicycle = car.speed(data) * np.tan(steer * MAX_WHEEL_ANGLE) / WHEELBASE_METRES
    assert data.qvel[5] == pytest.approx(bicycle, rel=0.06)
    assert np.sign(data.qpos[1]) == np.sign(steer)


def test_a_kerb_lifts_the_car_and_lets_it_over() -> None:
    kerb = '<geom type="box" size="0.16 50 0.07" pos="5 0 0" contype="0" conaffinity="4"/>'
    data, car, hits = _roll(8.0, 0.0, 0.0, 16, wall=kerb)
    flat, _, _ = _roll(8.0, 0.0, 0.0, 16)
    assert data.qpos[0] > 6
    assert not any(hits)
    assert car.speed(data) < car.speed(flat) - 0.1


def test_a_wall_stops_the_car_and_is_told() -> None:
    wall = '<geom type="box" size="0.5 5 1" pos="8 0 1" contype="2" conaffinity="1"/>'
    data, _, hits = _roll(10.0, 0.0, 0.0, 24, wall=wall)
    assert any(hits)
    assert data.qpos[0] < 6.5


# --- reward and ends -----------------------------------------------------------------------------------------------


def _until_end(seed: int, steer: float, drive: float) -> tuple[DriveWorld, list[Step]]:
    world = DriveWorld(1, size=8, outputs=("state",))
    steps = [world.reset([0], [seed])]
    while not bool(steps[-1].terminated.any()) and len(steps) < 400:  # type: ignore[union-attr]
        steps.append(world.step([0], _wheel(1, steer, drive)))
    return world, steps


def test_leaving_the_road_or_hitting_something_ends_the_episode_and_costs() -> None:
    collided, left = [], []
    for seed in range(6):
        _, steps = _until_end(seed, 0.25, 0.6)
        last = steps[-1]
        state = last.info["state"][0]
        assert bool(last.terminated[0, 0])
        assert float(last.reward[0, 0]) < -0.5
        collided.append(bool(state[Column["collided"]]))
        left.append(not bool(state[Column["on_road"]]))
        assert collided[-1] or left[-1]
    assert any(left), "some of them leave the road"


def test_a_collision_with_traffic_ends_the_episode() -> None:
    episode = Episode(3, 8)
    town = episode._town
    point, yaw, _ = episode._traffic.poses(np.array([-6.0]))
    episode._car.place(episode._data, point[0, 0], float(yaw[0, 0]), 14.0)
    mujoco.mj_forward(episode._model, episode._data)
    outcomes = [episode.step(0.0, 1.0) for _ in range(40)]
    hit = next(o for o in outcomes if o.terminated)
    assert hit.parts[2] == -1.0
    assert hit.state[Column["collided"]] == 1.0
    assert town.traffic == len(episode._traffic.state.s)


def test_an_ended_slot_repeats_its_frame_with_reward_zero() -> None:
    world, steps = _until_end(1, 0.25, 0.6)
    again = world.step([0], _wheel(1, 0.0, 1.0))
    assert bool(again.terminated.all())
    assert float(again.reward.abs().sum()) == 0.0
    assert torch.equal(again.frames["front"], steps[-1].frames["front"])
    assert not any(again.info[k].any() for k in again.info if k.startswith("reward"))


def test_progress_earns_a_tenth_of_a_metre_and_components_add_up() -> None:
    world = DriveWorld(1, size=8, outputs=("state",))
    before = world.reset([0], [5]).info["state"][0]
    total = 0.0
    for _ in range(20):
        step = world.step([0], _wheel(1, 0.0, 0.1))
        parts = [float(step.info[f"reward_{k}"][0, 0]) for k in ("progress", "lane", "collision", "jerk")]
        assert float(step.reward[0, 0]) == pytest.approx(sum(parts), abs=1e-6)  # type: ignore[index]
        assert parts[1] <= 0
        assert parts[3] <= 0
        total += parts[0]
    after = step.info["state"][0]
    moved = np.hypot(*(after[:2] - before[:2]))
    assert total == pytest.approx(0.1 * after[Column["progress_m"]], abs=1e-4)
    assert after[Column["progress_m"]] == pytest.approx(moved, rel=0.1)


def test_the_start_is_on_the_lane_and_tells_what_is_ahead() -> None:
    for seed in range(4):
        state = DriveWorld(1, size=8, outputs=("state",)).reset([0], [seed]).info["state"][0]
        assert abs(state[Column["lane_offset_m"]]) < 0.7
        assert abs(state[Column["heading_error_rad"]]) < 0.15
        assert state[Column["on_road"]] == 1
        assert state[Column["collided"]] == 0
        assert 2 < state[Column["preview_3m_x"]] < 4
        assert state[Column["preview_15m_x"]] > 8
        assert 0 <= state[Column["gap_m"]] <= 45


# --- the contract --------------------------------------------------------------------------------------------------


def test_shapes_and_types_of_what_a_step_holds() -> None:
    world = DriveWorld(2, size=16, outputs=("state", "depth", "segmentation", "normals"))
    assert isinstance(world, World)
    assert world.slots == 2
    assert world.spec.cameras == {"front": (16, 16, 3)}
    step = world.reset([0, 1], [3, 4])
    assert step.frames["front"].shape == (2, 1, 16, 16, 3)
    assert step.frames["front"].dtype == torch.uint8
    assert step.reward is not None
    assert step.reward.shape == (2, 1)
    assert step.reward.dtype == torch.float32
    assert step.proprio is not None
    assert step.proprio.shape == (2, 1, 2)
    assert step.proprio.dtype == torch.float32
    assert step.terminated is not None
    assert step.terminated.dtype == torch.bool
    assert not step.terminated.any()
    assert step.info["state"].shape == (2, len(STATE_NAMES))
    assert step.info["state"].dtype == np.float32
    assert step.info["depth"].shape == (2, 1, 16, 16)
    assert step.info["depth"].min() > 0
    assert step.info["normals"].shape == (2, 1, 16, 16, 3)
    assert {streets.SKY, streets.ROAD} <= set(np.unique(step.info["segmentation"]))
    assert "state" not in DriveWorld(1, size=8).reset([0], [3]).info


def test_same_seed_same_episode_alone_in_a_batch_and_with_threads() -> None:
    alone, batch, threads = DriveWorld(1, size=16), DriveWorld(3, size=16), DriveWorld(3, size=16, workers=3)
    alone.reset([0], [7])
    batch.reset([0, 1, 2], [1, 7, 2])
    threads.reset([2, 1, 0], [2, 7, 1])
    for i in range(6):
        steer = 0.1 * (i % 3)
        one = alone.step([0], _wheel(1, steer, 0.5))
        three = batch.step([0, 1, 2], _wheel(3, steer, 0.5))
        mixed = threads.step([0, 1, 2], _wheel(3, steer, 0.5))
        assert _same(three, mixed)
        frame, reward = _row(three, 1)
        assert np.array_equal(frame, one.frames["front"][0].numpy())
        assert reward == _row(one, 0)[1]
    threads.close()
    threads.close()


def test_a_fresh_process_draws_the_same_frame() -> None:
    code = (
        "import hashlib, numpy as np\nfrom wmsim.control import Control\nfrom wmsim.sims.drive import DriveWorld\n"
        "w = DriveWorld(1, size=32)\nw.reset([0], [11])\n"
        "for _ in range(3): s = w.step([0], Control.of_wheel(np.array([[0.2, 0.4]], np.float32)))\n"
        "print(hashlib.sha256(s.frames['front'].numpy().tobytes()).hexdigest())"
    )
    digests = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout}
    world = DriveWorld(1, size=32)
    world.reset([0], [11])
    for _ in range(3):
        step = world.step([0], _wheel(1, 0.2, 0.4))
    digests.add(hashlib.sha256(step.frames["front"].numpy().tobytes()).hexdigest() + "\n")
    assert len(digests) == 1


def test_what_happens_in_one_slot_leaves_the_others_alone() -> None:
    world, other = DriveWorld(2, size=16), DriveWorld(2, size=16)
    for w in (world, other):
        w.reset([0, 1], [5, 5])
    for _ in range(4):
        world.step([1], _wheel(1, -0.3, 1.0))
    world.reset([1], [9])
    for _ in range(3):
        assert _same(world.step([0], _wheel(1, 0.1, 0.3)), other.step([0], _wheel(1, 0.1, 0.3)))


def test_a_snapshot_goes_on_identically_here_and_in_another_slot() -> None:
    world = DriveWorld(3, size=16, outputs=("state",))
    world.reset([0, 1], [6, 8])
    for _ in range(5):
        world.step([0, 1], _wheel(2, 0.2, 0.6))
    kept: Snapshot = pickle.loads(pickle.dumps(world.snapshot([0])))
    first = [world.step([0], _wheel(1, -0.2, -0.3 + 0.2 * i)) for i in range(6)]
    world.restore([0], kept)
    again = [world.step([0], _wheel(1, -0.2, -0.3 + 0.2 * i)) for i in range(6)]
    world.restore([2], kept)
    moved = [world.step([2], _wheel(1, -0.2, -0.3 + 0.2 * i)) for i in range(6)]
    assert all(_same(a, b) and _same(a, c) for a, b, c in zip(first, again, moved, strict=True))
    world.restore([1, 0], kept.select([0, 0]))
    forks = world.step([1, 0], _wheel(2, -0.2, -0.3))
    assert np.array_equal(_row(forks, 0)[0], _row(first[0], 0)[0])
    assert np.array_equal(_row(forks, 1)[0], _row(forks, 0)[0])


def test_a_snapshot_of_an_ended_slot_stays_ended() -> None:
    world, steps = _until_end(2, 0.25, 0.6)
    kept = world.snapshot([0])
    world.reset([0], [3])
    world.restore([0], kept)
    step = world.step([0], _wheel(1, 0.0, 0.5))
    assert bool(step.terminated.all())
    assert torch.equal(step.frames["front"], steps[-1].frames["front"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DriveWorld(0), "at least 1"),
        (lambda: DriveWorld(1, outputs=("colour",)), "unknown output"),
        (lambda: DriveWorld(1, renderer="vulkan"), "unknown renderer"),
        (lambda: DriveWorld(1, renderer="gl", workers=2), "one thread"),
        (lambda: DriveWorld(1).step([0], _wheel(1)), "never reset"),
        (lambda: DriveWorld(1).snapshot([0]), "never reset"),
        (lambda: DriveWorld(1).reset([1], [0]), "does not exist"),
        (lambda: DriveWorld(1).reset([0], [-1]), "at least 0"),
        (
            lambda: DriveWorld(1).reset([0], [0], Start({"front": torch.zeros(1, 1, 64, 64, 3, dtype=torch.uint8)})),
            "frames",
        ),
        (lambda: DriveWorld(1).restore([0], Snapshot("toy", (1,))), "world 'toy'"),
    ],
)
def test_what_a_user_gets_wrong_is_told(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_wrong_controls_and_snapshots_of_another_size_are_told() -> None:
    world = DriveWorld(1, size=8)
    world.reset([0], [3])
    with pytest.raises(ValueError, match="shape"):
        world.step([0], Control.of_robot(np.zeros((1, 3), np.float32), "wheel"))
    with pytest.raises(ValueError, match="domain"):
        world.step([0], Control.of_robot(np.zeros((1, 2), np.float32), "arm"))
    with pytest.raises(ValueError, match="not finite"):
        world.step([0], Control.of_wheel(np.array([[np.nan, 0.0]], np.float32)))
    other = DriveWorld(1, size=16)
    with pytest.raises(ValueError, match="16 pixels"):
        other.restore([0], world.snapshot([0]))


def test_copies_of_a_model_do_not_share_what_a_renderer_changes() -> None:
    first, second = Episode(3, 8), Episode(3, 8)
    groups = copy.copy(second._model.geom_group)
    first._model.geom_group[:] = 4
    assert np.array_equal(second._model.geom_group, groups)


def test_gl_sees_the_same_surfaces_or_says_what_is_missing() -> None:
    code = (
        "import numpy as np\nfrom wmsim.sims.drive import DriveWorld\nout = ('depth', 'segmentation')\n"
        "try: g = DriveWorld(1, 32, out, 'gl').reset([0], [3])\n"
        "except ImportError as e: print('missing', 'MUJOCO_GL' in str(e))\n"
        "else:\n"
        "    r = DriveWorld(1, 32, out).reset([0], [3])\n"
        "    same = (g.info['segmentation'] == r.info['segmentation']).mean()\n"
        "    seen = np.isfinite(g.info['depth']) & np.isfinite(r.info['depth'])\n"
        "    near = np.abs(g.info['depth'][seen] / r.info['depth'][seen] - 1) < 0.01\n"
        "    print('drawn', same > 0.97, near.mean() > 0.97)"
    )
    for platform in ("egl", "glfw"):
        env = {**os.environ, "MUJOCO_GL": platform}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split()[1:] in (["True"], ["True", "True"]), done.stdout
