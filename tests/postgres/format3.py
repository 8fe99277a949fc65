"""The tables of format 3 in Postgres, for tests: statements that are written in the SQL of SQLite are said to Postgres."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from statecore.stores.sql.link import shipped
from tests.format3.tables import fill
from tests.postgres.server import Server

SCRIPTS = ("frames-3.sql", "schema-3.sql", "schema-3-guards.sql", "schema-3-questions.sql", "schema-3-erasing.sql")
HELPERS = """CREATE SCHEMA tests; SET search_path = tests;
CREATE FUNCTION zeroblob(size INT) RETURNS BYTEA LANGUAGE sql AS $$ SELECT decode(repeat('00', size), 'hex') $$;
CREATE FUNCTION randomblob(size INT) RETURNS BYTEA LANGUAGE sql AS $$ SELECT substr(sha256(random()::text::bytea), 1, size) $$;"""
"""Functions that SQLite has."""

COUNTED = ("workflow", "session", "definition", "legal", "run", "session_value", "value", "pause", "act", "notice", "erasure")
"""The tables whose rows the database numbers."""

PATH = "SET search_path = statecore, tests, pg_temp"
NUMBERED = re.compile(r"^(INSERT INTO \w+ \([^)]*\)) (VALUES|SELECT)")


def said(statement: str) -> str:
    """A statement in the SQL of SQLite, as Postgres and psycopg take it."""
    statement = re.sub(r"\bx'([0-9a-f]*)'", r"'\\x\1'::bytea", statement.replace("\n", " ").replace("%", "%%"))
    statement = re.sub(r"\?(\d)", r"%(p\1)s", re.sub(r"(?<!:):([a-z]\w*)", r"%(\1)s", statement))
    statement = re.sub(
        r" IS (NOT )?(?=\()", lambda found: " IS DISTINCT FROM " if found[1] else " IS NOT DISTINCT FROM ", statement
    )
    return NUMBERED.sub(r"\1 OVERRIDING SYSTEM VALUE \2", statement.replace("?", "%s"))


class Cursor:
    """The answer to a statement, with the number of the row that it inserted."""

    def __init__(self, connection: psycopg.Connection, cursor: psycopg.Cursor, statement: str) -> None:
        self.connection, self.cursor = connection, cursor
        self.statement = statement
        self.rowcount, self.fetchone, self.fetchall = cursor.rowcount, cursor.fetchone, cursor.fetchall

    @property
    def lastrowid(self) -> int:
        """The largest number of the table that the row was inserted into; 0 where its rows have none."""
        table = self.statement.split()[2]
        columns = (
            "SELECT FROM information_schema.columns WHERE table_schema = 'statecore' AND table_name = %s AND column_name = 'id'"
        )
        if self.connection.execute(columns, (table,)).fetchone() is None:
            return 0
        return int(self.connection.execute(f"SELECT max(id) FROM {table}".encode()).fetchone()[0])  # type: ignore[index]  # noqa: S608  # a row was inserted


INSIDE = {
    "BEGIN": "SAVEPOINT begun",
    "COMMIT": "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED",
    "ROLLBACK": "ROLLBACK TO SAVEPOINT begun",
}
"""A transaction of a test, inside of the one that is rolled back after the test."""


class Speaking:
    """A connection to Postgres that takes the SQL of SQLite, as far as the tests write it.

    A statement that is refused is undone by itself, as in SQLite; a COMMIT inside of a transaction looks at what was deferred.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Any = (), /) -> Cursor:
        """Execute a statement with its values, by place or by name."""
        if "?1" in statement:
            values = {f"p{number}": value for number, value in enumerate(values, 1)}
        if self.connection.info.transaction_status == TransactionStatus.IDLE:
            return Cursor(self.connection, self.connection.execute(said(statement).encode(), values), statement)
        if statement in INSIDE or statement.startswith(("SAVEPOINT", "ROLLBACK")):
            return Cursor(self.connection, self.connection.execute(INSIDE.get(statement, statement).encode()), statement)
        with self.connection.transaction():
            return Cursor(self.connection, self.connection.execute(said(statement).encode(), values), statement)

    def executemany(self, statement: str, values: Any, /) -> None:
        """Execute a statement with each of several lists of values."""
        for each in values:
            self.execute(statement, each)


def install(connection: psycopg.Connection, *scripts: str) -> None:
    """Make the schema by its scripts, in one transaction, as its owner does."""
    with connection.transaction():
        connection.execute("CREATE SCHEMA statecore")
        connection.execute("SET LOCAL search_path = statecore, pg_temp")
        for script in SCRIPTS + scripts:
            connection.execute(shipped("statecore.stores.postgres", script).encode())


@contextmanager
def filled(server: Server, name: str, *scripts: str) -> Iterator[str]:
    """The URL of a database that has the tables with the three runs in them; `scripts` are run besides."""
    server.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    try:
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            install(connection, *scripts)
            connection.execute(HELPERS)
            connection.execute(PATH)
            fill(Speaking(connection))
            for table in COUNTED:  # the tests' own numbers count, too
                number = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))"  # noqa: S608  # from above
                connection.execute(number.encode())
        yield server.url(name)
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
