"""A policy in another process: a real server on loopback, its failures, and its bytes."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("msgpack", reason="remote policies need the [policy] extra")
pytest.importorskip("websockets", reason="remote policies need the [policy] extra")

from wmsim.policy import Executor, Policy, RemoteConfig, RemotePolicy
from wmsim.policy.remote import pack, unpack

SERVER = Path(__file__).parent / "policy_server.py"
KEYS = {"observation/image": "front", "observation/state": "info.state"}


@pytest.fixture
def port() -> int:
    """A free one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(port: int, mood: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(SERVER), str(port), mood])


@pytest.fixture
def server(port: int, request: pytest.FixtureRequest) -> Iterator[str]:
    """A server in another process; its mood is the parameter."""
    process = _start(port, request.param)
    yield f"ws://127.0.0.1:{port}"
    process.kill()
    process.wait()


def _config(address: str, **more: object) -> RemoteConfig:
    return RemoteConfig(address, KEYS, {"prompt": "keep right"}, **{"timeout": 20.0} | more)  # type: ignore[arg-type]


def _seen(n: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    pictures = np.zeros((n, 4, 4, 3), np.uint8) + 10 * np.arange(n, dtype=np.uint8)[:, None, None, None]
    return {"front": pictures}, {"state": np.arange(n, dtype=np.float32)[:, None]}


@pytest.mark.parametrize("server", ["well"], indirect=True)
def test_every_slot_gets_its_own_chunk(server: str) -> None:
    policy = RemotePolicy(_config(server, api_key="secret"), 3)
    assert isinstance(policy, Policy)
    assert policy.metadata == {"robot": "car", "authorised": "Api-Key secret"}
    observation, info = _seen(3)
    made = policy.act([0, 1, 2], observation, info)
    assert made.shape == (3, 4, 2)
    np.testing.assert_allclose(made[:, 0], [[0, 0], [10, 1], [20, 2]])
    np.testing.assert_allclose(made[1, :, 1], [1, 2, 3, 4])
    executor = Executor(policy, 3, execute=2)
    steps = [executor.act(observation, info)[2].tolist() for _ in range(3)]
    assert steps == [[20, 2], [20, 3], [20, 2]]
    policy.close()


@pytest.mark.parametrize("server", ["fails"], indirect=True)
def test_the_servers_traceback_is_shown(server: str) -> None:
    policy = RemotePolicy(_config(server))
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        policy.act([0], *_seen(1))


@pytest.mark.parametrize(
    ("server", "words"),
    [("mute", 'without "actions", with .*nothing'), ("infinite", "finite numbers")],
    indirect=["server"],
)
def test_answers_that_are_no_actions_are_told(server: str, words: str) -> None:
    policy = RemotePolicy(_config(server))
    with pytest.raises(ValueError, match=words):
        policy.act([0], *_seen(1))


@pytest.mark.parametrize("server", ["leaves"], indirect=True)
def test_a_connection_that_breaks_is_opened_again(server: str) -> None:
    policy = RemotePolicy(_config(server))
    made = policy.act([0, 1, 2], *_seen(3))
    np.testing.assert_allclose(made[:, 0, 0], [0, 10, 20])


def test_a_server_that_comes_up_late_is_waited_for_and_one_that_is_killed_is_told(port: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", f"import time, runpy, sys; time.sleep(1); sys.argv = ['x', '{port}', 'well'];"
         f"runpy.run_path({str(SERVER)!r}, run_name='__main__')"]
    )  # fmt: skip
    policy = RemotePolicy(_config(f"ws://127.0.0.1:{port}"))
    process.kill()
    process.wait()
    object.__setattr__(policy._config, "timeout", 0.5)
    with pytest.raises(ConnectionError, match="no policy server at ws://"):
        policy.act([0], *_seen(1))


def test_no_server_and_wrong_keys_are_told(port: int) -> None:
    began = time.monotonic()
    with pytest.raises(ConnectionError, match=f"no policy server at ws://127.0.0.1:{port} within 0.3 s"):
        RemotePolicy(_config(f"ws://127.0.0.1:{port}", timeout=0.3))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("server", ["well"], indirect=True)
def test_what_is_not_there_to_be_told_is_named(server: str) -> None:
    policy = RemotePolicy(RemoteConfig(server, {"image": "wrist"}, timeout=20.0))
    with pytest.raises(ValueError, match=r"'wrist': the observation has \['front'\], the info \['state'\]"):
        policy.act([0], *_seen(1))


def test_messages_survive_their_bytes() -> None:
    message = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": [1, "two", np.int64(3)], "c": {"d": b"\x00"}}
    back = unpack(pack(message))
    np.testing.assert_array_equal(back["a"], message["a"])
    assert back["a"].dtype == np.float32
    assert back["b"] == [1, "two", 3]
    assert back["c"] == {"d": b"\x00"}


def test_objects_are_neither_sent_nor_taken() -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        pack({"a": np.array([object()])})
    bad = {b"__ndarray__": True, b"data": b"\x00" * 8, b"dtype": "|O", b"shape": (1,)}
    for message in (bad, {b"__ndarray__": True, b"data": b"\x00", b"dtype": "<f4", b"shape": (1,)}):
        with pytest.raises(ValueError, match="not a message of openpi's protocol"):
            unpack(pack(message))
    with pytest.raises(ValueError, match="not a message"):
        unpack(b"\xc1")
