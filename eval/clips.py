"""Clips cut from real episodes: some frames of context, the frames that truly followed, and all that is known of them.

Shape legend: C clips, L context frames, H frames after them, h x w pixels, D action width, P proprio width, S state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from wmsim.control import Control
from wmsim.data.episodes import Episode
from wmsim.world import Start, WorldSpec

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Clips:
    """Every array's first axis is the clip.

    frames: (C, L + H, h, w, 3) uint8; after the end of an episode its last frame stands again. action: (C, L + H - 1,
    D), action t leads from frame t to t + 1. town: (C,) the seed of the episode. valid: (C, H) whether the frame is
    one of the episode. Where it was not recorded, None: reward (C, H), ended (C, H) true in the frame that ended
    it, proprio (C, L + H, P), state (C, L + H, S), classes (C, H, h, w) of `wmsim.metrics.pixel_classes`.
    """

    frames: Array
    action: Array
    town: Array
    valid: Array
    context: int
    reward: Array | None = None
    ended: Array | None = None
    proprio: Array | None = None
    state: Array | None = None
    classes: Array | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.frames.shape[1]) - self.context

    @property
    def future(self) -> Array:
        """(C, H, h, w, 3): what truly followed the context."""
        return self.frames[:, self.context :]

    def select(self, rows: Sequence[int] | Array) -> Clips:
        """Some of the clips."""
        there: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "context"}
        return replace(self, **{name: array[rows] for name, array in there.items() if array is not None})


def cut(episodes: Sequence[Episode], begins: Sequence[int], context: int, horizon: int) -> Clips:
    """One clip from each episode, its first frame numbered `begins[i]`; what lies after the episode's end is padded.

    ValueError when the context does not fit into an episode.
    """
    for episode, begin in zip(episodes, begins, strict=True):
        if begin < 0 or begin + context > len(episode):
            raise ValueError(f"{context} context frames from {begin} on do not fit into {len(episode)} frames")
    parts = [_cut_one(episode, begin, context, horizon) for episode, begin in zip(episodes, begins, strict=True)]
    present = [name for name, value in parts[0].items() if value is not None]
    return Clips(context=context, **{name: np.stack([part[name] for part in parts]) for name in present})


def _cut_one(episode: Episode, begin: int, context: int, horizon: int) -> dict[str, Any]:
    span = np.arange(begin, begin + context + horizon)
    last = len(episode) - 1
    frame, action = span.clip(max=last), span[:-1].clip(max=last - 1)
    into = span[context:]
    return {
        "frames": episode.frames[frame],
        "action": episode.action[action],
        "town": np.int64(episode.seed),
        "valid": into <= last,
        "reward": None if episode.reward is None else _arrived(episode.reward, into, last),
        "ended": None if episode.terminated is None else (into == last) & episode.terminated,
        "proprio": None if episode.proprio is None else episode.proprio[frame],
        "state": None if episode.state is None else episode.state[frame],
    }


def _arrived(reward: Array, into: Array, last: int) -> Array:
    """The reward that came with each frame; 0 beyond the end."""
    return np.where(into <= last, reward[(into - 1).clip(max=last - 1)], 0.0).astype(np.float32)


def start_of(clips: Clips, spec: WorldSpec) -> Start:
    """The context of the clips as start frames of a world with that spec, with controls, and proprio where there is."""
    camera, context = next(iter(spec.cameras)), clips.context
    control = control_of(spec, clips.action[:, : context - 1]) if context > 1 else None
    proprio = None
    if spec.proprio and clips.proprio is not None:
        proprio = torch.from_numpy(clips.proprio[:, :context])
    return Start({camera: torch.from_numpy(clips.frames[:, :context])}, control, proprio)


def control_of(spec: WorldSpec, action: Array) -> Control:
    """(C, T, D) actions as the control that the world takes. ValueError when it takes no vector."""
    domain = next(iter(spec.controls))
    if domain in {"buttons", "look", "camera"}:
        raise ValueError(f"world {spec.name!r} takes {domain!r} controls; recorded actions are vectors")
    return Control.of_robot(action, domain)


def shuffled(action: Array, context: int) -> Array:
    """The same actions up to the context's end, after it those of the next clip: right in kind, wrong in place."""
    other = np.roll(action, 1, axis=0)
    return np.concatenate([action[:, : context - 1], other[:, context - 1 :]], 1)
