"""A visit to `wmsim play` in a real Chromium: does everything work, how soon does a key show, what leaks?

    python -m eval.play                                     the shipped dream, every function, one minute of driving
    python -m eval.play --minutes 10                        the bar: key to pixel p95 at most 150 ms for ten minutes
    python -m eval.play --twin                              with the twin beside it while keys are timed
    python -m eval.play wmsim/Toy-v0 --minutes 0.2          small

Needs `apt-get install chromium`. Writes runs/play/play.json and screenshots; exit code 1 when a function fails.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table
from scipy.stats import theilslopes

from eval.browser import Visit, chromium, play_server
from eval.machine import machine
from eval.report import wide_console
from eval.visit import SCENES, Story, phone

BAR_MS = 150.0
_WARM_SECONDS = 5.0


def drive(visit: Visit, watched: Mapping[str, Callable[[], float]], minutes: float) -> dict[str, Any]:
    """Press keys for so long as a person might; latency of each, longest stall, and the memory of what is watched: by
    name, what tells its MiB."""
    rng, keys = random.Random(0), visit.page.keyboard
    visit.reset(7)
    until, warm = time.monotonic() + 60 * minutes, time.monotonic() + min(_WARM_SECONDS, 20 * minutes)
    times, memory = list[float](), {name: list[float]() for name in watched}
    while time.monotonic() < until:
        key = rng.choice("wwwad")
        keys.down(key)
        time.sleep(rng.uniform(0.05, 0.5))
        keys.up(key)
        time.sleep(rng.uniform(0.05, 0.5))
        if visit.shown()["ended"]:
            visit.reset()
        if time.monotonic() > warm:
            warm = time.monotonic() + 2
            times.append(warm)
            for name, held in watched.items():
                memory[name].append(held())
    return figures(visit, times, memory, visit.figures())


def figures(
    visit: Visit, times: Sequence[float], memory: Mapping[str, Sequence[float]], told: dict[str, Any]
) -> dict[str, Any]:
    """The run in numbers."""
    taken = np.array(visit.latencies())
    return {
        "keys": len(taken),
        "key_to_pixel_ms": {
            name: round(float(np.percentile(taken, q)), 1)
            for name, q in (("p50", 50), ("p95", 95), ("p99", 99), ("worst", 100))
        },
        "bar_ms": BAR_MS,
        "painted": visit.page.evaluate("wmsimPlay.panes.painted"),
        "longest_gap_in_page_ms": round(visit.page.evaluate("wmsimPlay.panes.longestGap"), 1),
        "server": told,
        "memory_mib": {name: growth(times, held) for name, held in memory.items()},
    }


def growth(times: Sequence[float], mib: Sequence[float]) -> dict[str, Any]:
    """The first and last of these MiB, the least in each minute, and what that grows by in a minute of the second
    half, with its 95 % interval (the slope of Theil and Sen); None: too few minutes to tell.

    The least: what a process gives back within a minute, or its allocator keeps for the next one, is no growth.
    """
    minutes = ((np.array(times) - times[0]) // 60).astype(int)
    least = [round(float(np.min(np.array(mib)[minutes == minute])), 2) for minute in np.unique(minutes)]
    told: dict[str, Any] = {"first": round(mib[0], 1), "last": round(mib[-1], 1), "each_minute": least}
    later = least[len(least) // 2 :]
    if len(later) < 3:
        return told | {"growth_a_minute": None, "between": None}
    slope, _, low, high = (round(float(value), 3) for value in theilslopes(later))
    return told | {"growth_a_minute": slope, "between": [low, high]}


def play(
    target: Annotated[str, typer.Argument(help="what `wmsim play` is given")] = "drive",
    minutes: Annotated[float, typer.Option(help="how long keys are pressed and timed")] = 1.0,
    twin: Annotated[bool, typer.Option(help="let the twin run beside it while keys are timed")] = False,
    out: Annotated[Path, typer.Option(help="where figures and screenshots go")] = Path("runs/play"),
) -> None:
    """Visit the page, do all that it offers, drive for some minutes, and write down what came of it."""
    console = wide_console()
    out.mkdir(parents=True, exist_ok=True)
    with play_server(target) as (url, pid), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 960})
        story = Story(Visit(page, url), out)
        for scene in SCENES:
            story.scene(scene)
            console.print(f"{scene.__name__:9} {story.done[scene.__name__]}", highlight=False)
        if twin:
            with story.visit.beginning():
                page.click("#twin")
        driven = drive(story.visit, {"server": lambda: story.visit.served(pid)}, minutes)
        story.done["phone"] = phone(browser, url, out)
        errors = story.visit.errors
    result = {
        "target": target,
        "twin": twin,
        "machine": machine(),
        "scenes": story.done,
        "errors": errors,
        "drive": driven,
    }
    (out / "play.json").write_text(json.dumps(result, indent=1))
    console.print(table(driven))
    failed = [name for name, said in story.done.items() if said.startswith("FAILED")]
    console.print(f"{len(story.done) - len(failed)} of {len(story.done)} scenes played; errors in the page: {errors}")
    if failed or errors:
        raise typer.Exit(1)


def table(driven: dict[str, Any]) -> Table:
    """The figures for the console."""
    made = Table("figure", "value", title=f"{driven['keys']} keys; load {machine()['load_average']}")
    for name, value in driven.items():
        made.add_row(name, json.dumps(value) if isinstance(value, dict) else str(value))
    return made


if __name__ == "__main__":
    typer.run(play)
