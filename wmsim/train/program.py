"""The training program: tokenizer, latents, dynamics, outcomes, decoder; each resumes where it stopped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wmsim.checkpoint import Card, Starts, load, quantise, read_note, save
from wmsim.data.cache import Cache, Roots, open_cache
from wmsim.model.events import Embeds, make_embedder
from wmsim.model.world_model import WorldModel, WorldModelConfig
from wmsim.train.decoder import DecoderStage, DecoderStageConfig
from wmsim.train.dynamics import DynamicsStage, DynamicsStageConfig
from wmsim.train.latents import Latents, Untold, Wordings, bounds_of, counterparts, digest, encode_all, mark_of
from wmsim.train.loop import Loop, LoopConfig, processes
from wmsim.train.outcomes import OutcomeStage, OutcomeStageConfig
from wmsim.train.tokenizer import TokenizerStage, TokenizerStageConfig


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run.

    data: a recorded dataset, or several that are read as one. untold: the same drives, or some of them, recorded again
    with nothing told (`wmsim record --policy replay`), "" for none. out: states, curves, `model.safetensors`. test:
    share of episodes held back, or 0.
    compiled: torch.compile, worth its minute on runs of ten minutes and more; needs a C++ compiler.
    init: a checkpoint to begin from instead of random weights; one that is told no events can grow into one that is.
    starts, start_frames: the reset distribution that ships. domain: what the robot control is called, "" for what the
    recording calls it.
    """

    data: Roots
    out: str
    model: WorldModelConfig = field(default_factory=WorldModelConfig)
    tokenizer: TokenizerStageConfig = field(default_factory=TokenizerStageConfig)
    tokenizer_loop: LoopConfig = field(default_factory=lambda: LoopConfig(8000, 1e-3, decay=0.5))
    dynamics: DynamicsStageConfig = field(default_factory=DynamicsStageConfig)
    dynamics_loop: LoopConfig = field(default_factory=lambda: LoopConfig(10000, 8e-4, decay=0.6))
    outcomes: OutcomeStageConfig = field(default_factory=OutcomeStageConfig)
    outcome_loop: LoopConfig = field(default_factory=lambda: LoopConfig(2000, 1e-3, decay=0.8, ema=0.99))
    decoder: DecoderStageConfig = field(default_factory=DecoderStageConfig)
    decoder_loop: LoopConfig = field(default_factory=lambda: LoopConfig(2000, 1e-3, decay=0.8))
    untold: Roots = ""
    init: str = ""
    name: str = "world"
    domain: str = ""
    device: str = "cpu"
    compiled: bool = False
    test: float = 0.05
    seed: int = 0
    starts: int = 64
    start_frames: int = 8
    threads: int = 0


def main(overrides: Sequence[str]) -> None:
    """Run `configs/train.yaml` with Hydra overrides such as ["data=recordings/drive", "out=runs/drive"]."""
    try:
        from hydra import compose, initialize_config_module
        from hydra.utils import instantiate
    except ImportError as error:
        raise ImportError("training needs Hydra: pip install 'wmsim[train]'") from error
    with initialize_config_module("wmsim.configs", version_base=None):
        config = compose("train", overrides=list(overrides))
    train(instantiate(config))


