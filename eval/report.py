"""Writes what was measured: tables on the console, a JSON file, every clip's figures as CSV, sheets and one figure."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from eval.clips import Array, Clips
from eval.film import sheet
from eval.scores import KINDS, Pixels
from wmsim.metrics import Interval


def save_json(path: Path, result: Mapping[str, Any]) -> None:
    """The result as JSON; an interval has mean, low, high and count, what is not a number is null."""
    path.write_text(json.dumps(_plain(result), indent=1, allow_nan=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def save_csv(path: Path, rows: Mapping[str, Pixels], towns: Mapping[str, Array], horizons: Sequence[int]) -> None:
    """One line a row, clip, horizon and kind of pixel."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "town", "horizon", "pixels", "psnr_db", "ssim"])
        for name, scores in rows.items():
            for (k, n, c), psnr in np.ndenumerate(scores.psnr):
                if not np.isnan(psnr):
                    place = name, towns[name][c], horizons[n], list(KINDS)[k]
                    writer.writerow([*place, f"{psnr:.4f}", f"{scores.ssim[k, n, c]:.5f}"])


def wide_console() -> Console:
    """The terminal as it is; a file or a pipe gets lines long enough for every table."""
    return Console() if Console().is_terminal else Console(width=150)


# --- tables --------------------------------------------------------------------------------------------------------


def horizon_table(title: str, rows: Mapping[str, Mapping[int, Interval]], horizons: Sequence[int]) -> Table:
    """One line a row, one column a horizon, each a mean with its interval."""
    table = Table("", *(str(horizon) for horizon in horizons), title=title, title_justify="left")
    for name, cells in rows.items():
        table.add_row(name, *(str(cells[horizon]) for horizon in horizons))
    return table


def figures_table(title: str, rows: Mapping[str, Mapping[str, Interval]]) -> Table:
    """One line a row; the columns are the figures of the first."""
    names = list(next(iter(rows.values()))) if rows else []
    table = Table("", *names, title=title, title_justify="left")
    for name, cells in rows.items():
        table.add_row(name, *(str(cells[column]) if column in cells else "-" for column in names))
    return table


def bars_table(bars: Sequence[Mapping[str, Any]]) -> Table:
    """What was asked, what was measured, and whether it is reached."""
    table = Table("bar", "asked", "measured", "", title="Bars", title_justify="left")
    for bar in bars:
        verdict = "-" if bar["reached"] is None else "[green]reached" if bar["reached"] else "[red]missed"
        table.add_row(bar["name"], f"{bar['sign']} {bar['asked']:g}", str(bar["measured"]), verdict)
    return table


def print_all(console: Console, result: Mapping[str, Any], horizons: Sequence[int]) -> None:
    """Every table of a result."""
    for metric, unit in (("psnr", "PSNR in dB"), ("ssim", "SSIM")):
        for kind in KINDS:
            rows = {name: row[metric][kind] for name, row in result["pixels"].items()}
            if any(cell.count for cells in rows.values() for cell in cells.values()):
                console.print(horizon_table(f"{unit}, {kind} pixels, by frame", rows, horizons))
    console.print(horizon_table("Above copy-last-frame, dB", result["above_copy"], horizons))
    console.print(horizon_table("Right above shuffled controls, dB", result["shuffle_gap"], horizons))
    for title, name in (
        ("Controls read back from frames by the probe (correlation)", "obedience"),
        ("Reward, open loop (correlation)", "reward"),
        ("End, open loop (AUROC)", "end"),
        ("Uncertainty, open loop (AUROC)", "uncertainty"),
        ("Endurance", "endurance"),
    ):
        if result[name]:
            console.print(figures_table(title, result[name]))
    console.print(bars_table(result["bars"]))


# --- pictures ------------------------------------------------------------------------------------------------------


def save_sheet(path: Path, dreamt: Array, clips: Clips, horizons: Sequence[int], most: int = 8, scale: int = 2) -> None:
    """Dream above twin at the context's last frame and at the horizons, for some clips spread over all."""
    rows, names = [], []
    for clip in np.unique(np.linspace(0, len(clips) - 1, min(most, len(clips))).round().astype(int)):
        last = clips.frames[clip, clips.context - 1][None]
        at = np.asarray(horizons) - 1
        ended = "" if clips.valid[clip].all() else f", ends at {int(clips.valid[clip].sum())}"
        rows += [np.concatenate([last, film[clip][at]]) for film in (dreamt, clips.future)]
        names += [f"dream {clips.town[clip]}", f"real{ended}"]
    sheet(rows, names, ["0", *(str(horizon) for horizon in horizons)], scale).save(path)


def save_minutes(path: Path, films: Array, real: Sequence[Array], rate: float, scale: int = 2) -> None:
    """Dream above twin at moments up to the end of long films; where the real film is over the tile stays dark."""
    length = films.shape[1]
    seconds = [s for s in (1, 5, 15, 30, 60, 120, 180, 240, 300, 600) if s * rate <= length]
    at = np.array([round(second * rate) - 1 for second in seconds], int)
    rows, names = [], []
    for index, film in enumerate(films):
        known = at[at < len(real[index])]
        dark = np.zeros_like(film, shape=(len(at) - len(known), *film.shape[1:]))
        rows += [film[at], np.concatenate([real[index][known], dark])]
        names += [f"dream {index + 1}", "real drive"]
    sheet(rows, names, [f"{second} s" for second in seconds], scale).save(path)


def save_figure(path: Path, result: Mapping[str, Any], horizons: Sequence[int]) -> None:
    """PSNR by horizon for every row; above copying, by kind of pixel."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name, row in result["pixels"].items():
        if name != "twin again":
            _curve(left, name, row["psnr"]["all"], horizons)
    left.set(title="all pixels", xlabel="frame after the context", ylabel="PSNR, dB")
    for kind in KINDS:
        _curve(right, kind, result["kinds_above_copy"][kind], horizons)
    right.axhline(0, color="0.6", linewidth=0.8)
    right.set(title="dream above copy-last-frame", xlabel="frame after the context", ylabel="dB")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(list(horizons), [str(horizon) for horizon in horizons])
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _curve(axes: Any, name: str, cells: Mapping[int, Interval], horizons: Sequence[int]) -> None:
    there = [horizon for horizon in horizons if cells[horizon].count]
    if there:
        low, high = ([getattr(cells[horizon], end) for horizon in there] for end in ("low", "high"))
        axes.plot(there, [cells[horizon].mean for horizon in there], marker="o", markersize=3, label=name)
        axes.fill_between(there, low, high, alpha=0.15)
