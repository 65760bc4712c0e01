"""Recording: any environment with a picture, in parallel, killed and resumed, with errors that say what to do."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from data_worlds import Walker, walker

import wmsim  # noqa: F401 -- registers the environments
from wmsim.data import episodes
from wmsim.data.episodes import Dataset
from wmsim.data.record import RecordConfig, record
from wmsim.data.rollout import Declared, ViewConfig, as_rgb

STRAIGHT = "data_worlds:Straight"


def settings(out: Path, **more: Any) -> RecordConfig:
    return RecordConfig(**{"env": walker, "out": out, "episodes": 4, "progress": False, **more})


def content(root: Path) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    dataset = Dataset(root)
    return {index: (dataset.frames(index), dataset.read(index).action) for index in dataset.indices()}


def same(one: Path, other: Path) -> None:
    left, right = content(one), content(other)
    assert left.keys() == right.keys()
    for index in left:
        for a, b in zip(left[index], right[index], strict=True):
            np.testing.assert_array_equal(a, b)


def test_an_episode_is_what_the_environment_showed(tmp_path: Path) -> None:
    done = record(settings(tmp_path, seed=7, episodes=2))
    assert (done.episodes, done.frames) == (2, sum(len(frames) for frames, _ in content(tmp_path).values()))
    for index in range(2):
        episode, env = Dataset(tmp_path).read(index), Walker()
        assert episode.seed == 7 + index
        frame, info = env.reset(seed=7 + index)
        assert episode.reward is not None
        assert episode.state is not None
        for t, action in enumerate(episode.action):
            np.testing.assert_array_equal(episode.frames[t], frame)
            np.testing.assert_array_equal(episode.state[t], info["state"])
            frame, reward, terminated, truncated, info = env.step(action)
            assert episode.reward[t] == np.float32(reward)
        np.testing.assert_array_equal(episode.frames[-1], frame)
        assert (episode.terminated, episode.truncated) == (terminated, truncated and not terminated)


def test_ends_are_told_apart(tmp_path: Path) -> None:
    levels = ({"speed": 0.0}, {"speed": 1.0})
    record(settings(tmp_path, policy=STRAIGHT, levels=levels, max_steps=6))
    ends = [(r.terminated, r.truncated, len(r.action)) for r in map(Dataset(tmp_path).read, range(4))]
    assert ends == [(False, True, 6), (True, False, 3)] * 2
    assert [Dataset(tmp_path).notes(i)["notes"]["level"] for i in (0, 1)] == list(levels)


def test_actions_are_written_as_they_were_taken(tmp_path: Path) -> None:
    record(settings(tmp_path, policy=STRAIGHT, levels=({"speed": 5.0},), episodes=1))
    np.testing.assert_array_equal(Dataset(tmp_path).read(0).action[0], [1.0, 0.0])


def test_workers_record_what_one_process_would(tmp_path: Path) -> None:
    record(settings(tmp_path / "one"))
    record(settings(tmp_path / "two", workers=2))
    same(tmp_path / "one", tmp_path / "two")
    assert json.loads((tmp_path / "two/meta/info.json").read_text())["total_episodes"] == 4


def test_frames_count_and_more_goes_on(tmp_path: Path) -> None:
    first = record(settings(tmp_path, episodes=None, frames=30))
    assert first.frames >= 30 > first.frames - len(Dataset(tmp_path).frames(first.episodes - 1))
    assert record(settings(tmp_path, episodes=None, frames=30)).frames == first.frames
    more = record(settings(tmp_path, episodes=None, frames=50))
    record(settings(tmp_path.with_name("fresh"), episodes=more.episodes))
    same(tmp_path, tmp_path.with_name("fresh"))


def test_holes_are_filled_and_broken_episodes_made_anew(tmp_path: Path) -> None:
    record(settings(tmp_path))
    before = content(tmp_path)
    dataset = Dataset(tmp_path)
    dataset.files(1)[1].unlink()
    dataset.files(2)[1].write_bytes(dataset.files(2)[1].read_bytes()[:-9])
    assert episodes.repair(dataset) == [2]
    record(settings(tmp_path, episodes=None, frames=1))
    for index, frames in before.items():
        np.testing.assert_array_equal(content(tmp_path)[index][0], frames[0])


def test_a_killed_recording_loses_only_what_was_under_way(tmp_path: Path) -> None:
    """SIGKILL to the whole recording; then the same call goes on and ends as if nothing had happened."""
    script = (
        "from pathlib import Path; from data_worlds import walker; from wmsim.data.record import RecordConfig, record\n"
        f"record(RecordConfig(walker, Path({str(tmp_path / 'killed')!r}), episodes=4000, progress=False))\n"
    )
    here = Path(__file__).parent
    paths = {**os.environ, "PYTHONPATH": f"{here}:{here.parent}"}
    child = subprocess.Popen([sys.executable, "-c", script], env=paths)
    dataset, limit = Dataset(tmp_path / "killed"), time.monotonic() + 30
    while not list((tmp_path / "killed/data").glob("*/*")) and time.monotonic() < limit:
        time.sleep(0.01)
    time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    kept = dataset.indices()
    assert 0 < len(kept) < 4000
    assert kept == list(range(len(kept)))
    assert all(len(dataset.read(index)) > 1 for index in kept)
    wanted = len(kept) + 2
    record(settings(tmp_path / "killed", episodes=wanted))
    record(settings(tmp_path / "whole", episodes=wanted))
    same(tmp_path / "killed", tmp_path / "whole")


def test_a_dead_worker_is_told_and_the_rest_kept(tmp_path: Path) -> None:
    kwargs = {"die_at": 2, "marker": str(tmp_path / "died")}
    config = settings(tmp_path / "set", workers=2, kwargs=kwargs)
    with pytest.raises(RuntimeError, match="a recording process died in episode 2: finished episodes are kept"):
        record(config)
    assert 2 not in Dataset(tmp_path / "set").indices()
    assert record(config).episodes == 4


def test_ctrl_c_leaves_a_readable_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Walker.step

    def interrupted(self: Walker, action: np.ndarray) -> Any:
        if len(Dataset(tmp_path).indices()) == 2:
            raise KeyboardInterrupt
        return step(self, action)

    monkeypatch.setattr(Walker, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record(settings(tmp_path))
    assert json.loads((tmp_path / "meta/info.json").read_text())["total_episodes"] == 2


def test_a_full_disk_stops_the_recording_and_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if "file-002.parquet" in str(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"no room on the disk for .*file-002\.parquet"):
        record(settings(tmp_path))
    monkeypatch.undo()
    assert Dataset(tmp_path).indices() == [0, 1]
    assert record(settings(tmp_path)).episodes == 4


def test_other_settings_are_refused(tmp_path: Path) -> None:
    record(settings(tmp_path, episodes=1))
    with pytest.raises(ValueError, match=r"other settings \(seed 0 -> 5\)"):
        record(settings(tmp_path, seed=5))
    with pytest.raises(ValueError, match=r"other settings \(policy 'random' -> 'data_worlds:Straight'\)"):
        record(settings(tmp_path, policy=STRAIGHT))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": 5}, "episodes or frames, got 4 and 5"),
        ({"episodes": None}, "episodes or frames, got None and None"),
        ({"episodes": 0}, "episodes is at least 1, got 0"),
        ({"workers": 0}, "workers is at least 1, got 0"),
        ({"seed": -1}, "seed is at least 0, got -1"),
        (
            {"policy": "drvier"},
            "'drvier' could not be imported .*: name 'random', 'wander', 'replay', 'driver', 'PATH.onnx'",
        ),
        ({"policy": "json"}, "policy 'json' is a module: name 'random'"),
        ({"kwargs": {"view": "state"}}, r"shows no picture: its observation is Box.*Pass render=True"),
        ({"view": ViewConfig(image="lidar"), "kwargs": {"view": "dict"}}, r"image=KEY with one of \['camera'\]"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        record(settings(tmp_path / "set", **wrong))
    assert not (tmp_path / "set").exists()


def test_what_an_environment_needs_is_named(tmp_path: Path) -> None:
    def arm(**_: Any) -> gym.Env[Any, Any]:
        raise ModuleNotFoundError("No module named 'imageio'", name="imageio")

    with pytest.raises(ModuleNotFoundError, match=r"arm.* needs imageio, .*: pip install imageio"):
        record(settings(tmp_path / "new", env=arm))
    assert not (tmp_path / "new").exists()


def test_a_rate_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Walker, "metadata", {"render_modes": ["rgb_array"]})
    with pytest.raises(ValueError, match="pass frames_per_second"):
        record(settings(tmp_path))
    record(settings(tmp_path, declared=Declared(frames_per_second=30.0)))
    assert Dataset(tmp_path).spec.frames_per_second == 30.0


def test_dict_observations_give_picture_and_proprio(tmp_path: Path) -> None:
    record(settings(tmp_path, episodes=1, kwargs={"view": "dict"}))
    episode = Dataset(tmp_path).read(0)
    assert episode.proprio is not None
    np.testing.assert_array_equal(episode.proprio[1:], episode.action)


def test_pictures_are_rendered_and_resized_on_request(tmp_path: Path) -> None:
    view = ViewConfig(render=True, size=(12, 16))
    record(settings(tmp_path, episodes=1, kwargs={"view": "state"}, env=rendered, view=view))
    frame = Dataset(tmp_path).frames(0)[0]
    env = Walker()
    env.reset(seed=0)
    halves = env.render().reshape(12, 2, 16, 2, 3).mean((1, 3))
    assert np.abs(frame - halves).max() <= 1


def rendered(render_mode: str, **kwargs: Any) -> gym.Env[Any, Any]:
    assert render_mode == "rgb_array"
    return Walker(**kwargs)


def test_any_registered_environment_can_be_recorded(tmp_path: Path) -> None:
    pytest.importorskip("pygame")
    view = ViewConfig(render=True, size=(64, 64))
    record(RecordConfig("CartPole-v1", tmp_path, episodes=1, view=view, task="balance", progress=False))
    dataset = Dataset(tmp_path)
    episode = dataset.read(0)
    assert dataset.spec.frames_per_second == 50
    assert (episode.task, episode.terminated) == ("balance", True)
    assert episode.action.shape[1] == 2
    assert set(episode.action.sum(1)) == {1.0}


def test_a_world_names_its_own_numbers(tmp_path: Path) -> None:
    record(RecordConfig("wmsim/Toy-v0", tmp_path, episodes=1, max_steps=5, kwargs={"world": "sim"}, progress=False))
    dataset, world = Dataset(tmp_path), gym.make("wmsim/Toy-v0", world="sim").unwrapped.world.spec  # type: ignore[attr-defined]
    assert (dataset.spec.domain, dataset.spec.action) == ("wheel", ("steer", "drive"))
    assert dataset.spec.proprio == world.proprio
    assert dataset.spec.frames_per_second == world.frames_per_second
    assert len(dataset.read(0).action) == 5


def test_the_driver_drives_the_twin(tmp_path: Path) -> None:
    pytest.importorskip("mujoco")
    kwargs = {"world": "sim", "info": ("state",), "observation": "dict"}
    config = RecordConfig("wmsim/Drive-v0", tmp_path, episodes=2, policy="driver", max_steps=6, kwargs=kwargs)
    record(dataclasses.replace(config, progress=False))
    dataset = Dataset(tmp_path)
    assert dataset.spec.proprio == ("speed_mps", "yaw_rate_radps")
    calm, usual = dataset.read(0), dataset.read(1)
    assert (calm.notes["level"]["mistakes"], usual.notes["level"]) == (0.0, {})
    for episode in (calm, usual):
        assert episode.state is not None
        assert episode.proprio is not None
        speed = episode.state[:, dataset.spec.state.index("speed_mps")]
        np.testing.assert_allclose(episode.proprio[:, 0], speed, rtol=1e-5, atol=1e-5)
        assert np.abs(episode.frames[0].astype(int) - episode.frames[-1]).mean() > 0.5


def test_the_declared_words_stand_in_the_spec(tmp_path: Path) -> None:
    declared = Declared(action_names=("down", "right"), domain="walk", reward=False, termination=False)
    record(settings(tmp_path, episodes=1, declared=declared))
    spec = Dataset(tmp_path).spec
    assert (spec.action, spec.domain, spec.reward, spec.termination) == (("down", "right"), "walk", False, False)
    assert Dataset(tmp_path).read(0).reward is None


def test_grey_and_channel_first_pictures_become_rgb() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(4, 3)
    tall = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    np.testing.assert_array_equal(as_rgb(np.pad(grey, ((0, 0), (0, 2))))[..., 1], np.pad(grey, ((0, 0), (0, 2))))
    np.testing.assert_array_equal(as_rgb(tall), np.moveaxis(tall, 0, -1))
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8 picture, got \(4, 5, 3\) float64"):
        as_rgb(np.zeros((4, 5, 3)))


def test_progress_is_told_in_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(dataclasses.replace(settings(tmp_path), progress=True))
    assert "recording: 4/4 episodes, " in capsys.readouterr().err
