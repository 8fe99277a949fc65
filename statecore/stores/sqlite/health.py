"""The health of a store's file: the SQLite it is used with, how it is set up, what in it cannot be true, and a copy of it.

`verify` opens the file for reading only and sees one moment, also while others write; a store of schema 1 is copied and migrated first. Each
format is checked as what it is.
`backup` copies a store as it is at one moment; the copy is verified before it gets its name, and is never written over a file.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from statecore.errors import NotAStatecoreStore, StatecoreError, StoreCorrupt, StoreError, StoreTooNew, StoreUnavailable
from statecore.stores.audit import tables3
from statecore.stores.audit.ended3 import check_root
from statecore.stores.audit.verify import MANY, Verified, contents, plain
from statecore.stores.ending.files import settled
from statecore.stores.endings import Anchored as Kept
from statecore.stores.records import Symptom
from statecore.stores.sql3.ciphers import NO_KEYS, KeyedLink, Keys
from statecore.stores.sql3.older import SUFFIX

from .channel import DURABILITY, SETTINGS, connect, named
from .formats import ANY, THREE, format_of, its_format
from .opening import TWO, Format, defect, located, look, marks, opened, shape, size_of
from .reader import attached, only_read

if TYPE_CHECKING:
    from collections.abc import Callable

Version = tuple[int, ...]

WAL_RESET_FROM, WAL_RESET_FIXED = (3, 7, 0), (3, 51, 3)
WAL_RESET_ALSO_FIXED = frozenset({(3, 50, 7), (3, 44, 6)})
LARGE_LOG = 64 * 1024 * 1024


def has_wal_reset_race(version: Version) -> bool:
    """Whether an SQLite may lose frames where a checkpoint meets a writer that begins the log anew."""
    return WAL_RESET_FROM <= version < WAL_RESET_FIXED and version not in WAL_RESET_ALSO_FIXED


def library(version: Version = sqlite3.sqlite_version_info) -> list[Symptom]:
    """The facts about this SQLite."""
    if not has_wal_reset_race(version):
        return []
    why = "its checkpoint may lose frames when a writer resets the log; statecore checkpoints while nobody writes, other programs do not"
    return [Symptom("sqlite", ".".join(map(str, version)), why)]


def facts(path: Path) -> dict[str, object]:
    """The facts about a store's file, as plain data: sizes in bytes, the schema, the settings as SQLite gives them back."""
    log = path.with_name(path.name + "-wal")
    connection = attached(path) if only_read(path) else connect(path, "full", sqlite3.Connection)
    try:
        application, schema = marks(connection)
        wanted = SETTINGS | DURABILITY["full"]
        settings = {name: (connection.execute(f"PRAGMA {name}").fetchone() or (0,))[0] for name in wanted}
    finally:
        connection.close()
    return {
        "path": str(path),
        "sqlite": sqlite3.sqlite_version,
        "application_id": application,
        "schema": schema,
        "bytes": path.stat().st_size,
        "log_bytes": size_of(log),
        "mode": f"{stat.S_IMODE(path.stat().st_mode):04o}",
        "settings": settings,
    }


def ailments(path: Path) -> list[Symptom]:
    """The ailments of a store's file. A setting that SQLite does not take is an ailment, too."""
    found = []
    try:
        told = facts(path)
    except StoreError as error:
        return [
            Symptom(
                "file", str(path), str(getattr(error, "why", error)), "Restore a backup, or mend what keeps it from being opened."
            )
        ]
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(Symptom("mode", str(path), f"others may use it: its mode is {told['mode']}", f"chmod 600 {path}"))
    if int(str(told["log_bytes"])) > LARGE_LOG:
        why = f"its write-ahead log has {told['log_bytes']} bytes: something reads for very long"
        found.append(Symptom("log", str(path), why, "Look for a process that holds the file open; the next write copies the log."))
    return found


