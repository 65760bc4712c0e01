"""Training, end to end and small: what reference models of this kind got wrong must be right in ours.

A square moves by its actions; the model must learn to move it. Shape legend: B films, T frames.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.model_tiny import CONFIG, square_film
from wmsim import checkpoint, dream
from wmsim.control import Control
from wmsim.data import episodes
from wmsim.data.cache import open_cache
from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.train import TrainConfig, train
from wmsim.train.adversary import AdversaryConfig
from wmsim.train.decoder import DecoderStageConfig
from wmsim.train.dynamics import DynamicsStageConfig
from wmsim.train.followers import FollowersConfig
from wmsim.train.latents import Latents, logit
from wmsim.train.loop import Draw, LoopConfig
from wmsim.train.outcomes import OutcomeStageConfig
from wmsim.train.tokenizer import TokenizerStageConfig
from wmsim.world import Start

LENGTH = 40
SPEC = DatasetSpec(8.0, (16, 16), ("dx", "dy"), ("x_px", "y_px"), domain="wheel")


def _film(seed: int, length: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    actions = np.repeat(rng.uniform(-1, 1, (length // 4 + 1, 2)), 4, 0)[:length].astype(np.float32)
    return square_film(actions, tuple(rng.uniform(0, 16, 2))), actions


def _record(root: Path, count: int) -> Path:
    dataset = episodes.create(root, SPEC)
    for index in range(count):
        frames, actions = _film(index)
        proprio = np.concatenate([np.zeros((1, 2)), actions]).astype(np.float32)
        reward = actions[:, 0].astype(np.float32)
        episodes.write(dataset, index, Episode(frames, actions, proprio=proprio, reward=reward, terminated=False))
    episodes.finalise(dataset)
    return root


def _config(data: Path, out: Path, tokenizer: int, dynamics: int) -> TrainConfig:
    return TrainConfig(
        data=str(data),
        out=str(out),
        model=CONFIG,
        tokenizer=TokenizerStageConfig(32, 0.02),
        tokenizer_loop=LoopConfig(tokenizer, 3e-3, ema=0.99, save_every=200),
        dynamics=DynamicsStageConfig(
            batch=16,
            frames=8,
            rollout=0.3,
            rollout_depth=3,
            drift=0.1,
            adversary_from=0.9,
            adversary=AdversaryConfig(pool=8, drawn=4, stirred=2, run=2, start=4),
            followers=FollowersConfig(dreams=4, drawn=2, run=2, before=4, frames=6),
        ),
        dynamics_loop=LoopConfig(dynamics, 3e-3, ema=0.99, save_every=200),
        decoder=DecoderStageConfig(batch=16, frames=8, run=4),
        decoder_loop=LoopConfig(tokenizer // 2, 1e-3, ema=0.99, save_every=200),
        outcomes=OutcomeStageConfig(drives=24, frames=8, before=4, together=8, batch=64),
        outcome_loop=LoopConfig(tokenizer // 2, 1e-3, ema=0.9, save_every=200),
        name="square",
        starts=8,
        start_frames=4,
        threads=1,
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 films of the square."""
    return _record(tmp_path_factory.mktemp("square"), 32)


@pytest.fixture(scope="module")
def trained(recording: Path) -> Path:
    """A checkpoint trained for some seconds."""
    return train(_config(recording, recording.parent / "run", 400, 1200))


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a.astype(float) - b) ** 2) / 255**2))


