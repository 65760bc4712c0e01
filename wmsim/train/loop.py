"""The training loop of every stage: AdamW, warm-up and decay, EMA, curves, and a state that resumes to the step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class LoopConfig:
    """How a stage is optimised.

    steps: optimiser steps in all. warmup and decay: shares of them in which the rate rises from 0 and falls to 0,
    linearly; between them it is constant (so `steps` may be raised later). ema: decay of the averaged weights.
    """

    steps: int
    learning_rate: float = 6e-4
    weight_decay: float = 0.05
    warmup: float = 0.03
    decay: float = 0.3
    clip: float = 1.0
    ema: float = 0.999
    save_every: int = 500
    log_every: int = 50

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        rise = min(1.0, (step + 1) / max(1.0, self.warmup * self.steps))
        fall = min(1.0, (self.steps - step) / max(1.0, self.decay * self.steps))
        return self.learning_rate * min(rise, fall)


@dataclass(frozen=True)
class Draw:
    """The random numbers of one step: a pure function of seed, step and rank, so that a resumed run draws the same.

    common: the same in every process, for what decides how long a step takes: all wait for the slowest.
    """

    step: int
    common: np.random.Generator
    numpy: np.random.Generator
    torch: torch.Generator

    @staticmethod
    def of(seed: int, step: int, rank: int) -> Draw:
        """The draw of a step."""
        sequence = np.random.SeedSequence([seed, step, rank])
        own = torch.Generator().manual_seed(int(sequence.generate_state(1)[0]))
        common = np.random.default_rng(np.random.SeedSequence([seed, step], spawn_key=(0,)))
        return Draw(step, common, np.random.default_rng(sequence), own)


@runtime_checkable
class Stage(Protocol):
    """One network to train."""

    name: str
    module: nn.Module

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """Scalars of one batch; "total" is minimised."""
        ...

    def saved(self) -> None:
        """Called when the averaged weights stand in `module` at a save."""
        ...


@contextmanager
def processes(device: str) -> Iterator[tuple[int, int]]:
    """Rank and count of the processes that `torchrun` started; (0, 1) without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1:
        distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield (distributed.get_rank(), count) if count > 1 else (0, 1)
    finally:
        if count > 1:
            distributed.destroy_process_group()


class Loop:
    """Runs a stage from its last saved step to its end; leaves the averaged weights in the stage's module."""

    def __init__(
        self, stage: Stage, config: LoopConfig, folder: Path, seed: int, rank: int = 0, count: int = 1
    ) -> None:
        self.stage, self.config, self.seed, self.rank, self.count = stage, config, seed, rank, count
        self.path = folder / stage.name / "state.pt"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.parameters = [p for p in stage.module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(_groups(stage.module, config.weight_decay), betas=(0.9, 0.95), fused=True)
        self.average = [p.detach().clone() for p in self.parameters]
        self.step = 0
        if self.path.exists():
            self._load()

    def run(self) -> None:
        """Train to the end; safe to kill at any time."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with self._curves() as curves, Progress(*columns, disable=self.rank > 0) as progress:
            task = progress.add_task(self.stage.name, total=self.config.steps, completed=self.step)
            while self.step < self.config.steps:
                losses = self._advance()
                progress.update(task, completed=self.step)
                if self.step % self.config.log_every == 0 and curves is not None:
                    for name, value in losses.items():
                        curves.add_scalar(f"{self.stage.name}/{name}", float(value.detach()), self.step)
                if self.step % self.config.save_every == 0 or self.step == self.config.steps:
                    self._save()
        self._swap()

    def _advance(self) -> dict[str, Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate(self.step)
        losses = self.stage.losses(Draw.of(self.seed, self.step, self.rank))
        if not bool(torch.isfinite(losses["total"])):
            raise FloatingPointError(f"the loss of {self.stage.name} is not finite at step {self.step}: lower the rate")
        self.optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        self._share_gradients()
        nn.utils.clip_grad_norm_(self.parameters, self.config.clip)
        self.optimizer.step()
        self.step += 1
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)
        return losses

    def _share_gradients(self) -> None:
        if self.count == 1:
            return
        for parameter in self.parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
            parameter.grad /= self.count

    def _swap(self) -> None:
        kept = [p.detach().clone() for p in self.parameters]
        torch._foreach_copy_([p.data for p in self.parameters], self.average)
        self.average = kept

    def _save(self) -> None:
        if self.rank:
            return
        state = {
            "step": self.step,
            "module": self.stage.module.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
        }
        partial = self.path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.path)
        self._swap()
        self.stage.saved()
        self._swap()

    def _load(self) -> None:
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        try:
            self.stage.module.load_state_dict(state["module"])
        except RuntimeError as error:
            raise ValueError(f"{self.path} holds another model: choose another out= or delete it ({error})") from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = [a.to(p.device) for a, p in zip(state["average"], self.parameters, strict=True)]
        self.step = state["step"]

    @contextmanager
    def _curves(self) -> Iterator[Any]:
        if self.rank:
            yield None
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError("training curves need TensorBoard: pip install 'wmsim[train]'") from error
        writer = SummaryWriter(str(self.path.parent), purge_step=self.step)
        try:
            yield writer
        finally:
            writer.close()


def _groups(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    matrices = [p for p in module.parameters() if p.requires_grad and p.ndim >= 2]
    vectors = [p for p in module.parameters() if p.requires_grad and p.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
