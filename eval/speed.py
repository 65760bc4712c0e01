"""How fast a dream is, whether long episodes cost more, and its twin's own speed beside it.

    python -m eval.speed                       the shipped Drive dream
    python -m eval.speed dream=my.safetensors steps=[1,2]

Prints tables and writes runs/speed/speed.json. Every figure of one run was taken in that run, under one load.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from eval.machine import machine, resident_megabytes
from eval.report import wide_console
from eval.twins import TWINS
from eval.worlds import open_world
from wmsim.control import Control
from wmsim.world import World


@dataclass(frozen=True)
class SpeedConfig:
    """dream: see `eval.worlds`. twin: a name in `eval.twins`, or none; size: of its frames. slots, steps: the grid.

    seconds: how long each cell of the grid is timed. early, late: the two steps whose cost is compared; window: how
    many steps around them count. threads: of torch, 0 for its own choice.
    """

    dream: str
    twin: str
    size: int
    slots: tuple[int, ...]
    steps: tuple[int, ...]
    seconds: float
    early: int
    late: int
    window: int
    threads: int
    device: str
    out: str


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one step of `slots` slots, and env-steps per second; `about` says of what."""

    about: str
    slots: int
    p50: float
    p95: float
    per_second: float
    count: int


def time_world(about: str, world: World, seconds: float, warm: int = 5) -> Timing:
    """Step all slots of `world` under random controls for `seconds`, ten steps at the least."""
    steps = drive(world)
    for _ in range(warm):
        next(steps)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < 10:
        taken.append(next(steps))
    p50, p95 = np.quantile(taken, [0.5, 0.95]) * 1000
    made = len(taken) * world.slots * world.spec.frames_per_step
    return Timing(about, world.slots, float(p50), float(p95), made / sum(taken), len(taken))


def drive(world: World, slots: list[int] | None = None, seed: int = 0) -> Iterator[float]:
    """Reset the slots, then step them for ever under random controls; yields the seconds that each step took.

    A slot whose episode is over begins anew with the next seed, outside the time taken.
    """
    rows = list(range(world.slots)) if slots is None else slots
    world.reset(rows, [seed + row for row in rows])
    controls, fresh = smooth_controls(world, len(rows), seed), seed + world.slots
    while True:
        control = next(controls)
        began = time.perf_counter()
        step = world.step(rows, control)
        if world.device.type == "cuda":
            torch.cuda.synchronize(world.device)
        yield time.perf_counter() - began
        over = [] if step.terminated is None else torch.nonzero(step.terminated[:, -1]).flatten().tolist()
        if over:
            world.reset([rows[i] for i in over], list(range(fresh, fresh + len(over))))
            fresh += len(over)


def smooth_controls(world: World, count: int, seed: int) -> Iterator[Control]:
    """Random controls that change slowly, as a driver's do: each a step towards a new draw."""
    domain, space = next(iter(world.spec.controls.items()))
    low, high, rng = space.low, space.high, np.random.default_rng(seed)  # type: ignore[attr-defined]
    now = np.zeros((count, *low.shape))
    while True:
        now += 0.1 * (rng.uniform(low, high, now.shape) - now)
        frames = np.repeat(now[:, None], world.spec.frames_per_step, 1)
        yield Control.of_robot(frames.astype(np.float32), domain)


# --- the three tables ----------------------------------------------------------------------------------------------


def grid(config: SpeedConfig) -> list[Timing]:
    """Every number of slots with every number of sampling steps."""
    timings = []
    for steps in config.steps:
        for slots in config.slots:
            world = open_world(config.dream, slots, steps, config.device)
            timings.append(time_world(f"dream, K = {steps}", world, config.seconds))
            world.close()
    return timings


