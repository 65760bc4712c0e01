"""The critic: tells dreamt latents from recorded ones, so that a single pass learns to draw samples and not means.

Relativistic pairing with zero-centred gradient penalties on both sides (R3GAN, Huang et al., arXiv 2501.05441), the
penalties by finite differences (Seaweed-APT, Lin et al., arXiv 2501.08316): no second derivatives, so it compiles.

Shape legend: N frames, K of them seen together, S tokens of C channels, A action width, h x w latents.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wmsim.model.dynamics import unpack
from wmsim.model.world_model import WorldModelConfig

BEFORE = (4, 1)
"""Ages of the frames seen before the judged one: over a quarter of a second it shows when a scene stands still."""

SEEN = len(BEFORE) + 1
"""K: those and the judged one."""

_JITTER = 0.1
"""Standard deviation of the noise that the penalties are measured by, against latents of spread 1."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity; `shift` comes in between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.norm = nn.GroupNorm(8, width)

    def forward(self, x: Float[Tensor, "N D h w"], shift: Float[Tensor, "N D"]) -> Float[Tensor, "N D h w"]:
        """The same shape."""
        h = self.norm(self.first(F.leaky_relu(x, 0.2))) + shift[..., None, None]
        out: Tensor = x + self.second(F.leaky_relu(h, 0.2))
        return out


class Critic(nn.Module):
    """A logit for every latent of a frame, given two frames before it, the sink and the action."""

    def __init__(self, config: WorldModelConfig, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.rows, self.side = config.tokenizer.grid[0], config.side
        self.action = nn.Linear(config.dynamics.actions, width)
        self.inward = nn.Conv2d((SEEN + 1) * config.tokenizer.channels, width, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(width) for _ in range(depth))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(
        self, frames: Float[Tensor, "N K S C"], sink: Float[Tensor, "N S C"], action: Float[Tensor, "N A"]
    ) -> Float[Tensor, "N h w"]:
        """frames: those before, oldest first, and the judged one."""
        grid = unpack(torch.cat([frames, sink[:, None]], 1), self.rows, self.side)
        x = self.inward(rearrange(grid, "n k h w c -> n (k c) h w"))
        shift = self.action(action)
        for block in self.blocks:
            x = block(x, shift)
        out: Tensor = self.out(F.leaky_relu(x, 0.2)).squeeze(1).float()
        return out


def dream_loss(fake: Float[Tensor, "N h w"], real: Float[Tensor, "N h w"]) -> Float[Tensor, ""]:
    """Small when the dreamt frames look more recorded than the recorded ones."""
    return F.softplus(real - fake).mean()


def critic_loss(
    logits: Float[Tensor, "4 N h w"], penalty: float
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """Loss, its squared slope, and the share of pairs that the critic tells apart.

    logits: of recorded frames, of dreamt ones, and of both with the noise of `jittered` on them.
    """
    real, fake, real_moved, fake_moved = logits.unbind(0)
    slope = ((real_moved - real).square() + (fake_moved - fake).square()).mean() / _JITTER**2
    return F.softplus(fake - real).mean() + penalty * slope, slope, (real > fake).float().mean()


def jittered(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Frames with the noise that the penalties are measured by."""
    return frames + _JITTER * torch.randn(frames.shape, generator=generator).to(frames)
