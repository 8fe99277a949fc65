"""Names handed on: `from statecore.db.sqlite import SqliteDb`. Every store serves both colours, so `AsyncSqliteDb` is the same store."""

from statecore.stores.sqlite.store3 import SqliteDb

AsyncSqliteDb = SqliteDb

__all__ = ["AsyncSqliteDb", "SqliteDb"]
