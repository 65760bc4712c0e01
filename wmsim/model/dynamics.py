"""Dynamics: a frame-autoregressive transformer, factorised in space and time, that turns noise into the next frame.

Shape legend: B sequences or slots, T frames, N = S + R tokens (S space, R registers), C latent channels, D width,
A action width, M cached frames, H query heads, G key/value heads, E head width, Z time layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from wmsim.model.events import EXTRA, EventInput
from wmsim.model.heads import Heads
from wmsim.model.layers import Projections, RMSNorm, SpaceBlock, SwiGLU, attend, sinusoid

Cache = list[tuple[Tensor, Tensor]]
"""Keys and values, one pair a time layer, each (B, N, G, M, E): past frames, and last a place for the present one."""

_LEVEL_WIDTH = 64


@dataclass(frozen=True)
class DynamicsConfig:
    """Sizes of a `Dynamics`: `tokens` of `channels` a frame; every `time_every`-th layer attends over time.

    context: how many past frames a frame may look at beside the sink frame, the first of the sequence. felt:
    whether the heads are told the proprioception of the frame before. memory: width of what they remember of a dream, 0
    for nothing. events: width of the embedding of what was told, 0 for a network to which nothing can be; event_frames:
    how long that is told; event_passes: in how many passes, at least, a frame is dreamt meanwhile, for the mean of rain
    is fog; guidance: how many times as much as was learnt what was told changes it.
    """

    tokens: int = 16
    channels: int = 64
    actions: int = 2
    proprio: int = 2
    dim: int = 256
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    hidden: int = 624
    registers: int = 4
    time_every: int = 2
    context: int = 16
    finest: int = 8
    felt: bool = False
    memory: int = 0
    events: int = 0
    event_frames: int = 48
    event_passes: int = 1
    guidance: float = 1.0

    def __post_init__(self) -> None:
        """Check what the arithmetic of the flow needs."""
        if self.finest & (self.finest - 1) or self.finest < 2:
            raise ValueError(f"finest (K_max) is a power of two from 2 on, got {self.finest}")

    @property
    def told(self) -> int:
        """Numbers behind the action in which an event is told; see `wmsim.model.events`."""
        return self.events + EXTRA if self.events else 0

    def parted(self, action: Float[Tensor, "*rows A"]) -> tuple[Float[Tensor, "*rows D"], Float[Tensor, "*rows C"]]:
        """What the networks take as an action: the action itself, and the condition of an event behind it."""
        return action[..., : self.actions], action[..., self.actions :]

    @property
    def time_layers(self) -> int:
        """How many of the layers attend over time."""
        return self.layers // self.time_every


class TimeBlock(nn.Module):
    """Pre-norm transformer block in which each token attends to itself in past frames, with a learned bias by age."""

    def __init__(self, config: DynamicsConfig) -> None:
        super().__init__()
        self.norm, self.mlp_norm = RMSNorm(config.dim), RMSNorm(config.dim)
        self.attention = Projections(config.dim, config.heads, config.kv_heads)
        self.mlp = SwiGLU(config.dim, config.hidden)
        self.age = nn.Parameter(torch.zeros(config.heads, config.context + 2))

    def forward(self, x: Tensor, ages: Tensor, seen: Tensor) -> Tensor:
        """x: (B, T, N, D); ages (T, T); seen (B, T, T)."""
        batch, tokens = x.shape[0], x.shape[2]
        rows = rearrange(self.norm(x), "b t n d -> (b n) t d")
        query, key, value = self.attention.split(rows)
        groups = self.attention.kv_heads
        table = torch.where(seen[:, None], self.age[:, ages.clamp(max=self.age.shape[1] - 1)], -1e9)
        bias = repeat(table.to(query.dtype), "b (g s) t m -> (b n) g s t m", n=tokens, g=groups)
        mixed = self.attention.merge(attend(query, key, value, bias))
        x = x + rearrange(mixed, "(b n) t d -> b t n d", b=batch)
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out

    def step(self, x: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """One frame x (B, N, D) over the cache (B, N, G, M, E), whose last place it fills; bias (B, H, M)."""
        batch, tokens, groups = x.shape[0], x.shape[1], self.attention.kv_heads
        query, key, value = self.attention.split(rearrange(self.norm(x), "b n d -> (b n) 1 d"))
        rows = {
            "keys": rearrange(keys, "b n g m e -> (b n) g m e"),
            "values": rearrange(values, "b n g m e -> (b n) g m e"),
        }
        rows["keys"][:, :, -1:], rows["values"][:, :, -1:] = key.to(keys.dtype), value.to(values.dtype)
        spread = repeat(bias.to(query.dtype), "b (g s) m -> (b n) g s 1 m", n=tokens, g=groups)
        mixed = self.attention.merge(
            attend(query, rows["keys"].to(query.dtype), rows["values"].to(query.dtype), spread)
        )
        x = x + rearrange(mixed, "(b n) 1 d -> b n d", b=batch)
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out


class Dynamics(nn.Module):
    """Predicts clean latents of a frame from its noised ones, the frames before it and the action that led there.

    Beside attention over time the frame just before comes in directly (`before`), and a learned share of it (`keep`)
    goes straight to the output: what does not change need not be drawn again.
    """

    def __init__(self, config: DynamicsConfig) -> None:
        super().__init__()
        self.config, dim = config, config.dim
        self.inward, self.outward = nn.Linear(config.channels, dim), nn.Linear(dim, config.channels)
        self.before, self.keep = nn.Linear(config.channels, dim, bias=False), nn.Parameter(torch.zeros(config.channels))
        self.place = nn.Parameter(0.02 * torch.randn(config.tokens, dim))
        self.registers = nn.Parameter(0.02 * torch.randn(config.registers, dim))
        self.action = nn.Sequential(nn.Linear(config.actions, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.unknown_action = nn.Parameter(torch.zeros(dim))
        self.level = nn.Sequential(nn.Linear(2 * _LEVEL_WIDTH, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.blocks = nn.ModuleList(self._block(i) for i in range(config.layers))
        self.norm = RMSNorm(dim)
        self.heads = Heads(2 * dim, config.proprio, config.felt, config.memory)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.before.weight)
        if config.events:
            self.event = EventInput(config.events, dim, config.tokens + config.registers)

    def _block(self, index: int) -> nn.Module:
        c = self.config
        if index % c.time_every == c.time_every - 1:
            return TimeBlock(c)
        return SpaceBlock(c.dim, c.heads, c.kv_heads, c.hidden)

    @property
    def time_blocks(self) -> list[TimeBlock]:
        """The layers that attend over time, in order."""
        return [block for block in self.blocks if isinstance(block, TimeBlock)]

    def embed(
        self, noised: Tensor, before: Tensor, tau: Tensor, d: Tensor, action: Tensor, known: Tensor
    ) -> Float[Tensor, "*rows N D"]:
        """Tokens of frames: noised latents (*rows, S, C), the frame before, registers; each plus action and level.

        action: (*rows, A), or with the condition of an event behind it, in all `step` and `forward` take.
        """
        levels = torch.cat([sinusoid(tau, _LEVEL_WIDTH, 2.0), sinusoid(d.log2(), _LEVEL_WIDTH, 32.0)], -1)
        dtype = self.inward.weight.dtype
        own, told = self.config.parted(action)
        moved = torch.where(known[..., None], self.action(own.to(dtype)), self.unknown_action)
        shared = moved + self.level(levels.to(dtype))
        tokens = self.inward(noised.to(dtype)) + self.before(before.to(dtype))
        tokens = tokens + self.place.to(tokens.dtype)
        registers = self.registers.to(tokens.dtype).expand(*tokens.shape[:-2], -1, -1)
        out: Tensor = torch.cat([tokens, registers], -2) + shared[..., None, :].to(tokens.dtype)
        return out + self.event(told).to(out.dtype) if told.shape[-1] else out

    def forward(
        self,
        history: Float[Tensor, "B T S C"],
        noised: Float[Tensor, "B T S C"],
        tau: Float[Tensor, "B T"],
        d: Float[Tensor, "B T"],
        shown: Float[Tensor, "B"],
        action: Float[Tensor, "B T A"],
        linked: Bool[Tensor, "B T"],
        single: Bool[Tensor, "B"],
    ) -> tuple[Float[Tensor, "B T S C"], Float[Tensor, "B T F"], Float[Tensor, "B T F"]]:
        """Clean latents of every noised frame given the history before it, and head features of both.

        history: the frames as the cache would hold them, at signal level `shown`; noised frame t sees history
        0 .. t - 1 and itself, as it will in the dream. linked: frame t follows frame t - 1 and `action` led there;
        false at the first frame and after a jump. Rows with `single` see no other frame: they are taught as images.
        """
        frames, linked = history.shape[1], linked & ~single[:, None]
        before = torch.cat([torch.zeros_like(history[:, :1]), history[:, :-1]], 1) * linked[..., None, None]
        context = shown[:, None].expand_as(tau), torch.full_like(d, 1 / self.config.finest)
        levels = torch.cat([context[0], tau], 1), torch.cat([context[1], d], 1)
        x = self.embed(torch.cat([history, noised], 1), _twice(before), *levels, _twice(action), _twice(linked))
        ages, seen = self.ages(frames, history.device)
        alone = torch.eye(2 * frames, dtype=torch.bool, device=history.device)
        seen = torch.where(single[:, None, None], alone, seen)
        for block in self.blocks:
            if isinstance(block, TimeBlock):
                x = block(x, ages, seen)
            else:
                x = rearrange(block(rearrange(x, "b t n d -> (b t) n d")), "(b t) n d -> b t n d", b=x.shape[0])
        clean, features = self._read(x, _twice(before))
        return clean[:, frames:], features[:, :frames], features[:, frames:]

    def step(
        self,
        noised: Float[Tensor, "B S C"],
        before: Float[Tensor, "B S C"],
        tau: Float[Tensor, "B"],
        d: Float[Tensor, "B"],
        action: Float[Tensor, "B A"],
        linked: Bool[Tensor, "B"],
        cache: Cache,
        bias: list[Tensor],
    ) -> tuple[Float[Tensor, "B S C"], Float[Tensor, "B F"]]:
        """Clean latents and head features of one more frame over the cache, whose last place gets its keys and values.

        before: the frame before as it was shown, zeros where not `linked`. bias: one (B, H, M) a time layer, from
        `cache_bias`.
        """
        x = self.embed(noised, before, tau, d, action, linked)
        layer = 0
        for block in self.blocks:
            if isinstance(block, TimeBlock):
                x = block.step(x, *cache[layer], bias[layer])
                layer += 1
            else:
                x = block(x)
        return self._read(x, before)

    def _read(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        x = self.norm(x)
        space, registers = x.split([self.config.tokens, self.config.registers], -2)
        clean = self.outward(space).float() + self.keep.float() * before.float()
        return clean, torch.cat([registers[..., 0, :], space.mean(-2)], -1)

    def ages(self, frames: int, device: torch.device) -> tuple[Int[Tensor, "Q Q"], Bool[Tensor, "Q Q"]]:
        """Age of each key frame seen from each query frame, the sink's beyond all others, and which are seen.

        Q = 2 T: history first, then the noised frames, which see the history before them and themselves.
        """
        index = torch.arange(frames, device=device).repeat(2)
        noisy = torch.arange(2 * frames, device=device) >= frames
        age = index[:, None] - index
        sink = (index == 0) & (index[:, None] > 0)
        reach = (age >= 0) & ((age <= self.config.context) | sink)
        own = torch.eye(2 * frames, dtype=torch.bool, device=device)
        past = reach & ~noisy & (~noisy[:, None] | (age > 0))
        return age.clamp(min=0).masked_fill(sink, self.config.context + 1), past | own

    def cache_bias(self, ages: Int[Tensor, "B M"], seen: Bool[Tensor, "B M"]) -> list[Float[Tensor, "B H M"]]:
        """The attention bias of each time layer over cached frames of such ages (0: the frame itself)."""
        return [rearrange(torch.where(seen, block.age[:, ages], -1e9), "h b m -> b h m") for block in self.time_blocks]


def _twice(x: Tensor) -> Tensor:
    return torch.cat([x, x], 1)


def pack(latent: Float[Tensor, "*rows h w C"], side: int = 2) -> Float[Tensor, "*rows S D"]:
    """Groups of side x side latents become one token: (h, w, C) -> (h w / side^2, C side^2)."""
    return rearrange(latent, "... (h p) (w q) c -> ... (h w) (p q c)", p=side, q=side)


def unpack(tokens: Float[Tensor, "*rows S D"], rows: int, side: int = 2) -> Float[Tensor, "*rows h w C"]:
    """The inverse of `pack` for a grid of `rows` latents down."""
    return rearrange(tokens, "... (h w) (p q c) -> ... (h p) (w q) c", h=rows // side, p=side, q=side)
