"""The tables of a database file: made, migrated and recognised. Each version is one script; a new file runs them all.

A file is looked at before it is opened, and made where there is none: no other program's file is ever written to.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

from statecore.errors import (
    NotAStatecoreStore,
    StoreCorrupt,
    StoreTooNew,
    StoreUnavailable,
    UnknownStoreError,
    UnsupportedSetting,
)
from statecore.stores.links import digest, seal
from statecore.stores.rules import LEGAL
from statecore.stores.sql.link import shipped
from statecore.stores.sql.reading import SEALED
from statecore.stores.sql.writing import PAUSE_OPEN, index_questions, learn_moves

from .channel import BUSY_SECONDS, named
from .reader import attached

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from statecore.errors import StoreError, UnstorableValue

APPLICATION_ID = int.from_bytes(b"stco")
"""The mark that tells a statecore file from another program's; it lies at offset 68 of the file."""

SCRIPTS = ("schema.sql", "schema-2.sql")
"""The n-th script leads from version n - 1 to version n. A script that was released is never changed."""

VERSION = len(SCRIPTS)


@cache
def statements(script: str) -> tuple[str, ...]:
    """The statements of a script: `executescript` would commit the transaction that holds them together. A text is split once a process."""
    found, text = [], ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return tuple(found)


def script_text(script: str) -> str:
    """A script, as it is shipped beside this module."""
    return shipped(__package__, script)


KEEPS = """CREATE TRIGGER decision_keeps BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END"""


def seal_all(connection: sqlite3.Connection) -> None:
    """Seal every row as it stands, inside the caller's transaction: what a migration finds is what it trusts."""
    for each in SEALED:
        rows = [(seal(*columns), number) for number, _, *columns in connection.execute(each.query)]
        if each.table == "decision":
            connection.execute("DROP TRIGGER decision_keeps")
            connection.executemany(
                "UPDATE decision SET seal = ?1 WHERE (run, pause_id) = (SELECT run, pause_id FROM pause WHERE id = ?2)", rows
            )
            connection.execute(KEEPS)
        else:
            connection.executemany(f"UPDATE {each.table} SET {each.column} = ? WHERE {each.key} = ?", rows)  # noqa: S608  # from above
    connection.execute(
        "UPDATE pause SET decided = (SELECT time FROM decision d WHERE d.run = pause.run AND d.pause_id = pause.pause_id)"
    )
    texts = connection.execute("SELECT run, text FROM session_state").fetchall()
    connection.executemany("UPDATE session_state SET hash = ? WHERE run = ?", [(digest(text), number) for number, text in texts])


AFTER = {"schema-2.sql": seal_all}
"""The settings that a script cannot make in SQL: made when it has run."""


class Format(NamedTuple):
    """A format of files: its version, the oldest version that is led to it, and what leads there inside the caller's transaction."""

    version: int
    oldest: int
    make: Callable[[sqlite3.Connection, int], None]
    before: tuple[str, ...] = ()
    """Settings that a file has for ever, made before its first table."""
    is_older: Callable[[sqlite3.Connection], bool] = lambda _: False
    """Whether the file of a connection has to be migrated to this format by more than `make`."""


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Lead a database from `version` to the newest of format 2, inside the caller's transaction."""
    for script in SCRIPTS[version:]:
        for statement in statements(script_text(script)):
            connection.execute(statement)
        if script in AFTER:
            AFTER[script](connection)
    mark(connection, VERSION)


def mark(connection: sqlite3.Connection, version: int) -> None:
    """Say whose file it is, and of which version."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")


TWO = Format(VERSION, 1, migrate)


def shape(connection: sqlite3.Connection) -> dict[str, str]:
    """The definitions of everything that a database consists of, by name; tables of tools that only look after it included."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return dict(rows.fetchall())


