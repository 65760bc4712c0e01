"""The outcome stage: the heads learn, in the dream's own states, what truly came of the actions that were taken.

Heads that were taught on recorded frames read a dream as if it were real: where it has led a lost car back to the road,
they promise that road's reward. Here the dream goes on from recorded moments under the recorded actions, and the heads
learn rewards, ends and proprioception from its features and the recording. Heads that are told what they last said of
the motion are told it here too, and here they learn what to remember. Frames stay as they are.

Shape legend: N drives of T frames, n of them at once, K with those known before, F width of features, B of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from rich.progress import track
from torch import Tensor, nn

from wmsim.model.cache import RollingCache
from wmsim.model.heads import felt
from wmsim.model.precision import autocast, fast_dtype
from wmsim.model.world_model import WorldModel
from wmsim.train.drives import draw_drives
from wmsim.train.latents import Latents, digest, mark_of
from wmsim.train.loop import Draw


@dataclass(frozen=True)
class OutcomeStageConfig:
    """drives, frames, before, ends: see `draw_drives`; `together` are dreamt at once. steps: denoising passes a frame.
    batch: B, frames of whole drives. unfelt: share of drives whose motion is not told at their beginning;
    forced: share of frames whose motion before is told as it was recorded. stale: share of drives that begin with what
    the heads remember of another: a dream may last longer than those that they learn from.
    """

    drives: int = 2000
    frames: int = 64
    before: int = 16
    together: int = 32
    ends: float = 0.5
    steps: int = 1
    batch: int = 1024
    unfelt: float = 0.1
    forced: float = 0.2
    stale: float = 0.3

    def __post_init__(self) -> None:
        """ValueError: nothing to dream or to learn from, or no share."""
        if min(self.drives, self.frames, self.before, self.together, self.steps, self.batch) < 1:
            raise ValueError(f"every count of the outcome stage is at least 1, got {self}")
        if not 0 <= self.ends < 1:
            raise ValueError(f"ends (share of drives) is at least 0 and less than 1, got {self.ends}")
        for name in ("unfelt", "forced", "stale"):
            if not 0 <= (share := getattr(self, name)) <= 1:
                raise ValueError(f"{name} is a share from 0 to 1, got {share}")


class OutcomeStage:
    """Trains the heads of `model` on features that it dreams once, at the beginning, and keeps in `path`."""

    name = "outcomes"

    def __init__(
        self, model: WorldModel, latents: Latents, config: OutcomeStageConfig, path: Path, seed: int = 0,
        device: str = "cpu",
    ) -> None:  # fmt: skip
        """path: of the features, an .npz file; those of other weights, settings or drives there are dreamt anew.

        ValueError: no episode is as long as what is known before, and a frame.
        """
        self.model, self.latents, self.config, self.device = model, latents, config, device
        self.module: nn.Module = model.dynamics.heads
        key = f"{seed} {config} {digest(model.dynamics)} {mark_of(latents.cache)}"
        if not path.exists() or str(np.load(path)["key"]) != key:
            drives = draw_drives(latents.cache, config.drives, config.before, config.frames, config.ends, seed)
            rows, weight = drives.rows, drives.weight[:, config.before :]
            features, first = self._dream(rows, seed)
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, key=key, rows=rows[:, config.before - 1 :], weight=weight, features=features, first=first)
            partial.replace(path)
        with np.load(path) as kept:
            self._features, self._first = (torch.from_numpy(kept[name]) for name in ("features", "first"))
            self._rows, self._weight = kept["rows"], torch.from_numpy(kept["weight"])
        self._doubt = self._doubted()

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """Losses of a batch; what the heads say of their doubt is held where it was."""
        heads, cache, c = self.model.dynamics.heads, self.latents.cache, self.config
        some = draw.numpy.integers(len(self._rows), size=max(1, c.batch // c.frames))
        rows, weight = self._rows[some][:, 1:], self._weight[some].to(self.device)
        reward = np.zeros(rows.shape, np.float32) if cache.reward is None else cache.reward[rows]
        end = np.zeros(rows.shape, bool) if cache.terminated is None else cache.terminated[rows]
        proprio = self.model.normal_proprio(torch.from_numpy(cache.proprio[self._rows[some]]).to(self.device))
        truth = torch.from_numpy(reward).to(self.device), torch.from_numpy(end).to(self.device), proprio[:, 1:]
        features = self._features[some].float().to(self.device)
        known = (torch.rand(len(rows), generator=draw.torch) >= c.unfelt).to(self.device)
        last = torch.where(torch.from_numpy(end).any(1), 0, (self._weight[some] > 0).sum(1)).to(self.device)
        felt, memory = self._along_drives(features, proprio, known, last, draw)
        losses = heads.loss(features, *truth, weight, felt=felt, memory=memory)
        live = weight > 0
        kept = heads.error_loss(
            self._first[some].float().to(self.device)[live], self._doubt[some].to(self.device)[live]
        )
        return {"total": sum(losses.values(), kept), "doubt": kept, **losses}

    def _along_drives(
        self,
        features: Float[Tensor, "B T F"],
        proprio: Float[Tensor, "B T1 P"],
        known: Bool[Tensor, "B"],
        last: Int64[Tensor, "B"],
        draw: Draw,
    ) -> tuple[Float[Tensor, "B T P1"] | None, Float[Tensor, "B T M"] | None]:
        """What the heads are told along drives, and what they remember: None where they take neither.

        last: how many frames a drive was recorded for, 0 for one that ended by itself. They are told what was recorded
        before a drive, then what they said of the frame before. Now and then it is the recording again, so that they
        learn early what it is worth.
        """
        heads = self.model.dynamics.heads
        if not (heads.feels or heads.memory):
            return None, None
        forced = (torch.rand(features.shape[:2], generator=draw.torch) < self.config.forced).to(self.device)
        begun = features.new_zeros(len(features), heads.memory)
        if heads.memory and self.config.stale:
            stale = torch.rand(len(features), 1, generator=draw.torch) < self.config.stale
            with torch.no_grad():
                memory = self._along(features, proprio, known, forced, begun)[1]
            kept = memory[torch.arange(len(last)), last - 1] * (last > 0)[:, None]
            begun = torch.where(stale.to(self.device), kept.roll(1, 0), begun)
        return self._along(features, proprio, known, forced, begun)

    def _along(
        self,
        features: Float[Tensor, "B T F"],
        proprio: Float[Tensor, "B T1 P"],
        known: Bool[Tensor, "B"],
        forced: Bool[Tensor, "B T"],
        begun: Float[Tensor, "B M"],
    ) -> tuple[Float[Tensor, "B T P1"], Float[Tensor, "B T M"]]:
        """What the heads are told along drives, and what they remember of them who remembered `begun` before."""
        heads, told, memory = self.model.dynamics.heads, [felt(proprio[:, 0], known)], [begun]
        for t in range(features.shape[1]):
            memory.append(heads.remember(features[:, t], told[t], memory[t]))
            said = heads.outputs(features[:, t], told[t], memory[-1])[2]
            told.append(felt(torch.where(forced[:, t, None], proprio[:, t + 1], said)))
        return torch.stack(told[:-1], 1), torch.stack(memory[1:], 1)

    def saved(self) -> None:
        """The heads are written with the model."""

    def _doubted(self) -> Float[Tensor, "N T"]:
        """What the heads say of their doubt before they learn."""
        heads = self.model.dynamics.heads
        with torch.no_grad():
            said = [heads(part.float().to(self.device)).log_error.cpu() for part in self._first.split(64)]
        return torch.cat(said)

    @torch.no_grad()
    def _dream(self, rows: Int64[np.ndarray, "N K"], seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Features (N, T, F) of finished frames and of their first passes, half precision."""
        c, parts = self.config, []
        for first in track(range(0, len(rows), c.together), "dreams for the heads"):
            noise = torch.Generator().manual_seed(seed * 1_000_003 + first)
            with autocast(self.device):
                parts.append(self._dreamt(rows[first : first + c.together], noise))
        features, firsts = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
        return features, firsts

    def _dreamt(self, rows: Int64[np.ndarray, "n K"], noise: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
        c, model, count = self.config, self.model, len(rows)
        batch, everyone = self.latents.batch(rows), list(range(count))
        clean = model.to_tokens(batch.latent[:, : c.before].flatten(0, 1).to(self.device)).unflatten(0, (count, -1))
        action = batch.asked.to(self.device)
        cache = RollingCache(model.config.dynamics, count, fast_dtype(self.device), self.device)
        shape, found = clean[:, 0].shape, []
        for t in range(rows.shape[1]):
            drawn = torch.randn(shape, generator=noise).to(self.device)
            if t < c.before:
                model.commit(clean[:, t], drawn, action[:, t], cache, everyone)
            else:
                _, finished, first = model.imagine(drawn, action[:, t], cache, everyone, c.steps)
                found.append((finished.half().cpu().numpy(), first.half().cpu().numpy()))
        features, firsts = (np.stack([pair[side] for pair in found], 1) for side in (0, 1))
        return features, firsts
