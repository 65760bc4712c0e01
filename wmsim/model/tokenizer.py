"""Tokenizer: a frame becomes a small grid of bounded latents and back, by two vision transformers.

Shape legend: B frames, H x W pixels, h x w grid of patches, N = h w patches, C latent channels, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from wmsim.model.layers import RMSNorm, SpaceBlock


@dataclass(frozen=True)
class TokenizerConfig:
    """Sizes of a `Tokenizer`. Patches overlap by `overlap` pixels on each side, which hides their borders."""

    height: int = 64
    width: int = 64
    patch: int = 8
    overlap: int = 2
    channels: int = 16
    dim: int = 160
    heads: int = 4
    hidden: int = 400
    encoder_layers: int = 2
    decoder_layers: int = 4

    def __post_init__(self) -> None:
        """Check that whole patches fill the frame."""
        if self.height % self.patch or self.width % self.patch:
            raise ValueError(f"a {self.height}x{self.width} frame is not made of whole {self.patch}-pixel patches")

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across."""
        return self.height // self.patch, self.width // self.patch


class Tokenizer(nn.Module):
    """Frames (B, H, W, 3) uint8 <-> latents (B, h, w, C) in (-1, 1)."""

    overlaps: Tensor

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        pixels = 3 * (config.patch + 2 * config.overlap) ** 2
        (rows, columns), dim = config.grid, config.dim
        self.embed, self.bottleneck = nn.Linear(pixels, dim), nn.Linear(dim, config.channels)
        self.unfold_latent, self.paint = nn.Linear(config.channels, dim), nn.Linear(dim, pixels)
        self.encoder_place = nn.Parameter(0.02 * torch.randn(rows * columns, dim))
        self.decoder_place = nn.Parameter(0.02 * torch.randn(rows * columns, dim))
        self.encoder = nn.ModuleList(self._block() for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(self._block() for _ in range(config.decoder_layers))
        self.encoder_norm, self.decoder_norm = RMSNorm(dim), RMSNorm(dim)
        self.register_buffer("overlaps", self._overlaps(), persistent=False)

    def _block(self) -> SpaceBlock:
        return SpaceBlock(self.config.dim, self.config.heads, self.config.heads, self.config.hidden)

    def _overlaps(self) -> Float[Tensor, "1 1 H W"]:
        ones = torch.ones(1, 1, self.config.height, self.config.width)
        return self._fold(F.unfold(ones, **self._windows()), 1)

    def _windows(self) -> dict[str, int]:
        patch, overlap = self.config.patch, self.config.overlap
        return {"kernel_size": patch + 2 * overlap, "stride": patch, "padding": overlap}

    def _fold(self, windows: Tensor, channels: int) -> Tensor:
        size = (self.config.height, self.config.width)
        return F.fold(windows, size, **self._windows())

    def encode(self, frames: UInt8[Tensor, "B H W 3"]) -> Float[Tensor, "B h w C"]:
        """Latents of frames, tanh-bounded."""
        return self.encode_pixels(to_pixels(frames).to(self.embed.weight.dtype))

    def encode_pixels(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B h w C"]:
        """Latents of pixels in [-1, 1]."""
        windows = rearrange(F.unfold(pixels, **self._windows()), "b p n -> b n p")
        x = self.embed(windows)
        x = x + self.encoder_place.to(x.dtype)
        for block in self.encoder:
            x = block(x)
        latent = torch.tanh(self.bottleneck(self.encoder_norm(x)))
        return rearrange(latent, "b (h w) c -> b h w c", h=self.config.grid[0])

    def decode_pixels(self, latent: Float[Tensor, "B h w C"]) -> Float[Tensor, "B 3 H W"]:
        """Pixels around [-1, 1], not clamped."""
        x = self.unfold_latent(rearrange(latent, "b h w c -> b (h w) c"))
        x = x + self.decoder_place.to(x.dtype)
        for block in self.decoder:
            x = block(x)
        windows = rearrange(self.paint(self.decoder_norm(x)), "b n p -> b p n")
        return self._fold(windows.float(), 3) / self.overlaps

    def decode(self, latent: Float[Tensor, "B h w C"]) -> UInt8[Tensor, "B H W 3"]:
        """Frames of latents."""
        return to_frames(self.decode_pixels(latent))


def to_pixels(frames: UInt8[Tensor, "B H W 3"]) -> Float[Tensor, "B 3 H W"]:
    """uint8 frames -> float32 pixels in [-1, 1]."""
    return rearrange(frames, "b h w c -> b c h w").float() / 127.5 - 1.0


def to_frames(pixels: Float[Tensor, "B 3 H W"]) -> UInt8[Tensor, "B H W 3"]:
    """Pixels in [-1, 1] -> uint8 frames, clamped and rounded."""
    levels = (pixels.float() + 1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return rearrange(levels, "b c h w -> b h w c").contiguous()


def reconstruction_loss(made: Float[Tensor, "B 3 H W"], wanted: Float[Tensor, "B 3 H W"]) -> Float[Tensor, ""]:
    """Mean squared error plus 0.05 times the L1 error of image gradients at steps of 1, 2 and 4 pixels."""
    error = made - wanted
    gradient = sum(
        (error[..., s:, :] - error[..., :-s, :]).abs().mean() + (error[..., s:] - error[..., :-s]).abs().mean()
        for s in (1, 2, 4)
    )
    return error.square().mean() + 0.05 * gradient / 6
