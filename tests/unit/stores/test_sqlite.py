"""What only a store in a file promises: whose file it is, what it refuses by itself, and what happens when something breaks."""

from __future__ import annotations

import os
import sqlite3
import stat
from functools import partial
from random import Random
from threading import Thread

import pytest

from statecore.errors import (
    NotAStatecoreStore,
    StatecoreError,
    StoreCorrupt,
    StoreError,
    StoreReplaced,
    StoreTooNew,
    StoreUnavailable,
    UnsupportedSetting,
)
from statecore.stores import RunFilter
from statecore.stores.rules import LEGAL
from statecore.stores.sql import link
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sqlite import channel, opening
from statecore.stores.sqlite import opening as schema
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import answer, asked, claim, entered, everything, question, started, succeeded
from tests.unit.stores.sqlite_files import folder_of, outcome, raw, run_script, tamper


@pytest.fixture
def file(tmp_path):
    """Where a store will be."""
    return tmp_path / "runs.db"


@pytest.fixture
def kept(file):
    """A closed file with two runs in it, one of which waits, decided."""
    store = SqliteDb(file)
    started(store).commit(succeeded("first", '"out"'), entered("second"))
    asked(store, "run-2")
    store.decide(answer(question("run-2"), value='"why"'))
    store.close()
    return file


# -- which file --------------------------------------------------------------------------------------------------------------------


def test_the_constructor_only_looks(tmp_path):
    """Nothing is made before the first use; then the file is."""
    store = SqliteDb(db_file=str(tmp_path / "x.db"))
    assert list(tmp_path.iterdir()) == []
    started(store)
    assert (tmp_path / "x.db").exists()
    store.close()


def test_a_file_is_its_owners(file):
    """The file and those beside it can be read by nobody else, whatever the umask; nothing else is left beside it."""
    before = os.umask(0)
    try:
        store = SqliteDb(file)
        started(store)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == {"runs.db": 0o600, "runs.db-wal": 0o600, "runs.db-shm": 0o600}
    store.close()
    assert [path.name for path in file.parent.iterdir()] == ["runs.db"]


def test_an_empty_file_becomes_a_store(file):
    """A file without a byte in it belongs to nobody yet."""
    file.touch()
    store = SqliteDb(file)
    assert started(store).seq == 2
    store.close()


def test_a_file_stays_the_same_file(tmp_path, monkeypatch):
    """A relative path means the folder in which the store was made, wherever the process goes later."""
    monkeypatch.chdir(tmp_path)
    store, by_url, usual = SqliteDb("x.db"), SqliteDb(db_url="sqlite:///y.db"), SqliteDb()
    monkeypatch.chdir("/")
    assert (store.path, by_url.path, usual.path) == (tmp_path / "x.db", tmp_path / "y.db", tmp_path / "statecore.db")
    assert SqliteDb(db_url=f"sqlite:///{tmp_path}/z.db").path == tmp_path / "z.db"
    assert repr(store) == f"SqliteDb2(db_file='{tmp_path}/x.db', durability='full')"


@pytest.mark.parametrize(
    "name", ["with space.db", "a?mode=memory", "a#b%41.db", "ünï \U0001f600.db", "file:x.db", "'; DROP TABLE run; --"]
)
def test_any_name_is_only_a_name(tmp_path, name):
    """Nothing in a file's name is read as something else."""
    store = SqliteDb(tmp_path / name)
    started(store)
    assert (tmp_path / name).exists()
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "given",
    [
        {"db_file": ":memory:"},
        {"db_file": ""},
        {"db_file": "x.db", "durability": "most"},
        {"db_file": "x.db", "db_url": "sqlite:///x.db"},
        {"db_url": "postgresql://host/x"},
        {"db_url": "sqlite://"},
        {"db_url": "sqlite:///"},
        {"db_url": "sqlite:///:memory:"},
    ],
)
def test_what_is_no_file_is_refused(given):
    """Settings that name no file, or no durability, are refused when they are given."""
    with pytest.raises(UnsupportedSetting):
        SqliteDb(**given)


