"""`eval.events` tiny: it learns, times, writes; and its arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eval.baselines import CopyLastFrame
from eval.events import EventsConfig, fit, latency, measure, summary
from eval.events import Film as EventFilm
from wmsim.sims.drive import EVENTS, DriveWorld


def test_latency_counts_from_the_frame_of_the_telling() -> None:
    assert latency(np.array([0.9, 0.1])) == 1 / 16
    assert latency(np.array([0.1] * 15 + [0.6] * 3)) == 1.0
    assert latency(np.array([0.5, 0.4])) == float("inf")


def test_an_event_that_is_missed_is_no_number() -> None:
    row = summary([0.5, 1.0, float("inf")], 0.1)
    assert row == {"p50_s": 1.0, "p95_s": None, "seen": pytest.approx(2 / 3), "unprompted": 0.1, "trials": 3}


def test_the_network_learns_what_is_dark_and_what_is_grey() -> None:
    rng = np.random.default_rng(0)
    films = []
    for index in range(12):
        frames = rng.integers(90, 160, (20, 16, 16, 3)).astype(np.uint8)
        seen = np.zeros((20, len(EVENTS)), np.float32)
        if index % 2:
            frames[10:] //= 5
            seen[10:, 0] = 1
        films.append(EventFilm(frames, seen, np.zeros((19, 2), np.float32)))
    seer = fit(films, EventsConfig(epochs=12, batch=16, width=8))
    chances = seer.read(films[1].frames)[:, 0]
    assert chances[:10].max() < 0.5 < chances[10:].min()


def test_it_writes_a_table_and_a_sheet_and_learns_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = EventsConfig(drives=1, frames=24, size=16, trials=1, quiet=10, watched=33, epochs=1, batch=8, width=4)
    result = measure(config, tmp_path)
    written = json.loads((tmp_path / "events.json").read_text())
    assert list(written["events"]["twin"]) == [*EVENTS, "all"]
    assert written["events"]["twin"]["all"]["trials"] == len(EVENTS)
    assert written["config"]["quiet"] == 10
    assert result["events"].keys() == {"twin"}
    with Image.open(tmp_path / "events.png") as picture:
        assert picture.height > 8 * 32
    monkeypatch.setattr("eval.events.fit", lambda *_: pytest.fail("the network of these settings was kept"))
    assert measure(config, tmp_path)["events"] == written["events"]
    twin = DriveWorld(1, 16)
    beside = measure(config, tmp_path, CopyLastFrame(twin.spec, 1))["events"]
    assert beside["twin"] == written["events"]["twin"]
    assert list(beside["dream"]) == [*EVENTS, "all"]
    assert beside["dream"]["night"]["seen"] == beside["dream"]["night"]["unprompted"]  # a copy shows what stood there
    with pytest.raises(pytest.fail.Exception):
        measure(replace(config, epochs=2), tmp_path)
