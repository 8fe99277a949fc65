"""The one place that knows how Postgres differs: the shared statements are spelled anew, and values are adapted, on the way to psycopg.

A text in Postgres holds no NUL. So one is written as DLE "0", and DLE itself as DLE DLE; both are as good as absent from real texts, and come
back as they were. A text to look for that no column can hold is looked for as NULL, which is equal to nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from psycopg.adapt import Dumper, Loader
from psycopg.types.numeric import Int8Dumper

from statecore.stores.rules import Unheld

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    ),  # two claims at once would take the same number
    ("%", "%%"),
    ("?", "%s"),
)
PLUS = re.compile(r"\+(?=[a-z])")
"""What keeps SQLite from the index of a column; no text has a sign here, and the planner is free."""
ONLY_HERE = re.compile(r"/\*pg (.*?)\*/")


@cache
def in_postgres(statement: str) -> str:
    """A statement of the stores, as Postgres takes it."""
    for here, there in SPELLINGS:
        statement = statement.replace(here, there)
    return ONLY_HERE.sub(r"\1", PLUS.sub("", statement))


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
        """Execute one statement."""
        return self.connection.execute(in_postgres(statement).encode(), values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Cursor:
        """Execute one statement for each row of values."""
        cursor = self.connection.cursor()
        cursor.executemany(in_postgres(statement).encode(), rows)
        return cursor
