"""The pool: dreams that go on for as long as the training does, and the driver at their wheel.

Shape legend: N dreams, n of them, K frames kept, S tokens of C channels, A action width, F width of features.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from wmsim.model.cache import RollingCache
from wmsim.model.dynamics import Cache
from wmsim.model.flow import CONTEXT_TAU
from wmsim.model.precision import fast_dtype
from wmsim.model.world_model import WorldModel
from wmsim.train.critic import BEFORE
from wmsim.train.loop import Draw

Step = Callable[..., tuple[Tensor, Tensor]]
"""`Dynamics.step`, or what it was compiled to."""


class Pool(nn.Module):
    """What N dreams remember, as buffers: it is saved and resumed with the network.

    cache: as in the dream. recent: their last frames, newest last. sink: their first. features: of the newest. age: how
    many frames they have dreamt, -1 in places that hold no dream.
    """

    recent: Float[Tensor, "N K S C"]
    sink: Float[Tensor, "N S C"]
    features: Float[Tensor, "N F"]
    age: Int64[Tensor, " N"]

    def __init__(self, model: WorldModel, dreams: int, device: str = "cpu") -> None:
        super().__init__()
        config = model.config
        self._model = (model,)  # in a tuple, so that its weights are not taken for the pool's
        size = (config.dynamics.tokens, config.dynamics.channels)
        self.cache = RollingCache(config.dynamics, dreams, fast_dtype(device), device)
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

    def begin(
        self, step: Step, rows: list[int], tokens: Float[Tensor, "n T S C"], action: Float[Tensor, "n T A"], draw: Draw
    ) -> None:
        """Let `rows` begin from recorded frames."""
        self.cache.clear(rows)
        self.age[rows] = 0
        with torch.no_grad():
            for t in range(tokens.shape[1]):
                self.show(step, rows, tokens[:, t], action[:, t], draw)

    def sample(
        self, step: Step, rows: list[int], action: Float[Tensor, "n A"], size: Float[Tensor, "n"], draw: Draw
    ) -> tuple[Float[Tensor, "n S C"], Float[Tensor, "n F"]]:
        """The next frame of `rows` in one pass of step `size`, and the features of that pass."""
        before, zero = self.cache.newest[rows], torch.zeros_like(size)
        noise = torch.randn(before.shape, generator=draw.torch).to(action)
        return step(noise, before, zero, size, action, zero == 0, *self._past(rows))

    def show(
        self, step: Step, rows: list[int], tokens: Float[Tensor, "n S C"], action: Float[Tensor, "n A"], draw: Draw
    ) -> Float[Tensor, "n F"]:
        """Show the network a finished frame of `rows`, as the dream does; its features."""
        cache, finest = self.cache, self._model[0].config.dynamics.finest
        noise = torch.randn(tokens.shape, generator=draw.torch).to(tokens.device)
        seen = (1 - CONTEXT_TAU) * noise + CONTEXT_TAU * tokens
        level = torch.full((len(rows),), CONTEXT_TAU, device=tokens.device)
        layers, bias = self._past(rows)
        size, linked = torch.full_like(level, 1 / finest), cache.counts[rows] > 0
        _, features = step(seen, cache.newest[rows], level, size, action, linked, layers, bias)
        with torch.no_grad():
            cache.commit(rows, layers, seen)
            self.see(rows, tokens, features)
        return features

    def _past(self, rows: list[int]) -> tuple[Cache, list[Tensor]]:
        """The layers of `rows`, always copies, which the step may write to while gradients are taken; and the bias."""
        bias, index = self._model[0].dynamics.cache_bias(*self.cache.ages(rows)), torch.tensor(rows)
        return [(keys[index], values[index]) for keys, values in self.cache.layers], bias


def bounded(model: WorldModel, tokens: Float[Tensor, "n S C"]) -> Float[Tensor, "n S C"]:
    """Tokens of latents that the tokenizer could have made."""
    return model.to_tokens(model.to_latent(tokens))


class Driver(nn.Module):
    """What the recorded drivers do next, on average, from the features of the present frame."""

    def __init__(self, features: int, actions: int) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(features, 128), nn.Linear(128, actions)

    def forward(self, features: Float[Tensor, "*rows F"]) -> Float[Tensor, "*rows A"]:
        """Actions, not bounded."""
        out: Tensor = self.out(F.silu(self.hidden(features)))
        return out
