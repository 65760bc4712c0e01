"""The dynamics stage: shortcut forcing on latents, heads, and late in training what the model dreams itself.

Shape legend: B windows of T frames, S tokens of C channels, A action width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wmsim.model.flow import consistency_target, draw_levels, mix, ramp
from wmsim.model.heads import felt
from wmsim.model.precision import autocast
from wmsim.model.world_model import WorldModel
from wmsim.train.adversary import Adversary, AdversaryConfig
from wmsim.train.critic import BEFORE
from wmsim.train.followers import Followers, FollowersConfig
from wmsim.train.latents import LatentBatch, Latents
from wmsim.train.loop import Draw

_VISIBLE = 0.1
"""Squared difference of latents, of spread 1, at which half of a change counts."""


@dataclass(frozen=True)
class DynamicsStageConfig:
    """What one batch of windows is made of; every share lies in [0, 1].

    frames: T, more than the context so that not every frame sees the first. bootstrap: share of rows with coarse
    steps, from `bootstrap_from` of the training on. single: share of windows taught as images. unknown: share whose
    actions are hidden. endings: share drawn at the end of their episode. rollout: share of batches, from `rollout_from`
    on, whose history the model dreamt itself, 1 to `rollout_depth` frames deep, log-uniformly. drift: spread of the
    offsets, one a channel, that a window's history after the first frame is shown with (latents have spread 1): what
    has drifted must be led back to the sink. noisiest: share of frames that begin from pure noise, beside those that
    draw it. history: lowest signal level at which a window's history is shown; it is drawn up to 1. floor: see `ramp`.
    adversary_from: when the adversary and the followers begin. unfelt: share of windows in which the heads are not
    told the motion of the frame before, of a model that takes it; stirred: noise on it, in spreads. Of a model that is
    told events, untold: share of windows whose events are hidden, and did not come where that is recorded; reworded:
    whose events are told by their name or by another of their captions; tellings: which are drawn so that one is told
    in them, for later frames show themselves what was told; unheard: which, of those that were recorded with nothing
    told as well, show that as their history; changed: how many times more in a frame of these the loss counts what the
    telling changed, a pedestrian of two pixels. The other numbers weigh losses.
    """

    batch: int = 8
    frames: int = 20
    bootstrap: float = 0.125
    bootstrap_from: float = 0.15
    single: float = 0.02
    unknown: float = 0.02
    untold: float = 0.2
    reworded: float = 0.8
    tellings: float = 0.3
    unheard: float = 0.5
    changed: float = 8.0
    unfelt: float = 0.2
    stirred: float = 0.1
    endings: float = 0.15
    rollout: float = 0.25
    rollout_from: float = 0.45
    rollout_depth: int = 12
    drift: float = 0.2
    noisiest: float = 0.75
    history: float = 0.75
    floor: float = 0.8
    reward: float = 0.05
    end: float = 0.2
    proprio: float = 0.05
    log_error: float = 0.02
    adversary_from: float = 0.7
    driver: float = 0.1
    adversary: AdversaryConfig = field(default_factory=AdversaryConfig)
    followers: FollowersConfig = field(default_factory=FollowersConfig)

    def __post_init__(self) -> None:
        """Check that a window holds a run of the adversary's and what its critic sees."""
        if self.frames < (least := max(self.adversary.run + 2, max(BEFORE) + 2)):
            what = f"adversary.run={self.adversary.run} and a critic that sees {max(BEFORE)} frames back"
            raise ValueError(f"windows of frames={self.frames} are too short for {what}: at least {least}")


Network = Callable[..., tuple[Tensor, Tensor, Tensor]]


