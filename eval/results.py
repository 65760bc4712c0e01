"""Puts the figures of every program of eval/ and of `envs.udacity` into docs/results.md, between its markers.

python -m eval.results                              from runs/fidelity, runs/speed, runs/transfer and so on
python -m eval.results --fidelity runs/drive/fidelity/fidelity.json
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import sections

UDACITY = Path("runs/udacity/fidelity/fidelity.json")


def put(page: str, name: str, text: str) -> str:
    """The page with `text` between <!-- name --> and <!-- /name -->; ValueError when the page lacks the markers."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no <!-- {name} --> ... <!-- /{name} --> to fill")
    return pattern.sub(lambda found: found[1] + text + found[2], page)


def read(path: Path) -> Any:
    """What a program wrote; None where it has not run."""
    return json.loads(path.read_text()) if path.is_file() else None


def read_worlds(folder: Path) -> dict[str, tuple[Any, Any]]:
    """(fidelity, transfer) of every environment that has a folder of its own with a fidelity/fidelity.json in it."""
    found = sorted(folder.glob("*/fidelity/fidelity.json"))
    return {path.parts[-3]: (read(path), read(path.parents[1] / "transfer" / "transfer.json")) for path in found}


def main(
    fidelity: Annotated[Path, typer.Option(help="what eval.fidelity wrote")] = Path("runs/fidelity/fidelity.json"),
    speed: Annotated[Path, typer.Option(help="what eval.speed wrote")] = Path("runs/speed/speed.json"),
    udacity: Annotated[Path, typer.Option(help="what envs.udacity wrote")] = UDACITY,
    page: Annotated[Path, typer.Option(help="the page to fill")] = Path("docs/results.md"),
    transfer: Annotated[Path, typer.Option(help="what eval.transfer wrote")] = Path("runs/transfer/transfer.json"),
    cost: Annotated[Path, typer.Option(help="what eval.cost wrote")] = Path("runs/cost/cost.json"),
    agreement: Annotated[Path, typer.Option(help="what eval.agreement wrote")] = Path("runs/agreement/agreement.json"),
    outside: Annotated[Path, typer.Option(help="of anyone's environments, a folder each")] = Path("runs/outside"),
    events: Annotated[Path, typer.Option(help="what eval.events wrote")] = Path("runs/events/events.json"),
    understanding: Annotated[Path, typer.Option(help="what eval.understanding wrote")] = Path(
        "runs/understanding/understanding.json"
    ),
    voice: Annotated[Path, typer.Option(help="what eval.voice wrote")] = Path("runs/voice/voice.json"),
    serve: Annotated[Path, typer.Option(help="what eval.serve wrote")] = Path("runs/serve/serve.json"),
    play: Annotated[Path, typer.Option(help="what eval.play wrote")] = Path("runs/play/play.json"),
    soak: Annotated[Path, typer.Option(help="what eval.soak wrote")] = Path("runs/soak/soak.json"),
) -> None:
    """Fill the page with what is there."""
    text = page.read_text()
    for name, path, section in (
        ("transfer", transfer, sections.transfer_section),
        ("cost", cost, sections.cost_section),
        ("agreement", agreement, sections.agreement_section),
        ("fidelity", fidelity, sections.fidelity_section),
        ("speed", speed, sections.speed_section),
        ("udacity", udacity, sections.udacity_section),
        ("events", events, sections.events_section),
    ):
        if (found := read(path)) is not None:
            text = put(text, name, section(found))
    if (dreamt := read(fidelity)) and (timed := read(speed)):
        text = put(text, "bars", sections.bars_section(dreamt, timed))
    if trained := read(transfer):
        text = put(text, "bars-agents", sections.agents_bars_section(trained, read(cost), read(agreement)))
    if worlds := read_worlds(outside):
        text = put(text, "outside", sections.outside_section(worlds))
    words = read(understanding), read(voice)
    if any(words):
        text = put(text, "words", sections.words_section(*words))
    if any(served := (read(serve), read(play), read(soak))):
        text = put(text, "serving", sections.serving_section(*served))
    page.write_text(text)


if __name__ == "__main__":
    typer.run(main)
