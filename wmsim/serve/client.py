"""RemoteWorld: slots of a pool as a World; a replica that dies under it costs a moment, no episode and no frame.

Shape legend: n slots named in a call, T frames per step.
"""

from __future__ import annotations

import socket
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from os import getpid
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

try:
    import ray
    from ray.exceptions import RayActorError, RayError
except ImportError as missing:
    raise ImportError("a served world needs Ray: pip install 'wmsim[ray]'") from missing

from wmsim.control import Control
from wmsim.serve import wire
from wmsim.serve.address import Address, find
from wmsim.serve.errors import Busy, Gone, Moved, PoolError, checked
from wmsim.serve.line import Receive, line_of
from wmsim.serve.log import EpisodeLog
from wmsim.world import Snapshot, Start, Step, WorldSpec, check_seeds, check_slots, check_snapshot

_PAUSE_SECONDS = 0.02
_CALL_SECONDS = 20.0


class RemoteWorld:
    """A World whose slots lie on a pool's replicas; not for several threads at a time, as little as any other World.

    Every reset, step and restore of a slot bears an id, so a call that was lost on the way is sent again without
    being run twice. The client logs what it asked for; a slot whose replica died is brought back elsewhere from its
    last snapshot and this log.
    """

    def __init__(self, pool: str | Any, slots: int = 1, patience: float = 60.0, device: str = "cpu") -> None:
        """pool: ray://NAME, ray://host:port/NAME, or the head's actor handle. patience: seconds that a call may take
        to get over a full queue or a dead replica. device: where the tensors are put.

        Busy: fewer slots are free. ValueError: no such pool. ConnectionError: no Ray there.
        """
        if slots < 1:
            raise ValueError(f"a world has at least 1 slot, got {slots}")
        self._head = find(Address.of(pool)) if isinstance(pool, str) else pool
        self._device, self._patience, self._slots = torch.device(device), patience, slots
        spec, lease_seconds = ray.get(self._head.spec.remote())
        self._spec: WorldSpec = wire.thaw(spec)
        granted = checked(ray.get(self._head.lease.remote(slots, f"{socket.gethostname()}:{getpid()}")))
        self._token = granted["token"]
        self._seat(granted)
        self._logs = [EpisodeLog() for _ in range(slots)]
        self._silent = threading.Event()
        self._finish = weakref.finalize(self, _release, self._head, self._token, self._silent)
        beat = (self._head, self._token, lease_seconds / 3, self._silent)
        threading.Thread(target=_renew, args=beat, daemon=True).start()

    @property
    def spec(self) -> WorldSpec:
        """What the served world is and promises."""
        return self._spec

    @property
    def slots(self) -> int:
        """How many slots this client holds."""
        return self._slots

    @property
    def device(self) -> torch.device:
        """Where the tensors of every `Step` lie."""
        return self._device

    def reset(self, slots: Sequence[int], seeds: Sequence[int], starts: Start | None = None) -> Step:
        """Begin an episode in each of `slots`; see `World.reset`."""
        rows = check_slots(slots, self._slots)
        given = {"seeds": check_seeds(seeds, rows), "starts": wire.of_start(starts)}
        return self._shown(self._turn("reset", rows, given))

    def step(self, slots: Sequence[int], control: Control) -> Step:
        """Advance `slots`; see `World.step`. Busy: queues stayed full for longer than our patience."""
        rows = check_slots(slots, self._slots)
        self._check_begun(rows)
        given = wire.of_control(control)
        _check_control(given or {}, self._spec, len(rows))
        return self._shown(self._turn("step", rows, given))

    def snapshot(self, slots: Sequence[int]) -> Snapshot:
        """The full state of `slots`, here and on the host: it outlives the pool."""
        rows = check_slots(slots, self._slots)
        self._check_begun(rows)
        replies = self._ask("snapshot", rows, None)
        states = {row: wire.thaw(reply["states"][i]) for reply, at in replies for i, row in enumerate(at)}
        return Snapshot(self._spec.name, tuple(states[row] for row in rows))

    def restore(self, slots: Sequence[int], snapshot: Snapshot) -> None:
        """Put the rows of `snapshot` into `slots`; see `World.restore`."""
        rows = check_slots(slots, self._slots)
        check_snapshot(snapshot, self._spec.name, rows)
        self._turn("restore", rows, {"states": [wire.freeze(state) for state in snapshot.states]})

    def close(self) -> None:
        """Give the slots back; calling it twice is harmless."""
        self._finish()

    # --- turns --------------------------------------------------------------------------------------------------------

    def _turn(self, what: str, rows: list[int], given: Any) -> list[tuple[wire.Parts, list[int]]]:
        """Do one turn in each row, and log it; replies with the rows that they speak of, as indices into `rows`."""
        place = {row: i for i, row in enumerate(rows)}

        def log(reply: wire.Parts, at: list[int]) -> None:
            for row, saved in zip(at, reply["saved"], strict=True):
                self._logs[row].add(what, given, place[row], saved)

        replies = self._ask(what, rows, given, log)
        return [(reply, [place[row] for row in at]) for reply, at in replies]

    def _shown(self, replies: list[tuple[wire.Parts, list[int]]]) -> Step:
        if len(replies) > 1:
            order = np.argsort([row for _, at in replies for row in at])
            parts = wire.pick(wire.join([reply["step"] for reply, _ in replies]), order.tolist())
        else:
            parts = replies[0][0]["step"]
            at = replies[0][1]
            parts = parts if at == sorted(at) else wire.pick(parts, np.argsort(at).tolist())
        return wire.to_step(parts, self._device)

    def _check_begun(self, rows: list[int]) -> None:
        never = [row for row in rows if not self._logs[row].begun]
        if never:
            raise ValueError(f"slot {never[0]} was never reset: reset it first")

    # --- calls --------------------------------------------------------------------------------------------------------

    def _ask(
        self, what: str, rows: list[int], given: Any, log: Callable[[wire.Parts, list[int]], None] | None = None
    ) -> list[tuple[wire.Parts, list[int]]]:
        """One call of each replica that holds some of `rows`, again and elsewhere until all are answered."""
        if not self._finish.alive:
            raise PoolError("this world is closed: make a new one")
        until, answered, left, refused = time.monotonic() + self._patience, [], rows, None
        place = {row: i for i, row in enumerate(rows)}
        while left and refused is None:
            calls = [(at, self._call(what, at, _rows_of(given, [place[r] for r in at]))) for at in self._by_site(left)]
            left, lost, full = [], list[int](), None
            for at, call in calls:
                try:
                    reply = checked(wire.unpack(call(_CALL_SECONDS)))
                except Busy as busy:
                    full, left = busy, left + at
                except (Moved, RayActorError, ConnectionError, TimeoutError):
                    lost, left = lost + at, left + at
                except Exception as problem:
                    refused = problem
                else:
                    answered.append((reply, at))
                    if log is not None:
                        log(reply, at)
            if (full or lost) and time.monotonic() > until:
                raise full or PoolError(
                    f"no replica took slots {lost} over within {self._patience} s: see the pool's log"
                )
            if full:
                time.sleep(_PAUSE_SECONDS)
            if lost and refused is None:
                self._recover(lost, until)
        if refused is not None:
            raise refused
        return answered

    def _by_site(self, rows: list[int]) -> list[list[int]]:
        sites: dict[str, list[int]] = {}
        for row in rows:
            sites.setdefault(self._places[row][0], []).append(row)
        return list(sites.values())

    def _call(self, what: str, rows: list[int], given: Any) -> Receive:
        turns = [self._logs[row].acked + 1 for row in rows]
        slots = [self._places[row][1] for row in rows]
        message = {"token": self._token, "what": what, "slots": slots, "turns": turns, "given": given}
        site = self._places[rows[0]][0]
        if what == "step":
            return self._lines[site].call(self._token, wire.pack(message))
        reply = self._handles[site].act.remote(wire.pack(message))
        return lambda seconds: ray.get(reply, timeout=seconds)

    def _seat(self, told: dict[str, Any]) -> None:
        self._places = [tuple(place) for place in told["places"]]
        self._handles = {site: handle for site, (handle, _) in told["sites"].items()}
        self._lines = {site: line_of(handle, door) for site, (handle, door) in told["sites"].items()}

    # --- recovery -----------------------------------------------------------------------------------------------------

    def _recover(self, rows: list[int], until: float) -> None:
        """Ask where the slots are now, and bring those that lost their replica to where we have seen them."""
        while True:
            before = [self._places[row] for row in range(self._slots)]
            self._seat(checked(ray.get(self._head.relocate.remote(self._token, list(range(self._slots))))))
            moved = [row for row, place in enumerate(self._places) if place != before[row] or row in rows]
            try:
                for at in self._by_site([row for row in moved if self._logs[row].begun]):
                    self._resume(at)
                return
            except (Moved, Busy, RayActorError, TimeoutError) as problem:
                if time.monotonic() > until:
                    raise PoolError(
                        f"slots {rows} could not be brought back within {self._patience} s: {problem}"
                    ) from None
                time.sleep(_PAUSE_SECONDS)

    def _resume(self, rows: list[int]) -> None:
        try:
            self._replay(rows, [self._logs[row].saved for row in rows])
        except Gone:
            self._replay(rows, [0] * len(rows))

    def _replay(self, rows: list[int], since: list[int]) -> None:
        entries = [
            {"slot": self._places[row][1], "acked": self._logs[row].acked, "log": self._logs[row].since(turn)}
            for row, turn in zip(rows, since, strict=True)
        ]
        handle = self._handles[self._places[rows[0]][0]]
        message = {"token": self._token, "entries": entries}
        checked(wire.unpack(ray.get(handle.resume.remote(message), timeout=_CALL_SECONDS)))


