"""Where a pool is: ray://NAME in the Ray that this process belongs to, ray://host:port/NAME behind a client port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEME = "ray://"
NAMESPACE = "wmsim"


@dataclass(frozen=True)
class Address:
    """name: of the pool. server: host:port of a cluster's Ray client server (10001 by default), "" for our own Ray."""

    name: str
    server: str = ""

    @staticmethod
    def of(text: str) -> Address:
        """Read ray://NAME or ray://host:port/NAME; ValueError for anything else."""
        server, slash, name = text.removeprefix(SCHEME).rpartition("/")
        good = text.startswith(SCHEME) and name and ":" not in name and (":" in server if slash else True)
        if not good:
            raise ValueError(f"{text!r} is no address of a pool: write ray://NAME or ray://host:port/NAME")
        return Address(name, server)


def find(address: Address) -> Any:
    """The head of the pool; joins Ray when this process has not. ConnectionError: no Ray there. ValueError: no pool."""
    import ray

    if not ray.is_initialized():
        where = SCHEME + address.server if address.server else "auto"
        try:
            ray.init(where, namespace=NAMESPACE, log_to_driver=False)
        except ConnectionError as problem:
            raise ConnectionError(f"no Ray answers at {where!r}: start a pool with `wmsim serve` ({problem})") from None
    try:
        return ray.get_actor(address.name, namespace=NAMESPACE)
    except ValueError:
        named = ray.util.list_named_actors(all_namespaces=True)
        there = sorted(actor["name"] for actor in named if actor["namespace"] == NAMESPACE)
        raise ValueError(f"there is no pool {address.name!r}: there are {there or 'none'} (wmsim serve)") from None
