"""The scenes of a visit to the play server's page: each does what a person does, and tells what came of it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from eval.browser import Visit

_GAMEPAD = """() => {
  const buttons = Array.from({ length: 17 }, (_, place) => ({ value: place === 7 ? 1 : 0, pressed: place === 7 }));
  navigator.getGamepads = () => [{ connected: true, axes: [-0.6, 0, 0, 0], buttons }];
  window.dispatchEvent(new Event("gamepadconnected"));
}"""


@dataclass
class Story:
    """A visit and what came of each of its scenes."""

    visit: Visit
    out: Path
    done: dict[str, str] = field(default_factory=dict)

    def scene(self, work: Callable[[Story], str]) -> None:
        """Play one scene and keep what it says, or why it failed."""
        name = work.__name__
        try:
            self.done[name] = work(self)
        except Exception as fault:  # one scene that fails must not hide what the others say
            self.done[name] = f"FAILED: {type(fault).__name__}: {' '.join(str(fault).split())[:300]}"
        self.visit.page.screenshot(path=self.out / f"{len(self.done):02d}_{name}.png")


# --- scenes ----------------------------------------------------------------------------------------------------------


def opens(story: Story) -> str:
    """The page shows a frame, stands still, and says what it shows."""
    story.visit.open()
    stamp = story.visit.page.inner_text("#made-0")
    assert stamp in ("GENERATED", "SIMULATED")
    assert story.visit.shown()["waiting"]
    return f"stamped {stamp!r}"


def keyboard(story: Story) -> str:
    """W drives, the arrows steer."""
    visit, keys = story.visit, story.visit.page.keyboard
    keys.down("w")
    visit.until(lambda: visit.shown()["frame"] >= 8 and visit.shown()["drive"] == 1)
    keys.down("ArrowLeft")
    visit.until(lambda: visit.shown()["steer"] > 0)
    keys.up("ArrowLeft")
    keys.up("w")
    return f"at frame {visit.shown()['frame']}, {3.6 * visit.shown()['speed']:.0f} km/h"


def draws(story: Story) -> str:
    """A line drawn with the mouse is followed, and shown until it is driven."""
    visit = story.visit
    visit.reset(7)
    begin, end = (0.75, 0.35) if visit.page.inner_text("#world") == "toy" else (0.98, 0.54)
    visit.draw([(0.5 - 0.1 * i * i / 100, begin + (end - begin) * i / 10) for i in range(11)])
    visit.until(lambda: (frame := visit.shown())["steer"] != 0 and len(frame["path"]) > 3)
    visit.page.screenshot(path=story.out / "line.png")
    steer = visit.shown()["steer"]
    visit.until(lambda: not visit.shown()["path"] and visit.shown()["frame"] > 0)
    return f"steered {steer:+.2f} along it to its end, at frame {visit.shown()['frame']}"


def drags(story: Story) -> str:
    """The mouse steers where that is chosen."""
    visit, page = story.visit, story.visit.page
    visit.reset(7)
    page.check("input[value=steer]")
    page.mouse.move(*visit.at(0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*visit.at(0.8, 0.4))
    visit.until(lambda: visit.shown()["steer"] < -0.4 and visit.shown()["drive"] > 0.1)
    page.mouse.up()
    visit.until(lambda: visit.shown()["steer"] == 0 or visit.shown()["ended"])
    page.check("input[value=draw]")
    return "steered right while the button was held"


def gamepad(story: Story) -> str:
    """A gamepad (made of a script: none is plugged in) steers with its stick and drives with its trigger."""
    visit, page = story.visit, story.visit.page
    visit.reset(7)
    page.evaluate(_GAMEPAD)
    visit.until(lambda: visit.shown()["steer"] > 0.4 and visit.shown()["drive"] > 0.9)
    page.evaluate("navigator.getGamepads = () => []")
    visit.until(lambda: visit.shown()["drive"] == 0 or visit.shown()["ended"])
    return "stick and trigger are taken"


def events(story: Story) -> str:
    """Typed text is answered."""
    page = story.visit.page
    page.fill("#event", "night falls")
    page.keyboard.press("Enter")
    story.visit.until(lambda: "night" in page.inner_text("#heard") or "takes no events" in page.inner_text("#heard"))
    return page.inner_text("#heard")


def rewinds(story: Story) -> str:
    """Back in time, another turn, and back to the first."""
    visit, page = story.visit, story.visit.page
    visit.reset(7)
    page.keyboard.down("a")
    visit.until(lambda: visit.shown()["frame"] >= 48 or visit.shown()["ended"])
    page.keyboard.up("a")
    before = visit.shown()["frame"]
    page.click("text=−2 s")
    visit.until(lambda: visit.shown()["turn"] == 2)
    back = visit.shown()["frame"]
    assert back < before
    page.keyboard.down("d")
    visit.until(lambda: visit.shown()["frame"] >= back + 8)
    page.keyboard.up("d")
    page.click("#turns button")
    visit.until(lambda: visit.shown()["turn"] == 1)
    assert visit.shown()["frame"] >= before
    return f"from frame {before} to {back}, then turn 2, then turn 1 again at {visit.shown()['frame']}"


def records(story: Story) -> str:
    """A film with the controls in it can be downloaded and played."""
    visit, page = story.visit, story.visit.page
    visit.reset(7)
    page.click("#record")
    visit.until(lambda: page.get_attribute("#record", "aria-pressed") == "true")
    page.keyboard.down("w")
    visit.until(lambda: visit.shown()["frame"] >= 24)
    page.keyboard.up("w")
    page.click("#record")
    visit.until(lambda: page.is_visible("#film"))
    with page.expect_download() as coming:
        page.click("#film")
    path = story.out / "film.mp4"
    coming.value.save_as(path)
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    Image.fromarray(frames[-1]).save(story.out / "film_last.png")
    return f"{len(frames)} frames of {frames[0].shape[1]} x {frames[0].shape[0]}, {path.stat().st_size} bytes"


def pauses(story: Story) -> str:
    """By keyboard alone: tab to the button, press it, press it again."""
    visit, page = story.visit, story.visit.page
    visit.reset(7)
    page.keyboard.down("a")
    visit.until(lambda: visit.shown()["frame"] > 2)
    page.focus("#stage")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    visit.until(lambda: page.get_attribute("#pause", "aria-pressed") == "true")
    time.sleep(0.3)
    held = visit.shown()["frame"]
    time.sleep(0.5)
    assert visit.shown()["frame"] == held
    page.keyboard.press("Enter")
    visit.until(lambda: visit.shown()["frame"] > held or visit.shown()["ended"])
    page.keyboard.up("a")
    return f"stood at frame {held}"


def seeds(story: Story) -> str:
    """The same seed shows the same first frame, another one another."""
    visit, pictures = story.visit, []
    for seed in (7, 8, 7):
        visit.reset(seed)
        time.sleep(0.2)
        pictures.append(visit.picture())
    assert pictures[0] == pictures[2] != pictures[1]
    return "seed 7 twice alike, seed 8 another"


def photos(story: Story) -> str:
    """A picture file becomes the first frame, where the world takes one."""
    visit, page = story.visit, story.visit.page
    if not page.is_visible("#photo-card"):
        return "this world takes no photo, and the page offers none"
    buffer, ramp = io.BytesIO(), np.linspace(0, 255, 200, dtype=np.uint8)
    Image.fromarray(np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.uint8(90)), -1)).save(buffer, "PNG")
    page.set_input_files("#photo", {"name": "ramp.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    visit.until(lambda: "photo is the first frame" in page.inner_text("#status"))
    return page.inner_text("#status")


def twins(story: Story) -> str:
    """The simulator beside it, from the same moment, under the same controls."""
    visit, page = story.visit, story.visit.page
    if not page.is_visible("#twin"):
        return "this world has no twin here"
    with visit.beginning():
        page.click("#twin")
    visit.reset(7)
    page.keyboard.down("w")
    visit.until(lambda: visit.shown()["frame"] >= 16 or visit.shown()["ended"], 120)
    page.keyboard.up("w")
    page.screenshot(path=story.out / "twin.png", full_page=True)
    page.click("#twin")
    visit.until(lambda: not page.is_visible("#pane-1"))
    return "both shown"


def reloads(story: Story) -> str:
    """After a reload there is a new session, and the old one's seat is free."""
    visit = story.visit
    visit.page.reload()
    visit.until(lambda: visit.frame() is not None)
    told = visit.page.evaluate("fetch('figures').then((answer) => answer.json())")
    assert told["sessions"] == 1
    return f"{told['sessions']} session, {told['opened']} opened"


SCENES = (opens, keyboard, draws, drags, gamepad, events, rewinds, records, pauses, seeds, photos, twins, reloads)


def phone(browser: Browser, url: str, out: Path) -> str:
    """The page on a phone: nothing is cut off, and the pad steers."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True, has_touch=True
    )
    try:
        visit = Visit(context.new_page(), url)
        visit.open()
        wide = visit.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"the page is {wide} pixels wide on a screen of 390"
        box = visit.page.locator("#pad").bounding_box()
        assert box is not None
        visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        visit.page.mouse.down()
        visit.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.1 * box["height"])
        visit.until(lambda: visit.shown()["steer"] > 0.2 and visit.shown()["drive"] > 0.5)
        visit.page.screenshot(path=out / "phone.png")
        visit.page.mouse.up()
        visit.page.screenshot(path=out / "phone_full.png", full_page=True)
        return "the pad steers, nothing is cut off"
    finally:
        context.close()