def test_only_waiting_for_the_disk_blocks(file):
    """Asyncio drivers keep commits off the loop exactly where they wait for a disk."""
    assert (SqliteDb(file).blocking, SqliteDb(file, durability="normal").blocking) == (True, False)


# -- whose file --------------------------------------------------------------------------------------------------------------------


def foreign_text(file):
    """A text."""
    file.write_text("not a database, but long enough to have a header: " * 10, encoding="utf-8")


def foreign_short(file):
    """Less than a header."""
    file.write_bytes(b"SQLite format 3\0")


def foreign_tables(file):
    """Somebody's database without an application id."""
    with raw(file) as connection:
        connection.execute("CREATE TABLE run (id)")
    connection.close()


def foreign_program(file):
    """A database that says whose it is."""
    with raw(file) as connection:
        connection.execute("PRAGMA application_id = 252006673")
        connection.execute("PRAGMA user_version = 1")
    connection.close()


def foreign_log(file):
    """A database whose program was killed with a log that is not in the file yet."""
    script = """
import os, sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("PRAGMA journal_mode = wal"); c.execute("CREATE TABLE t (x)"); c.execute("INSERT INTO t VALUES (1)")
os._exit(0)
"""
    run_script(script, file)
    assert file.with_name("runs.db-wal").stat().st_size > 0


@pytest.mark.parametrize("make", [foreign_text, foreign_short, foreign_tables, foreign_program, foreign_log])
def test_another_programs_file_stays_untouched(file, make):
    """It is refused by name at once, and every byte of it and of the files beside it is as before, down to their number."""
    make(file)
    before = folder_of(file)
    with pytest.raises(NotAStatecoreStore):
        SqliteDb(file)
    assert folder_of(file) == before


def test_a_file_that_came_later_stays_untouched(file):
    """A file that another program made between the constructor and the first use is refused at the first use."""
    store = SqliteDb(file)
    foreign_log(file)
    before = folder_of(file)
    with pytest.raises(NotAStatecoreStore):
        store.load("run-1")
    assert folder_of(file) == before


def test_a_newer_store_stays_untouched(kept):
    """A file of a newer release is refused, and both versions are told."""
    with raw(kept) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    before = folder_of(kept)
    with pytest.raises(StoreTooNew) as refused:
        SqliteDb(kept)
    assert (refused.value.found, refused.value.known) == (schema.VERSION + 1, schema.VERSION)
    assert folder_of(kept) == before


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("PRAGMA user_version = 0", "version is 0"),
        ("DROP TRIGGER journal_keeps", "journal_keeps is missing"),
        ("DROP INDEX pause_open", "pause_open is missing"),
        ("ALTER TABLE decision ADD COLUMN also TEXT", "decision is not as"),
        ("CREATE TRIGGER helpful AFTER INSERT ON decision BEGIN UPDATE run SET phase = 'x'; END", "trigger helpful was added"),
    ],
)
def test_other_tables_are_damage(kept, damage, named):
    """A store whose tables do not refuse any more what they were made to refuse is not used."""
    connection = raw(kept)
    connection.execute(damage)
    connection.close()
    with pytest.raises(StoreCorrupt, match=named):
        SqliteDb(kept).load("run-1")


def test_a_tool_may_keep_its_own_table(kept):
    """A table that a backup tool has added does not matter."""
    connection = raw(kept)
    connection.execute("CREATE TABLE _replica (seq INTEGER)")
    connection.close()
    store = SqliteDb(kept)
    assert store.load("run-1").seq == 4
    store.close()


