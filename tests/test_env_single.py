"""The single environment: ids, Gymnasium's and Stable-Baselines3's checkers, controls, errors, snapshots, rendering."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import wmsim  # noqa: F401
from wmsim.control import keys_to_wheel, trajectory_to_wheel
from wmsim.env import WorldEnv
from wmsim.sims.toy import ToyWorld

STRAIGHT = np.array([0.0, 1.0], np.float32)


def make(**settings: Any) -> WorldEnv:
    return WorldEnv("toy", **{"size": 8, **settings})


@pytest.mark.parametrize("name", ["wmsim/Toy-v0", "wmsim:wmsim/Toy-v0"])
def test_make_returns_the_bare_environment(name: str) -> None:
    env = gymnasium.make(name, world="sim", info=("state",))
    assert isinstance(env, WorldEnv)
    assert env.spec is not None
    again = gymnasium.make(env.spec)
    first, info = env.reset(seed=3)
    second, other = again.reset(seed=3)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(info["state"], other["state"])


@pytest.mark.parametrize("control", ["wheel", "keyboard"])
def test_gymnasium_checker_passes_without_a_warning(control: str) -> None:
    check_env(gymnasium.make("wmsim/Toy-v0", control=control, render_mode="rgb_array").unwrapped)


@pytest.mark.parametrize("settings", [{"control": "trajectory"}, {"observation": "dict"}])
def test_gymnasium_checker_passes(settings: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        # Metres are no unit range, and a speed has no bound: the checker only recommends otherwise.
        warnings.filterwarnings("ignore", message=".*(normalized space|infinity).*")
        check_env(gymnasium.make("wmsim/Toy-v0", **settings).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("settings", [{}, {"control": "keyboard"}, {"observation": "dict"}])
def test_stable_baselines_checker_passes(settings: dict[str, Any]) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(gymnasium.make("wmsim/Toy-v0", **settings))


def test_stable_baselines_ppo_learns_a_few_steps() -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    env = gymnasium.make("wmsim/Toy-v0", size=36)
    model = sb3.PPO("CnnPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=0, device="cpu")
    model.learn(32)
    assert model.num_timesteps == 32


def test_types_of_a_step() -> None:
    env = make(info=("state",))
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space
    assert info["state"].shape == (5,)
    assert info["seed"] == 0
    obs, reward, terminated, truncated, info = env.step(STRAIGHT)
    assert obs.dtype == np.uint8
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)
    assert info["proprio"].shape == (2,)


def test_an_episode_ends_by_leaving_the_disc_or_by_time() -> None:
    env = make()
    env.reset(seed=0)
    for _ in range(100):
        _, reward, terminated, truncated, _ = env.step(STRAIGHT)
        if terminated:
            break
    assert terminated
    assert not truncated
    assert reward == -1.0
    with pytest.raises(ResetNeeded, match="over or never began"):
        env.step(STRAIGHT)
    env.reset()
    brake = np.array([0.0, -1.0], np.float32)
    ends = [env.step(brake)[2:4] for _ in range(15 * 16)]
    assert ends == [(False, False)] * (15 * 16 - 1) + [(False, True)]


def test_a_horizon_truncates() -> None:
    class Short(ToyWorld):
        @property
        def spec(self) -> Any:
            from dataclasses import replace

            return replace(super().spec, horizon=5)

    env = WorldEnv("toy", Short(1, size=8))
    env.reset(seed=0)
    assert [env.step(STRAIGHT)[3] for _ in range(5)] == [False] * 4 + [True]


def test_seeds_repeat_and_later_episodes_follow_them() -> None:
    env = make()
    first, second = env.reset(seed=9)[0], env.reset()[0]
    assert (first != second).any()
    np.testing.assert_array_equal(env.reset(seed=9)[0], first)
    np.testing.assert_array_equal(env.reset()[0], second)


def test_keyboard_is_the_wheel_it_translates_to() -> None:
    keys, wheel = make(control="keyboard"), make()
    np.testing.assert_array_equal(keys.reset(seed=1)[0], wheel.reset(seed=1)[0])
    rng = np.random.default_rng(0)
    for _ in range(15):
        held = rng.integers(0, 2, 4).astype(np.int8)
        same = keys_to_wheel(torch.from_numpy(held).bool()).numpy()
        np.testing.assert_array_equal(keys.step(held)[0], wheel.step(same)[0])
    with pytest.raises(ValueError, match="buttons are 0 or 1"):
        keys.step(np.full(4, 2))


def test_trajectory_follows_the_waypoints_from_the_present_speed() -> None:
    path, wheel = make(control="trajectory"), make()
    assert path.action_space.shape == (8, 2)
    _, info = path.reset(seed=1)
    wheel.reset(seed=1)
    points = np.stack([np.linspace(0.5, 4, 8), np.linspace(0.05, 1.0, 8)], -1).astype(np.float32)
    for _ in range(10):
        speed = torch.tensor(info["proprio"][0])
        same = trajectory_to_wheel(torch.from_numpy(points), speed).numpy()
        obs, _, _, _, info = path.step(points)
        np.testing.assert_array_equal(obs, wheel.step(same)[0])


def test_dict_observation_holds_the_proprio() -> None:
    env = make(observation="dict")
    obs, info = env.reset(seed=0)
    assert obs in env.observation_space
    np.testing.assert_array_equal(obs["proprio"], info["proprio"])


def test_torch_output_keeps_the_spaces() -> None:
    env, arrays = make(output="torch"), make()
    obs, info = env.reset(seed=0)
    assert env.observation_space == arrays.observation_space
    assert isinstance(obs, torch.Tensor)
    assert isinstance(info["proprio"], torch.Tensor)
    np.testing.assert_array_equal(obs.numpy(), arrays.reset(seed=0)[0])
    step = env.step(torch.tensor([0.1, 0.5]))
    np.testing.assert_array_equal(step[0].numpy(), arrays.step(np.array([0.1, 0.5]))[0])


def test_snapshot_restore_and_fork() -> None:
    env = make()
    env.reset(seed=0)
    turn = np.array([0.7, 0.4], np.float32)
    for _ in range(5):
        env.step(turn)
    state, twin = env.snapshot(), env.fork()
    first = [env.step(turn) for _ in range(30)]
    env.restore(state)
    for other in (env, twin):
        for before in first:
            obs, *rest, _ = other.step(turn)
            np.testing.assert_array_equal(obs, before[0])
            assert rest == list(before[1:4])
    np.testing.assert_array_equal(env.reset()[0], twin.reset()[0])
    borrowed = WorldEnv("toy", ToyWorld(1))
    with pytest.raises(ValueError, match=r"WorldVectorEnv\.fork"):
        borrowed.fork()


def test_reset_comes_before_render_and_snapshot() -> None:
    env = make(render_mode="rgb_array")
    for call in (env.render, env.snapshot, env.fork, lambda: env.step(STRAIGHT)):
        with pytest.raises(ResetNeeded, match=r"reset\(\)"):
            call()


def test_rendering() -> None:
    env = make(render_mode="rgb_array")
    obs, _ = env.reset(seed=0)
    frame = env.render()
    np.testing.assert_array_equal(frame, obs)
    frame[:] = 0
    assert obs.any(), "a rendered frame is the user's own"
    with make(render_mode="human") as shown:
        shown.reset(seed=0)
        shown.step(STRAIGHT)
        assert shown._window is not None
        assert shown._window._screen.get_size() == (640, 640)


def test_a_missing_pygame_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(ImportError, match=r"wmsim\[render\]"):
        make(render_mode="human")


def test_wrong_actions_say_what_was_expected() -> None:
    env = make()
    env.reset(seed=0)
    for wrong, message in (
        (np.zeros(3), r"got \(1, 3\)"),
        ([np.inf, 0], "not finite"),
        ([2, 0], r"\[-1, 1\]"),
        ("w", "numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            env.step(wrong)
