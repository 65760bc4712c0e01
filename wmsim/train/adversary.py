"""The adversary: dreams that go on as long as the training, and a critic that tells their frames from recorded ones.

Each step some dreams of a pool are dreamt a few frames further under a driver that is cloned on the way, with what
recorded drivers did otherwise added to it, so that the actions do not tell dreams from recordings. Only the critic
judges those frames once they are samples: no recording shows what would have been. So the states of minutes are states
of training, and what fades, freezes, drifts in colour or moves otherwise than it claims is led back. A reader of
recorded frames tells how they were steered, and holds the dreamt ones to it.

Shape legend: B windows of T frames, S tokens of C channels, A action and P proprio width, G = A + P, F width of
features; n dreams of the pool, N frames judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wmsim.model.flow import CONTEXT_TAU
from wmsim.model.world_model import WorldModel, stride
from wmsim.train.critic import BEFORE, Critic, Reader, critic_loss, dream_loss, jittered, misread, told_apart
from wmsim.train.latents import Latents
from wmsim.train.loop import Draw
from wmsim.train.pool import Driver, Pool

Step = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class AdversaryConfig:
    """How the pool lives and how much the critic counts.

    weight: of the critic's verdict and of its own loss. obedience: of what the reader misreads more than in recorded
    frames. penalty: of the critic's slope. rest: share of pairs told apart above which the critic learns nothing. veil,
    veil_told: standard deviation of the noise through which the critic sees the frames before the judged one and what
    it is told, or it would judge by those; where it sees the frames too badly, scenes stand still. pool: dreams in it;
    drawn: how many of them go on in a step, by `run` frames; leave: share of those that leave the pool then; stirred:
    dreams of the pool that are driven `stir` times as far from the clone as recorded drivers drive, leave three times
    as soon, and are read but not judged: dreams learn that scenes turn with the wheel wherever the road leads. lost:
    verdict of recorded frames above a dream's newest one from which on that dream leaves too; start: recorded frames
    that a dream begins from.
    """

    weight: float = 0.5
    obedience: float = 1.0
    penalty: float = 1.0
    rest: float = 0.85
    veil: float = 0.1
    veil_told: float = 0.3
    pool: int = 64
    drawn: int = 12
    run: int = 4
    stirred: int = 16
    stir: float = 3.0
    leave: float = 0.02
    lost: float = 4.0
    start: int = 16

    def __post_init__(self) -> None:
        """Check that the pool holds what is drawn, and that a dream begins with enough for the critic."""
        if not 1 <= self.drawn <= self.pool:
            raise ValueError(f"drawn={self.drawn} dreams go on in a step, the pool holds pool={self.pool}")
        if not 0 <= self.stirred < self.pool:
            raise ValueError(f"stirred={self.stirred} dreams are not judged: fewer than pool={self.pool}")
        if self.start < max(BEFORE):
            least = f"at least {max(BEFORE)} recorded frames"
            raise ValueError(f"a dream of the pool begins from {least}, got start={self.start}")


@dataclass(frozen=True)
class Judged:
    """Frames for the critic, each behind those that it sees before it.

    told: the action that led to the frame and the proprioception read just before it, normalised. happened: the same
    action, and the proprioception read from the frame. counts: 1 where the frame is to be judged, else 0; reads: where
    it is to be read.
    """

    frames: Float[Tensor, "N K S C"]
    sink: Float[Tensor, "N S C"]
    told: Float[Tensor, "N G"]
    happened: Float[Tensor, "N G"]
    counts: Float[Tensor, "N"]
    reads: Float[Tensor, "N"]


class Adversary(nn.Module):
    """Critic, driver, pool and reader beside the model that they judge, drive, remember and read; it is no part."""

    def __init__(
        self, model: WorldModel, latents: Latents, config: AdversaryConfig, device: str = "cpu", compiled: bool = False
    ) -> None:
        super().__init__()
        self.config, self.device, self.latents = config, device, latents
        self.critic = Critic(model.config).to(device)
        self.driver = Driver(2 * model.config.dynamics.dim, model.config.dynamics.actions).to(device)
        self.pool = Pool(model.config, config.pool, device)
        self.reader = Reader(model.config).to(device)
        self._model = (model,)  # in a tuple, so that its weights are not taken for the adversary's
        step: Step = model.dynamics.step
        self._step = torch.compile(step, dynamic=False) if compiled else step
        self._judge = (torch.compile(self.critic, dynamic=False) if compiled else self.critic,)

    @property
    def model(self) -> WorldModel:
        """The model in training."""
        return self._model[0]

    def driver_loss(
        self, features: Float[Tensor, "B T F"], action: Float[Tensor, "B T A"], linked: Bool[Tensor, "B T"]
    ) -> Float[Tensor, ""]:
        """Squared error of the next recorded action, read from the features of the frame before."""
        wrong = (self.driver(features[:, :-1]).float() - action[:, 1:]).square().mean(-1)
        mean: Tensor = (wrong * linked[:, 1:]).sum() / linked[:, 1:].sum().clamp(min=1)
        return mean

    def forward(
        self,
        clean: Float[Tensor, "B T S C"],
        action: Float[Tensor, "B T A"],
        linked: Bool[Tensor, "B T"],
        features: Float[Tensor, "B T F"],
        draw: Draw,
    ) -> dict[str, Float[Tensor, ""]]:
        """What verdict and reading teach the dream ("adversary", "obedience"), what critic and reader learn ("critic",
        "reader"), and figures to watch.

        A critic that tells nearly all apart learns nothing in this step: its verdict would lose the dream.
        """
        rows = draw.numpy.choice(self.config.pool, self.config.drawn, replace=False).tolist()
        judge, fake = self._judge[0], self._dream_on(rows, self._otherwise(features, action, draw), draw)
        claims = self._claims(features)
        told, happened = (torch.cat([action[:, 1:], part], -1) for part in (claims[:, :-1], claims[:, 1:]))
        real = self._veiled(recorded(clean, told, happened, linked, len(fake.frames), draw), draw)
        for judging in (self.critic, self.reader):
            judging.requires_grad_(False)
        verdict, read = judge(fake.frames, fake.sink, fake.told), self.reader(fake.frames)
        with torch.no_grad():
            other = judge(real.frames, real.sink, real.told)
        for judging in (self.critic, self.reader):
            judging.requires_grad_(True)
        self._let_go(rows, other.mean() - verdict.detach().mean((1, 2)), fake.counts)
        apart = told_apart(verdict, other, fake.counts)
        parts = {"adversary": dream_loss(verdict, other, fake.counts), "told_apart": apart}
        reading = misread(self.reader(real.frames), real.happened, real.reads)
        # No better than recorded frames: what cannot be read from those, the pedals say, would be hidden in the dreamt.
        parts["obedience"] = (misread(read, fake.happened, fake.reads) - reading.detach()).clamp(min=0).mean()
        parts["reader"] = reading.mean()
        if apart <= self.config.rest:
            parts["critic"], parts["slope"] = self._lesson(fake, real, draw)
        return parts | {"pool_age": self.pool.age.float().mean()}

    def _lesson(self, fake: Judged, real: Judged, draw: Draw) -> tuple[Tensor, Tensor]:
        """What the critic learns of a batch, and its squared slope."""
        both = torch.cat([real.frames, fake.frames.detach()])
        sinks, told = torch.cat([real.sink, fake.sink]), torch.cat([real.told, fake.told])
        frames = torch.cat([both, jittered(both, draw.torch)])
        logits = self._judge[0](frames, sinks.repeat(2, 1, 1), told.repeat(2, 1)).unflatten(0, (4, -1))
        return critic_loss(logits, self.config.penalty, fake.counts)

    @torch.no_grad()
    def _otherwise(self, features: Tensor, action: Tensor, draw: Draw) -> Float[Tensor, "n R A"]:
        """By how much recorded drivers did otherwise than the cloned one would, a run for each dream."""
        c, (windows, frames) = self.config, action.shape[:2]
        row = draw.numpy.integers(0, windows, (c.drawn, 1))
        time = draw.numpy.integers(2, frames - c.run + 1, (c.drawn, 1)) + np.arange(c.run)
        difference: Tensor = action[row, time] - self.driver(features[row, time - 1]).float()
        return difference

    def _let_go(self, rows: list[int], margin: Float[Tensor, "N"], counts: Float[Tensor, "N"]) -> None:
        """Let dreams leave whose newest frame is so far from recorded ones that nothing leads back from it."""
        newest = (margin * counts)[-len(rows) :]
        self.pool.age[rows] = torch.where(newest > self.config.lost, -1, self.pool.age[rows])

    def _dream_on(self, rows: list[int], otherwise: Float[Tensor, "n R A"], draw: Draw) -> Judged:
        """Some dreams of the pool go on under the driver, one pass a frame."""
        c, pool = self.config, self.pool
        self._begin([row for row in rows if pool.age[row] < 0], draw)
        stirred = torch.tensor(rows, device=self.device) < c.stirred
        otherwise = torch.where(stirred[:, None, None], c.stir * otherwise, otherwise)
        parts = []
        for other in otherwise.unbind(1):
            action = (self.driver(pool.features[rows]).detach().float() + other).clamp(-1, 1)
            size = stride(pool.cache.counts[rows], self.model.config.dynamics.finest)
            made = self._sample(rows, action, size, draw)
            seen = torch.stack([*(pool.recent[rows, -age] for age in BEFORE), made], 1)
            told = torch.cat([action, self._claims(pool.features[rows])], -1)
            self._show(self._step, rows, self._bounded(made.detach()), action, draw)
            happened = torch.cat([action, self._claims(pool.features[rows])], -1)
            reads = (size == 1).float()
            parts.append(Judged(seen, pool.sink[rows], told, happened, reads * ~stirred, reads))
        leaving = torch.rand(c.drawn, generator=draw.torch).to(pool.age.device) < c.leave * (1 + 2 * stirred)
        pool.age[rows] = torch.where(leaving, -1, pool.age[rows] + c.run)
        names = [field.name for field in fields(Judged)]
        return self._veiled(Judged(*(torch.cat([getattr(part, name) for part in parts]) for name in names)), draw)

    @torch.no_grad()
    def _claims(self, features: Float[Tensor, "*rows F"]) -> Float[Tensor, "*rows P"]:
        """The proprioception that the model reads from features, normalised."""
        proprio: Tensor = self.model.dynamics.heads(features).proprio
        return proprio

    def _veiled(self, judged: Judged, draw: Draw) -> Judged:
        """The same with noise on the frames before the judged ones and on what is told."""
        veil = self.config.veil * self._noise(*judged.frames.shape, draw=draw)
        veil[:, -1] = 0
        told = judged.told + self.config.veil_told * self._noise(*judged.told.shape, draw=draw)
        return replace(judged, frames=judged.frames + veil, told=told)

    def _begin(self, rows: list[int], draw: Draw) -> None:
        """Let `rows` of the pool begin from recorded frames."""
        if not rows:
            return
        batch = self.latents.sample(draw, len(rows), self.config.start, 0.0)
        tokens, action = self.model.to_tokens(batch.latent.to(self.device)), batch.action.to(self.device)
        self.pool.cache.clear(rows)
        self.pool.age[rows] = 0
        for t in range(tokens.shape[1]):
            self._show(self.model.dynamics.step, rows, tokens[:, t], action[:, t], draw)

    def _sample(self, rows: list[int], action: Tensor, size: Tensor, draw: Draw) -> Float[Tensor, "n S C"]:
        """The next frame of `rows` in one pass of step `size`."""
        cache, zero = self.pool.cache, torch.zeros(len(rows), device=self.device)
        noise = self._noise(*cache.newest[rows].shape, draw=draw)
        bias = self.model.dynamics.cache_bias(*cache.ages(rows))
        layers = [(keys.clone(), values.clone()) for keys, values in cache.gather(rows)]
        made, _ = self._step(noise, cache.newest[rows], zero, size, action, zero == 0, layers, bias)
        return made

    @torch.no_grad()
    def _show(self, step: Step, rows: list[int], tokens: Tensor, action: Tensor, draw: Draw) -> None:
        """Show the network a finished frame of `rows`, as the dream does."""
        cache = self.pool.cache
        seen = (1 - CONTEXT_TAU) * self._noise(*tokens.shape, draw=draw) + CONTEXT_TAU * tokens
        level = torch.full((len(rows),), CONTEXT_TAU, device=self.device)
        finest = torch.full_like(level, 1 / self.model.config.dynamics.finest)
        bias, linked = self.model.dynamics.cache_bias(*cache.ages(rows)), cache.counts[rows] > 0
        layers = cache.gather(rows)
        _, features = step(seen, cache.newest[rows], level, finest, action, linked, layers, bias)
        cache.commit(rows, layers, seen)
        self.pool.see(rows, tokens, features)

    def _bounded(self, tokens: Tensor) -> Tensor:
        """Tokens of latents that the tokenizer could have made."""
        return self.model.to_tokens(self.model.to_latent(tokens))

    def _noise(self, *shape: int, draw: Draw) -> Tensor:
        return torch.randn(shape, generator=draw.torch).to(self.device)


def recorded(
    clean: Float[Tensor, "B T S C"],
    told: Float[Tensor, "B T-1 G"],
    happened: Float[Tensor, "B T-1 G"],
    linked: Bool[Tensor, "B T"],
    count: int,
    draw: Draw,
) -> Judged:
    """`count` recorded frames of the windows, each behind those seen before it and with the window's sink.

    told, happened: of the frames from the second on.
    """
    reach = max(BEFORE)
    whole = linked.unfold(1, reach, 1).all(-1)[:, 1:]
    row, first = torch.nonzero(whole, as_tuple=True)
    chosen = torch.from_numpy(draw.numpy.integers(0, len(row), count)).to(row.device)
    row, time = row[chosen], first[chosen] + reach
    frames = torch.stack([clean[row, time - age] for age in (*BEFORE, 0)], 1)
    known = told[row, time - 1], happened[row, time - 1]
    every = torch.ones_like(frames[:, 0, 0, 0])
    return Judged(frames, clean[row, 0], *known, every, every)
