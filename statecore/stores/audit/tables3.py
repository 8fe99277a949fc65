"""Contradictions in the tables of format 3, in any database. Each run is checked in `run3`.

A journal that was written anew from its beginning, with all hashes and seals, agrees with itself and is not found. These columns can be changed
without notice: `hot.lease_us` and `hot.updated_us`, which decide nothing that the epoch does not decide again; `store.uuid` and
`store.created_us`, which say which store this is; `store.rotating_us`, of which a remark
tells; the numbers of rows that nothing refers to (`value.id`, `pause.id`, `session_value.id`);
`pause.salt` of a closed question without a body. A value of the session state that an older event of the run wrote can be put back, and one can
be left out: only what is there is committed to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.errors import UnreadableValue
from statecore.stores.frames.questions import LAST_NUMBER
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql3.ciphers import keys_of
from statecore.stores.sql3.migrating import FROM, MIGRATED
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sql3.reading import Known
from statecore.stores.sql3.shapes import LONGEST, NO_MOVES, SHAPE_MOVES, MoveLists, moves_of, shape_of

from .ended3 import leaves, orders, tombstones
from .run import Findings
from .run3 import check_run
from .verify import Fault, definitions, legal_rows, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.sql.link import Link

    from .verify import Verified

UNWRITTEN: dict[str, Any] = {
    "store": ("kid",),
    "run": ("workflow_version", "traceparent", "kid"),
    "hot": ("cancel_kid",),
    "event": ("traceparent",),
    "pause": (
        *(
            "consequences",
            "choices",
            "shown",
            "choices_c",
            "shown_c",
        ),
        *("kid", "decision_kid"),
    ),
}
"""The columns that this release leaves NULL: erasures, keys, rules of who may decide are of later ones."""
EMPTY = ("notice", "delivery")
"""The tables that this release leaves empty."""

SAYS = f'%"{MIGRATED}":{{"format":{FROM},%'
"""The fact of a migrated run's first event, as a pattern."""

LOOSE = {
    "start_key": "SELECT key FROM start_key k WHERE NOT EXISTS "
    "(SELECT 1 FROM run r WHERE r.run_id = k.run_id AND r.workflow = k.workflow AND r.start_key = k.key) "
    "AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.run_id = k.run_id AND t.workflow = k.workflow)",
    "value": "SELECT v.id FROM value v LEFT JOIN event e ON e.id = v.event WHERE CASE v.slot WHEN 'by' THEN e.by_c WHEN 'note' THEN e.note_c "
    "ELSE e.value_c END IS NULL",
    "move": "SELECT m.event FROM move m LEFT JOIN event e ON e.id = m.event WHERE e.id IS NULL OR e.shape IS NOT NULL",
    "move of event": "SELECT event FROM move GROUP BY event HAVING min(k) <> 0 OR max(k) + 1 <> count(*)",
    "event": "SELECT e.id FROM event e WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.id = e.run AND e.id >> 24 = r.id)",
    "session_value": "SELECT s.id FROM session_value s WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.id = s.run) "
    "AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.run = s.run)",
    "shape_move": "SELECT m.shape FROM shape_move m LEFT JOIN shape s ON s.id = m.shape WHERE s.id IS NULL OR m.k >= s.moves OR m.k < 0",
}
"""Rows that belong to nothing, or have lost their order."""
THERE = "SELECT id, run_id FROM run r WHERE NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.run = r.id) ORDER BY id"
"""The runs but those that are being purged."""


