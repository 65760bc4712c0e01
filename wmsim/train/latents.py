"""A dataset as latents: every frame encoded once, and windows of them drawn with a far-back frame as sink.

Shape legend: N frames, B windows of T frames, h x w grid, c latent channels, A action width, P proprio width,
V events.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Float32, Int32, Int64
from rich.progress import track
from torch import Tensor, nn

from wmsim.control import to_unit
from wmsim.data.cache import Cache
from wmsim.data.lerobot import DatasetSpec
from wmsim.model.events import conditions, recent
from wmsim.model.precision import autocast
from wmsim.model.tokenizer import Tokenizer
from wmsim.train.loop import Draw


@dataclass(frozen=True)
class LatentBatch:
    """Windows in arrival convention; reward and end are zeros where they are not recorded.

    action: counted from -1 to 1 between its bounds. linked: frame t of the window follows frame t - 1 in the episode.
    rows: where each frame lies in the cache. told: the condition of the event told lately, width 0 where none ever is.
    """

    latent: Float[Tensor, "B T h w c"]
    action: Float[Tensor, "B T A"]
    proprio: Float[Tensor, "B T P"]
    reward: Float[Tensor, "B T"]
    end: Bool[Tensor, "B T"]
    linked: Bool[Tensor, "B T"]
    rows: Int64[np.ndarray, "B T"]
    told: Float[Tensor, "B T C"]

    @property
    def asked(self) -> Float[Tensor, "B T D"]:
        """The action with the condition behind it, as the dynamics take it; D = A + C."""
        return torch.cat([self.action, self.told], -1)


def digest(module: nn.Module) -> str:
    """Tells one set of weights from another: what was made with other weights is made anew."""
    return f"{sum(float(p.detach().double().abs().sum()) for p in module.parameters()):.9e}"


def mark_of(cache: Cache) -> int:
    """Tells one recording from another, and from a part of it: a checksum of its actions and of its episodes."""
    parts = (cache.action, cache.episode_start, cache.episode_length)
    return zlib.crc32(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))


def bounds_of(spec: DatasetSpec) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The bounds of a recording's actions, -1 and 1 where it does not know them."""
    width = len(spec.action)
    return spec.low or (-1.0,) * width, spec.high or (1.0,) * width


@dataclass(frozen=True)
class Wordings:
    """What can be told: the captions of a recording and, behind them, the names of its V events.

    embeddings: (K, E). events: (K,) which event each tells. frames: for how long it is told.
    """

    embeddings: Float32[np.ndarray, "K E"]
    events: Int64[np.ndarray, " K"]
    frames: int

    @cached_property
    def _ways(self) -> tuple[Int64[np.ndarray, " V"], list[Int64[np.ndarray, " n"]]]:
        """Which wording is the name of each event, and which are its captions."""
        count = int(self.events.max()) + 1
        captions = [np.flatnonzero(self.events[:-count] == event) for event in range(count)]
        return len(self.events) - count + np.arange(count), captions

    def others(self, rng: np.random.Generator, windows: int, share: float) -> Int64[np.ndarray, "B V"]:
        """For each window and event a wording to put in the place of those recorded, or -1: they stay.

        share: of windows whose events are told otherwise: half of these by name, the rest by any of their captions. A
        caption that was recorded once says little about its event, and a name is what is told most.
        """
        names, captions = self._ways
        drawn = [
            rng.choice(ways if len(ways) else names[event : event + 1], windows) for event, ways in enumerate(captions)
        ]
        named = rng.random((windows, 1)) < 0.5
        return np.where(rng.random((windows, 1)) < share, np.where(named, names, np.stack(drawn, 1)), -1)

    def drawn(self, rng: np.random.Generator, count: int) -> Float[Tensor, "n C"]:
        """Conditions of events that are told just now, any event as often as any other."""
        ways = self.others(rng, count, 1.0)
        wording = ways[np.arange(count), rng.integers(ways.shape[1], size=count)].astype(np.int32)
        return conditions(wording, np.zeros(count, np.int64), self.embeddings, self.frames)


@dataclass(frozen=True)
class Untold:
    """Latents (M, h, w, c) of drives that were recorded again with nothing told, and the row in them of each of the N
    rows of those that were told something; -1 where there is none or where what was told is past."""

    latent: Float16[np.ndarray, "M h w c"]
    row: Int64[np.ndarray, " N"]

    def at(self, rows: Int64[np.ndarray, "B T"]) -> tuple[Float[Tensor, "B T h w c"], Bool[Tensor, " B"]]:
        """Windows of these rows had nothing been told, and which of the windows are recorded so."""
        there = self.row[rows]
        return torch.from_numpy(self.latent[np.maximum(there, 0)]).float(), torch.from_numpy(there >= 0).all(1)