@pytest.mark.parametrize("where", ["folder", "under a file", "gone"])
def test_what_cannot_be_opened_is_unavailable(tmp_path, file, where):
    """A folder, a path through a file and a file that was taken away are refused by name."""
    if where == "folder":
        file.mkdir()
        with pytest.raises(StoreUnavailable):
            SqliteDb(file).load("run-1")
    elif where == "under a file":
        file.touch()
        with pytest.raises(StoreUnavailable):
            SqliteDb(file / "x.db").load("run-1")
    else:
        store = SqliteDb(file)
        started(store)
        for path in list(tmp_path.iterdir()):
            path.unlink()
        found = []
        thread = Thread(target=lambda: found.append(outcome(store.load, "run-1")))
        thread.start()
        thread.join()
        store.close()
        assert (found, list(tmp_path.iterdir())) == ([StoreReplaced], [])


# -- settings ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
def test_every_setting_is_made(file, durability, synchronous):
    """Each connection has the settings that the promises rest on, read back from SQLite itself."""
    store = SqliteDb(file, durability=durability)
    started(store)
    connection = store._channel().connection
    wanted = {
        "journal_mode": "wal",
        "synchronous": synchronous,
        "foreign_keys": 1,
        "recursive_triggers": 1,
        "busy_timeout": 30_000,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "mmap_size": 0,
        "wal_autocheckpoint": 0,
        "application_id": schema.APPLICATION_ID,
        "user_version": schema.VERSION,
    }
    assert {setting: connection.execute(f"PRAGMA {setting}").fetchone()[0] for setting in wanted} == wanted
    store.close()


class Deaf(sqlite3.Connection):
    """A connection on which one setting cannot be made."""

    setting = ""

    def execute(self, sql, *args):
        """Everything but that."""
        return super().execute("SELECT 1" if sql.startswith(f"PRAGMA {self.setting} =") else sql, *args)


@pytest.mark.parametrize("setting", ["journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "trusted_schema"])
def test_a_setting_that_is_not_taken_is_named(file, monkeypatch, setting):
    """A database that cannot promise what we promise is refused, with the setting's name."""
    monkeypatch.setattr(Deaf, "setting", setting)
    with pytest.raises(StoreUnavailable, match=setting):
        SqliteDb(file, durability="normal", connection_factory=Deaf).load("run-1")


# -- what the tables refuse --------------------------------------------------------------------------------------------------------

ROW = "INSERT INTO journal SELECT run, seq + {by}, {legal}, at, turn, attempt, time, detail, {value}, hash FROM journal WHERE run = 1 AND seq = 4"
GOOD = {"by": 1, "legal": "legal", "value": "value"}


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE journal SET detail = 'x'", "never changed"),
        ("UPDATE journal SET seq = 9 WHERE run = 1 AND seq = 4", "never changed"),
        ("DELETE FROM journal WHERE seq = 4", "never deleted"),
        ("INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE run = 1 AND seq = 4", "must follow"),
        (ROW.format(**GOOD | {"by": 0}), "must follow"),
        (ROW.format(**GOOD | {"by": 2}), "must follow"),
        (ROW.format(**GOOD | {"by": -4}), "must follow"),
        (ROW.format(**GOOD).replace("SELECT run", "SELECT run + 99"), "must follow"),
        (ROW.format(**GOOD | {"legal": 9999}), "FOREIGN KEY"),
        (ROW.format(**GOOD | {"value": "x'00'"}), "FOREIGN KEY"),
        ("UPDATE decision SET word = 'reject'", "never changed"),
        ("DELETE FROM decision", "never deleted"),
        ("INSERT OR REPLACE INTO decision SELECT * FROM decision", "never deleted"),
        ("INSERT INTO decision SELECT * FROM decision", "UNIQUE"),
        ("INSERT INTO decision (run, pause_id, word, time) VALUES (2, 'x', 'confirm', 1)", "FOREIGN KEY"),
        (
            """INSERT INTO pause
            SELECT NULL, run, 'x', kind, at, turn, attempt, step_name, message, detail, opened, NULL, NULL, '', NULL, NULL FROM pause""",
            "UNIQUE",
        ),
        ("INSERT INTO run SELECT 9, run_id, " + ", ".join(["0"] * 25), "no such column"),
        ('INSERT INTO legal (machine, source, "trigger", dest) SELECT machine, source, "trigger", dest FROM legal', "UNIQUE"),
        ("UPDATE run SET seq = 'x'", "cannot store TEXT"),
        (
            "INSERT INTO journal SELECT run, 5, legal, at, turn, attempt, time, detail, value, hash FROM journal WHERE run = 1 AND seq = 1",
            "moves on from where it is",
        ),
        ("UPDATE run SET workflow_id = 'w', start_key = 'k'", "UNIQUE"),
    ],
)
def test_the_tables_refuse(kept, statement, why):
    """What may never happen is refused by the database itself, on the store's own connection, whoever asks."""
    store = SqliteDb(kept)
    store.load("run-1")
    with pytest.raises(sqlite3.Error, match=why):
        store._channel().connection.execute(statement)
    store.close()


