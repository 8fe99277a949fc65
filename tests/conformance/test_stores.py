"""Every store that is shipped passes the suite that is shipped; the one in Postgres in tests/postgres, where its server is."""

from __future__ import annotations

from functools import partial

from statecore.stores import InMemoryDb
from statecore.stores.sqlite.store import SqliteDb
from statecore.testing.stores import SharedStoreConformance, StoreConformance


class TestInMemoryDb(StoreConformance):
    """The reference."""

    def open_store(self, folder):
        """A store in this process's memory; it needs no folder."""
        return InMemoryDb()


class TestSqliteDb(SharedStoreConformance):
    """One file, waiting for the disk at each commit."""

    def opener(self, folder):
        """A file in a folder of the folder."""
        deep = folder / "deep"
        deep.mkdir(exist_ok=True)
        return partial(SqliteDb, deep / "runs.db")


class TestSqliteDbNormal(SharedStoreConformance):
    """One file, not waiting for the disk."""

    def opener(self, folder):
        """A file in the folder, which need not be there yet."""
        return partial(SqliteDb, folder / "runs.db", durability="normal")
