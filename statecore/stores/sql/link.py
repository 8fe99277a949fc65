"""The connection of the shared SQL: it executes statements of one dialect, SQLite's, whichever database is behind it.

A statement is written as SQLite takes it. What only Postgres needs stands in a comment, `/*pg ...*/`, which SQLite passes over; what only
SQLite takes is taken out there. `postgres.dialect` is the one place that knows how.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pkgutil import get_data
from typing import Any, Protocol, cast


def shipped(package: str, script: str) -> str:
    """A script beside the modules of a package, in a folder or an archive; its line ends are the same wherever that came from."""
    return cast("bytes", get_data(package, script)).decode().replace("\r\n", "\n")


class Rows(Protocol):
    """The result of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""


class Link(Protocol):
    """A connection: `sqlite3.Connection` is one, `postgres.dialect.PostgresLink` another."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows:
        """Execute one statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Rows:
        """Execute one statement for each row of values."""