def train(config: TrainConfig, embedder: Embeds | None = None) -> Path:
    """Train to the end and return the path of the checkpoint; ValueError when model and data do not fit.

    embedder: of captions, for a model that is told events; None: that of the extra [text].
    """
    torch.set_num_threads(config.threads or _physical_cores())
    whole = open_cache(config.data)
    cache = whole.split(config.test, seed=config.seed)[0] if config.test else whole
    _check_windows(config, cache)
    again = open_cache(config.untold) if config.untold else None
    counterpart = None if again is None else counterparts(cache, again, config.model.dynamics.event_frames)
    config = replace(config, model=_fitted(config.model, cache))
    out, device = Path(config.out), config.device
    torch.manual_seed(config.seed)
    model = WorldModel(config.model).to(device)
    if config.init:
        _begin_from(model, config)
    wordings = _wordings(config.model, whole, embedder)
    with processes(device) as (rank, count):
        pixels = TokenizerStage(model.tokenizer, cache.frames, _rows(cache), config.tokenizer, device, config.compiled)
        Loop(pixels, config.tokenizer_loop, out, config.seed, rank, count).run()
        key = {"recording": mark_of(whole), "tokenizer": digest(model.tokenizer)}
        latents = encode_all(model.tokenizer, whole, out / f"latents{rank or ''}.npy", device, key)
        latents = Latents(latents.latent, cache, wordings)
        if again is not None and counterpart is not None:
            key |= {"recording": mark_of(again)}
            other = encode_all(model.tokenizer, again, out / f"untold{rank or ''}.npy", device, key)
            latents = replace(latents, untold=Untold(other.latent, counterpart))
        if not config.init or config.tokenizer_loop.steps:
            set_scales(model, latents)  # others would be strange to the weights that it begins from
        path = out / "model.safetensors"
        steps = config.dynamics_loop.steps
        stage = DynamicsStage(
            model, latents, config.dynamics, steps, device, config.compiled, lambda: _ship(path, model, latents, config)
        )
        Loop(stage, config.dynamics_loop, out, config.seed + 1, rank, count).run()
        if config.outcome_loop.steps:
            dreamt = out / f"outcomes{rank or ''}.npz"
            outcomes = OutcomeStage(model, latents, config.outcomes, dreamt, config.seed + rank, device)
            Loop(outcomes, config.outcome_loop, out, config.seed + 3, rank, count).run()
        polish = DecoderStage(model, latents, config.decoder, device, config.compiled)
        Loop(polish, config.decoder_loop, out, config.seed + 2, rank, count).run()
        if rank == 0:
            _ship(path, model, latents, config)
    return path


def _physical_cores() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1))


def _check_windows(config: TrainConfig, cache: Cache) -> None:
    frames, longest = max(config.dynamics.frames, config.decoder.frames), int(cache.episode_length.max())
    if config.outcome_loop.steps and longest <= config.outcomes.before:
        raise ValueError(
            f"the heads learn behind outcomes.before={config.outcomes.before} known frames, and no episode is longer "
            f"than {longest}: set it lower, or outcome_loop.steps=0 to leave the heads as they are"
        )
    if longest < frames:
        raise ValueError(
            f"no episode has {frames} frames, the longest has {longest}: record longer ones or train on shorter "
            f"windows (dynamics.frames, decoder.frames)"
        )


def _fitted(model: WorldModelConfig, cache: Cache) -> WorldModelConfig:
    size, (height, width) = cache.frames.shape[1:3], (model.tokenizer.height, model.tokenizer.width)
    if size != (height, width):
        raise ValueError(
            f"the recording has {size[0]}x{size[1]} frames, the tokenizer takes {height}x{width}: set "
            f"model.tokenizer.height and width, or record with another size"
        )
    return replace(
        model, dynamics=replace(model.dynamics, actions=cache.action.shape[1], proprio=cache.proprio.shape[1])
    )


def _begin_from(model: WorldModel, config: TrainConfig) -> None:
    """Give `model` the weights of init; what it has more, events, motion or a memory, begins by adding nothing."""
    earlier, _, _ = load(config.init, config.device, torch.float32)
    asked, own = config.model.dynamics, earlier.config.dynamics
    more: dict[str, Any] = {"felt": own.felt or asked.felt, "memory": own.memory or asked.memory}
    more["guidance"] = asked.guidance
    if not own.events:
        more |= {"events": asked.events, "event_frames": asked.event_frames}
    grown = replace(earlier.config, dynamics=replace(own, **more))
    if grown != config.model:
        sizes = earlier.config.to_dict()
        raise ValueError(f"init={config.init} has sizes {sizes}, asked for {config.model.to_dict()}")
    model.load_state_dict(model.state_dict() | earlier.state_dict())


