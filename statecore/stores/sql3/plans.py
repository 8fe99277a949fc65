"""Plans: what the plain steps with equal rows have in common is found once, and kept. No plan holds a body, a person or a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from attrs import define, field

from statecore.stores.frames.chain import optional_text, placed, step_hash, step_middle
from statecore.stores.frames.framing import row_commitment
from statecore.stores.frames.questions import LAST_NUMBER, NUMBER_BITS
from statecore.stores.rules import ENDED

from .events import SHORT, cut
from .steps import INLINE, VALUE, Place, Written, is_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.stores.records import Boundary, Entry

    from .shapes import MoveList

REMEMBERED = 16_384
"""How many plans a store keeps."""

Likeness = tuple[tuple[Any, ...], ...]
"""The rows of a boundary without their numbers, their time and their value."""


class Plan(NamedTuple):
    """A plain step: its list of moves, how many there are, which of them brings a value (-1: none), and its constant columns and parts."""

    shape: int
    moves: int
    brings: int
    place: str | None
    fact: str | None
    middle: bytes
    said: bytes


def likeness(entries: Sequence[Entry]) -> Likeness:
    """The part of rows that is the same in all boundaries of one plan."""
    return tuple([(*entry[1:8], entry[9][0], entry[9][1] is None) for entry in entries])


def plan_of(boundary: Boundary, shape: MoveList) -> Plan | None:
    """The plan of a plain step whose rows were checked; None where a row tells of a person, or more than other runs will tell again."""
    parts, entries = cut(boundary), boundary.entries
    if len(parts) != 1 or shape.number is None or not is_plain(boundary):
        return None
    [part] = parts
    if part.by is not None or part.note is not None or sum(len(entry.body.detail) for entry in entries) > SHORT:
        return None
    brings = next((n for n, entry in enumerate(entries) if entry.body.value is not None), -1)
    place = placed([(entry.turn, entry.attempt) for entry in entries])
    middle = step_middle(shape.digest, place)
    return Plan(shape.number, len(entries), brings, place, part.fact, middle, optional_text("fact", part.fact))


def stands_there(boundary: Boundary, place: Place) -> bool:
    """Whether the rows of a plain step, which were checked by themselves, are next in a run that goes on."""
    seq = place.seq
    for entry in boundary.entries:
        seq += 1
        if entry[0] != seq:
            return False
    phase = place.phase
    return phase not in ENDED and boundary.state.run == phase and place.number < LAST_NUMBER


def planned(boundary: Boundary, place: Place, plan: Plan, salt: bytes) -> Written:
    """`steps.written` of a plain step by its plan. Raises `UnicodeEncodeError` for a value with a lone surrogate."""
    number, at = place.number + 1, place.boundary + 1
    body = kept = commitment = apart_c = None
    apart: list[tuple[str, bytes]] = []
    if plan.brings >= 0:
        text: Any = boundary.entries[plan.brings].body.value
        body, kept = text.encode(), salt
        commitment = row_commitment(salt, VALUE, body)
        if len(body) > INLINE:
            apart.append(("value", body))
            body, apart_c = None, commitment
    numbers = (number, at, place.epoch)
    link = step_hash(place.head, boundary.run_id, numbers, plan.middle, boundary.time, plan.said, commitment)
    event = place.run << NUMBER_BITS | number
    where = (event, place.run, at, place.epoch, plan.shape, plan.place, place.seq + plan.moves, boundary.time, plan.fact)
    return Written((*where, None, None, body, kept, None, None, apart_c, None, link), apart, link)


@define
class Plans:
    """The plans of a store, by likeness."""

    by_likeness: dict[Likeness, Plan] = field(factory=dict)

    def remember(self, of: Likeness, plan: Plan) -> Plan:
        """Keep a plan."""
        if len(self.by_likeness) >= REMEMBERED:
            self.by_likeness.clear()
        self.by_likeness[of] = plan
        return plan
