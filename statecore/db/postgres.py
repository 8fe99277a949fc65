"""Names handed on: `from statecore.db.postgres import PostgresDb`. Every store serves both colours, so `AsyncPostgresDb` is the same store.

It needs psycopg: pip install 'statecore[postgres]'. Without it this module can be imported, and has no names.
"""

from typing import TYPE_CHECKING

from statecore.lazy import POSTGRES, lazy

if TYPE_CHECKING:
    from statecore.stores.postgres.store3 import PostgresDb

    AsyncPostgresDb = PostgresDb

_HOME = "statecore.stores.postgres.store3:PostgresDb"

__all__ = ["AsyncPostgresDb", "PostgresDb"]

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, dict.fromkeys(__all__, _HOME), dict.fromkeys(__all__, POSTGRES))
