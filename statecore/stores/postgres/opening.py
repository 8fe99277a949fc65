"""The shared SQL in the words of Postgres, and a schema before it is used: looked at, made where there is none, migrated by numbered scripts."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from psycopg import errors as pg
from psycopg.adapt import Dumper, Loader
from psycopg.types.numeric import Int8Dumper

from statecore.errors import NotAStatecoreStore, NotPermitted, StoreCorrupt, StoreTooNew
from statecore.stores.rules import LEGAL, Unheld
from statecore.stores.sql.link import shipped
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.writing import learn_moves

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg
    from psycopg import Connection, Cursor
    from psycopg.abc import AdaptContext, Buffer

TEXT_OID = 25
DLE = "\x10"
ESCAPED = re.compile(f"{DLE}(.)", re.DOTALL)
MARKS = {"0": "\0", DLE: DLE}

SPELLINGS = (
    (" INDEXED BY pause_open", ""),  # a planner with statistics is not led
    (
        "SELECT coalesce(max(turned), 0) + 1 FROM run",
        "SELECT nextval('run_turns')",
    ),  # two processes that claim at once would take the same number
    ("SELECT coalesce(max(claim_order), 0) + 1 FROM hot", "SELECT nextval('claim_order')"),  # as above, in format 3
    ("%", "%%"),
    ("?", "%s"),
)
PLUS = re.compile(r"\+(?=[a-z])")
"""The sign that keeps SQLite from the index of a column; no text has a sign here, and the planner is free."""
ELSEWHERE = re.compile(r"/\*lite\*/.*?(?=/\*pg )", re.DOTALL)
"""A condition that leads SQLite to an index, before the one that leads Postgres, whose planner takes another one where it knows no better."""
ONLY_HERE = re.compile(r"/\*pg (.*?)\*/", re.DOTALL)
FIRST = re.compile(r"\s*/\*pg-first (.*?)\*/", re.DOTALL)
"""A statement that is executed before another one, with the same values."""


@cache
def in_postgres(statement: str) -> str:
    """A statement of the stores, as Postgres takes it."""
    for here, there in SPELLINGS:
        statement = statement.replace(here, there)
    return ONLY_HERE.sub(r"\1", PLUS.sub("", ELSEWHERE.sub("", statement)))


class TextDumper(Dumper):
    """A text on its way in."""

    oid = TEXT_OID

    def dump(self, obj: str) -> Buffer | None:
        """Its bytes, without a NUL among them."""
        if "\0" in obj or DLE in obj:
            obj = obj.replace(DLE, DLE + DLE).replace("\0", f"{DLE}0")
        return obj.encode()


class TextLoader(Loader):
    """A text on its way out."""

    def load(self, data: Buffer) -> str:
        """The text as it was."""
        text = bytes(data).decode()
        return ESCAPED.sub(lambda found: MARKS.get(found[1], found[0]), text) if DLE in text else text


class NowhereDumper(Dumper):
    """A text that no column holds."""

    oid = TEXT_OID

    def dump(self, obj: Any) -> Buffer | None:  # noqa: ARG002  # psycopg's signature
        """NULL."""
        return None


def adapt(context: AdaptContext) -> None:
    """Let a connection write and read values as the tables of the stores hold them: texts, whole numbers of 64 bits, bytes."""
    adapters = context.adapters
    if adapters is None:
        return
    adapters.register_dumper(str, TextDumper)
    adapters.register_dumper(Unheld, NowhereDumper)
    adapters.register_dumper(int, Int8Dumper)  # one type for all, so that a statement is prepared once
    adapters.register_loader("text", TextLoader)


class PostgresLink:
    """A connection to Postgres that takes the shared statements."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Execute one statement. One that begins with a lock is two here: a statement that waits for a lock reads what was there before."""
        lock = FIRST.match(statement)
        if lock is not None:
            self.connection.execute(in_postgres(lock[1]).encode(), values)
            statement = statement[lock.end() :]
        return self.connection.execute(in_postgres(statement).encode(), values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """Execute one statement for each row of values."""
        cursor = self.connection.cursor()
        cursor.executemany(in_postgres(statement).encode(), rows)
        return cursor


SCRIPTS = ("schema-1.sql",)
"""The n-th script leads from version n - 1 to version n. A script that was released is never changed."""

VERSION = len(SCRIPTS)
FURNISHING = int.from_bytes(b"statecor")
"""The advisory lock of whoever makes or migrates a schema."""

CATALOGUES = {
    "TRIGGER": "SELECT tgname FROM pg_trigger WHERE tgenabled = 'O' AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = {here})"
}
CATALOGUES |= {
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


def tables_of(connection: psycopg.Connection, schema: str) -> set[str]:
    """The names of the tables of a schema; none where there is no such schema."""
    names = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = %s"
    return {name for (name,) in connection.execute(names, (schema,)).fetchall()}


def checked(connection: psycopg.Connection, path: str, schema: str) -> int:
    """The version of a schema; 0 where there is none, or nothing in it. Refuses another program's, and one of a newer release."""
    tables = tables_of(connection, schema)
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
def expected(kind: str, scripts: Sequence[str] = SCRIPTS) -> frozenset[str]:
    """The names of all things of a kind that the scripts make."""
    return frozenset(name for script in scripts for name in re.findall(rf"^CREATE {kind} (\w+)", script_text(script), re.MULTILINE))


def raise_if_defective(connection: psycopg.Connection, path: str, schema: str, scripts: Sequence[str] = SCRIPTS) -> None:
    """Raise `StoreCorrupt` where a table, a trigger or a unique index is missing, or is switched off."""
    for kind, query in CATALOGUES.items():
        here = query.format(here="(SELECT oid FROM pg_namespace WHERE nspname = %s)")
        found = {name for (name,) in connection.execute(here.encode(), (schema,)).fetchall()}
        missing = expected(kind, scripts) - found
        if missing:
            raise StoreCorrupt(path, f"the {kind.lower()} {min(missing)} is missing from its schema {schema!r}, or switched off")
    row = connection.execute("SHOW session_replication_role").fetchone()
    if row != ("origin",):
        raise StoreCorrupt(path, "session_replication_role switches its triggers off")
