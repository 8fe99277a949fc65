"""Runs that can go on are claimed in the order of their waiting, inside a transaction that may write; a run that cannot be read keeps no other."""
# statements are put together of the constants of `reading`; values are bound

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from attrs import evolve

from statecore.errors import UnknownRun
from statecore.stores.links import seal
from statecore.stores.owner import alive
from statecore.stores.records import Listing, Record
from statecore.stores.rules import bounded, check_claim, sought

from . import reading
from .reading import CLAIM, FENCE, FREE, HELD, STILL
from .rows import readable
from .writing import next_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from statecore.core import Micros

    from .link import Link
    from .reading import Definitions

Claimed: TypeAlias = tuple[Record, bool]
"""A run that was claimed, and whether its owner before had left it."""
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


class Free(Protocol):
    """The runs that nobody executes and that can go on: at most so many, without some, the one that waits longest first."""

    def __call__(self, left_out: str, skipped: Sequence[Any], most: int, /) -> Iterable[Sequence[str]]:
        """Rows of run ids; `left_out` is the condition that leaves out those that are `skipped`."""


def left_out_of(skipped: Sequence[Any]) -> str:
    """The condition that leaves out some runs."""
    return f"AND r.run_id NOT IN ({', '.join('?' * len(skipped))})" if skipped else ""


def handed_out(
    free: Free, held: Callable[[], Iterable[str]], taken_one: Callable[[str], Claimed], most: int, but: Collection[str]
) -> Listing[Claimed]:
    """Up to `most` runs, claimed: free ones, then those whose owner is gone. One that cannot be read is left as it is, and named (P23)."""
    skipped, taken = list(map(sought, but)), Listing[Claimed]()

    def takes(run_ids: Iterable[Sequence[str]]) -> bool:
        """Whether all of these runs could be read."""
        found = readable(run_ids, lambda row: taken_one(row[0]))
        taken.extend(found)
        taken.unread += found.unread
        skipped.extend(each.run_id for each in found.unread)
        return not found.unread

    while len(taken) < most and len(taken.unread) < MANY_BAD:
        if takes(list(free(left_out_of(skipped), skipped, most - len(taken)))):
            break
    if len(taken) < most:
        mine = {record.identity.run_id for record, _ in taken}
        for run_id in held():
            if len(taken) < most and run_id not in skipped and run_id not in mine:
                takes([(run_id,)])
    return taken


def left_behind(connection: Link, rows: Iterable[tuple[str, str, Micros | None]], still: str, time: Micros) -> Iterator[str]:
    """The runs of some owners that are gone; asked again under a lock when it is their turn."""
    for run_id, holder, lasts in rows:
        if not alive(holder, lasts, time) and connection.execute(still, (run_id, holder, lasts)).fetchone():
            yield run_id


def nothing_waits(
    free: Iterable[Sequence[str]], rows: Iterable[tuple[str, str, Micros | None]], but: Collection[str], time: Micros
) -> bool:
    """Whether there is no free run, and no owner of the others is gone."""
    return not any(True for _ in free) and not any(
        run_id not in but and not alive(owner, lease, time) for run_id, owner, lease in rows
    )


def is_idle(connection: Link, workflow_id: str, time: Micros, but: Collection[str]) -> bool:
    """Whether no run of a workflow can go on. It takes no lock: an idle worker is in the way of no writer (P26)."""
    skipped = list(map(sought, but))
    free = connection.execute(f"{FREE} {left_out_of(skipped)} LIMIT 1", (*asked(workflow_id, time), *skipped)).fetchall()
    return nothing_waits(free, () if free else connection.execute(HELD, (sought(workflow_id),)).fetchall(), but, time)


def asked(workflow_id: str, time: Micros) -> tuple[Any, ...]:
    """The values of `FREE`."""
    name, now = sought(workflow_id), bounded(time)
    return name, name, now, now, name


def claim_next(  # noqa: PLR0913  # as many as there is to say of a claim
    connection: Link,
    workflow_id: str,
    owner: str,
    time: Micros,
    lease: Micros | None,
    most: int,
    but: Collection[str],
    known: Definitions,
) -> Listing[Claimed]:
    """Take runs that can go on: those that nobody executes, then those whose owner is gone; what others are taking just now is passed over."""
    name = sought(workflow_id)

    def free(left_out: str, skipped: Sequence[Any], least: int) -> Iterable[Sequence[str]]:
        statement = f"{FREE} {left_out} ORDER BY +r.turned LIMIT ? /*pg FOR UPDATE OF r SKIP LOCKED*/"
        return connection.execute(statement, (*asked(workflow_id, time), *skipped, least)).fetchall()

    def held() -> Iterable[str]:
        rows = connection.execute(f"{HELD} ORDER BY +r.turned", (name,)).fetchall()
        return left_behind(connection, rows, STILL, time)

    return handed_out(free, held, lambda run_id: take(connection, run_id, owner, time, lease, known), bounded(most), but)
