"""Tokenizer: a frame becomes a small grid of bounded latents and back, by two vision transformers.

The way back may look at the frame before: what only moved is carried over from there, pixel by pixel, and what is new
is painted.

Shape legend: B frames, H x W pixels, h x w grid of patches, N = h w patches, C latent channels, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from wmsim.model.layers import RMSNorm, SpaceBlock

_CELLS, _UNTAUGHT = 4, -4.0
"""Cells of flow along each side of a patch; logit of the share that is carried over before that is learnt."""


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
    pixel_places: Tensor

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
        self.look = nn.Linear(pixels, dim, bias=False)
        self.motion = nn.Linear(dim, pixels // 3 + 2 * _CELLS**2)
        nn.init.zeros_(self.look.weight)
        nn.init.zeros_(self.motion.weight)
        with torch.no_grad():
            self.motion.bias.zero_()[: pixels // 3] = _UNTAUGHT
        self.register_buffer("overlaps", self._overlaps(), persistent=False)
        self.register_buffer("pixel_places", self._pixel_places(), persistent=False)

    def _block(self) -> SpaceBlock:
        return SpaceBlock(self.config.dim, self.config.heads, self.config.heads, self.config.hidden)

    def _overlaps(self) -> Float[Tensor, "1 1 H W"]:
        ones = torch.ones(1, 1, self.config.height, self.config.width)
        return self._fold(F.unfold(ones, **self._windows()), 1)

    def _pixel_places(self) -> Float[Tensor, "H W 2"]:
        rows, columns = torch.arange(self.config.height) + 0.5, torch.arange(self.config.width) + 0.5
        return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)

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
        x = self.embed(self._cut(pixels))
        x = x + self.encoder_place.to(x.dtype)
        for block in self.encoder:
            x = block(x)
        latent = torch.tanh(self.bottleneck(self.encoder_norm(x)))
        return rearrange(latent, "b (h w) c -> b h w c", h=self.config.grid[0])

    def _cut(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B N P"]:
        return rearrange(F.unfold(pixels, **self._windows()), "b p n -> b n p")

    def decode_pixels(
        self,
        latent: Float[Tensor, "B h w C"],
        before: Float[Tensor, "B 3 H W"] | None = None,
        linked: Bool[Tensor, "B"] | None = None,
    ) -> Float[Tensor, "B 3 H W"]:
        """Pixels around [-1, 1], not clamped.

        before: the frame before, in [-1, 1]; of rows that are not `linked` it is not looked at (None: of none is / of
        all are). Each pixel is a learned mixture of painted and carried over, the latter sampled from `before` where
        the predicted optical flow points.
        """
        x = self.unfold_latent(rearrange(latent, "b h w c -> b (h w) c"))
        x = x + self.decoder_place.to(x.dtype)
        known = None if linked is None else linked[:, None, None].to(x.dtype)
        if before is not None:
            seen = self.look(self._cut(before.to(self.look.weight.dtype)))
            x = x + (seen if known is None else seen * known)
        for block in self.decoder:
            x = block(x)
        x = self.decoder_norm(x)
        painted = self._fold(rearrange(self.paint(x), "b n p -> b p n").float(), 3) / self.overlaps
        if before is None:
            return painted
        share, carried = self._carry(x, before.float())
        share = share if known is None else share * known[..., None].float()
        return painted + share * (carried - painted)

    def _carry(self, x: Float[Tensor, "B N D"], before: Tensor) -> tuple[Float[Tensor, "B 1 H W"], Tensor]:
        """The share that is carried over, and `before` moved by the flow (in pixels, from target to source)."""
        rows, side = self.config.grid[0], _CELLS
        motion = self.motion(x).float()
        share, flow = motion.split([motion.shape[-1] - 2 * side**2, 2 * side**2], -1)
        share = torch.sigmoid(self._fold(rearrange(share, "b n p -> b p n"), 1) / self.overlaps)
        flow = rearrange(flow, "b (h w) (c p q) -> b c (h p) (w q)", h=rows, c=2, p=side)
        flow = F.interpolate(flow, size=before.shape[-2:], mode="bilinear", align_corners=False)
        place = self.pixel_places + rearrange(flow, "b c h w -> b h w c")
        scale = torch.tensor([self.config.width, self.config.height], device=place.device)
        carried = F.grid_sample(before, place * (2 / scale) - 1, "bilinear", "border", align_corners=False)
        return share, carried

    def decode(
        self, latent: Float[Tensor, "B h w C"], before: UInt8[Tensor, "B H W 3"] | None = None
    ) -> UInt8[Tensor, "B H W 3"]:
        """Frames of latents, with what moved carried over from the frames `before` where they are given."""
        return to_frames(self.decode_pixels(latent, None if before is None else to_pixels(before)))


def to_pixels(frames: UInt8[Tensor, "*rows H W 3"]) -> Float[Tensor, "*rows 3 H W"]:
    """uint8 frames -> float32 pixels in [-1, 1]."""
    return rearrange(frames, "... h w c -> ... c h w").float() / 127.5 - 1.0


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