def _wordings(model: WorldModelConfig, cache: Cache, embedder: Embeds | None) -> Wordings | None:
    """All captions and events of a recording; None for a model that is told nothing."""
    if not (width := model.dynamics.events):
        return None
    if not cache.captions:
        raise ValueError("nothing was told in this recording: record with events, or set model.dynamics.events=0")
    embedder = embedder or make_embedder()
    if embedder.width != width:
        raise ValueError(f"model.dynamics.events={width}, the embedding is {embedder.width} wide: set it so")
    told = [*cache.captions, *((name, event) for event, name in enumerate(cache.spec.events))]
    vectors = embedder.embed([text for text, _ in told])
    return Wordings(vectors, np.array([event for _, event in told]), model.dynamics.event_frames)


def _rows(cache: Cache) -> np.ndarray:
    return np.concatenate([np.arange(s, s + n) for s, n in zip(cache.episode_start, cache.episode_length, strict=True)])


def set_scales(model: WorldModel, latents: Latents) -> None:
    """Set the means and spreads of `model` to those of the data."""
    mean, std = latents.moments()
    proprio = np.asarray(latents.cache.proprio)[_rows(latents.cache)]
    for buffer, value in (
        (model.latent_mean, mean),
        (model.latent_std, std),
        (model.proprio_mean, torch.from_numpy(proprio.mean(0))),
        (model.proprio_std, torch.from_numpy(proprio.std(0)).clamp(min=1e-3)),
    ):
        buffer.copy_(value)


def draw_starts(latents: Latents, count: int, frames: int, seed: int) -> Starts:
    """The beginnings of `count` windows of different episodes, drawn by `seed`, none of which ends in the window."""
    cache, rng = latents.cache, np.random.default_rng(seed)
    usable = np.flatnonzero(cache.episode_length > 2 * frames)
    if not len(usable):
        raise ValueError(f"no episode is longer than {2 * frames} frames: record longer ones or lower start_frames")
    episodes = np.sort(rng.choice(usable, count, replace=count > len(usable)))
    offsets = rng.integers(0, cache.episode_length[episodes] - 2 * frames)
    rows = (cache.episode_start[episodes] + offsets)[:, None] + np.arange(frames)
    return Starts(
        quantise(torch.from_numpy(latents.latent[rows])),
        torch.from_numpy(cache.action[rows]),
        torch.from_numpy(cache.proprio[rows]),
    )


def _ship(path: Path, model: WorldModel, latents: Latents, config: TrainConfig) -> None:
    starts = draw_starts(latents, config.starts, config.start_frames, config.seed)
    save(path, model, card_of(latents.cache, config), starts)


def card_of(cache: Cache, config: TrainConfig) -> Card:
    """The card of a model trained on `cache`."""
    spec = cache.spec
    low, high = bounds_of(spec)
    earlier = read_note(config.init)["card"]["training"] if config.init else {}
    drawn = config.decoder.batch * (config.decoder.run + 1)
    parts = config.dynamics.adversary, config.dynamics.followers
    judged = sum(part.drawn * part.run for part in parts)
    seen = {
        "tokenizer_images": config.tokenizer_loop.steps * config.tokenizer.batch,
        "frame_visits": config.dynamics_loop.steps * config.dynamics.batch * config.dynamics.frames,
        "judged_frames": round(config.dynamics_loop.steps * (1 - config.dynamics.adversary_from) * judged),
        "decoder_images": config.decoder_loop.steps * drawn,
    }
    training: dict[str, Any] = {
        "frames": cache.frame_count,
        "episodes": cache.episodes,
        **{name: earlier.get(name, 0) + count for name, count in seen.items()},
        "device": config.device,
        "torch": torch.__version__,
    }
    return Card(
        name=config.name,
        frames_per_second=spec.frames_per_second,
        domain=config.domain or spec.domain or "action",
        low=low,
        high=high,
        proprio=tuple(spec.proprio),
        camera=spec.camera,
        reward=cache.reward is not None,
        termination=cache.terminated is not None,
        training=training,
        captions=_captions(cache) if config.model.dynamics.events else {},
    )


def _captions(cache: Cache) -> dict[str, list[str]]:
    names = cache.spec.events
    return {name: [text for text, event in cache.captions if names[event] == name] for name in names}
