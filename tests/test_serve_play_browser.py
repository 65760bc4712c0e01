"""A real Chromium at the page of the toy world; skipped, with the reason, where there is none."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from play_client import Server, running

from wmsim.serve.play_config import Limits
from wmsim.sims.toy import ToyWorld

pytest.importorskip("playwright", reason="the browser's tests need Playwright")
browsers = importlib.import_module("eval.browser")
story = importlib.import_module("eval.visit")

pytestmark = pytest.mark.skipif(browsers.find_chromium() is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(ToyWorld(3), ToyWorld(3), limits=Limits(sessions=3)) as made:
        yield made


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[object]:
    with browsers.chromium() as made:
        yield made


SCENES = ("opens", "keyboard", "draws", "drags", "gamepad", "events", "rewinds", "records", "twins", "reloads")


def test_a_visit_in_a_browser(server: Server, browser: object, tmp_path: Path) -> None:
    page = browser.new_page(viewport={"width": 1100, "height": 800})  # type: ignore[attr-defined]
    told = story.Story(browsers.Visit(page, server.origin + "/"), tmp_path)
    for scene in SCENES:
        told.scene(getattr(story, scene))
    assert [said for said in told.done.values() if said.startswith("FAILED")] == []
    assert told.visit.errors == []
    page.close()


def test_on_a_phone(server: Server, browser: object, tmp_path: Path) -> None:
    assert "nothing is cut off" in story.phone(browser, server.origin + "/", tmp_path)
