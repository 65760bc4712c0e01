"""What `wmsim serve` does: start a pool on this machine or in a cluster, tell how it goes, drain it on Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wmsim.serve.address import NAMESPACE, SCHEME
from wmsim.serve.config import PoolConfig

_STATUS_SECONDS = 10.0


def serve(world: str, config: PoolConfig, address: str | None, grace: float, settings: dict[str, Any]) -> None:
    """Run the pool until Ctrl-C or SIGTERM; then take no new clients and give those there `grace` seconds.

    address: of a Ray cluster ("auto", host:port), None starts Ray here. Errors as `Pool`; ConnectionError: no cluster.
    """
    import ray

    from wmsim.serve.pool import Pool

    here: dict[str, Any] = {"include_dashboard": False} if address is None else {}
    ray.init(address or "local", namespace=NAMESPACE, **here)
    try:
        pool = Pool(world, config, **settings)
        # Ray asks for its token by default when it starts a cluster, but not when it joins one by its address.
        joined = {"RAY_ADDRESS": ray.get_runtime_context().gcs_address, "RAY_AUTH_MODE": os.getenv("RAY_AUTH_MODE")}
        told = " ".join(f"{name}={value}" for name, value in joined.items() if value)
        print(f"serving {world} as {SCHEME}{config.name} ({told}); Ctrl-C drains, twice ends at once", flush=True)
        with _stopped() as stopped:
            while not stopped.wait(_STATUS_SECONDS):
                print(line_of(pool.status()), flush=True)
            print(f"draining: {pool.status()['leased']} slots are in use, {grace:g} s to finish", flush=True)
            held = pool.close(grace)
        print(f"ended, {held} slots were still in use", flush=True)
    finally:
        ray.shutdown()


def line_of(status: dict[str, Any]) -> str:
    """One line of how a pool goes."""
    told = list(status["replicas"].values())
    rate = sum(one["steps_per_second"] for one in told)
    slowest = max((one["latency_ms_p95"] for one in told), default=0.0)
    fill = sum(one["batch_rows"] for one in told) / max(1, len(told))
    queue = sum(one["queue"] for one in told)
    return (
        f"{len(told)} replicas, {status['leased']}/{status['capacity']} slots, {rate:.0f} steps/s, batch {fill:.1f}, "
        f"p95 {slowest:.1f} ms, queue {queue}, restarts {status['restarts']}"
    )


@contextmanager
def _stopped() -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second one interrupts."""
    stopped = threading.Event()

    def stop(number: int, frame: Any) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
