"""Puts the figures of every program of eval/ and of `envs.udacity` into docs/results.md, between its markers.

python -m eval.results                              from runs/fidelity, runs/speed, runs/transfer and so on
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


UDACITY = Path("runs/udacity/fidelity/fidelity.json")
MARKS = {True: "yes", False: "no", None: "not measured"}


def bars_section(fidelity: Json, speed: Json) -> str:
    """What was asked of the shipped dream, what was measured, and whether that is enough."""
    one, many = (next(t for t in speed["dream"] if t["slots"] == slots) for slots in (1, 16))
    length, settings = speed["length"], speed["settings"]
    late, grown = length["late_over_early_in_turns"], length["late_megabytes"] - length["early_megabytes"]
    rows = [
        ["one slot, env-steps/s", "at least 50", one["per_second"], MARKS[one["per_second"] >= 50]],
        ["one slot, ms p95", "under 30", one["p95"], MARKS[one["p95"] < 30]],
        ["16 slots, env-steps/s", "at least 250", many["per_second"], MARKS[many["per_second"] >= 250]],
        [f"step {settings['late']} over step {settings['early']}, times", "at most 1.1", late, MARKS[late <= 1.1]],
        ["memory grown between them, MB", "0", grown, MARKS[grown < 1]],
        *([b["name"], f"{b['sign']} {b['asked']}", b["measured"], MARKS[b["reached"]]] for b in fidelity["bars"]),
    ]
    return table(["bar", "asked", "measured", "reached"], rows, 3)


def fidelity_section(found: Json) -> str:
    """Pixels, obedience, reward, end and endurance."""
    machine = found["machine"]
    shipped = next(iter(found["above_copy"]))
    pixels = {name: kinds["psnr"]["all"] for name, kinds in found["pixels"].items()}
    ssim = {name: kinds["ssim"]["all"] for name, kinds in found["pixels"].items()}
    above = {**found["kinds_above_copy"], "right above shuffled controls": found["shuffle_gap"][shipped]}
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load_average']}, torch {machine['torch']}.",
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
        "The tenth of the frames that is furthest off, told by the uncertainty (AUROC), over all frames of the clips:",
        named(found["uncertainty"]),
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


def udacity_section(found: Json) -> str:
    """Pixels and obedience of the small dream of the real drive; one pass a frame."""
    name = next(iter(found["above_copy"]))
    pixels = {row: kinds["psnr"]["all"] for row, kinds in found["pixels"].items()}
    above = {"above copying": found["above_copy"][name], "right above shuffled controls": found["shuffle_gap"][name]}
    parts = [
        f"{found['machine']['processor']}, {found['machine']['cores']} cores.",
        "PSNR in dB by frame after the context, mean over clips of the unseen fifth [95 % interval]:",
        named(pixels, 1),
        f"{name}, in dB:",
        named(above),
        "Steering that the probe reads back (correlation with the truth):",
        named(found["obedience"]),
    ]
    return "\n\n".join(parts)


def transfer_section(found: Json) -> str:
    """Returns in the twin by who was trained where, the cost of training, and the gap along it."""
    machine, settings = found["machine"], found["settings"]
    cost = [
        [name, ", ".join(f"{rate:.0f}" for rate in t["steps per second"]), ", ".join(f"{m:.1f}" for m in t["minutes"])]
        for name, t in found["training"].items()
    ]
    above = {name: found[name] for name in ("dream over twin", "dream over clone", "MPC above clone") if found[name]}
    gap = [[label, steps, *sides.values()] for label, along in found["gap"].items() for steps, sides in along.items()]
    parts = [
        f"{machine['processor']}, {machine['cores']} cores. {settings['seeds']} trainings of {settings['steps']} "
        f"environment steps; {settings['episodes']} unseen towns of {settings['frames']} frames.",
        "In the twin, mean [95 % interval over towns]:",
        named(found["rows"]),
        "\n".join(f"* {name}: {cell(value)}" for name, value in above.items()),
        "The whole training loop, a figure for each seed:",
        table(["", "env-steps/s", "minutes"], cost),
        "Return along one training, in dream and twin, and the gap between them:",
        table(["", "steps", "dream", "twin", "gap"], gap),
    ]
    return "\n\n".join(parts)


def cost_section(found: Json) -> str:
    """Environment steps a second of a whole training, dream and twin side by side."""
    machine = found["machine"]
    by_size = {(one["num_envs"], one["where"]): one for one in found["cost"]}
    sizes = sorted({count for count, _ in by_size})
    rows = []
    for count in sizes:
        inside, outside = by_size[count, "dream"], by_size[count, "twin"]
        shares = [f"{100 * one['playing']:.0f} %" for one in (inside, outside)]
        rates = [inside["per_second"], outside["per_second"]]
        rows.append([count, *rates, rates[0] / rates[1], *shares])
    columns = ["environments", "dream, env-steps/s", "twin, env-steps/s", "times", "dream, of it playing", "twin"]
    about = f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads; "
    return f"{about}load {machine['load_average']} before.\n\n{table(columns, rows, 1)}"


def agreement_section(found: Json) -> str:
    """How alike dream and twin rank policies, and every policy's return in both."""
    along = {f"{frames} frames": row for frames, row in found["by horizon"].items()}
    without = {f"without {family}": row for family, row in found["without a family"].items()}
    parts = [
        f"{found['episodes']} episodes of {found['frames']} frames, {len(found['policies'])} policies; MMRV, regret "
        f"and bias are shares of the span of returns in the twin ({found['span of returns']:.2f}).",
        named(found["agreement"]),
        "By the length of an episode, and with one family of policies left out:",
        named({**along, **without}),
        f'phi of "it ended" episode by episode: {cell(found["ended in both (phi)"])}.',
        named(found["policies"]),
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
    udacity: Annotated[Path, typer.Option(help="what envs.udacity wrote")] = UDACITY,
    page: Annotated[Path, typer.Option(help="the page to fill")] = Path("docs/results.md"),
    transfer: Annotated[Path, typer.Option(help="what eval.transfer wrote")] = Path("runs/transfer/transfer.json"),
    cost: Annotated[Path, typer.Option(help="what eval.cost wrote")] = Path("runs/cost/cost.json"),
    agreement: Annotated[Path, typer.Option(help="what eval.agreement wrote")] = Path("runs/agreement/agreement.json"),
) -> None:
    """Fill the page with what is there."""
    text = page.read_text()
    found = {
        path: json.loads(path.read_text())
        for path in (fidelity, speed, udacity, transfer, cost, agreement)
        if path.is_file()
    }
    for name, path, section in (
        ("transfer", transfer, transfer_section),
        ("cost", cost, cost_section),
        ("agreement", agreement, agreement_section),
        ("fidelity", fidelity, fidelity_section),
        ("speed", speed, speed_section),
        ("udacity", udacity, udacity_section),
    ):
        if path in found:
            text = put(text, name, section(found[path]))
    if fidelity in found and speed in found:
        text = put(text, "bars", bars_section(found[fidelity], found[speed]))
    page.write_text(text)


if __name__ == "__main__":
    typer.run(main)
