"""The statements of the stores in tables, and what is read with them: functions of a connection, in a transaction or not, that give records.

Values are bound, never put into a statement. A statement is written as SQLite takes it ((see `link`)); `rows` has the queries whose
columns it reads, and the seals say which columns they cover.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.errors import UnknownPause, UnknownRun, UnreadableValue
from statecore.lifecycles import words as w
from statecore.stores.links import GENESIS
from statecore.stores.pages import by_due
from statecore.stores.records import Decided, Entry, Listing, PauseFilter, Record, RunFilter, Waiting
from statecore.stores.rules import ENDED, MANY, bounded, slice_of, sought

from .rows import ENTRY, OUTLINE, RECORD, WAITING, broken, check_head, entries_of, readable, record_of, waiting_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .link import Link

    Definitions = dict[str, str]
    """Canonical forms by fingerprint, as a store has read them; a definition never changes."""
    Move = tuple[str, str, str, str]
    """A move of a lifecycle: machine, source, trigger, dest."""

# ruff: noqa: S608  # statements are put together of the constants here


# -- reading -----------------------------------------------------------------------------------------------------------------------

OVER = ", ".join(f"'{phase}'" for phase in sorted(ENDED))
OPEN = f"p.closed IS NULL AND r.phase NOT IN ({OVER})"

# A plus keeps SQLite from using the index of a column: a session has few runs, so they are looked through in order; a workflow
# has too many to sort the pauses of them all.
COLUMNS = {"session_id": "r.session_id = ?", "workflow_id": "r.workflow_id = ?"}
RUN_COLUMNS = COLUMNS | {"user_id": "r.user_id = ?"}
SESSION_COLUMNS = RUN_COLUMNS | {"workflow_id": "+r.workflow_id = ?"}
PAUSE_COLUMNS = COLUMNS | {
    "workflow_id": "+r.workflow_id = ?",
    "run_id": "r.run_id = ?",
    "step_name": "p.step_name = ?",
    "kind": "p.kind = ?",
}
RECORD_OF_RUN = f"{RECORD} WHERE r.run_id = ?"
PAUSE_OF_RUN = f"{WAITING} WHERE p.run = ? AND p.pause_id = ?"
BY_OPEN = WAITING.replace("FROM pause p", "FROM pause p INDEXED BY pause_open")  # not the index of all that the run ever asked
OPEN_OF_RUN = f"{BY_OPEN} WHERE p.run = ? AND p.closed IS NULL ORDER BY p.id"
HEAD = """
SELECT r.seq, r.head, j.hash, r.phase FROM run r LEFT JOIN journal j ON j.run = r.id AND j.seq = r.seq WHERE r.run_id = ?"""
SESSION_STATE = """
SELECT text FROM session_state
WHERE run = (SELECT id FROM run WHERE session_id = ? AND +workflow_id = ? ORDER BY turned DESC LIMIT 1)"""

# -- writing -----------------------------------------------------------------------------------------------------------------------

LOCK = "/*pg FOR UPDATE*/"
"""The lock that only Postgres needs stands in a comment (see `link`): SQLite has one writer at a time anyway."""

KEEP = "INSERT INTO value (hash, text) VALUES (?, ?) ON CONFLICT DO NOTHING"
FENCE = f"SELECT id, epoch, seq, head, phase, turned, cancel_by, cancel_requested, owner, lease FROM run WHERE run_id = ? {LOCK}"
NUMBER = f"SELECT id FROM run WHERE run_id = ? {LOCK}"
FREE = f"""
SELECT r.run_id FROM run r
WHERE +r.workflow_id = ? AND r.owner IS NULL AND +r.phase NOT IN ({OVER}) AND r.id IN (
  SELECT id FROM run WHERE workflow_id = ? AND phase IN ('{w.pending}', '{w.running}') AND owner IS NULL
    AND (lease IS NULL OR lease <= ? OR cancel_requested IS NOT NULL)
  UNION ALL SELECT run FROM pause WHERE closed IS NULL AND decided IS NOT NULL
  UNION ALL SELECT run FROM pause WHERE closed IS NULL AND deadline <= ?
  UNION ALL SELECT id FROM run WHERE workflow_id = ? AND phase = '{w.paused}' AND cancel_requested IS NOT NULL)"""
HELD = f"""
SELECT r.run_id, r.owner, r.lease FROM run r
WHERE r.workflow_id = ? AND r.phase IN ('{w.pending}', '{w.running}', '{w.paused}') AND r.owner IS NOT NULL"""
STILL = "SELECT 1 FROM run WHERE run_id = ? AND owner = ? AND lease IS NOT DISTINCT FROM ? /*pg FOR UPDATE SKIP LOCKED*/"
APPEND = "INSERT INTO journal (run, seq, legal, at, turn, attempt, time, detail, value, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADVANCE = "UPDATE run SET state = ?, held = ?, updated = ?, lease = coalesce(?, lease) WHERE id = ?"
PARK = "UPDATE run SET state = ?, held = ?, updated = ?, owner = NULL, lease = ?, claimed = ? WHERE id = ?"
"""A parked run has no lease; where it waits for a delay, the end of the delay stands in that column (RUN-12)."""
TURN = "SELECT coalesce(max(turned), 0) + 1 FROM run"
SETTLE = """
UPDATE run SET state = ?, held = ?, updated = ?, owner = ?, lease = ?, epoch = ?, turned = ?, claimed = ? WHERE id = ?"""
BEGIN = """
INSERT INTO run (run_id, workflow_id, workflow_name, session_id, user_id, created, input, additional_data, metadata, definition, rules,
  start_key, seal, owner, lease, turned, claimed, updated, state, phase, head, epoch, held, seq)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, '[]', 0) RETURNING id"""
CLAIM = "UPDATE run SET owner = ?, lease = ?, epoch = ?, turned = ?, claimed = ?, updated = ? WHERE id = ?"
DEFINED = "SELECT id FROM definition WHERE fingerprint = ?"
DEFINE = "INSERT INTO definition (fingerprint, canonical) VALUES (?, ?) ON CONFLICT DO NOTHING"
ADOPT = "UPDATE run SET definition = (SELECT id FROM definition WHERE fingerprint = ?) WHERE id = ?"
ASK = """
INSERT INTO pause (run, pause_id, kind, at, turn, attempt, step_name, message, opened, detail, deadline, on_timeout, seal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
DECIDE = 'INSERT INTO decision (run, pause_id, word, time, value, "by", comment, "key", seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
USED = """
SELECT d.pause_id, d.word, d.time, v.text, d."by", d.comment, d."key"
FROM decision d LEFT JOIN value v ON v.hash = d.value WHERE d.run = ? AND d."key" = ?"""
CLAIMED = "SELECT owner, epoch, turned, cancel_by, cancel_requested FROM run WHERE id = ?"

# -- seals: a SHA-256 in each row that no chain covers, over its columns; it finds damage and carelessness, not malice ---------------


@frozen
class Seal:
    """One kind of seal: where it lies, and the query for each row's key, the seal, and the columns under it."""

    table: str
    column: str
    key: str
    query: str


SEALED = (
    Seal(
        "run",
        "seal",
        "id",
        "SELECT r.id, r.seal, r.run_id, r.workflow_id, r.workflow_name, r.session_id, r.user_id, r.created, r.input, r.additional_data, "
        "r.metadata, d.fingerprint, r.rules, r.start_key FROM run r LEFT JOIN definition d ON d.id = r.definition",
    ),
    Seal(
        "run",
        "claimed",
        "id",
        "SELECT r.id, r.claimed, r.owner, r.epoch, r.turned, r.cancel_by, r.cancel_requested FROM run r",
    ),
    Seal(
        "pause",
        "seal",
        "id",
        "SELECT p.id, p.seal, r.run_id, p.pause_id, p.kind, p.at, p.turn, p.attempt, p.step_name, p.message, p.opened, p.detail, "
        "p.deadline, p.on_timeout FROM pause p LEFT JOIN run r ON r.id = p.run",
    ),
    Seal(
        "decision",
        "seal",
        "(run, pause_id)",
        'SELECT p.id, d.seal, r.run_id, d.pause_id, d.word, d.time, d.value, d."by", d.comment, d."key" '
        "FROM decision d LEFT JOIN run r ON r.id = d.run LEFT JOIN pause p ON p.run = d.run AND p.pause_id = d.pause_id",
    ),
)


REMEMBERED = 64
"""How many definitions a store remembers that it has read."""


def number_of(connection: Link, run_id: str) -> int:
    """The key of a run. Raises `UnknownRun`."""
    row = connection.execute("SELECT id FROM run WHERE run_id = ?", (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    number: int = row[0]
    return number


def record(connection: Link, run_id: str, known: Definitions) -> Record:
    """A run as it stands. Raises `UnknownRun`."""
    row = connection.execute(RECORD_OF_RUN, (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    return record_of(row, canonical_of(connection, row[12], known))


def canonical_of(connection: Link, fingerprint: str | None, known: Definitions) -> str | None:
    """The canonical form of a run's workflow, read once: a large one takes longer to read than all the rest of a run."""
    if fingerprint is None:
        return None
    canonical = known.get(fingerprint)
    if canonical is None:
        if len(known) >= REMEMBERED:
            known.clear()
        canonical = definition(connection, fingerprint)
        if canonical is not None:
            if sha256(canonical.encode(errors="surrogatepass")).hexdigest() != fingerprint:
                why = f"the definition {fingerprint!r} is not the one of this fingerprint"
                raise UnreadableValue(why)
            known[fingerprint] = canonical
    return canonical


def session_state(connection: Link, session_id: str, workflow_id: str) -> str | None:
    """The session state as the run of a session left it that was executed last; None where there is none."""
    row = connection.execute(SESSION_STATE, (sought(session_id), sought(workflow_id))).fetchone()
    return row[0] if row is not None else None


def definition(connection: Link, fingerprint: str) -> str | None:
    """The canonical form of a workflow that some run has or had; None where there is none."""
    row = connection.execute("SELECT canonical FROM definition WHERE fingerprint = ?", (sought(fingerprint),)).fetchone()
    return row[0] if row is not None else None


def legal_moves(connection: Link) -> dict[Move, int]:
    """The ids of the moves that a database knows."""
    rows = connection.execute('SELECT machine, source, "trigger", dest, id FROM legal')
    return {(machine, source, trigger, dest): number for machine, source, trigger, dest, number in rows.fetchall()}


def runs(connection: Link, wanted: RunFilter, known: Definitions) -> Listing[Record]:
    """A page of runs, the one begun last first; those of a prefix in the order of their ids. Raises `UnknownRun` for an unknown `after`."""
    where, given = narrowed(wanted, RUN_COLUMNS if wanted.session_id is None else SESSION_COLUMNS)
    if wanted.phases is not None:
        where.append(f"{'' if wanted.session_id is None else '+'}r.phase IN ({', '.join('?' * len(wanted.phases)) or 'NULL'})")
        given.extend(map(sought, wanted.phases))
    if wanted.prefix:  # asked by a person now and then, so no index is kept for it
        where.append("substr(r.run_id, 1, length(?)) = ?")
        given.extend([sought(wanted.prefix)] * 2)
    if wanted.after is not None:
        where.append("r.run_id > ?" if wanted.prefix else "r.id < ?")
        given.append(wanted.after if wanted.prefix else number_of(connection, wanted.after))
    order = "r.run_id" if wanted.prefix else f"{'+r.turned' if wanted.by_claim else 'r.id'} DESC"
    limit = bounded(wanted.limit)
    statement = f"{RECORD} {conditions(where)} ORDER BY {order} LIMIT ?"
    rows = connection.execute(statement, (*given, min(limit + 1, MANY))).fetchall()
    page = readable(rows[:limit], lambda row: record_of(row, canonical_of(connection, row[12], known)))
    page.after = rows[limit - 1][0] if 0 < limit < len(rows) and not wanted.by_claim else None
    return page


def outline(connection: Link, run_id: str, after: int, upto: int | None) -> list[Entry]:
    """A slice of a journal without its values, which are `FAR`; checked as a journal is."""
    return journal(connection, run_id, after, upto, far=True)


def journal(connection: Link, run_id: str, after: int, upto: int | None, *, far: bool = False) -> list[Entry]:
    """A slice of a journal, checked against its chain; one that reaches the end, against the run's head. Raises `UnknownRun`."""
    row = connection.execute("SELECT id, seq, head, phase FROM run WHERE run_id = ?", (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    number, last, end_of_chain, phase = row
    if last == 0:
        check_head(run_id, last, end_of_chain, None, phase)
    first, end = slice_of(after, upto)
    first, upto_end, end = min(first, last), end >= last, min(end, last)  # what is written meanwhile is not read
    chain = link_at(connection, run_id, number, first)
    entries, chain = (
        entries_of(connection.execute(OUTLINE if far else ENTRY, (number, first, end)), run_id, first, chain, far=far)
        if first < last
        else ([], chain)
    )
    if first + len(entries) < end:
        raise broken(run_id, first + len(entries) + 1)
    if upto_end and chain != end_of_chain:
        raise broken(run_id, last + 1)
    return entries


def link_at(connection: Link, run_id: str, number: int, seq: int) -> bytes:
    """The chain's link at a row. Raises `UnreadableValue` where the row is missing."""
    if seq == 0:
        return GENESIS
    row = connection.execute("SELECT hash FROM journal WHERE run = ? AND seq = ?", (number, seq)).fetchone()
    if row is None:
        raise broken(run_id, seq)
    return bytes(row[0])


def head(connection: Link, run_id: str) -> str:
    """The chain's last link. Raises `UnknownRun`."""
    row = connection.execute(HEAD, (sought(run_id),)).fetchone()
    if row is None:
        raise UnknownRun(run_id)
    check_head(run_id, *row)
    return bytes(row[1]).hex()


# -- pauses ------------------------------------------------------------------------------------------------------------------------


def inbox(connection: Link, wanted: PauseFilter) -> Listing[Waiting]:
    """A page of open pauses, oldest first. Raises `UnknownRun` where one run is asked for, `UnknownPause` for an unknown `after`."""
    where, given = narrowed(wanted, PAUSE_COLUMNS)
    where.append(OPEN)
    if wanted.decided_only:
        where.append("p.decided IS NOT NULL")
    elif wanted.undecided_only:
        where.append("d.run IS NULL")
    for instant, lies in ((wanted.due_before, "p.deadline < ?"), (wanted.due_after, "(p.deadline IS NULL OR p.deadline > ?)")):
        if instant is not None:
            where.append(lies)
            given.append(bounded(instant))
    soonest = by_due(wanted)  # rather sort the few that are due than look through all that is open in order
    key = "p.deadline, p.run, p.id" if soonest else "p.opened, p.run, p.id"
    if wanted.after is not None:
        where.append(f"({key}) > (?, ?, ?)")
        given.extend(key_of(connection, *wanted.after, key))
    limit = bounded(wanted.limit)
    statement = f"{WAITING} {conditions(where)} ORDER BY {'+' if soonest else ''}{key} LIMIT ?"
    rows = connection.execute(statement, (*given, min(limit + 1, MANY))).fetchall()
    if not rows and wanted.run_id is not None:
        number_of(connection, wanted.run_id)
    found = rows[:limit]
    page = readable(found, waiting_of) if wanted.run_id is None else Listing(map(waiting_of, found))
    page.after = (found[-1][0], found[-1][1]) if 0 < limit < len(rows) else None
    return page


def key_of(connection: Link, run_id: str, pause_id: str, key: str) -> Sequence[Any]:
    """The place of a pause in a listing. Raises `UnknownRun`, `UnknownPause`."""
    number = number_of(connection, run_id)
    row = connection.execute(f"SELECT {key} FROM pause p WHERE p.run = ? AND p.pause_id = ?", (number, sought(pause_id))).fetchone()
    if row is None:
        raise UnknownPause(run_id, pause_id, [])
    found: Sequence[Any] = row
    return found


def pause(connection: Link, run_id: str, pause_id: str) -> Waiting | None:
    """One pause, open or closed. Raises `UnknownRun`."""
    return pause_in(connection, number_of(connection, run_id), pause_id)


def pause_in(connection: Link, number: int, pause_id: str) -> Waiting | None:
    """One pause of a run whose key is known."""
    row = connection.execute(PAUSE_OF_RUN, (number, sought(pause_id))).fetchone()
    return waiting_of(row) if row is not None else None


def open_pauses(connection: Link, number: int) -> list[Waiting]:
    """The open pauses of a run, in the order in which they were asked; also where the run has ended."""
    rows = connection.execute(OPEN_OF_RUN, (number,))
    return [waiting_of(row) for row in rows.fetchall()]


def decisions(connection: Link, run_id: str) -> list[Decided]:
    """All decisions of a run, in the order of their pauses. Raises `UnknownRun`."""
    number = number_of(connection, run_id)
    rows = connection.execute(
        f"{WAITING} WHERE p.run = ? AND (d.run IS NOT NULL OR p.decided IS NOT NULL) ORDER BY p.id", (number,)
    )
    return [decided for row in rows.fetchall() if (decided := waiting_of(row).decided) is not None]


# -- conditions --------------------------------------------------------------------------------------------------------------------


def narrowed(wanted: RunFilter | PauseFilter, columns: dict[str, str]) -> tuple[list[str], list[Any]]:
    """The conditions of a filter and what they compare with; what is None is not asked."""
    asked = {name: value for name in columns if (value := getattr(wanted, name)) is not None}
    return [columns[name] for name in asked], [sought(value) for value in asked.values()]


def conditions(where: Iterable[str]) -> str:
    """All of these, as a clause."""
    joined = " AND ".join(where)
    return f"WHERE {joined}" if joined else ""
