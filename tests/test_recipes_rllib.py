"""RLlib's recipe in small: remote runners, one of which is killed; it ends, goes on later, leaves a policy."""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wmsim.policy import OnnxPolicy

pytest.importorskip("onnxruntime", reason="policies need the [policy] extra")
if importlib.util.find_spec("ray") is None:
    pytest.skip("RLlib needs the [ray] extra", allow_module_level=True)

# In a process of its own: Ray leaves threads and warnings behind.
PROGRAM = """
import os, signal, sys, time
from agents.rllib_ppo import RLlibConfig, train

killed = []

def kill_one(algorithm):
    runners = algorithm.env_runner_group
    if algorithm.iteration == 1 and not killed:
        killed.extend(runners.foreach_env_runner(lambda runner: os.getpid(), local_env_runner=False))
        os.kill(killed[0], signal.SIGKILL)
    elif killed and algorithm.iteration < 5:
        time.sleep(3)  # iterations are short here, and Ray needs a moment to notice and to start another

settings = {"size": 36, "observation": "dict"}
small = {"num_envs": 2, "batch": 64, "minibatch": 32, "epochs": 1, "sequence": 8, "cpus": 0.5, "save_every": 2}
config = RLlibConfig(sys.argv[1], "wmsim:wmsim/Toy-v0", "sim", settings, steps=int(sys.argv[2]), **small)
train(config, kill_one)
"""


def _train(out: Path, steps: int) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(out), str(steps)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with (out / "progress.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_runner_costs_no_training_and_a_stopped_one_goes_on(tmp_path: Path) -> None:
    first = _train(tmp_path, 320)
    assert float(first[-1]["steps"]) >= 320
    assert max(float(row["restarts"]) for row in first) >= 1
    policy = OnnxPolicy(tmp_path / "policy.onnx")
    policy.reset([0], [0])
    seen = {"image": np.zeros((1, 36, 36, 3), np.uint8), "proprio": np.zeros((1, 2), np.float32)}
    assert np.isfinite(policy.act([0], seen, {})).all()
    again = _train(tmp_path, 448)
    steps = [float(row["steps"]) for row in again]
    assert steps[: len(first)] == [float(row["steps"]) for row in first]
    assert len(again) > len(first)
    assert steps == sorted(steps)
