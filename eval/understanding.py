"""How well typed text is understood: wordings that no training saw, and sentences that are no event.

    python -m eval.understanding
    python -m eval.understanding phrases=mine.json

The file of phrases holds {"events": {event: [wordings]}, "unrelated": {kind: [sentences]}}; a phrase that is a training
caption is refused. Prints tables and writes runs/understanding/understanding.json.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from eval.report import wide_console
from wmsim.metrics.statistics import Interval, wilson
from wmsim.text.captions import DRIVE
from wmsim.text.embed import Embedder
from wmsim.text.understand import Understander
from wmsim.text.unrelated import UNRELATED


@dataclass(frozen=True)
class UnderstandingConfig:
    """phrases: the file of wordings that are asked. out: folder of the figures."""

    phrases: str
    out: str


@dataclass(frozen=True)
class Asked:
    """One phrase, the event that it means ("" for none), its kind, what it was taken for, and the score."""

    text: str
    event: str
    kind: str
    taken: str
    score: float


def read_phrases(path: Path) -> dict[str, dict[str, list[str]]]:
    """The phrases of a file. ValueError: not the two parts, an unknown event, or a phrase that training has seen."""
    told: dict[str, dict[str, list[str]]] = json.loads(path.read_text())
    if set(told) != {"events", "unrelated"} or set(told["events"]) - set(DRIVE):
        raise ValueError(f'{path} holds "events" (of {list(DRIVE)}) and "unrelated", got {list(told)}')
    seen = {_plain(text) for ways in (*DRIVE.values(), UNRELATED) for text in ways}
    known = [text for part in told.values() for ways in part.values() for text in ways if _plain(text) in seen - {""}]
    if known:
        raise ValueError(f"{path} is to hold phrases that training has not seen, take these out: {known[:5]}")
    return told


def ask(understander: Understander, phrases: dict[str, dict[str, list[str]]]) -> list[Asked]:
    """What every phrase is taken for."""
    rows = [(text, event, event) for event, ways in phrases["events"].items() for text in ways]
    rows += [(text, "", kind) for kind, ways in phrases["unrelated"].items() for text in ways]
    answers = understander.understand_all([text for text, _, _ in rows])
    return [Asked(*row, one.event or "", one.score) for row, one in zip(rows, answers, strict=True)]


def share(hits: list[bool]) -> Interval:
    """How often something is true, with its 95 % Wilson interval."""
    return wilson(sum(hits), len(hits))


def run(config: UnderstandingConfig, console: Console) -> dict[str, Any]:
    """Ask everything; prints the tables and returns what understanding.json holds."""
    asked = ask(Understander(DRIVE, Embedder()), read_phrases(Path(config.phrases)))
    meant, unrelated = [one for one in asked if one.event], [one for one in asked if not one.event]
    kinds = list(dict.fromkeys(one.kind for one in asked))
    by_kind = {kind: share([one.taken == one.event for one in asked if one.kind == kind]) for kind in kinds}
    result = {
        "settings": asdict(config),
        "understood": asdict(share([one.taken == one.event for one in meant])),
        "taken_for_another": asdict(share([one.taken not in ("", one.event) for one in meant])),
        "unrelated_accepted": asdict(share([one.taken != "" for one in unrelated])),
        "right_by_kind": {kind: asdict(interval) for kind, interval in by_kind.items()},
        "confusions": dict(Counter(f"{one.kind} -> {one.taken}" for one in asked if one.taken not in ("", one.event))),
        "wrong": [asdict(one) for one in asked if one.taken != one.event],
    }
    show(console, by_kind, result)
    return result


def show(console: Console, by_kind: dict[str, Interval], result: dict[str, Any]) -> None:
    """The tables as text."""
    table = Table("phrases", "right", "of", title="Text: right is understood, or for no event not accepted")
    for kind, interval in by_kind.items():
        table.add_row(kind, str(interval), str(interval.count))
    console.print(table)
    for name in ("understood", "taken_for_another", "unrelated_accepted"):
        console.print(f"{name.replace('_', ' ')}: {Interval(**result[name])}", highlight=False)
    console.print("confusions:", result["confusions"], highlight=False)


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


@hydra.main(version_base=None, config_path="../configs", config_name="eval/understanding")
def main(settings: DictConfig) -> None:
    """Read the settings, ask, write understanding.json."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    config = UnderstandingConfig(**plain)
    result = run(config, wide_console())
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "understanding.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
