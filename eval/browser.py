"""A real Chromium at the play server's page: what a person does there, done by a program, and what is seen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """The path of a Chromium that is installed, or None."""
    return next((path for name in CHROMIUMS if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium. FileNotFoundError: none is installed."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        # Without a sandbox it also runs as root in a container; it visits nothing but our own page.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def play_server(target: str, *options: str) -> Iterator[tuple[str, int]]:
    """`wmsim play` in a process of its own: the page's address, and the process' id."""
    code = "from wmsim.cli import main; main()"
    command = [sys.executable, "-c", code, "play", target, "--port", "0", "--no-open", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            if found is None:
                raise RuntimeError(f"wmsim play {target} did not start: {line!r}")
            yield found[0], process.pid
        finally:
            process.terminate()


def resident(pid: int) -> float:
    """MiB of memory that a process holds now (Linux)."""
    told = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(told[1]) / 1024 if told else 0.0


def resident_like(word: str) -> float:
    """MiB that all processes whose command line holds `word` have now, what they share counted for each (Linux)."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            if word.encode() in path.read_bytes():
                total += resident(int(path.parent.name))
    return total


class Visit:
    """One tab at the page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)

    @cached_property
    def _tools(self) -> CDPSession:
        return self.page.context.new_cdp_session(self.page)

    def open(self) -> None:
        """Open the page and wait for the first frame."""
        self.page.goto(self.url)
        self.until(lambda: self.frame() is not None)

    def until(self, true: Callable[[], Any], seconds: float = 60.0) -> None:
        """Wait until `true()`; TimeoutError when it does not come."""
        # The page's policy forbids eval, which Playwright's own waiting needs: so it is asked from here.
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                status = self.page.inner_text("#status")
                raise TimeoutError(f"the page did not do it within {seconds:g} s; it says {status!r}, {self.errors}")
            time.sleep(0.02)

    def frame(self) -> dict[str, Any] | None:
        """What the page knows of its last frame, without the pixels."""
        told: dict[str, Any] | None = self.page.evaluate(
            "() => { const f = wmsimPlay.state.frame; return f && { ...f, pixels: null }; }"
        )
        return told

    def shown(self) -> dict[str, Any]:
        """As `frame`, which must be there."""
        frame = self.frame()
        assert frame is not None
        return frame

    def picture(self) -> str:
        """The pixels of the canvas, as a text that is equal for equal pictures."""
        return str(self.page.evaluate("document.getElementById('view-0').toDataURL()"))

    def at(self, across: float, down: float) -> tuple[float, float]:
        """The page's coordinates of a point of the picture, each in [0, 1]."""
        box = self.page.locator("#view-0").bounding_box()
        assert box is not None
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def draw(self, points: list[tuple[float, float]]) -> None:
        """Draw a line on the picture with the mouse."""
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point))
        mouse.up()

    def reset(self, seed: int | None = None) -> None:
        """Begin again and wait for the new drive."""
        self.page.fill("#seed", "" if seed is None else str(seed))
        with self.beginning():
            self.page.click("#reset-form button")
        self.page.focus("#stage")

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """Wait, after the block, until the drive that it asks for stands at its first frame."""
        before = self.page.evaluate("wmsimPlay.state.begun")
        yield
        self.until(lambda: self.page.evaluate("wmsimPlay.state.begun") > before, 180)
        self.until(lambda: self.shown()["frame"] == 0 and self.shown()["waiting"])

    def figures(self) -> dict[str, Any]:
        """What the server tells of all its sessions."""
        # Not by the page: Chromium keeps what a page that is watched has fetched, and its memory is measured.
        with urlopen(urljoin(self.url, "figures")) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def served(self, pid: int) -> float:
        """MiB of the server's process beyond what its sessions keep to rewind to, which comes and goes with drives."""
        return resident(pid) - float(self.figures()["kept_mib"])

    def held(self) -> float:
        """MiB that Chromium's renderers have now, without the script's garbage, which it collects when it likes."""
        self._tools.send("HeapProfiler.collectGarbage")
        return resident_like("--type=renderer")

    def latencies(self) -> list[float]:
        """Milliseconds from each input to the frame that answers it."""
        return [float(taken) for taken in self.page.evaluate("wmsimPlay.clock.taken")]
