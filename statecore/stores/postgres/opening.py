"""A schema is looked at before it is used, and made where there is none; numbered scripts lead it from one version to the next."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from statecore.errors import NotAStatecoreStore, NotPermitted, StoreCorrupt, StoreTooNew
from statecore.stores.rules import LEGAL
from statecore.stores.sql.link import shipped
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.writing import learn_moves

if TYPE_CHECKING:
    import psycopg

from psycopg import errors as pg

from .dialect import PostgresLink

SCRIPTS = ("schema-1.sql",)
"""The n-th script leads from version n - 1 to version n. A script that was released is never changed."""

VERSION = len(SCRIPTS)
FURNISHING = int.from_bytes(b"statecor")
"""The advisory lock of whoever makes or migrates a schema."""

KINDS = {
    "TRIGGER": "SELECT tgname FROM pg_trigger WHERE tgenabled = 'O' AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = {here})"
}
KINDS |= {
    "TABLE": "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = {here}",
    "UNIQUE INDEX": "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indisunique AND relnamespace = {here}",
}


def script_text(script: str) -> str:
    """A script, as it is shipped beside this module."""
    return shipped(__package__, script)


def furnish(connection: psycopg.Connection, path: str, schema: str) -> None:
    """Bring a schema to the newest version and to this release's lifecycles, in one transaction; nothing is written where it is there.

    Raises `NotAStatecoreStore`, `StoreTooNew`, `StoreCorrupt`, and `NotPermitted` where the role may not make or change it.
    """
    link = PostgresLink(connection)
    if checked(connection, path, schema) == VERSION and set(LEGAL) <= set(legal_moves(link)):
        return
    try:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (FURNISHING,))
            version = checked(connection, path, schema)  # whoever came first may have made it meanwhile
            if not exists(connection, schema):
                connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
            for script in SCRIPTS[version:]:
                connection.execute(script_text(script).encode())
            connection.execute(
                "INSERT INTO edition VALUES ('statecore', %s) ON CONFLICT (product) DO UPDATE SET version = excluded.version",
                (VERSION,),
            )
            learn_moves(link)
    except pg.InsufficientPrivilege as error:
        why = f"schema {schema!r} has to be made or brought up to date by its owner first ({' '.join(str(error).split())})"
        raise NotPermitted(path, why) from error


def exists(connection: psycopg.Connection, schema: str) -> bool:
    """Whether there is a schema of that name."""
    return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is not None


def checked(connection: psycopg.Connection, path: str, schema: str) -> int:
    """The version of a schema; 0 where there is none, or nothing in it. Refuses another program's, and one of a newer release."""
    names = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = %s"
    tables = {name for (name,) in connection.execute(names, (schema,)).fetchall()}
    if not tables:
        return 0
    if "edition" not in tables:
        raise NotAStatecoreStore(path, f"its schema {schema!r} holds other tables, e.g. {min(tables)}")
    row = connection.execute("SELECT version FROM edition WHERE product = 'statecore'").fetchone()
    if row is None:
        raise NotAStatecoreStore(path, f"the edition of its schema {schema!r} is another product's")
    version: int = row[0]
    if version > VERSION:
        raise StoreTooNew(path, version, VERSION)
    return version


@cache
def expected(kind: str) -> frozenset[str]:
    """The names of all things of a kind that the scripts make."""
    return frozenset(name for script in SCRIPTS for name in re.findall(rf"^CREATE {kind} (\w+)", script_text(script), re.MULTILINE))


def raise_if_defective(connection: psycopg.Connection, path: str, schema: str) -> None:
    """Raise `StoreCorrupt` where a table, a trigger or a unique index is missing, or is switched off."""
    for kind, query in KINDS.items():
        here = query.format(here="(SELECT oid FROM pg_namespace WHERE nspname = %s)")
        found = {name for (name,) in connection.execute(here.encode(), (schema,)).fetchall()}
        missing = expected(kind) - found
        if missing:
            raise StoreCorrupt(path, f"the {kind.lower()} {min(missing)} is missing from its schema {schema!r}, or switched off")
    row = connection.execute("SHOW session_replication_role").fetchone()
    if row != ("origin",):
        raise StoreCorrupt(path, "session_replication_role switches its triggers off")
