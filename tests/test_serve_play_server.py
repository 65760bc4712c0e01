"""A real server and real WebSockets: who may come in, what ends a session, and that it ends that session alone."""

from __future__ import annotations

import http.client
import random
import re
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from play_client import Server, Visitor, running, until
from test_serve_play_messages import hostile
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from wmsim.control import Control
from wmsim.serve.play_config import Limits, PlayConfig
from wmsim.serve.play_deployment import play_deployment
from wmsim.serve.play_guard import COOKIE, Guard
from wmsim.serve.play_messages import Malformed, parse
from wmsim.serve.play_server import address, listen, open_target, with_token
from wmsim.sims.toy import ToyWorld

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(ToyWorld(4), ToyWorld(4), limits=Limits(sessions=4)) as made:
        yield made


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    made = server.visit()
    yield made
    made.close()
    until(lambda: server.told()["sessions"] == 0)


def get(server: Server, path: str, **headers: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of an answer."""
    asking = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    with closing(asking):
        asking.request("GET", path, headers=headers)
        answer = asking.getresponse()
        return answer.status, answer.headers, answer.read()


def ending(visitor: Visitor) -> tuple[int, str]:
    """The code and the reason with which the server ends a session."""
    try:
        while True:
            visitor.socket.recv(timeout=5)
    except ConnectionClosed as over:
        told = over.rcvd
    assert told is not None
    visitor.close()
    return told.code, told.reason


# --- a drive ---------------------------------------------------------------------------------------------------------


def test_a_drive_over_a_socket(visitor: Visitor) -> None:
    hello = visitor.note("hello")
    assert (hello["world"], hello["made"], hello["events"], hello["twin"]) == ("toy", "simulated", [], True)
    visitor.ask("reset", 7)
    until(lambda: visitor.note("began")["seed"] == 7)
    while not visitor.picture().waiting:
        pass
    visitor.hold(keys=1)
    pictures = visitor.pictures(5)
    assert [picture.frame for picture in pictures] == [1, 2, 3, 4, 5]
    assert {picture.seq for picture in pictures} == {1}
    visitor.ask("event", "fog")
    assert "takes no events" in visitor.note("heard")["text"]
    visitor.ask("rewind", 5)
    while (turns := visitor.note("turns"))["now"] != 2:
        pass
    assert [one["turn"] for one in turns["left"]] == [1]


def test_a_film_comes_over_the_socket(visitor: Visitor) -> None:
    visitor.note("began")
    visitor.ask("record", True)
    visitor.note("recording")
    visitor.hold(steer=1.0)
    visitor.pictures(6)
    visitor.ask("record", False)
    told = visitor.note("recording")
    while len(visitor.film) < told["bytes"]:
        visitor.picture()
    assert visitor.film[4:8] == b"ftyp"
    assert told["frames"] >= 5


def test_the_figures_are_told(server: Server, visitor: Visitor) -> None:
    visitor.note("began")
    status, _, body = get(server, "/figures")
    assert status == 200
    assert b'"sessions":1,"seats":4' in body


# --- who may come in -------------------------------------------------------------------------------------------------


def test_the_page_comes_with_headers_that_keep_others_out(server: Server) -> None:
    status, told, body = get(server, "/")
    assert status == 200
    assert b"Generated picture" in body
    assert "default-src 'none'" in told["content-security-policy"]
    assert told["x-content-type-options"] == "nosniff"
    assert told["x-frame-options"] == "DENY"
    assert "server" not in told


@pytest.mark.parametrize("path", ["/play.js", "/wire.js", "/hands.js", "/view.js", "/play.css", "/icon.svg"])
def test_every_file_of_the_page_is_there(server: Server, path: str) -> None:
    assert get(server, path)[0] == 200


@pytest.mark.parametrize("path", ["/../session.py", "/%2e%2e/play_app.py", "/docs", "/openapi.json", "/page/play.js"])
def test_nothing_else_is(server: Server, path: str) -> None:
    assert get(server, path)[0] == 404


def test_the_page_runs_no_inline_code_and_fetches_nothing_from_elsewhere() -> None:
    folder = Path(__file__).parent.parent / "wmsim" / "serve" / "page"
    page = (folder / "index.html").read_text()
    assert not re.search(r"\son\w+=|style=|<style|<script(?![^>]*src=)", page)
    for file in folder.iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org/)|innerHTML|eval\(|new Function", file.read_text()), file.name


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8017", "", "127.0.0.1.evil.example", "[::1"])
def test_another_host_is_refused(server: Server, host: str) -> None:
    assert get(server, "/", Host=host)[0] in (400, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "http://127.0.0.1:1", "file://"])
def test_another_origin_opens_no_session(server: Server, origin: Any) -> None:
    url = f"ws://127.0.0.1:{server.port}/session"
    with pytest.raises(InvalidStatus) as caught, connect(url, origin=origin):
        pass
    assert caught.value.response.status_code == 403


def test_a_token_is_needed_where_there_is_one() -> None:
    with running(ToyWorld(1), token=TOKEN) as server:
        for path in ("/", "/play.js", "/figures", "/?token=wrong-but-long-enough"):
            assert get(server, path)[0] == 401
        with pytest.raises(InvalidStatus):
            server.visit()
        with pytest.raises(InvalidStatus):
            server.visit(Cookie=f"{COOKIE}=wrong-but-long-enough")
        status, told, _ = get(server, f"/?token={TOKEN}")
        assert (status, told["location"]) == (303, "/")
        assert get(server, f"//evil.example/?token={TOKEN}")[1]["location"] == "/"
        cookie = told["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        visitor = server.visit(Cookie=cookie.partition(";")[0])
        assert visitor.note("began")
        visitor.close()


def test_names_of_the_server_are_known() -> None:
    guard = Guard(Any, PlayConfig(host="0.0.0.0", token=TOKEN, hosts=("Car.local",), origins=("https://page.example",)))  # type: ignore[arg-type]
    assert all(map(guard.knows_host, ["localhost:80", "192.168.1.7:8017", "[::1]:8017", "car.local"]))
    assert not any(map(guard.knows_host, ["", "car.local.evil.example", "evil.example"]))
    assert guard.knows_origin("https://page.example", "car.local")
    assert guard.knows_origin("http://car.local:8017", "car.local:8017")
    assert not guard.knows_origin("http://car.local:8018", "car.local:8017")


def test_addresses_and_tokens() -> None:
    assert with_token("127.0.0.1", "") == ""
    assert len(with_token("0.0.0.0", "")) >= 24
    assert address(PlayConfig(host="::1", port=9)) == "http://[::1]:9/"
    assert address(PlayConfig(port=9, token=TOKEN)).endswith(f"?token={TOKEN}")
    taken = listen(PlayConfig(port=0))
    with taken, pytest.raises(OSError, match="pass --port"):
        listen(PlayConfig(port=taken.getsockname()[1]))


def test_worlds_are_opened_by_name() -> None:
    opened = open_target("wmsim/Toy-v0", 2, {"size": 16})
    assert (opened.made, opened.twin, opened.world.slots, opened.camera) == ("simulated", None, 2, "top")
    assert open_target("wmsim.sims.toy:ToyWorld", 2, {"size": 16}).world.spec.cameras["top"] == (16, 16, 3)
    with pytest.raises(ValueError, match="cannot be played"):
        open_target("CartPole-v1", 1, {})
    with pytest.raises(ValueError, match="unknown setting"):
        open_target("wmsim/Toy-v0", 1, {"wheels": 4})
    with pytest.raises(FileNotFoundError):
        open_target("nowhere.safetensors", 1, {})


# --- what ends a session ---------------------------------------------------------------------------------------------


def test_too_many_visitors_are_told_so() -> None:
    with running(ToyWorld(1), limits=Limits(sessions=1)) as server:
        first = server.visit()
        first.note("began")
        second = server.visit()
        code, reason = ending(second)
        assert (code, reason) == (4503, "all 1 seats are taken: try again in a while")
        first.close()
        until(lambda: server.told()["sessions"] == 0)
        third = server.visit()
        assert third.note("began")
        third.close()


def test_too_fast_too_long_too_idle_too_large() -> None:
    limits = Limits(messages_per_second=20.0, session_seconds=2.0, idle_seconds=1.0, message_bytes=5000)
    with running(ToyWorld(4), limits=limits) as server:
        fast, idle, large, busy = (server.visit() for _ in range(4))
        with suppress(ConnectionClosed):  # the server may close before all are sent
            for _ in range(100):
                fast.socket.send(struct.pack("<BI", 4, 0))
        assert ending(fast) == (4429, "more than 20 messages a second")
        large.socket.send(b"\x03" + bytes(6000))
        assert ending(large)[0] == 1009
        for _ in range(3):
            busy.hold(steer=1.0)
            threading.Event().wait(0.5)
        assert ending(idle) == (4408, "1 seconds without anything done are over: open another")
        busy.hold(steer=1.0)
        assert ending(busy) == (4408, "2 seconds of a session are over: open another")


def test_too_many_commands_are_left_out(visitor: Visitor) -> None:
    visitor.note("began")
    for _ in range(30):
        visitor.ask("pause", True)
    assert "left out" in visitor.note("note")["text"]


def long_circle() -> tuple[int, list[np.ndarray]]:
    """A seed with which the toy car drives in circles for a while, and what it then shows after every frame."""
    world = ToyWorld(1)
    for seed in range(100):
        pictures = [world.reset([0], [seed]).frames["top"][0, 0].numpy()]
        for _ in range(300):
            step = world.step([0], Control.of_wheel(torch.tensor([[1.0, 0.0]])))
            pictures.append(step.frames["top"][0, 0].numpy())
            if bool(step.terminated.any()):
                break
        else:
            return seed, pictures
    raise AssertionError("no seed drives in circles for long")


def refused(message: bytes | str) -> bool:
    try:
        parse(message, Limits())
    except Malformed:
        return True
    return False


def test_hundreds_of_malformed_messages_end_their_own_session_and_no_other(server: Server) -> None:
    seed, expected = long_circle()
    neighbour = server.visit()
    neighbour.ask("reset", seed)
    while neighbour.note("began")["seed"] != seed:
        pass
    while not neighbour.picture().waiting:
        pass
    neighbour.hold(steer=1.0)
    watching, seen = threading.Event(), {}

    def watch() -> None:
        while not watching.is_set():
            picture = neighbour.picture()
            seen[picture.frame] = picture.pixels

    thread = threading.Thread(target=watch)
    thread.start()
    messages = [message for message in hostile(900, 11) if refused(message)][:300]
    try:
        codes = [ended_by(server, message) for message in messages]
    finally:
        watching.set()
        thread.join(10)
    assert len(codes) == 300
    assert set(codes) <= {4400, 1007}
    assert codes.count(4400) > 290
    assert len(seen) > 20
    for frame in sorted(seen.keys() & range(len(expected))):
        np.testing.assert_array_equal(seen[frame], expected[frame])
    neighbour.close()
    until(lambda: server.told()["sessions"] == 0)


def ended_by(server: Server, message: bytes | str) -> int:
    """The code that answers a session whose only message is this one."""
    until(lambda: server.told()["sessions"] < 4)
    visitor = server.visit()
    visitor.socket.send(message)
    code, reason = ending(visitor)
    assert reason
    return code


def test_sockets_that_vanish_give_their_slots_back(server: Server) -> None:
    rng = random.Random(3)
    for _ in range(20):
        visitor = server.visit()
        if rng.random() < 0.5:
            visitor.hold(keys=1)
        visitor.socket.socket.close()
        until(lambda: server.told()["sessions"] < 4)
    until(lambda: server.told()["sessions"] == 0, 30)


# --- on Ray Serve ----------------------------------------------------------------------------------------------------


class FakeServe:
    """What the deployment asks of Ray Serve, which a test machine lacks."""

    def deployment(self, **options: Any) -> Any:
        self.options = options
        return lambda kind: self._bound(kind)

    def ingress(self) -> Any:
        return lambda kind: kind

    def _bound(self, kind: Any) -> Any:
        kind.bind = staticmethod(kind)
        return kind


def test_the_deployment_opens_its_world_and_builds_the_same_application(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeServe()
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(serve=fake))
    replica = play_deployment(PlayConfig(limits=Limits(sessions=2)), "wmsim/Toy-v0", {"size": 16}, num_replicas=3)
    app = replica.__serve_build_asgi_app__()
    assert {"/", "/play.js", "/figures", "/session"} <= {route.path for route in app.routes}
    assert fake.options["num_replicas"] == 3


def test_without_ray_serve_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"ray\[serve\]"):
        play_deployment(PlayConfig(), "wmsim/Toy-v0")
