"""The head: places clients' slots on replicas, watches leases and health, replaces the dead; it never sees a frame."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Sequence
from typing import Any

import ray

from wmsim.serve.config import PoolConfig
from wmsim.serve.errors import Busy, PoolError, told
from wmsim.serve.metrics import HeadMetrics
from wmsim.serve.register import Lease, Place, Register, Site
from wmsim.serve.replica import Replica
from wmsim.serve.source import Source
from wmsim.serve.vault import Vault, vault_of
from wmsim.serve.wire import Frozen

_WATCH_SECONDS = 1.0
_PING_SECONDS = 1.0
_GRANT_SECONDS = 10.0
_RETRY_SECONDS = 0.05


class Head:
    """Runs as an asynchronous Ray actor and owns the replicas and vaults: with it, they end."""

    def __init__(self, source: Source, config: PoolConfig) -> None:
        self.source, self.config = source, config
        self._register = Register(config.slots)
        self._metrics = HeadMetrics(config.name)
        self._made, self._restarts = 0, 0
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Make vaults and replicas; ends when all are ready. PoolError, ValueError: what a replica could not do."""
        vault = ray.remote(Vault).options(num_cpus=0, max_restarts=-1, scheduling_strategy="SPREAD", max_concurrency=64)
        self._vaults = [vault.remote() for _ in range(self.config.vaults)]
        sites = [self._new_site() for _ in range(self.config.replicas)]
        specs = await asyncio.gather(*(self._begin(site) for site in sites))
        self._spec = specs[0]
        self._background(self._watch())

    async def spec(self) -> tuple[Frozen, float]:
        """The spec of the pool's world, frozen, and the seconds of a lease."""
        return self._spec, self.config.lease_seconds

    # --- for clients --------------------------------------------------------------------------------------------------

    async def lease(self, count: int, client: str) -> dict[str, Any]:
        """{token, places, sites} for `count` slots; or the error: Busy when so many are not free."""
        try:
            if self._closing:
                raise Busy("the pool is closing and takes no new clients")
            self._register.admit(count)
            token = uuid.uuid4().hex
            held = Lease(token, client, [None] * count, time.monotonic() + self.config.patience)
            self._register.leases[token] = held
            try:
                await self._place(held, list(range(count)))
            except Exception:
                await self._end(held)
                raise
            return {"token": token, **self._told(held)}
        except Exception as problem:
            return told(problem)

    async def renew(self, token: str) -> bool:
        """The client lives; False when its lease has ended."""
        held = self._register.leases.get(token)
        if held is None:
            return False
        held.expires = time.monotonic() + self.config.lease_seconds
        return True

    async def relocate(self, token: str, rows: Sequence[int]) -> dict[str, Any]:
        """Where the client's slots are now, those of `rows` on a replica that answers; or the error."""
        try:
            held = self._register.lease(token)
            names = {place[0] for row in rows if (place := held.places[row])}
            await asyncio.gather(*(self._examine(name) for name in names))
            await self._place(held, [row for row in rows if self._homeless(held.places[row])])
            return self._told(held)
        except Exception as problem:
            return told(problem)

    async def release(self, token: str) -> None:
        """The client is done."""
        if token in self._register.leases:
            await self._end(self._register.leases[token])

    # --- for whoever runs it ------------------------------------------------------------------------------------------

    async def status(self) -> dict[str, Any]:
        """leased, capacity, restarts, and what each replica tells of itself."""
        ready = [site for site in self._register.sites.values() if site.state == "ready"]
        told = await asyncio.gather(*(_soon(site.handle.ping.remote()) for site in ready), return_exceptions=True)
        return {
            "leased": self._register.leased(),
            "capacity": self._register.capacity(),
            "restarts": self._restarts,
            "states": {site.name: site.state for site in self._register.sites.values()},
            "replicas": {site.name: p for site, p in zip(ready, told, strict=True) if isinstance(p, dict)},
        }

    async def handles(self) -> dict[str, Any]:
        """The replicas that are ready, by name."""
        return {site.name: site.handle for site in self._register.sites.values() if site.state == "ready"}

    async def keepers(self) -> list[Any]:
        """The vaults."""
        return self._vaults

    async def scale(self, replicas: int) -> None:
        """Have so many replicas: make new ones, or drain the emptiest. ValueError: too few for the slots in use."""
        leased, each = self._register.leased(), self.config.all_slots
        if replicas < 1 or replicas * each < leased:
            raise ValueError(f"{replicas} replicas of {each} slots cannot hold the {leased} slots that clients use")
        going = [site for site in self._register.sites.values() if site.state in ("starting", "ready")]
        new = [self._new_site() for _ in range(replicas - len(going))]
        surplus = sorted(going, key=lambda site: -len(site.free))[: len(going) - replicas] if not new else []
        await asyncio.gather(*(self._begin(site) for site in new), *(self._drain(site) for site in surplus))

    async def drain(self, name: str) -> None:
        """Move the episodes of one replica elsewhere, end it, and put a new one in its place. ValueError: no such."""
        if name not in self._register.sites:
            raise ValueError(f"there is no replica {name!r}: there are {sorted(self._register.sites)}")
        await asyncio.gather(self._begin(self._new_site()), self._drain(self._register.sites[name]))

    async def close(self, grace: float) -> int:
        """Take no new clients and wait `grace` seconds for those there to finish; returns the slots still held."""
        self._closing = True
        until = time.monotonic() + grace
        while self._register.leased() and time.monotonic() < until:
            await asyncio.sleep(_RETRY_SECONDS)
        return self._register.leased()

    async def stop(self) -> None:
        """End every replica and vault."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        for handle in [*(site.handle for site in self._register.sites.values()), *self._vaults]:
            ray.kill(handle)

    # --- places -------------------------------------------------------------------------------------------------------

    def _told(self, held: Lease) -> dict[str, Any]:
        names = {place[0] for place in held.places if place}
        sites = {name: self._register.sites[name] for name in names}
        return {"places": list(held.places), "sites": {name: (site.handle, site.door) for name, site in sites.items()}}

    def _homeless(self, place: Place | None) -> bool:
        site = self._register.sites.get(place[0]) if place else None
        return site is None or site.state != "ready"

    async def _place(self, held: Lease, rows: list[int]) -> None:
        """Give each of the lease's rows a slot. PoolError when no replica had one in time."""
        until = time.monotonic() + self.config.patience
        while rows:
            places = self._register.take(len(rows))
            if places is not None:
                await self._grant(held, dict(zip(rows, places, strict=True)))
                rows = [row for row in rows if self._homeless(held.places[row])]
            elif time.monotonic() > until:
                raise PoolError(f"no replica had {len(rows)} free slots within {self.config.patience} s: see the log")
            else:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _grant(self, held: Lease, wanted: dict[int, Place]) -> None:
        for name in {place[0] for place in wanted.values()}:
            here = {row: place for row, place in wanted.items() if place[0] == name}
            keys = {place[1]: _key(held.token, row) for row, place in here.items()}
            site = self._register.sites.get(name)
            try:
                if site is None:
                    raise PoolError("the replica is gone")
                await _soon(site.handle.grant.remote(held.token, keys), _GRANT_SECONDS)
            except Exception:
                self._register.give_back(list(here.values()))
                await self._examine(name)
                continue
            for row, place in here.items():
                held.places[row] = place

    async def _end(self, held: Lease) -> None:
        """Take the lease's slots back and forget its snapshots."""
        self._register.leases.pop(held.token, None)
        for name in {place[0] for place in held.places if place}:
            if site := self._register.sites.get(name):
                site.handle.revoke.remote(held.token)
        self._register.give_back(held.places)
        for row in range(len(held.places)):
            vault_of(_key(held.token, row), self._vaults).drop.remote([_key(held.token, row)])

    # --- replicas -----------------------------------------------------------------------------------------------------

    def _new_site(self) -> Site:
        self._made += 1
        config = self.config.of_replica(f"{self.config.name}-{self._made}")
        actor = ray.remote(Replica).options(
            num_cpus=self.config.cpus, num_gpus=self.config.gpus, max_restarts=0, max_concurrency=10_000
        )
        site = Site(config.name, actor.remote(self.source, config, self._vaults))
        self._register.sites[site.name] = site
        return site

    async def _begin(self, site: Site) -> Frozen:
        spec, slots, site.door = await site.handle.start.remote()
        site.free, site.size = list(range(slots)), slots
        site.state, site.heard = "ready", time.monotonic()
        found: Frozen = spec
        return found

    async def _drain(self, site: Site) -> None:
        site.state = "draining"
        try:
            await site.handle.evacuate.remote()
        except Exception as problem:
            print(f"{site.name} could not file its slots, they are replayed: {_line(problem)}", file=sys.stderr)
        self._register.lose(site.name)
        ray.kill(site.handle)

    async def _examine(self, name: str) -> None:
        """Ask a replica how it is; one that is dead or hangs is replaced."""
        site = self._register.sites.get(name)
        if site is None or site.state != "ready":
            return
        try:
            stalled = await _soon(site.handle.stalled.remote())
            site.heard = time.monotonic()
        except TimeoutError:
            stalled = time.monotonic() - site.heard
        except Exception as problem:
            self._replace(site, _line(problem))
            return
        if stalled > self.config.hang_seconds:
            ray.kill(site.handle)
            self._replace(site, f"it has not come back for {stalled:.0f} s")

    def _replace(self, site: Site, why: str) -> None:
        if self._register.sites.get(site.name) is not site:
            return
        lost = self._register.lose(site.name)
        print(f"{site.name} died with {lost} slots in use, a new replica starts: {why}", file=sys.stderr)
        self._restarts += 1
        self._metrics.restarts.inc()
        self._background(self._renewed())

    async def _renewed(self) -> None:
        """A replica in the place of one that died; tried again until it starts."""
        while not self._closing:
            site = self._new_site()
            try:
                await self._begin(site)
            except Exception as problem:
                self._register.lose(site.name)
                print(f"{site.name} did not start: {_line(problem)}", file=sys.stderr)
                await asyncio.sleep(1.0)
            else:
                return

    async def _watch(self) -> None:
        while not self._closing:
            await asyncio.sleep(_WATCH_SECONDS)
            names = list(self._register.sites)
            await asyncio.gather(*(self._examine(name) for name in names), return_exceptions=True)
            for held in self._register.expired(time.monotonic()):
                print(f"client {held.client} fell silent: its {len(held.places)} slots are reclaimed", file=sys.stderr)
                await self._end(held)
            self._metrics.leased.set(self._register.leased())
            self._metrics.capacity.set(self._register.capacity())
            self._metrics.ready.set(sum(site.state == "ready" for site in self._register.sites.values()))

    def _background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _line(problem: Exception) -> str:
    """What happened, without the page of advice that Ray appends."""
    return (str(problem) or type(problem).__name__).strip().splitlines()[0]


def _key(token: str, row: int) -> str:
    return f"{token}/{row}"


async def _soon(answer: Awaitable[Any], seconds: float = _PING_SECONDS) -> Any:
    """The answer, or TimeoutError."""

    async def wait() -> Any:
        return await answer

    return await asyncio.wait_for(wait(), seconds)
