"""`verify` names what cannot be true in a store, whichever column of whichever row it is (T6), and nothing where all is well."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from random import Random

import pytest
from attrs import define

from statecore import Step, Workflow
from statecore.errors import NotAStatecoreStore, StoreTooNew, StoreUnavailable
from statecore.stores.audit.run import ROWS
from statecore.stores.audit.verify import Verified
from statecore.stores.links import GENESIS, link, seal
from statecore.stores.records import Body, Entry
from statecore.stores.sql.reading import SEALED
from statecore.stores.sql.rows import read_turn
from statecore.stores.sqlite import opening as schema
from statecore.stores.sqlite.health import backup, checked, verify
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import claim
from tests.sizes import TIMES
from tests.unit.stores.old_flows import failing, flow
from tests.unit.stores.sqlite_files import raw, tamper

SEEDS = Path(__file__).parents[2] / "seeds"
RARE = 3 if TIMES <= 1 else 1
"""Of larger tables each so many-th row is spoilt: all of them in a campaign."""
TABLES = ("run", "journal", "pause", "decision", "value", "session_state", "definition", "legal")

UNSEEN = {
    ("run", "lease"): "each boundary writes it anew, and the epoch decides what it decides",
    ("run", "updated"): "each boundary writes it anew, and it is only shown",
    ("pause", "id"): "a number of this file; it orders the pauses of a run",
    ("legal", "id"): "a number of this file; where a journal refers to it, it is seen",
}
"""The columns that can be changed without notice, and why that is borne."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with runs of every kind: over, paused, decided, failed, cancelled, left in the middle."""
    file = tmp_path_factory.mktemp("made") / "runs.db"
    db = SqliteDb(file)
    workflow = flow(db)
    run = workflow.run({"amount": 3}, run_id="done", idempotency_key="k")
    while run.is_paused:
        for asked in run.steps_requiring_confirmation:
            asked.confirm(by="ada", comment="checked")
        for error in run.steps_with_errors:
            error.skip()
        run = workflow.continue_run(run)
    paused = workflow.run("p", run_id="decided")
    workflow.decide("decided", paused.requirements[0].pause_id, "reject", by="bob", comment="no", value="why", idempotency_key="k")
    workflow.run("c", run_id="gone")
    workflow.cancel_run("gone", by="eve")
    with pytest.raises(OSError, match="busy"):
        failing(db).run(run_id="failed")
    workflow.run("z", run_id="left")
    claim(db, "left", "elsewhere/boot/1/1", 10**15, 10**15 + 1)
    db.close()
    return file


@pytest.fixture
def file(made, tmp_path):
    """A copy of that store, to be spoilt."""
    copy = tmp_path / "runs.db"
    copy.write_bytes(made.read_bytes())
    return copy


def test_a_good_store_is_sound(made):
    """Nothing is found where nothing is wrong; how much was looked at is told, and the file stays as it is."""
    before, told = made.read_bytes(), []
    found = verify(made, lambda done, of: told.append((done, of)))
    assert (found.faults, found.remarks, found.sound) == ([], [], True)
    assert (found.runs, found.schema, told) == (5, schema.VERSION, [(n, 5) for n in range(1, 6)])
    assert found.rows > 60
    assert made.read_bytes() == before


# -- T6: every column of every row ----------------------------------------------------------------------------------------------


def spoilt(kind, value):
    """Other values that a column might hold, as SQL."""
    match value:
        case None:
            return ["'x'", "7"] if kind in ("TEXT", "INTEGER") else ["x'00'"]
        case int():
            return [str(value + 1), str(value - 1), str(-1 - value)]
        case str():
            return [f"'{'x' if value != 'x' else 'y'}'", "CAST(x'ff' AS TEXT)", "'" + value.replace("'", "''") + " '"]
        case _:
            return ["x'00'", "zeroblob(32)"]


