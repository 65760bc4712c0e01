"""Where snapshots lie: an actor of its own, so that they outlive the replica that took them.

A Ray object dies with the process that owns it, so a replica hands the content over and the vault keeps its own copy.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from wmsim.serve.wire import Frozen

_KEPT = 2
"""Snapshots of a slot: the newest may be of a turn whose answer never reached the client, the one before is not."""


class Vault:
    """Keeps the newest snapshots of every slot, by key; runs as a Ray actor."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[int, Frozen]]] = {}

    async def put(self, key: str, turn: int, content: Frozen) -> None:
        """Keep a copy of the state after `turn`: what arrives lies in shared memory that is its sender's."""
        older = [kept for kept in self._kept.get(key, ()) if kept[0] != turn]
        copy = [part.copy() for part in content]
        self._kept[key] = sorted([*older, (turn, copy)], key=lambda kept: kept[0])[-_KEPT:]

    async def get(self, key: str, at_most: int) -> tuple[int, Frozen] | None:
        """The newest snapshot that is not after the turn `at_most`; None where there is none."""
        fitting = [kept for kept in self._kept.get(key, ()) if kept[0] <= at_most]
        return fitting[-1] if fitting else None

    async def drop(self, keys: Sequence[str]) -> None:
        """Forget these slots."""
        for key in keys:
            self._kept.pop(key, None)

    async def status(self) -> dict[str, int]:
        """How many slots and bytes are kept."""
        size = sum(part.nbytes for kept in self._kept.values() for _, content in kept for part in content)
        return {"slots": len(self._kept), "bytes": size}


def vault_of(key: str, vaults: Sequence[Any]) -> Any:
    """The vault that keeps `key`: the same for every process."""
    return vaults[zlib.crc32(key.encode()) % len(vaults)]