@cache
def expected_shape(of: Format = TWO) -> Mapping[str, str]:
    """The shape of a new file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        of.make(connection, 0)
        index_questions(connection)
        return shape(connection)
    finally:
        connection.close()


def defect(connection: sqlite3.Connection, of: Format = TWO) -> str | None:
    """The fault of the tables; None where they are as they were made.

    A table that another program added is let be. A trigger is not: it would act in our transactions.
    """
    found, expected = shape(connection), expected_shape(of)
    for name, sql in expected.items():
        if name not in found:
            return f"{name} is missing from its schema"
        if sql not in (found[name], FORMER.get(found[name])):
            return f"{name} is not as schema {of.version} made it"
    for name, sql in found.items():
        if name not in expected and sql.lstrip().upper().startswith("CREATE TRIGGER"):
            return f"the trigger {name} was added to it"
    return None


FORMER = {"CREATE UNIQUE INDEX pause_open ON pause (run, at, turn) WHERE closed IS NULL": PAUSE_OPEN.lstrip()}
"""The definitions of earlier releases, with those of this one: a file that can only be read keeps them."""


JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal begins; at offset 16 it says how many pages the file had before."""


SCHEME = re.compile(r"file:|[A-Za-z][A-Za-z0-9+.-]+:/", re.IGNORECASE)
"""How a URL begins, also one of which `Path` has taken a slash; a drive's letter is none."""
A_URL = "SqliteDb", "a URL as a path", "a path names a file; db_url=sqlite:///path/to/file.db and PostgresDb take URLs"


def located(path: str | Path) -> Path:
    """The file that a path means, whatever the working directory will be; `~` is the home folder.

    Raises `UnsupportedSetting` for a URL, whose text may hold a password, and `StoreUnavailable` where the path means no file.
    """
    if SCHEME.match(str(path)):
        raise UnsupportedSetting(*A_URL)
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a link that leads to itself, a name that no file has
        raise StoreUnavailable(str(path), str(error)) from error


LOOKS = 100
"""How often a file is looked at that changes in every look."""


def look(path: Path, of: Format = TWO) -> None:
    """Refuse by name a file that is no store of a version known here; it stays byte-identical. None, or an empty one, passes.

    SQLite reads it as immutable: it takes no lock, recovers no journal and leaves no file beside it. Reading the header without SQLite
    would be simpler, but closing a file drops every lock that this process holds on it.

    The look itself holds no lock, so a neighbour may close in the middle of it, which copies the log into the file. What is met in a file that
    changed meanwhile is therefore looked at again.

    A journal beside it means that somebody is changing it, or died in the middle; the first use waits for him, or rolls back. So a file
    that was empty before passes as an empty one. A log means that the file may be half of what it is with the log. With either, only the
    header is looked at: the pages that it speaks of need not be in the file.
    """
    for _ in range(LOOKS):
        before = signs(path)
        try:
            return look_once(path, of)
        except (NotAStatecoreStore, StoreCorrupt):
            if signs(path) == before:
                raise
    why = "it is changed all the time by others"
    raise StoreUnavailable(str(path), why)


def size_of(file: Path) -> int:
    """The bytes of a file; 0 where there is none, or no longer: a neighbour that closes removes its log at any moment."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def signs(path: Path) -> list[tuple[int, int, int] | None]:
    """The marks of a file, its log and its journal: they differ after a change."""
    found: list[tuple[int, int, int] | None] = []
    for end in ("", "-wal", "-journal"):
        try:
            told = path.with_name(f"{path.name}{end}").stat()
        except OSError:
            found.append(None)
        else:
            found.append((told.st_ino, told.st_size, told.st_mtime_ns))
    return found


def look_once(path: Path, of: Format) -> None:
    """Refuse a file by its header, as it is at this moment."""
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
    check_marks(path, application, version, of)


def pages_before(path: Path) -> int | None:
    """How many pages a file had before the transaction whose journal lies beside it; None where there is none."""
    try:
        with path.with_name(f"{path.name}-journal").open("rb") as journal:
            header = journal.read(20)
    except FileNotFoundError:
        return None
    return int.from_bytes(header[16:], "big") if header[:8] == JOURNAL and len(header) == 20 else None  # noqa: PLR2004  # see above


def marks(connection: sqlite3.Connection) -> tuple[int, int]:
    """The program that the file belongs to, and its version."""
    [application] = connection.execute("PRAGMA application_id").fetchone()
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return application, version


def check_marks(path: Path, application: int, version: int, of: Format = TWO) -> None:
    """Refuse another program's file, one of a newer release, and one of an older format that is not led to this one."""
    if application != APPLICATION_ID:
        raise NotAStatecoreStore(str(path), f"its application id is {application}, not {APPLICATION_ID}")
    if version > of.version:
        raise StoreTooNew(str(path), version, of.version)
    if 0 < version < of.oldest:
        raise StoreUnavailable(str(path), f"it is of format {version}, and this store reads format {of.version}; SqliteDb reads it")
    if version < 1:
        raise StoreCorrupt(str(path), f"its schema version is {version}")


