"""A policy that lives in another process: a VLA server that speaks openpi's protocol (msgpack over a WebSocket).

The server greets with a map of its own; then every request is one slot's observation, a map whose arrays are packed
as openpi packs them, and every answer a map with "actions" (C, D); an answer in text is the server's traceback.
https://github.com/Physical-Intelligence/openpi, packages/openpi-client.

Shape legend: n slots asked for, C actions of a chunk, D action width.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from wmsim.policy.protocol import imported, need_slots


@dataclass(frozen=True)
class RemoteConfig:
    """Where the server is and what it is told.

    address: "ws://host:port". keys: the server's name of each thing -> where it is taken from: a key of the
    environment's Dict observation, "observation" for all of it, or "info.KEY". constants: what is the same in every
    request, such as {"prompt": "keep to the lane"}. api_key: sent as openpi's clients send it. timeout: seconds to wait
    for the server to come up, to come back, and to answer.
    """

    address: str
    keys: Mapping[str, str]
    constants: Mapping[str, Any] = field(default_factory=dict)
    api_key: str = ""
    timeout: float = 60.0


class RemotePolicy:
    """Asks the server for each slot's chunk; requests of one call are sent together and answered in order.

    A connection that breaks is opened again and what was not answered is asked again: an answer depends on its request
    alone.
    """

    def __init__(self, config: RemoteConfig, slots: int = 1) -> None:
        """ImportError: an extra is missing; ConnectionError: no server within the timeout."""
        need_slots(slots)
        for module in ("msgpack", "websockets"):
            _imported(module)
        self._config = config
        self._open = ExitStack()
        self._socket, self.metadata = self._connected()

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing: the server remembers no slot."""

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[np.float32]:
        """(n, C, D) as the server gives them.

        RuntimeError: the server failed, with its traceback; ConnectionError: it is gone; ValueError: it answers without
        finite "actions", or something it is to be told is not there.
        """
        wanted = [pack(self._request(observation, info, place)) for place in range(len(rows))]
        answers: list[NDArray[np.float32]] = []
        tries = 2
        while len(answers) < len(wanted):
            try:
                self._ask(wanted, answers)
            except (OSError, _closed()) as fault:
                tries -= 1
                if not tries:
                    raise ConnectionError(f"the policy server at {self._config.address} went away: {fault}") from fault
                self._socket, self.metadata = self._connected()
        return np.stack(answers)

    def close(self) -> None:
        """Close the connection."""
        self._open.close()

    def _ask(self, wanted: list[bytes], answers: list[NDArray[np.float32]]) -> None:
        for request in wanted[len(answers) :]:
            self._socket.send(request)
        while len(answers) < len(wanted):
            answers.append(_actions(self._socket.recv(timeout=self._config.timeout)))

    def _request(self, observation: Any, info: Mapping[str, Any], place: int) -> dict[str, Any]:
        told = {name: _found(source, observation, info)[place] for name, source in self._config.keys.items()}
        plain = {name: v.cpu().numpy() if isinstance(v, Tensor) else np.asarray(v) for name, v in told.items()}
        return plain | dict(self._config.constants)

    def _connected(self) -> tuple[Any, dict[Any, Any]]:
        client, config = _imported("websockets.sync.client"), self._config
        headers = {"Authorization": f"Api-Key {config.api_key}"} if config.api_key else None
        options = {"compression": None, "max_size": None, "additional_headers": headers}
        deadline, pause = time.monotonic() + config.timeout, 0.05
        while True:
            self._open.close()
            try:
                socket = self._open.enter_context(client.connect(config.address, **options))
                return socket, unpack(socket.recv(timeout=config.timeout))
            except (OSError, _closed()) as fault:
                if time.monotonic() + pause > deadline:
                    raise ConnectionError(
                        f"no policy server at {config.address} within {config.timeout:g} s: {fault}"
                    ) from fault
                time.sleep(pause)
                pause = min(2 * pause, 2.0)


def _found(source: str, observation: Any, info: Mapping[str, Any]) -> Any:
    try:
        if source.startswith("info."):
            return info[source.removeprefix("info.")]
        return observation if source == "observation" else observation[source]
    except (KeyError, IndexError, TypeError) as fault:
        there = sorted(observation) if isinstance(observation, Mapping) else "an array"
        raise ValueError(
            f"the server is to be told {source!r}: the observation has {there}, the info {sorted(info)}"
        ) from fault


def _actions(answer: bytes | str) -> NDArray[np.float32]:
    if isinstance(answer, str):
        raise RuntimeError(f"the policy server failed:\n{answer}")
    found = unpack(answer)
    if not isinstance(found, Mapping) or "actions" not in found:
        raise ValueError(f'the policy server answers without "actions", with {sorted(map(str, found))}')
    actions = np.asarray(found["actions"], np.float32)
    if actions.ndim == 1:
        actions = actions[None]
    if actions.ndim != 2 or not np.isfinite(actions).all():
        raise ValueError(f'"actions" are finite numbers (C, D), the policy server gives shape {actions.shape}')
    return actions


# --- openpi's packing ----------------------------------------------------------------------------------------------


def pack(message: Any) -> bytes:
    """A message of maps, lists, text, numbers and arrays as bytes; ValueError for arrays of objects or complex."""
    packed: bytes = _imported("msgpack").packb(message, default=_plain)
    return packed


def _plain(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind in "VOc":
            raise ValueError(f"arrays of {value.dtype} cannot be sent")
        if isinstance(value, np.ndarray):
            raw = np.ascontiguousarray(value).tobytes()
            return {b"__ndarray__": True, b"data": raw, b"dtype": value.dtype.str, b"shape": value.shape}
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"cannot send {type(value).__name__}")


def unpack(message: bytes) -> Any:
    """The inverse of `pack`; arrays are read-only. ValueError: not such a message."""
    try:
        return _imported("msgpack").unpackb(message, object_hook=_array)
    except (ValueError, TypeError, KeyError) as fault:
        raise ValueError(f"not a message of openpi's protocol: {fault}") from fault


def _array(found: dict[Any, Any]) -> Any:
    if b"__ndarray__" in found:
        kind = np.dtype(found[b"dtype"])
        if kind.kind in "VOc":
            raise ValueError(f"arrays of {kind} are not taken")
        return np.frombuffer(found[b"data"], kind).reshape(found[b"shape"])
    if b"__npgeneric__" in found:
        return np.dtype(found[b"dtype"]).type(found[b"data"])
    return found


def _imported(name: str) -> Any:
    return imported(name, "remote policies")


def _closed() -> type[Exception]:
    closed: type[Exception] = _imported("websockets.exceptions").WebSocketException
    return closed
