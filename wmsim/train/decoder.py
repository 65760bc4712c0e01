"""The decoder stage: the decoder learns to draw what the dynamics dreams, frame after frame, from its own last frame.

Shape legend: B windows of T frames, S tokens of C channels, H x W pixels, h x w grid, c latent channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wmsim.model.flow import CONTEXT_TAU
from wmsim.model.precision import autocast
from wmsim.model.tokenizer import to_pixels
from wmsim.model.world_model import WorldModel
from wmsim.train.dynamics import dreamt
from wmsim.train.latents import LatentBatch, Latents
from wmsim.train.loop import Draw
from wmsim.train.tokenizer import scored


@dataclass(frozen=True)
class DecoderStageConfig:
    """What one batch is made of.

    batch: windows of `frames` frames, of which the last `run` are drawn. They are drawn as the dynamics dreams them, 1
    to `depth` frames deep; in the share `exact` of the windows as they are, with noise of standard deviation `noise` on
    the latents. real: share of frames that look at the real frame before instead of at the one just drawn; blind: share
    that look at none, as the first frame of a dream must.
    """

    batch: int = 8
    frames: int = 20
    run: int = 12
    depth: int = 4
    exact: float = 0.25
    noise: float = 0.05
    real: float = 0.3
    blind: float = 0.15

    def __post_init__(self) -> None:
        """Check that some of a window is left to begin from."""
        if not 1 <= self.run < self.frames:
            raise ValueError(f"run={self.run} frames are drawn of a window of frames={self.frames}: fewer, at least 1")


class DecoderStage:
    """Trains the decoder of `model`; encoder and dynamics are frozen, so `latents` keep their meaning."""

    name = "decoder"

    def __init__(
        self,
        model: WorldModel,
        latents: Latents,
        config: DecoderStageConfig,
        device: str = "cpu",
        compiled: bool = False,
    ) -> None:
        self.model, self.latents, self.config, self.device = model, latents, config, device
        tokenizer = model.tokenizer
        self.module: nn.Module = tokenizer
        for frozen in (tokenizer.embed, tokenizer.encoder, tokenizer.encoder_norm, tokenizer.bottleneck):
            frozen.requires_grad_(False)
        tokenizer.encoder_place.requires_grad_(False)
        self._decode = torch.compile(tokenizer.decode_pixels) if compiled else tokenizer.decode_pixels
        self._dynamics = torch.compile(model.dynamics) if compiled else model.dynamics

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """The reconstruction loss of the drawn frames, and the PSNR in dB it was made at."""
        c = self.config
        batch = self.latents.sample(draw, c.batch, c.frames, 0.0)
        with autocast(self.device):
            latent = self._latent(batch, draw)
            return self._drawn(latent, batch, draw)

    def _drawn(self, latent: Float[Tensor, "B T h w c"], batch: LatentBatch, draw: Draw) -> dict[str, Tensor]:
        c, first = self.config, self.config.frames - self.config.run
        frames = torch.from_numpy(self.latents.cache.frames[batch.rows[:, first - 1 :]]).to(self.device)
        real, linked = to_pixels(frames), batch.linked.to(self.device)
        made = self._decode(latent[:, first - 1])
        parts = [scored(made, real[:, 0])]
        for t in range(first, c.frames):
            known, looking = torch.rand(2, c.batch, generator=draw.torch).to(self.device)
            before = torch.where(known[:, None, None, None] < c.real, real[:, t - first], made.detach().clamp(-1, 1))
            made = self._decode(latent[:, t], before, linked[:, t] & (looking >= c.blind))
            parts.append(scored(made, real[:, t - first + 1]))
        return {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}

    @torch.no_grad()
    def _latent(self, batch: LatentBatch, draw: Draw) -> Float[Tensor, "B T h w c"]:
        """What each frame is dreamt as; in some windows what it is."""
        c, device = self.config, self.device
        clean, linked = self.model.to_tokens(batch.latent.to(device)), batch.linked.to(device)
        level = torch.full((c.batch,), CONTEXT_TAU, device=device)
        alone = torch.zeros(c.batch, dtype=torch.bool, device=device)
        depth, finest = int(draw.common.integers(1, c.depth + 1)), self.model.config.dynamics.finest
        given = (level, batch.asked.to(device), linked, alone)
        made = self.model.to_latent(dreamt(self._dynamics, finest, clean, linked, depth, draw, *given))
        jitter = torch.randn(batch.latent.shape, generator=draw.torch)
        exact = (batch.latent + c.noise * jitter).clamp(-1, 1).to(device)
        chosen = torch.rand(c.batch, 1, 1, 1, 1, generator=draw.torch).to(device) < c.exact
        return torch.where(chosen, exact, made)

    def saved(self) -> None:
        """The whole model is saved at the end."""
