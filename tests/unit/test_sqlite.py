"""What only a store in a file promises: whose file it is, what it refuses by itself, and what happens when something breaks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Thread

import pytest

from statecore.errors import (
    NotAStatecoreStore,
    StatecoreError,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
    UnsupportedSetting,
)
from statecore.stores import channel, opening, schema, sqlite
from statecore.stores.conformance.samples import (
    ALIVE,
    TIME,
    answer,
    asked,
    entered,
    everything,
    identity,
    question,
    started,
    succeeded,
)
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.rules import LEGAL
from statecore.stores.sqlite import SqliteDb

ROOT = Path(__file__).parents[2]


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


def raw(file):
    """A connection past the store."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = 1")
    connection.execute("PRAGMA recursive_triggers = 1")
    return connection


def tamper(file, *statements):
    """Change a file behind its triggers, and put them back as they were."""
    connection = raw(file)
    connection.execute("PRAGMA foreign_keys = 0")
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def folder_of(file):
    """Every file beside a file, with its bytes."""
    return {path.name: path.read_bytes() for path in file.parent.iterdir() if path.is_file()}


def run_script(script, *args):
    """What a fresh interpreter prints; it must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


# -- which file --------------------------------------------------------------------------------------------------------------------


def test_the_constructor_only_looks(tmp_path):
    """Nothing is made before the first use; then the folders and the file are."""
    store = SqliteDb(db_file=str(tmp_path / "a" / "b" / "x.db"))
    assert list(tmp_path.iterdir()) == []
    started(store)
    assert (tmp_path / "a" / "b" / "x.db").exists()
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
    assert repr(store) == f"SqliteDb(db_file='{tmp_path}/x.db', durability='full')"


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
        assert (found, list(tmp_path.iterdir())) == ([StoreUnavailable], [])


def outcome(act, *args):
    """The class of a named refusal, None where there is none."""
    try:
        act(*args)
    except StatecoreError as error:
        return type(error)
    return None


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
        "user_version": 1,
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
            "INSERT INTO pause SELECT NULL, run, 'x', kind, at, turn, attempt, step_name, message, detail, opened, NULL, NULL, '' FROM pause",
            "UNIQUE",
        ),
        ("INSERT INTO run SELECT 9, run_id, " + ", ".join(["0"] * 22), "no such column"),
        ('INSERT INTO legal (machine, source, "trigger", dest) SELECT machine, source, "trigger", dest FROM legal', "UNIQUE"),
        ("UPDATE run SET seq = 'x'", "cannot store TEXT"),
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
    before = schema.legal_moves(connection)
    used = {number for (number,) in connection.execute("SELECT legal FROM journal")}
    gone = [move for move, number in before.items() if number not in used and number != max(before.values())][:3]
    connection.executemany("DELETE FROM legal WHERE id = ?", [(before[move],) for move in gone])
    store = SqliteDb(kept)
    journal = store.journal("run-1")
    after = schema.legal_moves(connection)
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
    for act in (partial(store.load, "run-1"), partial(store.claim, "run-2", ALIVE, TIME)):
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


# -- faults ------------------------------------------------------------------------------------------------------------------------


class Fault(sqlite3.Connection):
    """A connection that fails at a call that is counted down to, and from then on where it is broken for good."""

    left: int | None = None
    error: BaseException = sqlite3.OperationalError("disk I/O error")
    for_good = False

    def count(self):
        """One call."""
        if Fault.left is not None:
            Fault.left -= 1
            if Fault.left == 0 or (Fault.left < 0 and Fault.for_good):
                raise self.error

    def execute(self, *args):
        """Count, then do it."""
        self.count()
        return super().execute(*args)

    def executemany(self, *args):
        """Count, then do it."""
        self.count()
        return super().executemany(*args)


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "and the rollback too"])
@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), KeyboardInterrupt(), MemoryError()], ids=repr)
@pytest.mark.parametrize("act", ["commit", "decide", "claim", "begin", "release", "request_cancel"])
def test_a_fault_leaves_nothing_half_done(file, monkeypatch, act, error, for_good):
    """At whichever statement a transaction breaks, nothing of it is stored, nobody is locked out, and the store goes on working."""
    store, other = SqliteDb(file, connection_factory=Fault), SqliteDb(file)
    writer = asked(store, "run-1", question("run-1"), question("run-1", "other")).claim()
    asked(store, "run-2")
    boundary = writer.boundary(
        closed=(question("run-1").pause_id,),
        decisions=(answer(question("run-1"), value="1"),),
        opened=(question("run-1", "new"),),
        session_state="[2]",
        parks=True,
    )
    acts = {
        "commit": lambda: store.commit(boundary),
        "decide": lambda: store.decide(answer(question("run-2"), value="2")),
        "claim": lambda: store.claim("run-2", ALIVE, TIME),
        "begin": lambda: store.begin(identity("run-3", input="3"), "{}", ALIVE),
        "release": lambda: store.release("run-1", writer.epoch),
        "request_cancel": lambda: store.request_cancel("run-1", "ann", TIME),
    }
    monkeypatch.setattr(Fault, "error", error)
    monkeypatch.setattr(Fault, "for_good", for_good)
    before = [everything(other, run_id) for run_id in ("run-1", "run-2")]
    for at in range(1, 100):
        monkeypatch.setattr(Fault, "left", at)
        try:
            acts[act]()
        except (StoreUnavailable, KeyboardInterrupt, MemoryError) as raised:
            assert type(raised) is (StoreUnavailable if isinstance(error, sqlite3.Error) else type(error))  # noqa: PT017  # one of three
            Fault.left = None
        else:
            break
        assert [everything(other, run_id) for run_id in ("run-1", "run-2")] == before
        other.release("run-2", 99)  # would wait for ever if the lock were still held
    monkeypatch.setattr(Fault, "left", None)
    assert 4 <= at < 50
    assert [everything(other, run_id) for run_id in ("run-1", "run-2")] != before or act == "begin"
    assert store.load("run-1") == other.load("run-1")
    for each in (store, other):
        each.close()


def test_a_fault_in_a_checkpoint_costs_nothing(file, monkeypatch):
    """A boundary is acknowledged though the log cannot be copied right after it."""
    monkeypatch.setattr(sqlite, "WAL_PAGES", 0)
    store = SqliteDb(file, connection_factory=Fault)
    writer = started(store)
    for at in range(8, 25):
        monkeypatch.setattr(Fault, "left", at)
        monkeypatch.setattr(Fault, "error", sqlite3.OperationalError("disk I/O error"))
        writer.commit()
    monkeypatch.setattr(Fault, "left", None)
    assert writer.commit(succeeded("first")).seq == 2
    store.close()


class InTheWay(sqlite3.Connection):
    """A connection that finds somebody in its way when it turns the log on for the first time."""

    met = 0

    def execute(self, sql, *args):
        """Busy, once."""
        if sql == "PRAGMA journal_mode = wal" and not InTheWay.met:
            InTheWay.met += 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().execute(sql, *args)


def test_two_may_make_a_store_at_once(file):
    """Whoever finds the other just turning the log on tries again, since SQLite does not wait there."""
    store = SqliteDb(file, connection_factory=InTheWay)
    assert (started(store).seq, InTheWay.met) == (2, 1)
    store.close()


def test_a_locked_store_is_unavailable(file):
    """A store that somebody else keeps locked for too long is refused by name, and works when it is free again."""
    store = SqliteDb(file)
    writer = started(store)
    store._channel().connection.execute("PRAGMA busy_timeout = 1")
    other = raw(file)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.commit(writer.boundary(succeeded("first")))
    other.execute("ROLLBACK")
    other.close()
    writer.commit(succeeded("first"))
    store.close()


# -- threads, forks, closing -------------------------------------------------------------------------------------------------------


def descriptors(file):
    """How many descriptors this process has on a file and those beside it."""
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(link.startswith(str(file)) for link in links)


def test_a_threads_connection_ends_with_it(file):
    """Fifty threads later this process has as many descriptors as after the first: SQLite keeps one back, and uses it again."""
    store, counts = SqliteDb(file), []
    started(store)
    for _ in range(50):
        thread = Thread(target=store.load, args=("run-1",))
        thread.start()
        thread.join()
        counts.append(descriptors(file))
    assert counts == [counts[0]] * 50
    assert len(store._channels) == 1
    store.close()


def test_closing_closes_every_threads_connection(file):
    """After close no thread's connection is open; every use is refused by name; closing again does nothing."""
    store = SqliteDb(file)
    writer = started(store)
    opened, closed = Semaphored(store), descriptors
    opened.start()
    assert opened.ready.wait(30)
    assert closed(file) > 3
    store.close()
    store.close()
    assert closed(file) == 0
    opened.go_on.set()
    opened.join()
    assert opened.found is StoreUnavailable
    for act in (partial(store.load, "run-1"), partial(store.commit, writer.boundary()), partial(store.pauses, PauseFilter())):
        with pytest.raises(StoreUnavailable, match="closed"):
            act()


