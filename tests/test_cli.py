"""The command line: it passes on what it is told, and tells what went wrong in one line with exit code 2."""

from __future__ import annotations

import builtins
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import wmsim
from wmsim import cli
from wmsim.data.episodes import Dataset

FORGETFUL = """
from wmsim.sims.toy import ToyWorld

class Forgetful(ToyWorld):
    def restore(self, slots, snapshot):
        pass

def make(slots):
    return Forgetful(slots)
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as left:
        cli.main([str(a) for a in arguments])
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def one_line(left: tuple[int, str, str]) -> str:
    """What a command told on leaving, which has to be one line, with exit code 2."""
    code, _, err = left
    assert code == 2
    assert err.startswith("wmsim: ")
    assert err.count("\n") == 1
    return err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "version") == (0, f"{wmsim.__version__}\n", "")


def test_an_unknown_command_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "fly")
    assert code == 2
    assert "fly" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("pair", "setting"),
    [
        ("world=sim", {"world": "sim"}),
        ("size=128", {"size": 128}),
        ('info=["state"]', {"info": ["state"]}),
        ("path=a=b", {"path": "a=b"}),
        ("world=", {"world": ""}),
    ],
)
def test_settings_are_json_or_text(pair: str, setting: dict[str, Any]) -> None:
    assert cli.options_of([pair]) == setting


@pytest.mark.parametrize("pair", ["size", "=3", "a b=3", ""])
def test_a_text_that_is_no_setting(pair: str) -> None:
    with pytest.raises(ValueError, match="write name=value"):
        cli.options_of([pair])


def test_record_writes_a_dataset_and_goes_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    there = ["record", "wmsim/Toy-v0", tmp_path / "data", "--max-steps", 6]
    assert run(capsys, *there, "--episodes", 1)[:2] == (0, f"{tmp_path / 'data'}: 1 episodes, 7 frames\n")
    assert run(capsys, *there, "--episodes", 2)[1] == f"{tmp_path / 'data'}: 2 episodes, 14 frames\n"


def test_record_gives_levels_to_the_policy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    there = ["record", "wmsim/Toy-v0", tmp_path / "data", "--max-steps", 6, "--episodes", 2, "--policy", "wander"]
    assert run(capsys, *there, "--level", '{"rest": 1}', "--level", '{"rest": 0}')[0] == 0
    episodes = Dataset(tmp_path / "data")
    moved = [np.abs(episodes.columns(index)["action"][:-1]).max() for index in (0, 1)]
    assert moved[0] == 0 < moved[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere/Nothing-v0", "--episodes", "1"], "nowhere"),
        (["wmsim/Toy-v0"], "episodes or frames"),
        (["wmsim/Toy-v0", "--episodes", "1", "-s", "world=mars"], "mars"),
        (["wmsim/Toy-v0", "--episodes", "1", "-s", "size"], "name=value"),
        (["wmsim/Toy-v0", "--episodes", "1", "--policy", "nobody"], "nobody"),
        (["wmsim/Toy-v0", "--episodes", "1", "--level", "rest=1"], "takes a JSON object"),
        (["wmsim/Toy-v0", "--episodes", "1", "--level", "[1]"], "takes a JSON object"),
        (
            ["wmsim/Toy-v0", "--episodes", "1", "--policy", "wander", "--level", '{"rset": 1}'],
            "does not take the level",
        ),
        (["CartPole-v1", "--episodes", "1"], "shows no picture"),
    ],
)
def test_what_a_user_did_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], told: str
) -> None:
    assert told in one_line(run(capsys, "record", arguments[0], tmp_path / "data", *arguments[1:]))


def test_a_missing_extra_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def without_hydra(name: str, *rest: Any) -> ModuleType:
        if name == "wmsim.train":
            raise ModuleNotFoundError("No module named 'hydra'", name="hydra")
        return original(name, *rest)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without_hydra)
    code, _, err = run(capsys, "train", "data=somewhere")
    assert (code, err) == (2, "wmsim: hydra is not installed: pip install 'wmsim[train]'\n")


def test_train_passes_every_override_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    trainer = ModuleType("wmsim.train")
    trainer.main = seen.extend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wmsim.train", trainer)
    assert run(capsys, "train", "data=runs/mine", "optimiser.rate=1e-3", "+note=a b")[0] == 0
    assert seen == ["data=runs/mine", "optimiser.rate=1e-3", "+note=a b"]


def test_train_tells_what_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "data" in one_line(run(capsys, "train", f"out={tmp_path}"))
    assert "bogus" in one_line(run(capsys, "train", "bogus=1"))
    assert "nowhere is no dataset" in one_line(run(capsys, "train", f"data={tmp_path / 'nowhere'}", f"out={tmp_path}"))


def test_check_prints_every_check_and_leaves_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", "wmsim.sims.toy:ToyWorld", "--frames", 4, "--long-frames", 8, "-s", "size=24")
    assert code == 0, out
    assert "slot_isolation" in out
    assert "0 failed" in out


def test_check_leaves_with_1_when_a_promise_is_broken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "check", "forgetful:make", "--frames", 4, "--long-frames", 8)
    assert code == 1
    assert re.search(r"snapshot_restore +│ fail", out)


def test_check_of_what_cannot_be_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"no tensors")
    assert "nothing that can be checked" in one_line(run(capsys, "check", "nowhere"))
    assert "could not be imported" in one_line(run(capsys, "check", "nowhere:make"))
    assert "cut short or corrupt" in one_line(run(capsys, "check", damaged))
    assert "there is no checkpoint" in one_line(run(capsys, "check", tmp_path / "none.safetensors"))


def test_info_of_an_environment(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "info", "wmsim/Toy-v0", "-s", "size=24")
    assert code == 0
    facts = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (facts["name"], facts["frames_per_second"], facts["cameras"]) == ("toy", "16.0", "{'top': (24, 24, 3)}")


def test_info_of_what_is_no_checkpoint(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    foreign, cut = tmp_path / "foreign.safetensors", tmp_path / "cut.safetensors"
    save_file({"weight": np.zeros(3)}, foreign)
    cut.write_bytes(foreign.read_bytes()[:20])
    assert "not a wmsim checkpoint" in one_line(run(capsys, "info", foreign))
    assert "cut short or corrupt" in one_line(run(capsys, "info", cut))
    assert "there is no checkpoint" in one_line(run(capsys, "info", tmp_path / "none.safetensors"))


def test_the_traceback_is_there_on_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WMSIM_TRACEBACK", "1")
    with pytest.raises(ValueError, match="episodes or frames"):
        cli.main(["record", "wmsim/Toy-v0", str(tmp_path)])
