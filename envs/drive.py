"""The Drive world from nothing: records the twin, trains, proves on unseen towns, packs what the wheel ships.

    python -m envs.drive                                     everything, about two and a half hours on two cores
    python -m envs.drive --frames 1000000 --device cuda      larger, where there is a GPU
    python -m envs.drive --only pack                         one part alone

Every part goes on where it was stopped. Writes runs/drive/ and wmsim/assets/drive.safetensors with its model card.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import fidelity
from eval.machine import machine
from eval.report import wide_console
from eval.settings import composed
from wmsim import checkpoint
from wmsim import train as training
from wmsim.data.record import RecordConfig, record
from wmsim.data.telling import TellingConfig, captions_of

PARTS = ("record", "train", "prove", "pack")
LIMIT = 16_000_000
"""Bytes that a checkpoint in the wheel may have."""


@dataclass(frozen=True)
class Recipe:
    """How much of everything. settings: further settings of `configs/train.yaml`. events: "module:MAPPING" of what is
    told while recording, "" for nothing."""

    out: Path
    assets: Path
    frames: int
    workers: int
    tokenizer_steps: int
    dynamics_steps: int
    device: str
    fast: bool
    settings: tuple[str, ...] = ()
    events: str = ""

    @property
    def data(self) -> Path:
        """Where the recording lies."""
        return self.out / "recording"

    @property
    def model(self) -> Path:
        """The checkpoint that training writes."""
        return self.out / "train" / "model.safetensors"

    @property
    def proof(self) -> Path:
        """What the proof measured."""
        return self.out / "fidelity" / "fidelity.json"


def record_twin(recipe: Recipe) -> None:
    """Drives of at most 20 s in towns 0, 1, 2, ...: every level of `wmsim.data.record` in turn, calm to letting go."""
    record(
        RecordConfig(
            env="wmsim/Drive-v0",
            out=recipe.data,
            frames=recipe.frames,
            policy="driver",
            workers=recipe.workers,
            max_steps=320,
            kwargs={"world": "sim", "info": ("state",)},
            events=TellingConfig(captions_of(recipe.events), seconds=10.0) if recipe.events else None,
        )
    )


def train(recipe: Recipe) -> None:
    """Tokenizer, then dynamics; 1 % of the towns is held back to watch."""
    training.main(
        [
            f"data={recipe.data}",
            f"out={recipe.model.parent}",
            "name=drive",
            "test=0.01",
            "starts=34",
            f"device={recipe.device}",
            f"tokenizer_loop.steps={recipe.tokenizer_steps}",
            f"dynamics_loop.steps={recipe.dynamics_steps}",
            *recipe.settings,
        ]
    )


def prove(recipe: Recipe) -> None:
    """`eval.fidelity` of the new checkpoint."""
    overrides = [f"dream={recipe.model}", f"out={recipe.proof.parent}", f"device={recipe.device}"]
    settings = composed("eval/fidelity", *overrides, f"fast={str(recipe.fast).lower()}")
    fidelity.run(fidelity.read_settings(settings), wide_console())


def pack(recipe: Recipe) -> Path:
    """The checkpoint with its proof inside, and its model card, into the package; ValueError when it is too large."""
    model, card, starts = checkpoint.load(recipe.model)
    metrics = _figures(json.loads(recipe.proof.read_text())) if recipe.proof.is_file() else {}
    card = replace(card, metrics=metrics, training={"machine": machine()["processor"]} | card.training)
    path = recipe.assets / "drive.safetensors"
    checkpoint.save(path, model, card, starts)
    if path.stat().st_size > LIMIT:
        raise ValueError(
            f"{path} has {path.stat().st_size} bytes, the wheel takes {LIMIT}: ship fewer starts or a smaller model"
        )
    path.with_suffix(".md").write_text(model_card(card, path))
    return path


def _figures(proof: dict[str, Any]) -> dict[str, Any]:
    return {bar["name"]: _mean(bar["measured"]) for bar in proof["bars"]}


def _mean(measured: Any) -> Any:
    return round(measured["mean"], 4) if isinstance(measured, dict) else measured


def model_card(card: checkpoint.Card, path: Path) -> str:
    """The model card in Markdown."""
    rows = {
        "file": f"`{path.name}`, {path.stat().st_size / 1e6:.2f} MB, bfloat16",
        "sha256": f"`{hashlib.sha256(path.read_bytes()).hexdigest()}`",
        "licence": card.licence,
        "frames": f"{card.frames_per_second:g} a second, camera {card.camera}",
        "controls": f"{card.domain}: {len(card.low)} numbers from {list(card.low)} to {list(card.high)}",
        "denoising passes a frame": str(card.steps),
        **{f"training: {name}": str(value) for name, value in card.training.items()},
        **{f"measured: {name}": str(value) for name, value in card.metrics.items()},
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return CARD.format(name=card.name, table=table)


CARD = """# Model card: {name}

A dreamt town to drive through: frames of the windscreen view, reward, end and speed follow from steering and pedals.
Made by `python -m envs.drive` from recordings of the MuJoCo twin in `wmsim/sims/`; no real person or place is in it.

| | |
|---|---|
{table}

"measured" is what `python -m eval.fidelity` found on towns that were not in the training data;
`docs/evaluation.md` says what each figure means and `docs/results.md` holds all of them with their intervals.

Meant for: training and testing agents in this package's environment, and for research on world models. Not meant for:
any decision about real traffic. Known faults stand in `docs/results.md`.
"""


def main(
    only: Annotated[str | None, typer.Option(help=f"one part alone: {', '.join(PARTS)}")] = None,
    out: Annotated[Path, typer.Option(help="recording, training state and proof")] = Path("runs/drive"),
    assets: Annotated[Path, typer.Option(help="where the packed checkpoint goes")] = Path("wmsim/assets"),
    frames: Annotated[int, typer.Option(help="frames to record")] = 150_000,
    workers: Annotated[int, typer.Option(help="processes that record")] = 2,
    tokenizer_steps: Annotated[int, typer.Option(help="batches of 64 images")] = 8000,
    dynamics_steps: Annotated[int, typer.Option(help="batches of 8 windows of 20 frames")] = 10000,
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    fast: Annotated[bool, typer.Option(help="the proof in small, to see that it runs")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", "-s", help="a setting of configs/train.yaml")] = None,
    events: Annotated[str, typer.Option(help="module:MAPPING of events to captions, told while recording")] = "",
) -> None:
    """Make the Drive world."""
    if only is not None and only not in PARTS:
        raise typer.BadParameter(f"{only!r} is none of {', '.join(PARTS)}")
    more = tuple(settings or ())
    recipe = Recipe(out, assets, frames, workers, tokenizer_steps, dynamics_steps, device, fast, more, events)
    for part, work in zip(PARTS, (record_twin, train, prove, pack), strict=True):
        if only in (None, part):
            work(recipe)


if __name__ == "__main__":
    typer.run(main)
