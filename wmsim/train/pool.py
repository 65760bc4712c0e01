"""The pool: dreams that go on for as long as the training does, and the driver at their wheel.

Shape legend: N dreams, n of them, K frames kept, S tokens of C channels, A action width, F width of features.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from wmsim.model.cache import RollingCache
from wmsim.model.world_model import WorldModelConfig
from wmsim.train.critic import BEFORE


class Pool(nn.Module):
    """What N dreams remember, as buffers: it is saved and resumed with the network.

    cache: as in the dream. recent: their last frames, newest last. sink: their first. features: of the newest. age: how
    many frames they have dreamt, -1 in places that hold no dream.
    """

    recent: Float[Tensor, "N K S C"]
    sink: Float[Tensor, "N S C"]
    features: Float[Tensor, "N F"]
    age: Int64[Tensor, " N"]

    def __init__(self, config: WorldModelConfig, dreams: int, device: str = "cpu") -> None:
        super().__init__()
        size = (config.dynamics.tokens, config.dynamics.channels)
        self.cache = RollingCache(config.dynamics, dreams, torch.bfloat16, device)
        for index, (keys, values) in enumerate(self.cache.layers):
            self.register_buffer(f"keys_{index}", keys)
            self.register_buffer(f"values_{index}", values)
        self.register_buffer("counts", self.cache.counts)
        self.register_buffer("newest", self.cache.newest)
        self.register_buffer("recent", torch.zeros(dreams, max(BEFORE), *size, device=device))
        self.register_buffer("sink", torch.zeros(dreams, *size, device=device))
        self.register_buffer("features", torch.zeros(dreams, 2 * config.dynamics.dim, device=device))
        self.register_buffer("age", torch.full((dreams,), -1, device=device))

    def see(self, rows: list[int], tokens: Float[Tensor, "n S C"], features: Float[Tensor, "n F"]) -> None:
        """Take in a frame of `rows`, which the cache has been shown already."""
        began = (self.cache.counts[rows] == 1)[:, None, None]
        self.sink[rows] = torch.where(began, tokens, self.sink[rows])
        self.recent[rows] = torch.cat([self.recent[rows, 1:], tokens[:, None]], 1)
        self.features[rows] = features.float()


class Driver(nn.Module):
    """What the recorded drivers do next, on average, from the features of the present frame."""

    def __init__(self, features: int, actions: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(features, 128), nn.Linear(128, actions)

    def forward(self, features: Float[Tensor, "*rows F"]) -> Float[Tensor, "*rows A"]:
        """Actions, not bounded."""
        out: Tensor = self.out(F.silu(self.hidden(features)))
        return out