class Semaphored(Thread):
    """A thread that uses a store, waits, and uses it again."""

    def __init__(self, store):
        from threading import Event

        super().__init__()
        self.store, self.ready, self.go_on, self.found = store, Event(), Event(), None

    def run(self):
        """Use it twice."""
        self.store.load("run-1")
        self.ready.set()
        self.go_on.wait(30)
        self.found = outcome(self.store.load, "run-1")


FORK = """
import gc, os, sys, threading
from statecore.errors import StoreForked
from statecore.stores import channel
from statecore.stores.conformance.samples import *
from statecore.stores.records import PauseFilter, RunFilter
from statecore.stores.sqlite import SqliteDb

unused, store = SqliteDb(sys.argv[1] + ".other"), SqliteDb(sys.argv[1])
writer = started(store)
pid = os.fork()
if pid == 0:
    acts = [
        lambda: store.load("run-1"), lambda: store.commit(writer.boundary()), lambda: store.begin(identity("x"), "{}", ALIVE),
        lambda: store.claim("run-1", ALIVE, 1), lambda: store.release("run-1", 1), lambda: store.decide(answer(question("run-1"))),
        lambda: store.request_cancel("run-1", None, 1), lambda: store.journal("run-1"), lambda: store.decisions("run-1"),
        lambda: store.pauses(PauseFilter()), lambda: store.pause("run-1", "x"), lambda: store.runs(RunFilter()),
        lambda: store.head("run-1"),
    ]
    forked = []
    def use():
        for act in acts:
            try:
                act()
            except StoreForked:
                forked.append(1)
    use()
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    store.close()
    assert not any(each.closed for each in store._channels)
    started(unused)
    unused.close()
    mine = SqliteDb(sys.argv[1])
    same = mine.load("run-1").seq
    mine.close()
    del store, writer, use, acts, thread
    gc.collect()
    assert len(channel.INHERITED) == 1, "the parent's connection was closed"
    print(len(forked), same, flush=True)
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
writer.commit(succeeded("first"))
print(store.load("run-1").seq)
store.close()
"""