def length(config: SpeedConfig, world: World) -> dict[str, float]:
    """Cost and memory of slot 0 at step `early` and at step `late`, by the clock and against each other.

    world has two slots. After step `late`, slot 0 takes turns with slot 1, then at step `early`: so both are timed
    under one load and the ratio does not depend on what else the machine did meanwhile.
    """
    old, young = drive(world, [0]), drive(world, [1])
    taken, memory = [], {}
    for step in range(config.late + config.window):
        taken.append(next(old))
        if step in (config.early, config.late):
            memory[step] = resident_megabytes()
    for _ in range(config.early):
        next(young)
    turns = np.array([(next(old), next(young)) for _ in range(config.window)])
    middle = np.median(turns, 0)
    return {
        "early_ms": 1000 * _around(taken, config.early, config.window),
        "late_ms": 1000 * _around(taken, config.late, config.window),
        "late_over_early_in_turns": float(middle[0] / middle[1]),
        "early_megabytes": memory[config.early],
        "late_megabytes": memory[config.late],
    }


def _around(taken: list[float], step: int, window: int) -> float:
    return float(np.median(taken[max(0, step - window // 2) : step + window // 2 + 1]))


def twin(config: SpeedConfig) -> list[Timing]:
    """The twin's own speed: on one core, on every core, and with what makes its pictures good switched off."""
    timings = []
    for about, make in TWINS[config.twin].speeds(config.size).items() if config.twin else ():
        world = make()
        timings.append(time_world(about, world, config.seconds))
        world.close()
    return timings


def drawings(config: SpeedConfig) -> dict[str, float]:
    """Median milliseconds of one drawn frame of the twin, by the quality of the picture; they take turns."""
    ways = TWINS[config.twin].drawings(config.size) if config.twin else {}
    taken: dict[str, list[float]] = {name: [] for name in ways}
    end = time.perf_counter() + config.seconds
    while ways and (time.perf_counter() < end or len(taken[next(iter(ways))]) < 10):
        for name, draw in ways.items():
            began = time.perf_counter()
            draw()
            taken[name].append(time.perf_counter() - began)
    return {name: 1000 * float(np.median(times)) for name, times in taken.items()}


# --- the program ---------------------------------------------------------------------------------------------------


def run(config: SpeedConfig, console: Console) -> dict[str, Any]:
    """All tables; prints them and returns what speed.json holds."""
    if config.threads:
        torch.set_num_threads(config.threads)
    before, dreams, twins = machine(), grid(config), twin(config)
    world = open_world(config.dream, 2, config.steps[0], config.device)
    long = length(config, world)
    world.close()
    result = {
        "settings": asdict(config),
        "machine": before | {"load_average_after": machine()["load_average"]},
        "dream": [asdict(timing) for timing in dreams],
        "twin": [asdict(timing) for timing in twins],
        "length": long,
        "drawing_ms": drawings(config),
    }
    show(console, [*dreams, *twins], result)
    return result


def show(console: Console, timings: list[Timing], result: dict[str, Any]) -> None:
    """The tables as text."""
    table = Table("", "slots", "ms p50", "ms p95", "env-steps/s", "× the twin", title="Speed")
    twins = [timing["per_second"] for timing in result["twin"]]
    for timing in timings:
        ratio = f"{timing.per_second / max(twins):.2f}" if twins else "-"
        cells = f"{timing.p50:.1f}", f"{timing.p95:.1f}", f"{timing.per_second:.0f}", ratio
        table.add_row(timing.about, str(timing.slots), *cells)
    console.print(table)
    console.print("; ".join(f"{name} {value}" for name, value in result["machine"].items()), highlight=False)
    lines, early, late = result["length"], result["settings"]["early"], result["settings"]["late"]
    console.print(
        f"one slot: step {early} {lines['early_ms']:.2f} ms, step {late} {lines['late_ms']:.2f} ms; in turns "
        f"{lines['late_over_early_in_turns']:.3f} times; memory {lines['early_megabytes']:.0f} MB, then "
        f"{lines['late_megabytes']:.0f} MB"
    )
    if result["drawing_ms"]:
        console.print("drawing a frame:", ", ".join(f"{name} {ms:.1f} ms" for name, ms in result["drawing_ms"].items()))


@hydra.main(version_base=None, config_path="../configs", config_name="eval/speed")
def main(settings: DictConfig) -> None:
    """Read the settings, time, write speed.json."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    config = SpeedConfig(**plain | {name: tuple(plain[name]) for name in ("slots", "steps")})
    result = run(config, wide_console())
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "speed.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