def _roll(path: Path, steps: int, horizon: int, shuffle: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dreamt and real frames (B, T, H, W, 3) after 4 start frames of unseen films, and the last start frame."""
    films, actions = (np.stack(part) for part in zip(*(_film(1000 + i, 4 + horizon) for i in range(8)), strict=True))
    world = dream.load(path, slots=8, steps=steps)
    start = Start(
        {"front": torch.from_numpy(films[:, :4])}, Control(robot=torch.from_numpy(actions[:, :3]), domain="wheel")
    )
    world.reset(range(8), range(8), start)
    given = torch.from_numpy(np.roll(actions, 3, 0) if shuffle else actions)
    steps_made = [world.step(range(8), Control.of_wheel(given[:, 3 + t])) for t in range(horizon)]
    made = [one.frames["front"][:, 0].numpy() for one in steps_made]
    return np.stack(made, 1), films[:, 4 : 4 + horizon], films[:, 3]


def test_ends_are_drawn_as_much_more_often_as_is_said(tmp_path: Path) -> None:
    dataset = episodes.create(tmp_path, SPEC)
    for index, length in enumerate((30, 40, 50, 60)):
        film, actions = _film(index, length)
        proprio = np.zeros((length + 1, 2), np.float32)
        episodes.write(
            dataset, index, Episode(film, actions, proprio=proprio, reward=proprio[1:, 0], terminated=index % 2 == 0)
        )
    episodes.finalise(dataset)
    cache = open_cache(tmp_path)
    latents = Latents(np.zeros((cache.frame_count, 1, 1, 1), np.float16), cache)
    assert cache.terminated is not None
    for endings in (0.1, 0.5):
        ends = np.concatenate([latents.sample(Draw.of(0, i, 0), 64, 8, endings).end[:, 1:] for i in range(100)])
        usual = logit(cache.terminated.mean())
        assert latents.end_odds(8, endings) == pytest.approx(logit(ends.mean()) - usual, abs=0.1)


def test_one_step_beats_persistence_and_obeys(trained: Path) -> None:
    made, real, last = _roll(trained, 1, 4)
    assert _psnr(made[:, 0], real[:, 0]) > _psnr(last, real[:, 0]) + 2
    shuffled, _, _ = _roll(trained, 1, 4, shuffle=True)
    ratio = np.mean((shuffled.astype(float) - real) ** 2) / np.mean((made.astype(float) - real) ** 2)
    assert ratio > 1.3


def test_more_steps_never_lower_the_psnr_of_a_sample_and_the_mean_of_one_step_stands_above_it(trained: Path) -> None:
    mean, *samples = [_psnr(*_roll(trained, steps, 4)[:2]) for steps in (1, 2, 4, 8)]
    assert all(more > fewer - 0.75 for fewer, more in pairwise(samples)), samples
    assert mean > max(samples) - 0.75


def test_four_times_the_context_does_not_blow_up(trained: Path) -> None:
    made, real, _ = _roll(trained, 2, 4 * CONFIG.dynamics.context)
    assert abs(made[:, -4:].mean() - real.mean()) < 12
    assert made[:, -1].std() > 0.3 * real[:, -1].std()
    assert (made[:, -1].astype(int) != made[:, -2]).any()


def test_it_can_start_from_a_single_frame_and_from_its_own_starts(trained: Path) -> None:
    world = dream.load(trained, slots=2)
    assert world.reset([0, 1], [0, 1]).frames["front"].float().std() > 5
    single = torch.from_numpy(_film(5)[0][:1])[None]
    assert torch.equal(world.reset([0], [3], Start({"front": single})).frames["front"], single)


def test_the_decoder_believes_the_tokens_more_than_the_frame_before(trained: Path) -> None:
    model, _, _ = checkpoint.load(trained, dtype=torch.float32)
    film = torch.from_numpy(_film(7)[0])
    misleading, real = torch.roll(film[:-1], 8, 0), film[1:].numpy()
    shown = model.decode(model.encode(film[1:]), misleading).numpy()
    assert _psnr(shown, real) > _psnr(misleading.numpy(), real) + 3


def test_the_checkpoint_tells_what_it_was_trained_on(trained: Path) -> None:
    _, card, starts = checkpoint.load(trained)
    assert card.frames_per_second == 8.0
    assert card.proprio == ("x_px", "y_px")
    assert card.training["frame_visits"] == 1200 * 16 * 8
    assert starts.latent.shape == (8, 4, 4, 4, 4)


def test_a_resumed_run_is_the_run_that_would_have_been(recording: Path, tmp_path: Path) -> None:
    judged = replace(_config(recording, tmp_path, 6, 6).dynamics, adversary_from=0.3)
    straight = train(replace(_config(recording, tmp_path / "straight", 6, 6), dynamics=judged))
    for name in ("tokenizer_loop", "dynamics_loop"):
        whole = replace(_config(recording, tmp_path / "broken", 6, 6), dynamics=judged)
        saved = {name: replace(getattr(whole, name), save_every=3)}
        with pytest.raises(KeyboardInterrupt):
            _interrupted(replace(whole, **saved), 4 if name == "tokenizer_loop" else 10)
    resumed = train(replace(_config(recording, tmp_path / "broken", 6, 6), dynamics=judged))
    first, second = checkpoint.load(straight)[0], checkpoint.load(resumed)[0]
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_processes_draw_alike_only_what_decides_how_long_a_step_takes() -> None:
    here, there, later = Draw.of(1, 2, 0), Draw.of(1, 2, 1), Draw.of(1, 3, 0)
    common, own = [draw.common.random() for draw in (here, there, later)], [d.numpy.random() for d in (here, there)]
    assert common[0] == common[1] != common[2]
    assert len({common[0], *own}) == 3
    assert torch.rand(1, generator=here.torch) != torch.rand(1, generator=there.torch)


def _interrupted(config: TrainConfig, draws: int) -> None:
    real, count = Draw.of, 0

    def of(seed: int, step: int, rank: int) -> Draw:
        nonlocal count
        count += 1
        if count > draws:
            raise KeyboardInterrupt
        return real(seed, step, rank)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Draw, "of", staticmethod(of))
        train(config)


def test_wrong_sizes_and_short_episodes_are_told(recording: Path, tmp_path: Path) -> None:
    config = _config(recording, tmp_path, 1, 1)
    larger = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, height=32, width=8))
    with pytest.raises(ValueError, match="16x16 frames, the tokenizer takes 32x8"):
        train(replace(config, model=larger))
    with pytest.raises(ValueError, match="no episode has 90 frames"):
        train(replace(config, dynamics=replace(config.dynamics, frames=90)))
    with pytest.raises(ValueError, match="frames=5 are too short"):
        replace(config.dynamics, frames=5, adversary=AdversaryConfig(run=4))
    with pytest.raises(ValueError, match="run=8 frames are drawn of a window of frames=8"):
        DecoderStageConfig(frames=8, run=8)


def test_a_state_of_another_model_is_told(recording: Path, tmp_path: Path) -> None:
    config = _config(recording, tmp_path, 1, 1)
    train(config)
    other = replace(CONFIG, tokenizer=replace(CONFIG.tokenizer, dim=16))
    with pytest.raises(ValueError, match="holds another model"):
        train(replace(config, model=other, tokenizer_loop=LoopConfig(2)))


def test_two_processes_train_one_model_on_two_recordings(recording: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "wmsim.train"]
    settings = {
        "data": f"[{recording},{recording}]", "out": tmp_path, "threads": 1, "starts": 4, "start_frames": 4,
        "model.tokenizer.height": 16, "model.tokenizer.width": 16, "model.tokenizer.patch": 4,
        "model.tokenizer.dim": 16, "model.dynamics.tokens": 4, "model.dynamics.dim": 32, "model.dynamics.layers": 2,
        "model.dynamics.hidden": 32, "tokenizer_loop.steps": 2, "dynamics_loop.steps": 2, "decoder_loop.steps": 2,
        "dynamics.frames": 8, "dynamics.batch": 4, "decoder.frames": 8, "decoder.run": 2, "decoder.batch": 2,
        "dynamics.adversary_from": 0.0, "dynamics.adversary.pool": 4, "dynamics.adversary.drawn": 2,
        "dynamics.adversary.start": 4, "dynamics.adversary.stirred": 1, "dynamics.followers.before": 4,
        "outcomes.drives": 4, "outcomes.frames": 4, "outcomes.before": 4, "outcome_loop.steps": 2,
    }  # fmt: skip
    overrides = [f"{name}={value}" for name, value in settings.items()]
    done = subprocess.run([*command, *overrides], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    card, whole = checkpoint.load(tmp_path / "model.safetensors")[1], open_cache(recording)
    assert (card.name, card.training["episodes"]) == ("world", 2 * whole.episodes - round(0.05 * 2 * whole.episodes))
