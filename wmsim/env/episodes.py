"""The engine under both environments: episodes of one task in the slots of one world, as plain batched bookkeeping.

Shape legend: n rows named in a call, S rows in all, T frames per step, P proprio width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from wmsim.control import Control
from wmsim.env.starts import RecordedStarts
from wmsim.env.task import EnvConfig, Task
from wmsim.env.translate import check_actions, find_translator
from wmsim.world import Frames, Listener, Snapshot, Start, Step, World, WorldSpec

UNSEEN_SEEDS = 1_000_000
"""Seeds from here on are kept for evaluation: a slot seeded below never draws one above, nor the reverse."""

Rows = Sequence[int]


def episode_seed(seed: int, episode: int) -> int:
    """The world's seed in the `episode`-th episode (0 first) of a slot that was seeded with `seed` >= 0.

    The first is `seed` itself; later ones depend on both numbers alone, never on the batch, and stay on the same
    side of `UNSEEN_SEEDS` as `seed`.
    """
    if episode == 0:
        return seed
    drawn = int(np.random.SeedSequence([seed, episode]).generate_state(1)[0])
    return drawn % UNSEEN_SEEDS if seed < UNSEEN_SEEDS else UNSEEN_SEEDS + drawn


@dataclass(frozen=True)
class EnvSnapshot:
    """The full state of some environments: opaque and picklable; what follows a `restore` is bit-identical."""

    world: Snapshot
    ledger: NDArray[Any]
    frames: Frames
    proprio: Tensor | None

    def select(self, rows: Rows) -> EnvSnapshot:
        """The snapshot of some of the rows; naming a row twice makes a fork."""
        index = list(rows)
        proprio = None if self.proprio is None else self.proprio[index]
        frames = {name: shown[index] for name, shown in self.frames.items()}
        return EnvSnapshot(self.world.select(index), self.ledger[index], frames, proprio)


@dataclass(frozen=True)
class Outcome:
    """What came of a step or a reset of n rows: reward (n,) float32, terminated and truncated (n,) bool, info."""

    reward: Tensor
    terminated: Tensor
    truncated: NDArray[np.bool_]
    info: dict[str, Any]

    @property
    def over(self) -> NDArray[np.bool_]:
        """(n,) true where the episode ended."""
        return np.asarray(self.terminated.cpu().numpy() | self.truncated)


_LEDGER = np.dtype([("seed", "i8"), ("episode", "i8"), ("elapsed", "i8"), ("running", "?")])


class Episodes:
    """`rows` rows of a world, each with its own seed, count of episodes, time limit and last frames."""

    def __init__(self, world: World, task: Task, config: EnvConfig, rows: int) -> None:
        """ValueError for a kind of control that the world does not offer."""
        self.world, self.config = world, config
        self.translator = find_translator(config.control, world.spec, task.controls)
        self.limit = _limit(world.spec, task, config)
        self.camera = task.camera or next(iter(world.spec.cameras))
        self.frames: Frames = {}
        self.proprio: Tensor | None = None
        self._starts = None if config.starts is None else _recorded(config.starts, world)
        self._rows = rows
        self._ledger = np.zeros(rows, _LEDGER)
        self._ledger["seed"] = -1
        self._told: list[str | None] = [None] * rows

    @property
    def observation_space(self) -> spaces.Space[Any]:
        """What one row shows; see `observation_space`."""
        return observation_space(self.world.spec, self.config)

    @property
    def action_space(self) -> spaces.Space[Any]:
        """What one row takes."""
        return self.translator.space

    @property
    def seeds(self) -> NDArray[np.int64]:
        """(S,) the seed of each row, -1 before the first reset."""
        return np.asarray(self._ledger["seed"])

    @property
    def running(self) -> NDArray[np.bool_]:
        """(S,) true where an episode is under way."""
        return np.asarray(self._ledger["running"])

    def seed(self, row: int, seed: int) -> None:
        """The next episode of `row` is the first of `seed` (>= 0, else ValueError)."""
        if seed < 0:
            raise ValueError(f"seeds are at least 0, got {seed}")
        self._ledger[row] = (seed, 0, 0, False)

    def tell(self, rows: Rows, text: str) -> None:
        """The next step of each row tells `text` to the world. ValueError: a world that does not take it."""
        event = heard(text, self.world)
        for row in rows:
            self._told[row] = event

    def begin(self, rows: Rows, starts: Start | None = None) -> Outcome:
        """Begin the next episode of each row, from `starts` where they are given; errors as in `World.reset`."""
        ledger = self._ledger[list(rows)]
        seeds = [episode_seed(int(s), int(e)) for s, e in zip(ledger["seed"], ledger["episode"], strict=True)]
        if starts is None and self._starts is not None:
            starts = self._starts.draw(seeds)
        step = self.world.reset(rows, seeds, starts)
        self._hush(rows)
        self._show(rows, step)
        ledger["episode"] += 1
        ledger["elapsed"], ledger["running"] = 0, True
        self._ledger[list(rows)] = ledger
        n, device = len(rows), self.world.device
        info = {**self._info(step), "seed": np.asarray(seeds)}
        zero, never = torch.zeros(n, device=device), torch.zeros(n, dtype=torch.bool, device=device)
        return Outcome(zero, never, np.zeros(n, bool), info)

    def advance(self, rows: Rows, actions: Any) -> Outcome:
        """Step the rows, all of which must be running, in one call of the world. ValueError for wrong actions."""
        index = list(rows)
        checked = check_actions(actions, self.translator.space, len(index), self.world.device)
        proprio = None if self.proprio is None else self.proprio[index]
        step = self.world.step(rows, self._with_events(index, self.translator.control(checked, proprio)))
        self._show(rows, step)
        reward, terminated = self._reward(step, len(index)), self._terminated(step, len(index))
        elapsed = self._ledger["elapsed"][index] + self.world.spec.frames_per_step
        ended = terminated.cpu().numpy()
        doubt = self._doubt(step, len(index))
        reward = reward - self.config.pessimism * doubt.to(reward)
        halted = np.zeros(len(index), bool) if self.config.halt is None else (doubt > self.config.halt).cpu().numpy()
        truncated = ~ended & ((elapsed >= self.limit) | halted)
        self._ledger["elapsed"][index] = elapsed
        self._ledger["running"][index] = ~(ended | truncated)
        return Outcome(reward, terminated, truncated, self._info(step))

    def snapshot(self, rows: Rows) -> EnvSnapshot:
        """Everything that the rows' future depends on, and the frames that they show."""
        index = list(rows)
        frames = {name: shown[index] for name, shown in self.frames.items()}
        proprio = None if self.proprio is None else self.proprio[index]
        return EnvSnapshot(self.world.snapshot(rows), self._ledger[index], frames, proprio)

    def restore(self, rows: Rows, snapshot: EnvSnapshot) -> None:
        """Put the rows of `snapshot` into `rows`; ValueError for another world's, or another number of rows."""
        self.world.restore(rows, snapshot.world)
        self._ledger[list(rows)] = snapshot.ledger
        self._hush(rows)
        self._put(rows, snapshot.frames, snapshot.proprio)

    def _with_events(self, rows: list[int], control: Control) -> Control:
        told = tuple(self._told[row] for row in rows)
        self._hush(rows)
        return replace(control, event=told) if any(told) else control

    def _hush(self, rows: Rows) -> None:
        for row in rows:
            self._told[row] = None

    def _show(self, rows: Rows, step: Step) -> None:
        self._put(rows, {name: f[:, -1] for name, f in step.frames.items()}, _last(step.proprio))

    def _put(self, rows: Rows, frames: Frames, proprio: Tensor | None) -> None:
        # New tensors at every step: those of earlier steps are in the hands of the user.
        self.frames = {name: self._merge(rows, self.frames.get(name), shown) for name, shown in frames.items()}
        self.proprio = None if proprio is None else self._merge(rows, self.proprio, proprio)

    def _merge(self, rows: Rows, old: Tensor | None, new: Tensor) -> Tensor:
        if len(rows) == self._rows and list(rows) == list(range(self._rows)):
            return new
        whole = new.new_zeros((self._rows, *new.shape[1:])) if old is None else old.clone()
        whole[list(rows)] = new.to(whole.device)
        return whole

    def _reward(self, step: Step, n: int) -> Tensor:
        if self.config.reward == "none":
            return torch.zeros(n, device=self.world.device)
        if step.reward is None:
            raise ValueError(f"world {self.world.spec.name!r} declares a reward and gave none")
        return step.reward.sum(1)

    def _terminated(self, step: Step, n: int) -> Tensor:
        if self.config.termination == "none":
            return torch.zeros(n, dtype=torch.bool, device=self.world.device)
        if step.terminated is None:
            raise ValueError(f"world {self.world.spec.name!r} declares a termination and gave none")
        return step.terminated.any(1)

    def _doubt(self, step: Step, n: int) -> Tensor:
        """(n,) the largest uncertainty of each row's frames; 0 where nobody asks for it."""
        if not self.config.pessimism and self.config.halt is None:
            return torch.zeros(n, device=self.world.device)
        if step.uncertainty is None:
            raise ValueError(f"world {self.world.spec.name!r} declares an uncertainty and gave none")
        return step.uncertainty.amax(1)

    def _info(self, step: Step) -> dict[str, Any]:
        missing = [name for name in self.config.info if name not in step.info]
        if missing:
            raise ValueError(f"world {self.world.spec.name!r} cannot give info {missing}: it gives {list(step.info)}")
        given = dict(step.info)
        if step.uncertainty is not None:
            given["uncertainty"] = step.uncertainty
        if step.proprio is not None:
            given["proprio"] = step.proprio[:, -1]
        return given


