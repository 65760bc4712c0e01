"""Rolling cache: the keys and values of the first frame and of the last `context` frames, preallocated for each row.

Shape legend: B rows, N tokens, G key/value heads, M = context + 2 places (sink, ring, present), E head width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wmsim.model.dynamics import Cache, DynamicsConfig


class RollingCache:
    """Place 0 keeps the first frame (the sink), places 1 .. context are a ring, the last one is the frame in work."""

    def __init__(
        self, config: DynamicsConfig, rows: int, dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> None:
        self.context = config.context
        tokens, width = config.tokens + config.registers, config.dim // config.heads
        shape = (rows, tokens, config.kv_heads, config.context + 2, width)
        self.layers: Cache = [
            (torch.zeros(shape, dtype=dtype, device=device), torch.zeros(shape, dtype=dtype, device=device))
            for _ in range(config.time_layers)
        ]
        self.counts = torch.zeros(rows, dtype=torch.long, device=device)
        self.newest = torch.zeros(rows, config.tokens, config.channels, device=device)

    def clear(self, rows: Sequence[int]) -> None:
        """Forget every frame of `rows`."""
        self.counts[list(rows)] = 0
        self.newest[list(rows)] = 0

    def gather(self, rows: Sequence[int]) -> Cache:
        """The layers of `rows`: the storage itself when all rows are asked for in order, else a copy."""
        if list(rows) == list(range(len(self.counts))):
            return self.layers
        index = torch.as_tensor(rows, device=self.counts.device)
        return [(keys[index], values[index]) for keys, values in self.layers]

    def ages(self, rows: Sequence[int]) -> tuple[Int[Tensor, "n M"], Bool[Tensor, "n M"]]:
        """Age in frames of each place seen from the next frame, and which places hold something."""
        counts = self.counts[list(rows), None]
        ring = torch.arange(self.context, device=counts.device)
        newest = (counts - 2) % self.context
        behind = (newest - ring) % self.context + 1
        filled = ring < (counts - 1).clamp(max=self.context)
        sink, own = torch.full_like(counts, self.context + 1), torch.zeros_like(counts)
        seen = torch.cat([counts > 0, filled, torch.ones_like(counts, dtype=torch.bool)], -1)
        return torch.cat([sink, behind, own], -1), seen

    def commit(self, rows: Sequence[int], layers: Cache, shown: Float[Tensor, "n S C"]) -> None:
        """Keep the present frame of `layers` (as `gather` gave them), which was `shown`, as the newest of `rows`."""
        index = torch.as_tensor(list(rows), device=self.counts.device)
        count = self.counts[index]
        place = torch.where(count == 0, 0, 1 + (count - 1) % self.context)
        for (keys, values), (made_keys, made_values) in zip(self.layers, layers, strict=True):
            keys[index, :, :, place] = made_keys[:, :, :, -1]
            values[index, :, :, place] = made_values[:, :, :, -1]
        self.counts[index] += 1
        self.newest[index] = shown.float()

    def state(self, row: int) -> dict[str, Any]:
        """A copy of one row, for `load`."""
        kept = [part[row, ..., :-1, :] for layer in self.layers for part in layer]
        return {
            "layers": torch.stack(kept),
            "count": int(self.counts[row]),
            "newest": self.newest[row].clone(),
        }

    def load(self, row: int, state: dict[str, Any]) -> None:
        """Put the copy that `state` made into a row."""
        for part, kept in zip((part for layer in self.layers for part in layer), state["layers"], strict=True):
            part[row, ..., :-1, :] = kept
        self.counts[row], self.newest[row] = state["count"], state["newest"]