@define
class Spoilt:
    """A copy of a store in memory, of which one column of one row is changed at a time, behind its triggers."""

    connection: sqlite3.Connection
    triggers: list[tuple[str, str]]

    def rows(self, table):
        """Each row's key and its columns: name, kind, value."""
        columns = [(name, kind) for _, name, kind, *_ in self.connection.execute(f"PRAGMA table_info({table})")]
        for *key, row in self.connection.execute(f"SELECT {KEYS.get(table, 'rowid')}, json_array(1) FROM {table}").fetchall():  # noqa: S608
            assert row == "[1]"
            values = self.connection.execute(f"SELECT * FROM {table} WHERE {where(table)}", key).fetchone()  # noqa: S608
            yield key, [(name, kind, value) for (name, kind), value in zip(columns, values, strict=True)]

    def found(self, table, column, key, other):
        """What `verify` finds where a column is another; None where SQLite itself refuses it."""
        self.connection.execute("BEGIN")
        try:
            for name, _ in self.triggers:
                self.connection.execute(f"DROP TRIGGER {name}")
            changed = self.connection.execute(f'UPDATE {table} SET "{column}" = {other} WHERE {where(table)}', key)  # noqa: S608
            assert changed.rowcount == 1
            for _, sql in self.triggers:
                self.connection.execute(sql)
            found = Verified("here", schema.VERSION)
            checked(self.connection, found, None)
        except sqlite3.IntegrityError:
            return None
        finally:
            self.connection.execute("ROLLBACK")
            self.connection.text_factory = str
        return found


KEYS = {"journal": "run, seq", "decision": "run, pause_id", "value": "hash"}


def where(table):
    """The condition that finds a row by its key."""
    return " AND ".join(f"{part} IS ?" for part in KEYS.get(table, "rowid").split(", "))


@pytest.fixture(scope="module")
def copied(made):
    """The store, to be spoilt in memory."""
    source, connection = raw(made), sqlite3.connect(":memory:", isolation_level=None)
    source.backup(connection)
    source.close()
    yield Spoilt(connection, connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall())
    connection.close()


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_every_row_is_seen(copied, table):
    """T6: whichever column of whichever row is changed, it is seen; of a journal, the row that is named first is the one changed.

    In a journal each column is changed in one way a row, in the next row in the next way; of a move, which is compared as a whole, one column.
    """
    names = dict(copied.connection.execute("SELECT id, run_id FROM run"))
    tried, unseen = 0, set()
    rows = list(copied.rows(table))
    chosen = rows[:: RARE if len(rows) > RARE * 4 else 1]
    for number, (key, columns) in enumerate(chosen):
        for column, kind, value in columns if table != "legal" else columns[number % len(columns) :][:1]:
            others = spoilt(kind, value)
            for other in [others[number % len(others)]] if table in ("journal", "legal") else others:
                found = copied.found(table, column, key, other)
                if found is None:
                    continue
                tried += 1
                if found.sound:
                    unseen.add((table, column))
                elif table == "journal" and column not in ("run", "seq"):
                    first = next(fault for fault in found.faults if fault.run_id is not None)
                    assert (first.run_id, first.where) == (names[key[0]], f"journal row {key[1]}"), (column, other)
    assert tried > len(chosen) * (0.5 if table == "legal" else 1)
    assert unseen == {place for place in UNSEEN if place[0] == table}


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_gone_is_missed(copied, table):
    """Whichever row is taken out, something says so; of a move that no journal row has, a remark: opening the store adds it."""
    for key, _ in copied.rows(table):
        connection = copied.connection
        connection.execute("BEGIN")
        for name, _ in copied.triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"DELETE FROM {table} WHERE {where(table)}", key)  # noqa: S608  # a table of ours
        for _, sql in copied.triggers:
            connection.execute(sql)
        found = Verified("here", schema.VERSION)
        checked(connection, found, None)
        connection.execute("ROLLBACK")
        connection.text_factory = str
        said = [fault.where for fault in found.remarks if table == "legal"] == ["table legal"]
        assert not found.sound or said, key


# -- what agrees with itself and is not true --------------------------------------------------------------------------------------


def rechained(connection, run_id):
    """Write the chain of a run anew, as somebody would who knows how."""
    [number] = connection.execute("SELECT id FROM run WHERE run_id = ?", (run_id,)).fetchone()
    chain = GENESIS
    rows = connection.execute(ROWS, (number,)).fetchall()
    for seq, machine, at, turn, attempt, source, trigger, dest, time, detail, address, text, _ in rows:
        entry = Entry(seq, machine, at, read_turn(turn), attempt, source, trigger, dest, time, Body(detail, text))
        chain = link(chain, run_id, entry, address)
        connection.execute("UPDATE journal SET hash = ? WHERE run = ? AND seq = ?", (chain, number, seq))
    connection.execute("UPDATE run SET seq = ?, head = ? WHERE id = ?", (len(rows), chain, number))