def verify(
    path: str | Path,
    progress: Callable[[int, int], None] | None = None,
    of: Format | None = None,
    *,
    anchored: Kept | None = None,
    keys: Keys = NO_KEYS,
) -> Verified:
    """Check a store as one of a format; None is the format that the file has. `progress` is told after each run how many were checked, of how many.

    `anchored` is a root that was kept elsewhere, and over how many leaves it is (`db.anchor`). `keys` open enciphered values and check keyed seals;
    of what has no key the chains and commitments are checked, and a remark says so. Raises `NotAStatecoreStore`, `StoreTooNew`,
    `StoreUnavailable`; all other damage is a fault.
    """
    file = located(path)
    found = Verified(str(file), (of or TWO).version)
    try:
        look(file, of or ANY)
        connection = opened(file, of=of or ANY)
        of = of or its_format(connection)
        found.schema = of.version
    except (NotAStatecoreStore, StoreTooNew, StoreUnavailable):
        raise
    except StatecoreError as error:
        found.blame("file", plain(error))
        return found
    try:
        connection.execute("BEGIN")  # what others write from now on is not seen here
        checked(connection, found, progress, of, keys)
        if anchored is not None:
            compare(connection, found, anchored)
    except Exception as error:  # noqa: BLE001  # the same, of the file
        found.blame("file", plain(named(error, str(file)) or error))
    finally:
        connection.close()
    return found


def compare(connection: sqlite3.Connection, found: Verified, anchored: Kept) -> None:
    """Compare a root that was kept with the leaves of a store of format 3."""
    if found.schema != THREE.version:
        found.blame("file", f"it is of format {found.schema}, which has no leaves")
    elif not any(fault.where in ("file", "schema") for fault in found.faults):
        check_root(connection, found, anchored.leaves, anchored.root)


def checked(
    connection: sqlite3.Connection,
    found: Verified,
    progress: Callable[[int, int], None] | None,
    of: Format = TWO,
    keys: Keys = NO_KEYS,
) -> None:
    """Look at everything behind a connection, inside a transaction."""
    if not file_is_sound(connection, found, of):
        return
    if f"run{SUFFIX}" in shape(connection):
        found.blame("schema", "its migration was begun and is not done: run `statecore migrate`")
        return
    connection.text_factory = readable
    CONTENTS[of.version](KeyedLink(connection, keys, leaves_shut=True), found, progress)


CONTENTS = {2: contents, 3: tables3.contents}
"""The check of the tables of each format."""


def file_is_sound(connection: sqlite3.Connection, found: Verified, of: Format) -> bool:
    """The findings of SQLite itself; where there is one, or the tables are others, nothing more can be trusted."""
    for (said,) in connection.execute(f"PRAGMA integrity_check({MANY})").fetchall():
        if said != "ok":
            found.blame("file", said)
    wrong = defect(connection, of)
    if wrong is not None:
        found.blame("schema", wrong)
    if found.sound:
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(MANY):
            found.blame(f"table {table}", f"row {row} refers to a {parent} that there is not")
        return True
    return False


def readable(text: bytes) -> str:
    """A column's text; bytes that are none become others, which no hash agrees with."""
    return text.decode("utf-8", "backslashreplace")


def backup(store: str | Path, copy: str | Path, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Copy a store into a new file that only its owner can read; what `verify` found in the copy.

    Raises `StoreUnavailable` where the new file exists or cannot be written, `StoreCorrupt` where the copy is not sound: then there is
    none; and what `verify` raises.
    """
    source, target = located(store), Path(copy).absolute()
    if os.path.lexists(target):
        raise StoreUnavailable(str(target), "it exists, and a backup overwrites nothing")
    of = format_of(source)
    made = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreUnavailable(str(target), str(error)) from error
    try:
        copied(source, made, of)
        found = verify(made, progress, of)
        if found.faults:
            raise StoreCorrupt(str(source), str(found.faults[0]))
        found.path = str(target)
        settled(made, target)
    finally:
        made.unlink(missing_ok=True)
    return found


def copied(source: Path, made: Path, of: Format) -> None:
    """All pages of a store, as they are at one moment, in a file that needs no log beside it."""
    try:
        reading, writing = opened(source, as_it_is=True, of=of), sqlite3.connect(made, isolation_level=None)
        try:
            reading.backup(writing)
            writing.execute("PRAGMA journal_mode = delete").fetchall()
        finally:
            writing.close()
            reading.close()
    except sqlite3.Error as error:
        raise named(error, str(source)) or error from error
