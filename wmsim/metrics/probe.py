"""A small network, trained on real frames only, that reads numbers back from frames: steering, yaw rate, lane offset.

What it reads from dreamt frames, against what it reads from real ones, says whether the dream obeys.
Shape legend: N samples of F frames, H x W pixels, P numbers read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn


@dataclass(frozen=True)
class ProbeConfig:
    """How a probe is built and trained: width (half of its first layer), epochs, batch, rate, seed."""

    width: int = 32
    epochs: int = 8
    batch: int = 64
    rate: float = 2e-3
    seed: int = 0


class Probe(nn.Module):
    """4 x 4 patches, two strided convolutions and a linear layer: F frames in, P standardised numbers out."""

    mean: Tensor
    spread: Tensor

    def __init__(self, config: ProbeConfig, frames: int, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        widths = [2 * config.width, 3 * config.width, 4 * config.width]
        layers: list[nn.Module] = [nn.Conv2d(3 * frames, widths[0], 4, stride=4), nn.GELU(), nn.GroupNorm(4, widths[0])]
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, stride=2, padding=1), nn.GELU(), nn.GroupNorm(4, outer)]
        self.trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.head = nn.Linear(16 * widths[-1], len(mean))
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, frames: UInt8[Tensor, "N F H W 3"]) -> Float[Tensor, "N P"]:
        """Standardised readings of the samples."""
        image = rearrange(frames, "n f h w c -> n (f c) h w").float() / 127.5 - 1
        return torch.as_tensor(self.head(self.trunk(image.contiguous(memory_format=torch.channels_last))))

    @torch.no_grad()
    def read(self, frames: UInt8[np.ndarray, "N F H W 3"], batch: int = 256) -> Float[np.ndarray, "N P"]:
        """The numbers that the frames show, in the units that the probe was trained on."""
        parts = [self(torch.from_numpy(part)) for part in np.array_split(frames, -(-len(frames) // batch))]
        return np.asarray((torch.cat(parts) * self.spread + self.mean).numpy())


def fit_probe(
    frames: UInt8[np.ndarray, "N H W 3"],
    samples: np.ndarray,
    targets: Float[np.ndarray, "M P"],
    config: ProbeConfig,
) -> Probe:
    """Train a probe to read `targets[i]` from the frames numbered `samples[i]`, (M, F) int, by squared error.

    The targets are standardised; a target that never varies raises ValueError, for nothing can be read from it.
    """
    mean, spread = torch.from_numpy(targets.mean(0)), torch.from_numpy(targets.std(0))
    if bool((spread < 1e-8).any()):
        raise ValueError(f"target {int(spread.argmin())} never varies: there is nothing to learn to read")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        probe = Probe(config, samples.shape[1], mean.float(), spread.float())
    _train(probe, frames, samples, (torch.from_numpy(targets).float() - mean.float()) / spread.float(), config)
    return probe.eval()


def _train(probe: Probe, frames: np.ndarray, samples: np.ndarray, wanted: Tensor, config: ProbeConfig) -> None:
    steps = config.epochs * max(1, len(samples) // config.batch)
    optimiser = torch.optim.AdamW(probe.parameters(), config.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.rate, total_steps=steps + 1, pct_start=0.1)
    for rows in _batches(len(samples), steps, config):
        image = torch.from_numpy(frames[samples[rows]])
        loss = (probe(image) - wanted[torch.from_numpy(rows)]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()


def _batches(count: int, steps: int, config: ProbeConfig) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(config.seed)
    order = np.empty(0, np.int64)
    for _ in range(steps):
        if len(order) < config.batch:
            order = np.concatenate([order, rng.permutation(count)])
        yield order[: config.batch]
        order = order[config.batch :]
