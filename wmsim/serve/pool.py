"""A pool from the outside: start one here or in a cluster, look at it, scale and drain it, end it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayActorError

from wmsim.serve.address import NAMESPACE
from wmsim.serve.client import RemoteWorld
from wmsim.serve.config import PoolConfig
from wmsim.serve.errors import PoolError
from wmsim.serve.head import Head
from wmsim.serve.source import Source
from wmsim.world import World


class Pool:
    """A pool that this process has started, and which ends with it."""

    def __init__(self, world: str | Callable[..., World], config: PoolConfig | None = None, **settings: Any) -> None:
        """Start head, vaults and replicas in the Ray that this process belongs to; ready when this returns.

        world: a checkpoint that ships, a path, "module:factory" or a function of `slots`; settings go to it.
        PoolError: a replica could not start, or there is a pool of this name already.
        """
        self.config = config = config or PoolConfig()
        self.head: Any = None
        options = {"name": config.name, "namespace": NAMESPACE, "num_cpus": 0, "max_concurrency": 10_000}
        head: Any = ray.remote(Head)
        try:
            self.head = head.options(**options).remote(Source(world, settings), config)
        except ValueError as taken:
            raise PoolError(f"there is a pool {config.name!r} already: choose another name ({taken})") from None
        try:
            ray.get(self.head.start.remote())
        except Exception as problem:
            self.stop()
            raise PoolError(f"a replica of {world!r} could not start: {problem}") from problem

    def world(self, slots: int = 1, **settings: Any) -> RemoteWorld:
        """A client of it; settings as for `RemoteWorld`."""
        return RemoteWorld(self.head, slots, **settings)

    def status(self) -> dict[str, Any]:
        """leased, capacity, restarts, and for each replica its queue, rate, batch and latency."""
        told: dict[str, Any] = ray.get(self.head.status.remote())
        return told

    def scale(self, replicas: int) -> None:
        """Have so many replicas; episodes on those that go move to the others."""
        ray.get(self.head.scale.remote(replicas))

    def drain(self, replica: str) -> None:
        """Move the episodes of one replica elsewhere and put a new one in its place. ValueError: no such replica."""
        ray.get(self.head.drain.remote(replica))

    def close(self, grace: float = 10.0) -> int:
        """Take no new clients, wait for those there, end; returns the slots that were still held then."""
        held: int = ray.get(self.head.close.remote(grace))
        self.stop()
        return held

    def stop(self) -> None:
        """End it at once."""
        try:
            ray.get(self.head.stop.remote(), timeout=10)
        except (RayActorError, TimeoutError):
            pass
        finally:
            ray.kill(self.head)
