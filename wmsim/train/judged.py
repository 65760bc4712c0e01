"""Frames for the critic and the reader: dreamt or recorded, each behind those that are seen before it.

Shape legend: B windows of T frames, N frames, K of them seen together, S tokens of C channels, A action and P proprio
width, G = A + P, E numbers in which an event is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wmsim.train.critic import BEFORE
from wmsim.train.loop import Draw


@dataclass(frozen=True)
class Judged:
    """Frames for the critic, each behind those that it sees before it.

    told: the action that led to the frame and the proprioception read just before it, normalised. happened: the same
    action, and the proprioception read from the frame. event: the condition of the event told lately. counts: 1 where
    the frame is to be judged, else 0; reads: where it is to be read.
    """

    frames: Float[Tensor, "N K S C"]
    sink: Float[Tensor, "N S C"]
    told: Float[Tensor, "N G"]
    happened: Float[Tensor, "N G"]
    event: Float[Tensor, "N E"]
    counts: Float[Tensor, "N"]
    reads: Float[Tensor, "N"]


def joined(parts: Sequence[Judged]) -> Judged:
    """All frames of some, in their order."""
    return Judged(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Judged)))


def recorded(
    clean: Float[Tensor, "B T S C"],
    told: Float[Tensor, "B T-1 G"],
    happened: Float[Tensor, "B T-1 G"],
    event: Float[Tensor, "B T-1 E"],
    linked: Bool[Tensor, "B T"],
    count: int,
    draw: Draw,
) -> Judged:
    """`count` recorded frames of the windows, each behind those seen before it and with the window's sink.

    told, happened, event: of the frames from the second on.
    """
    reach = max(BEFORE)
    whole = linked.unfold(1, reach, 1).all(-1)[:, 1:]
    row, first = torch.nonzero(whole, as_tuple=True)
    chosen = torch.from_numpy(draw.numpy.integers(0, len(row), count)).to(row.device)
    row, time = row[chosen], first[chosen] + reach
    frames = torch.stack([clean[row, time - age] for age in (*BEFORE, 0)], 1)
    known = told[row, time - 1], happened[row, time - 1], event[row, time - 1]
    every = torch.ones_like(frames[:, 0, 0, 0])
    return Judged(frames, clean[row, 0], *known, every, every)
