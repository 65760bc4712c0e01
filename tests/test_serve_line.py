"""The line that a process's clients share to a replica: who travels together, and what everybody hears of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from wmsim.serve.line import Line
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
