"""The vector environment against Gymnasium's own SyncVectorEnv of single environments, and what it adds to it."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import wmsim  # noqa: F401
from wmsim.env import WorldEnv, WorldVectorEnv, episode_seed
from wmsim.sims.toy import ToyWorld

TOY = {"task": "toy", "size": 8, "info": ("state",), "max_episode_steps": 45}
MODES = list(AutoresetMode)


def make(count: int = 4, mode: AutoresetMode = AutoresetMode.NEXT_STEP, **settings: Any) -> WorldVectorEnv:
    return WorldVectorEnv(count, autoreset_mode=mode, **{**TOY, **settings})


def script(count: int, steps: int = 150) -> np.ndarray:
    """(steps, count, 2): full throttle with a slight turn, so that every slot drives off or runs out of time."""
    steer = np.linspace(-0.1, 0.75, count)
    wave = np.sin(np.arange(steps) / 7)[:, None] * 0.2
    drive = np.linspace(1.0, 0.05, count)
    return np.stack(np.broadcast_arrays(steer + wave, drive), -1).astype(np.float32)


def assert_same(ours: Any, theirs: Any, path: str = "") -> None:
    if isinstance(theirs, dict):
        assert set(ours) == set(theirs), (path, sorted(ours), sorted(theirs))
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{path}/{key}")
    elif isinstance(theirs, tuple) or (isinstance(theirs, np.ndarray) and theirs.dtype == object):
        for mine, other in zip(ours, theirs, strict=True):
            assert (mine is None) == (other is None), path
            if other is not None:
                assert_same(mine, other, path)
    else:
        np.testing.assert_array_equal(ours, theirs, err_msg=path)
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype, path


@pytest.mark.parametrize("mode", MODES, ids=lambda m: m.value)
@pytest.mark.parametrize("observation", ["image", "dict"])
def test_steps_like_the_sync_vector_env(mode: AutoresetMode, observation: str) -> None:
    ours = make(mode=mode, observation=observation)
    settings = {**TOY, "observation": observation}
    theirs = SyncVectorEnv([lambda: WorldEnv(**settings) for _ in range(4)], autoreset_mode=mode)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.metadata["autoreset_mode"] == mode
    assert_same(ours.reset(seed=40), theirs.reset(seed=40))
    ends = np.zeros(2, int)
    for action in script(4):
        mine, other = ours.step(action), theirs.step(action)
        for part in range(5):
            assert_same(mine[part], other[part], f"part {part}")
        ends += mine[2].sum(), mine[3].sum()
        over = mine[2] | mine[3]
        if mode == AutoresetMode.DISABLED and over.any():
            options = {"reset_mask": over}
            assert_same(ours.reset(options=dict(options)), theirs.reset(options=dict(options)))
    assert (ends > 1).all(), "the script must end episodes both ways"


@pytest.mark.parametrize("count", [1, 3, 6])
def test_same_seed_same_episodes_whatever_the_batch(count: int) -> None:
    alone, batch = make(1), make(count, mode=AutoresetMode.NEXT_STEP)
    slot = count - 1
    first, _ = alone.reset(seed=100 + slot)
    several, _ = batch.reset(seed=100)
    np.testing.assert_array_equal(first[0], several[slot])
    for action in script(1, 120):
        obs, reward, terminated, truncated, _ = alone.step(action)
        others = batch.step(np.repeat(action, count, 0))
        np.testing.assert_array_equal(obs[0], others[0][slot])
        assert (reward[0], terminated[0], truncated[0]) == tuple(part[slot] for part in others[1:4])


def test_seeds_can_be_a_list_and_none_goes_on() -> None:
    env = make(3)
    _, info = env.reset(seed=[7, None, 1_000_007])
    assert info["seed"][0] == 7
    assert info["seed"][2] == 1_000_007
    drawn = int(info["seed"][1])
    _, info = env.reset(seed=[None, 5, None])
    assert list(info["seed"]) == [episode_seed(7, 1), 5, episode_seed(1_000_007, 1)]
    _, info = env.reset(seed=[None, drawn, None])
    assert list(info["seed"]) == [episode_seed(7, 2), drawn, episode_seed(1_000_007, 2)]
    with pytest.raises(ValueError, match="3 environments need 3 seeds, got 2"):
        env.reset(seed=[1, 2])
    with pytest.raises(ValueError, match="at least 0, got -4"):
        env.reset(seed=[1, 2, -4])


def test_episode_seeds_differ_and_stay_on_their_side() -> None:
    seen = [episode_seed(3, e) for e in range(200)]
    unseen = [episode_seed(1_000_003, e) for e in range(200)]
    assert len(set(seen)) > 195
    assert len(set(unseen)) > 195
    assert max(seen) < 1_000_000 <= min(unseen)


def test_unseeded_resets_differ() -> None:
    first, second = make(2), make(2)
    assert list(first.reset()[1]["seed"]) != list(second.reset()[1]["seed"])


def test_the_time_limit_counts_frames_and_chunks() -> None:
    for frames, steps in ((1, 10), (4, 10)):
        env = make(
            1, world=ToyWorld(1, size=8, frames_per_step=frames, outputs=("state",)), size=None, max_episode_steps=10
        )
        env.reset(seed=0)
        over = [bool(env.step(np.zeros((1, 2), np.float32))[3][0]) for _ in range(steps)]
        assert over == [False] * 9 + [True], frames


def test_a_chunk_sums_its_rewards() -> None:
    single, chunk = make(1), make(1, world=ToyWorld(1, size=8, frames_per_step=3, outputs=("state",)), size=None)
    single.reset(seed=4)
    chunk.reset(seed=4)
    action = np.array([[0.2, 1.0]], np.float32)
    rewards = [single.step(action)[1][0] for _ in range(3)]
    obs, reward, *_ = chunk.step(action)
    assert reward[0] == pytest.approx(sum(rewards))
    np.testing.assert_array_equal(obs, single.observe())


def test_snapshot_restore_continues_to_the_bit() -> None:
    env, script_ = make(3), script(3, 60)
    env.reset(seed=5)
    for action in script_[:20]:
        env.step(action)
    state = pickle.loads(pickle.dumps(env.snapshot()))
    first = [env.step(action) for action in script_[20:]]
    env.restore(None, state)
    for action, before in zip(script_[20:], first, strict=True):
        for mine, other in zip(env.step(action), before, strict=True):
            assert_same(mine, other)


def test_fork_copies_a_slot_and_its_future() -> None:
    env, script_ = make(4), script(4, 60)
    env.reset(seed=5)
    for action in script_[:10]:
        env.step(action)
    env.fork(1, [0, 3])
    shown = env.observe()
    np.testing.assert_array_equal(shown[[0, 3]], shown[[1, 1]])
    assert (shown[2] != shown[1]).any()
    for action in script_[10:]:
        obs, reward, terminated, _, info = env.step(np.repeat(action[1:2], 4, 0))
        np.testing.assert_array_equal(obs[[0, 3]], obs[[1, 1]])
        assert reward[0] == reward[1] == reward[3]
        assert terminated[0] == terminated[1]
        if "seed" in info:
            assert info["seed"][0] == info["seed"][1]


def test_a_partial_reset_leaves_the_others() -> None:
    env = make(3, mode=AutoresetMode.DISABLED)
    before, _ = env.reset(seed=1)
    after, info = env.reset(seed=[8, 8, 8], options={"reset_mask": np.array([False, True, False])})
    np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])
    assert (after[1] != before[1]).any()
    assert list(info["_seed"]) == [False, True, False]
    for wrong in ([True, False, False], np.zeros(3, bool), np.ones(2, bool), np.ones(3)):
        with pytest.raises(ValueError, match="reset_mask is a numpy bool array of shape"):
            env.reset(options={"reset_mask": wrong})


def test_disabled_refuses_to_step_over_an_end() -> None:
    env = make(2, mode=AutoresetMode.DISABLED, max_episode_steps=2)
    env.reset(seed=0)
    actions = np.zeros((2, 2), np.float32)
    env.step(actions)
    assert env.step(actions)[3].all()
    with pytest.raises(ResetNeeded, match=r"slots \[0, 1\] are over"):
        env.step(actions)


@pytest.mark.parametrize("mode", MODES, ids=lambda m: m.value)
def test_reset_comes_first(mode: AutoresetMode) -> None:
    env = make(2, mode=mode)
    for call in (lambda: env.step(np.zeros((2, 2), np.float32)), env.render, env.snapshot, env.observe):
        with pytest.raises(ResetNeeded, match=r"reset\("):
            call()


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.zeros((3, 2), np.float32), r"shape \(4, 2\) here, got \(3, 2\)"),
        (np.zeros(2, np.float32), r"shape \(4, 2\) here, got \(2,\)"),
        (np.full((4, 2), np.nan, np.float32), "not finite"),
        (np.full((4, 2), 1.5, np.float32), r"lie in \[-1, 1\], got 1.5 to 1.5"),
        (np.zeros((4, 2), np.complex64), "complex64"),
        (np.zeros((4, 2), bool), "bool"),
        ("left", "actions are numbers"),
        (None, "actions are numbers"),
    ],
)
def test_wrong_actions_say_what_was_expected(actions: Any, message: str) -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.step(actions)
    env.step(np.zeros((4, 2), np.float32))


def test_torch_output_stays_on_the_device_and_is_not_copied() -> None:
    class Watched(ToyWorld):
        def step(self, *args: Any, **kwargs: Any) -> Any:
            self.last = super().step(*args, **kwargs)
            return self.last

    world = Watched(4, size=8, outputs=("state",))
    ours, arrays = make(output="torch", world=world, size=None), make()
    first, _ = ours.reset(seed=2)
    np.testing.assert_array_equal(first.numpy(), arrays.reset(seed=2)[0])
    for action in script(4, 40):
        obs, reward, terminated, truncated, info = ours.step(torch.from_numpy(action))
        expected = arrays.step(action)
        for mine, other in zip((obs, reward, terminated, truncated), expected, strict=False):
            assert isinstance(mine, torch.Tensor)
            np.testing.assert_allclose(mine.numpy(), other, rtol=1e-6)
        assert set(info) == set(expected[4])
    world = Watched(4, size=8, outputs=("state",))
    ours = make(output="torch", world=world, size=None)
    ours.reset(seed=2)
    obs, *_ = ours.step(torch.zeros(4, 2))
    assert obs.data_ptr() == world.last.frames["top"].data_ptr()


def test_observations_of_earlier_steps_are_not_overwritten() -> None:
    env = make()
    obs, _ = env.reset(seed=0)
    kept = obs.copy()
    for action in script(4, 50):
        env.step(action)
    np.testing.assert_array_equal(obs, kept)


def test_make_vec_uses_the_vector_entry_point() -> None:
    env = gymnasium.make_vec("wmsim/Toy-v0", num_envs=3, vectorization_mode="vector_entry_point", max_episode_steps=5)
    assert isinstance(env, WorldVectorEnv)
    assert env.spec is not None
    assert env.spec.id == "wmsim/Toy-v0"
    env.reset(seed=0)
    truncated = [env.step(np.zeros((3, 2), np.float32))[3].all() for _ in range(5)]
    assert truncated == [False] * 4 + [True]
    env.close()
    env.close()


def test_make_vec_sync_works_too() -> None:
    env = gymnasium.make_vec("wmsim/Toy-v0", num_envs=2, vectorization_mode="sync")
    env.reset(seed=0)
    assert env.step(env.action_space.sample())[0].shape == (2, 40, 40, 3)
    env.close()


def test_render_gives_a_frame_a_slot_and_a_window_shows_the_grid() -> None:
    env = make(3, render_mode="rgb_array")
    obs, _ = env.reset(seed=0)
    frames = env.render()
    assert len(frames) == 3
    np.testing.assert_array_equal(np.stack(frames), obs)
    shown = make(3, render_mode="human")
    shown.reset(seed=0)
    assert shown.render() is None
    assert shown._window is not None
    assert shown._window._screen.get_size() == (640, 640)
    shown.close()
    silent = make(2)
    silent.reset(seed=0)
    assert silent.render() is None


def test_unknown_settings_list_the_choices() -> None:
    with pytest.raises(ValueError, match="num_envs is at least 1, got 0"):
        make(0)
    with pytest.raises(ValueError, match=r"autoreset_mode 'later'.*NextStep"):
        make(1, mode="later")  # type: ignore[arg-type]
    assert make(1, mode="SameStep").autoreset_mode == AutoresetMode.SAME_STEP  # type: ignore[arg-type]
