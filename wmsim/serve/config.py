"""How a pool is built: every number that `wmsim serve` takes, and what each replica is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from wmsim.serve.batch import BatchConfig


@dataclass(frozen=True)
class ReplicaConfig:
    """pool and name: for metrics. slots: of the world. snapshot_every: turns. threads: of torch; device: of the world.

    None leaves threads and device to the world.
    """

    pool: str
    name: str
    slots: int
    batch: BatchConfig
    snapshot_every: int
    threads: int | None = None
    device: str | None = None


@dataclass(frozen=True)
class PoolConfig:
    """How a pool is built.

    name: clients find it under. replicas: actors, each with `slots` slots to lease; spare: slots of each kept for
    clients whose replica died, None takes as many as one dead replica needs. cpus, gpus: of each replica; threads: of
    torch in it, None takes its whole cpus. wait_ms: how long a batch waits for company at least; max_batch: slots in
    one, None all of them; max_queue: steps that may wait at a replica, None four times its slots. snapshot_every: steps
    of a slot from one snapshot to the next, which is also what may have to be replayed. lease_seconds: silence after
    which a client's slots are reclaimed. hang_seconds: a world that does not come back for so long is killed. vaults:
    actors that keep the snapshots. patience: seconds that placing a slot may wait for a replica.
    """

    name: str = "pool"
    replicas: int = 1
    slots: int = 16
    spare: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    threads: int | None = None
    wait_ms: float = 3.0
    max_batch: int | None = None
    max_queue: int | None = None
    snapshot_every: int = 32
    lease_seconds: float = 30.0
    hang_seconds: float = 120.0
    vaults: int = 1
    patience: float = 60.0

    def __post_init__(self) -> None:
        """ValueError names the number that is too small."""
        for name in ("replicas", "slots", "vaults", "max_batch", "max_queue"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} is at least 1, got {value}")
        if self.snapshot_every < 2:
            raise ValueError(f"snapshot_every is at least 2 steps, got {self.snapshot_every}")
        if min(self.lease_seconds, self.hang_seconds, self.patience) <= 0 or min(self.wait_ms, self.spare or 0) < 0:
            raise ValueError(f"seconds are above 0, wait_ms and spare at least 0, got {self}")

    @property
    def all_slots(self) -> int:
        """Slots of each replica's world: those to lease, and the spare ones."""
        others = self.replicas - 1
        return self.slots + (self.spare if self.spare is not None else -(-self.slots // others) if others else 0)

    def of_replica(self, name: str) -> ReplicaConfig:
        """What one replica is told."""
        slots = self.all_slots
        most = self.max_batch or slots
        return ReplicaConfig(
            pool=self.name,
            name=name,
            slots=slots,
            batch=BatchConfig(self.wait_ms, most, self.max_queue or 4 * slots),
            snapshot_every=self.snapshot_every,
            threads=self.threads or max(1, int(self.cpus)),
            device="cuda" if self.gpus else None,
        )