def resealed(connection):
    """Seal every row anew, as somebody would who knows how."""
    for each in SEALED:
        rows = [(seal(*columns), number) for number, _, *columns in connection.execute(each.query).fetchall()]
        found = "(SELECT rowid FROM pause p WHERE p.run = decision.run AND p.pause_id = decision.pause_id)"
        key = found if each.table == "decision" else "id"
        connection.executemany(f"UPDATE {each.table} SET {each.column} = ? WHERE {key} = ?", rows)  # noqa: S608  # tables of ours


FORGED = {
    "a question that was asked at another time": (
        "UPDATE pause SET opened = opened + 1 WHERE pause_id = 'pay:confirmation:0' AND run = 1",
        "it was asked when no row was written",
    ),
    "a question that was closed at another time": (
        "UPDATE pause SET closed = closed + 1 WHERE pause_id = 'pay:confirmation:0' AND run = 1",
        "it was closed when no row left its question",
    ),
    "a cancellation at no time": ("UPDATE run SET cancel_by = 'eve' WHERE run_id = 'done'", "somebody cancelled it at no time"),
    "a move that there is not": (
        """INSERT INTO legal (machine, source, "trigger", dest) VALUES ('step', 'skipped', 'confirm', 'running')""",
        "no lifecycle has the move step skipped confirm running",
    ),
    "an approval that nobody gave": ("DELETE FROM decision WHERE pause_id = 'pay:confirmation:0' AND run = 1", "none is stored"),
    "an approval by somebody else": (
        """UPDATE journal SET detail = replace(detail, 'ada', 'eve') WHERE run = 1 AND detail LIKE '%"by": "ada"%'""",
        "says something else",
    ),
    "a gate that was not asked": (
        """UPDATE journal SET legal = (SELECT id FROM legal WHERE machine = 'step' AND source = 'pending' AND dest = 'running')
        WHERE run = 1 AND at = 'pay'
        AND legal = (SELECT id FROM legal WHERE machine = 'step' AND source = 'pending' AND dest = 'awaiting_confirmation')""",
        "it moves 'pay' from awaiting_confirmation, and that is running",
    ),
    "a run that stands elsewhere": (
        "UPDATE run SET state = (SELECT state FROM run WHERE run_id = 'gone') WHERE run_id = 'decided'",
        "its state says cancelled",
    ),
    "a state that is another": (
        "UPDATE run SET state = replace(state, 'collect', 'end') WHERE run_id = 'left'",
        "its state is not the one that its journal leads to",
    ),
    "a lease of nobody": ("UPDATE run SET lease = 5 WHERE run_id = 'done'", "it has a lease and no owner"),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forgery_that_agrees_with_itself_is_found(file, forgery):
    """Where all hashes were made anew, what the rows say of each other is still compared: core, state, pauses, decisions."""
    statement, why = FORGED[forgery]
    connection = raw(file)
    connection.execute("PRAGMA foreign_keys = 0")
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    assert connection.execute(statement).rowcount > 0
    for run_id in ("done", "decided", "left"):
        rechained(connection, run_id)
    resealed(connection)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()
    assert why in "; ".join(map(str, verify(file).faults))


def test_an_identity_is_sealed(file):
    """Who a run is cannot be changed unseen; a seal that fits is no proof, and the docstring says so."""
    tamper(file, "UPDATE run SET user_id = 'eve' WHERE run_id = 'done'")
    [fault] = verify(file).faults
    assert str(fault) == "run 'done': run row 1: it is not as it was sealed (who it is)"


# -- files -------------------------------------------------------------------------------------------------------------------------


def test_a_changed_definition_is_followed(tmp_path):
    """A run that went on with another definition is played with the one that held at each row."""
    db = SqliteDb(tmp_path / "runs.db")
    gate = Step("gate", lambda _: 1, requires_confirmation=True)
    run = Workflow("flow", [gate], db).run(run_id="r")
    run.steps_requiring_confirmation[0].confirm()
    changed = Workflow("flow", [gate, Step("more", lambda _: 2)], db)
    run = changed.continue_run(run, adopt=True, by="ada")  # the yes led to less, so it is asked for again
    run.steps_requiring_confirmation[0].confirm()
    assert changed.continue_run(run).content == 2
    db.close()
    found = verify(tmp_path / "runs.db")
    assert (found.faults, found.remarks) == ([], [])
    tamper(tmp_path / "runs.db", "UPDATE run SET state = replace(state, 'completed', 'cancelled')")
    assert "its state says cancelled" in str(verify(tmp_path / "runs.db").faults[0])


def test_an_older_store_is_verified_as_it_is(tmp_path):
    """A store of schema 1 is copied, migrated and checked; the file itself keeps its schema."""
    file = tmp_path / "old.db"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript((SEEDS / "store-1.sql").read_text(encoding="utf-8"))
    connection.close()
    before = file.read_bytes()
    found = verify(file)
    assert (found.faults, found.runs) == ([], 7)
    assert {remark.why[:12] for remark in found.remarks} == {"the workflow"}  # schema 1 did not keep what a selector chose
    assert file.read_bytes() == before
    tamper(file, "UPDATE journal SET detail = 'x' WHERE run = 3 AND seq = 2")
    assert [(fault.run_id, fault.where) for fault in verify(file).faults] == [("decided", "journal row 2")]


def test_a_store_of_a_release_with_fewer_moves_is_sound(tmp_path, file):
    """Moves that a store does not know yet are a remark, so a copy can be made before a release that has more is taken into use."""
    tamper(file, "DELETE FROM legal WHERE \"trigger\" = 'renew'")
    found = backup(file, tmp_path / "copy.db")
    assert (found.faults, [remark.where for remark in found.remarks]) == ([], ["table legal"])
    db = SqliteDb(file)
    db.load("done")
    db.close()
    assert verify(file).remarks == []


def test_what_is_no_store_is_refused(tmp_path, file):
    """What is missing, empty, another program's or a newer release's is refused by name, not verified; it stays as it is."""
    (tmp_path / "empty").write_bytes(b"")
    for name in ("missing", "empty", "."):
        with pytest.raises(StoreUnavailable):
            verify(tmp_path / name)
    (tmp_path / "text").write_bytes(b"no database" * 100)
    with pytest.raises(NotAStatecoreStore):
        verify(tmp_path / "text")
    connection = raw(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreTooNew):
        verify(file)
    assert not (tmp_path / "missing").exists()


def test_damage_to_the_file_is_a_fault(file):
    """A table that is gone, pages that are others and a file that was cut are faults of the file, and nothing is guessed beyond them."""
    whole = file.read_bytes()
    connection = raw(file)
    connection.execute("PRAGMA foreign_keys = 0")
    connection.execute("DROP TABLE session_state")
    connection.close()
    assert [str(fault) for fault in verify(file).faults] == ["schema: session_state is missing from its schema"]
    for spoil in (whole[: len(whole) // 2], whole[:8192] + bytes(4096) + whole[12288:], whole[:200]):
        file.write_bytes(spoil)
        for beside in file.parent.glob("runs.db-*"):
            beside.unlink()
        faults = verify(file).faults
        assert faults
        assert {fault.run_id for fault in faults} == {None}


def test_random_damage_is_seen_or_harmless(file):
    """A byte that is another is a fault, or lies where nothing is; whatever it is, `verify` ends and raises only what it says."""
    whole, seed, sound = file.read_bytes(), 20240611, 0
    random = Random(seed)  # noqa: S311  # to be repeatable, not secret
    for _ in range(60):
        spoil = bytearray(whole)
        for _ in range(random.choice([1, 1, 8])):
            spoil[random.randrange(len(spoil))] ^= 1 << random.randrange(8)
        file.write_bytes(spoil)
        for beside in file.parent.glob("runs.db-*"):
            beside.unlink()
        try:
            found = verify(file)
        except (NotAStatecoreStore, StoreTooNew, StoreUnavailable):
            continue
        if found.sound:
            sound += 1
            db = SqliteDb(file)
            assert db.load("done").state.run == "completed", seed
            db.close()
    assert sound < 40, seed
