"""A channel is one thread's connection to a database file: set up and checked, one transaction at a time, every error by its name."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from threading import RLock
from time import monotonic, sleep, time_ns
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from statecore.core import Seconds
from statecore.errors import (
    StoreCorrupt,
    StoreError,
    StoreReplaced,
    StoreUnavailable,
    UnknownRun,
    UnknownStoreError,
    UnstorableValue,
    WrongType,
)
from statecore.stores.sql.link import Link
from statecore.stores.sql.rows import of_value
from statecore.stores.sql3.ciphers import NO_KEYS, KeyedLink, Keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Inode = tuple[int, int]
"""The device of a file and its number there."""

BUSY_SECONDS = 30
SETTINGS: dict[str, str | int] = {
    "busy_timeout": BUSY_SECONDS * 1000,
    "journal_mode": "wal",
    "foreign_keys": 1,
    "recursive_triggers": 1,  # else INSERT OR REPLACE would delete past the triggers
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
    "wal_autocheckpoint": 0,  # `checkpoint` does it: see there
}
DURABILITY: dict[str, dict[str, str | int]] = {
    "full": {"synchronous": 2, "fullfsync": 1},
    "normal": {"synchronous": 1, "fullfsync": 0},
}
NO_MORE: Mapping[str, str | int] = MappingProxyType({})
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT})
"""SQLite's codes for a file that is not as it was written; a constraint counts, since the rules refuse first what it would refuse."""
CONSTRAINT_DATATYPE = sqlite3.SQLITE_CONSTRAINT | 12 << 8
"""A STRICT table refuses a type; the module of Python 3.11 has no name for the code."""
GIVEN = frozenset({sqlite3.SQLITE_CONSTRAINT_NOTNULL, CONSTRAINT_DATATYPE, sqlite3.SQLITE_MISMATCH})
"""SQLite's codes for a value of a type that no column takes."""
AWAY = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_ABORT,
    }
)
"""SQLite's codes for a file that cannot be used now."""

CLOSED = "it was closed"
BESIDE = ("", "-wal", "-shm")
"""The files of an open store: itself, its write-ahead log, its shared memory. SQLite removes neither while a connection is open."""

SETTLED_NS = 2_500_000_000
"""For how long a folder has stood still whose time of change is believed: the coarsest file systems count two seconds."""

INHERITED: list[sqlite3.Connection] = []
"""A parent's connections in a forked child, kept from being closed: closing rolls back, in memory that the parent shares."""


def named(error: Exception, path: str) -> StoreError | UnstorableValue | None:
    """The store's own error for one of the database's; None for an error of another kind."""
    if isinstance(error, sqlite3.Error):
        return of_sqlite(error, path)
    if isinstance(error, TypeError | AttributeError):  # rows raise `UnreadableValue`
        return WrongType(path, str(error))
    return of_value(error, path)


def of_sqlite(error: sqlite3.Error, path: str) -> StoreError:
    """The store's own error for one of SQLite's: by its code, where SQLite gave it one."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    why = str(error).partition(" with text ")[0]  # the text of a column that cannot be read follows
    if code in GIVEN or "binding parameter" in why:
        return WrongType(path, why)
    if primary in DAMAGE or "decode to UTF-8" in why:
        return StoreCorrupt(path, why)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        why = f"it was locked by somebody else for {BUSY_SECONDS} s"
    elif isinstance(error, sqlite3.ProgrammingError) and "closed" in why:
        why = CLOSED
    elif code is not None and primary not in AWAY:
        return UnknownStoreError(path, f"{why} (code {code})")
    return StoreUnavailable(path, why)


def connect(
    path: Path, durability: str, factory: type[sqlite3.Connection], more: Mapping[str, str | int] = NO_MORE
) -> sqlite3.Connection:
    """A connection with every setting made and read back. Raises `StoreUnavailable` where one is not taken."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, factory=factory
    )
    try:
        for setting, wanted in (SETTINGS | DURABILITY[durability] | dict(more)).items():
            settle(connection, str(path), setting, wanted)
    except BaseException:
        connection.close()
        raise
    return connection


