"""What a served world costs and survives: batching, latency, and kills of replicas under load.

    python -m eval.serve                           the shipped Drive dream; needs the [ray] extra
    python -m eval.serve world=wmsim.sims.toy:ToyWorld

Batching: one in-process batch of `clients` slots, against as many clients of one slot each on a pool of one replica,
and the same without batching. Latency: one step of one slot, in this process and served, by turns, since a machine
that others share is faster in one minute than in the next. Faults: `kills.kills` replicas are killed under load, and
every frame is compared with an undisturbed run. Writes runs/serve/serve.json.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import ray
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from eval.kills import KillConfig, kill_under_load
from eval.load import Clients, Load, keep_stepping
from eval.machine import machine
from eval.report import wide_console
from wmsim.serve.config import PoolConfig
from wmsim.serve.pool import Pool
from wmsim.serve.source import Source


@dataclass(frozen=True)
class ServeConfig:
    """world, settings: as `wmsim serve` takes them. parts: out of "batching", "latency", "faults".

    clients: of one slot each, in threads of `processes` actors. warm, seconds: of each timing; rounds: turns of the
    latency's two, which share `seconds`. threads: of torch in the world's process, here and in the replica. wait_ms: of
    the pool. fault_world, fault_settings: what is killed, None takes the same world; replicas, snapshot_every: of the
    pool that is killed; kills: see `eval.kills`.
    """

    world: str
    out: str
    settings: dict[str, Any] = field(default_factory=dict)
    parts: tuple[str, ...] = ("batching", "latency", "faults")
    clients: int = 32
    processes: int = 4
    warm: float = 3.0
    seconds: float = 60.0
    rounds: int = 10
    threads: int = 2
    wait_ms: float = 3.0
    fault_world: str | None = None
    fault_settings: dict[str, Any] = field(default_factory=dict)
    replicas: int = 2
    snapshot_every: int = 8
    kills: KillConfig = field(default_factory=lambda: KillConfig(50, 8, (0.2, 1.5)))


@dataclass(frozen=True)
class Timing:
    """Steps of one slot per second in all, and the milliseconds that each call took; `about` says of what."""

    about: str
    slots: int
    per_second: float
    p50: float
    p95: float
    p99: float
    batch: float


def timing(about: str, slots: int, loads: list[Load], batch: float) -> Timing:
    """The figures of clients that worked at the same time and share `slots` alike."""
    p50, p95, p99 = (np.quantile([one for load in loads for one in load.times], (0.5, 0.95, 0.99)) * 1e3).tolist()
    calls = sum(len(load.times) / load.seconds for load in loads)
    return Timing(about, slots, calls * slots / len(loads), p50, p95, p99, batch)


def in_process(config: ServeConfig, slots: int, seconds: float) -> Load:
    """One batch of so many slots in this process, best before Ray starts, whose processes want their share."""
    torch.set_num_threads(config.threads)
    world = Source(config.world, config.settings).make(slots)
    load = keep_stepping(world, time.perf_counter() + config.warm, seconds, 0)
    world.close()
    return load


def served(config: ServeConfig, clients: int, batching: bool, seconds: float) -> tuple[list[Load], float]:
    """So many clients of one slot each on one replica, and how many slots were in a batch."""
    numbers = {"slots": clients, "threads": config.threads, "wait_ms": config.wait_ms}
    with pool_of(config.world, config.settings, max_batch=None if batching else 1, **numbers) as pool:
        share = [len(part) for part in np.array_split(np.arange(clients), min(config.processes, clients))]
        actor: Any = ray.remote(Clients).options(num_cpus=0, max_concurrency=2)
        actors = [actor.remote(f"ray://{pool.config.name}", n, 1000 * i) for i, n in enumerate(share)]
        runs = ray.get([one.run.remote(config.warm, seconds) for one in actors])
        batch = next(iter(pool.status()["replicas"].values()))["batch_rows"]
        ray.get([one.close.remote() for one in actors])
    return [load for run in runs for load in run], batch


@contextmanager
def ray_here() -> Iterator[None]:
    """Ray on this machine alone, within the block."""
    ray.init("local", num_cpus=8, include_dashboard=False, log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def pool_of(world: str, settings: dict[str, Any], **numbers: Any) -> Iterator[Pool]:
    """A pool in this process's Ray, ended in the end."""
    pool = Pool(world, PoolConfig(name="eval", cpus=0.1, patience=120.0, **numbers), **settings)
    try:
        yield pool
    finally:
        pool.stop()