def test_the_tables_let_a_good_row_pass(kept):
    """The refusals above are not of everything: the row that follows is taken, and the run goes along."""
    connection = raw(kept)
    connection.execute(ROW.format(**GOOD))
    assert connection.execute("SELECT seq FROM run WHERE id = 1").fetchone() == (5,)
    connection.close()


def test_legal_moves_are_those_of_the_lifecycles(kept):
    """The table of legal moves is what `transitions` runs."""
    connection = raw(kept)
    rows = connection.execute('SELECT machine, source, "trigger", dest FROM legal').fetchall()
    connection.close()
    assert sorted(rows) == sorted(LEGAL)


def test_new_moves_are_learned_and_old_ones_keep_their_ids(kept):
    """A release with more rows adds them to a file when it opens it; the journal goes on meaning what it meant."""
    connection = raw(kept)
    before = legal_moves(connection)
    used = {number for (number,) in connection.execute("SELECT legal FROM journal")}
    gone = [move for move, number in before.items() if number not in used and number != max(before.values())][:3]
    connection.executemany("DELETE FROM legal WHERE id = ?", [(before[move],) for move in gone])
    store = SqliteDb(kept)
    journal = store.journal("run-1")
    after = legal_moves(connection)
    connection.close()
    store.close()
    assert after.keys() == set(LEGAL)
    assert {move: after[move] for move in before if move not in gone} == {move: before[move] for move in before if move not in gone}
    assert [entry.trigger for entry in journal] == ["start", "enter", "succeed", "enter"]


# -- damage ------------------------------------------------------------------------------------------------------------------------

COLUMNS = {
    "seq": "99",
    "legal": "(SELECT max(id) FROM legal)",
    "at": "'other'",
    "turn": "'1'",
    "attempt": "7",
    "time": "time + 1",
    "detail": "'{}'",
    "value": "(SELECT max(hash) FROM value WHERE hash != journal.value)",
    "hash": "x'00'",
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_row_is_found(kept, column):
    """Whichever column of a journal row is changed, the journal is refused, naming the row; so is every slice with the row in it."""
    tamper(kept, f"UPDATE journal SET {column} = {COLUMNS[column]} WHERE run = 1 AND seq = 3")  # noqa: S608  # from the table above
    store = SqliteDb(kept)
    for slice_ in ((0, None), (2, 3)):
        with pytest.raises(StoreCorrupt, match="row 3 of run 'run-1'"):
            store.journal("run-1", *slice_)
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM journal WHERE run = 1 AND seq = 4",
        "DELETE FROM journal WHERE run = 1 AND seq = 1",
        "DELETE FROM journal WHERE run = 1",
        "UPDATE legal SET dest = dest || 'x' WHERE id IN (SELECT legal FROM journal)",
        "UPDATE value SET text = '\"forged\"' WHERE text = '\"out\"'",
        "DELETE FROM value WHERE text = '\"out\"'",
        "UPDATE journal SET at = CAST(x'ff' AS TEXT) WHERE run = 1 AND seq = 2",
        "UPDATE journal SET turn = 'x' WHERE run = 1 AND seq = 2",
    ],
)
def test_a_damaged_journal_is_refused(kept, damage):
    """Rows that are gone, values that are others, texts that are none: the journal is refused as corrupt."""
    tamper(kept, damage)
    store = SqliteDb(kept)
    with pytest.raises(StoreCorrupt):
        store.journal("run-1")
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE run SET state = '[]'",
        "UPDATE run SET state = replace(state, 'r', 'm')",
        "UPDATE run SET held = '[[1]]'",
        "UPDATE run SET held = '7'",
        "UPDATE value SET text = text || ' '",
        "DELETE FROM value",
        "DELETE FROM session_state",
        "DELETE FROM definition",
        "UPDATE run SET user_id = CAST(x'c3' AS TEXT)",
    ],
)
def test_a_damaged_run_is_refused(kept, damage):
    """A run that is not of its form is refused as corrupt, loaded or listed or claimed."""
    tamper(kept, damage)
    store = SqliteDb(kept)
    for act in (partial(store.load, "run-1"), partial(claim, store, "run-2")):
        with pytest.raises(StoreCorrupt):
            act()
    store.close()


