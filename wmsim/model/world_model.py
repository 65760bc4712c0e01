"""The world model: tokenizer, dynamics and the scales between them, as one module that is saved and loaded whole.

Shape legend: B frames or slots, H x W pixels, S tokens of C channels a frame, A action width, P proprio width.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor, nn

from wmsim.model.cache import RollingCache
from wmsim.model.dynamics import Cache, Dynamics, DynamicsConfig, pack, unpack
from wmsim.model.events import EXTRA
from wmsim.model.flow import CONTEXT_TAU, sample
from wmsim.model.heads import Readings, felt
from wmsim.model.tokenizer import Tokenizer, TokenizerConfig

_MEANS = 48
"""Frames of a slot, start frames included, during which a single pass is asked for the mean."""


@dataclass(frozen=True)
class WorldModelConfig:
    """Sizes of both networks; `side` x `side` latents of the tokenizer make one token of the dynamics."""

    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)
    side: int = 2

    def __post_init__(self) -> None:
        """Check that the two networks fit each other."""
        rows, columns = self.tokenizer.grid
        tokens, channels = rows * columns // self.side**2, self.tokenizer.channels * self.side**2
        if (tokens, channels) != (self.dynamics.tokens, self.dynamics.channels):
            raise ValueError(
                f"packing a {rows}x{columns} grid by {self.side} gives {tokens} tokens of {channels} channels, "
                f"the dynamics takes {self.dynamics.tokens} of {self.dynamics.channels}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for a checkpoint's metadata."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: dict[str, Any]) -> WorldModelConfig:
        """The inverse of `to_dict`; TypeError names a field that does not exist."""
        tokenizer, dynamics = TokenizerConfig(**plain["tokenizer"]), DynamicsConfig(**plain["dynamics"])
        return WorldModelConfig(tokenizer, dynamics, plain["side"])


@dataclass(frozen=True)
class Past:
    """What some rows of a cache remember: layers, one bias a time layer, the newest frame, whether there is one."""

    layers: Cache
    bias: list[Tensor]
    newest: Float[Tensor, "B S C"]
    linked: Bool[Tensor, "B"]

    def of(self, some: Tensor) -> Past:
        """What some of the rows remember, by their numbers (n,) or a mask (B,)."""
        layers = [(keys[some], values[some]) for keys, values in self.layers]
        return Past(layers, [bias[some] for bias in self.bias], self.newest[some], self.linked[some])


class WorldModel(nn.Module):
    """Tokenizer and dynamics with the mean and spread of latents and proprioception in the training data."""

    latent_mean: Tensor
    latent_std: Tensor
    proprio_mean: Tensor
    proprio_std: Tensor

    def __init__(self, config: WorldModelConfig) -> None:
        super().__init__()
        self.config = config
        self.tokenizer, self.dynamics = Tokenizer(config.tokenizer), Dynamics(config.dynamics)
        for name, width in (("latent", config.tokenizer.channels), ("proprio", config.dynamics.proprio)):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_std", torch.ones(width))

    @property
    def dtype(self) -> torch.dtype:
        """The dtype the network computes in."""
        return self.dynamics.inward.weight.dtype

    def to_tokens(self, latent: Float[Tensor, "*rows h w c"]) -> Float[Tensor, "*rows S C"]:
        """Tokenizer latents -> normalised, packed tokens, float32."""
        return pack((latent.float() - self.latent_mean.float()) / self.latent_std.float(), self.config.side)

    def to_latent(self, tokens: Float[Tensor, "*rows S C"]) -> Float[Tensor, "*rows h w c"]:
        """The inverse of `to_tokens`, bounded as the tokenizer bounds its latents."""
        grid = unpack(tokens.float(), self.config.tokenizer.grid[0], self.config.side)
        return (grid * self.latent_std.float() + self.latent_mean.float()).clamp(-1, 1)

    def normal_proprio(self, proprio: Float[Tensor, "*rows P"]) -> Float[Tensor, "*rows P"]:
        """Proprioception in the units that the heads are taught, of mean 0 and spread 1 in the training data."""
        return (proprio - self.proprio_mean.float()) / self.proprio_std.float()

    def encode(self, frames: UInt8[Tensor, "B H W 3"]) -> Float[Tensor, "B S C"]:
        """Frames -> tokens."""
        return self.to_tokens(self.tokenizer.encode(frames))

    def decode(
        self, tokens: Float[Tensor, "B S C"], before: UInt8[Tensor, "B H W 3"] | None = None
    ) -> UInt8[Tensor, "B H W 3"]:
        """Tokens -> frames; `before`: the frames just before, where they are known."""
        return self.tokenizer.decode(self.to_latent(tokens).to(self.dtype), before)

    def dream(
        self,
        noise: Float[Tensor, "B S C"],
        action: Float[Tensor, "B A"],
        cache: RollingCache,
        rows: list[int],
        steps: int,
        context: Float[Tensor, "B"] | None = None,
        before: Float[Tensor, "B P"] | None = None,
        memory: Float[Tensor, "B M"] | None = None,
    ) -> tuple[Float[Tensor, "B S C"], Readings]:
        """The next frame of `rows`: `steps` denoising passes, then `commit`; log_error is that of the first pass.

        before: proprioception of the last frame, None where it is not known. memory: what the heads remember of the
        frames that were dreamt so far, zeros for the first of them; None: they do without.

        Several passes give one of the frames that may follow. A single pass gives their mean while a slot is young or
        something was told lately, and one of them else; see `stride`. What was told to a slot may take more passes,
        `event_passes`, of the finest step size.
        """
        tokens, features, first = self.imagine(noise, action, cache, rows, steps, context)
        return tokens, replace(self._read(features, before, memory), log_error=self.dynamics.heads(first).log_error)

    def imagine(
        self,
        noise: Float[Tensor, "B S C"],
        action: Float[Tensor, "B A"],
        cache: RollingCache,
        rows: list[int],
        steps: int,
        context: Float[Tensor, "B"] | None = None,
    ) -> tuple[Float[Tensor, "B S C"], Float[Tensor, "B F"], Float[Tensor, "B F"]]:
        """`dream` before the heads read it: tokens, features of the finished frame, and of its first pass."""
        past, config = self._past(cache, rows), self.config.dynamics
        sole, told = stride(cache.counts[rows], action, config), torch.zeros(len(rows), dtype=torch.bool)
        if config.event_passes > 1:
            told = told_rows(action, config).cpu()
        groups = [
            ((~told).nonzero().flatten(), steps, 1 / steps),
            (told.nonzero().flatten(), max(steps, config.event_passes), 1 / config.finest),
        ]
        made = [self._sampled(noise, action, past, sole, *group) for group in groups if len(group[0]) or not rows]
        tokens, first = (torch.cat(parts) for parts in zip(*made, strict=True))
        if len(made) > 1:
            back = torch.cat([some for some, _, _ in groups]).argsort()
            tokens, first = tokens[back], first[back]
        return tokens, self._show(tokens, noise, action, past, cache, rows, context), first

    def _sampled(
        self,
        noise: Tensor,
        action: Tensor,
        past: Past,
        sole: Tensor,
        some: Int[Tensor, " n"],
        passes: int,
        size: float,
    ) -> tuple[Float[Tensor, "n S C"], Float[Tensor, "n F"]]:
        """The next frame of some of the rows in so many passes, and the features of the first; sole: the step size that
        a single pass is asked for, size: each of several."""
        if len(some) < len(noise):
            noise, action, past, sole = noise[some], action[some], past.of(some), sole[some]
        first: list[Tensor] = []

        def predict(z: Tensor, tau: float, _: float) -> Tensor:
            asked = sole if passes == 1 else torch.full_like(sole, size)
            clean, features = self._pass(z, tau, asked, action, past)
            first.append(features)
            return self._guided(clean, z, tau, asked, action, past)

        return sample(predict, noise, passes), first[0]

    def commit(
        self,
        tokens: Float[Tensor, "B S C"],
        noise: Float[Tensor, "B S C"],
        action: Float[Tensor, "B A"],
        cache: RollingCache,
        rows: list[int],
        context: Float[Tensor, "B"] | None = None,
        before: Float[Tensor, "B P"] | None = None,
    ) -> Readings:
        """Show the network a finished frame, slightly noised, so that the cache keeps it; returns the heads' readings.

        The action that led to a row's first frame is not known, and not looked at. context: signal level at which the
        frame is shown, None for `CONTEXT_TAU`. before: as in `dream`.
        """
        return self._read(self._show(tokens, noise, action, self._past(cache, rows), cache, rows, context), before)

    def _past(self, cache: RollingCache, rows: list[int]) -> Past:
        bias = self.dynamics.cache_bias(*cache.ages(rows))
        return Past(cache.gather(rows), bias, cache.newest[rows], cache.counts[rows] > 0)

    def _pass(self, z: Tensor, tau: float | Tensor, d: Tensor, action: Tensor, past: Past) -> tuple[Tensor, Tensor]:
        level = torch.as_tensor(tau, device=d.device).expand_as(d)
        return self.dynamics.step(z, past.newest, level, d, action, past.linked, past.layers, past.bias)

    def _guided(
        self, clean: Tensor, z: Tensor, tau: float, d: Tensor, action: Tensor, past: Past
    ) -> Float[Tensor, "B S C"]:
        """The prediction, `guidance` times as far from what it were had nothing been told (classifier-free guidance, Ho
        and Salimans 2022, of the clean frame)."""
        guidance, told = self.config.dynamics.guidance, told_rows(action, self.config.dynamics)
        if guidance == 1 or not told.any():
            return clean
        plain, _ = self._pass(z[told], tau, d[told], untold(action[told], self.config.dynamics), past.of(told))
        guided = clean.clone()
        guided[told] = plain + guidance * (clean[told] - plain)
        return guided

    def _show(
        self,
        tokens: Tensor,
        noise: Tensor,
        action: Tensor,
        past: Past,
        cache: RollingCache,
        rows: list[int],
        context: Tensor | None,
    ) -> Tensor:
        finest = torch.full((len(rows),), 1 / self.config.dynamics.finest, device=tokens.device)
        tau = torch.full_like(finest, CONTEXT_TAU) if context is None else context
        seen = (1 - tau[:, None, None]) * noise + tau[:, None, None] * tokens
        _, features = self._pass(seen, tau, finest, action, past)
        cache.commit(rows, past.layers, seen)
        return features

    def _read(self, features: Tensor, before: Tensor | None, memory: Tensor | None = None) -> Readings:
        known = None if before is None else felt(self.normal_proprio(before.float()))
        readings: Readings = self.dynamics.heads(features, known, memory)
        proprio = readings.proprio * self.proprio_std.float() + self.proprio_mean.float()
        return replace(readings, proprio=proprio)


def stride(counts: Int[Tensor, "B"], action: Float[Tensor, "B A"], config: DynamicsConfig) -> Float[Tensor, "B"]:
    """The step size d that a single pass is asked for in slots that have seen `counts` frames.

    action: with the condition of an event behind it, as `Dynamics.step` takes it, or without.
    The finest is taught with real frames and gives the mean of what may follow: right while little is open, and fog
    when it is dreamt on from for long. Step size 1 is taught by a critic and gives one of them. So d is the finest for
    the first 48 frames of a slot, then 1. Where something was told it is the finest too: how light fades and where a
    car cuts in is told, and little is open.
    """
    mean = (counts < _MEANS) | told_rows(action, config)
    return torch.where(mean, 1.0 / config.finest, 1.0)


def told_rows(action: Float[Tensor, "B A"], config: DynamicsConfig) -> Bool[Tensor, "B"]:
    """In which rows an event is told."""
    own, condition = config.parted(action)
    return condition[:, -EXTRA] != 0 if condition.shape[1] else torch.zeros_like(own[:, 0], dtype=torch.bool)


def untold(action: Float[Tensor, "B A"], config: DynamicsConfig) -> Float[Tensor, "B A"]:
    """The same actions with nothing told."""
    own, condition = config.parted(action)
    return torch.cat([own, torch.zeros_like(condition)], -1)
