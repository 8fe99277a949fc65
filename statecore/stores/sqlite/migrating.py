"""A file of format 2 becomes one of format 3, in place: batches of runs, each one transaction, which a crash undoes and the next opening goes on with.

The first transaction renames the old tables, drops their triggers and indexes, makes the new ones and sets `user_version`: from then on each
method of a process of format 2 that has the file open is refused by name, because a table or a column of its statements is missing. Each batch
writes the new rows of its runs and deletes the old ones. The last transaction drops the old tables and inserts the row of `store`, without which
no statement of format 3 stores anything: nothing is executed before the migration is done.

The log is copied into the file after each batch, so it is as long as one batch at most. There is no way back but a backup.
"""

# ruff: noqa: S608  # statements are put together of the names of tables

from __future__ import annotations

import shutil
import sqlite3
from contextlib import contextmanager
from os import urandom
from time import time_ns
from typing import TYPE_CHECKING

from attrs import define

from statecore.errors import MigrationNeeded, StoreCorrupt, StoreUnavailable
from statecore.stores.links import digest
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.writing import learn_moves
from statecore.stores.sql3.migrating import FROM, Migrated, carry
from statecore.stores.sql3.older import SUFFIX, TABLES_OF_2, read
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sql3.reading import Known
from statecore.stores.sql3.shapes import ADD_SHAPE, NO_MOVES, MoveLists

from .channel import SETTINGS, Channel
from .formats import ANY, SCRIPTS
from .health import backup, verify
from .opening import APPLICATION_ID, TWO, defect, furnish, located, look, mark, marks, script_text, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from statecore.stores.sql3.migrating import Carried
    from statecore.stores.sql3.older import Old

    Progress = Callable[[int, int], None]

RUNS = 500
"""The most runs of one batch."""
LEAST, MOST = 1 << 18, 1 << 25
"""The bytes of log that a batch may write at least and at most; in between a tenth of the file."""
UNASKED = 1 << 28
"""The largest file, in bytes, that opening it migrates; a larger one is migrated by the command alone."""
PAGE, ROW = 4_096, 512
"""The bytes that a deleted value writes to the log: a page, because values lie in the order of their hashes; and about those of a row."""

SETTINGS_OF_MIGRATION: dict[str, str | int] = {"secure_delete": 1, "foreign_keys": 0}
"""Deleted rows are overwritten: they hold plain digests. References of old tables would look through a whole table for each value deleted."""

ORIGINAL = f"""
SELECT name, type FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL
AND tbl_name IN ({", ".join(f"'{table}'" for table in TABLES_OF_2)})"""
SHARED = f"""
CREATE TABLE shared{SUFFIX} AS SELECT hash, max(run) AS last FROM (
  SELECT value AS hash, run FROM journal{SUFFIX} WHERE value IS NOT NULL UNION ALL SELECT value, run FROM decision{SUFFIX} WHERE value IS NOT NULL
  UNION ALL SELECT input, id FROM run{SUFFIX} UNION ALL SELECT additional_data, id FROM run{SUFFIX} UNION ALL SELECT metadata, id FROM run{SUFFIX})
GROUP BY hash HAVING min(run) <> max(run)"""
"""The values that more than one run refers to, and the last such run: a value is deleted with its last run."""
LEFT = f"SELECT count(*) FROM run{SUFFIX}"
NEXT = f"SELECT id FROM run{SUFFIX} ORDER BY id LIMIT ?"
STORE = "INSERT INTO store (one, uuid, created_us, version, migrated_from) VALUES (1, ?, ?, ?, ?)"
FORGET_VALUE = f"""
DELETE FROM value{SUFFIX} WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM shared{SUFFIX} WHERE hash = ?1 AND last > ?2)"""
FORGET = tuple(
    f"DELETE FROM {table}{SUFFIX} WHERE {key} = ?"
    for table, key in (("journal", "run"), ("decision", "run"), ("pause", "run"), ("session_state", "run"), ("run", "id"))
)


@define
class MigratedFile(Migrated):
    """The report of a migration of a file; sizes in bytes."""

    log_bytes: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    backup: str | None = None


