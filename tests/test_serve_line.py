"""The line that a process's clients share to a replica: who travels together, by which way, and what all hear of it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest

from wmsim.serve.door import Door, Way, way_through
from wmsim.serve.line import Line, Shortcut
from wmsim.serve.wire import Message


class Wire:
    """Answers every message with itself, and keeps what travelled together."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.bundles: list[list[Message]] = []
        self.seconds = seconds
        self.fails = False

    def send(self, messages: Sequence[Message]) -> Callable[[float], Sequence[Message]]:
        self.bundles.append(list(messages))

        def receive(seconds: float) -> Sequence[Message]:
            time.sleep(self.seconds)
            if self.fails:
                raise TimeoutError(f"nothing in {seconds} s")
            return list(messages)

        return receive


def _step(line: Line, client: str, turns: int, heard: list[Message], until: threading.Barrier | None = None) -> None:
    for turn in range(turns):
        if until is not None:
            until.wait(5)
        heard.append(line.call(client, f"{client}{turn}".encode())(1.0))


def test_a_lone_client_leaves_at_once() -> None:
    wire, heard = Wire(), list[Message]()
    _step(Line(wire.send), "a", 3, heard)
    assert wire.bundles == [[b"a0"], [b"a1"], [b"a2"]]
    assert heard == [b"a0", b"a1", b"a2"]


def test_clients_that_come_together_travel_together_and_each_hears_his_own() -> None:
    wire, barrier = Wire(0.01), threading.Barrier(4)
    line, heard = Line(wire.send), {name: list[Message]() for name in "abcd"}
    threads = [threading.Thread(target=_step, args=(line, name, 6, heard[name], barrier)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(heard[name] == [f"{name}{turn}".encode() for turn in range(6)] for name in "abcd")
    travelled = sorted(message for bundle in wire.bundles for message in bundle)
    assert travelled == sorted(message for own in heard.values() for message in own)
    assert len(wire.bundles) < 4 * 6 / 2


def test_messages_that_wait_leave_with_the_first_that_wants_its_reply() -> None:
    wire = Wire()
    line = Line(wire.send)
    first, second = line.call("a", b"1"), line.call("b", b"2")
    assert not wire.bundles
    assert second(1.0) == b"2"
    assert wire.bundles == [[b"1", b"2"]]
    assert first(1.0) == b"1"
    assert len(wire.bundles) == 1


def test_who_stays_away_is_waited_for_a_moment_only() -> None:
    wire = Wire()
    line = Line(wire.send)
    both = line.call("a", b"1"), line.call("b", b"2")
    assert [receive(1.0) for receive in both] == [b"1", b"2"]
    assert line.call("a", b"3")(1.0) == b"3"  # b was answered a moment ago and never comes back
    assert wire.bundles[1:] == [[b"3"]]


def test_a_failure_is_everybodys_and_the_next_call_is_a_new_one() -> None:
    wire = Wire()
    line, wire.fails = Line(wire.send), True
    both = line.call("a", b"1"), line.call("b", b"2")
    for receive in both:
        with pytest.raises(TimeoutError, match=r"nothing in 1.0 s"):
            receive(1.0)
    wire.fails = False
    assert line.call("a", b"3")(1.0) == b"3"


# --- a door ----------------------------------------------------------------------------------------------------------

Ask = Callable[[Sequence[bytes]], Awaitable[Sequence[Message]]]


class Host:
    """An event loop in a thread of its own, on which doors are opened, and the ways through them."""

    def __init__(self) -> None:
        self._doors: list[Door] = []
        self._ways: list[Way] = []
        self._runner = asyncio.Runner()
        self._over = asyncio.Event()
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._runner.run, args=(self._last(),))
        self._thread.start()

    def door(self, answer: Ask) -> str:
        self._doors.append(Door(answer))
        name = asyncio.run_coroutine_threadsafe(self._doors[-1].open(), self._loop).result(5)
        if name is None:
            pytest.skip("this system has no abstract sockets")
        return name

    def way(self, name: str) -> Way:
        way = way_through(name)
        assert way is not None
        self._ways.append(way)
        return way

    def stop(self) -> None:
        for way in self._ways:
            way.close()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)
        self._runner.close()

    async def _last(self) -> None:
        await self._over.wait()
        for door in self._doors:
            await door.close()
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.stop()


async def echo(messages: Sequence[bytes]) -> list[Message]:
    return [message[::-1] for message in messages]


def test_what_goes_through_a_door_is_answered_in_its_order(host: Host) -> None:
    way = host.way(host.door(echo))
    assert way.send([b"abc", b""])(5.0) == [b"cba", b""]
    big = bytes(range(256)) * 4096
    first, second = way.send([big]), way.send([b"12"])
    assert second(5.0) == [b"21"]
    assert first(5.0) == [big[::-1]]


def test_nobody_lives_behind_a_door_of_another_machine() -> None:
    assert way_through("wmsim-nobody") is None
    assert way_through(None) is None


def test_another_users_process_is_not_let_in(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    name = host.door(echo)
    monkeypatch.setattr("wmsim.serve.door._user", lambda connection: os.getuid() + 1)
    assert way_through(name) is None


@pytest.mark.parametrize(
    "sent", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02\xc1\xc1", b"\x00\x00\x00\x01\x05", b"\x00\x00\x00\x02\x91\x05"]
)
def test_what_is_no_bundle_ends_its_connection_alone(host: Host, sent: bytes) -> None:
    name = host.door(echo)
    way, other = host.way(name), host.way(name)
    way._idle[0].sendall(sent)
    with pytest.raises(ConnectionError):
        way.send([b"abc"])(5.0)
    assert other.send([b"abc"])(5.0) == [b"cba"]


def test_a_late_reply_is_a_timeout_and_is_never_taken_for_the_next(host: Host) -> None:
    async def slow(messages: Sequence[bytes]) -> list[Message]:
        await asyncio.sleep(0.3 if messages == [b"slow"] else 0)
        return list(messages)

    way = host.way(host.door(slow))
    with pytest.raises(TimeoutError):
        way.send([b"slow"])(0.02)
    assert way.send([b"next"])(5.0) == [b"next"]


def test_a_large_reply_is_fetched_from_the_actor_and_so_is_what_follows(host: Host) -> None:
    async def sized(messages: Sequence[bytes]) -> list[Message]:
        return [{"large": message} if message == b"large" else message for message in messages]

    actor = Wire()
    shortcut = Shortcut(host.way(host.door(sized)), actor.send)
    assert shortcut([b"1", b"2"])(5.0) == [b"1", b"2"]
    assert not actor.bundles
    assert shortcut([b"1", b"large", b"2"])(5.0) == [b"1", b"large", b"2"]
    assert actor.bundles == [[b"large"]]
    assert shortcut([b"3"])(5.0) == [b"3"]
    assert actor.bundles == [[b"large"], [b"3"]]


def test_a_message_that_is_not_packed_goes_to_the_actor(host: Host) -> None:
    actor = Wire()
    shortcut = Shortcut(host.way(host.door(echo)), actor.send)
    assert shortcut([b"12", {"large": 1}])(5.0) == [b"12", {"large": 1}]
    assert shortcut([b"12"])(5.0) == [b"21"]
