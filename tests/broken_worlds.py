"""Worlds that break one promise each, and a window world that breaks none, for the tests of conformance."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from wmsim.control import Control, wheel_space
from wmsim.sims.toy import ToyWorld
from wmsim.world import Snapshot, Start, Step, WorldSpec, check_robot, check_seeds, check_slots, check_snapshot

SIZE = 12


class Toy(ToyWorld):
    """A sound toy whose spec can be made to say something else."""

    says: dict[str, Any] = {}
    settings: dict[str, Any] = {}

    def __init__(self, slots: int) -> None:
        super().__init__(slots, size=SIZE, **self.settings)

    @property
    def spec(self) -> WorldSpec:
        return replace(super().spec, **self.says)


# --- spaces_and_dtypes -----------------------------------------------------------------------------------------------


class DoubleReward(Toy):
    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        assert step.reward is not None
        return replace(step, reward=step.reward.double())


class NoProprio(Toy):
    """The spec names proprio, the world gives none."""

    def _step(self, *args: Any) -> Step:
        return replace(super()._step(*args), proprio=None)


class PaidReset(Toy):
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        step = super().reset(slots, seeds, starts)
        assert step.reward is not None
        return replace(step, reward=step.reward + 1)


# --- advances and obeys ----------------------------------------------------------------------------------------------


class Frozen(Toy):
    """Its state never advances (TorchRL's WorldModelEnv as its docstring shows it)."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        before = self._state.copy()
        step = super().step(slots, control)
        self._state = before
        return replace(step, frames={"top": torch.from_numpy(self._draw(list(slots)))[:, None]})


class Deaf(Toy):
    """Takes controls and uses none (the backbone without an action input)."""

    def _asked(self, control: Control, rows: list[int]) -> list[Any]:
        return [np.zeros_like(part) for part in super()._asked(control, rows)]


# --- slots -----------------------------------------------------------------------------------------------------------


class ConstantSeed(Toy):
    """One seed for all slots (RLinf: seeds=[0] * n)."""

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        return super().reset(slots, [s * 0 for s in check_seeds(seeds, slots)], starts)


class ClockSeed(Toy):
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        return super().reset(slots, [s + time.perf_counter_ns() for s in check_seeds(seeds, slots)], starts)


class SlotSeed(Toy):
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        seeds = [s + 100 * i if s >= 0 else s for s, i in zip(check_seeds(seeds, slots), slots, strict=True)]
        return super().reset(slots, seeds, starts)


class NeighbourSeed(Toy):
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        return super().reset(slots, [s + 13 * sum(seeds) for s in check_seeds(seeds, slots)], starts)


class SizeSeed(Toy):
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        return super().reset(slots, [s + 13 * self.slots for s in check_seeds(seeds, slots)], starts)


class Sorting(Toy):
    """Returns rows in the order of the slots, not in the order asked for."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        if list(slots) != sorted(slots) and control.slots == len(slots):
            order = np.argsort(slots).tolist()
            return super().step(sorted(slots), control.select(order))
        return super().step(slots, control)


class RestartsAll(Toy):
    """Every slot restarts when one is reset (RLinf#1516)."""

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        rows = check_slots(slots, self.slots)
        others = [i for i in range(self.slots) if i not in rows and self._state["begun"][i]]
        if others:
            super().reset(others, [int(seeds[0]) + 500 + i for i in others])
        return super().reset(slots, seeds, starts)


class StepsAll(Toy):
    """Stepping some slots steps them all."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        others = [i for i in range(self.slots) if i not in list(slots) and self._state["begun"][i]]
        if others:
            super().step(others, control.select([0] * len(others)))
        return step


class BatchNorm(Toy):
    """A batch looks a little brighter than a slot alone."""

    def _draw(self, rows: list[int]) -> Any:
        frames = super()._draw(rows)
        return np.minimum(frames, 253) + 2 if len(rows) > 1 else frames


class ForgetsSpeed(Toy):
    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        taken = super().snapshot(slots)
        for state in taken.states:
            state["pose"][:, 3] = 0
        return taken


class SharedState(Toy):
    """The snapshot is a view of the state, which goes on."""

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        return Snapshot(self.spec.name, tuple(self._state[i : i + 1] for i in check_slots(slots, self.slots)))


# --- episodes --------------------------------------------------------------------------------------------------------


class Chunked(Toy):
    settings = {"frames_per_step": 4}


class LateEnd(Chunked):
    """Every end is put on the last frame of its chunk."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        before = self._state["ended"].copy()
        step = super().step(slots, control)
        assert step.terminated is not None
        late = step.terminated.clone()
        for row, slot in enumerate(slots):
            if late[row, -1] and not before[slot]:
                late[row, :-1] = False
        return replace(step, terminated=late)


class PaysOn(Chunked):
    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        assert step.terminated is not None
        assert step.reward is not None
        return replace(step, reward=step.reward + 0.1 * (step.terminated & (step.reward == 0)))


class MovesOn(Chunked):
    """Frames go on after the end."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        assert step.terminated is not None
        after = step.terminated.int().cumsum(1) > 1
        frames = step.frames["top"].clone()
        frames[after] = 255 - frames[after]
        return replace(step, frames={"top": frames})


class Blinks(Chunked):
    """terminated is true in the frame of the end only."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        assert step.terminated is not None
        return replace(step, terminated=step.terminated & (step.terminated.int().cumsum(1) == 1))


class GoesOn(Toy):
    """An episode goes on after its end."""

    def _advance(self, rows: list[int], asked: list[Any]) -> Any:
        self._state["ended"][rows] = False
        return super()._advance(rows, asked)


class SilentReward(Toy):
    def _step(self, *args: Any) -> Step:
        step = super()._step(*args)
        assert step.reward is not None
        return replace(step, reward=torch.zeros_like(step.reward))


class UndeclaredReward(Toy):
    """No reward head, and zeros in its place."""

    says = {"reward": False}


class MissingReward(Toy):
    def _step(self, *args: Any) -> Step:
        return replace(super()._step(*args), reward=None)


class UndeclaredEnd(Toy):
    says = {"termination": False}

    def _step(self, *args: Any) -> Step:
        step = super()._step(*args)
        assert step.terminated is not None
        return replace(step, terminated=torch.zeros_like(step.terminated))


class MissingEnd(Toy):
    def _step(self, *args: Any) -> Step:
        return replace(super()._step(*args), terminated=None)


class Counting(Toy):
    """Knows how old each slot's episode is, also after a restore."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.age = np.zeros(slots, int)

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        step = super().reset(slots, seeds, starts)
        self.age[list(slots)] = 0
        return step

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        self.age[list(slots)] += 1
        return step

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        taken = super().snapshot(slots)
        aged = zip(taken.states, [int(self.age[i]) for i in slots], strict=True)
        return replace(taken, states=tuple(aged))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        super().restore(slots, replace(snapshot, states=tuple(state for state, _ in snapshot.states)))
        self.age[list(slots)] = [age for _, age in snapshot.states]


class FullCache(Counting):
    """Raises after 50 frames of an episode that the spec calls unlimited."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        rows = check_slots(slots, self.slots)
        if (self.age[rows] >= 50).any():
            raise RuntimeError("the cache is full")
        return super().step(slots, control)


class EndsAtTwelve(Counting):
    """Ends every episode after 12 frames and does not say so."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        assert step.terminated is not None
        return replace(step, terminated=step.terminated | torch.from_numpy(self.age[list(slots)] >= 12)[:, None])


class Overruns(Toy):
    """Declares a horizon and goes on past it."""

    says = {"horizon": 30}


class Limited(Counting):
    """A sound world with a horizon."""

    says = {"horizon": 30}

    def step(self, slots: Sequence[int], control: Control) -> Step:
        rows = check_slots(slots, self.slots)
        if self._state["begun"][rows].all() and (self.age[rows] >= 30).any():
            raise ValueError("the horizon of 30 frames is reached: reset the slot")
        return super().step(slots, control)


class Walk(Toy):
    settings = {"ride": "walk"}


class Repaints(Walk):
    """Paints anew what it has not seen for some frames (a dream without memory of place)."""

    says = {"memory": "map"}

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        state = self._state[list(slots)]
        going = ~state["ended"]
        state["palette"][going] = (state["palette"][going] * 3 + 17) % 256
        self._state[list(slots)] = state
        return step


class LateRepaint(Toy):
    """Keeps the obstacles of its last episodes in a place outside the snapshot, whose room is soon used up."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.book: dict[float, bool] = {}

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        step = super().reset(slots, seeds, starts)
        begun = set(self._state["obstacle"][list(slots), 0].tolist())
        self.book = dict.fromkeys([*begun, *[key for key in self.book if key not in begun]][: self.slots], True)
        return replace(step, frames={"top": torch.from_numpy(self._draw(list(slots)))[:, None]})

    def _draw(self, rows: list[int]) -> Any:
        known = [self._state["obstacle"][row, 0] in self.book for row in rows]
        return np.where(np.array(known)[:, None, None, None], super()._draw(rows), 0).astype(np.uint8)


class AimlessContext(Toy):
    says = {"context": 4}


class Hoards(Counting):
    """Its state keeps every frame of the episode."""

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        taken = super().snapshot(slots)
        grown = [(state, age, bytes(100 * age)) for state, age in taken.states]
        return replace(taken, states=tuple(grown))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        super().restore(slots, replace(snapshot, states=tuple(state[:2] for state in snapshot.states)))


class SlowsDown(Counting):
    """A step costs more the longer the episode lasts."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        time.sleep(4e-4 * float(self.age[list(slots)].max()))
        return step


# --- hands off -------------------------------------------------------------------------------------------------------


class Reuses(Toy):
    """Writes every step into the tensor that it handed out before."""

    def __init__(self, slots: int) -> None:
        super().__init__(slots)
        self.buffers: dict[int, torch.Tensor] = {}

    def _step(self, rows: list[int], *args: Any) -> Step:
        step = super()._step(rows, *args)
        buffer = self.buffers.setdefault(len(rows), step.frames["top"])
        return replace(step, frames={"top": buffer.copy_(step.frames["top"])})


class WritesToControls(Toy):
    def step(self, slots: Sequence[int], control: Control) -> Step:
        step = super().step(slots, control)
        control.require("robot").mul_(0.5)
        return step


class SeedsGlobals(Toy):
    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        np.random.seed(int(seeds[0]) if len(seeds) and seeds[0] >= 0 else 0)  # noqa: NPY002  the fault itself
        return super().reset(slots, seeds, starts)


class DrawsGlobals(Toy):
    def step(self, slots: Sequence[int], control: Control) -> Step:
        random.random()
        return super().step(slots, control)


class TakesAnySlot(Toy):
    """An unknown slot is taken for another one."""

    def step(self, slots: Sequence[int], control: Control) -> Step:
        return super().step([i % self.slots for i in slots], control)


class TakesNan(Toy):
    def step(self, slots: Sequence[int], control: Control) -> Step:
        robot = control.robot
        return super().step(slots, control if robot is None else replace(control, robot=torch.nan_to_num(robot)))


class TakesForeign(Toy):
    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        super().restore(slots, replace(snapshot, world=self.spec.name))


class WrongError(Toy):
    """Complains with an IndexError."""

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        if any(not 0 <= i < self.slots for i in slots):
            raise IndexError("no such slot")
        return super().reset(slots, seeds, starts)


# --- a world with a window -------------------------------------------------------------------------------------------


@dataclass
class _Film:
    frames: np.ndarray
    seed: int
    count: int


class WindowWorld:
    """The next frame is the mean of the last `reads` ones, moved by the wheel, under noise keyed by (seed, frame)."""

    context, reads, hears, noise = 4, 4, 1.0, 2.0

    def __init__(self, slots: int) -> None:
        self.slots, self.device = slots, torch.device("cpu")
        self._films: dict[int, _Film] = {}
        self.spec = WorldSpec(
            name="window",
            cameras={"front": (SIZE, SIZE, 3)},
            frames_per_second=8.0,
            controls={"wheel": wheel_space()},
            memory="window",
            context=self.context,
            termination=False,
            stochastic=True,
        )

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        rows = check_slots(slots, self.slots)
        for k, (row, seed) in enumerate(zip(rows, check_seeds(seeds, rows), strict=True)):
            given = self._begin(seed) if starts is None else starts.frames["front"][k].numpy().astype(np.float64)
            film = np.concatenate([np.repeat(given[:1], self.context, 0), given])[-self.context :]
            self._films[row] = _Film(film, seed, 0)
        return self._shown(rows, np.zeros(len(rows)))

    def step(self, slots: Sequence[int], control: Control) -> Step:
        rows = check_slots(slots, self.slots)
        if any(row not in self._films for row in rows):
            raise ValueError("a slot was never reset: reset it first")
        wheel = check_robot(control, "wheel", 2, rows, 1)[:, 0].numpy().astype(np.float64)
        for row, (steer, drive) in zip(rows, wheel, strict=True):
            self._advance(self._films[row], steer, drive)
        return self._shown(rows, wheel[:, 1])

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        rows = check_slots(slots, self.slots)
        return Snapshot("window", tuple(replace(self._films[row]) for row in rows))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        rows = check_slots(slots, self.slots)
        check_snapshot(snapshot, "window", rows)
        self._films.update({row: replace(state) for row, state in zip(rows, snapshot.states, strict=True)})

    def close(self) -> None:
        pass

    def _begin(self, seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 256, (1, SIZE, SIZE, 3)).astype(np.float64)

    def _advance(self, film: _Film, steer: float, drive: float) -> None:
        noise = np.random.default_rng([film.seed, film.count, 7]).normal(0, self.noise, (SIZE, SIZE, 3))
        seen = np.roll(film.frames[-self.reads :].mean(0), 1, 1)
        pushed = seen + self.hears * np.array([30 * steer, 30 * drive, 0]) + noise
        film.frames = np.concatenate([film.frames[1:], pushed.clip(0, 255)[None]])
        film.count += 1

    def _shown(self, rows: list[int], reward: np.ndarray) -> Step:
        frames = np.stack([self._films[row].frames[-1] for row in rows]).astype(np.uint8)
        return Step({"front": torch.from_numpy(frames)[:, None]}, torch.from_numpy(reward).float()[:, None])


class ShortWindow(WindowWorld):
    """Declares 4 frames and reads the last one."""

    reads = 1


class NoisyWindow(WindowWorld):
    """Obeys by less than its own noise."""

    hears, noise = 0.1, 20.0
