"""The dynamics stage: shortcut forcing on latents, heads, and late in training windows the model rolled out itself.

Shape legend: B windows of T frames, S tokens of C channels, A action width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from wmsim.model.cache import RollingCache
from wmsim.model.flow import consistency_target, draw_levels, mix, ramp
from wmsim.model.world_model import WorldModel
from wmsim.train.latents import Latents
from wmsim.train.loop import Draw


@dataclass(frozen=True)
class DynamicsStageConfig:
    """What one batch of windows is made of; every share lies in [0, 1].

    frames: T, more than the context so that not every frame sees the first. bootstrap: share of rows with coarse
    steps, from `bootstrap_from` of the training on. single: share of windows taught as images. unknown: share whose
    actions are hidden. endings: share drawn at the end of their episode. rollout: share of batches, from `rollout_from`
    on, whose frames after the first `rollout_context` the model made itself. The other numbers weigh the heads' losses.
    """

    batch: int = 12
    frames: int = 20
    bootstrap: float = 0.25
    bootstrap_from: float = 0.15
    single: float = 0.1
    unknown: float = 0.05
    endings: float = 0.1
    rollout: float = 0.5
    rollout_from: float = 0.8
    rollout_context: int = 6
    reward: float = 0.05
    end: float = 0.2
    proprio: float = 0.05
    log_error: float = 0.02


Network = Callable[..., tuple[Tensor, Tensor]]


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
        self.module: nn.Module = model.dynamics
        self.network: Network = torch.compile(model.dynamics) if compiled else model.dynamics
        self._saved = saved

    def saved(self) -> None:
        """Hand the averaged weights on."""
        self._saved()

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """Flow loss (ramp-weighted squared error of the clean latents) and the heads' losses."""
        c, device = self.config, self.device
        batch = self.latents.sample(draw, c.batch, c.frames, c.endings)
        clean = self.model.to_tokens(batch.latent.to(device))
        action, proprio = batch.action.to(device), batch.proprio.to(device)
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            source = self._source(clean, action, draw)
            noise = torch.randn(clean.shape, generator=draw.torch).to(device)
            tau, d = self._levels(draw)
            noised = mix(noise, source, tau)
            known, single = self._hidden(draw)
            made, features = self.network(noised, tau, d, action, known, single)
            target = self._target(clean, noised, tau, d, self._coarse_rows(draw), action, known, single)
            flow = (made - target).square().mean((-1, -2))
            aim = (proprio - self.model.proprio_mean) / self.model.proprio_std
            weight = tau * (~single[:, None]) * self._trusted()
            parts = self.model.dynamics.heads.loss(
                features, batch.reward.to(device), batch.end.to(device), aim, (flow.detach() + 1e-6).log(), weight
            )
        weights = {"reward": c.reward, "end": c.end, "proprio": c.proprio, "log_error": c.log_error}
        total = (ramp(tau) * flow).mean() + sum(weights[name] * value for name, value in parts.items())
        return {"total": total, "flow": flow.mean(), "first": flow[tau == 0].mean(), **parts}

    def _trusted(self) -> Float[Tensor, "1 T"]:
        """The sink's neighbour in a window may be far away in time: the first frame's readings are not taught."""
        trusted = torch.ones(1, self.config.frames, device=self.device)
        trusted[:, 0] = 0
        return trusted

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
        return torch.cat([wide[0], fine[0]]).to(self.device), torch.cat([wide[1], fine[1]]).to(self.device)

    def _hidden(self, draw: Draw) -> tuple[Bool[Tensor, "B T"], Bool[Tensor, "B"]]:
        c = self.config
        chance = torch.rand(2, c.batch, generator=draw.torch)
        known = (chance[0] >= c.unknown)[:, None].expand(-1, c.frames).clone()
        known[:, 0] = False
        return known.to(self.device), (chance[1] < c.single).to(self.device)

    def _target(self, clean: Tensor, noised: Tensor, tau: Tensor, d: Tensor, coarse: int, *rest: Tensor) -> Tensor:
        if not coarse:
            return clean
        given = [r[:coarse] for r in rest]
        with torch.no_grad():
            far = consistency_target(
                lambda z, t, s: self.network(z, t, s, *given)[0], noised[:coarse], tau[:coarse], d[:coarse]
            )
        return torch.cat([far, clean[coarse:]])

    @torch.no_grad()
    def _source(self, clean: Float[Tensor, "B T S C"], action: Float[Tensor, "B T A"], draw: Draw) -> Tensor:
        """The frames to be noised: recorded ones, or the model's own dream of them under the same actions."""
        c = self.config
        if draw.step < c.rollout_from * self.steps or draw.numpy.random() >= c.rollout:
            return clean
        rows, steps = list(range(c.batch)), int(draw.numpy.choice([1, 2]))
        cache = RollingCache(self.model.config.dynamics, c.batch, torch.bfloat16, self.device)
        frames = []
        for t in range(c.frames):
            noise = torch.randn(clean[:, t].shape, generator=draw.torch).to(clean)
            if t < c.rollout_context:
                frames.append(clean[:, t])
                self.model.commit(clean[:, t], noise, action[:, t], cache, rows)
            else:
                frames.append(self.model.dream(noise, action[:, t], cache, rows, steps)[0])
        return torch.stack(frames, 1)