def test_a_forked_child_never_uses_its_parents_connection(file):
    """In a child every method is refused, in every thread; a store that nobody had used yet, or its own, works; the parent goes on."""
    assert run_script(FORK, file) == ["26", "2", "3"]


FORK_IN_TRANSACTION = """
import gc, os, sys, threading, warnings
from statecore.stores.conformance.samples import *
from statecore.stores.sqlite import SqliteDb

warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads, which is the point here
store = SqliteDb(sys.argv[1], durability="normal")
writer = started(store)
began, go_on = threading.Event(), threading.Event()
def keep(connection, numbers):
    connection.executemany("INSERT INTO value VALUES (?, ?)", [(bytes([n]) * 32, chr(97 + n) * 9000) for n in numbers])
def work(connection):
    connection.execute("PRAGMA cache_size = 5")  # so that pages are written to the log before the end
    keep(connection, range(20))
    began.set()
    go_on.wait(30)
    keep(connection, range(20, 25))
thread = threading.Thread(target=lambda: store._channel().write(work))
thread.start()
began.wait(30)
pid = os.fork()
if pid == 0:
    gc.collect()
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
go_on.set()
thread.join()
other = SqliteDb(sys.argv[1])
connection = other._channel().connection
print(connection.execute("PRAGMA integrity_check").fetchone()[0])
print(connection.execute("SELECT count(*) FROM value WHERE length(text) = 9000").fetchone()[0])
writer.commit(succeeded("first"))
print(other.load("run-1").seq)
"""