def _recorded(starts: str | Path | Sequence[str | Path] | Mapping[str, Any], world: World) -> RecordedStarts:
    """Where episodes begin; ValueError: settings that are none of "data", "seconds" and "best"."""
    asked: dict[str, Any] = dict(starts) if isinstance(starts, Mapping) else {"data": starts}
    if "data" not in asked or set(asked) - {"data", "seconds", "best"}:
        raise ValueError(f'starts is a dataset or {{"data": a dataset, "seconds": ..., "best": ...}}, got {starts}')
    return RecordedStarts(asked["data"], world.spec, seconds=asked.get("seconds"), best=asked.get("best", 1.0))


def heard(text: str, world: World) -> str:
    """What is told to `world` when somebody says `text`: one of its events by name, in any case, or free text.

    ValueError: a world without events, or one that does not understand this text.
    """
    events, name = world.spec.events, world.spec.name
    if events is not None and not events:
        raise ValueError(f"world {name!r} takes no events: nothing can be told to it")
    if isinstance(world, Listener):
        return world.hear(text)
    if events is None:
        return text
    named = {event.casefold(): event for event in events}
    if text.strip().casefold() not in named:
        raise ValueError(f"world {name!r} knows no event {text!r}: tell one of {', '.join(events)}")
    return named[text.strip().casefold()]


