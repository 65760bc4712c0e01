"""Driving a world from outside: worlds made by the factory, scripts of controls, what was seen, and how far apart.

Shape legend: n slots, K steps, T frames per step, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from wmsim.control import Control
from wmsim.world import Start, Step, World, WorldSpec

FIELDS = ("buttons", "look", "camera")
Array = NDArray[Any]
Sequel = list[Step]


@dataclass(frozen=True)
class CheckConfig:
    """slots: in the batch, at least 3. frames: length of a short trial. long_frames: of the long one.

    seed: of scripts and episodes. sparse_reward: true declares that a reward of 0 for hundreds of frames is right.
    tolerance: grey levels (or units of the observation) allowed between an environment alone and in a batch; None
    asks the world's spec, and takes 0 where there is none.
    """

    slots: int = 4
    frames: int = 16
    long_frames: int = 240
    seed: int = 0
    sparse_reward: bool = False
    tolerance: float | None = None

    def __post_init__(self) -> None:
        """ValueError when there are too few slots or frames to tell anything."""
        if self.slots < 3 or self.frames < 4 or self.long_frames < 2 * self.frames:
            raise ValueError(f"a check needs slots >= 3, frames >= 4, long_frames >= 2 * frames, got {self}")


@dataclass(frozen=True)
class Aged:
    """A world of two slots, `slot` of them `frames` frames into its episode; lengths: of the episodes that ended."""

    world: World
    slot: int
    frames: int
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class End:
    """Row `row` ended in `step`; `after` is the next one, without a reset between them."""

    step: Step
    row: int
    after: Step


@dataclass(frozen=True)
class Trial:
    """A long run of all slots: its steps, and the ends that it met."""

    steps: tuple[Step, ...]
    ends: tuple[End, ...]


class WorldProbe:
    """A world under test: makes it once for each number of slots, and keeps what several checks look at."""

    def __init__(self, factory: Callable[[int], World], config: CheckConfig) -> None:
        """factory: number of slots -> a world."""
        self.factory, self.config = factory, config
        self._worlds: dict[int, World] = {}

    @property
    def spec(self) -> WorldSpec:
        """The spec of the batched world."""
        return self.world(self.config.slots).spec

    @property
    def tolerance(self) -> float:
        """Grey levels allowed between one slot alone and in a batch."""
        return self.spec.tolerance if self.config.tolerance is None else self.config.tolerance

    @property
    def steps(self) -> int:
        """Steps in a short trial: two of them stay inside the horizon."""
        frames = min(self.config.frames, (self.spec.horizon or 2 * self.config.frames) // 2)
        return max(2, -(-frames // self.spec.frames_per_step))

    def world(self, slots: int) -> World:
        """The world of that many slots; made at the first call."""
        if slots not in self._worlds:
            self._worlds[slots] = self.factory(slots)
        return self._worlds[slots]

    def seeds(self, slots: int, offset: int = 0) -> list[int]:
        """A seed for each slot, all different."""
        return [self.config.seed + 11 + 7 * i + offset for i in range(slots)]

    def close(self) -> None:
        """Close every world."""
        for world in self._worlds.values():
            world.close()

    @cached_property
    def aged(self) -> Aged:
        """Two slots under steady controls, of four kinds in turn, until one slot has lasted long_frames."""
        world, per_step = self.world(2), self.spec.frames_per_step
        ages, lengths = [0, 0], []
        world.reset([0, 1], self.seeds(2))
        reach = self.config.long_frames
        steady = [neutral(self.spec, 2, world.device)]
        steady += [corners(self.spec, 2, 1, world.device, shift)[0] for shift in range(3)]
        for k in range(4 * reach // per_step):
            if max(ages) >= reach:
                break
            over = ended(world.step([0, 1], steady[k * per_step // reach]))
            ages = [age + per_step for age in ages]
            lengths += [ages[row] for row in over]
            for row in over:
                world.reset([row], [self.config.seed + 60 + 2 * k + row])
                ages[row] = 0
        return Aged(world, int(np.argmax(ages)), max(ages), tuple(lengths))

    @cached_property
    def trial(self) -> Trial:
        """Some hundred steps of all slots under vigorous controls; slots that end, or reach the horizon, are reset."""
        world, n, per_step = self.world(self.config.slots), self.config.slots, self.spec.frames_per_step
        world.reset(range(n), self.seeds(n))
        ages, steps, ends = np.zeros(n, int), [], []
        over: list[int] = []
        for k in range(max(self.steps, self.config.long_frames // per_step)):
            phase = k // (4 * self.steps)
            control = corners(self.spec, n, 1, world.device, phase, straight=phase % 2 == 0)
            steps += go_on(world, range(n), control)
            ages += per_step
            # One step more than the end, to see that nothing follows it; the reset comes after that.
            ends += [End(steps[-2], row, steps[-1]) for row in over]
            late = set(np.flatnonzero(ages + per_step > (self.spec.horizon or np.inf)).tolist())
            done = sorted({*over, *late})
            over = [row for row in ended(steps[-1]) if row not in done]
            if done:
                world.reset(done, [self.config.seed + 1000 + 31 * k + i for i in done])
                ages[done] = 0
        return Trial(tuple(steps), tuple(ends))


# --- controls --------------------------------------------------------------------------------------------------------


def script(spec: WorldSpec, slots: int, steps: int, seed: int, device: torch.device) -> list[Control]:
    """Random controls (n, T, ...) of each native kind, held for 4 frames or a whole step."""
    rng = np.random.default_rng(seed)
    hold = max(1, 4 // spec.frames_per_step)
    drawn = [_control(spec, slots, lambda s: _uniform(s, slots, rng), device) for _ in range(-(-steps // hold))]
    return [drawn[k // hold] for k in range(steps)]


def corners(
    spec: WorldSpec, slots: int, steps: int, device: torch.device, shift: int = 0, straight: bool = False
) -> list[Control]:
    """Each slot holds one corner of the space, its neighbours others; `shift` hands every slot a neighbour's.

    straight: the first number of each vector, the steering or the yaw, is in its middle.
    """
    control = _control(spec, slots, lambda s: _corner(s, slots, shift, straight), device)
    return [control] * steps


def neutral(spec: WorldSpec, slots: int, device: torch.device) -> Control:
    """The middle of each space: wheel straight and no throttle, no key, no turn."""
    return _control(spec, slots, lambda s: _middle(s, slots), device)


def _control(spec: WorldSpec, slots: int, draw: Callable[[Any], Array], device: torch.device) -> Control:
    parts: dict[str, Any] = {}
    for kind, space in spec.controls.items():
        held = torch.from_numpy(np.repeat(draw(space)[:, None], spec.frames_per_step, 1)).to(device)
        if kind in FIELDS:
            parts[kind] = held.bool() if kind == "buttons" else held.float()
        elif "robot" not in parts:
            parts.update(robot=held.float(), domain=kind)
    return Control(**parts)


def _uniform(space: Any, slots: int, rng: np.random.Generator) -> Array:
    if isinstance(space, spaces.MultiBinary):
        return np.asarray(rng.integers(0, 2, (slots, *space.shape)))
    if space.shape == (4, 4):
        return np.stack([_turn(rng.uniform(-0.1, 0.1)) for _ in range(slots)])
    return np.asarray(rng.uniform(space.low, space.high, (slots, *space.shape)))


def _corner(space: Any, slots: int, shift: int, straight: bool) -> Array:
    if space.shape == (4, 4):
        return np.stack([_turn(0.0 if straight else 0.1 * (-1) ** (i + shift)) for i in range(slots)])
    bits = np.stack([_bits(i + shift, space.shape) for i in range(slots)])
    if isinstance(space, spaces.MultiBinary):
        return bits
    values: Array = np.where(bits == 1, space.high, space.low)
    if straight:
        values.reshape(slots, -1)[:, 0] = 0.5 * (space.low + space.high).reshape(-1)[0]
    return values


def _bits(i: int, shape: tuple[int, ...]) -> Array:
    """Zeros and ones that differ between neighbours: counted in two dimensions, drawn in more."""
    size = int(np.prod(shape))
    if size <= 2:
        return np.asarray([(i >> d) & 1 for d in range(size)]).reshape(shape)
    return np.asarray(np.random.default_rng(i).integers(0, 2, shape))


def _middle(space: Any, slots: int) -> Array:
    if isinstance(space, spaces.MultiBinary):
        return np.zeros((slots, *space.shape))
    if space.shape == (4, 4):
        return np.stack([_turn(0.0)] * slots)
    return np.repeat((0.5 * (space.low + space.high))[None], slots, 0)


def _turn(yaw: float) -> Array:
    """A camera step (4, 4) that turns right by `yaw` radians."""
    step = np.eye(4)
    step[0, 0] = step[2, 2] = np.cos(yaw)
    step[0, 2], step[2, 0] = np.sin(yaw), -np.sin(yaw)
    return step


# --- what was seen ---------------------------------------------------------------------------------------------------


def run(
    world: World, slots: Sequence[int], seeds: Sequence[int], controls: Sequence[Control], starts: Start | None = None
) -> Sequel:
    """Reset and step; the first entry is what the reset showed."""
    return [_kept(world.reset(slots, seeds, starts)), *go_on(world, slots, controls)]


def go_on(world: World, slots: Sequence[int], controls: Sequence[Control]) -> Sequel:
    """Step without a reset."""
    return [_kept(world.step(slots, control.select(range(control.slots)))) for control in controls]


def _kept(step: Step) -> Step:
    """A copy, so that a world that reuses its tensors (see `frames_are_kept`) fails that check alone."""
    numbers = {name: getattr(step, name) for name in ("reward", "terminated", "proprio", "uncertainty")}
    copies: dict[str, Any] = {name: None if v is None else v.clone() for name, v in numbers.items()}
    return replace(step, frames={name: shown.clone() for name, shown in step.frames.items()}, **copies)


def pictures(sequel: Sequel, row: int | None = None) -> Array:
    """(..., pixels) float32 of all cameras and frames, of all rows or of one."""
    pick: Any = slice(None) if row is None else row
    parts = [shown[pick].reshape(-1).float().cpu() for step in sequel for shown in step.frames.values()]
    return np.asarray(torch.cat(parts).numpy())


def apart(a: Sequel, b: Sequel, rows: tuple[int, int] | None = None) -> float:
    """Mean absolute difference in grey levels, of row rows[0] of `a` and rows[1] of `b`, or of everything."""
    first, second = (None, None) if rows is None else rows
    return float(np.abs(pictures(a, first) - pictures(b, second)).mean())


def same_numbers(a: Sequel, b: Sequel, rows: tuple[int, int], tolerance: float) -> bool:
    """Rewards, ends and proprio agree: to the bit when the tolerance is 0, to 5 % otherwise (ends are not compared)."""
    for mine, other in zip(a, b, strict=True):
        for name in ("reward", "proprio") + (("terminated",) if tolerance == 0 else ()):
            one, two = getattr(mine, name), getattr(other, name)
            if (one is None) != (two is None):
                return False
            if one is not None and not _close(one[rows[0]], two[rows[1]], tolerance):
                return False
    return True


def _close(one: Tensor, two: Tensor, tolerance: float) -> bool:
    if tolerance == 0:
        return bool((one == two).all())
    return bool(torch.isclose(one.float(), two.float(), rtol=0.05, atol=0.05).all())


def ended(step: Step) -> list[int]:
    """The rows whose episode is over."""
    if step.terminated is None:
        return []
    return [int(row) for row in np.flatnonzero(step.terminated.any(1).cpu().numpy())]
