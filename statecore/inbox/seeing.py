"""The right to see: one function decides it for the API, the pages and the stream.

A question is seen by those who may decide it, now or after an escalation, who decided it, and who requested its run; a question without an
Approval is everybody's. A run is seen by its requester and by those who may see a question of it, or may decide at one of its gates.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import field, frozen

from statecore.asking.votes import may_ever, may_now, voting_of
from statecore.core import stored_program
from statecore.definition.approval import Person
from statecore.stores import PauseFilter
from statecore.stores.votes import VOTE

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.core.rule import Rule
    from statecore.stores import Record, RunReader, Waiting

MOST = 1_000
"""The most open questions of one run that are looked at."""
__all__ = ["NO_READERS", "Person", "Readers", "Sight", "is_mine", "may_see", "may_see_run", "seats_of", "sight_of"]


def names(given: Iterable[str]) -> frozenset[str]:
    """Any iterable of names, without order."""
    return frozenset(given)


def seats_of(person: Person) -> frozenset[str]:
    """The seats that a person may take: `person:NAME`, and `role:NAME` for each role."""
    return frozenset({f"person:{person.name}", *[f"role:{role}" for role in person.roles]})


@frozen
class Sight:
    """The facts of a question that the rule reads: its seats, None where every person has one; the persons who decided, and who requested the run.

    `waits_for` are the seats of those who may decide now, without those whom it no longer waits for (`but`).
    """

    seats: frozenset[str] | None
    people: frozenset[str]
    requester: str | None
    waits_for: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()


@frozen
class Readers:
    """The seats that see everything, beside those whom a question concerns: `role:auditor`."""

    seats: frozenset[str] = field(default=frozenset(), converter=names)
    everyone: bool = False


NO_READERS = Readers()


def may_see(person: Person, sight: Sight, readers: Readers = NO_READERS) -> bool:
    """Whether a person may see a question, with its run and its values."""
    if sight.seats is None or readers.everyone:
        return True
    return (
        person.name == sight.requester
        or person.name in sight.people
        or not seats_of(person).isdisjoint(sight.seats | readers.seats)
    )


def is_mine(person: Person, sight: Sight) -> bool:
    """Whether a question waits for this person in particular; one that is everybody's is nobody's own."""
    return person.name not in sight.but and not seats_of(person).isdisjoint(sight.waits_for)


def sight_of(row: Waiting, now: Micros | None = None) -> Sight:
    """The facts of a stored question that the rule reads, at an instant."""
    requester = row.requester or row.user_id
    voting = voting_of(row, row.pause.opened if now is None else now)
    if voting is None:
        return Sight(None, frozenset({row.decided.by or ""} if row.decided is not None else ()), requester)
    barred = {voting.ballot.requester or ""} if voting.rule.requester else set()
    voted = frozenset(act.by or "" for act in row.acts if act.kind == VOTE)
    but = voted | barred | (voting.ballot.deciders if voting.rule.gates else frozenset())
    seats = None if voting.rule.of == () else frozenset(may_ever(voting.rule))
    return Sight(seats, voted, requester, frozenset(may_now(voting)), but)


# -- runs --------------------------------------------------------------------------------------------------------------------------


def may_see_run(person: Person, record: Record, db: RunReader, readers: Readers = NO_READERS) -> bool:
    """Whether a person may see a run, with its values. A run without an Approval is everybody's; only of another one questions are read."""
    identity, rules = record.identity, rules_of(record.identity.canonical)
    if any(rule.of == () for rule in rules) or not rules or readers.everyone:
        return True
    if person.name == (identity.requester or identity.user_id):
        return True
    seats = seats_of(person)
    if not seats.isdisjoint(readers.seats) or any(not seats.isdisjoint(may_ever(rule)) for rule in rules):
        return True
    run_id = identity.run_id
    decided = (db.pause(run_id, each.pause_id) for each in db.decisions(run_id))
    rows = [*db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=MOST)), *(row for row in decided if row is not None)]
    return any(may_see(person, sight_of(row), readers) for row in rows)


@lru_cache(maxsize=256)
def rules_of(canonical: str) -> tuple[Rule, ...]:
    """The rules of who may decide that a stored program has."""
    return tuple(node.rule for node in stored_program(canonical).nodes.values() if node.rule is not None)
