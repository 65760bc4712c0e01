"""Followers: dreams that go on under recorded actions, and are held to what the recording shows and says came of them.

Windows of the dynamics stage dream a few frames deep. Here dreams lie behind dozens of dreamt frames, so that a car
that was led off the road is taught to be off the road: its frames are drawn towards the recorded ones, and its features
to the recorded reward, end and proprioception. What the recording alone cannot settle, the houses around the corner, is
left to the critic.

Shape legend: N followers, n of them at once, K frames known, S tokens of C channels, A action, P proprio width, F width
of features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from wmsim.model.world_model import WorldModel, stride
from wmsim.train.critic import BEFORE
from wmsim.train.drives import draw_drives
from wmsim.train.judged import Judged, joined
from wmsim.train.latents import Latents
from wmsim.train.loop import Draw
from wmsim.train.pool import Pool, Step, bounded

_DRIVES = 8192
"""Recorded drives that followers are drawn from: more than a training follows."""


@dataclass(frozen=True)
class FollowersConfig:
    """dreams: N; `drawn` of them go on in a step, by `run` frames, until they have dreamt `frames` behind `before`
    known ones. ends: share that is drawn among drives that end by themselves; tellings: of the others among those in
    whose first half an event is told, of a model that can be told any. exact: weight of the squared error where a pass
    is asked for the mean; sampled: where it is asked for a sample, which a large weight would blur.
    """

    dreams: int = 32
    drawn: int = 8
    run: int = 4
    before: int = 16
    frames: int = 64
    ends: float = 0.3
    tellings: float = 0.5
    exact: float = 0.5
    sampled: float = 0.2

    def __post_init__(self) -> None:
        """ValueError: fewer dreams than are drawn, or too little known for the critic."""
        if not 1 <= self.drawn <= self.dreams:
            raise ValueError(f"drawn={self.drawn} followers go on in a step, there are dreams={self.dreams}")
        if self.before < max(BEFORE):
            raise ValueError(f"a follower begins behind at least {max(BEFORE)} frames, got before={self.before}")


class Followers(nn.Module):
    """The dreams as a pool that is saved and resumed with the network, and which drive each of them follows."""

    drive: Int64[Tensor, " N"]

    def __init__(
        self, model: WorldModel, latents: Latents, config: FollowersConfig, step: Step, device: str = "cpu"
    ) -> None:
        super().__init__()
        self.config, self.device, self.latents, self._step = config, device, latents, step
        self._model = (model,)  # in a tuple, so that its weights are not taken for the followers'
        tellings = config.tellings if latents.wordings else 0.0
        self._drives = draw_drives(latents.cache, _DRIVES, config.before, config.frames, config.ends, 0, tellings)
        self.pool = Pool(model, config.dreams, device)
        self.register_buffer("drive", torch.zeros(config.dreams, dtype=torch.long))

    def forward(self, draw: Draw) -> tuple[dict[str, Float[Tensor, ""]], Judged]:
        """Some followers go on: losses "frames" (weighed) and "reward", "end", "proprio", "log_error" (heads), "astray"
        to watch (squared error of frames), and the frames for the critic, which judges those that are samples.
        """
        c, pool = self.config, self.pool
        chosen = draw.numpy.choice(c.dreams, c.drawn, replace=False).tolist()
        self._begin([row for row in chosen if not 0 <= pool.age[row] < c.frames], draw)
        drives, age = self.drive[chosen].numpy(), pool.age[chosen].cpu().numpy()
        places = [(c.before + age + ahead).clip(max=c.before + c.frames - 1) for ahead in range(c.run)]
        weights = [torch.from_numpy(self._drives.weight[drives, place]).to(self.device) for place in places]
        rows = [self._drives.rows[drives, place] for place in places]
        made = [self._go_on(chosen, *frame, draw) for frame in zip(rows, weights, strict=True)]
        pool.age[chosen] = torch.where(weights[-1] == 0, -1, pool.age[chosen] + c.run)
        losses, judged = zip(*made, strict=True)
        return {name: torch.stack([one[name] for one in losses]).mean() for name in losses[0]}, joined(judged)

    def _go_on(
        self, chosen: list[int], rows: Int64[np.ndarray, " n"], weight: Float[Tensor, " n"], draw: Draw
    ) -> tuple[dict[str, Float[Tensor, ""]], Judged]:
        """One frame further, which the recording has at `rows`: the losses of `forward`, and what is judged."""
        c, model, pool, batch = self.config, self._model[0], self.pool, self.latents.batch(rows[:, None])
        heads, device = model.dynamics.heads, self.device
        clean, own = model.to_tokens(batch.latent[:, 0].to(device)), batch.action[:, 0].to(device)
        proprio = model.normal_proprio(batch.proprio[:, 0].to(device))
        asked = batch.asked[:, 0].to(device)
        size = stride(pool.cache.counts[chosen], asked, model.config.dynamics)
        lives, sampled = (weight > 0).float(), (size == 1).float()
        seen = torch.stack([pool.recent[chosen, -back] for back in BEFORE], 1)
        claimed = heads(pool.features[chosen]).proprio.detach()
        made, first = pool.sample(self._step, chosen, asked, size, draw)
        features = pool.show(self._step, chosen, bounded(model, made.detach()), asked, draw)
        wrong, alive = (made - clean).square().mean((-1, -2)), lives.sum().clamp(min=1)
        counted = lives * (c.exact + sampled * (c.sampled - c.exact))
        losses = heads.loss(features, batch.reward[:, 0].to(device), batch.end[:, 0].to(device), proprio, weight)
        losses["frames"] = (wrong * counted).sum() / alive
        losses["log_error"] = heads.error_loss(first, (wrong.detach() + 1e-6).log())
        losses["astray"] = (wrong.detach() * lives).sum() / alive
        frames, judged = torch.cat([seen, made[:, None]], 1), lives * sampled
        told, happened = (torch.cat([own, moved], -1) for moved in (claimed, proprio))
        event = batch.told[:, 0].to(device)
        return losses, Judged(frames, pool.sink[chosen], told, happened, event, judged, judged)

    def _begin(self, rows: list[int], draw: Draw) -> None:
        """Let followers begin from the known frames of other drives."""
        if not rows:
            return
        c, model = self.config, self._model[0]
        drives = draw.numpy.integers(0, _DRIVES, len(rows))
        batch = self.latents.batch(self._drives.rows[drives, : c.before])
        tokens = model.to_tokens(batch.latent.to(self.device))
        asked = batch.asked.to(self.device)
        self.pool.begin(model.dynamics.step, rows, tokens, asked, draw)
        self.drive[rows] = torch.from_numpy(drives)