def batching(config: ServeConfig) -> list[Timing]:
    """One batch here, as many clients that are batched, and as many that are not."""
    count = config.clients
    rows = [timing("in this process", count, [in_process(config, count, config.seconds)], float(count))]
    with ray_here():
        for about, joined in (("served", True), ("served, no batching", False)):
            rows.append(timing(about, count, *served(config, count, joined, config.seconds)))
    return rows


def latency(config: ServeConfig) -> list[Timing]:
    """One step of one slot here, while no Ray runs, and served; by turns, and all turns counted together."""
    alone, others, seconds = list[Load](), list[Load](), config.seconds / config.rounds
    for _ in range(config.rounds):
        alone.append(in_process(config, 1, seconds))
        with ray_here():
            others += served(config, 1, True, seconds)[0]
    return [timing("in this process", 1, alone, 1.0), timing("served", 1, others, 1.0)]


def faults(config: ServeConfig) -> dict[str, Any]:
    """The kills, and what they cost."""
    other = config.fault_world is not None
    source = Source(config.fault_world or config.world, config.fault_settings if other else config.settings)
    numbers = {"replicas": config.replicas, "slots": config.kills.clients, "snapshot_every": config.snapshot_every}
    assert isinstance(source.world, str)
    pool = pool_of(source.world, dict(source.settings), threads=1, wait_ms=config.wait_ms, **numbers)
    with ray_here(), pool as killed:
        return kill_under_load(killed, source, config.kills)


def run(config: ServeConfig, console: Console) -> dict[str, Any]:
    """Everything asked for: figures, and the settings and the machine of each part."""
    before, result = machine(), dict[str, Any](settings=dict.fromkeys(config.parts, asdict(config)))
    timed = {"batching": (batching, "Batching"), "latency": (latency, "Latency of one step of one slot")}
    for part, (measured, title) in timed.items():
        if part in config.parts:
            rows = measured(config)
            result[part] = [asdict(row) for row in rows]
            show(console, title, rows)
    if "faults" in config.parts:
        result["faults"] = faults(config)
        told = {name: value for name, value in result["faults"].items() if name != "recovery_seconds"}
        console.print("; ".join(f"{name} {value}" for name, value in told.items()), highlight=False)
    about = before | {"load_average_after": machine()["load_average"]}
    result["machine"] = dict.fromkeys(config.parts, about)
    console.print("; ".join(f"{name} {value}" for name, value in about.items()), highlight=False)
    return result


def show(console: Console, title: str, rows: list[Timing]) -> None:
    """A table, each row against the first."""
    table = Table("", "slots", "steps/s", "of the first", "slots a batch", "ms p50", "ms p95", "ms p99", title=title)
    for row in rows:
        share = f"{row.per_second / rows[0].per_second:.0%}"
        times = (f"{value:.1f}" for value in (row.batch, row.p50, row.p95, row.p99))
        table.add_row(row.about, str(row.slots), f"{row.per_second:.0f}", share, *times)
    console.print(table)


@hydra.main(version_base=None, config_path="../configs", config_name="eval/serve")
def main(settings: DictConfig) -> None:
    """Read the settings, measure, write serve.json, in which parts that were not asked for stay as they were."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    kills = KillConfig(**plain["kills"] | {"pause": tuple(plain["kills"]["pause"])})
    config = ServeConfig(**plain | {"kills": kills, "parts": tuple(plain["parts"])})
    result = run(config, wide_console())
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "serve.json"
    earlier = json.loads(path.read_text()) if path.is_file() else {}
    for about in ("settings", "machine"):
        result[about] = earlier.get(about, {}) | result[about]
    path.write_text(json.dumps(earlier | result, indent=2))


if __name__ == "__main__":
    main()
