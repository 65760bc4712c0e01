"""The real car drive: reads it, trains a small dream on the first 80 %, reports on the last 20 %.

    python -m envs.udacity --folder ../shared/data/udacity_drive

Writes runs/udacity/: two datasets, the training state, model.safetensors, and fidelity/ with tables and contact sheet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval import fidelity
from eval.report import wide_console
from eval.settings import of_two
from wmsim import train as training
from wmsim.data import episodes
from wmsim.data.episodes import Dataset
from wmsim.data.udacity import UdacityConfig, read_udacity

SMALL = (
    "model.dynamics.dim=192",
    "model.dynamics.layers=6",
    "model.dynamics.hidden=448",
    "model.tokenizer.dim=128",
    "model.tokenizer.hidden=320",
)


def halves(folder: Path, out: Path, pieces: int) -> tuple[Dataset, Dataset]:
    """The drive in `pieces` equal episodes: the first 80 % as one dataset, the last 20 % as another."""
    whole = read_udacity(UdacityConfig(folder, out / "whole", pieces=pieces))
    indices = whole.indices()
    cut = round(0.8 * len(indices))
    parts = []
    for name, chosen in (("seen", indices[:cut]), ("unseen", indices[cut:])):
        part = episodes.create(out / name, whole.spec)
        if len(part.indices()) < len(chosen):
            for place, index in enumerate(chosen):
                episodes.write(part, place, whole.read(index))
            episodes.finalise(part)
        parts.append(part)
    return parts[0], parts[1]


def train(data: Dataset, out: Path, steps: tuple[int, int, int], device: str, more: list[str]) -> None:
    """A small model: an hour of data would deserve a larger one, three minutes do not. steps: of the three stages."""
    training.main(
        [
            f"data={data.root}",
            f"out={out}",
            "name=udacity",
            "domain=steering",
            "test=0.0",
            "starts=16",
            f"device={device}",
            *(f"{stage}_loop.steps={n}" for stage, n in zip(("tokenizer", "dynamics", "decoder"), steps, strict=True)),
            *SMALL,
            *more,
        ]
    )


def report(seen: Dataset, unseen: Dataset, model: Path, out: Path, fast: bool) -> None:
    """`eval.fidelity` on the unseen part; its probe learns from the seen one."""
    fidelity.run(fidelity.read_settings(of_two(model, out, seen.root, unseen.root, fast)), wide_console())


def main(
    folder: Annotated[Path, typer.Option(help="the video and labels.csv")] = Path("../shared/data/udacity_drive"),
    out: Annotated[Path, typer.Option(help="datasets, training state and report")] = Path("runs/udacity"),
    pieces: Annotated[int, typer.Option(help="episodes that the drive is cut into; four fifths are trained on")] = 10,
    tokenizer_steps: Annotated[int, typer.Option(help="batches of 64 images")] = 1500,
    dynamics_steps: Annotated[int, typer.Option(help="batches of 8 windows of 20 frames")] = 3000,
    decoder_steps: Annotated[int, typer.Option(help="batches of 8 windows, 12 frames drawn of each")] = 500,
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    fast: Annotated[bool, typer.Option(help="the report in small, to see that it runs")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", "-s", help="a setting of configs/train.yaml")] = None,
) -> None:
    """Make and judge a dream of the real drive."""
    seen, unseen = halves(folder, out, pieces)
    train(seen, out / "train", (tokenizer_steps, dynamics_steps, decoder_steps), device, settings or [])
    report(seen, unseen, out / "train" / "model.safetensors", out / "fidelity", fast)


if __name__ == "__main__":
    typer.run(main)
