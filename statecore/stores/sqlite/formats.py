"""The formats of a file: which one it has, how one of the newest format is made, and whether it has to be led there first."""

from __future__ import annotations

import sqlite3
from os import urandom
from pathlib import Path
from time import time_ns

from statecore.stores.sql3.older import SUFFIX
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sql3.shapes import ADD_SHAPE, NO_MOVES

from .opening import APPLICATION_ID, TWO, Format, look, mark, marks, opened, script_text, statements

SCRIPTS = ("schema-3.sql", "schema-3-guards.sql", "schema-3-erasing.sql")
BEGUN = f"SELECT 1 FROM sqlite_schema WHERE name = 'run{SUFFIX}'"  # noqa: S608  # a constant
STORE = "INSERT INTO store (one, uuid, created_us, version) VALUES (1, ?, ?, ?)"


def make(connection: sqlite3.Connection, version: int) -> None:
    """Make the tables of format 3 in an empty file, inside the caller's transaction; nothing where they are there."""
    if version == VERSION:
        return
    for script in SCRIPTS:
        for statement in statements(script_text(script)):
            connection.execute(statement)
    connection.execute(STORE, (urandom(16), time_ns() // 1_000, VERSION))
    connection.execute(ADD_SHAPE, (NO_MOVES.number, NO_MOVES.digest, 0, None, None))
    mark(connection, VERSION)


def is_older(connection: sqlite3.Connection) -> bool:
    """Whether a file has to be led to this format first: it is of an older one, or its migration was begun."""
    application, version = marks(connection)
    return application == APPLICATION_ID and (0 < version < VERSION or connection.execute(BEGUN).fetchone() is not None)


THREE = Format(VERSION, VERSION, make, ("page_size = 4096", "auto_vacuum = 0", "encoding = 'UTF-8'"), is_older)


ANY = Format(VERSION, 1, make)
"""The formats that this release reads."""


def format_of(file: Path) -> Format:
    """The format that a store's file has. Raises `NotAStatecoreStore`, `StoreTooNew`, `StoreUnavailable`, `StoreCorrupt`."""
    look(file, ANY)
    connection = opened(file, as_it_is=True, of=ANY)
    try:
        return its_format(connection)
    finally:
        connection.close()


def its_format(connection: sqlite3.Connection) -> Format:
    """The format of the file of a connection."""
    return THREE if marks(connection)[1] == VERSION else TWO
