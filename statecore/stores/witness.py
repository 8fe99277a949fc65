"""Whether a transaction was made of which nobody can say so any more: told from what it would have left in the tables.

A database that crashed in the middle of a COMMIT may have given the transaction's number to another one. So the rows are asked: those of a
boundary by the chain's link, which no other rows have, a new run by its seal, a claim by its owner, epoch and instant. The other transactions are
not here, because made twice they are the same as made once: a decision that is stored is returned, a lease, a cancellation and a claim's
end are set to what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.errors import UnknownRun, UnreadableValue

from . import reading, writing
from .rules import digest, link, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .link import Link
    from .records import Boundary, Identity, Micros, Record

CLAIM = "SELECT owner, epoch, updated FROM run WHERE run_id = ?"


def left(connection: Link, work: Callable[..., Any], args: Sequence[Any], answer: Any) -> bool:
    """Whether `work`, which answered so, is stored. False also means that it may be made again."""
    seen = WITNESSES.get(work)
    return seen is not None and seen(connection, answer, *args)


def boundary_is_there(connection: Link, waits: bool, boundary: Boundary, *_: Any) -> bool:  # noqa: FBT001  # what `commit` answered
    """Whether a boundary's rows are in the journal; where it has none, whether its run, or its claim, is there."""
    claim = boundary.claim
    if waits:  # a cancellation waits, and nothing was stored
        return True
    if boundary.entries:
        return rows_are_there(connection, boundary)
    if claim is None:
        return False
    if claim.identity is not None:
        return run_is_there(connection, None, claim.identity)
    return claimed(connection, boundary.run_id, claim.owner, boundary.epoch, boundary.time)


def rows_are_there(connection: Link, boundary: Boundary) -> bool:
    """Whether the journal has the link that the boundary's rows lead to."""
    try:
        number = reading.number_of(connection, boundary.run_id)
        chain = reading.link_at(connection, boundary.run_id, number, boundary.seq)
        for entry in boundary.entries:
            chain = link(chain, boundary.run_id, entry)
        return reading.link_at(connection, boundary.run_id, number, boundary.seq + len(boundary.entries)) == chain
    except (UnknownRun, UnreadableValue):  # there is no such run, or no such row
        return False


def run_is_there(connection: Link, _answer: object, identity: Identity, *_: Any) -> bool:
    """Whether a run is who it was to be, to the microsecond."""
    values = map(digest, (identity.input, identity.additional_data, identity.metadata))
    sealed = seal(*writing.who(identity), *values, identity.fingerprint, identity.rules, identity.key)
    row = connection.execute("SELECT seal FROM run WHERE run_id = ?", (identity.run_id,)).fetchone()
    return row is not None and bytes(row[0]) == sealed


def claimed(connection: Link, run_id: str, owner: str, epoch: int, time: Micros) -> bool:
    """Whether a run is claimed by an owner since an instant, and was not moved since: another thread of the owner's would be another instant."""
    return bool(connection.execute(CLAIM, (run_id,)).fetchone() == (owner, epoch, time))


def claim_is_there(connection: Link, answer: tuple[Record, bool], run_id: str, owner: str, time: Micros, *_: Any) -> bool:
    """Whether a run was claimed."""
    return claimed(connection, run_id, owner, answer[0].epoch, time)


def claims_are_there(
    connection: Link, answer: list[tuple[Record, bool]], _workflow_id: str, owner: str, time: Micros, *_: Any
) -> bool:
    """Whether runs were claimed, all together."""
    return all(claimed(connection, record.identity.run_id, owner, record.epoch, time) for record, _ in answer)


WITNESSES: dict[Callable[..., Any], Callable[..., bool]] = {
    writing.begin: run_is_there,
    writing.commit: boundary_is_there,
    writing.claim: claim_is_there,
    writing.claim_next: claims_are_there,
}
