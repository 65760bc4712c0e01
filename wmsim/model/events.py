"""What was told lately, as numbers behind the action: a sentence's embedding, that there is one, and how old it is.

Shape legend: N captions, E embedding width, D network width, R rows of a recording. The last event counts, for a while;
then it is forgotten and the frames carry on what it changed.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, Int32, Int64
from torch import Tensor, nn
from torch.nn import functional as F

EXTRA = 2
"""Numbers of a condition beside the embedding: 1 where something was told, and its age in [0, 1)."""
_PLACED, _WAVES = 32, 8
"""Numbers that say what an event does to one token; half waves of the time for which it is told."""


@runtime_checkable
class Embeds(Protocol):
    """What turns texts into vectors: `wmsim.text.embed.Embedder`."""

    width: int

    def embed(self, texts: Sequence[str]) -> Float32[np.ndarray, "N E"]:
        """One vector of length 1 a text."""
        ...


def make_embedder() -> Embeds:
    """The sentence embedding that ships with the extra [text]. ImportError names it where it is missing."""
    try:
        made: Embeds = importlib.import_module("wmsim.text.embed").Embedder()
    except ImportError as missing:
        raise ImportError("events need the sentence embedding: pip install 'wmsim[text]'") from missing
    return made


class EventInput(nn.Module):
    """A condition (*rows, E + 2) to what it adds to N tokens; nothing where nothing was told, and at first never.

    A part is added to all tokens alike, and a part of `_PLACED` numbers a token to each: rain falls everywhere, and a
    pedestrian steps onto the road from the right. Age comes as sines and cosines beside itself: a car that cuts in is
    on the left after half a second and in front after one.
    """

    def __init__(self, width: int, dim: int, tokens: int = 1) -> None:
        super().__init__()
        self.inward, self.when = nn.Linear(width + 1, dim), nn.Linear(2 * _WAVES, dim, bias=False)
        self.outward, self.where = nn.Linear(dim, dim), nn.Linear(dim, tokens * _PLACED)
        self.placed = nn.Linear(_PLACED, dim, bias=False)
        self.scale = width**0.5
        for layer in (self.outward, self.placed):
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.outward.bias)

    def forward(self, told: Float[Tensor, "*rows C"]) -> Float[Tensor, "*rows N D"]:
        """What is added, (*rows, N, D)."""
        text, flag, age = told[..., :-EXTRA], told[..., -EXTRA:-1], told[..., -1:]
        dtype = self.inward.weight.dtype
        angle = age * torch.pi * torch.arange(1, _WAVES + 1, device=age.device)
        waves = torch.cat([angle.sin(), angle.cos()], -1)
        heard = F.silu(self.inward(torch.cat([text * self.scale, age], -1).to(dtype)) + self.when(waves.to(dtype)))
        here = F.silu(self.where(heard).unflatten(-1, (-1, _PLACED)))
        out: Tensor = flag.to(dtype)[..., None] * (self.outward(heard)[..., None, :] + self.placed(here))
        return out


def recent(
    told: Int32[np.ndarray, " R"], first: Int64[np.ndarray, " R"], frames: int
) -> tuple[Int32[np.ndarray, " R"], Int64[np.ndarray, " R"]]:
    """For each row the caption last told, -1 where that is `frames` ago or more, and its age in frames.

    told: as in a cache. first: the first row of each row's episode: what was told in another does not count.
    """
    rows = np.arange(len(told))
    latest = np.maximum.accumulate(np.where(told >= 0, rows, -1))
    age = np.where(latest >= first, rows - latest, frames)
    here = age < frames
    return np.where(here, told[np.maximum(latest, 0)], -1).astype(np.int32), np.where(here, age, 0)


def aged(told: Float[Tensor, "*rows C"], frames: int) -> Float[Tensor, "*rows C"]:
    """Conditions one frame later; zeros where something was told `frames` frames ago."""
    older = told.clone()
    older[..., -1] += older[..., -2] / frames
    return torch.where(older[..., -1:] < 1 - 0.5 / frames, older, 0.0)


def conditions(
    caption: Int32[np.ndarray, "*rows"],
    age: Int64[np.ndarray, "*rows"],
    embeddings: Float32[np.ndarray, "N E"],
    frames: int,
) -> Float[Tensor, "*rows C"]:
    """Conditions (*rows, E + 2) of captions by number, -1 for none, told `age` of `frames` frames ago."""
    here = (caption >= 0)[..., None]
    parts = [embeddings[np.maximum(caption, 0)], np.ones((*caption.shape, 1)), age[..., None] / frames]
    return torch.from_numpy(np.where(here, np.concatenate(parts, -1), 0).astype(np.float32))
