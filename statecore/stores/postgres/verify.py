"""`verify` reads a whole store in Postgres, as it is at one moment, and says what in it cannot be true; `audit.verify` looks at the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import StatecoreError, StoreCorrupt
from statecore.stores.audit.verify import Verified, contents, plain

from .channel import named
from .dialect import PostgresLink
from .opening import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import PostgresDb


def verify(db: PostgresDb, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Check a store. `progress` is told after each run how many were checked, of how many.

    Raises what opening the store raises, but for `StoreCorrupt`: all damage is a fault.
    """
    found = Verified(db.path, VERSION)
    try:
        with db.channel().lent() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")  # what others write from now on is not seen here
            contents(PostgresLink(connection), found, progress)
            connection.execute("ROLLBACK")
    except StoreCorrupt as error:
        found.blame("schema", plain(error))
    except StatecoreError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a spoilt row breaks, it is a fault of the store
        found.blame("store", plain(named(error, db.path) or error))
    return found
