"""Half an hour of everything at once: a person in the browser and sixteen slots in training. What grows, what stalls?

    python -m eval.soak                                          thirty minutes of the shipped dream
    python -m eval.soak wmsim.sims.toy:ToyWorld --minutes 0.5    small

The page is `wmsim play`, driven in a real Chromium as by `eval.play`; the slots lie on a pool of one replica with one
thread and are stepped as fast as it can, by a process of lower priority (`--nice`), as a training job beside a person
would be. Writes runs/soak/soak.json and a screenshot. Needs the extras [ray] and [serve], and Chromium.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import ray
import typer

from eval.browser import Visit, chromium, play_server, resident, resident_like
from eval.load import Clients, Load
from eval.machine import disturbance, machine
from eval.play import drive
from eval.report import wide_console
from wmsim.serve.config import PoolConfig
from wmsim.serve.pool import Pool

STALL_MS = 1000.0
"""Nothing may stand still for longer."""
GROWTH = 0.1
"""MiB a minute that a process may gain in the second half: less than what its allocator gives and takes."""


def trained(load: Load, slots: int) -> dict[str, float]:
    """Steps of one slot a second, and milliseconds of a call."""
    p50, p95, worst = (np.quantile(load.times, (0.5, 0.95, 1.0)) * 1e3).round(1).tolist()
    rate = round(len(load.times) * slots / load.seconds, 1)
    return {"slots": slots, "steps_per_second": rate, "ms_p50": p50, "ms_p95": p95, "ms_worst": worst}


def verdict(driven: dict[str, Any], training: dict[str, float], minutes: float) -> dict[str, Any]:
    """What the bars ask: frames a second in the page, the longest stall of either in ms, and the fastest growth of a
    process in MiB a minute, None where the run was too short to tell."""
    growth = [told["growth_a_minute"] for told in driven["memory_mib"].values()]
    stall = max(driven["longest_gap_in_page_ms"], training["ms_worst"])
    fastest = None if None in growth else max(growth)
    return {
        "painted_a_second": round(driven["painted"] / (60 * minutes), 2),
        "longest_stall_ms": stall,
        "no_stall": stall <= STALL_MS,
        "growth_mib_a_minute": fastest,
        "no_growth": None if fastest is None else fastest <= GROWTH,
    }


def soak(
    target: Annotated[str, typer.Argument(help="a world that both `wmsim play` and a pool take")] = "drive",
    minutes: Annotated[float, typer.Option(help="how long")] = 30.0,
    slots: Annotated[int, typer.Option(help="in training")] = 16,
    nice: Annotated[int, typer.Option(help="by how much the training's priority is lower, 0 to 19")] = 10,
    out: Annotated[Path, typer.Option(help="where figures and a screenshot go")] = Path("runs/soak"),
) -> None:
    """Drive in the page while a pool is kept busy, and write down what stalled and what grew."""
    console, before = wide_console(), machine()
    out.mkdir(parents=True, exist_ok=True)
    ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    pool = Pool(target, PoolConfig(name="soak", slots=slots, threads=1))
    replica = next(iter(pool.status()["replicas"].values()))["pid"]
    for thread in Path(f"/proc/{replica}/task").iterdir():  # Linux ranks threads one by one
        os.setpriority(os.PRIO_PROCESS, int(thread.name), nice)
    client: Any = ray.remote(Clients)
    beside = client.remote("ray://soak", 1, 0, slots)
    ray.get(beside.__ray_ready__.remote())
    with play_server(target) as (url, pid), chromium() as browser, disturbance() as disturbed:
        visit = Visit(browser.new_page(viewport={"width": 1280, "height": 960}), url)
        visit.open()
        running = beside.run.remote(0.0, 60 * minutes)
        watched = {
            "play server": lambda: visit.served(pid),
            "page": visit.held,
            "replica": lambda: resident(replica),
            "pool's head": lambda: resident_like("ray::Head"),
            "pool's vault": lambda: resident_like("ray::Vault"),
            "training": lambda: resident_like("ray::Clients"),
        }
        driven = drive(visit, watched, minutes)
        visit.page.screenshot(path=out / "page.png")
        training = trained(ray.get(running)[0], slots)
    pool.stop()
    ray.shutdown()
    result = {"target": target, "minutes": minutes, "nice": nice, "machine": before | disturbed, "drive": driven}
    result |= {"training": training, "verdict": verdict(driven, training, minutes)}
    (out / "soak.json").write_text(json.dumps(result, indent=1))
    for name in ("verdict", "training", "machine"):
        console.print(name, result[name], highlight=False)
    console.print(driven, highlight=False)


if __name__ == "__main__":
    typer.run(soak)
