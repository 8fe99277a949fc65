"""Names handed on: `from statecore.db.postgres import PostgresDb`. Every store serves both colours, so `AsyncPostgresDb` is the same store.

It needs psycopg: pip install 'statecore[postgres]'.
"""

from statecore.errors import MissingExtra

LACKING = ("PostgresDb", "postgres")

try:
    from statecore.stores.postgres.store import PostgresDb
except ModuleNotFoundError as _missing:
    if (_missing.name or "").partition(".")[0] != "psycopg":
        raise
    raise MissingExtra(*LACKING) from _missing
except ImportError as _missing:  # psycopg is there, and finds no libpq
    raise MissingExtra(*LACKING) from _missing

AsyncPostgresDb = PostgresDb

__all__ = ["AsyncPostgresDb", "PostgresDb"]
