"""Every store that is shipped passes the suite that is shipped; the one in Postgres in tests/postgres, where its server is."""

from __future__ import annotations

from functools import partial

from statecore.stores import InMemoryDb
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from statecore.testing.stores import SharedStoreConformance, StoreConformance
from tests.sizes import TIMES


class TestInMemoryDb(StoreConformance):
    """The reference."""

    def open_store(self, folder):
        """A store in this process's memory; it needs no folder."""
        return InMemoryDb()


class TestSqliteDb2(SharedStoreConformance):
    """One file, waiting for the disk at each commit."""

    def opener(self, folder):
        """A file in a folder of the folder."""
        deep = folder / "deep"
        deep.mkdir(exist_ok=True)
        return partial(SqliteDb2, deep / "runs.db")


class Format3(SharedStoreConformance):
    """One file of format 3, which refuses names with a NUL and keys that are empty or longer than an index holds."""

    def keeps_name(self, text):
        """A name is a text of the database."""
        return "\0" not in text

    def keeps_key(self, text):
        """A key lies in an index."""
        return self.keeps_name(text) and 1 <= len(text.encode()) <= 1_024


class TestSqliteDb(Format3):
    """One file of format 3, waiting for the disk at each commit."""

    def opener(self, folder):
        """A file in a folder of the folder."""
        deep = folder / "deep"
        deep.mkdir(exist_ok=True)
        return partial(SqliteDb, deep / "runs.db")


if TIMES > 1:  # in a campaign: only what waits for the disk differs

    class TestSqliteDbNormal(Format3):
        """One file of format 3, not waiting for the disk."""

        def opener(self, folder):
            """A file in the folder, which need not be there yet."""
            return partial(SqliteDb, folder / "runs.db", durability="normal")