class DynamicsStage:
    """Trains the dynamics of `model` on `latents`, whose scales the model must already hold."""

    name = "dynamics"

    def __init__(
        self,
        model: WorldModel,
        latents: Latents,
        config: DynamicsStageConfig,
        steps: int,
        device: str = "cpu",
        compiled: bool = False,
        saved: Callable[[], None] = lambda: None,
    ) -> None:
        self.model, self.latents, self.config, self.steps, self.device = model, latents, config, steps, device
        self.adversary = Adversary(model, latents, config.adversary, device, compiled)
        self.followers = Followers(model, latents, config.followers, self.adversary.step, device)
        parts = {"dynamics": model.dynamics, "adversary": self.adversary, "followers": self.followers}
        self.module: nn.Module = nn.ModuleDict(parts)
        self.end_odds = latents.end_odds(config.frames, config.endings, config.tellings)
        self.network: Network = torch.compile(model.dynamics) if compiled else model.dynamics
        self._saved = saved

    def saved(self) -> None:
        """Hand the averaged weights on."""
        self._saved()

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """Flow loss (ramp-weighted squared error of the clean latents) and the heads' losses."""
        c, device = self.config, self.device
        batch = self.latents.sample(draw, c.batch, c.frames, c.endings, c.reworded, c.tellings)
        frames, action = self.model.to_tokens(batch.latent.to(device)), batch.action.to(device)
        linked, single, heard = batch.linked.to(device), self._single(draw), self._heard(draw)
        untold, recorded = self._untold(frames, batch)
        silent = recorded & ~heard  # what was not heard did not come
        clean = torch.where(silent[:, None, None, None], untold, frames)
        with autocast(device):
            level = c.history + (1 - c.history) * torch.rand(c.batch, generator=draw.torch).to(device)
            asked = torch.cat([action, batch.told.to(device) * heard[:, None, None]], -1)
            told = (asked, linked & self._known(draw), single)
            lived = self._dreamt(clean, level, linked & ~single[:, None], draw, *told)
            lived = torch.where(self._unheard(recorded, draw), untold, lived)
            noise, shown = torch.randn((2, *clean.shape), generator=draw.torch).to(device)
            history = mix(shown, self._drifted(lived, draw), level[:, None].expand(clean.shape[:2]))
            tau, d = self._levels(draw)
            noised = mix(noise, clean, tau)
            given = (level, *told)
            made, features, expecting = self.network(history, noised, tau, d, *given)
            wrong = (made - self._target(clean, noised, tau, d, history, *given)).square()
            flow = (wrong * self._counted(clean, untold)).mean((-1, -2))
            parts = self._head_losses(features, batch, linked & ~(single | silent)[:, None], draw)
            # Coarse steps too are asked for their distance from what was recorded: only that can be doubt of the dream.
            missed = (made.detach() - clean).square().mean((-1, -2))
            parts["log_error"] = self.model.dynamics.heads.error_loss(expecting, (missed + 1e-6).log())
            parts["driver"] = self.adversary.driver_loss(features.detach(), action, linked)
            if draw.step >= c.adversary_from * self.steps:
                followed, dreamt_on = self.followers(draw)
                parts |= {f"followed_{name}": value for name, value in followed.items()}
                parts |= self.adversary(frames, batch.asked.to(device), linked, features.detach(), draw, dreamt_on)
        weight = ramp(tau, c.floor) * (linked | single[:, None])
        weights = {"reward": c.reward, "end": c.end, "proprio": c.proprio, "log_error": c.log_error}
        weights |= {f"followed_{name}": factor for name, factor in weights.items()}
        weights |= {"followed_frames": 1.0, "driver": c.driver}
        weights |= {"adversary": c.adversary.weight, "critic": c.adversary.weight}
        weights |= {"obedience": c.adversary.obedience, "reader": 1.0}
        weighed = sum(factor * parts[name] for name, factor in weights.items() if name in parts)
        total = (weight * flow).sum() / weight.sum() + weighed
        return {"total": total, "flow": flow.mean(), "first": flow[(tau == 0) & linked].mean(), **parts}

    def _drifted(self, history: Float[Tensor, "B T S C"], draw: Draw) -> Float[Tensor, "B T S C"]:
        """Every channel of a window moved by an offset of its own, in all frames but the first."""
        side, rows = self.model.config.side, len(history)
        size = self.config.drift * torch.rand(rows, 1, generator=draw.torch)
        offset = size * torch.randn(rows, history.shape[-1] // side**2, generator=draw.torch)
        moved = history + offset.repeat(1, side**2)[:, None, None].to(history)
        return torch.cat([history[:, :1], moved[:, 1:]], 1)

    def _head_losses(
        self, features: Tensor, batch: LatentBatch, taught: Bool[Tensor, "B T"], draw: Draw
    ) -> dict[str, Tensor]:
        """Losses of the heads, which are told the motion before, not quite as it was, in all but a fifth of windows."""
        aim = self.model.normal_proprio(batch.proprio.to(self.device))
        heads, reward, end = self.model.dynamics.heads, batch.reward.to(self.device), batch.end.to(self.device)
        known = taught & (torch.rand(len(aim), 1, generator=draw.torch) >= self.config.unfelt).to(self.device)
        before = aim.roll(1, 1) + self.config.stirred * torch.randn(aim.shape, generator=draw.torch).to(self.device)
        return heads.loss(features, reward, end, aim, taught.float(), self.end_odds, felt(before, known))

    def _coarse_rows(self, draw: Draw) -> int:
        return (
            int(self.config.bootstrap * self.config.batch)
            if draw.step >= self.config.bootstrap_from * self.steps
            else 0
        )

    def _levels(self, draw: Draw) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B T"]]:
        c, coarse, finest = self.config, self._coarse_rows(draw), self.model.config.dynamics.finest
        fine = draw_levels(c.batch - coarse, c.frames, finest, False, draw.torch)
        wide = draw_levels(coarse, c.frames, finest, True, draw.torch)
        tau, d = torch.cat([wide[0], fine[0]]), torch.cat([wide[1], fine[1]])
        start = torch.rand(tau.shape, generator=draw.torch) < c.noisiest
        return torch.where(start, 0.0, tau).to(self.device), d.to(self.device)

    def _heard(self, draw: Draw) -> Bool[Tensor, "B"]:
        """Which windows are told their events; all of them by a model that is told none."""
        hidden = self.config.untold if self.model.config.dynamics.told else 0.0
        return (torch.rand(self.config.batch, generator=draw.torch) >= hidden).to(self.device)

    def _known(self, draw: Draw) -> Bool[Tensor, "B 1"]:
        return (torch.rand(self.config.batch, 1, generator=draw.torch) >= self.config.unknown).to(self.device)

    def _single(self, draw: Draw) -> Bool[Tensor, "B"]:
        return (torch.rand(self.config.batch, generator=draw.torch) < self.config.single).to(self.device)

    def _target(self, clean: Tensor, noised: Tensor, tau: Tensor, d: Tensor, history: Tensor, *given: Tensor) -> Tensor:
        coarse = int((d > d.min()).any(-1).sum())
        if not coarse:
            return clean
        part, rest = history[:coarse], [r[:coarse] for r in given]
        with torch.no_grad():
            far = consistency_target(
                lambda z, t, s: self.network(part, z, t, s, *rest)[0], noised[:coarse], tau[:coarse], d[:coarse]
            )
        return torch.cat([far, clean[coarse:]])

    def _dreamt(self, clean: Tensor, level: Tensor, taught: Bool[Tensor, "B T"], draw: Draw, *given: Tensor) -> Tensor:
        """The frames (B, T, S, C) that become history: recorded ones, or what the model makes of them."""
        c = self.config
        if draw.step < c.rollout_from * self.steps or draw.common.random() >= c.rollout:
            return clean
        depth = int((c.rollout_depth + 1) ** draw.common.random())
        return dreamt(self.network, self.model.config.dynamics.finest, clean, taught, depth, draw, level, *given)

    def _untold(self, clean: Tensor, batch: LatentBatch) -> tuple[Tensor, Bool[Tensor, "B"]]:
        """What were there (B, T, S, C) had nothing been told, and in which windows that is recorded; else what is."""
        if self.latents.untold is None:
            return clean, torch.zeros(len(clean), dtype=torch.bool, device=self.device)
        latent, recorded = self.latents.untold.at(batch.rows)
        recorded, tokens = recorded.to(self.device), self.model.to_tokens(latent.to(self.device))
        return torch.where(recorded[:, None, None, None], tokens, clean), recorded

    def _unheard(self, recorded: Bool[Tensor, "B"], draw: Draw) -> Bool[Tensor, "B 1 1 1"]:
        """Which windows show as their history a drive in which nothing was told: only the event tells what changes."""
        if self.latents.untold is not None:
            chosen = torch.rand(len(recorded), generator=draw.torch) < self.config.unheard
            recorded = recorded & chosen.to(self.device)
        return recorded[:, None, None, None]

    def _counted(self, clean: Tensor, untold: Tensor) -> Tensor:
        """How much each number of a frame (B, T, S, C) counts, 1 on average: more where what was told changed it."""
        cells = (clean - untold).square().unflatten(-1, (self.model.config.side**2, -1))
        differs = cells.mean(-1, keepdim=True)
        weight = 1 + self.config.changed * differs / (differs + _VISIBLE)
        counted: Tensor = (weight / weight.mean((-1, -2, -3), keepdim=True)).expand_as(cells).flatten(-2)
        return counted


@torch.no_grad()
def dreamt(
    network: Network,
    finest: int,
    clean: Float[Tensor, "B T S C"],
    taught: Bool[Tensor, "B T"],
    depth: int,
    draw: Draw,
    level: Float[Tensor, "B"],
    *given: Tensor,
) -> Float[Tensor, "B T S C"]:
    """Frames as the network dreams them in one pass each; those not `taught` stay as they are.

    Each of `depth` rounds puts the prediction in the place of every frame at once, so that in the end a frame is dreamt
    from frames that were dreamt from ..., `depth` deep. level, given: of the history, and what `Dynamics.forward` takes
    after it.
    """
    seen, start = clean, torch.zeros(clean.shape[:2], device=clean.device)
    size = torch.full_like(start, 1 / finest)
    for _ in range(depth):
        noise, shown = torch.randn((2, *clean.shape), generator=draw.torch).to(clean.device)
        history = mix(shown, seen, level[:, None].expand(start.shape))
        made = network(history, noise, start, size, level, *given)[0]
        seen = torch.where(taught[..., None, None], made, clean)
    return seen
