"""What a dream draws anew for every episode, so that an agent cannot learn the habits of one sampler.

Shape legend: n slots.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from wmsim.dream.noise import keyed_index, keyed_uniform


@dataclass(frozen=True)
class Randomise:
    """Domain randomisation of the model itself: both numbers hold for an episode and follow from its seed.

    steps: K, denoising passes a frame, drawn evenly from these. context: range of the signal level at which the network
    remembers frames; 1 is without noise.
    """

    steps: tuple[int, ...] = (1, 2)
    context: tuple[float, float] = (0.85, 1.0)

    def __post_init__(self) -> None:
        """ValueError: no passes, or signal levels outside 0 .. 1."""
        if not self.steps or min(self.steps) < 1:
            raise ValueError(f"steps are some counts of at least 1 denoising pass, got {self.steps}")
        if not 0 < self.context[0] <= self.context[1] <= 1:
            raise ValueError(f"context is a range of signal levels in 0 .. 1, low first, got {self.context}")

    def drawn(self, seeds: Int64[Tensor, " n"]) -> tuple[Int64[Tensor, " n"], Float[Tensor, " n"]]:
        """K and signal level of the episodes with these seeds."""
        choices = torch.tensor(self.steps, device=seeds.device)
        low, high = self.context
        return choices[keyed_index(seeds + 1, len(self.steps))], low + (high - low) * keyed_uniform(seeds)
