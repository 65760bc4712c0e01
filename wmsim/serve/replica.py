"""A replica: one World with many slots in a Ray actor, which batches its clients' steps and files their snapshots."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from wmsim.serve import wire
from wmsim.serve.batch import Batcher, Job
from wmsim.serve.config import ReplicaConfig
from wmsim.serve.desk import Desk, Desks, fresh, replies
from wmsim.serve.door import Door
from wmsim.serve.errors import Gone, told
from wmsim.serve.memory import give_back, keep_for_good
from wmsim.serve.metrics import ReplicaMetrics
from wmsim.serve.source import Source
from wmsim.serve.threads import side_thread, world_thread
from wmsim.serve.vault import vault_of
from wmsim.world import Snapshot

_SWITCH_SECONDS = 5e-4
_TRIM_SECONDS = 60.0


class Replica:
    """Runs as an asynchronous Ray actor: calls wait on the event loop, the world works in a thread of its own."""

    def __init__(self, source: Source, config: ReplicaConfig, vaults: Sequence[Any]) -> None:
        # The event loop must get its turn while the world runs Python code, or every answer waits for 5 ms.
        sys.setswitchinterval(_SWITCH_SECONDS)
        self.config, self._vaults = config, vaults
        self._thread = world_thread(config.threads)
        self.world = self._thread.submit(source.make, config.slots, config.device).result()
        keep_for_good()
        self._desks = Desks(self.world.slots)
        self._metrics = ReplicaMetrics(config.pool, config.name)
        self._files = side_thread("snapshots")
        self._filing: set[asyncio.Task[None]] = set()
        self._trimmed = time.perf_counter()

    async def start(self) -> tuple[wire.Frozen, int, str | None]:
        """Begin to answer; returns the world's spec, frozen, its number of slots, and the name of its door."""
        self._batcher = Batcher(self.world, self.config.batch, self._settle, self._after, self._thread)
        self._running = asyncio.create_task(self._batcher.run())
        self._door = Door(self.act_all)
        return wire.freeze(self.world.spec), self.world.slots, await self._door.open()

    async def grant(self, token: str, keys: dict[int, str]) -> None:
        """Give slots to a lease; keys: slot -> what its snapshots are filed under."""
        self._desks.grant(token, keys)

    async def revoke(self, token: str) -> None:
        """Take the lease's slots back."""
        self._desks.revoke(token)

    async def act(self, message: wire.Message) -> wire.Message:
        """A client's call: {token, what, slots, turns, given}; what: "step", "reset", "restore" or "snapshot"."""
        try:
            asked = wire.unpack(message)
            return wire.pack(await (self._snapshot if asked["what"] == "snapshot" else self._do)(asked))
        except Exception as problem:
            return wire.pack(told(problem))

    async def act_all(self, messages: Sequence[wire.Message]) -> list[wire.Message]:
        """The replies to calls of several clients."""
        return list(await asyncio.gather(*map(self.act, messages)))

    async def resume(self, message: wire.Message) -> wire.Message:
        """Bring slots of a dead replica to where their clients have seen them: {token, entries}.

        An entry is {slot, acked, log}: the last id whose answer the client has, and its log of [id, what, given].
        """
        asked = wire.unpack(message)
        try:
            desks = self._desks.of(asked["token"], [entry["slot"] for entry in asked["entries"]])
            await asyncio.gather(*(self._resume(d, e) for d, e in zip(desks, asked["entries"], strict=True)))
        except Exception as problem:
            return told(problem)
        return {}

    async def evacuate(self) -> None:
        """Close every slot: file its state, so that it goes on elsewhere; ends when all of them are filed."""
        desks = self._desks.granted()
        for desk in desks.values():
            desk.closed = True
        await asyncio.gather(*(desk.running for desk in desks.values() if desk.running), return_exceptions=True)
        begun = [slot for slot, desk in desks.items() if desk.turn]
        if begun:
            taken = await self._alone("head", lambda world: world.snapshot(begun))
            await asyncio.gather(
                *(self._file(desks[s], desks[s].turn, state) for s, state in zip(begun, taken.states, strict=True))
            )

    async def stalled(self) -> float:
        """For how many seconds the world has not come back from a call; asked often, so it is cheap."""
        if self._running.done():
            raise RuntimeError(f"the batching loop has ended: {self._running.exception()}")
        since = self._batcher.busy_since
        return 0.0 if since is None else time.perf_counter() - since

    async def ping(self) -> dict[str, Any]:
        """How it goes; pid: of its process; stalled_seconds: as `stalled` has it."""
        about = {"pid": os.getpid(), "granted": len(self._desks.granted()), "queue": self._batcher.queue.rows}
        return {**about, "stalled_seconds": await self.stalled(), **self._metrics.summary()}

    # --- turns --------------------------------------------------------------------------------------------------------

    async def _do(self, asked: wire.Parts) -> wire.Parts:
        """Do what has not been done yet, once; then answer every row from what it showed last."""
        desks = self._desks.of(asked["token"], asked["slots"])
        if running := {desk.running for desk in desks if desk.running}:
            await asyncio.gather(*running, return_exceptions=True)
        rows = fresh(desks, asked["turns"])
        if rows:
            given = asked["given"] if len(rows) == len(desks) else wire.pick(asked["given"], rows)
            await self._run([desks[r] for r in rows], [asked["slots"][r] for r in rows], asked["what"], given)
        return {"step": replies(desks), "saved": [desk.saved for desk in desks]}

    async def _run(self, desks: list[Desk], slots: list[int], what: str, given: Any) -> None:
        job = Job(desks[0].token, what, slots, given)
        if what == "restore":
            snapshot = Snapshot(self.world.spec.name, tuple(map(wire.thaw, given["states"])))
            job = Job(desks[0].token, "call", slots, lambda world: world.restore(slots, snapshot))
        for desk in desks:
            desk.running = job.done
        try:
            await self._batcher.submit(job)
        finally:
            for desk in desks:
                desk.running = None

    def _settle(self, job: Job, result: Any) -> None:
        """Count the turn before anybody hears of it, so that a snapshot taken next bears the right id."""
        granted = self._desks.granted()
        for row, slot in enumerate(job.slots):
            desk = granted.get(slot)
            if desk is not None and desk.running is job.done and not isinstance(result, Exception):
                desk.turn += 1
                desk.reply = (result, row) if isinstance(result, dict) else None

    async def _snapshot(self, asked: wire.Parts) -> wire.Parts:
        slots = asked["slots"]
        self._desks.of(asked["token"], slots)
        taken = await self._alone(asked["token"], lambda world: world.snapshot(slots))
        return {"states": [wire.freeze(state) for state in taken.states]}

    async def _alone(self, client: str, call: Any) -> Any:
        """What `call` makes of the world between two batches; it counts as no slot's turn."""
        return await self._batcher.submit(Job(client, "call", [], call))

    # --- snapshots ----------------------------------------------------------------------------------------------------

    async def _after(self, jobs: Sequence[Job]) -> None:
        """After a batch: count it, and take the snapshots that are due, as many as keep up with the steps."""
        granted = self._desks.granted()
        rows = sum(len(job.slots) for job in jobs)
        if rows:
            now = time.perf_counter()
            self._metrics.batch(rows, [now - job.arrived for job in jobs], self._batcher.queue.rows, len(granted))
        due = [slot for slot, desk in granted.items() if desk.due(self.config.snapshot_every)]
        due.sort(key=lambda slot: granted[slot].saved - granted[slot].turn)
        chosen = due[: 1 + rows // self.config.snapshot_every]
        if chosen:
            taken = await self._batcher.on_world(lambda world: world.snapshot(chosen))
            for slot, state in zip(chosen, taken.states, strict=True):
                task = asyncio.create_task(self._file(granted[slot], granted[slot].turn, state))
                self._filing.add(task)
                task.add_done_callback(self._filing.discard)
        if time.perf_counter() - self._trimmed > _TRIM_SECONDS:
            self._trimmed = time.perf_counter()
            self._files.submit(give_back)

    async def _file(self, desk: Desk, turn: int, state: Any) -> None:
        """Hand a state to its vault; a vault that is away is tried again with the next snapshot."""
        desk.saving = True
        try:
            put = vault_of(desk.key, self._vaults).put
            # In a thread, for Ray copies the state before it sends it, and answers wait for the event loop meanwhile.
            filed = asyncio.get_running_loop().run_in_executor(
                self._files, lambda: put.remote(desk.key, turn, wire.freeze(state))
            )
            await (await filed)
            desk.saved, desk.told = turn, desk.turn
        except Exception as problem:
            print(f"no snapshot of {desk.key} at {turn}: {problem}", file=sys.stderr)
        finally:
            desk.saving = False

    async def _resume(self, desk: Desk, entry: wire.Parts) -> None:
        async with desk.resuming:
            if desk.turn >= entry["acked"]:
                return  # it is here already, perhaps with an answer that was lost on its way
            found = await self._found(desk, entry["acked"])
            log = [op for op in entry["log"] if op[0] > found[0]]
            if log and log[0][0] != found[0] + 1 and log[0][1] == "step":
                raise Gone(f"the newest snapshot is of step {found[0]}, the log begins at {log[0][0]}")
            if not log and found[0] != entry["acked"]:
                raise Gone(f"the newest snapshot is of step {found[0]}, the client is at {entry['acked']}")
            slot, origin = entry["slot"], not log or log[0][1] == "step"
            if origin:
                state = Snapshot(self.world.spec.name, (wire.thaw(found[1]),))
                await self._alone(desk.token, lambda world: world.restore([slot], state))
            desk.turn = desk.saved = found[0] if origin else log[0][0] - 1
            for _, what, given in log:
                await self._run([desk], [slot], what, given)

    async def _found(self, desk: Desk, at_most: int) -> tuple[int, wire.Frozen]:
        """The newest snapshot of the slot that the client has lived to see; 0 where there is none."""
        try:
            found = await vault_of(desk.key, self._vaults).get.remote(desk.key, at_most)
        except Exception as problem:
            print(f"no vault for {desk.key}: {problem}", file=sys.stderr)
            return 0, []
        kept: tuple[int, wire.Frozen] = found or (0, [])
        return kept
