"""The tables of a database file: made, migrated and recognised. Each version is one script; a new file runs them all."""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import TYPE_CHECKING

from .link import shipped
from .rules import LEGAL
from .seals import seal_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .link import Link

APPLICATION_ID = int.from_bytes(b"stco")
"""What tells a statecore file from another program's; it lies at offset 68 of the file."""

SCRIPTS = ("schema.sql", "schema-2.sql")
"""The n-th script leads from version n - 1 to version n. A script that was released is never changed."""

VERSION = len(SCRIPTS)

AFTER = {"schema-2.sql": seal_all}
"""What a script cannot say in SQL: done when it has run."""


def statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would commit the transaction that holds them together."""
    text = ""
    for line in script.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            yield text
            text = ""


def script_text(script: str) -> str:
    """A script, as it is shipped beside this module."""
    return shipped(__package__, script)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Lead a database from `version` to the newest, inside the caller's transaction."""
    for script in SCRIPTS[version:]:
        for statement in statements(script_text(script)):
            connection.execute(statement)
        if script in AFTER:
            AFTER[script](connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def shape(connection: sqlite3.Connection) -> dict[str, str]:
    """The definitions of everything that a database consists of, by name; tables of tools that only look after it included."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return dict(rows.fetchall())


@cache
def expected_shape() -> Mapping[str, str]:
    """The shape of a new file."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection, 0)
        return shape(connection)
    finally:
        connection.close()


def defect(connection: sqlite3.Connection) -> str | None:
    """What is wrong with the tables; None where they are as they were made.

    A table that another program added is let be. A trigger is not: it would act in our transactions.
    """
    found, expected = shape(connection), expected_shape()
    for name, sql in expected.items():
        if name not in found:
            return f"{name} is missing from its schema"
        if found[name] != sql:
            return f"{name} is not as schema {VERSION} made it"
    for name, sql in found.items():
        if name not in expected and sql.lstrip().upper().startswith("CREATE TRIGGER"):
            return f"the trigger {name} was added to it"
    return None


def legal_moves(connection: Link) -> dict[tuple[str, str, str, str], int]:
    """The ids of the moves that this file knows."""
    rows = connection.execute('SELECT machine, source, "trigger", dest, id FROM legal')
    return {(machine, source, trigger, dest): number for machine, source, trigger, dest, number in rows.fetchall()}


def learn_moves(connection: Link) -> None:
    """Add the moves of this release's lifecycles that the file does not know yet, inside the caller's transaction."""
    connection.executemany('INSERT INTO legal (machine, source, "trigger", dest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING', LEGAL)
