"""`verify` of format 3 names what cannot be true, whichever column of whichever row it is, and nothing where all is well."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from attrs import define, evolve

from statecore import Parallel, Step, Workflow
from statecore.errors import StoreTooNew, StoreUnavailable
from statecore.runtime import Host
from statecore.stores.audit.verify import Verified
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import checked, verify
from statecore.stores.sqlite.opening import TWO
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from statecore.testing.stores.samples import claim
from tests.sizes import TIMES
from tests.unit.stores.old_flows import failing, flow, work
from tests.unit.stores.sqlite_files import raw

UNSEEN = {
    ("store", "uuid"): "it says which store this is, and nothing is derived from it",
    ("store", "created_us"): "the same",
    ("store", "rotating_us"): "a remark tells of it: enciphered bodies may change until a rotation is done",
    ("hot", "lease_us"): "a heartbeat writes it, and the epoch decides what it decides",
    ("hot", "updated_us"): "it is only shown",
    ("hot", "quarantined"): "a person's mark, which takes back what it says",
    ("pause", "id"): "a number of this file; it orders the pauses of a run",
    ("value", "id"): "a number of this file",
    ("session_value", "id"): "a number of this file; it orders the keys of a state",
    ("pause", "salt"): "of a closed question without a body, it salts nothing",
    ("legal", "id"): "a number of this file; where a list of moves refers to it, it is seen",
}
"""The columns that can be changed without notice, and why that is borne."""
GONE_UNSEEN = {"session_value": "a later event may have removed its key"}
"""The tables of which a row may be taken out without notice."""


def remembering(db):
    """A step that leaves a session state, a large output, and an error with a note."""

    def step(_step_input, run_context):
        state = run_context.session_state
        state["n"] = state.get("n", 0) + 1
        state["name"] = "ada"
        return "x" * 3_000

    return Workflow(
        "remembers", [Step("a", step), Step("b", step), Step("c", work, requires_confirmation=True)], db, session_id="s"
    )


def branching(db):
    """A run of many questions: where it is cancelled, more moves are made at once than a list is interned of."""
    steps = [Step(f"b{n}", work, requires_confirmation=True) for n in range(36)]
    workflow = Workflow("wide", [Parallel(*steps, name="wide")], db, session_id="s2")
    workflow.host = evolve(Host(db), owner=lambda: "old-host/boot/1/1")
    return workflow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with runs of every kind: over, paused, decided, failed, cancelled, left in the middle, to be cancelled."""
    file = tmp_path_factory.mktemp("made") / "runs.db"
    db = SqliteDb(file, durability="normal")
    workflow = flow(db)
    run = workflow.run({"amount": 3}, run_id="done", idempotency_key="k", user_id="ann")
    while run.is_paused:
        for asked in run.steps_requiring_confirmation:
            asked.confirm(by="ada", comment="checked")
        for error in run.steps_with_errors:
            error.skip()
        run = workflow.continue_run(run)
    paused = workflow.run("p", run_id="decided")
    workflow.decide("decided", paused.requirements[0].pause_id, "reject", by="bob", comment="no", value="why", idempotency_key="k")
    with pytest.raises(OSError, match="busy"):
        failing(db).run(run_id="failed")
    workflow.run("z", run_id="left")
    claim(db, "left", "elsewhere/boot/1/1", 10**15, 10**15 + 1)
    remembering(db).run(run_id="remembers")
    workflow.run("w", run_id="gone")
    workflow.cancel_run("gone", by="eve")
    claim(db, workflow.run("c", run_id="marked").run_id, "elsewhere/boot/1/1", 10**15, 10**15 + 1)
    db.request_cancel("marked", "eve", 10**15)
    db.close()
    return file


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A store with one run of many branches, which was cancelled."""
    file = tmp_path_factory.mktemp("wide") / "runs.db"
    db = SqliteDb(file, durability="normal")
    workflow = branching(db)
    workflow.run("w", run_id="gone")
    workflow.cancel_run("gone", by="eve")
    db.close()
    return file


def test_a_good_store_is_sound(made, wide):
    """Nothing is found where nothing is wrong, and how much was looked at is told; each table that is written has a row."""
    found = verify(made, of=THREE)
    assert (found.faults, found.remarks, found.runs, found.schema) == ([], [], 7, 3)
    assert found.rows > 20
    assert found.values >= 2
    assert verify(wide, of=THREE).faults == []
    for file, tables in ((made, set(TABLES) - {"move"}), (wide, {"move"})):
        connection = raw(file)
        assert [table for table in tables if connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)] == []  # noqa: S608  # ours
        connection.close()


def test_a_format_is_refused_by_the_store_of_another(made, tmp_path):
    """A file of format 3 is a newer release's to the store of format 2; `verify` of format 3 names a file of format 2; neither changes."""
    old = tmp_path / "old.db"
    store = SqliteDb2(old)
    assert store.session_state("s", "w") is None
    store.close()
    before = made.read_bytes(), old.read_bytes()
    newer: list[Callable[[Path], object]] = [SqliteDb2, partial(verify, of=TWO)]
    for looks in newer:
        with pytest.raises(StoreTooNew) as refused:
            looks(made)
        assert (refused.value.found, refused.value.known) == (3, 2)
    older: list[Callable[[Path], object]] = [partial(verify, of=THREE)]
    for looks in older:
        with pytest.raises(StoreUnavailable, match="of format 2, and this store reads format 3"):
            looks(old)
    assert (made.read_bytes(), old.read_bytes()) == before


