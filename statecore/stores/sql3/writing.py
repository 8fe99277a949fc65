"""The writing half of a store of format 3: each function is given a connection, inside a transaction.

`steps.plain` stores a step where this process knows whose the run is and where its journal ends; the statement itself is the fence. All else goes
through `commit`, which reads that first; it also says why `plain` stored nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from statecore.codec.records import dump_state
from statecore.core import ROOT
from statecore.errors import RunErased, SetAside, StoreUnavailable
from statecore.lifecycles import words as w
from statecore.stores.frames.questions import LAST_NUMBER, event_id
from statecore.stores.rules import (
    ENDED,
    changes,
    check_claim,
    check_entries,
    check_fence,
    check_text,
    clock_text,
    heeds,
    held_text,
    sought,
    until,
)
from statecore.stores.taking import parks_paused
from statecore.stores.votes import votes_stand

from . import answering, beginning, sessions
from .events import EMPTY, Salted, check_keys, check_rows
from .queries import (
    APPEND,
    ASKS,
    DEFINE,
    DEFINED,
    ERASED,
    FENCE,
    KEEP,
    ORDER,
    SETTLE_CLAIMED,
    SETTLE_KEPT,
    TAKE,
    VERSION,
)
from .reading import ruled_puts, unknown
from .rows import hot_digest, sealed
from .shapes import NO_MOVES, list_moves
from .steps import Place, Written, after, covered_event, is_plain, plain, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.core import Micros, State
    from statecore.stores.records import Boundary, Obstacle
    from statecore.stores.sql.link import Link

    from .shapes import MoveLists

STORE = "of format 3"
EACH = 256
"""How many boundaries follow from the stored state at most."""


# -- any boundary ------------------------------------------------------------------------------------------------------------------


def commit(connection: Link, salted: Salted, shapes: MoveLists) -> Place | Obstacle:
    """Store a boundary, and say where its run stands then; or, having stored nothing, what stands against it.

    Raises what the rules raise.
    """
    boundary = salted.boundary
    place = fenced(connection, salted)
    if place is None:
        return True
    check_entries(boundary, place.phase)
    check_text(boundary.session_state)
    check_rows(boundary)
    check_keys(each.key for each in boundary.decisions)
    asks = answering.asks(boundary) or parks_paused(boundary)
    answers = answering.judged(connection, boundary, place.run, place.phase, salted) if asks else None
    if isinstance(answers, tuple):
        return answers
    claim = boundary.claim
    if claim is not None and claim.identity is None and changes(boundary):
        connection.execute(TAKE, (place.epoch, place.run))
    definition = place.definition
    if boundary.definition is not None:
        definition = defined_at(connection, *boundary.definition)
        place = place._replace(definition=definition, fingerprint=boundary.definition[0])
    place = append(connection, salted, place, answers, shapes)
    if len(salted.parts) == 1 and is_plain(boundary) and place.boundary - place.stored < EACH:
        return place
    return settle(connection, boundary, place)


def commit_all(
    connection: Link, several: Sequence[tuple[Salted, Written | None, Place | None]], shapes: MoveLists
) -> list[Place | Obstacle]:
    """Store several boundaries; a plain step comes with its event. Raises what the rules raise for the first that they refuse."""
    places: list[Place | Obstacle] = []
    for salted, event, place in several:
        # one that is alone may have been refused by a guard before: then `commit` says why
        if len(several) > 1 and event is not None and place is not None and plain(connection, event, place.run, place.epoch):
            places.append(after(place, salted.parts[0], event, place.boundary + 1))
        else:
            places.append(commit(connection, salted, shapes))
    return places


def fenced(connection: Link, salted: Salted) -> Place | None:
    """Where a boundary may go on, under the claim that it makes or that there is; None where a cancellation waits."""
    boundary, claim = salted.boundary, salted.boundary.claim
    if claim is not None and claim.identity is not None and claim.identity.run_id == boundary.run_id:
        place = begin(connection, salted)
        check_fence(boundary, 0, 0)
        return place
    place = place_of(connection, boundary.run_id)
    if claim is not None:
        check_claim(boundary.run_id, place.owner, place.lease, boundary.time)
        if place.aside is not None:
            raise SetAside(boundary.run_id, clock_text(int(place.aside)))
    check_fence(boundary, place.epoch, place.seq)
    if place.phase in ENDED and boundary.entries:
        check_erased(connection, place.run, boundary.run_id)
    if heeds(boundary, place.cancelled):
        return None
    if claim is not None:
        return place._replace(epoch=place.epoch + 1, order=next_order(connection))
    return place


def check_erased(connection: Link, run: int, run_id: str) -> None:
    """Raise `RunErased` where values of an ended run that is to go on were erased, or are to be."""
    row = connection.execute(ERASED, (run,)).fetchone()
    if row is not None:
        raise RunErased(run_id, row[0], clock_text(row[1]))


def place_of(connection: Link, run_id: str) -> Place:
    """Where a run stands, and whose it is; in Postgres it is locked. Raises `UnknownRun`."""
    row = connection.execute(FENCE, (sought(run_id),)).fetchone()
    if row is None:
        raise unknown(connection, run_id)
    run, epoch, phase, order, owner, lease, cancelled, ended, definition, fingerprint, stored, head = row[:12]
    last, seq, boundary, linked, version, session, workflow, aside = row[12:]
    if version != VERSION:
        raise StoreUnavailable(STORE, f"a newer release has migrated it to format {version}")
    number, boundary = (last or 0) & LAST_NUMBER, boundary or 0
    chain = bytes(head if linked is None else linked)
    since = boundary - (number - stored)  # a boundary has an event at least
    whose = (run, epoch, phase, order, definition, fingerprint)
    return Place(*whose, number, seq or 0, boundary, chain, since, ended, session, workflow, owner, lease, cancelled, aside)


def begin(connection: Link, salted: Salted) -> Place:
    """A new run, at its beginning, under the claim of its first boundary."""
    new = beginning.insert(connection, salted, next_order(connection))
    whose = (new.run, 1, w.pending, new.order, new.definition, new.fingerprint)
    return Place(*whose, 0, 0, 0, new.digest, 0, None, new.session, new.workflow, None, None, None)


def next_order(connection: Link) -> int:
    """The count of a claim across runs that is next."""
    order: int = connection.execute(ORDER).fetchone()[0]
    return order


def defined_at(connection: Link, fingerprint: str, canonical: str) -> int:
    """The number of a definition, which is stored where it is not."""
    row = connection.execute(DEFINED, (fingerprint,)).fetchone()
    if row is None:
        connection.execute(DEFINE, (fingerprint, canonical))
        row = connection.execute(DEFINED, (fingerprint,)).fetchone()
    number: int = row[0]
    return number


def append(connection: Link, salted: Salted, place: Place, answers: answering.Answers | None, shapes: MoveLists) -> Place:
    """Append the events of a boundary, with the questions that they put and close, and the session state that they leave."""
    boundary, parts, listed = salted.boundary, list(salted.parts), list(salted.shapes)
    state = session_before(connection, salted, place)
    spare = answers.without_a_row(parts) if answers is not None else 0
    if not parts and (state is not None or answers is not None):
        spare = max(spare, 1)
    parts, listed = [EMPTY] * spare + parts, [NO_MOVES] * spare + listed
    number, last = place.boundary + 1, len(parts) - 1
    shared = answers.shared(parts) if answers is not None else {}
    for n, (part, shape) in enumerate(zip(parts, listed, strict=True)):
        salt, event = salted.salt(f"event {n}"), event_id(place.run, place.number + 1)
        kept = sessions.commitments(salt, sessions.changed(*state)[0])[0] or None if state is not None and n == last else None
        asked = answers.asked(event, salted) if answers is not None and n == last else []
        put = shared.get(n)
        decided = put.decision if put is not None else None
        new = written(
            boundary.run_id, place, part, shape, salt, boundary.time, session=kept, asked=asked, decided=decided, boundary=number
        )
        if shape.number is None:
            list_moves(connection, event, shape, shapes.legal)
        laid = covered_event(connection, new) if hasattr(connection, "keys") else new
        connection.execute(APPEND, laid.row)
        for slot, body in laid.apart:
            connection.execute(KEEP, (event, slot, body))
        if state is not None and n == last:
            sessions.write(connection, place.run, (place.session, place.workflow), event, *state, salt)
        if answers is not None:
            answers.close(connection, put, event)
            if n == last:
                answers.finish(connection, place.workflow, event, salted)
        place = after(place, part, new, number)
    return place


def session_before(connection: Link, salted: Salted, place: Place) -> tuple[sessions.Keyed, sessions.Keyed] | None:
    """The session state before and after a boundary; None where it does not change."""
    boundary = salted.boundary
    new = boundary.claim is not None and boundary.claim.identity is not None
    text = boundary.session_state
    if text is None and new and boundary.claim is not None:
        text = boundary.claim.session_state
    if text is None:
        return None
    before = {} if new else sessions.read(connection, place.run)
    wanted = sessions.split(text)
    return (before, wanted) if before != wanted or list(before) != list(wanted) else None


# -- where a run stands ------------------------------------------------------------------------------------------------------------


def settle(connection: Link, boundary: Boundary, place: Place) -> Place:
    """Store where a run stands after a boundary, and whose it is."""
    claim = boundary.claim
    owner: str | None = None
    lease: Micros | None = None
    if not boundary.parks:
        owner, lease = (claim.owner, boundary.lease) if claim is not None else (place.owner, boundary.lease or place.lease)
    ended = (place.ended or boundary.time) if place.phase in ENDED else None
    if ended is not None and any(entry.at == ROOT for entry in boundary.entries):
        ended = boundary.time
    place = place._replace(ended=ended, stored=place.boundary, owner=owner, lease=lease)
    stands(
        connection,
        boundary.run_id,
        place,
        owner,
        lease,
        Stands(boundary.state, boundary.held, boundary.time),
        claims=claim is not None,
    )
    return place


class Stands(NamedTuple):
    """The state of a run, where its outputs lie, and since when."""

    state: Any
    held: Any
    updated: Micros


def stands(  # noqa: PLR0913  # all that `hot` says
    connection: Link, run_id: str, place: Place, owner: str | None, lease: Micros | None, standing: Stands, *, claims: bool
) -> None:
    """Write the row of `hot`, and seal it."""
    state, held = dump_state(standing.state), held_text(standing.held)
    columns = {
        "phase": place.phase,
        "claim_order": place.order,
        "owner": owner,
        "epoch": place.epoch,
        "definition": place.fingerprint,
        "number": place.number,
        "head": place.head,
        "state": state,
        "held": held,
        "ended_us": place.ended,
    }
    kid, seal = sealed(connection, hot_digest(run_id, columns))
    wakes = wake(connection, place, standing.state) if owner is None else 0
    whose = (owner, place.epoch, lease, wakes, place.definition)
    values = (*whose, place.number, place.head, state, held, standing.updated, place.ended, seal, kid)
    if claims:
        connection.execute(SETTLE_CLAIMED, (*values, place.order, place.run))
    else:
        connection.execute(SETTLE_KEPT, (*values, place.run))


def wake(connection: Link, place: Place, state: State) -> Micros | None:
    """From when on there is something to do for a run that nobody executes: 0 now, None never."""
    if place.phase in ENDED:
        return None
    delayed = until(state)
    if place.phase != w.paused and delayed is None:
        return 0
    due, decided, rules = connection.execute(ASKS, (place.run,)).fetchone()
    decided = decided or (rules and votes_stand([put.waiting for put in ruled_puts(connection, place.run)]))
    due = min((each for each in (due, delayed) if each is not None), default=None)
    found: Micros | None = 0 if decided or place.cancelled is not None else due
    return found