def unfinished(connection: sqlite3.Connection) -> bool:
    """Whether a migration was begun and is not done."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (f"run{SUFFIX}",)).fetchone()
    return found is not None


def migrate(  # noqa: PLR0913  # what a person, an opener and a test say of it
    path: str | Path,
    *,
    copy: str | Path | None = None,
    progress: Progress | None = None,
    most: int | None = None,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
    runs: int = RUNS,
) -> MigratedFile:
    """Lead a file of format 2 to format 3; one whose migration was begun, to its end; nothing is done to one of format 3.

    `copy` is where the backup is made, before anything is changed; None makes none. `most` is the largest file, in bytes, that is migrated; None
    means any. A file that `verify` finds unsound is not touched. `progress` is told after each batch how many runs are done, of how many.

    Raises `MigrationNeeded` for a larger file, `StoreCorrupt` for an unsound one, `StoreUnavailable` where there is no room, and what opening raises.
    """
    file = located(path)
    look(file, ANY)
    if not file.exists() or file.stat().st_size == 0:
        raise StoreUnavailable(str(file), "there is no store in it")
    done = MigratedFile(str(file), bytes_before=file.stat().st_size)
    version, goes_on = stands(file)
    if most is not None and done.bytes_before > most and (version < VERSION or goes_on):
        raise MigrationNeeded(
            str(file), f"is of an older format and has {done.bytes_before:,} bytes; opening migrates up to {most:,}"
        )
    if version < VERSION:
        prepare(file, version, copy, done)
    lead(file, done, runs, progress, factory)
    done.bytes_after = file.stat().st_size
    return done


def prepare(file: Path, version: int, copy: str | Path | None, done: MigratedFile) -> None:
    """Do all that comes before the first change: check the room, and make a sound backup; without one, check the whole file."""
    check_room(file, copy)
    if version < FROM:
        furnish(file, sqlite3.Connection, TWO)
    if copy is not None:
        done.backup = backup(file, copy).path
        return
    found = verify(file, of=TWO)
    if found.faults:
        raise StoreCorrupt(str(file), str(found.faults[0]))


def at_opening(file: Path) -> None:
    """Migrate a file when it is opened, or go on with its migration, without a backup. Raises `MigrationNeeded` for a large one, and as `migrate`."""
    migrate(file, most=UNASKED)


def stands(file: Path) -> tuple[int, bool]:
    """The format of a file, and whether its migration was begun and is not done."""
    connection = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {SETTINGS['busy_timeout']}")
        return marks(connection)[1], unfinished(connection)
    finally:
        connection.close()


def check_room(file: Path, copy: str | Path | None) -> None:
    """Raise `StoreUnavailable` where a disk has not the room for the log and what a batch needs, or for the backup."""
    size = file.stat().st_size
    needs: dict[int, tuple[Path, int]] = {}
    for place, bytes_ in [(file.parent, size // 4 + 2 * MOST), *([(located(copy).parent, size)] if copy is not None else [])]:
        if not place.is_dir():
            raise StoreUnavailable(str(place), "there is no such folder")
        disk = place.stat().st_dev
        needs[disk] = (place, needs.get(disk, (place, 0))[1] + bytes_)
    for place, wanted in needs.values():
        free = shutil.disk_usage(place).free
        if free < wanted:
            raise StoreUnavailable(str(file), f"a migration needs {wanted:,} bytes free in {str(place)!r}, and {free:,} are")


# -- transactions ------------------------------------------------------------------------------------------------------------------


@contextmanager
def opened(file: Path, done: MigratedFile, factory: type[sqlite3.Connection]) -> Iterator[Channel]:
    """A connection for some transactions of a migration; the length of the log is noted at its end."""
    channel = Channel(file, "full", factory, SETTINGS_OF_MIGRATION)
    try:
        yield channel
        note_log(file, done)
    finally:
        channel.close()


def note_log(file: Path, done: MigratedFile) -> None:
    """Note how long the log is, or was: it is not cut while it is open."""
    log = file.with_name(file.name + "-wal")
    done.log_bytes = max(done.log_bytes, log.stat().st_size if log.exists() else 0)


def lead(  # a file, what is told, and what a test says
    file: Path, done: MigratedFile, runs: int, progress: Progress | None, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> None:
    """The first transaction, the batches and the last one, each where it is left to do."""
    with opened(file, done, factory) as channel:
        channel.write(begin)
    with opened(file, done, factory) as channel:  # of the new version
        if not channel.read(unfinished):
            return
        known = Known(MoveLists(channel.read(legal_moves)))
        limit = min(max(done.bytes_before // 10, LEAST), MOST)
        of = channel.read(count)
        while carried := channel.write(batch, known, runs, limit):
            done.note(carried)
            channel.checkpoint()
            if progress is not None:
                progress(done.runs, of)
        channel.write(finish)


def count(connection: sqlite3.Connection) -> int:
    """How many runs are left."""
    found: int = connection.execute(LEFT).fetchone()[0]
    return found


def begin(connection: sqlite3.Connection) -> None:
    """Rename the old tables, drop what belonged to them, and make the new ones; nothing where another process did."""
    application, version = marks(connection)
    if version >= VERSION:
        return
    wrong = defect(connection, TWO)
    if wrong is not None or (application, version) != (APPLICATION_ID, FROM):
        raise StoreCorrupt(connection.execute("PRAGMA database_list").fetchone()[2], wrong or f"its schema version is {version}")
    for name, kind in connection.execute(ORIGINAL).fetchall():
        connection.execute(f'DROP {kind.upper()} "{name}"')
    for table in TABLES_OF_2:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}{SUFFIX}")
    connection.execute(SHARED)
    connection.execute(f"CREATE UNIQUE INDEX shared_hash{SUFFIX} ON shared{SUFFIX} (hash)")
    for script in SCRIPTS:
        for statement in statements(script_text(script)):
            connection.execute(statement)
    connection.execute(f"INSERT INTO definition SELECT id, fingerprint, canonical FROM definition{SUFFIX}")
    connection.execute(f'INSERT INTO legal SELECT id, machine, source, "trigger", dest FROM legal{SUFFIX}')
    learn_moves(connection)
    connection.execute(ADD_SHAPE, (NO_MOVES.number, NO_MOVES.digest, 0, None, None))
    mark(connection, VERSION)


def batch(connection: sqlite3.Connection, known: Known, runs: int, limit: int) -> list[Carried]:
    """Carry the next runs, and delete what they were; at most so many runs, and about so many bytes of log. Empty where none is left."""
    carried: list[Carried] = []
    if not unfinished(connection):  # another process did it
        return carried
    written = 0
    for (number,) in connection.execute(NEXT, (runs,)).fetchall():
        old = read(connection, number, known)
        carried.append(carry(connection, old, known))
        written += forget(connection, old)
        if written >= limit:
            break
    return carried


def forget(connection: sqlite3.Connection, old: Old) -> int:
    """Delete the old rows of a run, and the values that no later one refers to; how many bytes of log that and the new rows write, about."""
    identity = old.record.identity
    texts = {identity.input, identity.additional_data, identity.metadata}
    texts |= {entry.body.value for entry in old.entries if entry.body.value is not None}
    texts |= {each.decided.value for each in old.questions if each.decided is not None and each.decided.value is not None}
    for statement in FORGET:
        connection.execute(statement, (old.number,))
    for address in sorted(map(digest, texts)):
        connection.execute(FORGET_VALUE, (address, old.number))
    rows = len(old.entries) + 4 * len(old.questions) + 8
    return rows * ROW + sum(2 * len(text) + PAGE for text in texts)


def finish(connection: sqlite3.Connection) -> None:
    """Drop the old tables, which are empty, and open the store; nothing where another process did."""
    if not unfinished(connection):
        return
    for table in ("shared", *TABLES_OF_2):
        connection.execute(f"DROP TABLE {table}{SUFFIX}")
    connection.execute(STORE, (urandom(16), time_ns() // 1_000, VERSION, FROM))
