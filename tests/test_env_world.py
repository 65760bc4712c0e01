"""Which world an environment runs on: names, paths, objects, and the errors of each."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from wmsim.control import Control, wheel_space
from wmsim.data import episodes
from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.env import TASKS, WorldEnv, WorldVectorEnv
from wmsim.env.task import find_source
from wmsim.sims.toy import ToyWorld
from wmsim.world import Start, WorldSpec


class Changed(ToyWorld):
    """A toy whose spec says something else."""

    changes: dict[str, Any] = {}

    @property
    def spec(self) -> WorldSpec:
        return replace(super().spec, **self.changes)


def changed(**changes: Any) -> Changed:
    world = Changed(2, size=8)
    world.changes = changes
    return world


@pytest.mark.parametrize(
    ("world", "error", "message"),
    [
        ("dreem", ValueError, "unknown world 'dreem': choose 'sim', the path of a checkpoint"),
        ("dream", ValueError, "unknown world 'dream': choose 'sim'"),
        ("http://host", ValueError, "unknown world 'http://host'"),
        ("no/such/thing", FileNotFoundError, "no checkpoint at 'no/such/thing'"),
        ("gone.safetensors", FileNotFoundError, r"no checkpoint at 'gone\.safetensors'"),
    ],
)
def test_an_unknown_world_lists_the_choices(world: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        WorldEnv("toy", world)


def test_an_object_that_is_no_world_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match=r"a dict is no World \(it lacks \['spec', 'slots'"):
        find_source({}, TASKS["toy"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"control": "joystick"}, r"unknown control 'joystick'.*\['wheel', 'keyboard', 'trajectory'\]"),
        ({"observation": "video"}, r"unknown observation 'video'.*\['image', 'dict'\]"),
        ({"output": "jax"}, r"unknown output 'jax'.*torch"),
        ({"render_mode": "ansi"}, "unknown render_mode 'ansi'"),
        ({"info": ("depth",)}, r"cannot give \['depth'\].*\['state'\]"),
        ({"info": "state"}, r'write \("state",\)'),
        ({"reward": "zero"}, "unknown reward 'zero'"),
        ({"steps": 2}, r"does not take \['steps'\]"),
        ({"renderer": "gl"}, r"does not take \['renderer'\]"),
        ({"max_episode_steps": 0}, "max_episode_steps is at least 1"),
        ({"pessimism": -1.0}, "pessimism is at least 0"),
        ({"halt": 0.0}, "halt is an uncertainty above 0"),
        ({"pessimism": 0.5}, "tells no uncertainty"),
        ({"halt": 0.5}, "tells no uncertainty"),
        ({"task": "chess"}, r"unknown task 'chess'.*drive.*toy"),
    ],
)
def test_an_unknown_setting_lists_the_choices(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WorldEnv(**{"task": "toy", **settings})


def test_an_unknown_keyword_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        WorldEnv("toy", colour="red")


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        ({"reward": False}, {}, "has no reward: pass reward='none'"),
        ({"termination": False}, {}, "has no termination: pass termination='none'"),
        ({"proprio": ()}, {"observation": "dict"}, "no proprioception"),
        ({"proprio": ()}, {"control": "trajectory"}, "no proprio 'speed_mps'"),
        ({"cameras": {"rear": (8, 8, 3)}}, {}, "needs camera 'top'"),
        ({}, {"size": 16}, r"\['size'\] cannot be set on a world that is already made"),
        ({}, {"world_kwargs": {"ride": "walk"}}, r"\['ride'\] cannot be set"),
    ],
)
def test_a_world_that_does_not_fit_is_refused(changes: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WorldEnv("toy", changed(**changes), **settings)


def test_a_given_world_needs_enough_slots() -> None:
    with pytest.raises(ValueError, match="3 environments need a world of 3 slots, this one has 2"):
        WorldVectorEnv(3, "toy", changed())


def test_an_output_that_a_given_world_lacks_is_refused_at_reset() -> None:
    env = WorldEnv("toy", changed(), info=("depth",))
    with pytest.raises(ValueError, match=r"cannot give info \['depth'\]"):
        env.reset(seed=0)


def test_declared_absence_of_reward_and_termination_gives_zeros() -> None:
    env = WorldEnv("toy", changed(reward=False, termination=False), reward="none", termination="none")
    env.reset(seed=0)
    steps = [env.step([0.0, 1.0]) for _ in range(60)]
    assert all(step[1] == 0.0 and step[2] is False for step in steps)


def test_a_promised_reward_that_does_not_come_is_an_error() -> None:
    class Silent(ToyWorld):
        def step(self, *args: Any, **kwargs: Any) -> Any:
            return replace(super().step(*args, **kwargs), reward=None)

    env = WorldEnv("toy", Silent(1))
    env.reset(seed=0)
    with pytest.raises(ValueError, match="declares a reward and gave none"):
        env.step([0.0, 0.0])


def test_world_kwargs_reach_the_simulator() -> None:
    env = WorldEnv("toy", size=12, world_kwargs={"frames_per_step": 2})
    assert env.observation_space.shape == (12, 12, 3)
    assert env.world.spec.frames_per_step == 2


class Loader(ModuleType):
    """Stands in for wmsim.dream and notes what it is asked."""

    def __init__(self) -> None:
        super().__init__("wmsim.dream")
        self.asked: list[tuple[Any, dict[str, Any]]] = []
        self.closed = 0

    def load(self, source: Any, **kwargs: Any) -> Any:
        self.asked.append((source, kwargs))
        loader = self

        class Dream(ToyWorld):
            def close(self) -> None:
                loader.closed += 1

        return Dream(kwargs["slots"], size=8)


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Loader:
    import wmsim

    stand_in = Loader()
    monkeypatch.setitem(sys.modules, "wmsim.dream", stand_in)
    monkeypatch.setattr(wmsim, "dream", stand_in, raising=False)
    return stand_in


def test_a_path_loads_a_dream_with_its_settings(loader: Loader, tmp_path: Path) -> None:
    checkpoint = tmp_path / "mine.safetensors"
    checkpoint.touch()
    env = WorldVectorEnv(3, "toy", str(checkpoint), steps=2, device="cpu", world_kwargs={"context": 8})
    assert loader.asked == [(checkpoint, {"slots": 3, "device": "cpu", "steps": 2, "context": 8})]
    env.close()
    assert loader.closed == 1


def test_the_task_with_a_dream_dreams_by_default(loader: Loader) -> None:
    task = replace(TASKS["toy"], dream="toy")
    WorldEnv(task)
    assert loader.asked == [("toy", {"slots": 1, "device": "cpu", "steps": None})]
    assert TASKS["drive"].default_world == "dream"


def test_a_dream_refuses_what_it_cannot_give_and_is_closed(loader: Loader) -> None:
    task = replace(TASKS["toy"], dream="toy")
    with pytest.raises(ValueError, match=r"a dream has no info=\('state',\)"):
        WorldEnv(task, info=("state",))
    with pytest.raises(ValueError, match="a dream has no renderer='gl'"):
        WorldEnv(task, renderer="gl")
    assert loader.closed == 0
    with pytest.raises(ValueError, match="size=64 asked, this checkpoint dreams"):
        WorldEnv(task, size=64)
    assert loader.closed == 1
    with pytest.raises(ValueError, match="needs camera"):
        WorldEnv(replace(task, camera="rear"))
    assert loader.closed == 2


# --- the shipped task ------------------------------------------------------------------------------------------------


def test_the_twin_drives_under_the_id_of_the_dream() -> None:
    pytest.importorskip("mujoco")
    env = gymnasium.make("wmsim/Drive-v0", world="sim", size=16, info=("state",))
    assert isinstance(env.unwrapped, WorldEnv)
    assert env.observation_space.shape == (16, 16, 3)
    assert env.action_space == wheel_space()
    first, info = env.reset(seed=7)
    assert {"state", "proprio", "seed"} <= set(info)
    obs, reward, terminated, truncated, info = env.step(np.array([0.0, 1.0], np.float32))
    assert (obs != first).any()
    assert isinstance(reward, float)
    assert not terminated
    assert not truncated
    assert "reward_progress" in info
    env.close()
    with pytest.raises(ValueError, match="unknown output 'depths'"):
        gymnasium.make("wmsim/Drive-v0", world="sim", size=16, info=("depths",))
    with pytest.raises(ValueError, match="unknown renderer 'vulkan'"):
        gymnasium.make("wmsim/Drive-v0", world="sim", size=16, renderer="vulkan")


def test_dream_and_twin_have_the_very_same_spaces() -> None:
    pytest.importorskip("mujoco")
    if not (files("wmsim") / "assets" / "drive.safetensors").is_file():
        pytest.skip("no checkpoint ships yet: python -m envs.drive makes it")
    for settings in ({}, {"control": "keyboard"}, {"control": "trajectory", "observation": "dict"}):
        dream, twin = (WorldVectorEnv(2, "drive", world, **settings) for world in ("dream", "sim"))
        assert dream.single_observation_space == twin.single_observation_space
        assert dream.single_action_space == twin.single_action_space
        dream.close()
        twin.close()


class Doubtful(Changed):
    """A toy that is as uncertain as its first slot's number of steps, a tenth each."""

    changes = {"uncertainty": True}
    steps = 0

    def step(self, *args: Any, **kwargs: Any) -> Any:
        self.steps += 1
        made = super().step(*args, **kwargs)
        return replace(made, uncertainty=torch.full(made.reward.shape, 0.1 * self.steps))


