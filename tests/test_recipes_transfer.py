"""The proofs that count outside the dream, in small: the same episodes in both worlds, transfer, agreement."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

pytest.importorskip("av", reason="recordings need the [data] extra")
pytest.importorskip("hydra", reason="the recipes need the [train] extra")
pytest.importorskip("mujoco", reason="the twin needs the [sim] extra")
pytest.importorskip("onnxruntime", reason="policies need the [policy] extra")
pytest.importorskip("scipy", reason="rankings need the [eval] extra")

from eval import agreement, transfer
from eval.agreement import Cruise, Shaken, compare
from eval.arena import Arena, ArenaConfig, Departures, Played, depart_from
from eval.baselines import copying, scrambled
from eval.doubt import doubt
from eval.transfer import per_kilometre, ratio, row_of
from eval.twins import TWINS
from wmsim.data import episodes
from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.policy import RandomPolicy
from wmsim.sims.toy import ToyWorld
from wmsim.world import WorldSpec


class Constant:
    """Always the same action, in chunks of `chunk`."""

    def __init__(self, action: tuple[float, float], chunk: int = 1) -> None:
        self.action, self.chunk, self.asked = np.array(action, np.float32), chunk, 0

    def reset(self, rows: Any, seeds: Any) -> None:
        self.asked = 0

    def act(self, rows: Any, observation: Any, info: Any) -> np.ndarray:
        self.asked += 1
        assert len(observation["image"]) == len(rows)
        return np.tile(self.action, (len(rows), self.chunk, 1))


def _toy(slots: int = 3) -> Arena:
    settings = {"info": ("state",), "size": 16}
    return Arena(ArenaConfig("sim", True, slots, "toy", settings))


def _departures(count: int = 5) -> Departures:
    return depart_from(_toy(), TWINS["toy"].driver(-1, 3), range(50, 50 + count), 4)


# --- arena ---------------------------------------------------------------------------------------------------------


def test_departures_hold_what_was_seen_and_done() -> None:
    found = _departures()
    assert (found.frames.shape, found.action.shape) == ((5, 4, 16, 16, 3), (5, 3, 2))
    arena = _toy()
    arena.depart(found.select(slice(1, 3)))
    shown = arena.engine.frames["top"][:2].numpy()
    assert np.array_equal(shown, found.frames[1:3, -1])
    assert arena.engine.proprio is not None
    assert np.allclose(arena.engine.proprio[:2].numpy(), found.proprio[1:3, -1])


def test_what_is_played_does_not_hang_on_the_slots() -> None:
    found, ticks = _departures(), []
    one, other = (_toy(n).play(lambda _: Constant((0.3, 1.0)), found, 40, lambda: ticks.append(1)) for n in (2, 5))
    assert np.array_equal(one.reward, other.reward)
    assert len(ticks) == 40 * (3 + 1)
    assert one.ended.any()  # full throttle leaves the disc
    assert (one.reward[~one.alive] == 0).all()
    assert (one.length[one.ended] < 40).all()
    assert one.score(10) == pytest.approx(one.reward[:, :10].sum(1))


def test_chunks_are_used_up_before_the_policy_is_asked_again() -> None:
    found, made = _departures(2), []
    for chunk in (1, 4):
        policy = Constant((0.0, 0.2), chunk)
        made.append(_toy(2).play(lambda _, policy=policy: policy, found, 8, lambda: None))
        assert policy.asked == 8 // chunk
    assert np.array_equal(made[0].reward, made[1].reward)


def test_a_dream_begins_from_the_frames_of_the_twin() -> None:
    twin = Arena(ArenaConfig("sim", True, 2, settings={"info": ("state",)}))
    found = depart_from(twin, TWINS["drive"].driver(-1, 2), [2_000_000, 2_000_001], 4)
    for world in ("dream", copying("drive", 2), scrambled("drive", 2)):
        arena = Arena(ArenaConfig(world, False, 2))
        arena.depart(found)
        assert np.array_equal(arena.engine.frames["front"].numpy(), found.frames[:, -1])
        played = arena.play(lambda a: RandomPolicy(a.action_space, 2), found, 3, lambda: None)
        assert np.isfinite(played.reward).all()
        stood = np.array_equal(arena.engine.frames["front"].numpy(), found.frames[:, -1])
        assert stood == (getattr(world, "spec", None) is not None and type(world).__name__ == "_Standing")
        arena.close()
    twin.close()


class Walk(gym.Env[Any, Any]):
    """A grey that follows what was done, from a seed's own beginning; it ends when it is white."""

    observation_space = gym.spaces.Box(0, 255, (8, 8, 3), np.uint8)
    action_space = gym.spaces.Box(0.0, 20.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.grey = float(self.np_random.integers(100))
        return np.full((8, 8, 3), int(self.grey), np.uint8), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.grey = min(self.grey + float(action[0]), 255)
        return np.full((8, 8, 3), int(self.grey), np.uint8), float(action[0]), self.grey == 255, False, {}


class Steady:
    """Always the same action."""

    def __init__(self, action: float) -> None:
        self.action = action

    def reset(self, rows: Any, seeds: Any) -> None:
        """Nothing is remembered."""

    def act(self, rows: Any, observation: Any, info: Any) -> np.ndarray:
        assert observation.shape == (len(rows), 8, 8, 3)
        return np.full((len(rows), 1, 1), self.action, np.float32)


def test_anyones_environment_is_an_arena_too() -> None:
    def arena(slots: int) -> Arena:
        return Arena(ArenaConfig(Walk, True, slots))

    found = depart_from(arena(2), Steady(3.0), [1, 2, 3], 4)
    assert (found.frames[:, :, 0, 0, 0] - found.frames[:, :1, 0, 0, 0] == [0, 3, 6, 9]).all()
    several = arena(3)
    several.depart(found)
    assert np.array_equal(several.engine.frames["front"].numpy(), found.frames[:, -1])
    one, other = (arena(n).play(lambda _: Steady(20.0), found, 12, lambda: None) for n in (2, 3))
    assert np.array_equal(one.reward, other.reward)
    left = 255 - found.frames[:, -1, 0, 0, 0].astype(int)
    assert (one.length == np.minimum(np.ceil(left / 20), 12)).all()
    assert (one.ended == (left <= 240)).all()
    several.close()


# --- policies of the contest ---------------------------------------------------------------------------------------


def test_cruising_holds_the_speed() -> None:
    policy = Cruise(2, 8.0, 0.2)
    policy.reset([0, 1], [1, 2])
    seen = {"proprio": np.array([[4.0, 0.0], [12.0, 0.0]])}
    action = np.stack([policy.act([0, 1], seen, {})[:, 0] for _ in range(52)])
    assert (action[:, 0, 1] > 0).all()
    assert (action[:, 1, 1] < 0).all()
    assert action[..., 0].max() == pytest.approx(0.2, abs=0.01)
    assert action[..., 0].min() == pytest.approx(-0.2, abs=0.01)


def test_a_shaken_policy_errs_by_its_noise_and_by_its_seed() -> None:
    from gymnasium import spaces

    space = spaces.Box(-2.0, 2.0, (2,), np.float32)
    drawn = []
    for seeds in ([1, 2], [1, 3]):
        policy = Shaken(Constant((0.5, -0.5)), space, 2, 0.1)
        policy.reset([0, 1], seeds)
        drawn.append(np.stack([policy.act([0, 1], {"image": [0, 0]}, {})[:, 0] for _ in range(400)]))
    assert np.array_equal(drawn[0][:, 0], drawn[1][:, 0])
    assert not np.array_equal(drawn[0][:, 1], drawn[1][:, 1])
    assert drawn[0].mean((0, 1)) == pytest.approx([0.5, -0.5], abs=0.06)
    assert drawn[0].std() > 0.1


# --- figures -------------------------------------------------------------------------------------------------------


def _played(score: np.ndarray, ended: np.ndarray | None = None, frames: int = 4) -> Played:
    reward = np.repeat(np.asarray(score, float)[:, None] / frames, frames, 1)
    over = np.zeros(len(score), bool) if ended is None else ended
    return Played(reward, np.ones_like(reward, bool), over)


def test_the_row_of_a_policy() -> None:
    ended = np.array([False, True, False, False])
    row = row_of([_played([4.0, 4.0, 1.0, 3.0], ended)], par=4.0, success=0.5)
    assert row["return"].mean == pytest.approx(3.0)
    assert row["success"].mean == pytest.approx(0.5)  # one ended, one earned too little
    assert row["seconds alive"].mean == pytest.approx(4 / 16)


def test_ratios_and_rates() -> None:
    better, worse = [_played([2.0, 4.0]), _played([4.0, 2.0])], [_played([1.0, 2.0])]
    assert ratio(better, worse).mean == pytest.approx(2.0)
    assert ratio(better, worse).low >= 1
    hits, metres = np.array([True, False, True]), np.array([500.0, 1000.0, 500.0])
    assert per_kilometre(hits, metres, np.arange(3)).mean == pytest.approx(1.0)


def test_a_faithful_dream_agrees_and_one_of_chance_does_not() -> None:
    rng = np.random.default_rng(0)
    skill = dict(zip("abcdefghijkl", np.linspace(0, 5, 12), strict=True))
    sides = {
        "twin": {n: _played(s + 0.3 * rng.normal(size=40)) for n, s in skill.items()},
        "dream": {n: _played(0.8 * s + 0.5 + 0.3 * rng.normal(size=40)) for n, s in skill.items()},
        "copy": {n: _played(1.0 + 0.1 * rng.normal(size=40)) for n in skill},
        "chance": {n: _played(rng.normal() + rng.normal(size=20)) for n in skill},  # fewer episodes beside it
    }
    sides["dream"]["l"] = _played(sides["dream"]["l"].score()[:10])  # planning is dear: fewer episodes
    sides["twin"]["l"] = _played(sides["twin"]["l"].score()[:10])
    found = compare(sides, {n: "first" if n < "g" else "second" for n in skill}, [2, 8])
    rows = found["agreement"]
    assert rows["dream"]["Pearson"].mean > 0.98
    assert rows["dream"]["MMRV"].mean < 0.02
    assert rows["twin itself, other episodes"]["Spearman"].mean > 0.95
    assert abs(rows["dynamics of chance"]["Spearman"].mean) < 0.9
    assert set(found["without a family"]) == {"first", "second"}
    assert list(found["by horizon"]) == [2, 4]  # no episode has 8 frames
    for along in ("by horizon", "short dreams of whole drives"):
        assert found[along][4]["MMRV"].mean == pytest.approx(rows["dream"]["MMRV"].mean)  # the whole episode
    assert found["by horizon"][2]["MMRV"].mean == pytest.approx(found["by horizon"][4]["MMRV"].mean)  # paid evenly


# --- both recipes --------------------------------------------------------------------------------------------------


def _recording(root: Path) -> Path:
    names = ("steer", "drive"), ("speed_mps", "yaw_rate_radps")
    dataset = episodes.create(root, DatasetSpec(16.0, (64, 64), *names, termination=True, domain="wheel"))
    for index in range(3):
        rng = np.random.default_rng(index)
        frames = rng.integers(0, 255, (24, 64, 64, 3), dtype=np.uint8)
        action, proprio = rng.uniform(-1, 1, (23, 2)).astype(np.float32), np.zeros((24, 2), np.float32)
        given = {"reward": np.zeros(23, np.float32), "proprio": proprio, "terminated": False}
        episodes.write(dataset, index, Episode(frames, action, **given))
    episodes.finalise(dataset)
    return root


class Doubting(ToyWorld):
    """A toy whose doubt is the sum of the steering told since it began, so that doubt tells what was passed on."""

    @property
    def spec(self) -> WorldSpec:
        return replace(super().spec, uncertainty=True)

    def reset(self, slots: Any, seeds: Any, starts: Any = None) -> Any:
        self.told = np.zeros(self.slots)
        self.shape = starts.frames["top"].shape[1], starts.control.robot.shape[1]
        return super().reset(slots, seeds)

    def step(self, slots: Any, control: Any) -> Any:
        self.told += control.robot[:, 0, 0].numpy()
        return replace(super().step(slots, control), uncertainty=torch.from_numpy(self.told.copy())[:, None])


def test_doubt_is_measured_along_recorded_drives(tmp_path: Path) -> None:
    dataset = episodes.create(tmp_path, DatasetSpec(16.0, (16, 16), ("steer", "pedal"), termination=True))
    action = np.stack([np.arange(11), np.zeros(11)], 1).astype(np.float32) / 20
    frames = np.zeros((12, 16, 16, 3), np.uint8)
    episodes.write(dataset, 0, Episode(frames, action, reward=np.zeros(11, np.float32), terminated=False))
    episodes.finalise(dataset)
    world = Doubting(2, size=16)
    found = doubt(world, tmp_path, 20, frames=3, before=5)
    assert world.shape == (5, 4)  # five frames are known, and the four controls between them
    first = np.rint(20 * found[:, :1])
    assert set(first.ravel()) == {4, 5, 6, 7, 8}
    assert 20 * found == pytest.approx(np.cumsum(first + np.arange(3), 1), abs=1e-3)
    with pytest.raises(ValueError, match="tells no uncertainty"):
        doubt(ToyWorld(2, size=16), tmp_path, 4)


def test_transfer_and_agreement_run_in_small_and_are_not_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = _recording(tmp_path / "data"), tmp_path / "transfer"
    monkeypatch.setattr(sys, "argv", ["transfer", f"data={data}", f"out={out}", "fast=true"])
    transfer.main()
    found = json.loads((out / "transfer.json").read_text())
    planned = {"MPC in the dream", "MPC guided by the clone"}
    assert {"random", "cloned", "PPO in the dream", "PPO in the twin", *planned} <= set(found["rows"])
    assert set(found["planning above clone"]) == planned
    assert set(found["gap"]["with guards"]) == {"16"}
    assert (out / "transfer.png").exists()
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.onnx")}
    transfer.main()
    assert stamps == {path: path.stat().st_mtime_ns for path in out.rglob("*.onnx")}
    few = ["shares=[0.5]", "noises=[0.2]", "budgets=[[2,2,1]]", "planned=2", "beside=3", "horizons=[2,6]"]
    monkeypatch.setattr(sys, "argv", ["agreement", f"transfer={out}", f"out={tmp_path / 'agreement'}", *few])
    agreement.main()
    found = json.loads((tmp_path / "agreement" / "agreement.json").read_text())
    families = {one["family"] for one in found["policies"].values()}
    assert families == {"scripted", "cloned", "shaken", "PPO", "MPC"}
    assert (tmp_path / "agreement" / "agreement.png").exists()
    assert len((tmp_path / "agreement" / "agreement.csv").read_text().splitlines()) > 100
    played = {path.name for path in (tmp_path / "agreement" / "played").iterdir()}
    assert {"random@dream.npz", "resting@twin.npz"} <= played
    assert not {"random@twin.npz", "dream-0-16@twin.npz", "dream-0-16@dream.npz"} & played  # transfer has played them


def test_agreement_without_a_transfer_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["agreement", f"transfer={tmp_path}"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(FileNotFoundError, match=r"run python -m eval\.transfer"):
        agreement.main()


def test_a_recorded_return_survives_the_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    played = Played(np.ones((2, 3)), np.ones((2, 3), bool), np.zeros(2, bool), {"reward_progress": np.zeros((2, 3))})
    transfer.save(tmp_path / "a.npz", played)
    again = transfer.load(tmp_path / "a.npz")
    assert np.array_equal(again.reward, played.reward)
    assert list(again.parts) == ["reward_progress"]
