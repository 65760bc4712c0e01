"""Every program of eval/ runs in small on the toy world, and its parts give figures that are known beforehand."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("av", reason="recorded episodes need the [data] extra")
pytest.importorskip("hydra", reason="the recipes need the [train] extra")
pytest.importorskip("matplotlib", reason="the figures need the [eval] extra")

from eval import bakeoff, demo, fidelity, speed
from eval.baselines import CopyLastFrame
from eval.clips import cut, shuffled
from eval.evidence import short_clips
from eval.film import side_by_side
from eval.recording import DriveConfig, drive_once, record
from eval.rollout import Rollout, roll_out
from eval.scores import doubt_scores, end_scores, pixels, reward_scores, targets_of
from eval.twins import TWINS
from eval.worlds import open_world
from tests.eval_worlds import Turning
from wmsim.data.episodes import Episode, create, write
from wmsim.data.lerobot import DatasetSpec
from wmsim.metrics import MOVING, NEW
from wmsim.world import World


def episode(length=40, seed=0, terminated=False):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (length, 32, 32, 3)).astype(np.uint8)
    action = rng.uniform(-1, 1, (length - 1, 2)).astype(np.float32)
    reward = rng.normal(size=length - 1).astype(np.float32)
    proprio = rng.normal(size=(length, 2)).astype(np.float32)
    return Episode(frames, action, reward, proprio, None, terminated, not terminated, seed)


# --- clips ---------------------------------------------------------------------------------------------------------


def test_a_clip_lines_up_frames_actions_and_rewards():
    one = episode()
    clips = cut([one], [5], context=4, horizon=8)
    assert clips.frames.shape == (1, 12, 32, 32, 3)
    np.testing.assert_array_equal(clips.future[0, 0], one.frames[9])
    np.testing.assert_array_equal(clips.action[0, 3], one.action[8])
    np.testing.assert_array_equal(clips.reward[0], one.reward[8:16])
    assert clips.valid.all()


def test_beyond_the_end_a_clip_is_padded_and_says_so():
    one = episode(length=20, terminated=True)
    clips = cut([one], [10], context=4, horizon=8)
    assert clips.valid[0].tolist() == [True] * 6 + [False] * 2
    assert clips.ended[0].tolist() == [False] * 5 + [True] + [False] * 2
    np.testing.assert_array_equal(clips.frames[0, -2:], one.frames[[-1, -1]])
    np.testing.assert_array_equal(clips.reward[0, 6:], [0, 0])


def test_a_context_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="4 context frames from 38"):
        cut([episode()], [38], 4, 8)


def test_shuffling_keeps_the_context_and_changes_what_follows():
    clips = cut([episode(seed=1), episode(seed=2)], [0, 0], 4, 8)
    other = shuffled(clips.action, clips.context)
    np.testing.assert_array_equal(other[:, :3], clips.action[:, :3])
    np.testing.assert_array_equal(other[0, 3:], clips.action[1, 3:])


def test_short_clips_hold_every_end():
    episodes = [episode(60, seed, terminated=seed % 2 == 0) for seed in range(8)]
    clips = short_clips(episodes, context=4, horizon=8)
    assert len(clips) == 8 * 3 + 4
    assert set(clips.town[clips.ended.any(1)]) == {0, 2, 4, 6}
    assert (clips.ended.sum(1) <= 1).all()


# --- rolling out ---------------------------------------------------------------------------------------------------


def test_a_rollout_does_not_depend_on_the_number_of_slots():
    clips = cut([episode(seed=s) for s in range(5)], [0] * 5, 4, 8)
    one, many = roll_out(Turning(1), clips), roll_out(Turning(3), clips)
    assert one.frames.shape == (5, 8, 32, 32, 3)
    np.testing.assert_array_equal(one.frames, many.frames)
    np.testing.assert_array_equal(one.reward, np.abs(clips.action[:, 3:, 0]))


def test_the_recorded_controls_reach_the_world_in_their_order():
    clips = cut([episode()], [0], 4, 8)
    rolled = roll_out(Turning(1), clips)
    shift = np.round(6.0 * clips.action[0, 3:, 0]).astype(int)
    np.testing.assert_array_equal(rolled.frames[0, 0], np.roll(clips.frames[0, 3], shift[0], 1))
    np.testing.assert_array_equal(rolled.frames[0, 1], np.roll(rolled.frames[0, 0], shift[1], 1))


def test_copy_last_frame_is_a_world_that_stands_still():
    clips = cut([episode(seed=s) for s in range(3)], [0] * 3, 4, 8)
    world = CopyLastFrame(Turning(1).spec, 2)
    assert isinstance(world, World)
    rolled = roll_out(world, clips)
    np.testing.assert_array_equal(rolled.frames, np.repeat(clips.frames[:, 3:4], 8, 1))
    assert rolled.reward is None
    assert rolled.end is None
    with pytest.raises(ValueError, match="reset it with starts"):
        world.reset([0], [0])


def test_clips_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"\(32, 32, 3\).*\(64, 64, 3\)"):
        roll_out(Turning(1, size=64), cut([episode()], [0], 4, 8))


def test_an_unknown_world_is_refused():
    with pytest.raises(ValueError, match="could not be imported"):
        open_world("tests.eval_worlds:nothing", 1)


# --- scores --------------------------------------------------------------------------------------------------------


def test_pixels_go_by_kind_and_leave_out_what_had_ended():
    clips = cut([episode(length=8), episode(length=20, seed=1)], [0, 0], 4, 8)
    classes = np.zeros((2, 8, 32, 32), np.uint8)
    classes[:, :, :16], classes[:, :, 16:18] = NEW, MOVING
    clips = replace(clips, classes=classes)
    wrong = clips.future.copy()
    wrong[:, :, :16] ^= 255
    scores = pixels(wrong, clips, [1, 8])
    everything, static, moving, new = scores.psnr
    assert np.isnan(everything[1, 0])
    assert everything[1, 1] < 15
    assert static[0].tolist() == pytest.approx([100, 100])
    assert moving[0].tolist() == pytest.approx([100, 100])
    assert (new[0] < 10).all()


def test_a_truth_teller_scores_one_and_a_liar_less():
    clips = short_clips([episode(60, s, terminated=True) for s in range(6)], 4, 8)
    score = np.where(clips.ended, 0.9, 0.1).astype(np.float32)
    honest = Rollout(clips.future, clips.reward, score, None, None, 1.0)
    assert reward_scores(honest, clips)["summed"].mean == pytest.approx(1)
    assert end_scores(honest, clips)["per frame"].mean == pytest.approx(1)
    assert end_scores(honest, clips)["per clip"].mean == pytest.approx(1)
    liar = Rollout(clips.future, -clips.reward, -score, None, None, 1.0)
    assert reward_scores(liar, clips)["per frame"].mean == pytest.approx(-1)
    assert end_scores(liar, clips)["per frame"].mean == pytest.approx(0)


def test_rewards_that_nobody_foretells_are_not_scored():
    clips = cut([episode()], [0], 4, 8)
    silent = Rollout(clips.future, None, None, None, None, 1.0)
    assert reward_scores(silent, clips) == {}
    assert end_scores(silent, clips) == {}
    assert doubt_scores(silent, clips) == {}


def test_doubt_where_a_dream_errs_is_told_from_doubt_elsewhere():
    clips = cut([episode(60, seed) for seed in range(6)], [0] * 6, 4, 20)
    assert clips.proprio is not None
    proprio, frames = clips.proprio[:, 4:].copy(), clips.future.copy()
    proprio[:, 18:] += 50.0
    frames[:, 18:] ^= 255
    doubt = np.broadcast_to(np.linspace(0, 1, 20), (6, 20)).astype(np.float32)
    found = doubt_scores(Rollout(frames, None, None, proprio, doubt, 1.0), clips)
    assert found["state error, all frames"].mean == found["pixel error, all frames"].mean == pytest.approx(1)
    assert found["usual, q99"].mean == 0
    blind = doubt_scores(Rollout(frames, None, None, proprio, 1 - doubt, 1.0), clips)
    assert blind["state error, all frames"].mean == pytest.approx(0)


def test_the_probe_is_asked_for_what_happened_between_its_frames():
    action = np.arange(6, dtype=np.float32)[None, :, None]
    proprio = 10 * action
    wanted = targets_of(action, proprio, gap=2, yaw_rate=0)
    np.testing.assert_allclose(wanted[0, :, 0], [1.5, 2.5, 3.5, 4.5])
    np.testing.assert_allclose(wanted[0, :, 1], [15, 25, 35, 45])


# --- recording -----------------------------------------------------------------------------------------------------

TOY = DriveConfig("toy", seed=3, level=0, frames=24, size=32, context=4, horizon=8, again=True)


def test_the_twin_simulated_again_is_the_same_and_shaken_it_is_not():
    drive = drive_once(TOY)
    clip = drive.episode.frames[drive.begin + 4 : drive.begin + 12]
    np.testing.assert_array_equal(drive.again[: len(clip)], clip)
    assert (drive.jittered[: len(clip)] != clip).any()


def test_a_drive_is_recorded_once(tmp_path, monkeypatch):
    first = record([TOY], tmp_path, 0, "toy")
    monkeypatch.setattr("eval.recording.drive_once", lambda config: pytest.fail("drove again"))
    again = record([TOY], tmp_path, 0, "toy")
    np.testing.assert_array_equal(first[0].episode.frames, again[0].episode.frames)
    assert first[0].begin == again[0].begin
    assert again[0].episode.terminated == first[0].episode.terminated


def test_a_truncated_recording_is_named(tmp_path):
    record([TOY], tmp_path, 0, "toy")
    path = next(tmp_path.glob("*.npz"))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="delete it and run again"):
        record([TOY], tmp_path, 0, "toy")


# --- the programs --------------------------------------------------------------------------------------------------

WORLD = "dream=tests.eval_worlds:turning"


def start(monkeypatch, program, *settings):
    monkeypatch.setattr(sys, "argv", [program.__name__, *settings])
    program.main()


def test_fidelity_runs_and_writes_everything(tmp_path, monkeypatch, capsys):
    toy = ["twin=toy", "size=32", "context=4", "horizon=16", "reward_horizon=8", "workers=0", f"cache={tmp_path}/kept"]
    settings = [f"evidence.{setting}" for setting in toy]
    start(monkeypatch, fidelity, WORLD, "fast=true", "horizons=[1,8,16]", f"out={tmp_path}/out", *settings)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"fidelity.json", "clips.csv", "clips.png", "minutes.png", "fidelity.png"}
    result = json.loads((tmp_path / "out" / "fidelity.json").read_text())
    rows = result["pixels"]
    assert rows["twin again"]["psnr"]["all"]["8"] == pytest.approx({"mean": 100, "low": 100, "high": 100, "count": 2})
    copied = rows["copy last frame"]["psnr"]["all"]["1"]["mean"]
    assert result["above_copy"]["dream, K = 1"]["1"]["mean"] == pytest.approx(
        rows["dream, K = 1"]["psnr"]["all"]["1"]["mean"] - copied
    )
    assert len(result["bars"]) == 9
    assert "Controls read back" in capsys.readouterr().out


def test_fidelity_runs_on_a_data_set_that_knows_no_reward(tmp_path, monkeypatch):
    spec = DatasetSpec(16.0, (32, 32), ("steer", "drive"), reward=False, termination=False, domain="wheel")
    for name, seeds in (("train", (1, 2)), ("test", (3, 4, 5))):
        dataset = create(tmp_path / name, spec)
        for index, seed in enumerate(seeds):
            write(dataset, index, replace(episode(60, seed), reward=None, proprio=None, terminated=None))
    where = [f"evidence.data={tmp_path}/test", f"evidence.probe_data={tmp_path}/train", "evidence.twin="]
    lengths = ["evidence.context=4", "evidence.horizon=16", "evidence.reward_horizon=8", "horizons=[1,16]"]
    start(monkeypatch, fidelity, WORLD, "fast=true", f"out={tmp_path}/out", *where, *lengths)
    result = json.loads((tmp_path / "out" / "fidelity.json").read_text())
    assert list(result["pixels"]) == ["dream, K = 1", "shuffled controls", "copy last frame"]
    assert result["pixels"]["dream, K = 1"]["psnr"]["new"]["1"]["count"] == 0
    assert result["pixels"]["dream, K = 1"]["psnr"]["all"]["16"]["count"] == 4
    assert (result["reward"], result["end"], result["endurance"]) == ({}, {}, {})
    assert list(result["obedience"]) == ["dream, K = 1, steer, frames 1 to 16"]
    assert not (tmp_path / "out" / "minutes.png").exists()


def test_fidelity_without_a_twin_needs_a_data_set(tmp_path, monkeypatch):
    with pytest.raises(SystemExit):
        start(monkeypatch, fidelity, WORLD, "evidence.twin=", f"out={tmp_path}")


def test_speed_runs_and_writes_everything(tmp_path, monkeypatch, capsys):
    small = ["twin=toy", "size=32", "slots=[1,2]", "steps=[1]", "seconds=0.05", "early=10", "late=60", "window=10"]
    start(monkeypatch, speed, WORLD, f"out={tmp_path}", *small)
    result = json.loads((tmp_path / "speed.json").read_text())
    assert [timing["slots"] for timing in result["dream"]] == [1, 2]
    assert all(timing["p95"] >= timing["p50"] > 0 for timing in result["dream"] + result["twin"])
    assert 0.2 < result["length"]["late_over_early_in_turns"] < 5
    assert result["machine"]["cores"] >= 1
    assert "env-steps/s" in capsys.readouterr().out


def test_the_bake_off_trains_and_judges_all_three(tmp_path):
    world = TWINS["toy"].make(32, False)
    dataset = create(tmp_path / "data", DatasetSpec(16.0, (32, 32), world.spec.proprio, domain="wheel"))
    for index, drive in enumerate(record([replace(TOY, seed=s, frames=60) for s in (1, 2)], tmp_path, 0, "toy")):
        write(dataset, index, replace(drive.episode, state=None))
    bakeoff.bakeoff(str(tmp_path / "data"), "toy", 0.01, 2, tmp_path / "out", tmp_path / "kept", 0)
    rows = json.loads((tmp_path / "out" / "bakeoff.json").read_text())["rows"]
    assert list(rows) == ["copy last frame", "patches", "latents", "unet"]
    assert all(len(row["psnr"]) == len(bakeoff.HORIZONS) for row in list(rows.values())[1:])
    assert min(row["visits"] for row in list(rows.values())[1:]) > 0
    assert (tmp_path / "out" / "bakeoff.md").read_text().count("\n") == 6


def test_the_demo_runs_and_writes_film_and_sheet(tmp_path, capsys):
    import av

    demo.demo(WORLD[6:], 3, 16, None, "toy", 32, 0, tmp_path / "out", tmp_path / "kept")
    with av.open(str(tmp_path / "out" / "demo.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 16
    assert (tmp_path / "out" / "contact_sheet.png").stat().st_size > 1000
    said = capsys.readouterr().out
    assert "copy last frame" in said
    assert "frames/s" in said


def test_the_wheel_in_the_film_turns_to_the_left_when_steered_left():
    dark = np.zeros((1, 2, 16, 16, 3), np.uint8)
    wheel = np.array([[[0.0, 0.0], [0.5, 1.0]]])
    straight, left = side_by_side(dark, dark, wheel, ["town"], ["", ""], scale=4)
    assert straight.shape == left.shape
    assert straight.shape[0] % 2 == straight.shape[1] % 2 == 0
    assert (straight != left).any()


def test_torch_is_left_as_it_was():
    assert torch.get_num_threads() == 1
