"""Records episodes of any Gymnasium environment with a picture, in parallel, and goes on where it was stopped."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import gymnasium as gym

from wmsim.data import episodes as store
from wmsim.data.episodes import Dataset
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.progress import Meter
from wmsim.data.rollout import Declared, View, ViewConfig, describe, make_actor, play
from wmsim.data.telling import Teller, TellingConfig

DRIVER_LEVELS: tuple[Mapping[str, Any], ...] = (
    {"noise": 0.02, "pedal_noise": 0.08, "recoveries": 0.03, "mistakes": 0.0},
    {},
    {"noise": 0.12, "pedal_noise": 0.25, "recoveries": 0.35},
    {"slow": 3.0, "fast": 9.0, "noise": 0.15, "recoveries": 0.3, "stops": 0.08},
    {"slow": 9.0, "fast": 15.0, "mistakes": 0.15},
    {"noise": 0.35, "pedal_noise": 0.6, "recoveries": 0.4, "stops": 0.05, "mistakes": 0.1},
)
"""Of the scripted driver, an episode each in turn: calm, usual, swerving, slow in town, careless, wild.

An agent that learns in the dream will steer in ways no good driver does, and the dream must know what follows.
"""
ROAMING_LEVELS: tuple[Mapping[str, Any], ...] = (
    {"roams": 0.25, "mistakes": 0.0},
    {"slow": 3.0, "fast": 9.0, "roams": 0.5, "stops": 0.05, "mistakes": 0.0},
    {"slow": 2.0, "fast": 10.0, "noise": 0.3, "pedal_noise": 0.5, "roams": 0.5, "mistakes": 0.0},
)
"""Three more, which for seconds drive blind to the road: see `DriverConfig.roams`."""
LOOSE_LEVELS: tuple[Mapping[str, Any], ...] = (
    {"slow": 3.0, "recoveries": 0.1, "mistakes": 0.0, "lets_go": 0.25},
    {"noise": 0.3, "pedal_noise": 0.5, "recoveries": 0.3, "roams": 0.5, "mistakes": 0.0, "lets_go": 0.15},
)
"""Two that let go of the wheel, and mostly end for it: see `DriverConfig.lets_go`."""
_FREE = ("out", "episodes", "frames", "workers", "progress")


@dataclass(frozen=True)
class RecordConfig:
    """What to record and where.

    env: a Gymnasium id, or a callable that makes the environment (importable by name when workers > 1). out: the
    folder. episodes, frames: stop when there are so many; one of the two. policy: "random", "wander", "driver",
    "PATH.onnx" or "module:callable", see `rollout.make_actor`. levels: settings of the policy; episode i takes the
    i-th, round robin. seed: episode i has seed + i. workers: processes; 1 records in this one. max_steps: longer
    episodes are cut. view: where the picture is. declared: what the environment does not tell. kwargs: go to gym.make.
    events: what is told to the environment's world while it is recorded, None: nothing.
    """

    env: str | Callable[..., gym.Env[Any, Any]]
    out: str | Path
    episodes: int | None = None
    frames: int | None = None
    policy: str = "random"
    levels: tuple[Mapping[str, Any], ...] = ()
    seed: int = 0
    workers: int = 1
    max_steps: int = 1000
    task: str = ""
    view: ViewConfig = field(default_factory=ViewConfig)
    declared: Declared = field(default_factory=Declared)
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    progress: bool = True
    events: TellingConfig | None = None


@dataclass(frozen=True)
class Recording:
    """What a dataset holds after `record`: episodes and frames in all, and the speed of this call."""

    root: Path
    episodes: int
    frames: int
    seconds: float
    frames_per_second: float


def record(config: RecordConfig) -> Recording:
    """Record until there are `episodes` episodes or `frames` frames; what is already there counts and stays.

    An interrupted or killed recording loses only the episodes under way: call again with the same settings.
    ValueError: no picture, an unknown policy, other settings than the folder was begun with. OSError: a full disk.
    RuntimeError: a worker died. KeyboardInterrupt passes through after meta/ has been written.
    """
    _check(config)
    dataset = _open(config)
    present = set(dataset.indices())
    lengths = {index: int(dataset.notes(index)["length"]) for index in present}
    before = sum(lengths.values())
    with _meter(config, lengths) as meter:
        try:
            _run(config, dataset, lengths, meter)
        finally:
            store.finalise(dataset)
    frames = sum(lengths.values())
    rate = (frames - before) / max(meter.seconds, 1e-9)
    return Recording(dataset.root, len(lengths), frames, meter.seconds, rate)


def _check(config: RecordConfig) -> None:
    if (config.episodes is None) == (config.frames is None):
        raise ValueError(f"say how much: episodes or frames, got {config.episodes} and {config.frames}")
    for name in ("episodes", "frames", "workers", "max_steps"):
        value = getattr(config, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} is at least 1, got {value}")
    if config.seed < 0:
        raise ValueError(f"seed is at least 0, got {config.seed}")


def _open(config: RecordConfig) -> Dataset:
    """The dataset at config.out; an environment is made once to see what it holds and that the policy exists."""
    env = make_env(config)
    try:
        make_actor(config.policy, env, level_of(config, 0))
        declared = config.declared
        if config.events is not None:
            declared = dataclasses.replace(declared, events=tuple(config.events.captions))
        spec = describe(env, View(config.view, env), declared, config.seed)
    finally:
        env.close()
    return store.create(Path(config.out), spec, settings_of(config))


def settings_of(config: RecordConfig) -> dict[str, Any]:
    """What decides which episodes come out."""
    settings = {key: value for key, value in dataclasses.asdict(config).items() if key not in _FREE}
    settings["levels"] = config.levels or _default_levels(config.policy)
    if callable(config.env):
        settings["env"] = f"{config.env.__module__}:{config.env.__qualname__}"
    return settings


def make_env(config: RecordConfig) -> gym.Env[Any, Any]:
    """The environment of a recording. ModuleNotFoundError: it needs something that is not installed."""
    kwargs = dict(config.kwargs)
    if config.view.render:
        kwargs.setdefault("render_mode", "rgb_array")
    try:
        return config.env(**kwargs) if callable(config.env) else gym.make(config.env, **kwargs)
    except ModuleNotFoundError as error:
        if error.name is None:
            raise  # Gymnasium's own words say more
        text = f"{config.env} needs {error.name}, which is not installed: pip install {error.name}"
        raise ModuleNotFoundError(text, name=error.name) from error


def level_of(config: RecordConfig, index: int) -> Mapping[str, Any]:
    """The policy's settings in episode `index`."""
    levels = config.levels or _default_levels(config.policy)
    return levels[index % len(levels)]


