"""Runs that can go on are claimed in the order of their waiting, inside a transaction that may write; a run that cannot be read keeps no other."""
# statements are put together of the constants of `reading`; values are bound

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from statecore.errors import UnknownRun
from statecore.stores.owner import alive
from statecore.stores.records import Listing, Record
from statecore.stores.rules import bounded, check_claim, seal, sought

from . import reading
from .reading import CLAIM, FENCE, FREE, HELD, STILL
from .rows import readable
from .writing import next_turn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from statecore.core import Micros

    from .link import Link
    from .reading import Definitions

MANY_BAD = 200
"""How many runs that cannot be read one claim passes over, before it takes what it has."""


def take(  # noqa: PLR0913  # a run, its lease, and the definitions that are known
    connection: Link, run_id: str, owner: str, time: Micros, lease: Micros | None, known: Definitions
) -> tuple[Record, bool]:
    """Claim a run that is handed out. Raises `UnknownRun`, `RunBusy`, `UnreadableValue`."""
    row = connection.execute(FENCE, (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    number, epoch, _, _, _, _, cancel_by, cancel_requested, found, lasts = row
    doubtful = check_claim(run_id, found, lasts, time)
    record = reading.record(connection, run_id, known)  # before it is claimed: one that cannot be read stays as it is
    epoch, turned = epoch + 1, next_turn(connection)
    claimed = seal(owner, epoch, turned, cancel_by, cancel_requested)
    connection.execute(CLAIM, (owner, lease, epoch, turned, claimed, time, number))
    return evolve(record, owner=owner, lease=lease, epoch=epoch, updated=time), doubtful


def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
    connection: Link,
    workflow_id: str,
    owner: str,
    time: Micros,
    lease: Micros | None,
    most: int,
    but: Collection[str],
    known: Definitions,
) -> Listing[tuple[Record, bool]]:
    """Take runs that can go on: those that nobody executes, then those whose owner is gone; what others are taking just now is passed over.

    A run that cannot be read is left as it is, and named (P23).
    """
    name, most, skipped = sought(workflow_id), bounded(most), list(map(sought, but))
    taken: Listing[tuple[Record, bool]] = Listing()

    def takes(run_ids: Iterable[str]) -> bool:
        """Whether all of these runs could be read."""
        found = readable(((run_id,) for run_id in run_ids), lambda row: take(connection, row[0], owner, time, lease, known))
        taken.extend(found)
        taken.unread += found.unread
        skipped.extend(each.run_id for each in found.unread)
        return not found.unread

    while len(taken) < most and len(taken.unread) < MANY_BAD:
        left_out = f"AND r.run_id NOT IN ({', '.join('?' * len(skipped))})" if skipped else ""
        free = f"{FREE} {left_out} ORDER BY +r.turned LIMIT ? /*pg FOR UPDATE OF r SKIP LOCKED*/"
        rows = connection.execute(free, (name, name, bounded(time), name, *skipped, most - len(taken))).fetchall()
        if takes(run_id for (run_id,) in rows):
            break
    if len(taken) < most:
        mine = {record.identity.run_id for record, _ in taken}
        for run_id, holder, lasts in connection.execute(f"{HELD} ORDER BY +r.turned", (name,)).fetchall():
            gone = run_id not in skipped and run_id not in mine and not alive(holder, lasts, time)
            if gone and len(taken) < most and connection.execute(STILL, (run_id, holder, lasts)).fetchone():
                takes([run_id])
    return taken