def test_pessimism_takes_the_uncertainty_from_the_reward() -> None:
    plain, wary = WorldEnv("toy", Doubtful(1, size=8)), WorldEnv("toy", Doubtful(1, size=8), pessimism=2.0)
    for env in (plain, wary):
        env.reset(seed=0)
    for step in range(1, 4):
        rewards = [float(env.step([0.0, 0.0])[1]) for env in (plain, wary)]
        assert rewards[0] - rewards[1] == pytest.approx(0.2 * step, abs=1e-5)


def test_an_episode_is_cut_off_where_the_world_does_not_know() -> None:
    env = WorldEnv("toy", Doubtful(1, size=8), halt=0.25)
    env.reset(seed=0)
    ends = [env.step([0.0, 0.0])[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]


def test_a_promised_uncertainty_that_does_not_come_is_an_error() -> None:
    env = WorldEnv("toy", changed(uncertainty=True), halt=1.0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="declares an uncertainty and gave none"):
        env.step([0.0, 0.0])


# --- where episodes begin --------------------------------------------------------------------------------------------


class Given(Changed):
    """A toy that keeps the start frames that it is given, of which it shows the last."""

    def reset(self, slots: Any, seeds: Any, starts: Start | None = None) -> Any:
        self.starts = starts
        made = super().reset(slots, seeds)
        return made if starts is None else replace(made, frames={"top": starts.frames["top"][:, -1:]})


def _given(slots: int = 1) -> Given:
    return Given(slots, size=8)


def _recording(root: Path, size: int = 8, width: int = 2) -> Path:
    pytest.importorskip("av")
    dataset = episodes.create(root, DatasetSpec(16.0, (size, size), ("steer", "drive")[:width], domain="wheel"))
    for index in range(3):
        frames = np.full((12, size, size, 3), 20 * index, np.uint8) + np.arange(12, dtype=np.uint8)[:, None, None, None]
        action = np.repeat(
            np.arange(11, dtype=np.float32)[:, None] / 20, width, 1
        )  # the action out of frame t is t / 20
        episodes.write(
            dataset, index, Episode(frames, action, reward=np.full(11, index % 2, np.float32), terminated=False)
        )
    episodes.finalise(dataset)
    return root


def test_episodes_begin_from_frames_that_are_passed() -> None:
    frames = torch.randint(0, 256, (2, 3, 8, 8, 3), dtype=torch.uint8)
    start = Start({"top": frames}, Control.of_wheel(torch.zeros(2, 2, 2)))
    env = WorldVectorEnv(2, "toy", _given(2))
    shown, _ = env.reset(seed=[4, 5], options={"start": start})
    assert np.array_equal(shown, frames[:, -1].numpy())
    single = WorldEnv("toy", _given())
    one = Start({"top": frames[:1]}, None)
    assert np.array_equal(single.reset(seed=4, options={"start": one})[0], frames[0, -1].numpy())


def test_episodes_begin_at_recorded_moments_drawn_by_their_seed(tmp_path: Path) -> None:
    data, world = _recording(tmp_path / "data"), _given(2)
    env = WorldVectorEnv(2, "toy", world, starts=data)
    begun = set()
    for seed in range(80):
        shown, _ = env.reset(seed=[seed, seed + 1])
        assert world.starts is not None
        frames, action = world.starts.frames["top"][..., 0, 0, 0], world.starts.control.require("robot")
        assert frames.shape == (2, 8)
        assert (frames.diff(dim=1) == 1).all()
        assert torch.allclose(action[..., 0] * 20, (frames[:, :-1] % 20).float(), atol=1e-4)
        begun.add(int(frames[0, 0]))
        first, _ = WorldVectorEnv(1, "toy", _given(), starts=data).reset(seed=[seed + 1])
        assert np.array_equal(first[0], shown[1])
    assert begun == {20 * e + t for e in range(3) for t in range(5)}


def test_only_early_moments_when_that_is_asked(tmp_path: Path) -> None:
    data, world = _recording(tmp_path / "data"), _given()
    env = WorldEnv("toy", world, starts={"data": data, "seconds": 9 / 16})
    begun = set()
    for seed in range(60):
        env.reset(seed=seed)
        assert world.starts is not None
        begun.add(int(world.starts.frames["top"][0, 0, 0, 0, 0]))
    assert begun == {20 * e + t for e in range(3) for t in range(2)}
    with pytest.raises(ValueError, match=r"no episode has 8 frames to begin from within 0\.2 seconds"):
        WorldEnv("toy", _given(), starts={"data": data, "seconds": 0.2})
    with pytest.raises(ValueError, match="starts is a dataset or"):
        WorldEnv("toy", _given(), starts={"path": data})


def test_only_the_best_episodes_when_that_is_asked(tmp_path: Path) -> None:
    data, world = _recording(tmp_path / "data"), _given()  # its second episode earns 1 a frame, the others 0
    env = WorldEnv("toy", world, starts={"data": data, "best": 0.34})
    begun = set()
    for seed in range(40):
        env.reset(seed=seed)
        assert world.starts is not None
        begun.add(int(world.starts.frames["top"][0, 0, 0, 0, 0]))
    assert begun == {20 + t for t in range(5)}
    with pytest.raises(ValueError, match=r"share of best episodes lies in 0 \.\. 1 and is not 0, got 1\.5"):
        WorldEnv("toy", _given(), starts={"data": data, "best": 1.5})


def test_a_recording_that_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"frames \(16, 16, 3\), camera 'top' has \(8, 8, 3\)"):
        WorldEnv("toy", _given(), starts=_recording(tmp_path / "large", 16))
    with pytest.raises(ValueError, match="has 1 actions"):
        WorldEnv("toy", _given(), starts=_recording(tmp_path / "narrow", 8, 1))
    with pytest.raises(ValueError, match="randomise"):
        WorldEnv("toy", _given(), randomise=True)
    with pytest.raises(ValueError, match="no sampler to randomise"):
        WorldEnv("toy", "sim", randomise=True)
