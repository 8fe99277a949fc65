"""What the SQLite store writes: each function is given a connection inside a transaction that took the writer's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.codec.records import dump_state
from statecore.core import BEGINNING
from statecore.errors import ClaimLost, DuplicateRun, DuplicateStart, UnknownPause, UnknownRun

from . import reading
from .records import Boundary, Decided, Identity, Micros, Record, Text
from .rows import held_text, sought, turn_text, unreadable
from .rules import (
    ENDED,
    GENESIS,
    check_claim,
    check_entries,
    check_fence,
    check_key,
    check_pauses,
    check_text,
    digest,
    heeds,
    judge,
    judge_all,
    link,
    seal,
)
from .seals import SEALED

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    Moves = Mapping[tuple[str, str, str, str], int]

KEEP = "INSERT OR IGNORE INTO value (hash, text) VALUES (?, ?)"
FENCE = "SELECT id, epoch, seq, head, phase, cancel_requested, owner, lease FROM run WHERE run_id = ?"
APPEND = "INSERT INTO journal (run, seq, legal, at, turn, attempt, time, detail, value, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADVANCE = "UPDATE run SET state = ?, held = ?, updated = ?, lease = coalesce(?, lease) WHERE id = ?"
BEGIN = """
INSERT INTO run (run_id, workflow_id, workflow_name, session_id, user_id, created, input, additional_data, metadata, definition, rules,
  start_key, seal, epoch, turned, phase, state, held, updated, seq, head)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM definition WHERE fingerprint = ?), ?,
  ?, ?, 0, 0, ?, ?, '[]', ?, 0, ?)"""
CLAIM = """
UPDATE run SET owner = ?, lease = ?, epoch = epoch + 1, updated = ?, turned = (SELECT max(turned) + 1 FROM run) WHERE id = ?"""
DEFINE = "INSERT OR IGNORE INTO definition (fingerprint, canonical) VALUES (?, ?)"
ADOPT = "UPDATE run SET definition = (SELECT id FROM definition WHERE fingerprint = ?) WHERE id = ?"
ASK = """
INSERT INTO pause (run, pause_id, kind, at, turn, attempt, step_name, message, opened, detail, deadline, on_timeout, seal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
DECIDE = 'INSERT INTO decision (run, pause_id, word, time, value, "by", comment, "key", seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
USED = """
SELECT d.pause_id, d.word, d.time, v.text, d."by", d.comment, d."key"
FROM decision d LEFT JOIN value v ON v.hash = d.value WHERE d.run = ? AND d."key" = ?"""
CLAIMED = "SELECT owner, epoch, turned, cancel_by, cancel_requested FROM run WHERE id = ?"


def keep(connection: sqlite3.Connection, *texts: Text) -> list[bytes]:
    """Keep values by their content; their addresses."""
    addresses = [digest(text) for text in texts]
    connection.executemany(KEEP, zip(addresses, texts, strict=True))
    return addresses


def begin(
    connection: sqlite3.Connection, identity: Identity, session_state: Text, owner: str, lease: Micros | None = None
) -> Record:
    """Store a new run, and claim it. Raises `DuplicateStart`, `DuplicateRun`."""
    number = insert(connection, identity, session_state)
    take(connection, number, owner, lease, identity.created)
    return reading.record(connection, identity.run_id)


def take(connection: sqlite3.Connection, number: int | None, owner: str, lease: Micros | None, time: Micros) -> None:
    """Claim a run that may be claimed."""
    connection.execute(CLAIM, (owner, lease, time, number))
    seal_claim(connection, number)


def insert(connection: sqlite3.Connection, identity: Identity, session_state: Text) -> int | None:
    """Store a new run that nobody has claimed; its key. Raises `DuplicateStart`, `DuplicateRun`."""
    if identity.key is not None:
        first = connection.execute(
            "SELECT run_id FROM run WHERE workflow_id = ? AND start_key = ?", (identity.workflow_id, identity.key)
        ).fetchone()
        if first is not None:
            raise DuplicateStart(identity.key, first[0])
    known = connection.execute("SELECT 1 FROM run WHERE run_id = ?", (identity.run_id,)).fetchone()
    if known is not None:
        raise DuplicateRun(identity.run_id)
    values = keep(connection, identity.input, identity.additional_data, identity.metadata)
    connection.execute(DEFINE, (identity.fingerprint, identity.canonical))
    who = (identity.run_id, identity.workflow_id, identity.workflow_name, identity.session_id, identity.user_id, identity.created)
    state = (BEGINNING.run, dump_state(BEGINNING), identity.created, GENESIS)
    rules = (identity.fingerprint, identity.rules, identity.key)
    sealed = seal(*who, *values, *rules)
    number = connection.execute(BEGIN, (*who, *values, *rules, sealed, *state)).lastrowid
    connection.execute(
        "INSERT INTO session_state (run, text, hash) VALUES (?, ?, ?)", (number, session_state, digest(session_state))
    )
    return number


def seal_identity(connection: sqlite3.Connection, number: int) -> None:
    """Cover what the row of a run says of its identity, once its definition was changed."""
    _, _, *columns = connection.execute(f"{SEALED[0].query} WHERE r.id = ?", (number,)).fetchone()
    connection.execute("UPDATE run SET seal = ? WHERE id = ?", (seal(*columns), number))


def seal_claim(connection: sqlite3.Connection, number: int | None) -> None:
    """Cover what a claim, its end or a cancellation has changed in the row of a run."""
    row = connection.execute(CLAIMED, (number,)).fetchone()
    connection.execute("UPDATE run SET claimed = ? WHERE id = ?", (seal(*row), number))


def claim(
    connection: sqlite3.Connection, run_id: str, owner: str, time: Micros, lease: Micros | None = None
) -> tuple[Record, bool]:
    """Take the run for execution. Raises `UnknownRun`, `RunBusy`."""
    row = connection.execute("SELECT id, owner, lease FROM run WHERE run_id = ?", (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    number, found, lasts = row
    doubtful = check_claim(run_id, found, lasts, time)
    connection.execute(CLAIM, (owner, lease, time, number))
    seal_claim(connection, number)
    return reading.record(connection, run_id), doubtful


def renew(connection: sqlite3.Connection, run_id: str, epoch: int, lease: Micros) -> None:
    """Let a claim last longer. Raises `UnknownRun`, `ClaimLost`."""
    number = reading.number_of(connection, run_id)
    found = connection.execute("UPDATE run SET lease = ? WHERE id = ? AND epoch = ? AND owner IS NOT NULL", (lease, number, epoch))
    if found.rowcount == 0:
        raise ClaimLost(run_id)


def release(connection: sqlite3.Connection, run_id: str, epoch: int) -> None:
    """Give a claim back, if it is still this one. Raises `UnknownRun`."""
    number = reading.number_of(connection, run_id)
    connection.execute("UPDATE run SET owner = NULL, lease = NULL WHERE id = ? AND epoch = ?", (number, epoch))
    seal_claim(connection, number)


def request_cancel(connection: sqlite3.Connection, run_id: str, by: str | None, time: Micros) -> Record:
    """Mark the run to be cancelled at its next boundary. Raises `UnknownRun`."""
    found = reading.record(connection, run_id)
    if found.cancel_requested is None and found.state.run not in ENDED:
        connection.execute("UPDATE run SET cancel_by = ?, cancel_requested = ? WHERE run_id = ?", (by, time, run_id))
        seal_claim(connection, reading.number_of(connection, run_id))
        found = reading.record(connection, run_id)
    return found


# -- decisions ---------------------------------------------------------------------------------------------------------------------


def decide(connection: sqlite3.Connection, decision: Decided) -> Decided:
    """Store the one decision of a pause. Raises `UnknownRun`, `UnknownPause`, and what `judge` raises."""
    row = connection.execute("SELECT id, phase FROM run WHERE run_id = ?", (sought(decision.run_id),)).fetchone()
    if row is None:
        raise UnknownRun(decision.run_id)
    number, phase = row
    waiting = reading.pause_in(connection, number, decision.pause_id)
    if waiting is None:
        pending = [other.pause.pause_id for other in reading.open_pauses(connection, number)]
        raise UnknownPause(decision.run_id, decision.pause_id, pending)
    if decision.key is not None:
        used = connection.execute(USED, (number, sought(decision.key))).fetchone()
        check_key(Decided(decision.run_id, *used) if used is not None else None, decision)
    stored = judge(waiting.pause, waiting.decided, decision, phase)
    if stored is not None:
        return stored
    insert_decisions(connection, number, [decision])
    return decision


def insert_decisions(connection: sqlite3.Connection, number: int, decided: Iterable[Decided]) -> None:
    """Insert decisions that were judged."""
    for each in decided:
        value = keep(connection, each.value)[0] if each.value is not None else None
        columns = (each.pause_id, each.word, each.time, value, each.by, each.comment, each.key)
        connection.execute(DECIDE, (number, *columns, seal(each.run_id, *columns)))
        connection.execute("UPDATE pause SET decided = ? WHERE run = ? AND pause_id = ?", (each.time, number, each.pause_id))


# -- boundaries --------------------------------------------------------------------------------------------------------------------


def commit(connection: sqlite3.Connection, boundary: Boundary, moves: Moves) -> bool:
    """Store a boundary; True, having stored nothing, where a cancellation waits. Raises what the rules raise."""
    place = fenced(connection, boundary)
    if place is None:
        return True
    number, chain, phase = place
    check_entries(boundary, phase)
    check_text(boundary.session_state)
    if boundary.decisions or boundary.closed or boundary.opened:
        answer(connection, boundary, number, phase)
    append(connection, boundary, number, chain, moves)
    state = boundary.state
    connection.execute(ADVANCE, (dump_state(state), held_text(boundary.held), boundary.time, boundary.lease, number))
    if boundary.parks:
        connection.execute("UPDATE run SET owner = NULL, lease = NULL WHERE id = ?", (number,))
        seal_claim(connection, number)
    if boundary.definition is not None:
        connection.execute(DEFINE, boundary.definition)
        connection.execute(ADOPT, (boundary.definition[0], number))
        seal_identity(connection, number)
    if boundary.session_state is not None:
        text = boundary.session_state
        connection.execute("UPDATE session_state SET text = ?, hash = ? WHERE run = ?", (text, digest(text), number))
    return False


def fenced(connection: sqlite3.Connection, boundary: Boundary) -> tuple[int, bytes, str] | None:
    """The key, head and phase of the run that a boundary may continue, claimed where it claims; None where a cancellation waits."""
    claim = boundary.claim
    if claim is not None and claim.identity is not None:
        insert(connection, claim.identity, claim.session_state)
    row = connection.execute(FENCE, (sought(boundary.run_id),)).fetchone()
    if row is None:
        raise UnknownRun(boundary.run_id)
    number, epoch, seq, chain, phase, cancel_requested, owner, lease = row
    if claim is not None:
        check_claim(boundary.run_id, owner, lease, boundary.time)
    check_fence(boundary, epoch, seq)
    if heeds(boundary, cancel_requested):
        return None
    if claim is not None:
        take(connection, number, claim.owner, boundary.lease, boundary.time)
    return number, chain, phase


def append(connection: sqlite3.Connection, boundary: Boundary, number: int, chain: bytes, moves: Moves) -> None:
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
            raise unreadable(move, "list of legal moves")
        turn = turn_text(entry.turn)
        rows.append((number, entry.seq, legal, entry.at, turn, entry.attempt, entry.time, body.detail, address, chain))
    if values:
        connection.executemany(KEEP, values)
    connection.executemany(APPEND, rows)


def answer(connection: sqlite3.Connection, boundary: Boundary, number: int, phase: str) -> None:
    """Store the decisions and pauses of a boundary. What was closed long ago is read only where the boundary speaks of it."""
    found = {each.pause.pause_id: each for each in reading.open_pauses(connection, number)}
    open_at = {pause_id: (each.pause.at, each.pause.turn) for pause_id, each in found.items()}
    spoken_of = [each.pause_id for each in boundary.decisions] + [each.pause_id for each in boundary.opened]
    for pause_id in set(spoken_of) - found.keys():
        waiting = reading.pause_in(connection, number, pause_id)
        if waiting is not None:
            found[pause_id] = waiting
    pauses = {pause_id: each.pause for pause_id, each in found.items()}
    stored = {pause_id: each.decided for pause_id, each in found.items() if each.decided is not None}
    fresh = judge_all(boundary, pauses, stored, phase)
    check_pauses(boundary, pauses.keys(), open_at)
    insert_decisions(connection, number, fresh.values())
    closed = [(boundary.time, number, pause_id) for pause_id in boundary.closed]
    connection.executemany("UPDATE pause SET closed = ? WHERE run = ? AND pause_id = ?", closed)
    for p in boundary.opened:
        place = (p.pause_id, p.kind, p.at, turn_text(p.turn), p.attempt)
        ask = (*place, p.step_name, p.message, p.opened, p.detail, p.deadline, p.on_timeout)
        connection.execute(ASK, (number, *ask, seal(boundary.run_id, *ask)))
