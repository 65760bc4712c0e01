"""The parts of a pool that need no Ray: messages, addresses, the client's log, and who sits where."""

from __future__ import annotations

import platform
import subprocess
import sys
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
import torch

from wmsim.control import Control
from wmsim.serve import wire
from wmsim.serve.address import Address
from wmsim.serve.config import PoolConfig
from wmsim.serve.desk import Desks, fresh
from wmsim.serve.errors import Busy, LeaseLost, Moved, StepOrderError, checked, told
from wmsim.serve.log import EpisodeLog
from wmsim.serve.register import Lease, Register, Site
from wmsim.serve.source import Source
from wmsim.sims.toy import ToyWorld
from wmsim.world import Start, Step

# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, 400], ids=["packed", "as arrays"])
def test_a_step_arrives_as_it_left(size: int) -> None:
    world = ToyWorld(3, size=size, outputs=("state",))
    sent = world.reset([0, 1, 2], [4, 5, 6])
    message = wire.pack({"step": wire.of_step(sent), "saved": [0, 1, 2]})
    assert isinstance(message, bytes) is (size == 8)
    got = wire.unpack(message)
    shown = wire.to_step(got["step"], torch.device("cpu"))
    assert got["saved"] == [0, 1, 2]
    for field in fields(Step):
        assert same(getattr(shown, field.name), getattr(sent, field.name)), field.name
    shown.frames["top"] += 1  # what arrives belongs to whoever asked


def same(one: Any, two: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
    return one is two if one is None else type(one) is type(two) and bool((one == two).all())


@dataclass(frozen=True)
class Deep:
    """A state that is no plain dict."""

    weights: torch.Tensor


def test_a_frozen_state_thaws_as_it_was() -> None:
    kept = torch.arange(6, dtype=torch.float32).view(2, 3)
    numbers = np.arange(4.0)
    rng = np.random.default_rng(3)
    state = {
        "kept": kept,
        "turned": kept.T,
        "half": kept.to(torch.bfloat16),
        "flags": kept > 2,
        "one": torch.tensor(7),
        "none": torch.zeros(0, 3),
        "deep": (Deep(kept + 1),),
        "numbers": numbers,
        "plain": [None, 3, "three"],
        "rng": rng,
    }
    frozen = wire.freeze(state)
    assert all(part.dtype == np.uint8 and part.ndim == 1 for part in frozen)
    assert any(np.shares_memory(part, kept.numpy()) for part in frozen), "what lies on the host is not copied"
    for part in frozen:
        part.flags.writeable = False  # as Ray hands them over
    back = wire.thaw(frozen)
    for name in ("kept", "turned", "half", "flags", "one", "none"):
        assert back[name].dtype == state[name].dtype, name
        assert torch.equal(back[name], state[name]), name
    assert torch.equal(back["deep"][0].weights, kept + 1)
    assert back["plain"] == state["plain"]
    assert (back["numbers"] == numbers).all()
    assert back["rng"].random() == rng.random()
    back["kept"][0] += 1
    back["numbers"][0] = 9  # what thaws belongs to whoever asked
    assert kept[0, 0] == 0
    assert numbers[0] == 0


def test_controls_and_starts_arrive_as_they_left() -> None:
    control = Control(
        buttons=torch.ones(2, 1, 4, dtype=torch.bool), look=torch.full((2, 1, 2), 0.1), event=("rain", None)
    )
    got = wire.to_control(wire.unpack(wire.pack(wire.of_control(control) or {})))
    assert got is not None
    assert torch.equal(got.require("look"), control.require("look"))
    assert got.event == ("rain", None)
    start = Start({"top": torch.ones(2, 1, 4, 4, 3, dtype=torch.uint8)}, control)
    back = wire.to_start(wire.unpack(wire.pack(wire.of_start(start) or {})), torch.device("cpu"))
    assert back is not None
    assert torch.equal(back.frames["top"], start.frames["top"])


def test_what_cannot_be_packed_is_left_to_ray() -> None:
    state = {"states": [np.zeros(1, [("pose", "f8", 5)])], "seeds": [2**80]}
    assert wire.pack(state) is state


def test_errors_keep_their_kind_and_text() -> None:
    for error in (ValueError("wrong"), Busy("full"), Moved("away")):
        with pytest.raises(type(error), match=str(error)):
            checked(told(error))
    with pytest.raises(RuntimeError, match="ZeroDivisionError: by zero"):
        checked(told(ZeroDivisionError("by zero")))


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "server"),
    [("ray://pool", "pool", ""), ("ray://host:10001/pool", "pool", "host:10001")],
)
def test_addresses(text: str, name: str, server: str) -> None:
    assert Address.of(text) == Address(name, server)


@pytest.mark.parametrize("text", ["ray://", "pool", "ray://host:10001", "ray://host/pool", "http://host:1/pool"])
def test_wrong_addresses_say_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="ray://NAME or ray://host:port/NAME"):
        Address.of(text)


