"""The outcome stage: drives stand for the whole recording, and heads learn in the dream's own states, they alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.model_tiny import CONFIG, tiny_model
from wmsim.data import episodes
from wmsim.data.cache import open_cache
from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.model.world_model import WorldModel
from wmsim.train.drives import draw_drives
from wmsim.train.latents import Latents
from wmsim.train.loop import Draw, Loop, LoopConfig
from wmsim.train.outcomes import OutcomeStage, OutcomeStageConfig

SMALL = OutcomeStageConfig(drives=40, frames=6, before=4, together=8, ends=0.5, batch=128)


def _latents(root: Path, lengths: tuple[int, ...] = (30, 24, 40, 26), ends: bool = True) -> Latents:
    """Drives whose first latent channel and reward are what was steered; every second one ends by itself."""
    dataset = episodes.create(root, DatasetSpec(8.0, (16, 16), ("dx", "dy"), ("x_px", "y_px"), termination=ends))
    for index, length in enumerate(lengths):
        rng = np.random.default_rng(index)
        action = rng.uniform(-1, 1, (length - 1, 2)).astype(np.float32)
        proprio = np.concatenate([np.zeros((1, 2), np.float32), action])
        more = {"terminated": index % 2 == 0} if ends else {}
        film = np.zeros((length, 16, 16, 3), np.uint8)
        episodes.write(dataset, index, Episode(film, action, proprio=proprio, reward=action[:, 0], **more))
    episodes.finalise(dataset)
    cache = open_cache(root, progress=False)
    grid = CONFIG.tokenizer.grid
    latent = np.random.default_rng(0).normal(size=(cache.frame_count, *grid, CONFIG.tokenizer.channels))
    latent[..., 0] = cache.action[:, 0, None, None]
    return Latents(latent.astype(np.float16), cache)


def test_drives_stand_for_every_moment_of_the_recording(tmp_path: Path) -> None:
    latents = _latents(tmp_path)
    cache, config = latents.cache, replace(SMALL, drives=6000)
    assert cache.terminated is not None
    drives = draw_drives(cache, config.drives, config.before, config.frames, config.ends, 0)
    rows, weight = drives.rows, drives.weight[:, config.before :]
    alive, after = weight > 0, rows[:, config.before :]
    assert (np.diff(rows, axis=1)[:, : config.before - 1] == 1).all()
    ended = (cache.terminated[after] & alive).any(1)
    assert ended.mean() > 0.5
    begun, length = np.asarray(cache.episode_start), np.asarray(cache.episode_length)
    moments = length - config.before
    truly = np.minimum(moments, config.frames)[cache.terminated[begun + length - 1]].sum() / moments.sum()
    assert np.average(ended, weights=weight[:, 0]) == pytest.approx(truly, abs=0.02)
    for episode in range(4):  # nothing is read beyond the end of a drive
        inside = (rows[:, 0] >= begun[episode]) & (rows[:, 0] < begun[episode] + length[episode])
        assert rows[inside].max() == begun[episode] + length[episode] - 1
    assert np.bincount(alive.sum(1)).argmax() == config.frames


def test_the_heads_learn_what_came_of_it_and_nothing_else_changes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    latents, model = _latents(tmp_path / "data"), WorldModel(CONFIG)
    stage = OutcomeStage(model, latents, SMALL, tmp_path / "outcomes.npz")
    trunk = {n: p.clone() for n, p in model.named_parameters() if ".heads." not in n}
    with torch.no_grad():
        first = stage.losses(Draw.of(1, 0, 0))
    assert float(first["doubt"]) == pytest.approx(0, abs=1e-3)
    Loop(stage, LoopConfig(150, 3e-3, ema=0.9), tmp_path, seed=0).run()
    with torch.no_grad():
        last = stage.losses(Draw.of(1, 0, 0))
    for name in ("reward", "proprio", "end"):
        assert float(last[name]) < 0.7 * float(first[name]), name
    assert float(last["doubt"]) < 0.05
    assert all(torch.equal(trunk[n], p) for n, p in model.named_parameters() if n in trunk)


def test_motion_that_no_frame_shows_is_added_up(tmp_path: Path) -> None:
    """Proprioception is the sum of all actions so far, of which frames show nothing."""
    latents = _latents(tmp_path / "data")
    cache = latents.cache
    summed = np.concatenate([np.cumsum(cache.action[cache.episode(e)], 0) for e in range(cache.episodes)])
    latents = replace(latents, cache=replace(cache, proprio=summed.astype(np.float32)))
    missed = {}
    for told in (False, True):
        torch.manual_seed(0)
        model = WorldModel(replace(CONFIG, dynamics=replace(CONFIG.dynamics, felt=told)))
        stage = OutcomeStage(model, latents, replace(SMALL, unfelt=0.0), tmp_path / f"outcomes{told}.npz")
        Loop(stage, LoopConfig(200, 3e-3, ema=0.9), tmp_path / str(told), seed=0).run()
        with torch.no_grad():
            missed[told] = float(stage.losses(Draw.of(1, 0, 0))["proprio"])
    assert missed[True] < 0.4 * missed[False], missed


def test_what_was_done_long_ago_is_remembered(tmp_path: Path) -> None:
    """Reward is the steering of five frames ago; the dream sees no further back than two."""
    latents = _latents(tmp_path / "data")
    cache, sizes = latents.cache, replace(CONFIG.dynamics, felt=False, context=2)
    late = np.concatenate([np.roll(cache.action[cache.episode(e), 0], 5) for e in range(cache.episodes)])
    latents = replace(latents, cache=replace(cache, reward=late.astype(np.float32)))
    config, missed = replace(SMALL, frames=12, batch=192), {}
    for width in (0, 24):
        torch.manual_seed(0)
        model = WorldModel(replace(CONFIG, dynamics=replace(sizes, memory=width)))
        stage = OutcomeStage(model, latents, config, tmp_path / f"outcomes{width}.npz")
        Loop(stage, LoopConfig(300, 3e-3, ema=0.9), tmp_path / str(width), seed=0).run()
        with torch.no_grad():
            missed[width] = float(stage.losses(Draw.of(1, 0, 0))["reward"])
    assert missed[24] < 0.75 * missed[0], missed


def test_drives_begin_with_what_is_remembered_of_others_that_did_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, model, begun = _latents(tmp_path / "data"), tiny_model(), {}
    for share in (0.0, 1.0):
        stage = OutcomeStage(model, latents, replace(SMALL, stale=share), tmp_path / f"outcomes{share}.npz")
        along, given = stage._along, []
        monkeypatch.setattr(stage, "_along", lambda *a, along=along, given=given: (given.append(a), along(*a))[1])
        stage.losses(Draw.of(0, 0, 0))
        begun[share] = [(a[-1] != 0).any(1) for a in given]
    assert [part.any().item() for part in begun[0.0]] == [False]
    assert not begun[1.0][0].any()  # at first all begin with nothing, to see what they come to remember
    assert begun[1.0][1].any()
    assert not begun[1.0][1].all()


def test_dreams_are_kept_and_made_anew_for_other_weights_and_drives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    latents, path, model = _latents(tmp_path / "data", ends=False), tmp_path / "outcomes.npz", WorldModel(CONFIG)
    first = OutcomeStage(model, latents, SMALL, path)
    written = path.stat().st_mtime_ns
    again = OutcomeStage(model, latents, SMALL, path)
    assert path.stat().st_mtime_ns == written
    assert torch.equal(first.losses(Draw.of(0, 0, 0))["total"], again.losses(Draw.of(0, 0, 0))["total"])
    model.dynamics.inward.weight.data += 1
    OutcomeStage(model, latents, SMALL, path)
    assert (other := path.stat().st_mtime_ns) != written
    steered = replace(latents.cache, action=latents.cache.action[::-1])
    OutcomeStage(model, replace(latents, cache=steered), SMALL, path)
    assert path.stat().st_mtime_ns != other
    assert not list(tmp_path.glob("*.partial*"))


def test_what_cannot_be_learnt_from_is_told(tmp_path: Path) -> None:
    latents = _latents(tmp_path, (6, 7))
    with pytest.raises(ValueError, match="no episode has 11 frames"):
        draw_drives(latents.cache, 4, 10, 6, 0.5, seed=0)
    with pytest.raises(ValueError, match="at least 1"):
        replace(SMALL, frames=0)
    with pytest.raises(ValueError, match=r"ends \(share of drives\)"):
        replace(SMALL, ends=1.0)
    with pytest.raises(ValueError, match="forced is a share"):
        replace(SMALL, forced=1.5)
