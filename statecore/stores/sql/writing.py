"""The writing statements of a store in tables: each function takes a connection inside a transaction that may write.

Each begins by reading the run's row and taking its place: in SQLite a writer has the whole file, in Postgres the row is locked (`LOCK`).
So whatever is read after that stays as it is until the transaction ends.
"""
# statements are put together of the constants of `reading`; values are bound

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.codec.records import dump_state
from statecore.core import BEGINNING, Micros
from statecore.errors import ClaimLost, DuplicateRun, DuplicateStart, UnknownPause, UnknownRun
from statecore.stores.links import GENESIS, digest, link, seal
from statecore.stores.records import Boundary, Decided, Identity, Obstacle, Record, Text
from statecore.stores.rules import (
    ENDED,
    LEGAL,
    check_beginning,
    check_claim,
    check_entries,
    check_fence,
    check_key,
    check_pauses,
    check_text,
    heeds,
    held_text,
    judge,
    place_of,
    sought,
    turn_text,
    until,
)
from statecore.stores.taking import judge_all, parks_paused, waiting_decisions

from . import reading
from .reading import (
    ADOPT,
    ADVANCE,
    APPEND,
    ASK,
    BEGIN,
    CLAIMED,
    DECIDE,
    DEFINE,
    DEFINED,
    FENCE,
    KEEP,
    NUMBER,
    PARK,
    SEALED,
    SETTLE,
    TURN,
    USED,
)
from .rows import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .link import Link
    from .reading import Definitions, Move

    Moves = Mapping[Move, int]

BEGUN = dump_state(BEGINNING)
PAUSE_OPEN = """
CREATE UNIQUE INDEX pause_open ON pause (run, at, turn, (CASE WHEN kind = 'question' THEN pause_id ELSE '' END)) WHERE closed IS NULL"""


def learn_moves(connection: Link) -> None:
    """Add the moves of this release's lifecycles that a database does not know yet, inside the caller's transaction.

    With them comes the index of open questions: a store of an earlier release knows no code that asks several at once.
    """
    index_questions(connection)
    connection.executemany('INSERT INTO legal (machine, source, "trigger", dest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', LEGAL)


def index_questions(connection: Link) -> None:
    """Have a component one open question, or several of its code (ASK-2)."""
    connection.execute("DROP INDEX IF EXISTS pause_open")
    connection.execute(PAUSE_OPEN)


def keep(connection: Link, *texts: Text) -> list[bytes]:
    """Keep values by their content; their addresses."""
    addresses = list(map(digest, texts))
    connection.executemany(
        KEEP, sorted(zip(addresses, texts, strict=True))
    )  # in one order, so that no two writers wait for each other
    return addresses


class Place(NamedTuple):
    """Where a boundary goes on: the key, head and phase of its run, and the columns that the seal of its lease covers besides the owner."""

    number: int
    chain: bytes
    phase: str
    epoch: int
    turned: int
    cancel_by: str | None
    cancel_requested: Micros | None
    turns: bool = False
    """Whether the boundary claims a run that was there: then `epoch` and `turned` are new, and not yet in its row."""


def insert(connection: Link, identity: Identity, session_state: Text, claim: tuple[str, Micros | None, Micros]) -> Place:
    """Store a new run, claimed by an owner for as long as a lease lasts, at a time. Raises `DuplicateStart`, `DuplicateRun`, `UnstorableValue`."""
    check_beginning(identity, session_state)
    if identity.key is not None:
        first = connection.execute(
            "SELECT run_id FROM run WHERE workflow_id = ? AND start_key = ?", (identity.workflow_id, identity.key)
        ).fetchone()
        if first is not None:
            raise DuplicateStart(identity.key, first[0])
    if connection.execute("SELECT 1 FROM run WHERE run_id = ?", (identity.run_id,)).fetchone() is not None:
        raise DuplicateRun(identity.run_id)
    values = keep(connection, identity.input, identity.additional_data, identity.metadata)
    sealed = seal(*who(identity), *values, identity.fingerprint, identity.rules, identity.key)
    owner, lease, time = claim
    turned = next_turn(connection)
    claimed = (owner, lease, turned, seal(owner, 1, turned, None, None), time)
    defined = defined_at(connection, identity.fingerprint, identity.canonical)
    what = (*who(identity), *values, defined, identity.rules, identity.key, sealed)
    [(number,)] = connection.execute(BEGIN, (*what, *claimed, BEGUN, BEGINNING.run, GENESIS)).fetchall()
    connection.execute(
        "INSERT INTO session_state (run, text, hash) VALUES (?, ?, ?)", (number, session_state, digest(session_state))
    )
    return Place(number, GENESIS, BEGINNING.run, 1, turned, None, None)


def who(identity: Identity) -> tuple[str | Micros | None, ...]:
    """The columns that say who a run is, and since when."""
    return identity.run_id, identity.workflow_id, identity.workflow_name, identity.session_id, identity.user_id, identity.created


def next_turn(connection: Link) -> int:
    """The next number of the claim order, across runs."""
    turned: int = connection.execute(TURN).fetchone()[0]
    return turned


