"""A run of format 2, read whole from tables that were renamed, and its journal as the boundaries that it was stored in.

The statements are those of `stores.sql`, on other table names. Each row is checked by its seal and its chain as format 2 checks it, so that a
migration carries nothing that was damaged.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from attrs import frozen

from statecore.core import Commit, advance
from statecore.core.state import RULES_VERSION
from statecore.errors import MigrationNeeded, StatecoreError
from statecore.lifecycles import TABLES
from statecore.stores.detail import detail_of
from statecore.stores.links import GENESIS
from statecore.stores.records import Boundary
from statecore.stores.replay import Replayed, agreeing, replay
from statecore.stores.sql.reading import canonical_of, definition
from statecore.stores.sql.rows import ENTRY, RECORD, WAITING, broken, entries_of, record_of, waiting_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from statecore.core import Micros, Program
    from statecore.stores.records import Entry, Pause, Record, Waiting
    from statecore.stores.sql.link import Link

    from .reading import Known

TABLES_OF_2 = ("value", "definition", "legal", "run", "session_state", "journal", "pause", "decision")
SUFFIX = "_2"
READ = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE) ({'|'.join(TABLES_OF_2)})\b")


def raise_if_unfinished(tables: Collection[str], path: str) -> None:
    """Raise `MigrationNeeded` where a store with these tables is between two formats."""
    if f"run{SUFFIX}" in tables:
        raise MigrationNeeded(path, "is between two formats: its migration was begun, and is not done")


@cache
def older(statement: str) -> str:
    """A statement of format 2, on the tables as a migration renames them."""
    return READ.sub(rf"\1 \2{SUFFIX}", statement)


RECORD_OF_2 = f"{older(RECORD)} WHERE r.id = ?"
ENTRIES_OF_2 = older(ENTRY)
WAITING_OF_2 = f"{older(WAITING)} WHERE p.run = ? ORDER BY p.id"
TURNED, PHASE, HEAD = 27, 28, 30
"""Where a row of `RECORD` has the count of the claim, the phase and the head."""


@frozen
class Old:
    """A run as format 2 has it: its number, its record, the count of its claim, its head, its rows, and its questions in their order."""

    number: int
    record: Record
    order: int
    head: bytes
    entries: Sequence[Entry]
    questions: Sequence[Waiting]


def read(connection: Link, number: int, known: Known) -> Old:
    """A run, checked. Raises `UnreadableValue` for the first row that is not as it was written."""
    row = connection.execute(RECORD_OF_2, (number,)).fetchone()
    record = record_of(row, canonical_of(connection, row[12], known.definitions))
    run_id, head = record.identity.run_id, bytes(row[HEAD])
    entries, chain = entries_of(connection.execute(ENTRIES_OF_2, (number, 0, record.seq)), run_id, 0, GENESIS)
    if len(entries) != record.seq or chain != head:
        raise broken(run_id, len(entries) + 1)
    questions = [waiting_of(each) for each in connection.execute(WAITING_OF_2, (number,)).fetchall()]
    return Old(number, record, row[TURNED], head, entries, questions)


# -- boundaries --------------------------------------------------------------------------------------------------------------------


def boundaries(connection: Link, old: Old, known: Known) -> tuple[list[Boundary], bool]:
    """The boundaries of a run, with the questions that each puts and closes; and whether replay told them, or the instants of the rows."""
    groups, told = grouped(connection, old, known)
    groups = groups or [()]  # a run without a row may have a session state
    opens, closes = sorted_in(old.questions, groups)
    found = []
    for n, rows in enumerate(groups):
        state = old.record.session_state if n == len(groups) - 1 else None
        found.append(
            Boundary(
                old.record.identity.run_id,
                old.record.epoch,
                rows[0].seq - 1 if rows else 0,
                rows[-1].time if rows else old.record.updated,
                old.record.state,
                tuple(rows),
                {},
                tuple(opens.get(n, ())),
                tuple(closes.get(n, ())),
                session_state=state,
            )
        )
    return found, told


def grouped(connection: Link, old: Old, known: Known) -> tuple[list[Sequence[Entry]], bool]:
    """The rows of each boundary; and whether replay told them. Rows that replay cannot tell apart are grouped by their instant."""
    identity = old.record.identity
    if identity.rules == RULES_VERSION:
        try:
            program = known.program(identity.fingerprint, identity.canonical)
            return [each.rows for each in merged(replay(programs(connection, known), old.entries, program))], True
        except (StatecoreError, LookupError, ValueError, TypeError, RecursionError):  # what a release of other rules wrote
            pass
    return [tuple(rows) for _, rows in groupby(old.entries, key=lambda row: row.time)], False


def merged(played: Sequence[Replayed]) -> list[Replayed]:
    """The boundaries of a replay, which reads several decisions that were applied at once as several: one where the core says the same of both."""
    found: list[Replayed] = []
    for each in played:
        both = together(found[-1], each) if found else None
        if both is None:
            found.append(each)
        else:
            found[-1] = both
    return found


def together(first: Replayed, then: Replayed) -> Replayed | None:
    """Two boundaries as one; None where they were two: at two instants, of two definitions, or with other moves."""
    if first.program is not then.program or first.time != then.time:
        return None
    state, events, rows = first.commit.before, (*first.commit.events, *then.commit.events), (*first.rows, *then.rows)
    try:
        after = advance(first.program, state, *events)
    except (StatecoreError, LookupError, ValueError):
        return None
    same = len(after.moves) == agreeing(after.moves, rows, 0) == len(rows)
    return Replayed(first.program, Commit(state, events, after), rows) if same else None


def programs(connection: Link, known: Known) -> Callable[[str], Program | None]:
    """The program of a fingerprint that some run has or had."""

    def program(fingerprint: str) -> Program | None:
        canonical = definition(connection, fingerprint)
        return known.program(fingerprint, canonical) if canonical is not None else None

    return program


def sorted_in(
    questions: Sequence[Waiting], groups: Sequence[Sequence[Entry]]
) -> tuple[Mapping[int, list[Pause]], Mapping[int, list[str]]]:
    """The questions that each boundary puts, and the ids of those that it closes."""
    opens: dict[int, list[Pause]] = {}
    closes: dict[int, list[str]] = {}
    for waiting in questions:
        pause = waiting.pause
        first = place_of(pause, groups, pause.opened, asks, 0)
        opens.setdefault(first, []).append(pause)
        if pause.closed is not None:
            last = place_of(pause, groups, pause.closed, leaves, first)
            closes.setdefault(last, []).append(pause.pause_id)
    return opens, closes


def place_of(pause: Pause, groups: Sequence[Sequence[Entry]], time: Micros, fits: Callable[[Entry], bool], first: int) -> int:
    """The boundary, from `first` on, with a row of the question's place that fits; else the last one that is not later."""
    fallback = first
    for n, rows in enumerate(groups[first:], first):
        if not rows:
            continue
        if rows[0].time <= time:
            fallback = n
        if rows[-1].time < time or rows[0].time > time:
            continue
        for row in rows:
            if (row.at, row.attempt) == (pause.at, pause.attempt) and pause.turn[: len(row.turn)] == row.turn and fits(row):
                return n
    return fallback


def asks(row: Entry) -> bool:
    """Whether a row leads to a question."""
    return TABLES[row.machine].owes.get(row.dest) == "ask"


def leaves(row: Entry) -> bool:
    """Whether a row leaves a question."""
    return TABLES[row.machine].owes.get(row.source) == "ask"


def began_with(connection: Link, old: Old) -> str:
    """The fingerprint that a run began with: its first row says so, but in a journal of schema 1."""
    said: Any = detail_of(old.entries[0].body.detail).definition if old.entries else None
    known = said is not None and definition(connection, said) is not None
    return said if known else old.record.identity.fingerprint