def test_a_damaged_file_is_refused_or_read_correctly(kept):
    """Whatever byte or page is damaged: a journal comes back right or not at all, and nothing but named errors is raised."""
    store = SqliteDb(kept)
    right = store.journal("run-1")
    store.close()
    whole, random, refused = kept.read_bytes(), Random(7), 0  # noqa: S311  # the same damage each time
    pages = [whole[: n * 4096] + random.randbytes(4096) + whole[n * 4096 + 4096 :] for n in range(1, len(whole) // 4096)]
    cuts = [whole[:length] for length in range(100, len(whole), 8000)]
    flips = []
    for _ in range(300):
        at = random.choice([n for n in range(len(whole)) if whole[n]])
        flips.append(whole[:at] + bytes([whole[at] ^ 1 << random.randrange(8)]) + whole[at + 1 :])
    for damaged in pages + cuts + flips:
        kept.write_bytes(damaged)
        try:
            store = SqliteDb(kept)
            everything(store, "run-2")
            started(store, "run-3")
            assert store.journal("run-1") == right
        except StatecoreError:
            refused += 1
        store.close()
        for beside in (kept.with_name("runs.db-wal"), kept.with_name("runs.db-shm")):
            beside.unlink(missing_ok=True)
    assert refused > 100


@pytest.mark.parametrize("name", [b"legal", b"run", b"journal"])
def test_a_schema_that_is_no_text_is_damage(kept, name):
    """A damaged table definition is refused by name, though SQLite's own message about it is no text either."""
    whole = kept.read_bytes()
    assert whole.count(b"CREATE TABLE " + name + b" ") == 1
    kept.write_bytes(whole.replace(b"CREATE TABLE " + name, b"CREATE T\xc5BLE " + name))
    with pytest.raises(StoreCorrupt):
        SqliteDb(kept).load("run-1")


# -- versions, imports -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def second_version(monkeypatch):
    """A release with one more script."""
    texts = {"second.sql": "CREATE TABLE extra (x INTEGER) STRICT;\nINSERT INTO extra SELECT count(*) FROM run;\n"}
    shipped = schema.script_text
    monkeypatch.setattr(schema, "SCRIPTS", (*schema.SCRIPTS, "second.sql"))
    monkeypatch.setattr(schema, "script_text", lambda name: texts.get(name) or shipped(name))
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setattr(SqliteDb, "_format", schema.TWO._replace(version=schema.VERSION))
    schema.expected_shape.cache_clear()
    yield texts
    schema.expected_shape.cache_clear()


def test_an_older_store_is_migrated(kept, second_version):
    """A file of an older release is led to the newest version when it is opened, with all that it holds."""
    store = SqliteDb(kept)
    assert store.load("run-1").seq == 4
    store.close()
    connection = raw(kept)
    assert opening.marks(connection) == (schema.APPLICATION_ID, schema.VERSION)
    assert connection.execute("SELECT x FROM extra").fetchall() == [(2,)]
    connection.close()


def test_a_migration_is_all_or_nothing(kept, second_version):
    """A script that fails half-way leaves the file at its version."""
    second_version["second.sql"] += "INSERT INTO nowhere VALUES (1);\n"
    with pytest.raises(StoreError, match="nowhere"):
        SqliteDb(kept).load("run-1")
    connection = raw(kept)
    assert opening.marks(connection) == (schema.APPLICATION_ID, schema.VERSION - 1)
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchone() == (0,)
    connection.close()


def test_a_new_store_is_of_the_newest_version(file, second_version):
    """A file that is made runs all scripts, one after the other."""
    store = SqliteDb(file)
    started(store)
    assert opening.marks(store._channel().connection) == (schema.APPLICATION_ID, schema.VERSION)
    store.close()


def test_stores_are_loaded_when_asked_for():
    """Runs in memory load neither sqlite3 nor pytest; runs in a file, no pytest."""
    script = "import sys; import statecore.stores{}; print(*sorted({{'sqlite3', 'pytest'}} & set(sys.modules)))"
    assert run_script(script.format("")) == []
    assert run_script(script.format(".sqlite.store")) == ["sqlite3"]


def test_an_error_that_is_not_the_databases_stays_itself():
    """Only SQLite's errors, and those of what cannot be read or bound, get a store's name."""
    assert channel.named(ValueError("x"), "p") is None
    assert isinstance(channel.named(sqlite3.OperationalError("x"), "p"), StoreUnavailable)


@pytest.mark.parametrize("seq", [0, 1, 3, 9, -1])
def test_a_run_that_says_another_length_is_damage(kept, seq):
    """A run's own count of its rows is held against its chain: a journal is never shorter or longer than what was written."""
    connection = sqlite3.connect(kept)
    connection.execute("UPDATE run SET seq = ? WHERE run_id = 'run-1'", (seq,))
    connection.commit()
    connection.close()
    store = SqliteDb(kept)
    with pytest.raises(StoreCorrupt):
        store.journal("run-1", 0, max(seq, 0))
    store.close()


def test_a_move_that_the_file_has_lost_is_damage(kept, monkeypatch):
    """A lifecycle's move that is not in the file's own list, whatever its index says, is refused by name, not by a KeyError."""
    monkeypatch.setattr("statecore.stores.sqlite.store.legal_moves", lambda _connection: {})
    store = SqliteDb(kept)
    with pytest.raises(StoreCorrupt, match="legal moves"):
        started(store, "run-3")
    store.close()


def test_a_store_is_closed_once_its_threads_are_done(tmp_path):
    """Another thread that closes the store waits for the statement in between; afterwards the store is closed for everybody."""
    store = SqliteDb(tmp_path / "used.db", durability="normal")
    closer = Thread(target=store.close)

    def reading(connection):
        closer.start()
        closer.join(0.05)
        return closer.is_alive(), connection.execute("SELECT count(*) FROM run").fetchone()[0]

    assert store._read(reading) == (True, 0)
    closer.join()
    with pytest.raises(StoreUnavailable):
        store.runs(RunFilter())


def test_a_script_is_the_same_wherever_it_was_packed(tmp_path, monkeypatch):
    """A package with the line ends of another system makes the same tables, letter by letter: a store made there is sound here."""
    package = tmp_path / "packed_elsewhere"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "schema.sql").write_bytes(schema.script_text("schema.sql").replace("\n", "\r\n").encode())
    monkeypatch.syspath_prepend(tmp_path)
    assert link.shipped("packed_elsewhere", "schema.sql") == schema.script_text("schema.sql")