# -- every column of every row --------------------------------------------------------------------------------------------------

TABLES = (
    *("store", "workflow", "session", "definition", "legal", "shape", "shape_move", "run", "start_key", "session_value"),
    *("hot", "event", "move", "value", "pause"),
)
LISTS = {"legal", "shape", "shape_move", "move"}
KEYS = {"shape_move": "shape, k", "start_key": "workflow, key", "move": "event, k"}


def where(table):
    """The condition that finds a row by its key."""
    return " AND ".join(f'"{part}" IS ?' for part in KEYS.get(table, "rowid").split(", "))


def spoilt(kind, value):
    """Other values that a column might hold, as SQL."""
    match value:
        case None:
            return (
                ["'x'", "CAST(x'ff' AS TEXT)"] if kind == "TEXT" else ["7", "0"] if kind == "INTEGER" else ["x'00'", "zeroblob(32)"]
            )
        case int():
            return [str(value + 1), str(value - 1), "NULL", str(-1 - value)]
        case str():
            return [f"'{'x' if value != 'x' else 'y'}'", "CAST(x'ff' AS TEXT)", "'" + value.replace("'", "''") + " '", "NULL"]
        case _:
            return [f"x'{value[0] ^ 1:02x}{value[1:].hex()}'", "x'00'", "zeroblob(32)", "NULL", f"x'{value.hex()}00'"]


@define
class Spoilt:
    """A copy of a store in memory, of which one column of one row is changed at a time, behind its triggers."""

    connection: sqlite3.Connection
    triggers: list[tuple[str, str, str]]

    def rows(self, table):
        """Each row's key and its columns: name, kind, value."""
        columns = [(name, kind) for _, name, kind, *_ in self.connection.execute(f"PRAGMA table_info({table})")]
        for key in self.connection.execute(f"SELECT {KEYS.get(table, 'rowid')} FROM {table}").fetchall():  # noqa: S608  # ours
            values = self.connection.execute(f"SELECT * FROM {table} WHERE {where(table)}", key).fetchone()  # noqa: S608  # ours
            yield key, [(name, kind, value) for (name, kind), value in zip(columns, values, strict=True)]

    def found(self, table, statement, key):
        """What `verify` finds after a statement on a table; None where SQLite itself refuses it."""
        guards = [(name, sql) for name, sql, of in self.triggers if of == table]
        self.connection.execute("BEGIN")
        try:
            for name, _ in guards:
                self.connection.execute(f"DROP TRIGGER {name}")
            assert self.connection.execute(statement, key).rowcount == 1
            for _, sql in guards:
                self.connection.execute(sql)
            found = Verified("here", 3)
            checked(self.connection, found, None, THREE)
        except sqlite3.IntegrityError:
            return None
        finally:
            self.connection.execute("ROLLBACK")
            self.connection.text_factory = str
        return found


