"""The owner of a run: claims that are handed out, renewed and given back, and requests to cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.errors import ClaimLost, UnreadableValue
from statecore.stores.owner import alive
from statecore.stores.records import Listing
from statecore.stores.rules import ENDED, bounded, check_claim, sought
from statecore.stores.sql.claiming import handed_out, left_behind, left_out_of
from statecore.stores.votes import LAPSE, WITHDRAWAL

from . import answering, reading
from .queries import CANCEL, DUE, FREE, HELD, NAME, READY, RENEW, REST, STILL, WORKFLOW
from .questions import body_of, laid
from .rows import cancel_digest
from .writing import Stands, next_order, place_of, stands, wake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from statecore.core import Micros
    from statecore.stores.acts import Act
    from statecore.stores.records import Record
    from statecore.stores.sql.claiming import Claimed
    from statecore.stores.sql.link import Link

    from .reading import Known


LOCKED = "/*pg FOR UPDATE OF h SKIP LOCKED*/"
SOME = 10
"""Of how many runs whose instants have come the one claimed longest ago goes first."""


def take(  # noqa: PLR0913  # a run, its claim, and what is known
    connection: Link, run_id: str, owner: str, time: Micros, lease: Micros | None, known: Known
) -> Claimed:
    """Claim a run that is handed out, and store its state. Raises `UnknownRun`, `RunBusy`, `UnreadableValue`."""
    place = place_of(connection, run_id)
    doubtful = check_claim(run_id, place.owner, place.lease, time)
    record = reading.record(connection, run_id, known)
    place = place._replace(epoch=place.epoch + 1, order=next_order(connection))
    stands(connection, run_id, place, owner, lease, Stands(record.state, record.held, time), claims=True)
    return evolve(record, owner=owner, epoch=place.epoch, lease=lease, updated=time), doubtful


def number_of(connection: Link, workflow_id: str) -> int | None:
    """The number of a workflow; None where it has no run."""
    row = connection.execute(WORKFLOW, (sought(workflow_id),)).fetchone()
    return None if row is None else int(row[0])


def is_idle(connection: Link, workflow_id: str, time: Micros, but: Collection[str]) -> bool:
    """Whether no run of a workflow can go on. It takes no lock: an idle worker is in the way of no writer (P26)."""
    number, skipped = number_of(connection, workflow_id), list(map(sought, but))
    if number is None:
        return True
    statement = f"{READY} {left_out_of(skipped)} ORDER BY h.workflow, h.wake_us LIMIT 1"
    first = connection.execute(statement, (number, number, *skipped)).fetchone()
    if first is not None and first[1] <= bounded(time):
        return False
    return not any(run_id not in but for run_id, *_ in gone(connection, number, time))


def gone(connection: Link, workflow: int, time: Micros) -> list[tuple[str, str, Micros | None]]:
    """The runs of a workflow whose owners are gone, the one claimed longest ago first: its id, its owner and its lease."""
    rows = connection.execute(HELD, (workflow, workflow)).fetchall()
    left = sorted((row for row in rows if not alive(row[1], row[2], time)), key=lambda row: row[3])
    return [(connection.execute(NAME, (run,)).fetchone()[0], owner, lease) for run, owner, lease, _ in left]


def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
    connection: Link,
    workflow_id: str,
    owner: str,
    time: Micros,
    lease: Micros | None,
    most: int,
    but: Collection[str],
    known: Known,
) -> Listing[Claimed]:
    """Take runs that can go on: those that nobody executes, then those whose owner is gone; what others are taking just now is passed over."""
    number = number_of(connection, workflow_id)
    if number is None:
        return Listing()

    def free(left_out: str, skipped: Sequence[Any], least: int) -> Iterable[Sequence[str]]:
        waiting = f"{FREE} {left_out} ORDER BY h.workflow, h.wake_us, h.claim_order LIMIT ? {LOCKED}"
        due = f"{DUE} {left_out} ORDER BY h.workflow, h.wake_us LIMIT ? {LOCKED}"
        found = connection.execute(waiting, (number, number, *skipped, least)).fetchall()
        found += connection.execute(due, (number, number, bounded(time), *skipped, max(least, SOME))).fetchall()
        return sorted(found, key=lambda row: row[2])[:least]

    def held() -> Iterable[str]:
        return left_behind(connection, gone(connection, number, time), STILL, time)

    return handed_out(free, held, lambda run_id: take(connection, run_id, owner, time, lease, known), bounded(most), but)


def renew(connection: Link, run_id: str, epoch: int, lease: Micros) -> None:
    """Let a claim last longer. Raises `UnknownRun`, `ClaimLost`."""
    number = reading.number_of(connection, run_id)
    if connection.execute(RENEW, (lease, number, epoch)).rowcount == 0:
        raise ClaimLost(run_id)


def release(connection: Link, run_id: str, epoch: int, known: Known) -> None:
    """Give a claim back, if it is still this one, and store the state. Raises `UnknownRun`."""
    place = place_of(connection, run_id)
    if place.epoch != epoch or place.owner is None:
        return
    record = reading.record(connection, run_id, known)
    stands(connection, run_id, place, None, None, Stands(record.state, record.held, record.updated), claims=False)


def request_cancel(  # noqa: PLR0913  # a run, the request, and what is known
    connection: Link, run_id: str, by: str | None, time: Micros, salt: bytes, known: Known
) -> Record:
    """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
    place = place_of(connection, run_id)
    if place.cancelled is None and place.phase not in ENDED:
        kept = None if by is None else salt
        bodies, commitments, row_salt = laid(connection, kept, ("cancel.by",), (body_of(by),))
        seal = cancel_digest(run_id, by, time, kept)
        connection.execute(CANCEL, (time, *bodies, row_salt, seal, *commitments, place.run))
    return reading.record(connection, run_id, known)


def act(connection: Link, new: Act, known: Known) -> Act:
    """Store what a person did about a question; where votes are gone by it, a run that is parked rests as if they had not been."""
    stored = answering.act(connection, new)
    if stored.kind in (WITHDRAWAL, LAPSE):
        place = place_of(connection, new.run_id)
        if place.owner is None:
            try:
                state = reading.record(connection, new.run_id, known).state
            except UnreadableValue:  # a worker says so, as of every run that it cannot read
                return stored
            connection.execute(REST, (wake(connection, place, state), place.run))
    return stored
