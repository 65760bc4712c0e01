"""What a pool tells of itself: Prometheus metrics through Ray, and quantiles of the last few thousand steps."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import numpy as np
from ray.util import metrics

_LAST = 4096
_SECONDS = 10.0
_MILLISECONDS = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024, 4096]
_ROWS = [1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512]


class ReplicaMetrics:
    """Of one replica, tagged with pool and replica; names begin with wmsim_pool_.

    steps (counter), batch_rows and latency_ms (histograms: p50, p95 and p99 by histogram_quantile), queue and slots
    (gauges). Latency is from a step's arrival at the replica to its answer.
    """

    def __init__(self, pool: str, replica: str) -> None:
        tags = {"pool": pool, "replica": replica}
        self._steps = _tagged(metrics.Counter, "steps", "steps of slots done", tags)
        self._rows = _tagged(metrics.Histogram, "batch_rows", "slots in one call of the world", tags, _ROWS)
        self._milliseconds = _tagged(metrics.Histogram, "latency_ms", "from arrival to answer", tags, _MILLISECONDS)
        self._queue = _tagged(metrics.Gauge, "queue", "steps that wait", tags)
        self._slots = _tagged(metrics.Gauge, "slots", "slots that belong to a client", tags)
        self._latency: deque[float] = deque(maxlen=_LAST)
        self._batches: deque[tuple[float, int]] = deque(maxlen=_LAST)

    def batch(self, rows: int, waits: list[float], queued: int, slots: int) -> None:
        """One batch of `rows` slots was answered; waits: seconds of each job; queued: rows that wait now."""
        self._steps.inc(rows)
        self._rows.observe(rows)
        for seconds in waits:
            self._milliseconds.observe(seconds * 1e3)
        self._queue.set(queued)
        self._slots.set(slots)
        self._latency.extend(waits)
        self._batches.append((time.perf_counter(), rows))

    def summary(self) -> dict[str, float]:
        """steps_per_second and batch_rows of the last ten seconds, latency quantiles in ms of the last steps."""
        since = time.perf_counter() - _SECONDS
        rows = [rows for at, rows in self._batches if at > since]
        waits = np.quantile(self._latency, (0.5, 0.95, 0.99)) * 1e3 if self._latency else np.zeros(3)
        return {
            "steps_per_second": sum(rows) / _SECONDS,
            "batch_rows": float(np.mean(rows)) if rows else 0.0,
            **{f"latency_ms_{name}": float(wait) for name, wait in zip(("p50", "p95", "p99"), waits, strict=True)},
        }


class HeadMetrics:
    """Of the whole pool: slots leased, slots there, replicas ready, restarts."""

    def __init__(self, pool: str) -> None:
        tags = {"pool": pool}
        self.leased = _tagged(metrics.Gauge, "leased_slots", "slots that clients hold", tags)
        self.capacity = _tagged(metrics.Gauge, "capacity_slots", "slots that may be leased", tags)
        self.ready = _tagged(metrics.Gauge, "ready_replicas", "replicas that answer", tags)
        self.restarts = _tagged(metrics.Counter, "restarts", "replicas that died and were replaced", tags)


def _tagged(kind: Any, name: str, description: str, tags: dict[str, str], *bounds: list[int]) -> Any:
    made = kind(f"wmsim_pool_{name}", description, *bounds, tag_keys=tuple(tags))
    made.set_default_tags(tags)
    return made
