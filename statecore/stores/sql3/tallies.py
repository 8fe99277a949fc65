"""The counts of a workflow for those who watch a store: open questions by kind, with the oldest, and runs by phase; each by an index (P26)."""
# ruff: noqa: S608  # statements are put together of the constants here; values are bound

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.stores.abilities import UNENDED, Counts
from statecore.stores.rules import sought

from .listing import Lead
from .queries import OPEN, WORKFLOW

if TYPE_CHECKING:
    from statecore.core import Micros
    from statecore.stores.sql.link import Link

SLICE, MOST = 1_000, 100_000
"""The rows that are read at once, and the most that are counted: an inbox of more is as good as endless."""
KEY = ("p.opened_us", "p.run", "p.id")
RUNS = "SELECT count(*) FROM hot h WHERE h.workflow = ? AND h.phase = ?"


def counts(connection: Link, workflow_id: str) -> Counts:
    """The counts of one workflow, at one moment."""
    row = connection.execute(WORKFLOW, (sought(workflow_id),)).fetchone()
    if row is None:
        return Counts({}, dict.fromkeys(UNENDED, 0))
    runs = {phase: int(connection.execute(RUNS, (row[0], phase)).fetchone()[0]) for phase in UNENDED}
    return Counts(questions(connection, row[0]), runs)


def questions(connection: Link, number: int) -> dict[str, tuple[int, Micros]]:
    """The open, undecided questions of a workflow by kind: how many there are, and since when the oldest waits."""
    lead = Lead(("p.workflow",), (number,), KEY, more="p.closed IS NULL AND p.word IS NULL")
    found: dict[str, tuple[int, Micros]] = {}
    start, read = None, 0
    while read < MOST:
        where = lead.where(start)
        statement = f"""SELECT {OPEN}, p.kind, {", ".join(KEY)} FROM pause p JOIN hot h ON h.run = p.run
WHERE {where.text} ORDER BY {lead.order} LIMIT ?"""
        rows = connection.execute(statement, (*where.values, SLICE)).fetchall()
        for is_open, kind, opened, *_ in rows:
            if is_open:
                count, oldest = found.get(kind, (0, opened))
                found[kind] = count + 1, oldest
        if len(rows) < SLICE:
            break
        start, read = tuple(rows[-1][2:]), read + len(rows)
    return found
