"""A process of format 2 beside a migration is refused by name; so is a file that is too large, unsound, or without room."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from attrs import evolve

from statecore.core import BEGINNING
from statecore.errors import MigrationNeeded, StoreCorrupt, StoreReplaced, StoreTooNew, StoreUnavailable
from statecore.stores.links import seal
from statecore.stores.records import Boundary, Claim, Decided, Identity, PauseFilter, RunFilter
from statecore.stores.sql.reading import SEALED, legal_moves
from statecore.stores.sql3.reading import Known
from statecore.stores.sql3.shapes import MoveLists
from statecore.stores.sqlite import migrating
from statecore.stores.sqlite.channel import Channel
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.migrating import SETTINGS_OF_MIGRATION, at_opening, begin, migrate
from statecore.stores.sqlite.opening import expected_shape, marks
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from tests.migration.golden import ends, flow_of, loaded
from tests.migration.test_migration import everything
from tests.unit.stores.sqlite_files import raw

HARMLESS = {
    "SELECT canonical FROM definition WHERE fingerprint = ?",  # a definition is the same in both formats, and so is a lifecycle
    'SELECT machine, source, "trigger", dest FROM legal',
    'INSERT INTO legal (machine, source, "trigger", dest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',  # of this release: they are there
    'SELECT machine, source, "trigger", dest, id FROM legal',
    "SELECT id FROM run WHERE run_id = ?",  # the number of a run is the same, and the statement that would use it fails
    "SELECT id FROM run WHERE run_id = ? /*pg FOR UPDATE*/",
    "UPDATE pause SET closed = ? WHERE run = ? AND pause_id = ?",  # refused by a CHECK, and behind a statement that fails
    "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL",
}
"""The statements of format 2 that a file of format 3 takes, and why they do no harm."""


class Recording(sqlite3.Connection):
    """A connection that remembers its statements."""

    seen: set[str] = set()  # noqa: RUF012  # what it is for

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement."""
        Recording.seen.add(statement)
        return super().execute(statement, *arguments)

    def executemany(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        """Execute one for many rows."""
        Recording.seen.add(statement)
        return super().executemany(statement, *arguments)


def begun(file: Path) -> None:
    """Have the first transaction of a migration, and no other."""
    channel = Channel(file, "full", sqlite3.Connection, SETTINGS_OF_MIGRATION)
    channel.write(begin)
    channel.close()


def whole(file: Path) -> None:
    """Have all of it."""
    migrate(file)


@pytest.fixture(params=[begun, whole])
def led(request: pytest.FixtureRequest) -> Callable[[Path], None]:
    """A migration that was begun, and one that is done."""
    lead: Callable[[Path], None] = request.param
    return lead


def test_the_statements_of_an_old_process_fail_by_name(tmp_path: Path, led: Callable[[Path], None]) -> None:
    """Every statement that a store of format 2 issues names a table or a column that is gone, but for those that do no harm."""
    Recording.seen.clear()
    db = SqliteDb2(loaded(tmp_path / "old.db"), connection_factory=Recording)
    everything(db)
    ends(db)
    [(record, _)] = db.claim_next("small", "o", 1) or [(db.load("late"), False)]
    db.request_cancel(record.identity.run_id, None, 1)
    db.close()
    issued = {each for each in Recording.seen if not each.startswith(("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK"))}
    issued = {
        each for each in issued if "INDEX" not in each
    }  # made anew by this release alone, which refuses the file when it opens it
    assert len(issued) > 30
    file = loaded(tmp_path / "new.db")
    led(file)
    connection = raw(file)
    taken, failed = set(), []
    for statement in issued:
        try:
            connection.execute(f"EXPLAIN {statement}", [None] * statement.count("?"))
            taken.add(statement)
        except sqlite3.OperationalError as error:
            failed.append(str(error))
    connection.close()
    assert taken <= HARMLESS
    assert [why for why in failed if "no such" not in why and "has no column named" not in why] == []


METHODS: dict[str, Callable[[SqliteDb2], Any]] = {
    "load": lambda db: db.load("late"),
    "runs": lambda db: db.runs(RunFilter()),
    "pauses": lambda db: db.pauses(PauseFilter()),
    "pauses of a run": lambda db: db.pauses(PauseFilter(run_id="late")),
    "pause": lambda db: db.pause("late", "skipped:confirmation:0"),
    "decide": lambda db: db.decide(Decided("late", "skipped:confirmation:0", "confirm", 1)),
    "decisions": lambda db: db.decisions("late"),
    "journal": lambda db: db.journal("late"),
    "head": lambda db: db.head("late"),
    "session_state": lambda db: db.session_state("shared", "beside"),
    "request_cancel": lambda db: db.request_cancel("late", None, 1),
    "claim_next": lambda db: db.claim_next("beside", "o", 1),
    "renew": lambda db: db.renew("late", 1, 1),
    "release": lambda db: db.release("late", 1),
    "begin": lambda db: db.commit(
        Boundary(
            "new",
            1,
            0,
            1,
            BEGINNING,
            (),
            {},
            claim=Claim("o", Identity("new", "w", "w", "s", None, 1, "1", "{}", "{}", "f", "{}", 1)),
        )
    ),
    "start": lambda db: flow_of("late", db).run("x"),
    "continue": lambda db: flow_of("decided", db).continue_run(run_id="decided"),
    "cancel": lambda db: flow_of("decided", db).cancel_run("decided"),
}


def test_an_old_process_that_has_the_file_open_is_refused(tmp_path: Path, led: Callable[[Path], None]) -> None:
    """Each method of a store that was opened before says that a newer release has the file; nothing that it would have stored is acknowledged."""
    file = loaded(tmp_path / "old.db")
    opened = SqliteDb2(file)
    opened.load("late")
    led(file)
    for act in METHODS.values():
        with pytest.raises(StoreReplaced, match="from 2 to 3"):
            act(opened)
    opened.close()
    with pytest.raises(StoreTooNew):
        SqliteDb2(file)
    migrate(file)
    assert verify(file, of=THREE).faults == []


def test_a_process_that_begins_a_batch_meanwhile_shares_the_work(tmp_path: Path) -> None:
    """Two processes that migrate one file at once take turns, batch by batch, and both end with a whole store."""
    file = loaded(tmp_path / "new.db")
    begun(file)
    other = Channel(file, "full", sqlite3.Connection, SETTINGS_OF_MIGRATION)
    turns = []

    def between(*_: int) -> None:
        known = Known(MoveLists(other.read(legal_moves)))
        turns.append(other.write(migrating.batch, known, 3, 1 << 30))

    done = migrate(file, runs=3, progress=between)
    other.close()
    carried = [each.run_id for turn in turns for each in turn]
    assert len(carried) + done.runs == verify(file, of=THREE).runs
    assert len(carried) >= 15


def test_a_store_is_not_used_before_its_migration_is_done(tmp_path: Path) -> None:
    """A file between two formats: verify says what to do, the row that each step's fence needs is not there, and opening it goes on."""
    file = loaded(tmp_path / "new.db")
    begun(file)
    assert [fault.why for fault in verify(file, of=THREE).faults] == [
        "its migration was begun and is not done: run `statecore migrate`"
    ]
    connection = raw(file)
    assert connection.execute("SELECT count(*) FROM store").fetchone() == (0,)
    connection.close()
    db = SqliteDb(file)
    assert db.load("late").seq == 3
    db.close()
    assert verify(file, of=THREE).faults == []


# -- before the first change -------------------------------------------------------------------------------------------------------


def unchanged(file: Path, act: Callable[[], Any], error: type[Exception], match: str) -> None:
    """The act is refused, and the file is as it was, of format 2."""
    before = file.read_bytes()
    with pytest.raises(error, match=match):
        act()
    assert file.read_bytes() == before


def test_a_larger_file_is_left_to_the_command(tmp_path: Path) -> None:
    """A file over the limit of an opening is refused by name, with the command to run, and is not changed; a smaller one is migrated."""
    file = loaded(tmp_path / "old.db")
    unchanged(file, lambda: migrate(file, most=1_000), MigrationNeeded, "run: statecore migrate")
    begun(file)
    unchanged(file, lambda: migrate(file, most=1_000), MigrationNeeded, "run: statecore migrate")
    at_opening(file)
    assert verify(file, of=THREE).runs == 40


class Usage(NamedTuple):
    """A disk."""

    free: int


def test_a_disk_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk has not the room for the log and the backup, nothing is changed and no backup is begun."""
    file = loaded(tmp_path / "old.db")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(file.stat().st_size + (1 << 26)))
    unchanged(file, lambda: migrate(file, copy=tmp_path / "copy.db"), StoreUnavailable, "bytes free")
    assert not (tmp_path / "copy.db").exists()
    assert migrate(file).runs == 40


@pytest.mark.parametrize("in_batch", [False, True])
def test_a_disk_that_is_full_loses_a_batch_at_most(tmp_path: Path, *, in_batch: bool) -> None:
    """Where the file cannot grow the error is named, in the first transaction or in a batch; with room the migration goes on and is sound."""
    file = loaded(tmp_path / "old.db")
    if in_batch:
        begun(file)
    most = file.stat().st_size // 4_096 + 4

    class Full(sqlite3.Connection):
        """A connection to a file that may grow by some pages."""

        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            self.execute(f"PRAGMA max_page_count = {most}")

    with pytest.raises(StoreUnavailable, match="full"):
        migrate(file, factory=Full, runs=40)
    assert migrate(file).runs == 40
    assert verify(file, of=THREE).faults == []


@pytest.mark.parametrize("backed_up", [True, False])
def test_an_unsound_store_is_not_migrated(tmp_path: Path, *, backed_up: bool) -> None:
    """One damaged row is found before the first change."""
    file = loaded(tmp_path / "old.db")
    connection = raw(file)
    connection.execute("UPDATE run SET state = replace(state, 'paused', 'running') WHERE run_id = 'late'")
    connection.close()
    copy = tmp_path / "copy.db" if backed_up else None
    unchanged(file, lambda: migrate(file, copy=copy), StoreCorrupt, "late")


def test_a_backup_is_made_before_the_first_change(tmp_path: Path) -> None:
    """The backup is the store of format 2 as it was, and the way back."""
    file = loaded(tmp_path / "old.db")
    done = migrate(file, copy=tmp_path / "copy.db")
    assert done.backup == str(tmp_path / "copy.db")
    assert verify(tmp_path / "copy.db").faults == []
    (tmp_path / "copy.db").replace(file)
    db = SqliteDb2(file)
    assert db.load("late").state.run == "paused"
    db.close()


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    """A file that is where the backup would be is kept, and nothing is migrated."""
    file = loaded(tmp_path / "old.db")
    (tmp_path / "copy.db").write_text("mine")
    unchanged(file, lambda: migrate(file, copy=tmp_path / "copy.db"), StoreUnavailable, "overwrites nothing")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_store_of_format_3_is_left_as_it_is(tmp_path: Path) -> None:
    """A migration that is done is not done again."""
    file = loaded(tmp_path / "old.db")
    assert migrate(file).runs > 30
    again = migrate(file, copy=tmp_path / "copy.db")
    assert (again.runs, again.backup) == (0, None)
    connection = raw(file)
    assert marks(connection)[1] == 3
    connection.close()


def test_there_is_no_store_to_migrate(tmp_path: Path) -> None:
    """A file that is not there is not made."""
    with pytest.raises(StoreUnavailable, match="no store"):
        migrate(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()


def test_keys_that_format_3_does_not_keep_are_told(tmp_path: Path) -> None:
    """An empty key, one over 1,024 bytes and one that a run has twice are dropped by name; the decisions and the run are kept."""
    file = tmp_path / "old.db"
    db = SqliteDb2(file)
    workflow = flow_of("beside parked", db)
    run = workflow.run("x", run_id="odd", idempotency_key="short")
    for asked in run.requirements:
        workflow.decide("odd", asked.pause_id, "confirm", by="ann")
    before = db.decisions("odd")
    db.close()
    connection = raw(file)
    twice = [evolve(each, key=key) for each, key in zip(before, ("same", "same", ""), strict=True)]
    rekey(connection, twice)
    connection.close()
    done = migrate(file)
    assert done.keys_dropped == {"odd": ["start", before[1].pause_id, before[2].pause_id]}
    new = SqliteDb(file)
    assert new.decisions("odd") == [evolve(before[0], key="same"), *before[1:]]
    assert new.load("odd").identity.key is None
    new.close()
    assert verify(file, of=THREE).faults == []


def rekey(connection: sqlite3.Connection, decisions: list[Decided]) -> None:
    """Give stored decisions other keys, as a release of schema 1 could have."""
    connection.execute("UPDATE run SET start_key = ?", ("k" * 1_025,))
    _, _, *columns = connection.execute(SEALED[0].query).fetchone()
    connection.execute("UPDATE run SET seal = ?", (seal(*columns),))
    connection.execute("DROP TRIGGER decision_keeps")
    for each in decisions:
        columns = (each.pause_id, each.word, each.time, None, each.by, each.comment, each.key)
        connection.execute(
            'UPDATE decision SET "key" = ?, seal = ? WHERE pause_id = ?', (each.key, seal(each.run_id, *columns), each.pause_id)
        )
    connection.execute(expected_shape()["decision_keeps"])
