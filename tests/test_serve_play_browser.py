"""A real Chromium at the page of the toy world; skipped, with the reason, where there is none."""

from __future__ import annotations

import base64
import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from play_client import Server, running
from play_sessions import Eventful

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


_MICROPHONE = """(data) => {
  navigator.mediaDevices.getUserMedia = async () => {
    const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
    const samples = Float32Array.from(new Int16Array(bytes.buffer), (one) => one / 32768);
    const context = new AudioContext();
    const buffer = context.createBuffer(1, samples.length, 16000);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    const end = context.createMediaStreamDestination();
    source.connect(end);
    source.onended = () => { window.spoke = true; };
    source.start(context.currentTime + 0.4);
    return end.stream;
  };
}"""


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="no espeak-ng is installed to speak")
@pytest.mark.parametrize("objects", [False, True])
def test_what_is_said_is_shown_and_then_done_unless_someone_objects(browser: object, objects: bool) -> None:
    pytest.importorskip("pocketsphinx", reason="voice needs the [voice] extra")
    from eval.voice import say

    world = Eventful(1, events=("fog", "rain"))
    with running(world) as made:
        page = browser.new_page()  # type: ignore[attr-defined]
        visit = browsers.Visit(page, made.origin + "/")
        visit.open()
        page.evaluate(_MICROPHONE, base64.b64encode(say("bring some fog", "en-us:150:50").tobytes()).decode())
        page.focus("#talk")
        page.keyboard.down("Space")
        visit.until(lambda: page.evaluate("window.spoke"))
        page.keyboard.up("Space")
        page.wait_for_selector("#spoken:not([hidden])", timeout=60_000)
        assert "bring some fog" in page.inner_text("#spoken-text")
        assert world.heard == []
        page.keyboard.press("Escape" if objects else "Shift+Tab")
        if not objects:
            visit.until(lambda: "told to the world" in page.inner_text("#heard"))
        assert page.is_hidden("#spoken") or not objects
        page.focus("#stage")
        page.keyboard.down("w")
        visit.until(lambda: visit.shown()["frame"] >= 4)
        assert world.heard == ([] if objects else ["fog"])
        assert visit.errors == []
        page.close()


def test_the_nearest_events_can_be_clicked(browser: object) -> None:
    world = Eventful(1, events=("Night falls", "Thick fog"))
    with running(world) as made:
        page = browser.new_page()  # type: ignore[attr-defined]
        visit = browsers.Visit(page, made.origin + "/")
        visit.open()
        page.fill("#event", "a dragon")
        page.keyboard.press("Enter")
        page.click("#nearest >> text=Thick fog", timeout=30_000)
        visit.until(lambda: "told to the world" in page.inner_text("#heard"))
        assert page.is_hidden("#nearest")
        page.close()
