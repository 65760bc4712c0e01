"""The Drive dream beside its twin under the same controls, as a film: what `make demo` runs.

    python -m eval.demo                     the shipped dream, 8 unseen towns, 6 seconds
    python -m eval.demo --dream my.safetensors --clips 4

Writes runs/demo/demo.mp4 (dream left, twin right, wheel and pedals below) and contact_sheet.png; prints the speed and
the fidelity row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from eval.baselines import CopyLastFrame
from eval.clips import Clips
from eval.evidence import UNSEEN
from eval.film import save_film, side_by_side
from eval.recording import clips_of, drives_of, record
from eval.report import horizon_table, save_sheet, wide_console
from eval.rollout import Rollout, roll_out
from eval.scores import pixels
from eval.worlds import open_world
from wmsim.world import World

HORIZONS = (1, 4, 8, 16, 32, 64)
CONTEXT = 16


def demo(
    dream: Annotated[str, typer.Option(help="the shipped dream's name, or the path of a checkpoint")] = "drive",
    clips: Annotated[int, typer.Option(help="how many towns, dreamt at once")] = 8,
    frames: Annotated[int, typer.Option(help="frames dreamt in each")] = 96,
    steps: Annotated[int | None, typer.Option(help="denoising passes a frame; what ships with it by default")] = None,
    twin: Annotated[str, typer.Option(help="the simulator beside it")] = "drive",
    size: Annotated[int, typer.Option(help="pixels a side")] = 64,
    workers: Annotated[int, typer.Option(help="processes that drive the twin; 0 drives it in this one")] = 2,
    out: Annotated[Path, typer.Option(help="where the film and the sheet go")] = Path("runs/demo"),
    cache: Annotated[Path, typer.Option(help="where drives in the twin are kept")] = Path("runs/cache"),
) -> None:
    """Roll a dream in a batch beside its twin under a scripted driver, and show both."""
    console, world = wide_console(), open_world(dream, clips, steps)
    driven = drives_of(twin, clips, UNSEEN, CONTEXT + frames, size, context=CONTEXT, horizon=frames)
    real = clips_of(record(driven, cache, workers, "driving the twin"), CONTEXT, frames)
    dreamt = roll_out(world, real)
    horizons, rate = [horizon for horizon in HORIZONS if horizon <= frames], world.spec.frames_per_second
    out.mkdir(parents=True, exist_ok=True)
    save_film(out / "demo.mp4", film(dreamt, real, f"{world.spec.name}: dream left, twin right"), rate)
    save_sheet(out / "contact_sheet.png", dreamt.frames, real, horizons)
    console.print(fidelity(world, dreamt, real, horizons))
    speed = clips * frames / dreamt.seconds
    console.print(f"{clips} dreams at once: {speed:.0f} frames/s, {speed / clips / rate:.1f} times real time each")
    console.print(f"film: {out / 'demo.mp4'}; sheet: {out / 'contact_sheet.png'}", highlight=False)
    world.close()


def film(dreamt: Rollout, real: Clips, title: str) -> np.ndarray:
    """Every clip's dream beside what truly followed; where a real drive has ended its picture goes dark."""
    dark = np.where(real.valid, 1.0, 0.35)[..., None, None, None]
    shown = (real.future * dark).astype(np.uint8)
    notes = [f"{title}    frame {t + 1}" for t in range(real.horizon)]
    names = [f"town {town}" for town in real.town]
    return side_by_side(dreamt.frames, shown, real.action[:, real.context - 1 :], names, notes, scale=3)


def fidelity(world: World, dreamt: Rollout, real: Clips, horizons: list[int]) -> Table:
    """PSNR by horizon of the dream and of copying the last frame: the row in small, `eval.fidelity` has all of it."""
    copied = roll_out(CopyLastFrame(world.spec, world.slots), real)
    rows = {}
    for name, one in (("dream", dreamt), ("copy last frame", copied)):
        scores = pixels(one.frames, real, horizons)
        rows[name] = {horizon: scores.interval(0, n, real.town) for n, horizon in enumerate(horizons)}
    return horizon_table("PSNR in dB by frame, mean [95 % interval over towns]", rows, horizons)


if __name__ == "__main__":
    typer.run(demo)