def _limit(spec: WorldSpec, task: Task, config: EnvConfig) -> int:
    frames = task.max_episode_frames
    if config.max_episode_steps is not None:
        frames = config.max_episode_steps * spec.frames_per_step
    if spec.horizon is None:
        return frames
    whole_steps = spec.horizon - spec.horizon % spec.frames_per_step
    return min(frames, max(whole_steps, spec.frames_per_step))


def _last(proprio: Tensor | None) -> Tensor | None:
    return None if proprio is None else proprio[:, -1]


# --- observations ----------------------------------------------------------------------------------------------------


def observation_space(spec: WorldSpec, config: EnvConfig) -> spaces.Space[Any]:
    """One row's space: Box (H, W, 3) uint8, a Dict of them for several cameras, or a Dict of "image" and "proprio"."""
    boxes = {name: spaces.Box(0, 255, shape, np.uint8) for name, shape in spec.cameras.items()}
    image: spaces.Space[Any] = spaces.Dict(dict(boxes)) if len(boxes) > 1 else next(iter(boxes.values()))
    if config.observation == "image":
        return image
    return spaces.Dict({"image": image, "proprio": spaces.Box(-np.inf, np.inf, (len(spec.proprio),), np.float32)})


@runtime_checkable
class Shown(Protocol):
    """What shows pictures and proprioception of some rows: `Episodes`, or what stands in their place."""

    config: EnvConfig
    frames: Frames
    proprio: Tensor | None


def observe(episodes: Shown, row: int | None = None) -> Any:
    """What all rows show, or one row without the leading axis, in the layout of `observation_space`."""
    pick = slice(None) if row is None else row
    images = {name: _out(shown[pick], episodes.config) for name, shown in episodes.frames.items()}
    image = images if len(images) > 1 else next(iter(images.values()))
    if episodes.config.observation == "image":
        return image
    assert episodes.proprio is not None
    return {"image": image, "proprio": _out(episodes.proprio[pick], episodes.config)}


def _out(tensor: Tensor, config: EnvConfig) -> Any:
    return tensor if config.output == "torch" else tensor.cpu().numpy()