def defined_at(connection: Link, fingerprint: str, canonical: Text) -> int:
    """The key of a definition, which is stored where it is not; a large one is not written again for each run."""
    row = connection.execute(DEFINED, (fingerprint,)).fetchone()
    if row is None:
        connection.execute(DEFINE, (fingerprint, canonical))
        row = connection.execute(DEFINED, (fingerprint,)).fetchone()
    number: int = row[0]
    return number


def seal_identity(connection: Link, number: int) -> None:
    """Cover what the row of a run says of its identity, once its definition was changed."""
    _, _, *columns = connection.execute(f"{SEALED[0].query} WHERE r.id = ?", (number,)).fetchone()
    connection.execute("UPDATE run SET seal = ? WHERE id = ?", (seal(*columns), number))


def seal_claim(connection: Link, number: int) -> None:
    """Seal the columns of a run's row that a claim, a release or a cancellation has changed."""
    row = connection.execute(CLAIMED, (number,)).fetchone()
    connection.execute("UPDATE run SET claimed = ? WHERE id = ?", (seal(*row), number))


def locked(connection: Link, run_id: str) -> int:
    """The key of a run whose row stays as it is until the transaction ends. Raises `UnknownRun`."""
    row = connection.execute(NUMBER, (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    number: int = row[0]
    return number


def renew(connection: Link, run_id: str, epoch: int, lease: Micros) -> None:
    """Renew the lease of a run. Raises `UnknownRun`, `ClaimLost`."""
    number = locked(connection, run_id)
    found = connection.execute("UPDATE run SET lease = ? WHERE id = ? AND epoch = ? AND owner IS NOT NULL", (lease, number, epoch))
    if found.rowcount == 0:
        raise ClaimLost(run_id)


def release(connection: Link, run_id: str, epoch: int) -> None:
    """Release a run, if its epoch is still this one. Raises `UnknownRun`."""
    number = locked(connection, run_id)
    connection.execute("UPDATE run SET owner = NULL, lease = NULL WHERE id = ? AND epoch = ?", (number, epoch))
    seal_claim(connection, number)


def request_cancel(connection: Link, run_id: str, by: str | None, time: Micros, known: Definitions) -> Record:
    """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
    number = locked(connection, run_id)
    found = reading.record(connection, run_id, known)
    if found.cancel_requested is None and found.state.run not in ENDED:
        connection.execute("UPDATE run SET cancel_by = ?, cancel_requested = ? WHERE id = ?", (by, time, number))
        seal_claim(connection, number)
        found = reading.record(connection, run_id, known)
    return found


# -- decisions ---------------------------------------------------------------------------------------------------------------------


def decide(connection: Link, decision: Decided, *others: Decided) -> Decided:
    """Store the one decision of a pause, and others of the run. Raises `UnknownRun`, `UnknownPause`, and what `judge` raises."""
    row = connection.execute(FENCE, (sought(decision.run_id),)).fetchone()
    if row is None:
        raise UnknownRun(decision.run_id)
    number, _, _, _, phase, *_ = row
    kept = []
    for new in (decision, *others):
        waiting = reading.pause_in(connection, number, new.pause_id)
        if waiting is None:
            pending = [other.pause.pause_id for other in reading.open_pauses(connection, number)]
            raise UnknownPause(new.run_id, new.pause_id, pending)
        if new.key is not None:
            used = connection.execute(USED, (number, sought(new.key))).fetchone()
            check_key(Decided(new.run_id, *used) if used is not None else None, new)
        stored = judge(waiting.pause, waiting.decided, new, phase)
        if stored is None:
            insert_decisions(connection, number, [new])
        kept.append(stored or new)
    return kept[0]


def insert_decisions(connection: Link, number: int, decided: Iterable[Decided]) -> None:
    """Insert decisions that were judged."""
    for each in decided:
        value = keep(connection, each.value)[0] if each.value is not None else None
        columns = (each.pause_id, each.word, each.time, value, each.by, each.comment, each.key)
        connection.execute(DECIDE, (number, *columns, seal(each.run_id, *columns)))
        connection.execute("UPDATE pause SET decided = ? WHERE run = ? AND pause_id = ?", (each.time, number, each.pause_id))


# -- boundaries --------------------------------------------------------------------------------------------------------------------


def commit(connection: Link, boundary: Boundary, moves: Moves) -> Obstacle:
    """Store a boundary; or what stands against it, having stored nothing. Raises what the rules raise."""
    place = fenced(connection, boundary)
    if place is None:
        return True
    check_entries(boundary, place.phase)
    check_text(boundary.session_state)
    number = place.number
    if boundary.decisions or boundary.closed or boundary.opened or parks_paused(boundary):
        waiting = answer(connection, boundary, number, place.phase)
        if waiting:
            return waiting
    append(connection, boundary, number, place.chain, moves)
    settle(connection, boundary, place)
    if boundary.definition is not None:
        connection.execute(DEFINE, boundary.definition)
        connection.execute(ADOPT, (boundary.definition[0], number))
        seal_identity(connection, number)
    if boundary.session_state is not None:
        text = boundary.session_state
        connection.execute("UPDATE session_state SET text = ?, hash = ? WHERE run = ?", (text, digest(text), number))
    return False


def commit_all(connection: Link, boundaries: Iterable[Boundary], moves: Moves) -> list[Obstacle]:
    """Store several boundaries. Raises what the rules raise for the first that they refuse."""
    return [commit(connection, each, moves) for each in boundaries]


def fenced(connection: Link, boundary: Boundary) -> Place | None:
    """Where a boundary may go on, which is in a new run where it begins one; None where a cancellation waits."""
    claim = boundary.claim
    if claim is not None and claim.identity is not None and claim.identity.run_id == boundary.run_id:
        place = insert(connection, claim.identity, claim.session_state, (claim.owner, boundary.lease, boundary.time))
        check_fence(boundary, 0, 0)
        return place
    row = connection.execute(FENCE, (sought(boundary.run_id),)).fetchone()
    if row is None:
        raise UnknownRun(boundary.run_id)
    number, epoch, seq, chain, phase, turned, cancel_by, cancel_requested, owner, lease = row
    if claim is not None:
        check_claim(boundary.run_id, owner, lease, boundary.time)
    check_fence(boundary, epoch, seq)
    if heeds(boundary, cancel_requested):
        return None
    if claim is not None:
        return Place(number, chain, phase, epoch + 1, next_turn(connection), cancel_by, cancel_requested, turns=True)
    return Place(number, chain, phase, epoch, turned, cancel_by, cancel_requested)


def settle(connection: Link, boundary: Boundary, place: Place) -> None:
    """Bring the row of a run to where a boundary leads, in one statement: its state, and its lease where that begins or ends."""
    state = (dump_state(boundary.state), held_text(boundary.held), boundary.time)
    claim, owner = boundary.claim, None
    lease = until(boundary.state) if boundary.parks else None
    if claim is not None and not boundary.parks:
        owner, lease = claim.owner, boundary.lease
    if place.turns:
        claimed = seal(owner, place.epoch, place.turned, place.cancel_by, place.cancel_requested)
        connection.execute(SETTLE, (*state, owner, lease, place.epoch, place.turned, claimed, place.number))
    elif boundary.parks:
        claimed = seal(None, place.epoch, place.turned, place.cancel_by, place.cancel_requested)
        connection.execute(PARK, (*state, lease, claimed, place.number))
    else:
        connection.execute(ADVANCE, (*state, boundary.lease, place.number))


def append(connection: Link, boundary: Boundary, number: int, chain: bytes, moves: Moves) -> None:
    """Append the rows of a boundary to the journal; the tables take the run's seq and head along."""
    rows, values = [], []
    for entry in boundary.entries:
        body, address = entry.body, None
        if body.value is not None:
            address = digest(body.value)
            values.append((address, body.value))
        chain = link(chain, boundary.run_id, entry, address)
        move = (entry.machine, entry.source, entry.trigger, entry.dest)
        legal = moves.get(move)
        if legal is None:  # the rules know it, so the file has lost it
            raise unreadable(what="list of legal moves")
        turn = turn_text(entry.turn)
        rows.append((number, entry.seq, legal, entry.at, turn, entry.attempt, entry.time, body.detail, address, chain))
    if values:
        connection.executemany(KEEP, sorted(values))
    connection.executemany(APPEND, rows)


def answer(connection: Link, boundary: Boundary, number: int, phase: str) -> tuple[Decided, ...]:
    """Store the decisions and pauses of a boundary; or, having stored nothing, the decisions that stand against it.

    A pause that was closed long ago is read only where the boundary speaks of it.
    """
    found = {each.pause.pause_id: each for each in reading.open_pauses(connection, number)}
    open_at = {pause_id: place_of(each.pause) for pause_id, each in found.items()}
    spoken_of = [each.pause_id for each in boundary.decisions] + [each.pause_id for each in boundary.opened]
    for pause_id in set(spoken_of) - found.keys():
        row = reading.pause_in(connection, number, pause_id)
        if row is not None:
            found[pause_id] = row
    pauses = {pause_id: each.pause for pause_id, each in found.items()}
    stored = {pause_id: each.decided for pause_id, each in found.items() if each.decided is not None}
    fresh = judge_all(boundary, pauses, stored, phase, {})
    check_pauses(boundary, pauses.keys(), open_at)
    waiting = waiting_decisions(boundary, open_at, stored | fresh)
    if waiting:
        return waiting
    insert_decisions(connection, number, fresh.values())
    for pause_id in boundary.closed:
        connection.execute("UPDATE pause SET closed = ? WHERE run = ? AND pause_id = ?", (boundary.time, number, pause_id))
    for p in boundary.opened:
        place = (p.pause_id, p.kind, p.at, turn_text(p.turn), p.attempt)
        ask = (*place, p.step_name, p.message, p.opened, p.detail, p.deadline, p.on_timeout)
        connection.execute(ASK, (number, *ask, seal(boundary.run_id, *ask)))
    return ()
