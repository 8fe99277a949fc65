"""Damage that reading meets: what is no file, what cannot be opened, and rows that are not as they were sealed."""

from __future__ import annotations

import os
import sqlite3

import pytest

from statecore.errors import StoreCorrupt, StoreUnavailable
from statecore.stores.records import PauseFilter, RunFilter, unread_of
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import answer, asked, question
from tests.unit.stores.sqlite_files import outcome, tamper


@pytest.fixture
def file(tmp_path):
    """Where a store will be."""
    return tmp_path / "runs.db"


# -- what is no file ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [os.mkfifo, lambda path: path.symlink_to(path)], ids=["pipe", "loop"])
def test_what_is_no_file_on_a_disk_is_unavailable(file, made):
    """A named pipe, which would never give an answer, and a link to itself are refused by name at once."""
    made(file)
    with pytest.raises(StoreUnavailable):
        SqliteDb(file)
    with pytest.raises(StoreUnavailable):
        verify(file)


class Unopened(sqlite3.Connection):
    """A connection that never comes about."""

    def __init__(self, *args, **settings):
        raise sqlite3.OperationalError("unable to open database file")


def test_a_file_that_may_not_be_opened_is_unavailable(file):
    """What SQLite says when it cannot even open the file is told by name."""
    with pytest.raises(StoreUnavailable, match="unable to open"):
        SqliteDb(file, connection_factory=Unopened).load("run-1")


# -- rows that are not as they were sealed -----------------------------------------------------------------------------------------


def listed(page):
    """A listing is refused in one row: it names the run that cannot be read (P23)."""
    if unread_of(page):
        assert (len(page), [each.run_id for each in page.unread]) == (0, ["run-1"])
        raise StoreCorrupt("", page.unread[0].why)


READINGS = {
    "load": lambda store: store.load("run-1"),
    "runs": lambda store: listed(store.runs(RunFilter())),
    "head": lambda store: store.head("run-1"),
    "journal": lambda store: store.journal("run-1"),
    "pauses": lambda store: listed(store.pauses(PauseFilter(undecided_only=False))),
    "pauses of it": lambda store: store.pauses(PauseFilter(run_id="run-1", undecided_only=False)),
    "decisions": lambda store: store.decisions("run-1"),
}
SPOILT = {
    "who it is": ("UPDATE run SET user_id = 'eve'", "load runs"),
    "whose it is": ("UPDATE run SET epoch = epoch + 1", "load runs"),
    "who cancelled": ("UPDATE run SET cancel_by = 'eve'", "load runs"),
    "where it stands": ("UPDATE run SET state = replace(state, 'paused', 'completed')", "load runs"),
    "session state": ("UPDATE session_state SET text = '[7]'", "load runs"),
    "an earlier end": ("UPDATE run SET seq = seq - 1", "load runs head journal"),
    "no journal": ("UPDATE run SET seq = 0, head = zeroblob(32)", "load runs head journal"),
    "what was asked": ("UPDATE pause SET message = 'fine?'", "pauses decisions"),
    "until when": ("UPDATE pause SET deadline = 5", "pauses decisions"),
    "what was decided": ("UPDATE decision SET word = 'confirm'", "pauses decisions"),
    "by whom": ("""UPDATE decision SET "by" = 'eve'""", "pauses decisions"),
    "no decision": ("DELETE FROM decision", "pauses decisions"),
    "a decision for another": ("UPDATE pause SET decided = decided + 1", "pauses decisions"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_row_that_is_not_as_it_was_sealed_is_refused(file, spoilt):
    """Whatever reads a row that was changed behind the store refuses it as damaged; what does not read it goes on answering."""
    store = SqliteDb(file)
    asked(store, "run-1", question("run-1"))
    store.decide(answer(question("run-1"), "reject", by="ann"))
    store.close()
    statement, refused_by = SPOILT[spoilt]
    tamper(file, statement)
    store = SqliteDb(file)
    refused = [name for name, reading in READINGS.items() if outcome(reading, store) is StoreCorrupt]
    store.close()
    if "pauses" in refused_by:
        refused.remove("pauses of it")
    assert refused == refused_by.split()