def marked(connection: sqlite3.Connection, path: Path, of: Format = TWO) -> None:
    """Refuse the file of an open connection as `check_marks` does: another release may have migrated it a moment ago."""
    check_marks(path, *marks(connection), of)


def create(path: Path) -> None:
    """Make an empty file that only its owner can read; does nothing where it exists. Raises `StoreUnavailable` where its folder is missing.

    It is made under another name and linked, so that nobody can have opened it before it is closed here: closing a file drops
    every lock that this process holds on it.
    """
    if not path.parent.is_dir():  # a slip in a name would begin an empty store elsewhere
        raise StoreUnavailable(
            str(path), f"there is no folder {str(path.parent)!r}, and none is made; make it, or correct the path"
        )
    try:
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


def furnish(path: Path, factory: type[sqlite3.Connection], of: Format = TWO) -> bool:
    """Bring a file to the newest schema and to this release's lifecycles, in one transaction; nothing is written where it is there.

    False, and nothing is done, where the file has to be migrated to this format first. A journal beside it is rolled back.
    This happens before the first connection turns the write-ahead log on, so that from the first byte on the file itself says whose
    it is.
    """
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None, factory=factory
        )
        if of.is_older(connection):
            return False
        if marks(connection) == (APPLICATION_ID, of.version) and knows_moves(connection):
            return True
        for setting in of.before:
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN IMMEDIATE")
        application, version = marks(connection)
        if (application, version) != (0, 0) or shape(connection):  # whoever came first may have made it meanwhile
            check_marks(path, application, version, of)
        of.make(connection, version)
        learn_moves(connection)
        connection.execute("COMMIT")
        return True  # noqa: TRY300  # the last of three ways
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise misshapen(error, path) or error from error
    finally:
        if connection is not None:
            connection.close()  # rolls back what was not committed


def misshapen(error: Exception, path: Path) -> StoreError | UnstorableValue | None:
    """The store's own error for one met under a lock: a statement that this release makes, and the file's tables do not take, is damage."""
    told = named(error, str(path))
    return StoreCorrupt(str(path), told.why) if isinstance(told, UnknownStoreError) else told


def knows_moves(connection: sqlite3.Connection) -> bool:
    """Whether the file knows every move of this release's lifecycles."""
    return set(LEGAL) <= set(connection.execute('SELECT machine, source, "trigger", dest FROM legal').fetchall())


# -- reading only --------------------------------------------------------------------------------------------------------------------


def opened(file: Path, *, as_it_is: bool = False, of: Format = TWO) -> sqlite3.Connection:
    """A connection that only reads: of the newest schema, unless the file is wanted as it is. Raises `StoreUnavailable`, `StoreCorrupt`."""
    try:
        if not file.is_file() or file.stat().st_size == 0:
            raise StoreUnavailable(str(file), "there is no store in it")
        connection = attached(file)
        try:
            application, version = marks(connection)
            check_marks(file, application, version, of)
            return connection if as_it_is or version in (of.version, TWO.version) else migrated(connection, version)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise misshapen(error, file) or error from error


def migrated(old: sqlite3.Connection, version: int) -> sqlite3.Connection:
    """A copy of an older store, of the newest schema; the store itself is left as it is."""
    copy = sqlite3.connect("", isolation_level=None)  # a file that SQLite deletes again
    old.backup(copy)
    old.close()
    copy.execute("BEGIN IMMEDIATE")
    migrate(copy, version)
    learn_moves(copy)
    copy.execute("COMMIT")
    return copy
