"""A file is looked at before it is opened, and made where there is none: no other program's file is ever written to."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from statecore.errors import NotAStatecoreStore, StoreCorrupt, StoreTooNew, StoreUnavailable

from .channel import BUSY_SECONDS, named
from .rules import LEGAL
from .schema import APPLICATION_ID, VERSION, learn_moves, migrate, shape

JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal begins; at offset 16 it says how many pages the file had before."""


def located(path: str | Path) -> Path:
    """The file that a path means, whatever the working directory will be. Raises `StoreUnavailable` where it means none."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a link that leads to itself, a name that no file has
        raise StoreUnavailable(str(path), str(error)) from error


def look(path: Path) -> None:
    """Refuse by name a file that is no store of a version known here; it stays byte-identical. None, or an empty one, passes.

    SQLite reads it as immutable: it takes no lock, recovers no journal and leaves no file beside it. Reading the header without SQLite
    would be simpler, but closing a file drops every lock that this process holds on it.

    A journal beside it means that somebody is changing it, or died in the middle; the first use waits for him, or rolls back. So a file
    that was empty before passes as an empty one. A log means that the file may be half of what it is with the log. With either, only the
    header is looked at: the pages that it speaks of need not be in the file.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise StoreUnavailable(str(path), "it is no file on a disk")
        if found.st_size == 0:
            return
        pages = pages_before(path)
        if pages == 0:
            return
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
        try:
            if pages is not None or path.with_name(f"{path.name}-wal").exists():
                connection.execute(
                    "PRAGMA writable_schema = 1"
                )  # or SQLite refuses to read the header; nothing can be written here
            application, version = marks(connection)
        finally:
            connection.close()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreUnavailable(str(path), str(error)) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            raise NotAStatecoreStore(str(path), "it is no SQLite file") from error
        raise named(error, str(path)) or error from error
    check_marks(path, application, version)


def pages_before(path: Path) -> int | None:
    """How many pages a file had before the transaction whose journal lies beside it; None where there is none."""
    try:
        with path.with_name(f"{path.name}-journal").open("rb") as journal:
            header = journal.read(20)
    except FileNotFoundError:
        return None
    return int.from_bytes(header[16:], "big") if header[:8] == JOURNAL and len(header) == 20 else None  # noqa: PLR2004  # see above


def marks(connection: sqlite3.Connection) -> tuple[int, int]:
    """Whose file it is, and of which version."""
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def check_marks(path: Path, application: int, version: int) -> None:
    """Refuse another program's file, and one of a newer release."""
    if application != APPLICATION_ID:
        raise NotAStatecoreStore(str(path), f"its application id is {application}, not {APPLICATION_ID}")
    if version > VERSION:
        raise StoreTooNew(str(path), version, VERSION)
    if version < 1:
        raise StoreCorrupt(str(path), f"its schema version is {version}")


def create(path: Path) -> None:
    """Make an empty file that only its owner can read, and the folders above it; does nothing where it exists.

    It is made under another name and linked, so that nobody can have opened it before it is closed here: closing a file drops
    every lock that this process holds on it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return
        made = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with suppress(FileExistsError):
                os.link(made, path)
        finally:
            made.unlink()
    except OSError as error:
        raise StoreUnavailable(str(path), str(error)) from error


def furnish(path: Path, factory: type[sqlite3.Connection]) -> None:
    """Bring a file to the newest schema and to this release's lifecycles, in one transaction; nothing is written where it is there.

    This happens before the first connection turns the write-ahead log on, so that from the first byte on the file itself says whose
    it is.
    """
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None, factory=factory
        )
        if marks(connection) == (APPLICATION_ID, VERSION) and knows_moves(connection):
            return
        connection.execute("BEGIN IMMEDIATE")
        application, version = marks(connection)
        if (application, version) != (0, 0) or shape(connection):  # whoever came first may have made it meanwhile
            check_marks(path, application, version)
        migrate(connection, version)
        learn_moves(connection)
        connection.execute("COMMIT")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise named(error, str(path)) or error from error
    finally:
        if connection is not None:
            connection.close()  # rolls back what was not committed


def knows_moves(connection: sqlite3.Connection) -> bool:
    """Whether the file knows every move of this release's lifecycles."""
    return set(LEGAL) <= set(connection.execute('SELECT machine, source, "trigger", dest FROM legal').fetchall())