def test_a_child_leaves_a_transaction_of_its_parent_alone(file):
    """A child that is forked while a thread of its parent writes has not undone anything when the parent commits."""
    assert run_script(FORK_IN_TRANSACTION, file) == ["ok", "25", "3"]


KILLED_IN_THE_MAKING = """
import os, signal, sqlite3, sys
from statecore.stores.conformance.samples import *
from statecore.stores.sqlite import SqliteDb

class Deadly(sqlite3.Connection):
    left = 0
    def execute(self, *args):
        Deadly.left -= 1
        if Deadly.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*args)

killed = 0
for at in range(1, 200):
    path = f"{sys.argv[1]}-{at}"
    pid = os.fork()
    if pid == 0:
        Deadly.left = at
        SqliteDb(path, connection_factory=Deadly).begin(identity(), "{}", ALIVE)
        os._exit(0)
    end = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    store = SqliteDb(path)
    begun = [record.identity.run_id for record in store.runs(RunFilter())]
    started(store, "run-2")
    store.close()
    if end == 0:
        assert begun == ["run-1"]
        break
    killed += 1
    assert begun == [], begun
print(killed > 40)
"""


def test_a_store_may_be_killed_in_the_making(file):
    """At whichever statement a process is killed while it makes a store, the next one makes or uses it, and holds what was begun."""
    script = KILLED_IN_THE_MAKING.replace(
        "from statecore.stores.sqlite", "from statecore.stores.records import RunFilter\nfrom statecore.stores.sqlite"
    )
    assert run_script(script, file) == ["True"]


# -- growth ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_the_log_stays_bounded(file, monkeypatch, durability):
    """The write-ahead log stays as long as it may be, however many boundaries are stored, with another store open and reading."""
    monkeypatch.setattr(sqlite, "WAL_PAGES", 150)
    store, other = SqliteDb(file, durability=durability), SqliteDb(file)
    writer = started(store)
    for n in range(400):
        writer.commit(succeeded(f"s{n}", f'"{n}"'), entered(f"s{n + 1}"))
        assert other.load("run-1").seq == writer.seq
    assert file.with_name("runs.db-wal").stat().st_size < 2 * 150 * 4096
    assert len(other.journal("run-1")) == 802
    for each in (store, other):
        each.close()


def test_large_values_count_for_the_log(file, monkeypatch):
    """A few large values fill the log as many small ones do."""
    monkeypatch.setattr(sqlite, "WAL_PAGES", 400)
    store = SqliteDb(file, durability="normal")
    writer = started(store)
    for n in range(40):
        writer.commit(succeeded(f"s{n}", f'"{n}{"x" * 500_000}"'), entered(f"s{n + 1}"))
    assert file.with_name("runs.db-wal").stat().st_size < 3 * 400 * 4096
    store.close()


