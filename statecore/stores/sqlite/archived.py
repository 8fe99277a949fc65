"""An archive is read: its rows are put into tables in memory, and looked at as a store of format 3 (P30)."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Concatenate, NoReturn, ParamSpec, TypeVar

from statecore.errors import StatecoreError, StoreCorrupt, StoreError, StoreUnavailable
from statecore.stores.audit import tables3
from statecore.stores.audit.verify import Verified, plain
from statecore.stores.ending.archiving import rows_in
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql3.ciphers import NO_KEYS, Cipher, KeyedLink, Keys
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sql3.relational import Relational

from .channel import named
from .opening import located, script_text, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.records import Boundary
    from statecore.stores.sql.link import Link
    from statecore.stores.sql3.steps import Place, Written

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

TABLES = frozenset(
    {
        *("store", "legal", "workflow", "session", "definition", "shape_move", "shape", "run", "start_key", "hot", "session_value"),
        *("pause", "act", "erasure", "move", "event", "value"),
    }
)
"""The tables of which an archive has rows."""


def loaded(path: Path) -> sqlite3.Connection:
    """The rows of an archive in tables in memory, without guards: what is wrong with them is found by who looks. Raises `StoreCorrupt`."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        for statement in statements(script_text("schema-3.sql")):
            connection.execute(statement)
        connection.execute("BEGIN")
        with path.open("rb") as file:
            for table, values in rows_in(str(path), file):
                if table not in TABLES:
                    raise StoreCorrupt(str(path), "it holds a row of a table that no archive has")
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608  # from above
        connection.execute("COMMIT")
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise StoreCorrupt(str(path), f"a row of {broken[0]} refers to a {broken[2]} that there is not")
    except StoreError:
        connection.close()
        raise
    except OSError as error:
        connection.close()
        raise StoreUnavailable(str(path), str(error)) from error
    except (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError) as error:
        connection.close()
        raise StoreCorrupt(str(path), "a row of it is of no table of format 3") from error
    return connection


def verify(path: str | Path, progress: Callable[[int, int], None] | None = None, *, keys: Keys = NO_KEYS) -> Verified:
    """Check an archive as a store of format 3, with the keys of that store where it has some. Raises `StoreUnavailable`; all damage is a fault."""
    file = located(path)
    found = Verified(str(file), VERSION)
    try:
        connection = loaded(file)
    except StoreCorrupt as error:
        found.blame("file", plain(error))
        return found
    try:
        tables3.contents(KeyedLink(connection, keys, leaves_shut=True), found, progress)
    except Exception as error:  # noqa: BLE001  # whatever a spoilt row breaks, it is a fault of the file
        found.blame("file", plain(named(error, str(file)) or error))
    finally:
        connection.close()
    return found


class ArchiveDb(Relational):
    """The runs of an archive: read, listed and shown as those of a store, and never changed.

    Example: `Inbox(ArchiveDb("2026.archive")).show("run-1")`
    """

    blocking = False

    def __init__(self, path: str | Path, *, cipher: Cipher | None = None) -> None:
        """Read the whole file. Raises `StoreCorrupt`, `StoreUnavailable`."""
        super().__init__()
        self.path: Path = located(path)
        self._using = RLock()
        self._connection = loaded(self.path)
        self._link: Link = KeyedLink(self._connection, Keys(cipher))
        self._known.shapes.legal = legal_moves(self._connection)

    def _read(
        self, work: Callable[Concatenate[Link, Arguments], Answer], *args: Arguments.args, **more: Arguments.kwargs
    ) -> Answer:
        """The result of `work`, which reads."""
        with self._using:
            try:
                return work(self._link, *args, **more)
            except StatecoreError as error:
                raise named(error, str(self.path)) or error from error

    def _write(self, *_: object, **__: object) -> NoReturn:
        """Refuse: an archive is never changed."""
        raise StoreUnavailable(str(self.path), "it is an archive, which is read and never changed")

    def _step(self, boundary: Boundary, event: Written, place: Place) -> NoReturn:  # noqa: ARG002  # as above
        """Refuse as well."""
        self._write()

    def close(self) -> None:
        """Forget the rows."""
        with self._using:
            self._connection.close()
