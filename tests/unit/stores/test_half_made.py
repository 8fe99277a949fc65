"""A store whose making or migration was cut short is rolled back and opened, never refused as damaged; another program's is left alone."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from statecore.errors import NotAStatecoreStore, StoreCorrupt
from statecore.stores.sqlite import opening as schema
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.testing.stores.samples import asked
from tests.unit.stores.sqlite_files import folder_of

SEEDS = Path(__file__).parents[2] / "seeds"


def cut(source, target, act):
    """A file, and the journal beside it, as they lie on the disk while a transaction has written its pages and is not over."""
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")  # so that pages go to the disk before the end
    connection.execute("BEGIN IMMEDIATE")
    act(connection)
    for suffix in ("", "-journal"):
        shutil.copy(f"{source}{suffix}", f"{target}{suffix}")
    connection.close()


def head(file, pages, version, application=schema.APPLICATION_ID):
    """Write what a first page says: its pages and marks, as if it had reached the disk before the others."""
    with file.open("r+b") as opened:
        for offset, number in ((28, pages), (60, version), (68, application)):
            opened.seek(offset)
            opened.write(number.to_bytes(4, "big"))


def two_pages(file):
    """The first pages of a whole store, which speak of more."""
    connection = sqlite3.connect(file, isolation_level=None)
    schema.migrate(connection, 0)
    connection.close()
    return file.read_bytes()[: 2 * 4096]


@pytest.fixture
def half_made(tmp_path):
    """A store that somebody was just making."""
    file = tmp_path / "half.db"
    cut(tmp_path / "whole.db", file, lambda connection: schema.migrate(connection, 0))
    assert file.stat().st_size > 0
    return file


@pytest.mark.parametrize("first_page", ["as it was", "written", "nothing"])
def test_a_making_that_was_cut_short_is_begun_again(half_made, first_page):
    """Wherever the process that made it died, the next one makes it."""
    if first_page == "nothing":
        half_made.write_bytes(bytes(4096) + half_made.read_bytes()[4096:])
    elif first_page == "written":
        half_made.write_bytes(two_pages(half_made.with_name("whole.db")))
    db = SqliteDb(half_made)
    assert db.definition("x") is None
    db.close()
    assert verify(half_made).faults == []


def test_a_migration_that_was_cut_short_is_begun_again(tmp_path):
    """A first page that speaks of pages which are not there yet is no damage while the journal is."""
    old, file = tmp_path / "old.db", tmp_path / "half.db"
    connection = sqlite3.connect(old, isolation_level=None)
    connection.executescript((SEEDS / "store-1.sql").read_text(encoding="utf-8"))
    connection.close()
    cut(old, file, lambda connection: schema.migrate(connection, 1))
    head(file, pages=9999, version=schema.VERSION)
    db = SqliteDb(file)
    assert db.load("done").state.run == "completed"
    db.close()
    assert verify(file).faults == []


def test_without_a_journal_it_is_damage(half_made):
    """The same file without the journal that could roll it back is refused, at once."""
    Path(f"{half_made}-journal").unlink()
    half_made.write_bytes(two_pages(half_made.with_name("whole.db")))
    with pytest.raises(StoreCorrupt):
        SqliteDb(half_made)


def test_another_programs_transaction_stays_untouched(tmp_path):
    """A file that another program was just changing is refused, and every byte of it and of its journal stays."""
    source, file = tmp_path / "whole.db", tmp_path / "half.db"
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute("CREATE TABLE t AS SELECT zeroblob(99999) AS x")
    connection.close()
    cut(source, file, lambda connection: connection.execute("UPDATE t SET x = randomblob(99999)"))
    head(file, pages=9999, version=0, application=7)
    before = folder_of(file)
    with pytest.raises(NotAStatecoreStore):
        SqliteDb(file)
    assert folder_of(file) == before


def test_a_log_that_was_half_copied_is_copied_again(tmp_path):
    """A first page that speaks of pages which are in the log, and not in the file yet, is no damage: a checkpoint was cut short."""
    source, file = tmp_path / "whole.db", tmp_path / "half.db"
    store = SqliteDb(source)
    for number in range(30):
        asked(store, f"run-{number}")
    for suffix in ("", "-wal"):
        shutil.copy(f"{source}{suffix}", f"{file}{suffix}")
    store.close()
    head(file, pages=9999, version=schema.VERSION)
    store = SqliteDb(file)
    assert store.load("run-29").state.run == "paused"
    store.close()
    assert [fault for fault in verify(file).faults if fault.where == "file"] == []