def test_a_log_that_was_left_behind_is_copied(file, monkeypatch):
    """A log that others left too long is copied with the first write of whoever opens the store, and begins anew."""
    left = SqliteDb(file, durability="normal")
    writer = started(left)
    for n in range(60):
        writer.commit(succeeded(f"s{n}", f'"{n}"'), entered(f"s{n + 1}"))
    log = file.with_name("runs.db-wal")
    length = log.stat().st_size
    monkeypatch.setattr(sqlite, "WAL_PAGES", length // 4096 - 1)
    store = SqliteDb(file, durability="normal")
    store.release("run-1", 99)
    for n in range(20):
        writer.commit(succeeded(f"t{n}", f'"t{n}"'), entered(f"t{n + 1}"))
    assert log.stat().st_size == length
    for each in (store, left):
        each.close()


def test_a_step_takes_few_bytes_however_long_the_run(file):
    """A step of two rows and a value takes at most 400 bytes of the file, the three thousandth like the thousandth."""
    store, sizes = SqliteDb(file, durability="normal"), []
    writer = started(store)
    for n in range(3001):
        writer.commit(succeeded(f"step_{n % 20}", f'"out {n}"'), entered(f"step_{(n + 1) % 20}"))
        if n % 1000 == 0:
            store._channel().checkpoint()
            sizes.append(file.stat().st_size)
    store.close()
    steps = [(after - before) / 1000 for before, after in pairwise(sizes)]
    assert max(steps) <= 400
    assert max(steps) <= 1.5 * min(steps)


def instructions(store, act):
    """How many instructions of SQLite's machine an act takes: a measure of work that knows no other process."""
    connection, counted = store._channel().connection, []
    connection.set_progress_handler(lambda: counted.append(1), 1)
    act()
    connection.set_progress_handler(None, 1)
    return len(counted)


def calls_of(store, writer, n):
    """What is done with a store that holds so many runs, by name."""
    last, unfinished = f"run-{n - 1}", ("pending", "running")
    return {
        "inbox": lambda: store.pauses(PauseFilter(limit=10)),
        "inbox of a workflow": lambda: store.pauses(PauseFilter(workflow_id="flow", limit=10)),
        "inbox of a run": lambda: store.pauses(PauseFilter(run_id=last)),
        "inbox of a session": lambda: store.pauses(PauseFilter(session_id=f"s{n - 1}")),
        "runs": lambda: store.runs(RunFilter(limit=10)),
        "runs of a workflow": lambda: store.runs(RunFilter(workflow_id="flow", limit=10)),
        "runs of a session": lambda: store.runs(RunFilter(session_id=f"s{n - 1}", workflow_id="flow")),
        "runs to recover": lambda: store.runs(RunFilter(phases=unfinished, limit=10**6)),
        "runs to recover of a workflow": lambda: store.runs(RunFilter(workflow_id="flow", phases=unfinished, limit=10**6)),
        "paused runs of a workflow": lambda: store.runs(RunFilter(workflow_id="flow", phases=("paused",), limit=10)),
        "load": lambda: store.load(last),
        "decide": lambda: store.decide(answer(question(last))),
        "claim": lambda: store.claim(last, ALIVE, TIME),
        "commit": lambda: writer.commit(succeeded("first", "1"), entered("second")),
    }


def steps_of(store, writer, n):
    """What is done with a run that has so many steps, by name."""
    return {
        "commit": lambda: writer.commit(succeeded("s", f'"{n}"'), entered("s"), opened=(question("run-1", f"more-{n}"),)),
        "load": lambda: store.load("run-1"),
        "the last row": lambda: store.journal("run-1", writer.seq - 1, writer.seq),
        "inbox": lambda: store.pauses(PauseFilter(run_id="run-1", limit=1)),
    }


def grown(before, after):
    """What takes clearly more than before."""
    return {name: (count, after[name]) for name, count in before.items() if after[name] > 1.3 * count + 20}


def test_no_work_grows_with_the_number_of_runs(file):
    """With ten times as many runs that wait in the store, each call takes about as many instructions as before."""
    store, taken, done = SqliteDb(file, durability="normal"), [], 0
    writer = started(store, "writer")
    for target in (100, 1000):
        for n in range(done, target):
            asked(store, f"run-{n}", question(f"run-{n}", opened=TIME + n), session_id=f"s{n}")
        taken.append({name: instructions(store, act) for name, act in calls_of(store, writer, target).items()})
        done = target
    store.close()
    assert grown(*taken) == {}


def test_no_work_grows_with_the_length_of_a_run(file):
    """A step of a run of a thousand steps takes as many instructions as one of a run of ten, and so does resuming it."""
    store, taken, done = SqliteDb(file, durability="normal"), [], 0
    writer = started(store)
    for target in (10, 1000):
        for n in range(done, target):
            pause = question("run-1", f"s{n}")
            writer.commit(succeeded("s", str(n)), entered("s"), opened=(pause,))
            writer.commit(closed=(pause.pause_id,))
        taken.append({name: instructions(store, act) for name, act in steps_of(store, writer, target).items()})
        done = target
    store.close()
    assert grown(*taken) == {}


# -- versions, imports -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def second_version(monkeypatch):
    """A release with one more script."""
    texts = {"second.sql": "CREATE TABLE extra (x INTEGER) STRICT;\nINSERT INTO extra SELECT count(*) FROM run;\n"}
    shipped = schema.script_text
    monkeypatch.setattr(schema, "SCRIPTS", (*schema.SCRIPTS, "second.sql"))
    monkeypatch.setattr(schema, "script_text", lambda name: texts.get(name) or shipped(name))
    for module in (schema, opening):
        monkeypatch.setattr(module, "VERSION", 2)
    schema.expected_shape.cache_clear()
    yield texts
    schema.expected_shape.cache_clear()


def test_an_older_store_is_migrated(kept, second_version):
    """A file of an older release is led to the newest version when it is opened, with all that it holds."""
    store = SqliteDb(kept)
    assert store.load("run-1").seq == 4
    store.close()
    connection = raw(kept)
    assert opening.marks(connection) == (schema.APPLICATION_ID, 2)
    assert connection.execute("SELECT x FROM extra").fetchall() == [(2,)]
    connection.close()


def test_a_migration_is_all_or_nothing(kept, second_version):
    """A script that fails half-way leaves the file at its version."""
    second_version["second.sql"] += "INSERT INTO nowhere VALUES (1);\n"
    with pytest.raises(StoreError, match="nowhere"):
        SqliteDb(kept).load("run-1")
    connection = raw(kept)
    assert opening.marks(connection) == (schema.APPLICATION_ID, 1)
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchone() == (0,)
    connection.close()


def test_a_new_store_is_of_the_newest_version(file, second_version):
    """A file that is made runs all scripts, one after the other."""
    store = SqliteDb(file)
    started(store)
    assert opening.marks(store._channel().connection) == (schema.APPLICATION_ID, 2)
    store.close()


def test_stores_are_loaded_when_asked_for():
    """Whoever keeps runs in memory loads neither sqlite3 nor pytest; whoever keeps them in a file, no pytest."""
    script = "import sys; import statecore.stores{}; print(*sorted({{'sqlite3', 'pytest'}} & set(sys.modules)))"
    assert run_script(script.format("")) == []
    assert run_script(script.format(".sqlite")) == ["sqlite3"]
    assert run_script(
        script.format(".conformance.samples").replace("statecore.stores.conformance.samples", "statecore.stores.sqlite")
    ) == ["sqlite3"]


def test_an_error_that_is_not_the_databases_stays_itself():
    """Only SQLite's errors, and those of what cannot be read or bound, get a store's name."""
    assert channel.named(ValueError("x"), "p") is None
    assert isinstance(channel.named(sqlite3.OperationalError("x"), "p"), StoreUnavailable)
