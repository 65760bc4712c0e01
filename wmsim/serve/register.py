"""Who sits where: sites (replicas as the head sees them), leases, the choice of slots; bookkeeping without Ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wmsim.serve.errors import Busy, LeaseLost

State = Literal["starting", "ready", "draining", "dead"]
Place = tuple[str, int]
"""A site's name and a slot of it."""


@dataclass
class Site:
    """A replica: its actor's handle, its slots, those that are free, when it last answered on the head's clock, and the
    name of its door.
    """

    name: str
    handle: Any
    state: State = "starting"
    size: int = 0
    free: list[int] = field(default_factory=list)
    heard: float = 0.0
    door: str | None = None


@dataclass
class Lease:
    """What a client holds: a place for each of its slots, None where it was lost; expires: on the head's clock."""

    token: str
    client: str
    places: list[Place | None]
    expires: float


class Register:
    """All sites and leases of a pool. slots: that a site leases out; what it has beyond is kept for the bereaved."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.sites: dict[str, Site] = {}
        self.leases: dict[str, Lease] = {}

    def leased(self) -> int:
        """Slots that clients hold, lost ones too."""
        return sum(len(lease.places) for lease in self.leases.values())

    def capacity(self) -> int:
        """Slots that may be leased once every site is ready."""
        return self.slots * sum(site.state in ("starting", "ready") for site in self.sites.values())

    def admit(self, count: int) -> None:
        """Busy when `count` slots more are more than may be leased."""
        free = self.capacity() - self.leased()
        if count > free:
            raise Busy(
                f"{count} slots wanted, {max(0, free)} of {self.capacity()} are free: close a client, ask for fewer, "
                f"or start the pool with more slots or replicas (wmsim serve --slots, --replicas)"
            )

    def take(self, count: int) -> list[Place] | None:
        """So many free slots, from the emptiest sites, spare ones last; None when there are not enough now."""
        ready = [site for site in self.sites.values() if site.state == "ready"]
        if sum(len(site.free) for site in ready) < count:
            return None
        places: list[Place] = []
        for kept in (True, False):
            for site in sorted(ready, key=lambda site: -len(site.free)):
                room = len(site.free) - (site.size - self.slots if kept else 0)
                wanted = min(count - len(places), max(0, room))
                taken, site.free = site.free[:wanted], site.free[wanted:]
                places += [(site.name, slot) for slot in taken]
        return places

    def give_back(self, places: Sequence[Place | None]) -> None:
        """These slots are free again; places on sites that are gone are forgotten."""
        for place in places:
            site = self.sites.get(place[0]) if place else None
            if site is not None and place is not None and place[1] not in site.free:
                site.free.append(place[1])

    def lease(self, token: str) -> Lease:
        """The lease of that token; LeaseLost when there is none any more."""
        if token not in self.leases:
            raise LeaseLost(
                "this client's lease has ended and its slots were given away: it was silent for too long, or it was "
                "closed. Make a new one; a pool with a larger lease_seconds waits longer"
            )
        return self.leases[token]

    def lose(self, name: str) -> int:
        """The site is gone with all its slots; returns how many of them clients held."""
        self.sites.pop(name, None)
        lost = 0
        for lease in self.leases.values():
            gone = [place is not None and place[0] == name for place in lease.places]
            lease.places = [None if away else place for away, place in zip(gone, lease.places, strict=True)]
            lost += sum(gone)
        return lost

    def expired(self, now: float) -> list[Lease]:
        """Leases that nobody renewed in time."""
        return [lease for lease in self.leases.values() if lease.expires < now]
