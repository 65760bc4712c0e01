"""The README tells the truth: its code runs, its commands take the options that it shows, its file map is git's."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import wmsim
from wmsim.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
SHIPPED = Path(wmsim.__file__).parent / "assets" / "drive.safetensors"
MAPPED = ("wmsim/", "agents/", "envs/", "eval/", "configs/", "docs/")


def first_line(block: str) -> str:
    """The name of a code block in the list of tests: its first statement after the imports."""
    return next(line for line in block.splitlines() if line and not line.startswith(("import ", "from ")))


@pytest.mark.parametrize("block", BLOCKS, ids=first_line)
def test_the_code_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if "wmsim/Drive-v0" in block and not SHIPPED.exists():
        pytest.skip(f"this block dreams, and {SHIPPED.name} is not in place")
    exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("wmsim ")])
def test_the_commands_take_these_options(line: str) -> None:
    _, command, *words = shlex.split(line)
    told = CliRunner().invoke(app, [command, "--help"])
    assert told.exit_code == 0, told.output
    for option in [word for word in words if word.startswith("-")]:
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", told.output), f"wmsim {command} has no {option}"


def configured(line: str) -> tuple[str, list[str]] | None:
    """The configuration that a `python -m` command reads and what it sets in it; None where it reads none."""
    words = shlex.split(line, comments=True)
    name = words[2].replace(".", "/") if words[:2] == ["python", "-m"] else ""
    return (name, words[3:]) if (ROOT / "configs" / f"{name}.yaml").is_file() else None


@pytest.mark.parametrize("line", [line for line in COMMANDS if configured(line)])
def test_the_programs_take_these_settings(line: str) -> None:
    hydra = pytest.importorskip("hydra", reason="the programs need the [train] extra")
    found = configured(line)
    assert found is not None
    with hydra.initialize_config_module("wmsim.configs", version_base=None):
        hydra.compose(found[0], overrides=found[1])


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make ")])
def test_the_targets_are_there(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def purpose(path: Path) -> str:
    """What the first line of a module says of it."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0] if path.suffix == ".py" else "..."


def test_the_file_map_is_the_one_of_git() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git checkout: there is nothing to compare the map with")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    there = {name for name in listed if name.startswith(MAPPED) and (ROOT / name).is_file()}
    told = set(re.findall(r"^\| `([^`]+)` \|", README.partition("## Files")[2], re.MULTILINE))
    missing = [f"| `{name}` | {purpose(ROOT / name)} |" for name in sorted(there - told)]
    assert missing == [], "put these lines into the file map"
    assert [name for name in told if not (ROOT / name).exists()] == [], "take these lines out of the file map"
