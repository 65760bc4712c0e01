"""The critic tells dreamt latents from recorded ones, so that a single pass learns to draw samples and not means.

The reader beside it tells from latents how the car was steered and how it moved (inverse dynamics): what it reads from
dreamt ones must be what they were told.

Relativistic pairing with zero-centred gradient penalties on both sides (R3GAN, Huang et al., arXiv 2501.05441), the
penalties by finite differences (Seaweed-APT, Lin et al., arXiv 2501.08316): no second derivatives, so it compiles.

Shape legend: N frames, K of them seen together, S tokens of C channels, G = action and proprio width, E numbers in
which an event is told, h x w latents.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wmsim.model.dynamics import unpack
from wmsim.model.events import EXTRA, EventInput
from wmsim.model.world_model import WorldModelConfig

BEFORE = (4, 1)
"""Ages of the frames seen before the judged one: over a quarter of a second it shows how a scene moves."""

SEEN = len(BEFORE) + 1
"""K: those and the judged one."""

_JITTER = 0.1
"""Standard deviation of the noise that the penalties are measured by, against latents of spread 1."""

_POOLED = 2
"""Rows and columns that the reader sums a picture up in: left and right turn otherwise than near and far."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity; `shift`, where there is one, comes in between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.norm = nn.GroupNorm(8, width)

    def forward(
        self, x: Float[Tensor, "N D h w"], shift: Float[Tensor, "N D"] | None = None
    ) -> Float[Tensor, "N D h w"]:
        """The same shape."""
        h = self.norm(self.first(F.leaky_relu(x, 0.2)))
        if shift is not None:
            h = h + shift[..., None, None]
        out: Tensor = x + self.second(F.leaky_relu(h, 0.2))
        return out


class Critic(nn.Module):
    """A logit for every latent of a frame, given some frames before it, the sink, and what the dream was told."""

    def __init__(self, config: WorldModelConfig, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.rows, self.side = config.tokenizer.grid[0], config.side
        self.told = nn.Linear(config.dynamics.actions + config.dynamics.proprio, width)
        if config.dynamics.told:
            self.event = EventInput(config.dynamics.told - EXTRA, width)
        self.inward = nn.Conv2d((SEEN + 1) * config.tokenizer.channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(depth))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(
        self,
        frames: Float[Tensor, "N K S C"],
        sink: Float[Tensor, "N S C"],
        told: Float[Tensor, "N G"],
        event: Float[Tensor, "N E"],
    ) -> Float[Tensor, "N h w"]:
        """frames: those before, oldest first, and the judged one. told: the action and the proprio read just before.

        event: the condition of the event told lately.
        """
        grid = unpack(torch.cat([frames, sink[:, None]], 1), self.rows, self.side)
        x = self.inward(rearrange(grid, "n k h w c -> n (k c) h w"))
        shift = self.told(told)
        if event.shape[1]:
            shift = shift + self.event(event).squeeze(-2)
        for block in self.blocks:
            x = block(x, shift)
        out: Tensor = self.out(F.leaky_relu(x, 0.2)).squeeze(1).float()
        return out


class Reader(nn.Module):
    """Action and proprioception of the newest of some frames, read from nothing but the frames."""

    def __init__(self, config: WorldModelConfig, width: int = 96, depth: int = 3) -> None:
        super().__init__()
        self.rows, self.side = config.tokenizer.grid[0], config.side
        self.inward = nn.Conv2d(SEEN * config.tokenizer.channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(depth))
        self.out = nn.Linear(width * _POOLED**2, config.dynamics.actions + config.dynamics.proprio)

    def forward(self, frames: Float[Tensor, "N K S C"]) -> Float[Tensor, "N G"]:
        """frames: oldest first, as the critic sees them."""
        x = self.inward(rearrange(unpack(frames, self.rows, self.side), "n k h w c -> n (k c) h w"))
        for block in self.blocks:
            x = block(x)
        pooled = F.adaptive_avg_pool2d(F.leaky_relu(x, 0.2), _POOLED)
        out: Tensor = self.out(pooled.flatten(1)).float()
        return out


def misread(
    read: Float[Tensor, "N G"], happened: Float[Tensor, "N G"], counts: Float[Tensor, "N"]
) -> Float[Tensor, "G"]:
    """Mean squared error of each number that is read, over the frames that count."""
    mean: Tensor = ((read - happened).square() * counts[:, None]).sum(0) / counts.sum().clamp(min=1)
    return mean


def dream_loss(
    fake: Float[Tensor, "N h w"], real: Float[Tensor, "N h w"], counts: Float[Tensor, "N"]
) -> Float[Tensor, ""]:
    """Small when the dreamt frames that count look more recorded than the recorded ones."""
    return _mean(F.softplus(real - fake), counts)


def critic_loss(
    logits: Float[Tensor, "4 N h w"], penalty: float, counts: Float[Tensor, "N"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Loss and its squared slope.

    logits: of recorded frames, of dreamt ones, and of both with the noise of `jittered` on them. counts: 1 where the
    dreamt frame counts.
    """
    real, fake, real_moved, fake_moved = logits.unbind(0)
    slope = _mean((real_moved - real).square() + (fake_moved - fake).square(), counts) / _JITTER**2
    return _mean(F.softplus(fake - real), counts) + penalty * slope, slope


def told_apart(
    fake: Float[Tensor, "N h w"], real: Float[Tensor, "N h w"], counts: Float[Tensor, "N"]
) -> Float[Tensor, ""]:
    """Share of pairs, among frames that count, in which the recorded one looks more recorded."""
    return _mean((real > fake).float(), counts)


def _mean(values: Float[Tensor, "N h w"], counts: Float[Tensor, "N"]) -> Float[Tensor, ""]:
    mean: Tensor = (values.mean((1, 2)) * counts).sum() / counts.sum().clamp(min=1)
    return mean


def jittered(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Frames with the noise that the penalties are measured by."""
    return frames + _JITTER * torch.randn(frames.shape, generator=generator).to(frames)
