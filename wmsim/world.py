"""The contract: a World is a batched, stateful simulator with slots; everything that makes frames from controls is one.

Shape legend: n slots named in a call, T frames per step, H x W pixels, P proprio width, L start frames.
Frame t+1 follows from frame t under control t. All tensors lie on the world's device; frames are uint8 RGB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from gymnasium import spaces
from torch import Tensor

from wmsim.control import Control

Frames = dict[str, Tensor]
"""Camera name -> (n, T, H, W, 3) uint8."""

Memory = Literal["none", "window", "state", "map"]
"""What a world remembers: nothing, the last `context` frames, its full state, or a written map of what was seen."""


@dataclass(frozen=True)
class WorldSpec:
    """What a world is and promises; `wmsim.conformance` holds it to every field.

    cameras: name -> (H, W, 3). controls: kind -> space of one frame's control, natively taken; the kind is a field
    of `Control` ("buttons", "look", "camera") or a robot domain ("wheel", ...). proprio: one name a number, with its
    unit ("speed_mps"). events: the texts understood; None means free text. horizon: frames an episode may last after
    its first ones, None for unlimited; a step past it raises ValueError. context: frames that a "window" memory
    holds. reward / termination / uncertainty: whether the world predicts them (a world without one returns None there,
    never zeros). tolerance: mean absolute difference in grey levels allowed between one slot alone and the same slot
    in a batch. stochastic: the seed changes what follows after the first frame too.
    """

    name: str
    cameras: Mapping[str, tuple[int, int, int]]
    frames_per_second: float
    controls: Mapping[str, spaces.Space[Any]]
    frames_per_step: int = 1
    first_frames: int = 1
    proprio: tuple[str, ...] = ()
    events: tuple[str, ...] | None = ()
    horizon: int | None = None
    memory: Memory = "state"
    context: int | None = None
    reward: bool = True
    termination: bool = True
    uncertainty: bool = False
    tolerance: float = 0.0
    stochastic: bool = False
    licence: str = "Apache-2.0"


@dataclass(frozen=True)
class Step:
    """What n slots show after a reset (T = first_frames) or a step (T = frames_per_step).

    frames: camera -> (n, T, H, W, 3) uint8. reward: (n, T) float32. terminated: (n, T) bool, true from the first end
    on; after it frames repeat and rewards are 0. proprio: (n, T, P) float32. uncertainty: (n, T) float32, >= 0.
    info: name -> tensor or array whose first axis is n. What the spec says is not predicted is None.
    """

    frames: Frames
    reward: Tensor | None = None
    terminated: Tensor | None = None
    proprio: Tensor | None = None
    uncertainty: Tensor | None = None
    info: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """Frames to begin from: camera -> (n, L, H, W, 3) uint8, L >= 1, with the L - 1 controls between them.

    control is None when it is not known; proprio, (n, L, P), likewise.
    """

    frames: Frames
    control: Control | None = None
    proprio: Tensor | None = None


@dataclass(frozen=True)
class Snapshot:
    """The full state of some slots of a world: opaque, picklable, fit for any slots of an equal world."""

    world: str
    states: tuple[Any, ...]

    def select(self, rows: Sequence[int]) -> Snapshot:
        """The snapshot of some of the rows; naming a row twice makes a fork."""
        return Snapshot(self.world, tuple(self.states[i] for i in rows))


@runtime_checkable
class World(Protocol):
    """A batched, stateful simulator with `slots` independent slots; any subset may be reset or stepped."""

    @property
    def spec(self) -> WorldSpec:
        """What the world is and promises."""
        ...

    @property
    def slots(self) -> int:
        """How many slots there are; they are named 0 .. slots - 1."""
        ...

    @property
    def device(self) -> torch.device:
        """Where the tensors of every `Step` lie."""
        ...

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        """Begin an episode in each of `slots`, keyed by its own seed; returns the first frames, reward 0, not ended.

        starts None draws from the world's reset distribution. ValueError: unknown or repeated slots, as many seeds
        as slots, start frames of another shape, or a world that cannot begin from frames.
        """
        ...

    def step(self, slots: Sequence[int], control: Control) -> Step:
        """Advance `slots` by frames_per_step frames; one whose episode is over repeats its last frame, reward 0.

        ValueError: a slot never reset, a wrong control.
        """
        ...

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        """The full state of `slots`; what follows a restore is bit-identical."""
        ...

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        """Put the rows of `snapshot` into `slots`. ValueError: another world's snapshot, or another number of rows."""
        ...

    def close(self) -> None:
        """Give back what the world holds; calling it twice is harmless."""
        ...


@runtime_checkable
class Listener(Protocol):
    """A world that understands more texts than the names of its events."""

    def hear(self, text: str) -> str:
        """The text that `Control.event` is to hold. ValueError: it is not understood, with the nearest events."""
        ...


def check_slots(slots: Sequence[int], count: int) -> list[int]:
    """`slots` as a list; ValueError when one is outside 0 .. count - 1 or named twice, or none is named."""
    chosen = [int(s) for s in slots]
    if not chosen:
        raise ValueError("no slot was named: pass at least one slot")
    wrong = [s for s in chosen if not 0 <= s < count]
    if wrong:
        raise ValueError(f"slot {wrong[0]} does not exist: this world has slots 0 to {count - 1}")
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"a slot is named twice in {chosen}: name each slot once")
    return chosen


def check_seeds(seeds: Sequence[int], slots: Sequence[int]) -> list[int]:
    """`seeds` as a list; ValueError when there are not as many as slots or one is negative."""
    chosen = [int(s) for s in seeds]
    if len(chosen) != len(slots):
        raise ValueError(f"{len(slots)} slots need {len(slots)} seeds, got {len(chosen)}")
    if any(s < 0 for s in chosen):
        raise ValueError(f"seeds are at least 0, got {min(chosen)}")
    return chosen


def check_robot(control: Control, domain: str, width: int, slots: Sequence[int], frames: int) -> Tensor:
    """The (n, T, D) robot tensor of `control`; ValueError tells a wrong domain, shape, or value that is not finite."""
    robot = control.require("robot")
    if control.domain != domain:
        raise ValueError(f"this world takes {domain!r} controls, got domain {control.domain!r}")
    wanted = (len(slots), frames, width)
    if tuple(robot.shape) != wanted:
        raise ValueError(f"{domain!r} controls for these slots have shape {wanted}, got {tuple(robot.shape)}")
    if not bool(torch.isfinite(robot).all()):
        raise ValueError(f"a {domain!r} control holds a value that is not finite")
    return robot


def check_snapshot(snapshot: Snapshot, name: str, slots: Sequence[int]) -> None:
    """ValueError when `snapshot` comes from another world or has not one row per slot."""
    if snapshot.world != name:
        raise ValueError(f"this snapshot was taken from world {snapshot.world!r}, not {name!r}")
    if len(snapshot.states) != len(slots):
        raise ValueError(f"{len(slots)} slots need {len(slots)} snapshot rows, got {len(snapshot.states)}")
