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

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wmsim.model.events import aged
from wmsim.model.world_model import WorldModel, stride
from wmsim.train.critic import BEFORE, Critic, Reader, critic_loss, dream_loss, jittered, misread, told_apart
from wmsim.train.judged import Judged, joined, recorded
from wmsim.train.latents import Latents
from wmsim.train.loop import Draw
from wmsim.train.pool import Driver, Pool, Step, bounded


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
    that a dream begins from; tell: chance that one is told an event in a frame, where the model can be told any.
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
    tell: float = 0.02

    def __post_init__(self) -> None:
        """Check that the pool holds what is drawn, and that a dream begins with enough for the critic."""
        if not 1 <= self.drawn <= self.pool:
            raise ValueError(f"drawn={self.drawn} dreams go on in a step, the pool holds pool={self.pool}")
        if not 0 <= self.stirred < self.pool:
            raise ValueError(f"stirred={self.stirred} dreams are not judged: fewer than pool={self.pool}")
        if self.start < max(BEFORE):
            least = f"at least {max(BEFORE)} recorded frames"
            raise ValueError(f"a dream of the pool begins from {least}, got start={self.start}")


class Adversary(nn.Module):
    """Critic, driver, pool and reader beside the model that they judge, drive, remember and read; it is no part.

    event: what each dream of the pool was told lately, (pool, E).
    """

    event: Float[Tensor, "pool E"]

    def __init__(
        self, model: WorldModel, latents: Latents, config: AdversaryConfig, device: str = "cpu", compiled: bool = False
    ) -> None:
        super().__init__()
        self.config, self.device, self.latents = config, device, latents
        self.critic = Critic(model.config).to(device)
        self.driver = Driver(2 * model.config.dynamics.dim, model.config.dynamics.actions).to(device)
        self.pool = Pool(model, config.pool, device)
        self.register_buffer("event", torch.zeros(config.pool, model.config.dynamics.told, device=device))
        self.reader = Reader(model.config).to(device)
        self._model = (model,)  # in a tuple, so that its weights are not taken for the adversary's
        step: Step = model.dynamics.step
        self.step = torch.compile(step, dynamic=False) if compiled else step
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
        asked: Float[Tensor, "B T D"],
        linked: Bool[Tensor, "B T"],
        features: Float[Tensor, "B T F"],
        draw: Draw,
        followed: Judged | None = None,
    ) -> dict[str, Float[Tensor, ""]]:
        """What verdict and reading teach the dream ("adversary", "obedience"), what critic and reader learn ("critic",
        "reader"), and figures to watch.

        asked: actions, the conditions of events behind them. A critic that tells nearly all apart learns nothing in
        this step: its verdict would lose the dream. followed: frames of other dreams, judged and read with those of the
        pool.
        """
        rows = draw.numpy.choice(self.config.pool, self.config.drawn, replace=False).tolist()
        action, event = asked.split([self.model.config.dynamics.actions, self.event.shape[1]], -1)
        judge, fake = self._judge[0], self._dream_on(rows, self._otherwise(features, action, draw), draw)
        fake = fake if followed is None else joined([self._veiled(followed, draw), fake])
        claims = self._claims(features)
        told, happened = (torch.cat([action[:, 1:], part], -1) for part in (claims[:, :-1], claims[:, 1:]))
        real = self._veiled(recorded(clean, told, happened, event[:, 1:], linked, len(fake.frames), draw), draw)
        for judging in (self.critic, self.reader):
            judging.requires_grad_(False)
        verdict, read = judge(fake.frames, fake.sink, fake.told, fake.event), self.reader(fake.frames)
        with torch.no_grad():
            other = judge(real.frames, real.sink, real.told, real.event)
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
        given = (torch.cat([getattr(real, name), getattr(fake, name)]) for name in ("sink", "told", "event"))
        frames = torch.cat([both, jittered(both, draw.torch)])
        logits = self._judge[0](frames, *(torch.cat([part, part]) for part in given)).unflatten(0, (4, -1))
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
            event = self._listen(rows, draw)
            asked = torch.cat([action, event], -1)
            size = stride(pool.cache.counts[rows], asked, self.model.config.dynamics)
            made, _ = pool.sample(self.step, rows, asked, size, draw)
            seen = torch.stack([*(pool.recent[rows, -age] for age in BEFORE), made], 1)
            told = torch.cat([action, self._claims(pool.features[rows])], -1)
            with torch.no_grad():
                pool.show(self.step, rows, bounded(self.model, made), asked, draw)
            happened = torch.cat([action, self._claims(pool.features[rows])], -1)
            reads = (size == 1).float()
            parts.append(Judged(seen, pool.sink[rows], told, happened, event, reads * ~stirred, reads))
        leaving = torch.rand(c.drawn, generator=draw.torch).to(pool.age.device) < c.leave * (1 + 2 * stirred)
        pool.age[rows] = torch.where(leaving, -1, pool.age[rows] + c.run)
        return self._veiled(joined(parts), draw)

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
        tokens, asked = self.model.to_tokens(batch.latent.to(self.device)), batch.asked.to(self.device)
        self.event[rows] = batch.told[:, -1].to(self.device)
        self.pool.begin(self.model.dynamics.step, rows, tokens, asked, draw)

    def _listen(self, rows: list[int], draw: Draw) -> Float[Tensor, "n E"]:
        """What dreams were told lately grows older, and some are told another event."""
        config, words = self.model.config.dynamics, self.latents.wordings
        if words is None:
            return self.event[rows]
        told = aged(self.event[rows], config.event_frames)
        new = np.flatnonzero(draw.numpy.random(len(rows)) < self.config.tell)
        if len(new):
            told[new] = words.drawn(draw.numpy, len(new)).to(told)
        self.event[rows] = told
        return told

    def _noise(self, *shape: int, draw: Draw) -> Tensor:
        return torch.randn(shape, generator=draw.torch).to(self.device)
