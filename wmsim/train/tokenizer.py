"""The tokenizer stage: single frames to latents and back; noise on the latents makes the decoder forgive errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from wmsim.model.precision import autocast
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
        with autocast(self.device):
            latent = self._encode(pixels)
            noise = torch.randn(latent.shape, generator=draw.torch).to(latent)
            made = self._decode(latent + self.config.noise * noise)
        return scored(made, pixels)

    def saved(self) -> None:
        """Nothing ships from this stage alone."""


def scored(made: Float[Tensor, "B 3 H W"], pixels: Float[Tensor, "B 3 H W"]) -> dict[str, Tensor]:
    """The reconstruction loss of pixels, and the PSNR in dB."""
    error = (made.detach() - pixels).square().mean() / 4
    return {"total": reconstruction_loss(made, pixels), "psnr": -10 * error.log10()}
