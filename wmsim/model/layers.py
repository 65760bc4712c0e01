"""Transformer parts shared by tokenizer and dynamics: attention, SwiGLU, normalisation and sinusoidal embeddings.

Shape legend: R rows (any batch), N tokens, M keys, D width, H query heads, G key/value heads, E head width.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


def attend(
    query: Float[Tensor, "R H N E"],
    key: Float[Tensor, "R G M E"],
    value: Float[Tensor, "R G M E"],
    bias: Tensor | None = None,
) -> Float[Tensor, "R H N E"]:
    """Grouped-query attention softmax(q k^T / sqrt(E) + bias) v, written out.

    bias broadcasts against (R, G, H/G, N, M). On the small shapes of this model the written-out form trains faster on
    a CPU than `scaled_dot_product_attention`, whose fixed cost a call dominates.
    """
    groups, shared = key.shape[1], query.shape[1] // key.shape[1]
    grouped = rearrange(query, "r (g s) n e -> r g (s n) e", g=groups) * (query.shape[-1] ** -0.5)
    logits = rearrange(grouped @ key.mT, "r g (s n) m -> r g s n m", s=shared)
    if bias is not None:
        logits = logits + bias
    weight = rearrange(logits.softmax(-1, dtype=torch.float32).to(value.dtype), "r g s n m -> r g (s n) m")
    mixed: Tensor = rearrange(weight @ value, "r g (s n) e -> r (g s) n e", s=shared)
    return mixed


class SwiGLU(nn.Module):
    """Gated feed-forward layer: down(silu(gate x) * up x) (Shazeer, arXiv 2002.05202)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        gate, up = self.up(x).chunk(2, -1)
        out: Tensor = self.down(F.silu(gate) * up)
        return out


class RMSNorm(nn.Module):
    """Root-mean-square normalisation with a learned scale, in its input's dtype; on heads: QK-norm (2010.04245)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        return F.rms_norm(x, (x.shape[-1],), self.scale.to(x.dtype), eps=1e-6)


class Projections(nn.Module):
    """The linear maps of one attention layer: normalised queries and keys, values, and the way out."""

    def __init__(self, width: int, heads: int, kv_heads: int) -> None:
        super().__init__()
        if width % heads or heads % kv_heads:
            raise ValueError(f"width {width} must be a multiple of heads {heads}, heads of kv_heads {kv_heads}")
        self.heads, self.kv_heads, self.head_width = heads, kv_heads, width // heads
        self.inward = nn.Linear(width, (heads + 2 * kv_heads) * self.head_width, bias=False)
        self.outward = nn.Linear(width, width, bias=False)
        self.query_norm, self.key_norm = RMSNorm(self.head_width), RMSNorm(self.head_width)

    def split(self, x: Float[Tensor, "R N D"]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (R, H, N, E) and keys and values (R, G, N, E)."""
        h, g = self.heads, self.kv_heads
        parts = rearrange(self.inward(x), "r n (p e) -> r p n e", e=self.head_width)
        query, key, value = parts.split([h, g, g], 1)
        return self.query_norm(query), self.key_norm(key), value

    def merge(self, x: Float[Tensor, "R H N E"]) -> Float[Tensor, "R N D"]:
        """Back to one vector a token."""
        out: Tensor = self.outward(rearrange(x, "r h n e -> r n (h e)"))
        return out


class SpaceBlock(nn.Module):
    """Pre-norm transformer block whose tokens attend to every token of their own frame."""

    def __init__(self, width: int, heads: int, kv_heads: int, hidden: int) -> None:
        super().__init__()
        self.norm, self.attention = RMSNorm(width), Projections(width, heads, kv_heads)
        self.mlp_norm, self.mlp = RMSNorm(width), SwiGLU(width, hidden)

    def forward(self, x: Float[Tensor, "R N D"]) -> Float[Tensor, "R N D"]:
        """Mixes the tokens of each row; places are learned and added before the first block."""
        query, key, value = self.attention.split(self.norm(x))
        x = x + self.attention.merge(attend(query, key, value))
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out


def sinusoid(value: Float[Tensor, "..."], width: int, period: float = 1.0) -> Float[Tensor, "... width"]:
    """Sines and cosines of `value` at `width / 2` octave-spaced frequencies, the slowest of the given period."""
    octaves = torch.arange(width // 2, device=value.device, dtype=torch.float32)
    angle = value.float()[..., None] * (2 * math.pi / period) * 2 ** (octaves * 8 / max(width // 2 - 1, 1))
    return torch.cat([angle.sin(), angle.cos()], -1)