def test_sources() -> None:
    assert Source("wmsim.sims.toy:ToyWorld", {"size": 12}).make(2).spec.cameras == {"top": (12, 12, 3)}
    with pytest.raises(ValueError, match="could not be imported"):
        Source("wmsim.sims.toy:Nothing").make(1)
    with pytest.raises(FileNotFoundError, match="neither a checkpoint"):
        Source("nowhere").make(1)


@pytest.mark.parametrize("wrong", [{"replicas": 0}, {"snapshot_every": 1}, {"lease_seconds": 0.0}, {"max_batch": 0}])
def test_wrong_numbers_are_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).split("_")[0]):
        PoolConfig(**wrong)


def test_spare_slots_take_in_one_dead_replica() -> None:
    assert [PoolConfig(replicas=n, slots=16).all_slots for n in (1, 2, 3, 9)] == [16, 32, 24, 18]
    assert PoolConfig(replicas=2, slots=16, spare=0).all_slots == 16


# --- turns -----------------------------------------------------------------------------------------------------------


def test_a_turn_is_done_once_and_in_order() -> None:
    desks = Desks(4)
    desks.grant("a", {0: "a/0", 2: "a/1"})
    mine = desks.of("a", [2, 0])
    mine[0].turn = 5
    assert fresh(mine, [5, 1]) == [1]
    with pytest.raises(StepOrderError, match="step id 8 is out of order: the slot is at 5, so 6 comes next"):
        fresh(mine, [8, 1])
    for token, slots in (("b", [0]), ("a", [1]), ("a", [9])):
        with pytest.raises(Moved):
            desks.of(token, slots)


def test_a_snapshot_is_due_when_the_client_knows_of_the_last_one() -> None:
    desks = Desks(1)
    desks.grant("a", {0: "a/0"})
    desk = desks.of("a", [0])[0]
    desk.turn, desk.saved, desk.told = 9, 4, 8
    assert not desk.due(4)
    desk.turn = 10
    assert desk.due(4)
    desk.saving = True
    assert not desk.due(4)


def test_the_log_begins_with_the_episode() -> None:
    log, given = EpisodeLog(), {"robot": np.arange(2)[:, None]}
    log.add("reset", {"seeds": [7, 8], "starts": None}, 1, 0)
    log.add("step", given, 0, 0)
    log.add("step", given, 1, 2)
    assert [(turn, what) for turn, what, _ in log.since(0)] == [(1, "reset"), (2, "step"), (3, "step")]
    assert log.since(0)[0][2] == {"seeds": [8], "starts": None}
    assert log.since(log.saved)[0][2]["robot"].tolist() == [[1]]
    log.add("restore", {"states": ["x", "y"]}, 0, 2)
    assert log.since(0) == [[4, "restore", {"states": ["x"]}]]


def test_a_very_long_log_forgets_what_a_snapshot_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wmsim.serve.log.LONGEST", 3)
    log = EpisodeLog()
    for turn in range(1, 9):
        log.add("reset" if turn == 1 else "step", None, 0, min(5, turn - 1))
    assert [turn for turn, *_ in log.since(0)] == [6, 7, 8]


# --- places ----------------------------------------------------------------------------------------------------------


def seated(*free: int) -> Register:
    register = Register(4)
    for i, count in enumerate(free):
        register.sites[f"r{i}"] = Site(f"r{i}", None, "ready", count, list(range(count)))
    return register


def test_slots_come_from_the_emptiest_replica_and_spare_ones_last() -> None:
    register = seated(5, 6)
    assert register.take(3) == [("r1", 0), ("r1", 1), ("r1", 2)]
    assert register.take(6) == [("r0", 0), ("r0", 1), ("r0", 2), ("r0", 3), ("r1", 3), ("r1", 4)]
    assert register.take(1) == [("r0", 4)]
    assert register.take(2) is None
    register.give_back([("r1", 3), None, ("gone", 0)])
    assert register.take(2) == [("r1", 5), ("r1", 3)]


def test_more_than_the_pool_leases_is_busy() -> None:
    register = seated(6, 6)  # two of each are spare
    register.leases["a"] = Lease("a", "me", [("r0", 0)] * 5, 1.0)
    register.admit(3)
    with pytest.raises(Busy, match="4 slots wanted, 3 of 8 are free"):
        register.admit(4)


def test_a_dead_replicas_slots_are_lost_but_still_leased() -> None:
    register = seated(4, 4)
    register.leases["a"] = Lease("a", "me", [("r0", 0), ("r1", 0)], 1.0)
    assert register.lose("r0") == 1
    assert register.lease("a").places == [None, ("r1", 0)]
    assert (register.leased(), register.capacity()) == (2, 4)
    assert [held.token for held in register.expired(2.0)] == ["a"]
    with pytest.raises(LeaseLost, match="silent"):
        register.lease("b")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries give free pages back themselves")
def test_free_pages_go_back_to_the_system() -> None:
    script = """
import re
from pathlib import Path
from wmsim.serve.memory import give_back

def mib():
    return int(re.search(r"VmRSS:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

kept = [bytes([number % 256]) * 40_000 for number in range(1_000)]
full = mib()
kept = kept[-1:]  # the last piece holds the heap's end where it is
give_back()
print(full - mib())
"""
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(asked.stdout) > 30  # of 38 MiB
