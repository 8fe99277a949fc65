"""Format 3 of a schema: the scripts that make it, and a look at one before it is used."""

from __future__ import annotations

from os import urandom
from time import time_ns
from typing import TYPE_CHECKING

from psycopg import errors as pg

from statecore.errors import NotAStatecoreStore, NotPermitted, StoreCorrupt, StoreTooNew
from statecore.stores.rules import LEGAL
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.writing import learn_moves
from statecore.stores.sql3.older import raise_if_unfinished
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sql3.shapes import ADD_SHAPE, NO_MOVES

from .opening import FURNISHING, PostgresLink, exists, script_text, tables_of

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

SCRIPTS = (
    "frames-3.sql",
    "schema-3.sql",
    "schema-3-guards.sql",
    "schema-3-questions.sql",
    "schema-3-erasing.sql",
    "decide-3.sql",
    "vote-3.sql",
)
STORE = "INSERT INTO store (one, uuid, created_us, version) VALUES (1, ?, ?, ?)"


def furnish(connection: psycopg.Connection, path: str, schema: str) -> None:
    """Make a schema of format 3, in one transaction; nothing is written where it is there.

    Raises `NotAStatecoreStore` for another schema, one of an older format included, `StoreTooNew`, and `NotPermitted`.
    """
    link = PostgresLink(connection)
    if checked(connection, path, schema) and set(LEGAL) <= set(legal_moves(link)):
        return
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (FURNISHING,))
            if not exists(connection, schema):
                connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
            if not checked(connection, path, schema):
                for script in SCRIPTS:
                    connection.execute(script_text(script).encode())
                link.execute(STORE, (urandom(16), time_ns() // 1_000, VERSION))
                link.execute(ADD_SHAPE, (NO_MOVES.number, NO_MOVES.digest, 0, None, None))
            learn_moves(link)
    except pg.InsufficientPrivilege as error:
        why = f"schema {schema!r} has to be made or brought up to date by its owner first ({' '.join(str(error).split())})"
        raise NotPermitted(path, why) from error


def checked(connection: psycopg.Connection, path: str, schema: str) -> bool:
    """Whether a schema is there. Raises `NotAStatecoreStore`, `StoreTooNew`."""
    tables = tables_of(connection, schema)
    if not tables:
        return False
    if "store" not in tables or "hot" not in tables:
        raise NotAStatecoreStore(path, f"its schema {schema!r} holds other tables, e.g. {min(tables)}")
    raise_if_unfinished(tables, path)
    row = connection.execute("SELECT version FROM store").fetchone()
    if row is None:
        raise StoreCorrupt(path, "the row of its table 'store' is missing")
    if row[0] > VERSION:
        raise StoreTooNew(path, row[0], VERSION)
    return True


def is_older(tables: Collection[str]) -> bool:
    """Whether the tables of a schema are those of a store of format 2, whose migration was not begun."""
    return {"edition", "journal"} <= set(tables)