def settle(connection: sqlite3.Connection, path: str, setting: str, wanted: str | int) -> None:
    """Make one setting and read it back. Raises `StoreUnavailable` where it is not taken."""
    patiently(connection, f"PRAGMA {setting} = {wanted}")
    row = connection.execute(f"PRAGMA {setting}").fetchone()
    found = row[0] if row else 0  # mmap_size gives no row where mmap was compiled out
    if found != wanted:
        raise StoreUnavailable(path, f"SQLite keeps {setting} at {found}, not {wanted}; is it on a local disk?")


def patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Execute a statement, again and again while somebody else is in its way: turning the log on does not wait by itself."""
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(0.002)
        else:
            return


def inode(name: str) -> Inode | None:
    """The file that has a name now; None where there is none."""
    try:
        found = os.stat(name)  # noqa: PTH116  # a third of the time of Path.stat, three times a transaction
    except OSError:
        return None
    return found.st_dev, found.st_ino


def times_of(folder: str) -> tuple[int, int, int] | None:
    """When a folder's list of names was last changed, in nanoseconds, and which folder it is; None where that does not tell."""
    if os.name != "posix":
        return None
    try:
        found = os.stat(folder)  # noqa: PTH116  # as above
    except OSError:
        return None
    return found.st_mtime_ns, found.st_dev, found.st_ino


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a file's schema."""
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row[0])


