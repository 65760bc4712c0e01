"""The wheel holds what git holds of the library, no more and no less; versions and pins agree with each other."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import wmsim

ROOT = Path(__file__).parent.parent
CHECKPOINT_BYTES = 16_000_000
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, SETUPTOOLS = SETTINGS["project"], SETTINGS["tool"]["setuptools"]


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The files of this checkout that git tracks and that are there."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git checkout: there is nothing to compare the wheel with")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel built from a copy of the tracked files, so that nothing left over in this folder slips in."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(target),
        ".",
    ]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next(target.glob("*.whl")))


def in_wheel(name: str) -> str | None:
    """Where a tracked file belongs in the wheel: the library as it is, configs/ inside it, the rest nowhere."""
    first, *rest = PurePosixPath(name).parts
    if first == "configs":
        return str(PurePosixPath("wmsim", "configs", *rest))
    return name if first == "wmsim" else None


def test_the_wheel_holds_what_git_holds(tracked: list[str], wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == {place for name in tracked if (place := in_wheel(name))}
    assert {"wmsim/py.typed", "wmsim/world.py", "wmsim/configs/__init__.py"} <= packed


def test_every_package_is_named(tracked: list[str]) -> None:
    folders = {str(PurePosixPath(name).parent) for name in tracked if name.endswith("__init__.py")}
    packages = {name.replace("/", ".") for name in folders if name.startswith("wmsim")} | {"wmsim.configs"}
    assert packages == set(SETUPTOOLS["packages"])


def test_the_wheel_carries_licence_command_and_version(wheel: zipfile.ZipFile) -> None:
    info = f"wmsim-{PROJECT['version']}.dist-info"
    assert "Apache License" in wheel.read(f"{info}/licenses/LICENSE").decode()
    assert "wmsim = wmsim.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"\nVersion: {PROJECT['version']}\n" in wheel.read(f"{info}/METADATA").decode()


def test_what_ships_stays_small(tracked: list[str]) -> None:
    weights = [ROOT / name for name in tracked if name.endswith(".safetensors")]
    assert all(path.stat().st_size <= CHECKPOINT_BYTES for path in weights)


def test_one_version_everywhere() -> None:
    assert wmsim.__version__ == PROJECT["version"]
    assert f"## {wmsim.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def pins() -> dict[str, str]:
    """Package -> version of constraints.txt."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


@pytest.mark.parametrize("extra", ["", *PROJECT["optional-dependencies"]])
def test_every_dependency_is_pinned_inside_its_range(extra: str) -> None:
    asked = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    wanted = [Requirement(text) for text in asked]
    pinned = pins()
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        version = pinned.get(name, "0")
        assert name == "wmsim" or version in requirement.specifier, f"{requirement} is pinned at {version}"
