"""The right to see: one function decides it for the API, the pages and the stream.

A question is seen by those who may decide it, who decided it, and who requested its run; a question without an Approval is everybody's. All that
the rule reads are columns of a store, so that a listing can ask for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import field, frozen

from statecore.definition.approval import Person

if TYPE_CHECKING:
    from statecore.stores import Record, Waiting

__all__ = ["NO_READERS", "Person", "Readers", "Sight", "is_mine", "may_see", "may_see_run", "seats_of", "sight_of"]


def names(given: Iterable[str]) -> frozenset[str]:
    """Any iterable of names, without order."""
    return frozenset(given)


def seats_of(person: Person) -> frozenset[str]:
    """The seats that a person may take: `person:NAME`, and `role:NAME` for each role."""
    return frozenset({f"person:{person.name}", *[f"role:{role}" for role in person.roles]})


@frozen
class Sight:
    """The facts of a question that the rule reads: its seats (None where it has no Approval), and the persons who decided it and requested its run."""

    seats: frozenset[str] | None
    decided_by: str | None
    requester: str | None


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
    return person.name in (sight.decided_by, sight.requester) or not seats_of(person).isdisjoint(sight.seats | readers.seats)


def is_mine(person: Person, sight: Sight) -> bool:
    """Whether a question waits for this person in particular; one without an Approval is everybody's, and is nobody's own."""
    return sight.seats is not None and not seats_of(person).isdisjoint(sight.seats)


def sight_of(row: Waiting) -> Sight:
    """The facts of a stored question that the rule reads. This release stores no Approval."""
    return Sight(None, row.decided.by if row.decided is not None else None, row.user_id)


def may_see_run(person: Person, record: Record, questions: list[Waiting], readers: Readers = NO_READERS) -> bool:
    """Whether a person may see a run: who requested it, or who may see a question of it; one without questions is everybody's."""
    sights = [sight_of(row) for row in questions]
    return record.identity.user_id == person.name or not sights or any(may_see(person, each, readers) for each in sights)
