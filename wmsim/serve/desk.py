"""One slot of a replica as its client sees it: whose it is, which step it is at, and what it answered last."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from wmsim.serve import wire
from wmsim.serve.errors import Moved, StepOrderError

Row = tuple[wire.Parts, int]
"""A reply and the row in it that is this slot's."""


@dataclass
class Desk:
    """token: the lease whose client may use the slot. key: what its snapshots are filed under.

    turn: id of the last reset, step or restore that was done; 0 before the first. reply: what it showed. running: the
    ids that are being done now. saved: id of the newest snapshot that the vault has confirmed, 0 for none; told: the
    turn at which it was confirmed, so that the client has heard of it two turns later. saving: one is on its way.
    """

    token: str
    key: str
    turn: int = 0
    reply: Row | None = None
    running: asyncio.Future[Any] | None = None
    saved: int = 0
    told: int = 0
    saving: bool = False
    closed: bool = False
    resuming: asyncio.Lock = field(default_factory=asyncio.Lock)

    def due(self, every: int) -> bool:
        """Whether a snapshot is wanted: `every` turns old, and the client knows of the last one."""
        return not (self.saving or self.closed) and self.turn - self.saved >= every and self.turn - self.told >= 2


class Desks:
    """The desks of one replica; a slot without one belongs to nobody."""

    def __init__(self, slots: int) -> None:
        self._desks: list[Desk | None] = [None] * slots

    def grant(self, token: str, keys: dict[int, str]) -> None:
        """Slots keys -> the lease `token`, as new; a slot that this lease has already stays as it is."""
        for slot, key in keys.items():
            desk = self._desks[slot]
            if desk is None or desk.token != token or desk.closed:
                self._desks[slot] = Desk(token, key)

    def revoke(self, token: str) -> None:
        """The lease's slots belong to nobody from now on."""
        self._desks = [None if desk is not None and desk.token == token else desk for desk in self._desks]

    def granted(self) -> dict[int, Desk]:
        """The slots that belong to somebody."""
        return {slot: desk for slot, desk in enumerate(self._desks) if desk is not None}

    def of(self, token: str, slots: list[int]) -> list[Desk]:
        """The desks of `slots`. Moved: one of them is not this lease's, or is closed."""
        desks = [self._desks[slot] if slot < len(self._desks) else None for slot in slots]
        if any(desk is None or desk.token != token or desk.closed for desk in desks):
            raise Moved("a slot is not on this replica any more: ask the head where it is")
        return [desk for desk in desks if desk is not None]


def fresh(desks: list[Desk], turns: list[int]) -> list[int]:
    """The rows whose turn is to be done now; the others have been done and are answered from the last reply.

    StepOrderError: an id that is neither the last one nor the next.
    """
    for desk, turn in zip(desks, turns, strict=True):
        if turn not in (desk.turn, desk.turn + 1) or turn == 0:
            raise StepOrderError(
                f"step id {turn} is out of order: the slot is at {desk.turn}, so {desk.turn + 1} comes next and "
                f"{desk.turn} may be asked again; one client only may drive a slot"
            )
    return [row for row, (desk, turn) in enumerate(zip(desks, turns, strict=True)) if turn == desk.turn + 1]


def replies(desks: list[Desk]) -> wire.Parts:
    """What every slot showed last, as one; nothing where the last turn showed nothing (a restore)."""
    rows = [desk.reply for desk in desks if desk.reply is not None]
    if not rows:
        return {}
    whole, order = rows[0][0], [row for _, row in rows]
    if any(parts is not whole for parts, _ in rows):
        joined: wire.Parts = wire.join([wire.pick(parts, [row]) for parts, row in rows])
        return joined
    shown = len(next(iter(whole["frames"].values())))
    picked: wire.Parts = whole if order == list(range(shown)) else wire.pick(whole, order)
    return picked
