"""The benchmarks of the pool in small: they measure what they are asked for, and a kill changes no frame."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

for needed, extra in (("ray", "ray"), ("hydra", "train"), ("matplotlib", "eval")):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"the benchmark of the pool needs the [{extra}] extra", allow_module_level=True)

SMALL = (
    "world=wmsim.sims.toy:ToyWorld settings.size=12 fault_settings.size=12 clients=4 processes=1 warm=0.5 seconds=1 "
    "threads=1 rounds=2 parts=[batching,latency,faults] kills.kills=2 kills.clients=3 kills.pause=[0.1,0.3]"
)


def test_the_benchmark_in_small(tmp_path: Path) -> None:
    words = SMALL.replace("settings.", "+settings.").replace("fault_+settings.", "+fault_settings.").split()
    command = [sys.executable, "-m", "eval.serve", *words, f"out={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((tmp_path / "serve.json").read_text())
    assert [row["about"] for row in told["batching"]] == ["in this process", "served", "served, no batching"]
    assert all(row["per_second"] > 0 and row["p50"] <= row["p95"] <= row["p99"] for row in told["batching"])
    assert told["batching"][2]["batch"] == 1.0
    assert [row["about"] for row in told["latency"]] == ["in this process", "served"]
    again = [*command, "parts=[faults]", "kills.kills=1"]
    done = subprocess.run(again, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    later = json.loads((tmp_path / "serve.json").read_text())
    assert later["batching"] == told["batching"], "what was not asked for again stays"
    assert later["settings"]["batching"] == told["settings"]["batching"] != later["settings"]["faults"]
    assert later["machine"].keys() == {"batching", "latency", "faults"}
    assert later["faults"]["kills"] == 1
    faults = told["faults"]
    assert (faults["kills"], faults["wrong_frames"], faults["worst_grey_levels"]) == (2, 0, 0.0)
    assert faults["restarts"] == 2
    assert faults["frames"] > 0
    assert len(faults["recovery_seconds"]) == 2


def test_the_soak_in_small(tmp_path: Path) -> None:
    browser = pytest.importorskip("eval.browser", reason="the soak needs Playwright")
    if browser.find_chromium() is None:
        pytest.skip("no Chromium is installed")
    command = [sys.executable, "-m", "eval.soak", "wmsim.sims.toy:ToyWorld", "--minutes", "0.1", "--slots", "3"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads((tmp_path / "soak.json").read_text())
    assert told["drive"]["keys"] > 0
    assert told["drive"]["painted"] > 0
    assert told["training"]["slots"] == 3
    assert 0 < told["training"]["ms_p50"] <= told["training"]["ms_worst"] <= told["verdict"]["longest_stall_ms"]
    assert {"play server", "page", "replica", "training"} <= set(told["drive"]["memory_mib"])
    assert all(held["first"] > 0 for held in told["drive"]["memory_mib"].values())
    assert 0 <= told["machine"]["stolen"] < 1
    assert told["machine"]["latest_wake_ms"] > 0
    assert (tmp_path / "page.png").stat().st_size > 0


def test_memory_that_grows_is_told_from_memory_that_swings() -> None:
    play = pytest.importorskip("eval.play", reason="the visit needs Playwright")
    times = [2.0 * i for i in range(600)]
    rising = play.growth(times, [100.0] * 300 + [100.0 + i / 30 for i in range(300)])
    assert rising["growth_a_minute"] == 1.0
    assert rising["between"] == [1.0, 1.0]
    assert (rising["first"], len(rising["each_minute"])) == (100.0, 20)
    saw = [100.0 + 57.0 * (i % 23) / 22 for i in range(600)]  # what a session keeps, and gives back
    swinging = play.growth(times, saw)
    assert abs(swinging["growth_a_minute"]) < 0.01
    bursts = [100.0 + 30.0 * (i % 30 == i // 30) + i / 60 for i in range(600)]  # taller now and then, and rising
    assert play.growth(times, bursts)["growth_a_minute"] == 0.5
    short = play.growth(times[:4], [1.0, 2.0, 3.0, 4.0])
    assert (short["last"], short["growth_a_minute"], short["between"]) == (4.0, None, None)
