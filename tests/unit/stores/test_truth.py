"""P22: "damaged" is said only of damage, and then of its place; every other trouble has a name and an advice of its own."""

from __future__ import annotations

import gc
import sqlite3
from pathlib import Path
from random import Random
from threading import Thread
from typing import ClassVar

import pytest

from statecore import Step, Workflow
from statecore.errors import StoreCorrupt, StoreReplaced, StoreUnavailable, UnknownStoreError, WrongType
from statecore.stores.sqlite import opening
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import answer, asked, question, started
from tests.unit.stores.sqlite_files import outcome, raw, tamper


@pytest.fixture
def file(tmp_path):
    """Where a store will be."""
    return tmp_path / "runs.db"


@pytest.fixture
def kept(file):
    """A closed store with two runs, one of which has an answered question."""
    store = SqliteDb(file)
    started(store)
    asked(store, "run-2")
    store.decide(answer(question("run-2"), value='"why"'))
    store.close()
    return file


# -- no false alarm ----------------------------------------------------------------------------------------------------------------


def collecting(seed):
    """`Path.with_name` with a collection now and then: a store that is garbage is closed in the middle of whatever asks for a name."""
    random, real = Random(seed), Path.with_name  # noqa: S311  # the same order each time

    def with_name(self, name):
        if random.random() < 0.5:
            gc.collect()
        return real(self, name)

    return with_name


def opened_once(file, run_id, *, close):
    """A store object, used once and then closed, or left to the collector in a circle of objects."""
    store = SqliteDb(file, durability="normal")
    Workflow("w", [Step("s", lambda _: "x" * 2000, requires_confirmation=True)], db=store).run(run_id=run_id)
    if close:
        store.close()
    else:
        circle: list[object] = [store]
        circle.append(circle)


def neighbours(file, rounds):
    """The errors that three openers and three closers of one file meet in so many rounds."""
    told: list[Exception] = []

    def act(number):
        for turn in range(rounds):
            try:
                opened_once(file, f"r-{number}-{turn}", close=number % 2 == 0)
            except Exception as error:  # noqa: BLE001  # any error is a false alarm
                told.append(error)

    threads = [Thread(target=act, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return told


@pytest.mark.parametrize("rounds", [15])
def test_neighbours_that_open_close_and_are_collected_are_no_damage(file, monkeypatch, rounds):
    """Three openers and three closers of one file, with collections inside the look: no error in any round, and the file is sound."""
    gc.freeze()  # what the other tests left is not looked through each time
    monkeypatch.setattr(Path, "with_name", collecting(rounds))
    assert neighbours(file, rounds) == []
    monkeypatch.undo()
    gc.unfreeze()
    gc.collect()
    found = verify(file)
    assert (found.runs, found.faults) == (6 * rounds, [])


def test_a_neighbour_that_closes_inside_the_look_is_no_damage(file, monkeypatch):
    """The look connects while the log holds most of the file; then the neighbour closes, and its log is copied and gone."""
    neighbour = SqliteDb(file)
    asked(neighbour, "run-1", question("run-1"))
    neighbour.decide(answer(question("run-1"), value=f'"{"x" * 100_000}"'))
    closed: list[bool] = []
    real = sqlite3.connect

    def connect(*args, **more):
        connection = real(*args, **more)
        if not closed:
            closed.append(True)
            neighbour.close()
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)
    store = SqliteDb(file)
    assert closed == [True]
    assert store.load("run-1").identity.run_id == "run-1"
    store.close()


def test_a_log_that_goes_away_has_no_size(file):
    """The size of a log is asked once: one that a neighbour has just removed has none, and is no error."""
    assert opening.size_of(file.with_name("runs.db-wal")) == 0
    file.write_bytes(b"four")
    assert opening.size_of(file) == 4


class Lying(sqlite3.Connection):
    """A connection on which the next SELECT meets an error of SQLite, once for each error that waits."""

    waiting: ClassVar[list[int]] = []

    def execute(self, statement, *values):
        if self.waiting and "SELECT" in statement:
            error = sqlite3.OperationalError("database disk image is malformed")
            error.sqlite_errorcode = self.waiting.pop()
            raise error
        return super().execute(statement, *values)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR])
