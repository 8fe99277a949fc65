"""The health of a database: which Postgres it is, how it is set up, and whether it keeps what it has acknowledged.

`verify` reads a whole store as it is at one moment; `audit.verify` looks at the tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import StatecoreError, StoreCorrupt
from statecore.stores.audit import tables3
from statecore.stores.audit.ended3 import check_root
from statecore.stores.audit.verify import Verified, contents, plain
from statecore.stores.endings import Anchored as Kept
from statecore.stores.records import Symptom
from statecore.stores.sql3.queries import VERSION

from .channel import SETTINGS, named
from .opening import PostgresLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import PostgresSchema


DURABLE = ("fsync", "full_page_writes")
"""Settings of the server without which a power cut may lose, or spoil, what it acknowledged."""


def facts(db: PostgresSchema) -> dict[str, object]:
    """The facts about a store's database, as plain data: the server's version, the schema, its size in bytes, the settings."""
    names = ["server_version", *DURABLE, *SETTINGS]
    with db.channel().lent() as connection:
        asked = ", ".join("current_setting(%s)" for _ in names)
        row = connection.execute(f"SELECT {asked}".encode(), names).fetchone() or ()
        size = connection.execute(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace",
            (db.db_schema,),
        ).fetchone()
    told = dict(zip(names, row, strict=True))
    return {
        "path": db.path,
        "postgres": told.pop("server_version"),
        "schema": db.version,
        "bytes": size[0] if size else 0,
        "settings": told,
    }


def ailments(told: dict[str, object]) -> list[Symptom]:
    """The ailments of a database, of which these are the facts."""
    settings = told["settings"]
    off = [name for name in DURABLE if isinstance(settings, dict) and settings.get(name) != "on"]
    why = "is off: what was acknowledged may be lost when the server's machine fails"
    return [Symptom("durability", str(told["path"]), f"{name} {why}", f"Set {name} = on in postgresql.conf.") for name in off]


def verify(db: PostgresSchema, progress: Callable[[int, int], None] | None = None, *, anchored: Kept | None = None) -> Verified:
    """Check a store. `progress` is told after each run how many were checked, of how many.

    `anchored` is a root that was kept elsewhere (`db.anchor`). Raises what opening the store raises, but for `StoreCorrupt`: all damage is a fault.
    """
    found = Verified(db.path, db.version)
    try:
        with db.channel().lent() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")  # what others write from now on is not seen here
            (tables3.contents if db.version == VERSION else contents)(PostgresLink(connection), found, progress)
            if anchored is not None and db.version == VERSION:
                check_root(PostgresLink(connection), found, anchored.leaves, anchored.root)
            connection.execute("ROLLBACK")
    except StoreCorrupt as error:
        found.blame("schema", plain(error))
    except StatecoreError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a spoilt row breaks, it is a fault of the store
        found.blame("store", plain(named(error, db.path) or error))
    return found
