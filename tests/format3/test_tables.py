"""What the tables of format 3 allow, and which columns never change."""

from __future__ import annotations

import re
import sqlite3

import pytest

from statecore.stores.frames import framing
from statecore.stores.sql.link import shipped
from tests.format3.attacks import CHANGES, REFUSED
from tests.format3.lives import Lives, one
from tests.format3.tables import (
    DECIDED,
    ENDED,
    HASH,
    RUNNING,
    START,
    STEP,
    append,
    begin,
    bury,
    event_id,
    execute,
    filled,
    insert,
    order,
    tables,
)


@pytest.fixture
def file():
    """The file with its three runs."""
    connection = filled()
    yield connection
    connection.close()


# -- what may change ---------------------------------------------------------------------------------------------------------------


def columns():
    """Each column of each table that has guards."""
    connection = tables()
    return [(table, row[1]) for table in CHANGES for row in connection.execute(f"PRAGMA table_info({table})")]


OTHERS = {
    "INTEGER": ("coalesce({0}, 0) + 1", "nullif({0}, 0)"),
    "TEXT": ("coalesce({0}, '') || 'x'", "NULL"),
    "BLOB": ("CAST(coalesce({0}, x'') || x'00' AS BLOB)", "randomblob(32)", "NULL"),
}
"""Other values of a column, by its type."""


@pytest.mark.parametrize(("table", "column"), columns(), ids=lambda name: name)
def test_a_column_never_changes(file, table, column):
    """A column is refused another value, and none, unless the table lets it change; a decided question and its decision included."""
    if table in {"tombstone", "erasure"}:
        order(file, ENDED)
        file.execute("UPDATE erasure SET done_us = 5")
        bury(file)
    if table == "move":
        file.execute("BEGIN")
        insert(file, "move", event=event_id(RUNNING, 3), k=0, at="a", legal=20)
    if table == "pause":
        execute(file, DECIDED)
    kinds = {row[1]: row[2] for row in file.execute(f"PRAGMA table_info({table})")}
    tried = 0
    for other in OTHERS[kinds[column]]:
        value = other.format(f'"{column}"')
        if file.execute(f'SELECT 1 FROM {table} WHERE "{column}" IS NOT {value}').fetchone() is None:  # noqa: S608  # names of the schema
            continue
        tried += 1
        statement = f'UPDATE {table} SET "{column}" = {value} WHERE "{column}" IS NOT {value}'  # noqa: S608  # as above
        file.execute("SAVEPOINT s")
        if column not in CHANGES[table]:
            with pytest.raises(sqlite3.IntegrityError):
                file.execute(statement)
        file.execute("ROLLBACK TO s")
    assert tried > 0


def test_what_may_change_can_be_changed(file):
    """The columns that a table lets change, change: seals and their keys, the key in use."""
    order(file, ENDED)
    execute(file, DECIDED)
    bury(file)
    for table, names in CHANGES.items():
        for name in sorted(names - {"version"}):
            value = {"rotating_us": "1", "seal": "zeroblob(32)", "decision_seal": "zeroblob(32)"}.get(name, "'k'")
            where = "id = 1" if table == "pause" else "1"
            assert file.execute(f"UPDATE {table} SET {name} = {value} WHERE {where}").rowcount > 0  # noqa: S608  # names of the schema


# -- lives of a run ----------------------------------------------------------------------------------------------------------------


class TestLives(Lives):
    """What the tables allow, in SQLite."""


def test_the_largest_numbers_fit_and_the_next_are_refused(file):
    """The last run and the last event have an id of 63 bits; the run after it and the event after it are refused."""
    last_run, last_event = 2**39 - 1, 2**24 - 1
    file.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'run'", (last_run - 1,))
    assert begin(file, "last") == last_run
    with pytest.raises(sqlite3.IntegrityError):
        begin(file, "one more")
    file.execute("DROP TRIGGER event_follows")
    append(file, last_run, 1, START, hash=HASH)
    append(file, last_run, last_event, STEP, hash=HASH)
    assert one(file, "SELECT max(id) FROM event") == 2**63 - 1
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        append(file, RUNNING, last_event + 1, STEP, hash=HASH)


def test_nothing_is_replaced(file):
    """REPLACE deletes what it meets, and so meets the guards: no run, question, event, act or leaf is written over."""
    for table in ("run", "hot", "event", "pause", "act", "leaf", "shape", "start_key", "workflow", "legal", "definition", "store"):
        with pytest.raises(sqlite3.IntegrityError):
            file.execute(f"REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608  # names of the schema


@pytest.mark.parametrize("statement", REFUSED)
def test_constraints_refuse(file, statement):
    """A second store, an unknown shape, another run's id, a short hash, an empty or long key and a second leaf are no rows of a file."""
    with pytest.raises(sqlite3.IntegrityError):
        execute(file, statement)


# -- the file ---------------------------------------------------------------------------------------------------------------------


def test_a_plain_step_writes_one_row(file):
    """An event in which the run does not move writes its row and nothing of `hot`; nothing that a guard asks is looked for in a whole table."""
    before = file.execute("SELECT * FROM hot WHERE run = 2").fetchone()
    changes = file.total_changes
    append(file, RUNNING, 3, STEP)
    assert file.total_changes == changes + 1
    assert file.execute("SELECT * FROM hot WHERE run = 2").fetchone() == before


def test_the_file_is_as_the_page_says(file):
    """Page size, vacuum and encoding are those of the page; every table is strict, and each _c and hash column is a BLOB."""
    assert [one(file, f"PRAGMA {name}") for name in ("page_size", "auto_vacuum", "encoding")] == [4096, 0, "UTF-8"]
    for (sql,) in file.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        assert re.search(r"STRICT(, WITHOUT ROWID)?$", sql)
    script = shipped("statecore.stores.sqlite", "schema-3.sql")
    wrong = re.findall(r"^\s+(\w+(?:_c|_us|hash|head|seal|salt|digest))\s+(\w+)", script, re.MULTILINE)
    assert {kind for name, kind in wrong if name.endswith("_us")} == {"INTEGER"}
    assert {kind for name, kind in wrong if not name.endswith("_us")} == {"BLOB"}


def test_every_slot_is_a_column():
    """Each slot that can be erased is a column of its table, and has one for its commitment."""
    connection = tables()
    homes = {"decision": "pause", "cancel": "hot"}
    for slot in sorted(framing.SLOTS - {"event.session", "pause.voter"}):
        table, name = slot.split(".")
        found = {row[1] for row in connection.execute(f"PRAGMA table_info({homes.get(table, table)})")}
        body = {"run.user": "user_id", "cancel.by": "cancel_by"}.get(slot, name)
        kept = {"cancel.by": "cancel_by_c"}.get(slot, f"{name}_c")
        assert {body, kept} <= found, slot