def test_what_is_met_once_is_looked_at_again(kept, code):
    """An error like damage that a new connection under the writer's lock does not meet is nobody's business: read and write are done."""
    store = SqliteDb(kept, connection_factory=Lying)
    store.load("run-1")
    Lying.waiting[:] = [code]
    assert store.load("run-1").seq == 2
    Lying.waiting[:] = [code]
    assert started(store, "run-3").seq == 2
    assert Lying.waiting == []
    store.close()


def test_an_unknown_error_is_not_called_damage(kept):
    """An error of SQLite that is met again on sound tables keeps its words and its code, with a name of its own."""
    store = SqliteDb(kept)
    with pytest.raises(UnknownStoreError, match=r"no such function: absent .code 1.*statecore doctor"):
        store._read(lambda connection: connection.execute("SELECT absent()"))
    store.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda db: db.load(object()),
        lambda db: db.release(object(), 1),
        lambda db: db.renew("run-1", object(), 1),
        lambda db: db.runs(7),
    ],
    ids=["load", "release", "renew", "runs"],
)
def test_a_wrong_type_of_the_caller_is_the_callers(kept, call):
    """A value that no column takes is refused as the caller's mistake, which is a `TypeError`, too."""
    store = SqliteDb(kept)
    store.load("run-1")
    assert outcome(call, store) is WrongType
    assert issubclass(WrongType, TypeError)
    store.close()


def test_a_closed_store_says_so(kept):
    """A store that its program has closed says that it is closed."""
    store = SqliteDb(kept)
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.load("run-1")


def test_a_migrated_file_is_not_damaged(kept):
    """Where a newer release has renamed the tables of an open store, a reader is told that, and not to restore a backup."""
    store = SqliteDb(kept)
    store.load("run-1")
    newer = raw(kept)
    newer.execute("ALTER TABLE session_state RENAME TO old_session_state")
    newer.execute(f"PRAGMA user_version = {opening.VERSION + 1}")
    newer.close()
    with pytest.raises(StoreReplaced, match="schema from 2 to 3"):
        store.load("run-1")
    store.close()


# -- damage ------------------------------------------------------------------------------------------------------------------------

ROWS = {
    "journal": (
        "UPDATE journal SET time = time + 1 WHERE run = 1 AND seq = 2",
        lambda db: db.journal("run-1"),
        "2 of run 'run-1'",
        "P7",
    ),
    "run": ("UPDATE run SET user_id = 'eve' WHERE run_id = 'run-1'", lambda db: db.load("run-1"), "run 'run-1'", "P2"),
    "session_state": ("UPDATE session_state SET text = '7'", lambda db: db.load("run-1"), "run 'run-1'", "P2"),
    "decision": ("UPDATE decision SET word = 'reject'", lambda db: db.decisions("run-2"), "run-2", "P4"),
    "pause": ("UPDATE pause SET kind = 'input'", lambda db: db.decisions("run-2"), "run-2", "P5"),
}


@pytest.mark.parametrize("table", ROWS)
def test_a_damaged_row_is_named(kept, table):
    """Damage is named by file, table, row and promise, as attributes and in the message."""
    change, call, row, promise = ROWS[table]
    tamper(kept, change)
    store = SqliteDb(kept)
    with pytest.raises(StoreCorrupt) as met:
        call(store)
    store.close()
    assert (met.value.path, met.value.table, met.value.promise) == (str(kept), table, promise)
    assert row in met.value.row
    assert f"(table {table}, row " in str(met.value)


def test_a_damaged_page_is_named(kept):
    """A page of noise is still called damage: the table that cannot be read to its end is named, with the promise."""
    connection = raw(kept)
    [root] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'").fetchone()
    connection.close()
    whole = kept.read_bytes()
    kept.write_bytes(whole[: (root - 1) * 4096] + b"\x7f" * 4096 + whole[root * 4096 :])
    store = SqliteDb(kept)
    with pytest.raises(StoreCorrupt) as met:
        store.journal("run-1")
    store.close()
    assert (met.value.table, met.value.row, met.value.promise) == ("journal", "1", "P7")