class Channel:
    """A connection, who opened it, which files it has open, and whether it is of use still."""

    path: Path
    names: tuple[str, ...]
    files: tuple[Inode | None, ...]
    folder: str
    settled: tuple[int, int, int] | None
    version: int
    durability: str
    factory: type[sqlite3.Connection]
    more: Mapping[str, str | int]
    pid: int
    closed: bool
    connection: sqlite3.Connection
    keys: Keys
    copier: sqlite3.Connection | None
    using: RLock

    def __init__(
        self,
        path: Path,
        durability: str,
        factory: type[sqlite3.Connection],
        more: Mapping[str, str | int] = NO_MORE,
        keys: Keys = NO_KEYS,
    ) -> None:
        self.path, self.durability, self.factory, self.more, self.keys = path, durability, factory, more, keys
        self.pid = os.getpid()
        self.closed = False
        self.copier = None
        self.using = RLock()
        self.names = tuple(f"{path}{end}" for end in BESIDE)
        self.folder, self.settled = str(path.parent), None
        before = inode(self.names[0])
        try:
            self.connection = connect(path, durability, factory, more)
            self.version = version_of(self.connection)  # the log is open once something was read
        except sqlite3.Error as error:
            self.tell(error)
            raise
        self.files = (before, *map(inode, self.names[1:]))
        self.check_files()

    def check_files(self) -> None:
        """Raise `StoreReplaced` where a name of the store leads to another file than the one that is open, or to none.

        It is asked after a commit and before its acknowledgement (P24): what was written to a file without a name is lost with the process.
        A name is moved, removed or given away in its folder, whose time of change tells of it: where that has stood still for longer than any
        clock of a file system takes to tick, and since all names were looked at, one look at the folder is enough.
        """
        folder = times_of(self.folder)
        if folder is not None and folder == self.settled:
            return
        looked = time_ns()
        for name, opened in zip(self.names, self.files, strict=True):
            found = inode(name)
            if found is None or found != opened:
                raise StoreReplaced(str(self.path), f"{os.path.basename(name)} was {'replaced' if found else 'moved or removed'}")  # noqa: PTH119
        self.settled = folder if folder is not None and looked - folder[0] > SETTLED_NS else None

    def check_version(self) -> None:
        """Raise `StoreReplaced`, inside a transaction, where another release has migrated the file since it was opened."""
        found = version_of(self.connection)
        if found != self.version:
            raise StoreReplaced(str(self.path), f"another release changed its schema from {self.version} to {found}")

    def link(self) -> Link:
        """The connection as the shared SQL sees it: with the keys of the store, where it has some."""
        return KeyedLink(self.connection, self.keys) if self.keys is not NO_KEYS else self.connection

    def read(self, work: Callable[Concatenate[Any, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs) -> Answer:
        """Give the result of `work`, which reads. Raises only named errors."""
        try:
            with self.using:
                answer = work(self.link(), *args, **more)
                self.check_files()
                return answer
        except Exception as error:
            self.tell(error)
            raise

    def see(self, work: Callable[Concatenate[Any, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs) -> Answer:
        """The result of `work`, which reads at one moment, however many statements it takes. Raises only named errors."""

        def at_once(connection: Link) -> Answer:
            connection.execute("BEGIN")
            try:
                return work(connection, *args, **more)
            finally:
                self.undo()

        return self.read(at_once)

    def step(self, work: Callable[..., bool], *args: Any, whole: bool) -> bool:
        """Whether `work` stored what it is to store. One statement commits itself; more are `whole` together. Raises only named errors."""
        connection = self.connection
        with self.using:
            try:
                if whole or connection.in_transaction:
                    return self.write(work, *args)
                stored = work(self.link(), *args)
                self.check_files()
            except Exception as error:
                self.tell(error)
                raise
        return stored

    def write(self, work: Callable[Concatenate[Any, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs) -> Answer:
        """Give the result of `work` once all that it wrote is stored; a failure stores nothing and leaves the channel usable.

        The transaction takes the writer's place before it reads. One that reads first and writes later would be refused as soon as
        somebody else has written in between, however long it may wait.
        """
        connection = self.connection
        with self.using:
            try:
                if connection.in_transaction:  # an interrupt between two lines has left it
                    connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                self.check_version()
                answer = work(self.link(), *args, **more)
                connection.execute("COMMIT")
                self.check_files()
            except BaseException as error:
                self.undo()
                if isinstance(error, Exception):
                    self.tell(error)
                raise
        return answer

    def tell(self, error: Exception) -> None:
        """Raise the named error for one of the database's; do nothing for another."""
        if isinstance(error, StoreError):
            return
        told = named(error, str(self.path))
        if isinstance(error, UnknownRun) or isinstance(told, UnknownStoreError):
            self.look_at_version(error)
        if told is not None:
            raise told from error

    def look_at_version(self, met: Exception) -> None:
        """Raise `StoreReplaced` where a table, a column or a run is missing because another release migrates the file, or has done so."""
        with suppress(sqlite3.Error):
            try:
                self.check_version()
            except StoreReplaced as replaced:
                raise replaced from met

    def undo(self) -> None:
        """Leave no transaction open. A connection that cannot even roll back is given up; the next use opens another."""
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except BaseException as error:
            self.close()
            if not isinstance(error, sqlite3.Error):
                raise

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the file, so that the log starts anew and stays bounded.

        SQLite up to 3.51.2 may lose frames where a checkpoint meets a writer that resets the log. So nobody writes meanwhile: this
        connection holds the writer's place, and another one copies. A failure costs nothing that was acknowledged; it is tried
        again later. Nor is another file touched that has the store's name by now.
        """
        with suppress(sqlite3.Error, StoreError), self.using:
            self.check_files()
            copier, self.copier = self.copier or connect(self.path, self.durability, self.factory, self.more), None
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                copier.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self.copier = copier
            finally:
                self.undo()
                if self.copier is None:  # whatever ails it, the next one is opened anew
                    copier.close()

    def truncate(self, wait: Seconds) -> bool:
        """Copy the write-ahead log into the file and cut it off; False where a reader or a writer holds it back for longer than `wait` seconds.

        Unlike `checkpoint` it takes the writer's place itself, so no writer resets the log meanwhile. Raises only named errors.
        """
        try:
            with self.using:
                self.check_files()
                more = dict(self.more) | {"busy_timeout": int(wait * 1_000)}
                copier = connect(self.path, self.durability, self.factory, more)
                try:
                    busy, *_ = copier.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                finally:
                    copier.close()
                return not busy
        except Exception as error:
            self.tell(error)
            raise

    def close(self) -> None:
        """Give the connections back, once their thread is done with them: SQLite crashes the process of whoever closes one in between."""
        with self.using:
            self.closed = True
            for each in (self.connection, self.copier):
                if each is not None:
                    with suppress(sqlite3.Error):
                        each.close()

    def __del__(self) -> None:
        """When its thread ends, so does its connection; but a forked child never closes its parent's."""
        if not hasattr(self, "connection"):
            return
        if self.pid == os.getpid():
            self.close()
        else:
            INHERITED.extend(each for each in (self.connection, self.copier) if each is not None)
