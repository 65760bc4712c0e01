"""Puts the figures of `eval.fidelity` and `eval.speed` into docs/results.md, between its markers.

python -m eval.results                              from runs/fidelity and runs/speed
python -m eval.results --fidelity runs/drive/fidelity/fidelity.json
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Mapping[str, Any]


def cell(value: Any, places: int = 2) -> str:
    """An interval or a number as text; an interval without bounds shows its mean alone."""
    if isinstance(value, Mapping):
        mean, low, high = (value[name] for name in ("mean", "low", "high"))
        if mean is None:
            return "-"
        return f"{mean:.{places}f}" if low is None else f"{mean:.{places}f} [{low:.{places}f}, {high:.{places}f}]"
    return f"{value:.{places}f}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], places: int = 2) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(head), *([cell(v, places) for v in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def named(rows: Mapping[str, Json], places: int = 2) -> str:
    """A table of rows by name that share their columns."""
    head = list(next(iter(rows.values())))
    return table(["", *head], [[name, *cells.values()] for name, cells in rows.items()], places)


def fidelity_section(found: Json) -> str:
    """Bars, pixels, obedience, reward, end and endurance."""
    machine = found["machine"]
    shipped = next(iter(found["above_copy"]))
    pixels = {name: kinds["psnr"]["all"] for name, kinds in found["pixels"].items()}
    ssim = {name: kinds["ssim"]["all"] for name, kinds in found["pixels"].items()}
    above = {**found["kinds_above_copy"], "right above shuffled controls": found["shuffle_gap"][shipped]}
    marks = {True: "yes", False: "no", None: "not measured"}
    bars = [[b["name"], f"{b['sign']} {b['asked']}", b["measured"], marks[b["reached"]]] for b in found["bars"]]
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load_average']}, torch {machine['torch']}.",
        table(["bar", "asked", "measured", "reached"], bars),
        "PSNR in dB of all pixels, by frame after the context; mean over unseen towns [95 % interval]:",
        named(pixels, 1),
        "SSIM of all pixels:",
        named(ssim),
        f"{shipped} above copying the last frame in dB, by kind of pixel; and right above shuffled controls:",
        named(above),
        "Controls that the probe reads back (correlation with the truth):",
        named(found["obedience"]),
        "Reward (correlation), open loop over 16 frames:",
        named(found["reward"]),
        "End (AUROC), open loop over 16 frames:",
        named(found["end"]),
        "Long dreams:",
        named(found["endurance"]),
    ]
    return "\n\n".join(parts)


def speed_section(found: Json) -> str:
    """Milliseconds and steps a second by slots and passes, and the cost of long episodes."""
    rows = [[r["about"], r["slots"], r["p50"], r["p95"], r["per_second"]] for r in [*found["dream"], *found["twin"]]]
    machine = found["machine"]
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, torch {machine['torch']}; "
        f"load {machine['load_average']} before and {machine['load_average_after']} after.",
        table(["", "slots", "ms p50", "ms p95", "env-steps/s"], rows, 1),
        "One slot: " + ", ".join(f"{name.replace('_', ' ')} {cell(v, 3)}" for name, v in found["length"].items()) + ".",
        "Drawing a frame of the twin, ms: "
        + ", ".join(f"{k} {cell(v, 1)}" for k, v in found["drawing_ms"].items())
        + ".",
    ]
    return "\n\n".join(parts)


def put(page: str, name: str, text: str) -> str:
    """The page with `text` between <!-- name --> and <!-- /name -->; ValueError when the page lacks the markers."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no <!-- {name} --> ... <!-- /{name} --> to fill")
    return pattern.sub(lambda found: found[1] + text + found[2], page)


def main(
    fidelity: Annotated[Path, typer.Option(help="what eval.fidelity wrote")] = Path("runs/fidelity/fidelity.json"),
    speed: Annotated[Path, typer.Option(help="what eval.speed wrote")] = Path("runs/speed/speed.json"),
    page: Annotated[Path, typer.Option(help="the page to fill")] = Path("docs/results.md"),
) -> None:
    """Fill the page with what is there."""
    text = page.read_text()
    for name, path, section in (("fidelity", fidelity, fidelity_section), ("speed", speed, speed_section)):
        if path.is_file():
            text = put(text, name, section(json.loads(path.read_text())))
    page.write_text(text)


if __name__ == "__main__":
    typer.run(main)
