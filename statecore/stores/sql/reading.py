"""What a store in tables reads: each function is given a connection, inside a transaction or not, and answers with records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.errors import UnknownRun
from statecore.stores.records import Decided, Entry, PauseFilter, Record, RunFilter, Waiting
from statecore.stores.rules import GENESIS, bounded, page, slice_of, sought

from .queries import (
    HEAD,
    OPEN,
    OPEN_OF_RUN,
    PAUSE_COLUMNS,
    PAUSE_OF_RUN,
    RECORD_OF_RUN,
    RUN_COLUMNS,
    SESSION_COLUMNS,
    SESSION_STATE,
)
from .rows import ENTRY, RECORD, WAITING, broken, check_head, entries_of, record_of, waiting_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .link import Link

    Definitions = dict[str, str]
    """Canonical forms by fingerprint, as a store has read them; a definition never changes."""
    Move = tuple[str, str, str, str]
    """A move of a lifecycle: machine, source, trigger, dest."""

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


def runs(connection: Link, wanted: RunFilter, known: Definitions) -> list[Record]:
    """A page of runs, most recently changed first."""
    alone = wanted.session_id is None
    where, given = narrowed(wanted, RUN_COLUMNS if alone else SESSION_COLUMNS)
    order = "r.turned"
    if wanted.phases is not None:
        where.append(f"{'' if alone else '+'}r.phase IN ({', '.join('?' * len(wanted.phases)) or 'NULL'})")
        given.extend(map(sought, wanted.phases))
        if alone and len(wanted.phases) > 1:
            order = "+r.turned"  # rather sort the few runs of some phases than look through all runs in order
    if wanted.prefix is not None:  # asked by a person now and then, so no index is kept for it
        where.append("substr(r.run_id, 1, length(?)) = ?")
        given.extend([sought(wanted.prefix)] * 2)
    rows = connection.execute(f"{RECORD} {conditions(where)} ORDER BY {order} DESC LIMIT ? OFFSET ?", (*given, *page(wanted)))
    return [record_of(row, canonical_of(connection, row[12], known)) for row in rows.fetchall()]


def journal(connection: Link, run_id: str, after: int, upto: int | None) -> list[Entry]:
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
        entries_of(connection.execute(ENTRY, (number, first, end)), run_id, first, chain) if first < last else ([], chain)
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


def inbox(connection: Link, wanted: PauseFilter) -> list[Waiting]:
    """A page of open pauses, oldest first. Raises `UnknownRun` where one run is asked for."""
    where, given = narrowed(wanted, PAUSE_COLUMNS)
    where.append(OPEN)
    if wanted.undecided_only:
        where.append("d.run IS NULL")
    for instant, lies in ((wanted.due_before, "p.deadline < ?"), (wanted.due_after, "(p.deadline IS NULL OR p.deadline > ?)")):
        if instant is not None:
            where.append(lies)
            given.append(bounded(instant))
    soonest = wanted.due_before is not None  # rather sort the few that are due than look through all that is open in order
    order = f"ORDER BY {'+' if soonest else ''}p.opened, p.run, p.id LIMIT ? OFFSET ?"
    rows = connection.execute(f"{WAITING} {conditions(where)} {order}", (*given, *page(wanted))).fetchall()
    if not rows and wanted.run_id is not None:
        number_of(connection, wanted.run_id)
    return [waiting_of(row) for row in rows]


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
