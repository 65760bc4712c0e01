"""`wmsim serve` from outside: another process finds the pool, RLlib trains in it, Ctrl-C drains it."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if importlib.util.find_spec("ray") is None:
    pytest.skip("a pool needs the [ray] extra", allow_module_level=True)

SERVE = "wmsim.sims.toy:ToyWorld --name served --slots 8 --cpus 0.2 --grace 1 -s size=36"
MAIN = "from wmsim.cli import main; main()"
TRAIN = """
import sys
from agents.rllib_ppo import RLlibConfig, train

small = {"num_envs": 2, "batch": 64, "minibatch": 32, "epochs": 1, "sequence": 8, "cpus": 0.2, "save_every": 2}
settings = {"observation": "dict"}
train(RLlibConfig(sys.argv[1], "wmsim:wmsim/Toy-v0", "ray://served", settings, steps=128, **small))
"""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command in a session of its own, as a terminal would run it, and an environment that finds its Ray."""
    command = [sys.executable, "-c", MAIN, "serve", *SERVE.split()]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if found := re.search(r"serving .* as ray://served \((.*)\)", line):
            break
    else:
        pytest.fail(told)
    yield process, os.environ | dict(pair.split("=") for pair in found[1].split())
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()


def run(program: str, env: dict[str, str], *words: str) -> str:
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, env=env, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_check_holds_it_to_the_contract_from_another_process(served: tuple[object, dict[str, str]]) -> None:
    told = run(MAIN, served[1], "check", "ray://served", "--frames", "4", "--long-frames", "60")
    assert " 0 failed" in told


def test_rllib_trains_in_it(served: tuple[object, dict[str, str]], tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="policies need the [policy] extra")
    run(TRAIN, served[1], str(tmp_path))
    with (tmp_path / "progress.csv").open(newline="") as file:
        assert float(list(csv.DictReader(file))[-1]["steps"]) >= 128
    assert (tmp_path / "policy.onnx").exists()


def test_ctrl_c_drains(served: tuple[subprocess.Popen[str], object]) -> None:
    process, _ = served
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to every process of the session
    told, _ = process.communicate(timeout=90)
    assert process.returncode == 0, told
    assert "draining: 0 slots are in use" in told
    assert "ended, 0 slots were still in use" in told
