"""One event as a row, and the plain step: one statement, whose SELECT is the fence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from statecore.core import ROOT
from statecore.stores.frames.chain import event_hash, placed
from statecore.stores.frames.framing import row_commitment
from statecore.stores.frames.questions import event_id

from .ciphers import keys_of
from .covering import covered, enciphered
from .queries import KEEP, PLAIN
from .rows import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.core import Micros
    from statecore.stores.records import Boundary
    from statecore.stores.sql.link import Link

    from .events import Part
    from .shapes import MoveList

COMMITTED = tuple([f"event.{slot}" for slot in SLOTS])
VALUE = "event.value"
INLINE = 1_024
"""The most bytes of a body that lies with its event; a larger one lies in `value`."""


class Place(NamedTuple):
    """Where a run stands: its number, whose it is, where its journal ends, and up to which boundary its state is stored."""

    run: int
    epoch: int
    phase: str
    order: int
    definition: int
    fingerprint: str
    number: int
    seq: int
    boundary: int
    head: bytes
    stored: int
    ended: Micros | None
    session: int
    workflow: int
    owner: str | None
    lease: Micros | None
    cancelled: Micros | None
    aside: str | None = None


class Written(NamedTuple):
    """An event that is to be inserted: its columns, and the bodies that lie apart."""

    row: tuple[Any, ...]
    apart: list[tuple[str, bytes]]
    hash: bytes


# -- events ------------------------------------------------------------------------------------------------------------------------


def written(  # noqa: PLR0913  # all that an event's link covers
    run_id: str,
    place: Place,
    part: Part,
    shape: MoveList,
    salt: bytes,
    time: Micros,
    *,
    session: bytes | None = None,
    asked: Sequence[bytes] = (),
    decided: bytes | None = None,
    boundary: int | None = None,
) -> Written:
    """The next event of a run, as a row. Raises `OutsideFormat` beyond the last number."""
    number, boundary = place.number + 1, place.boundary + 1 if boundary is None else boundary
    kept = salt if session is not None else None
    bodies: list[bytes | None] = [None, None, None]
    commitments: list[bytes | None] = [None, None, None]
    apart_c: list[bytes | None] = [None, None, None]
    apart: list[tuple[str, bytes]] = []
    for n, text in enumerate((part.by, part.note, part.value)):
        if text is None:
            continue
        body, kept = text.encode(), salt
        commitments[n] = row_commitment(salt, COMMITTED[n], body)
        if len(body) > INLINE:
            apart.append((SLOTS[n], body))
            apart_c[n] = commitments[n]
        else:
            bodies[n] = body
    turns = None
    for entry in part.entries:
        if entry.turn or entry.attempt:
            turns = placed([(each.turn, each.attempt) for each in part.entries])
            break
    numbers = (number, boundary, place.epoch)
    chain = event_hash(
        place.head, run_id, numbers, shape.digest, turns, time, part.fact, commitments, session, b"".join(asked) or None, decided
    )
    event = event_id(place.run, number)
    where = (event, place.run, boundary, place.epoch, shape.number, turns, place.seq + len(part.entries), time, part.fact)
    return Written((*where, *bodies, kept, *apart_c, session, chain), apart, chain)


BODIES, SALT, KEPT = 9, 12, 13
"""Where an event's bodies, its salt and its commitments lie in its row."""


def covered_event(connection: Link, event: Written) -> Written:
    """An event as it is inserted."""
    keys, row = keys_of(connection), event.row
    salt = row[SALT]
    if keys.cipher is None or salt is None:
        return event
    inline = covered(connection, salt, COMMITTED, row[BODIES:SALT])
    kept = [made or c for made, c in zip(inline.kept, row[KEPT : KEPT + 3], strict=True)]
    apart = [(slot, enciphered(keys, salt, f"event.{slot}", body)) for slot, body in event.apart]
    return event._replace(row=(*row[:BODIES], *inline.bodies, None, *kept, *row[KEPT + 3 :]), apart=apart)


def after(place: Place, part: Part, event: Written, boundary: int) -> Place:
    """Where a run stands after an event."""
    phase = next((entry.dest for entry in reversed(part.entries) if entry.at == ROOT), place.phase)
    return moved(place, event, boundary)._replace(phase=phase)


def moved(place: Place, event: Written, boundary: int) -> Place:
    """Where a run stands after an event that leaves its phase."""
    return Place._make((*place[:6], place[6] + 1, event.row[6], boundary, event.hash, *place[10:]))


def is_plain(boundary: Boundary) -> bool:
    """Whether a boundary is a step and no more: its state follows from its rows, and nothing else of the run changes."""
    return is_bare(boundary) and all(entry.at != ROOT for entry in boundary.entries)


def is_bare(boundary: Boundary) -> bool:
    """Whether a boundary has rows that its state follows from, and nothing else."""
    if not boundary.follows or boundary.parks or boundary.lease is not None or boundary.claim is not None:
        return False
    if boundary.opened or boundary.closed or boundary.decisions or boundary.session_state is not None:
        return False
    return boundary.definition is None


def plain(connection: Link, event: Written, run: int, epoch: int) -> bool:
    """Store a plain step; False, having stored nothing, where the fence refuses it. The tables refuse what does not follow."""
    if hasattr(connection, "keys"):
        event = covered_event(connection, event)
    if connection.execute(PLAIN, (*event.row, run, epoch)).rowcount != 1:
        return False
    for slot, body in event.apart:
        connection.execute(KEEP, (event.row[0], slot, body))
    return True
