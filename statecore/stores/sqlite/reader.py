"""A file that can only be read, as a backup of another user or a copy on a medium without writing, is read, and every change refused by name (P23).

SQLite reads a file with a write-ahead log through two files beside it, which it has to make. In a folder that cannot be written there are none; then
the file is taken as one that nobody changes, which is right only where no log lies beside it.
"""

from __future__ import annotations

import os
import sqlite3
from threading import RLock
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

from statecore.errors import StoreUnavailable
from statecore.stores.sql3.ciphers import NO_KEYS, Keys

from .channel import SETTINGS, Channel, Inode, inode, version_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

READ_ONLY = "this user can read the file and cannot write it"


def only_read(path: Path) -> bool:
    """Whether this user can read a file, and not write it."""
    return path.exists() and not os.access(path, os.W_OK)


def attached(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A connection that only reads. Raises SQLite's errors."""
    for more in ("", "&immutable=1"):
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro{more}", uri=True, isolation_level=None, check_same_thread=False, factory=factory
        )
        try:
            for setting in ("busy_timeout", "trusted_schema", "cell_size_check"):
                connection.execute(f"PRAGMA {setting} = {SETTINGS[setting]}").fetchall()
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            if more or path.with_name(f"{path.name}-wal").exists():
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError  # pragma: no cover  # the second way returns or raises


class ReadingChannel(Channel):
    """A channel to a file that can only be read. A column that holds no text is given as bytes, so that only its row is refused."""

    path: Path
    names: tuple[str, ...]
    files: tuple[Inode | None, ...]
    folder: str
    settled: tuple[int, int, int] | None
    version: int
    durability: str
    factory: type[sqlite3.Connection]
    more: dict[str, str | int]
    pid: int
    closed: bool
    connection: sqlite3.Connection
    keys: Keys
    copier: sqlite3.Connection | None
    using: RLock

    def __init__(self, path: Path, durability: str, factory: type[sqlite3.Connection], keys: Keys = NO_KEYS) -> None:
        self.path, self.durability, self.factory, self.more, self.keys = path, durability, factory, {}, keys
        self.pid, self.closed, self.copier, self.using = os.getpid(), False, None, RLock()
        self.names = (str(path),)
        self.files = (inode(str(path)),)
        self.folder, self.settled = str(path.parent), None
        try:
            self.connection = attached(path, factory)
            self.version = version_of(self.connection)
        except sqlite3.Error as error:
            self.tell(error)
            raise
        self.connection.text_factory = text_or_bytes

    def write(
        self,
        work: Callable[Concatenate[sqlite3.Connection, Arguments], Answer],  # noqa: ARG002  # as the channel that it stands for
        *args: Arguments.args,  # noqa: ARG002
        **more: Arguments.kwargs,  # noqa: ARG002
    ) -> NoReturn:
        """Refuse a change. Raises `StoreUnavailable`."""
        raise StoreUnavailable(str(self.path), READ_ONLY)

    def step(self, work: Callable[..., bool], *args: Any, whole: bool) -> NoReturn:  # noqa: ARG002  # as above
        """Refuse a change. Raises `StoreUnavailable`."""
        raise StoreUnavailable(str(self.path), READ_ONLY)


def text_or_bytes(stored: bytes) -> str | bytes:
    """A text, or the bytes of a column that holds none: then the row is refused, and not the whole listing (P23)."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored
