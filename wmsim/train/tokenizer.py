"""The tokenizer stage: frames to latents and back; noise on the latents makes the decoder forgive the dynamics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float16, Int64, UInt8
from torch import Tensor, nn

from wmsim.model.tokenizer import Tokenizer, reconstruction_loss, to_pixels
from wmsim.train.loop import Draw


@dataclass(frozen=True)
class TokenizerStageConfig:
    """batch: frames a step. noise: standard deviation of the noise added to the latents."""

    batch: int = 64
    noise: float = 0.05


class TokenizerStage:
    """Trains `tokenizer` on some `rows` of frames (N, H, W, 3) uint8, which may be a memory map."""

    name = "tokenizer"

    def __init__(
        self,
        tokenizer: Tokenizer,
        frames: UInt8[np.ndarray, "N H W 3"],
        rows: Int64[np.ndarray, " R"],
        config: TokenizerStageConfig,
        device: str = "cpu",
        compiled: bool = False,
    ) -> None:
        self.module: nn.Module = tokenizer
        self.frames, self.rows, self.config, self.device = frames, rows, config, device
        self._encode = torch.compile(tokenizer.encode_pixels) if compiled else tokenizer.encode_pixels
        self._decode = torch.compile(tokenizer.decode_pixels) if compiled else tokenizer.decode_pixels

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """The reconstruction loss, and the PSNR in dB it was made at."""
        rows = np.sort(draw.numpy.choice(self.rows, self.config.batch))
        pixels = to_pixels(torch.from_numpy(self.frames[rows]).to(self.device))
        with torch.autocast(self.device.split(":")[0], torch.bfloat16):
            latent = self._encode(pixels)
            noise = torch.randn(latent.shape, generator=draw.torch).to(latent)
            made = self._decode(latent + self.config.noise * noise)
        return _scored(made, pixels)

    def saved(self) -> None:
        """Nothing ships from this stage alone."""


class DecoderStage:
    """Trains the decoder on, encoder frozen: the latents (N, h, w, c) that the dynamics learnt keep their meaning.

    latents and frames are indexed by the same `rows`; `config.noise` stands for the errors of the dynamics.
    """

    name = "decoder"

    def __init__(
        self,
        tokenizer: Tokenizer,
        latents: Float16[np.ndarray, "N h w c"],
        frames: UInt8[np.ndarray, "N H W 3"],
        rows: Int64[np.ndarray, " R"],
        config: TokenizerStageConfig,
        device: str = "cpu",
        compiled: bool = False,
    ) -> None:
        self.module: nn.Module = tokenizer
        self.latents, self.frames, self.rows, self.config, self.device = latents, frames, rows, config, device
        for frozen in (tokenizer.embed, tokenizer.encoder, tokenizer.encoder_norm, tokenizer.bottleneck):
            frozen.requires_grad_(False)
        tokenizer.encoder_place.requires_grad_(False)
        self._decode = torch.compile(tokenizer.decode_pixels) if compiled else tokenizer.decode_pixels

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """The reconstruction loss, and the PSNR in dB it was made at."""
        rows = np.sort(draw.numpy.choice(self.rows, self.config.batch))
        pixels = to_pixels(torch.from_numpy(self.frames[rows]).to(self.device))
        latent = torch.from_numpy(self.latents[rows]).float().to(self.device)
        noise = torch.randn(latent.shape, generator=draw.torch).to(latent)
        with torch.autocast(self.device.split(":")[0], torch.bfloat16):
            made = self._decode((latent + self.config.noise * noise).clamp(-1, 1))
        return _scored(made, pixels)

    def saved(self) -> None:
        """The whole model is saved at the end."""


def _scored(made: Float[Tensor, "B 3 H W"], pixels: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
    error = (made.detach() - pixels).square().mean() / 4
    return {"total": reconstruction_loss(made, pixels), "psnr": -10 * error.log10()}