def contents(connection: Link, found: Verified, progress: Callable[[int, int], None] | None) -> None:
    """Look at all that the tables hold, whichever database they are in."""
    [*stores] = connection.execute("SELECT one, version FROM store").fetchall()
    if stores != [(1, VERSION)]:
        found.blame("table store", f"it does not say that this is a store of format {VERSION}")
    came_from(connection, found)
    legal_rows(connection, found)
    definitions(connection, found)
    shapes(connection, found)
    unwritten(connection, found)
    for table, query in LOOSE.items():
        for (key,) in connection.execute(query).fetchall():
            found.blame(f"{table} {key}", "it belongs to nothing, or has lost its place")
    known = Known(MoveLists(legal_moves(connection)))
    tombstones(connection, found)
    orders(connection, found)
    leaves(connection, found)
    numbers = connection.execute(THERE).fetchall()
    for number, run_id in numbers:
        findings = Findings()
        try:
            check_run(connection, number, run_id, known, findings)
        except Exception as error:  # noqa: BLE001  # whatever a spoilt row breaks, it is a fault of the row
            findings.blame("run", plain(error))
        found.runs, found.rows = found.runs + 1, found.rows + findings.rows
        found.faults += [Fault(run_id, *each) for each in findings.faults]
        found.remarks += [Fault(run_id, *each) for each in findings.remarks]
        if progress is not None:
            progress(found.runs, len(numbers))
    keys_told(connection, found)
    found.values = connection.execute("SELECT count(*) FROM value").fetchone()[0]


def keys_told(connection: Link, found: Verified) -> None:
    """Remark what could not be checked for want of a key, and a rotation that is not done."""
    for kid in sorted(getattr(connection, "shut", {})):
        why = f"values not opened: the key {kid!r} is not given; chains, seals and commitments were checked"
        found.remarks.append(Fault(None, "values", why))
    [rotating] = connection.execute("SELECT max(rotating_us) FROM store").fetchone()
    if rotating is not None:
        found.remarks.append(Fault(None, "table store", "a rotation of keys was begun and is not done: run `statecore rotate`"))
    seals = keys_of(connection).seals
    for kid, count in connection.execute("SELECT kid, count(*) FROM hot GROUP BY kid ORDER BY kid").fetchall():
        if kid is None and seals:
            found.remarks.append(
                Fault(None, "seals", f"{count:,} runs not countersigned: no process with a key has stored them since")
            )
        elif kid is not None and kid not in seals:
            found.remarks.append(Fault(None, "seals", f"{count:,} seals not checked: the key {kid!r} is not given"))


def came_from(connection: Link, found: Verified) -> None:
    """The store says that it was migrated where a run says so."""
    [origin] = connection.execute("SELECT max(migrated_from) FROM store").fetchone()
    [first] = connection.execute(f"SELECT min(run) FROM event WHERE id & {LAST_NUMBER} = 1 AND fact LIKE ?", (SAYS,)).fetchone()  # noqa: S608  # a constant
    if origin not in (None, FROM) or (origin is None and first is not None):
        found.blame("table store", f"it says that it was migrated from {origin}, and its runs say otherwise")


def shapes(connection: Link, found: Verified) -> None:
    """Each list of moves is the one of its digest and its number."""
    rows = connection.execute("SELECT id, digest, moves, begins, ends FROM shape").fetchall()
    if NO_MOVES.number not in {row[0] for row in rows}:
        found.blame("table shape", "the list of no moves is missing")
    for number, digest, count, begins, ends in rows:
        try:
            shape = shape_of(moves_of(connection, SHAPE_MOVES, number))
        except UnreadableValue as error:
            found.blame(f"shape {number}", error.why)
            continue
        own = [move for move in shape.moves if move[0] == ""]
        wanted = (shape.number, shape.digest, len(shape.moves), own[0][2] if own else None, own[-1][4] if own else None)
        if (number, bytes(digest), count, begins, ends) != wanted or count > LONGEST:
            found.blame(f"shape {number}", "it is not the list of its digest")


def unwritten(connection: Link, found: Verified) -> None:
    """Tables and columns that this release does not write are empty."""
    for table, columns in UNWRITTEN.items():
        counts = ", ".join(f'count("{column}")' for column in columns)
        row = connection.execute(f"SELECT {counts} FROM {table}").fetchone()  # noqa: S608  # names from above
        for column, count in zip(columns, row, strict=True):
            if count:
                found.blame(f"table {table}", f"{count} rows hold {column}, which this release does not write")
    row = connection.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM {table})' for table in EMPTY)}").fetchone()  # noqa: S608  # as above
    for table, count in zip(EMPTY, row, strict=True):
        if count:
            found.blame(f"table {table}", f"it holds {count} rows, which this release does not write")
