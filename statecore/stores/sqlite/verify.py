"""`verify` reads a whole store in a file and says what in it cannot be true.

The file is opened for reading only and seen at one moment, also while others write; a store of an older schema is copied and migrated first.
SQLite looks at the file, `audit.verify` at all that the tables hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import NotAStatecoreStore, StatecoreError, StoreTooNew, StoreUnavailable
from statecore.stores.audit.verify import MANY, Verified, contents, plain

from .channel import named
from .opening import VERSION, defect, located, look, opened

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path


def verify(path: str | Path, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Check a store. `progress` is told after each run how many were checked, of how many.

    Raises `NotAStatecoreStore`, `StoreTooNew`, `StoreUnavailable`; all other damage is a fault.
    """
    file = located(path)
    found = Verified(str(file), VERSION)
    try:
        look(file)
        connection = opened(file)
    except (NotAStatecoreStore, StoreTooNew, StoreUnavailable):
        raise
    except StatecoreError as error:
        found.blame("file", plain(error))
        return found
    try:
        connection.execute("BEGIN")  # what others write from now on is not seen here
        checked(connection, found, progress)
    except Exception as error:  # noqa: BLE001  # the same, of the file
        found.blame("file", plain(named(error, str(file)) or error))
    finally:
        connection.close()
    return found


def checked(connection: sqlite3.Connection, found: Verified, progress: Callable[[int, int], None] | None) -> None:
    """Look at everything behind a connection, inside a transaction."""
    if not file_is_sound(connection, found):
        return
    connection.text_factory = readable
    contents(connection, found, progress)


def file_is_sound(connection: sqlite3.Connection, found: Verified) -> bool:
    """What SQLite itself finds; where that is anything, or the tables are others, nothing more can be trusted."""
    for (said,) in connection.execute(f"PRAGMA integrity_check({MANY})").fetchall():
        if said != "ok":
            found.blame("file", said)
    wrong = defect(connection)
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