def _rows_of(given: Any, rows: list[int]) -> Any:
    """`given` itself when all rows are wanted in their order, which is nearly always."""
    whole = rows == list(range(len(rows))) and _count(given) == len(rows)
    return given if whole else wire.pick(given, rows)


def _count(parts: Any) -> int | None:
    if isinstance(parts, dict):
        return next((count for value in parts.values() if (count := _count(value)) is not None), None)
    return len(parts) if isinstance(parts, np.ndarray | list) else None


def _check_control(given: wire.Parts, spec: WorldSpec, count: int) -> None:
    """ValueError for what cannot be right anywhere: it is told before any replica has taken its part of the step."""
    for kind in ("buttons", "look", "camera", "robot"):
        value = given.get(kind)
        space = spec.controls.get(given["domain"] if kind == "robot" else kind)
        if value is None:
            continue
        if kind == "robot" and space is None:
            raise ValueError(f"this world takes {sorted(spec.controls)} controls, got domain {given['domain']!r}")
        shape = space.shape if isinstance(space, spaces.Space) and space.shape is not None else value.shape[2:]
        wanted = (count, spec.frames_per_step, *shape)
        if value.shape != wanted:
            raise ValueError(f"{kind!r} controls for these slots have shape {wanted}, got {value.shape}")
        if not np.isfinite(value).all():
            raise ValueError(f"a {kind!r} control holds a value that is not finite")


def _renew(head: Any, token: str, every: float, stop: threading.Event) -> None:
    """Tell the head that this client lives, until it is closed or the head does not want to know any more."""
    while not stop.wait(every):
        try:
            if not ray.get(head.renew.remote(token)):
                return
        except RayError:
            return


def _release(head: Any, token: str, stop: threading.Event) -> None:
    stop.set()
    if ray.is_initialized():
        head.release.remote(token)
