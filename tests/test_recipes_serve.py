"""The benchmark of the pool in small: it measures what it is asked for, and a kill changes no frame."""

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
    "threads=1 parts=[batching,faults] kills.kills=2 kills.clients=3 kills.pause=[0.1,0.3]"
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
    faults = told["faults"]
    assert (faults["kills"], faults["wrong_frames"], faults["worst_grey_levels"]) == (2, 0, 0.0)
    assert faults["restarts"] == 2
    assert faults["frames"] > 0
    assert len(faults["recovery_seconds"]) == 2