def in_memory(file):
    """A store, to be spoilt in memory."""
    source, connection = raw(file), sqlite3.connect(":memory:", isolation_level=None)
    source.backup(connection)
    source.close()
    return Spoilt(connection, connection.execute("SELECT name, sql, tbl_name FROM sqlite_schema WHERE type = 'trigger'").fetchall())


@pytest.fixture(scope="module")
def copied(made):
    """The store with runs of every kind, to be spoilt."""
    spoilt = in_memory(made)
    yield spoilt
    spoilt.connection.close()


@pytest.fixture(scope="module")
def copied_wide(wide):
    """The store with many branches, to be spoilt."""
    spoilt = in_memory(wide)
    yield spoilt
    spoilt.connection.close()


def test_every_table_is_spoilt_or_is_to_be_empty(copied):
    """The tables that are spoilt here, and those that this release leaves empty, are all tables of the schema."""
    tables = {
        name
        for (name,) in copied.connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    }
    assert tables == {*TABLES, "act", "audience", "notice", "delivery", "tombstone", "erasure", "leaf"}


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_every_row_is_seen(copied, copied_wide, table):
    """Whichever column of whichever row is changed, it is seen. Each row in another way; of lists every sixteenth, of events every third."""
    copied = copied_wide if table == "move" else copied
    tried, unseen = set(), set()
    all_rows = list(copied.rows(table))
    every = (16 if table in LISTS else 3 if table == "event" else 2 if table == "pause" else 1) * (
        2 if TIMES <= 1 and len(all_rows) > 8 else 1
    )
    for number, (key, columns) in enumerate(all_rows[::every]):
        for column, kind, value in columns:
            others = spoilt(kind, value)
            for other in others if number == 0 else [others[number % len(others)]]:
                found = copied.found(table, f'UPDATE {table} SET "{column}" = {other} WHERE {where(table)}', key)  # noqa: S608  # ours
                if found is None:
                    continue
                tried.add(column)
                if found.sound:
                    unseen.add((table, column))
    assert unseen == {place for place in UNSEEN if place[0] == table}
    assert len(tried) > len(all_rows[0][1]) / 3


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_gone_is_missed(copied, copied_wide, table):
    """Whichever row is taken out, something says so, of a move that no list has a remark; of lists every sixteenth is tried."""
    copied = copied_wide if table == "move" else copied
    unseen = False
    for key, _ in list(copied.rows(table))[:: 16 if table in LISTS else 1]:
        found = copied.found(table, f"DELETE FROM {table} WHERE {where(table)}", key)  # noqa: S608  # ours
        said = table == "legal" and found is not None and [fault.where for fault in found.remarks] == ["table legal"]
        unseen = unseen or (found is not None and found.sound and not said)
    assert unseen is (table in GONE_UNSEEN)


EMPTY_ROWS = {
    "act": "INSERT INTO act (pause, kind, round, time_us, roles, seal) SELECT max(id), 'refusal', 0, 1, '', zeroblob(32) FROM pause",
    "audience": "INSERT INTO audience SELECT 'role:x', max(id), 0, NULL FROM pause",
    "notice": "INSERT INTO notice (run, event, n, due_us) VALUES (1, 'ended', 0, 0)",
    "tombstone": "INSERT INTO tombstone SELECT 99, 'x', 1, zeroblob(32), 'failed', 1, zeroblob(32), 1, 1, 1, NULL, NULL, NULL, NULL, zeroblob(32)",
    "erasure": "INSERT INTO erasure (run, what, time_us, seal) VALUES (1, 'all', 1, zeroblob(32))",
    "leaf": "INSERT INTO leaf VALUES (1, 'begun', 1, 'done', 0, zeroblob(32), zeroblob(32))",
}


@pytest.mark.parametrize("table", EMPTY_ROWS)
def test_what_no_release_writes_is_named(copied, table):
    """A row in a table that this release leaves empty is named, and so is a tombstone or an order that was not sealed."""
    found = copied.found(table, EMPTY_ROWS[table], ())
    assert found is not None
    wheres = [fault.where for fault in found.faults]
    assert [where for where in wheres if where == f"table {table}" or where.startswith(f"{table} ")] != []
