"""Heads: what one frame's features say about reward, end, proprioception and how wrong the frame will be.

A frame shows little of how fast it is moving, and a soft one less. So the heads can be told what they last said of it
(`felt`), from which speed follows as it does in a car: what it was, and what the pedals made of it. Nor does a dreamt
frame show that the road should have bent two seconds ago: so the heads can have a memory of the dream.

Shape legend: `...` any leading axes, n rows, D width, P proprio width, M memory width, K bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

_BINS, _REACH = 61, 6.0


@dataclass(frozen=True)
class Readings:
    """What the heads say of frames (...): reward, end probability in [0, 1], proprio (..., P), log squared error.

    memory: what they remember from then on, None where they were not given what they remembered before.
    """

    reward: Float[Tensor, "..."]
    end: Float[Tensor, "..."]
    proprio: Float[Tensor, "... P"]
    log_error: Float[Tensor, "..."]
    memory: Float[Tensor, "... M"] | None = None


class Heads(nn.Module):
    """One hidden layer over a frame's features, then reward (symlog two-hot), end, proprio and log-error outputs."""

    bins: Tensor

    def __init__(self, width: int, proprio: int, felt: bool = False, memory: int = 0, hidden: int = 192) -> None:
        """felt: whether the heads take the proprioception of the frame before, see `felt`; not where there is none.

        memory: M, what they remember of a dream, by a gated recurrent unit (Cho et al., arXiv 1406.1078); 0: nothing.
        """
        super().__init__()
        self.sizes = [_BINS, 1, proprio, 1]
        self.hidden, self.out = nn.Linear(width, hidden), nn.Linear(hidden, sum(self.sizes))
        self.feels = felt and proprio > 0
        if self.feels:
            self.feel, self.keep = (nn.Linear(proprio + 1, size, bias=False) for size in (hidden, proprio))
            nn.init.zeros_(self.feel.weight)
            nn.init.zeros_(self.keep.weight)
        self.memory = memory
        if memory:
            self.cell, self.recall = nn.GRUCell(hidden, memory), nn.Linear(memory, hidden, bias=False)
            nn.init.zeros_(self.recall.weight)
        self.register_buffer("bins", torch.linspace(-_REACH, _REACH, _BINS), persistent=False)

    def _hidden(self, features: Tensor, felt: Tensor | None) -> Tensor:
        hidden: Tensor = self.hidden(features)
        return hidden if felt is None or not self.feels else hidden + self.feel(felt.to(hidden.dtype))

    def remember(
        self, features: Float[Tensor, "n D"], felt: Float[Tensor, "n P1"] | None, memory: Float[Tensor, "n M"]
    ) -> Float[Tensor, "n M"]:
        """What the heads remember once they have seen `features`, float32. memory: before; zeros when a dream begins.

        felt: as in `outputs`.
        """
        if not self.memory:
            return memory
        seen = F.silu(self._hidden(features, felt)).float()
        return torch.gru_cell(seen, memory.float(), *(weight.float() for weight in self.cell.parameters()))

    def outputs(
        self,
        features: Float[Tensor, "... D"],
        felt: Float[Tensor, "... P1"] | None = None,
        memory: Float[Tensor, "... M"] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Raw float32 outputs: reward logits (..., K), end logit (...), proprio (..., P), log error (...).

        felt: `felt` of the frame before; None: nothing is known of it, or the heads do not take it. memory: what
        `remember` gives of these features; None: nothing.
        """
        hidden = self._hidden(features, felt)
        if memory is not None and self.memory:
            hidden = hidden + self.recall(memory.to(hidden.dtype))
        out = self.out(F.silu(hidden)).float()
        reward, end, proprio, error = out.split(self.sizes, -1)
        if felt is not None and self.feels:
            proprio = proprio + F.linear(felt.float(), self.keep.weight.float())
        return reward, end.squeeze(-1), proprio, error.squeeze(-1)

    def forward(
        self,
        features: Float[Tensor, "... D"],
        felt: Float[Tensor, "... P1"] | None = None,
        memory: Float[Tensor, "... M"] | None = None,
    ) -> Readings:
        """The readings of features. felt: as in `outputs`. memory: as before these features."""
        after = None if memory is None else self.remember(features, felt, memory)
        reward, end, proprio, error = self.outputs(features, felt, after)
        expected = (symexp(self.bins) * reward.softmax(-1)).sum(-1)
        return Readings(expected, end.sigmoid(), proprio, error, after)

    def loss(
        self,
        features: Float[Tensor, "... D"],
        reward: Float[Tensor, "..."],
        end: Bool[Tensor, "..."],
        proprio: Float[Tensor, "... P"],
        weight: Float[Tensor, "..."],
        end_odds: float = 0.0,
        felt: Float[Tensor, "... P1"] | None = None,
        memory: Float[Tensor, "... M"] | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """Weighted mean losses by name. proprio is in the units the head was normalised to.

        end_odds: log odds of an end in training above those in the recording, where ends are drawn more often: the
        head learns the recording's (logit adjustment, Menon et al., arXiv 2007.07314). felt, memory: as in `outputs`.
        """
        logits, end_logit, made, _ = self.outputs(features, felt, memory)
        losses = {
            "reward": -(two_hot(reward, self.bins) * logits.log_softmax(-1)).sum(-1),
            "end": F.binary_cross_entropy_with_logits(end_logit + end_odds, end.float(), reduction="none"),
            "proprio": (made - proprio).square().sum(-1),
        }
        return {name: (value * weight).sum() / weight.sum().clamp(min=1) for name, value in losses.items()}

    def error_loss(self, features: Float[Tensor, "... D"], log_error: Float[Tensor, "..."]) -> Float[Tensor, ""]:
        """Squared error of the expected log squared error, read before the frame is known."""
        return (self.outputs(features)[3] - log_error).square().mean()


def felt(proprio: Float[Tensor, "... P"], known: Bool[Tensor, "..."] | None = None) -> Float[Tensor, "... P1"]:
    """Proprioception (normalised) with a one behind it; zeros, which tell nothing, where it is not known."""
    told = torch.cat([proprio, proprio.new_ones(*proprio.shape[:-1], 1)], -1)
    return told if known is None else told * known[..., None]


def symlog(x: Tensor) -> Tensor:
    """sign(x) log(1 + |x|) (DreamerV3, arXiv 2301.04104)."""
    return x.sign() * x.abs().log1p()


def symexp(x: Tensor) -> Tensor:
    """The inverse of `symlog`."""
    return x.sign() * x.abs().expm1()


def two_hot(value: Float[Tensor, "..."], bins: Float[Tensor, "K"]) -> Float[Tensor, "... K"]:
    """Weights on the two nearest of `bins` (evenly spaced in symlog) whose symexp-expectation is `value`."""
    place = torch.bucketize(value, symexp(bins)).clamp(1, len(bins) - 1)
    low, high = symexp(bins)[place - 1], symexp(bins)[place]
    share = ((value - low) / (high - low)).clamp(0, 1)
    weights = torch.zeros(*value.shape, len(bins), device=value.device)
    weights.scatter_(-1, (place - 1)[..., None], (1 - share)[..., None])
    return weights.scatter_(-1, place[..., None], share[..., None])
