"""Followers: what they follow, what they are held to, and that they are saved whole."""

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
from wmsim.model import world_model
from wmsim.train.followers import Followers, FollowersConfig
from wmsim.train.latents import Latents
from wmsim.train.loop import Draw

SMALL = FollowersConfig(dreams=4, drawn=4, run=2, before=4, frames=6, ends=0.0)


def _latents(root: Path) -> Latents:
    dataset = episodes.create(root, DatasetSpec(8.0, (16, 16), ("dx", "dy"), ("x_px", "y_px")))
    rng = np.random.default_rng(0)
    for index, length in enumerate((30, 9)):
        action = rng.uniform(-1, 1, (length - 1, 2)).astype(np.float32)
        proprio = np.concatenate([np.zeros((1, 2), np.float32), action])
        film = np.zeros((length, 16, 16, 3), np.uint8)
        episodes.write(dataset, index, Episode(film, action, proprio=proprio, reward=action[:, 0], terminated=True))
    episodes.finalise(dataset)
    cache = open_cache(root, progress=False)
    latent = np.random.default_rng(1).normal(
        size=(cache.frame_count, *CONFIG.tokenizer.grid, CONFIG.tokenizer.channels)
    )
    return Latents(latent.clip(-1, 1).astype(np.float16), cache)


def _followers(latents: Latents, config: FollowersConfig = SMALL) -> Followers:
    torch.manual_seed(0)
    model = tiny_model()
    model.requires_grad_(True)
    return Followers(model, latents, config, model.dynamics.step)


def test_a_follower_goes_along_its_drive_until_it_has_dreamt_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, asked = _latents(tmp_path), []
    followers = _followers(latents)
    batch = Latents.batch
    monkeypatch.setattr(Latents, "batch", lambda self, rows: (asked.append(rows), batch(self, rows))[1])
    for step in range(4):
        _, judged = followers(Draw.of(0, step, 0))
        assert len(judged.frames) == SMALL.drawn * SMALL.run
    known, *dreamt = asked[:7]  # the known frames of all, then three runs of two frames
    assert known.shape == (4, SMALL.before)
    alive = np.stack([rows[:, 0] for rows in dreamt], 1)[np.argsort(known[:, 0])]
    known = known[np.argsort(known[:, 0])]
    whole = known[:, 0] < 20
    assert whole.any()
    expected = known[whole, -1:] + 1 + np.arange(6)
    assert np.array_equal(np.sort(alive[whole, 0]), np.sort(expected[:, 0]))
    assert asked[7].shape[1] == SMALL.before  # and begin anew


def test_what_is_over_is_not_learnt_from(tmp_path: Path) -> None:
    latents = _latents(tmp_path)
    followers = _followers(latents, replace(SMALL, frames=8, run=8))
    followers(Draw.of(0, 0, 0))
    weight = followers._drives.weight[followers.drive.numpy(), -1]
    assert ((weight == 0) == (followers.pool.age.numpy() == -1)).all()
    followers._drives.weight[:] = 0
    losses, judged = followers(Draw.of(0, 1, 0))
    assert all(float(losses[name].detach()) == 0 for name in ("frames", "reward", "end", "proprio"))
    assert not judged.counts.any()


def test_frames_and_heads_are_taught_and_samples_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latents = _latents(tmp_path)
    for means, judged in ((99, False), (0, True)):
        monkeypatch.setattr(world_model, "_MEANS", means)
        followers = _followers(latents)
        losses, frames = followers(Draw.of(0, 0, 0))
        model = followers._model[0]
        assert bool(frames.counts.any()) is judged
        share = float((losses["frames"] / losses["astray"]).detach())
        assert share == pytest.approx(SMALL.sampled if judged else SMALL.exact, rel=1e-4)
        losses["frames"].backward(retain_graph=True)
        assert model.dynamics.outward.weight.grad is not None
        assert model.dynamics.heads.hidden.weight.grad is None
        losses["reward"].backward()
        assert model.dynamics.heads.hidden.weight.grad is not None


def test_followers_are_saved_whole(tmp_path: Path) -> None:
    latents = _latents(tmp_path)
    first, again = _followers(latents), _followers(latents)
    first(Draw.of(0, 0, 0))
    again.load_state_dict(first.state_dict())
    one, other = (followers(Draw.of(0, 1, 0)) for followers in (first, again))
    assert torch.equal(one[0]["astray"], other[0]["astray"])
    assert torch.equal(one[1].frames, other[1].frames)


@pytest.mark.parametrize(("changed", "words"), [({"drawn": 5}, "dreams=4"), ({"before": 3}, "at least 4")])
def test_followers_that_cannot_be_are_told(changed: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SMALL, **changed)