@dataclass(frozen=True)
class Latents:
    """The latents (N, h, w, c) of a cache, beside the cache's other arrays.

    wordings: of what is told in it; None: events are overlooked. untold: what were there had nothing been told.
    """

    latent: Float16[np.ndarray, "N h w c"]
    cache: Cache
    wordings: Wordings | None = None
    untold: Untold | None = None

    @cached_property
    def recent(self) -> tuple[Int32[np.ndarray, " N"], Int64[np.ndarray, " N"]]:
        """Of every row the caption told lately and its age; see `wmsim.model.events.recent`."""
        told, cache = self.cache.told, self.cache
        assert told is not None
        assert self.wordings is not None
        first = np.zeros(len(told), np.int64)
        for start, length in zip(cache.episode_start, cache.episode_length, strict=True):
            first[start : start + length] = start
        return recent(np.asarray(told), first, self.wordings.frames)

    def _told(self, rows: np.ndarray, others: np.ndarray | None) -> Float[Tensor, "B T C"]:
        if (words := self.wordings) is None:
            return torch.zeros(*rows.shape, 0)
        caption, age = (found[rows] for found in self.recent)
        if others is not None:
            other = np.take_along_axis(others, words.events[np.maximum(caption, 0)], 1)
            caption = np.where((caption >= 0) & (other >= 0), other, caption).astype(np.int32)
        return conditions(caption, age, words.embeddings, words.frames)

    def sample(
        self, draw: Draw, batch: int, frames: int, endings: float, reworded: float = 0.0, tellings: float = 0.0
    ) -> LatentBatch:
        """Windows of `frames` frames: a sink, from anywhere earlier in the episode or the frame just before, and a run.

        endings: share of windows moved so that they end with their episode's last frame, where crashes are. tellings:
        share of the others that are moved, where their episode allows it, to where an event is told; see `_tellings`.
        reworded: share of windows whose events are told otherwise, see `Wordings.others`.
        """
        rng, usable = draw.numpy, np.flatnonzero(self.cache.episode_length >= frames)
        if not len(usable):
            raise ValueError(f"no episode has {frames} frames: record longer episodes or train on shorter windows")
        lengths = self.cache.episode_length[usable]
        picks = rng.choice(len(usable), batch, p=lengths / lengths.sum())
        rows = np.stack([self._window(rng, int(usable[p]), frames, endings, tellings) for p in picks])
        return self.batch(rows, self.wordings.others(rng, batch, reworded) if self.wordings and reworded else None)

    def end_odds(self, frames: int, endings: float, tellings: float = 0.0) -> float:
        """Log odds that a frame of `sample` ends its episode, above those of the recording's frames; 0 without ends."""
        length, ended = self.cache.episode_length, self.cache.terminated
        if ended is None:
            return 0.0
        over = ended[self.cache.episode_start + length - 1]
        usable = length >= frames
        if not over[usable].any():
            return 0.0
        shown = 1 / np.maximum(length - frames + 1, 1)
        if tellings:
            for episode in np.flatnonzero(usable):
                if len(at := self._tellings(int(episode), frames)):
                    last = np.mean(at == length[episode] - frames)
                    shown[episode] += tellings * (last - shown[episode])
        shown = endings + (1 - endings) * shown
        drawn = np.average(over[usable] * shown[usable], weights=length[usable]) / (frames - 1)
        return float(logit(drawn) - logit(over.sum() / length.sum()))

    def _tellings(self, episode: int, frames: int) -> Int64[np.ndarray, " S"]:
        """Starts of windows in the first half of which an event is told, with a frame or more of history before it.

        Of a drive that was recorded untold too they may begin later, as long as all of it is known: a car that cuts in
        is seen a second after it was told.
        """
        first, length = int(self.cache.episode_start[episode]), int(self.cache.episode_length[episode])
        if self.wordings is None or self.cache.told is None:
            return np.zeros(0, np.int64)
        at = np.flatnonzero(np.asarray(self.cache.told[first : first + length]) >= 0)
        starts = (at[:, None] - np.arange(2, frames // 2 + 1)).ravel()
        starts = starts[starts >= 0].clip(max=length - frames)
        if self.untold is None or not len(at):
            return starts
        known = int((self.untold.row[first : first + length] >= 0).sum())
        return np.concatenate([starts, np.arange(max(at[0] - 1, 0), known - frames + 1)])

    def _window(
        self, rng: np.random.Generator, episode: int, frames: int, endings: float, tellings: float
    ) -> np.ndarray:
        first, length = int(self.cache.episode_start[episode]), int(self.cache.episode_length[episode])
        latest = length - frames
        if rng.random() < endings:
            start = latest
        elif tellings and rng.random() < tellings and len(at := self._tellings(episode, frames)):
            start = int(rng.choice(at))
        else:
            start = int(rng.integers(0, latest + 1))
        rows = first + start + np.arange(frames)
        if rng.random() < 0.5:
            rows[0] = first + rng.integers(0, start + 1)
        return rows

    def batch(self, rows: Int64[np.ndarray, "B T"], others: Int64[np.ndarray, "B V"] | None = None) -> LatentBatch:
        """The windows of these rows of the cache; others: wordings in place of those recorded."""
        cache, blank = self.cache, np.zeros(rows.shape, np.float32)
        return LatentBatch(
            latent=torch.from_numpy(self.latent[rows]).float(),
            action=to_unit(torch.from_numpy(cache.action[rows]), *bounds_of(cache.spec)),
            proprio=torch.from_numpy(cache.proprio[rows]),
            reward=torch.from_numpy(blank if cache.reward is None else cache.reward[rows]),
            end=torch.from_numpy(blank.astype(bool) if cache.terminated is None else cache.terminated[rows]),
            linked=torch.from_numpy(np.diff(rows, axis=1, prepend=-2) == 1),
            rows=rows,
            told=self._told(rows, others),
        )

    def moments(self) -> tuple[Float[Tensor, "c"], Float[Tensor, "c"]]:
        """Mean and standard deviation of each latent channel, from at most 4,096 evenly spaced frames."""
        some = torch.from_numpy(np.array(self.latent[:: max(1, len(self.latent) // 4096)])).float().flatten(0, 2)
        return some.mean(0), some.std(0).clamp(min=1e-3)


def counterparts(cache: Cache, again: Cache, frames: int) -> Int64[np.ndarray, " N"]:
    """The row of `again`, the same drives with nothing told, for each row of `cache`, or -1; see `Untold`.

    Drives are the same that have the same seed and actions. What was told first counts, for `frames` frames or until
    something else is told: from then on more differs than is told. ValueError: no drive is the same.
    """
    row = np.full(len(cache.action), -1, np.int64)  # a part of a cache has the rows of the whole
    runs = zip(again.episode_start.tolist(), again.episode_length.tolist(), strict=True)
    others = dict(zip(again.episode_seed.tolist(), runs, strict=True))
    for start, length, seed in zip(cache.episode_start, cache.episode_length, cache.episode_seed.tolist(), strict=True):
        first, count = others.get(seed, (0, 0))
        count = min(int(count), int(length))
        if not count or not np.array_equal(cache.action[start : start + count], again.action[first : first + count]):
            continue
        tellings = [] if cache.told is None else np.flatnonzero(cache.told[start : start + count] >= 0).tolist()
        if tellings:
            count = min(count, tellings[0] + frames, *tellings[1:2])
        row[start : start + count] = first + np.arange(count)
    if (row < 0).all():
        raise ValueError("no drive was recorded again: none has seed and actions of one that was told something")
    return row


def logit(share: float) -> float:
    """Log odds of a share in (0, 1)."""
    return float(np.log(share) - np.log1p(-share))


def encode_all(tokenizer: Tokenizer, cache: Cache, path: Path, device: str, key: dict[str, Any]) -> Latents:
    """Encode every frame of `cache` into a memory-mapped file at `path`; reused while `key` stays the same."""
    rows, columns = tokenizer.config.grid
    shape = (cache.frame_count, rows, columns, tokenizer.config.channels)
    note = path.with_suffix(".json")
    if not (path.exists() and note.exists() and json.loads(note.read_text()) == key):
        partial = path.with_suffix(".partial")
        out = np.lib.format.open_memmap(partial, "w+", np.float16, shape)
        for start in track(range(0, len(out), 256), "encoding"):
            out[start : start + 256] = _encode(tokenizer, cache.frames[start : start + 256], device)
        out.flush()
        partial.replace(path)
        note.write_text(json.dumps(key))
    return Latents(np.load(path, mmap_mode="r"), cache)


@torch.no_grad()
def _encode(tokenizer: Tokenizer, frames: np.ndarray, device: str) -> np.ndarray:
    with autocast(device):
        latent = tokenizer.encode(torch.from_numpy(np.array(frames)).to(device))
    return latent.to("cpu", torch.float16).numpy()