def _default_levels(policy: str) -> tuple[Mapping[str, Any], ...]:
    return (*DRIVER_LEVELS, *ROAMING_LEVELS, *LOOSE_LEVELS) if policy == "driver" else ({},)


def _meter(config: RecordConfig, lengths: Mapping[int, int]) -> Meter:
    if config.frames is not None:
        return Meter("recording", config.frames, "frames", sum(lengths.values()), config.progress)
    return Meter("recording", config.episodes or 0, "episodes", len(lengths), config.progress)


# --- the work ------------------------------------------------------------------------------------------------------


def _run(config: RecordConfig, dataset: Dataset, lengths: dict[int, int], meter: Meter) -> None:
    """Record what is missing; `lengths` grows with every finished episode."""

    def finished(index: int, length: int) -> None:
        lengths[index] = length
        meter.advance(*((length,) if config.frames is not None else (1, length, "frames")))

    wanted = _missing(config, lengths)
    if config.workers == 1:
        recorder = _Recorder(config, dataset)
        try:
            for index in wanted:
                finished(index, recorder.record(index))
        finally:
            recorder.close()
    else:
        _share(config, dataset, wanted, finished)


def _missing(config: RecordConfig, lengths: Mapping[int, int]) -> Iterator[int]:
    """Episode numbers to record, lowest first, until there is enough; `lengths` is looked at again at each.

    Holes that an interruption left are filled even when there is enough: other libraries count episodes through.
    """
    index = 0
    while True:
        hole = index < max(lengths, default=0)
        enough = index >= config.episodes if config.episodes else sum(lengths.values()) >= (config.frames or 0)
        if enough and not hole:
            return
        if index not in lengths:
            yield index
        index += 1


class _Recorder:
    """One environment that records one episode after another."""

    def __init__(self, config: RecordConfig, dataset: Dataset) -> None:
        self.config, self.dataset = config, dataset
        self.env = make_env(config)
        self.view = View(config.view, self.env)

    def record(self, index: int) -> int:
        """Record episode `index` to disk; returns its frames."""
        config, level = self.config, level_of(self.config, index)
        actor = make_actor(config.policy, self.env, level)
        notes = {"policy": config.policy, "level": json.loads(json.dumps(dict(level), default=str))}
        spec: DatasetSpec = self.dataset.spec
        seed = config.seed + index
        teller = Teller(config.events, spec.frames_per_second, seed) if config.events else None
        episode = play(self.env, self.view, actor, spec, seed, config.max_steps, config.task, notes, teller)
        store.write(self.dataset, index, episode)
        return len(episode)

    def close(self) -> None:
        """Close the environment."""
        self.env.close()


def _work(connection: Connection, config: RecordConfig, dataset: Dataset) -> None:
    """A worker process: takes episode numbers, answers with lengths, until it is told None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    recorder = None
    try:
        recorder = _Recorder(config, dataset)
        while (index := connection.recv()) is not None:
            connection.send(recorder.record(index))
    except EOFError:
        return
    except Exception as fault:  # told to the parent, which raises it
        connection.send(fault)
    finally:
        if recorder:
            recorder.close()


def _share(config: RecordConfig, dataset: Dataset, wanted: Iterator[int], finished: Callable[[int, int], None]) -> None:
    """Hand the episodes to worker processes, one at a time each."""
    team = _start(config, dataset)
    busy: dict[Connection, int] = {}
    try:
        for connection in team:
            _hand_out(connection, wanted, busy)
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                index = busy.pop(ready)
                finished(index, _answer(ready, index))
                _hand_out(ready, wanted, busy)
        for process in team.values():
            process.join()
    finally:
        for connection, process in team.items():
            connection.close()
            process.terminate()
            process.join()


def _start(config: RecordConfig, dataset: Dataset) -> dict[Connection, Any]:
    """Spawn the workers, one computing thread each."""
    context, team = multiprocessing.get_context("spawn"), {}
    threads = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    os.environ.update(dict.fromkeys(threads, "1"))
    try:
        for _ in range(config.workers):
            mine, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, config, dataset), daemon=True)
            process.start()
            theirs.close()
            team[mine] = process
    finally:
        for name, value in threads.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return team


def _hand_out(connection: Connection, wanted: Iterator[int], busy: dict[Connection, int]) -> None:
    index = next(wanted, None)
    if index is not None:
        busy[connection] = index
    with contextlib.suppress(BrokenPipeError):  # a dead worker is told of where its answer is awaited
        connection.send(index)


def _answer(connection: Connection, index: int) -> int:
    try:
        answer: int | Exception = connection.recv()
    except (EOFError, ConnectionResetError) as fault:
        text = f"a recording process died in episode {index}: finished episodes are kept, run again to go on"
        raise RuntimeError(text) from fault
    if isinstance(answer, Exception):
        raise answer
    return answer
