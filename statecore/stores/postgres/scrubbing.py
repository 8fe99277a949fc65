"""Old versions of rows leave the tables of a schema (VACUUM), and whether they have left.

Postgres keeps the old version of a row until a VACUUM removes it, and VACUUM keeps what an open transaction may still see. It says how much that
is in its report, which is read here: a login sees nothing of the transactions of others by itself.
"""

from __future__ import annotations

import re
from time import monotonic, sleep
from typing import TYPE_CHECKING

from statecore.core import Seconds

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.errors import Diagnostic

    from .channel import Channel

TABLES = ("run", "hot", "event", "value", "pause", "act", "session_value", "session")
"""The tables of which rows are emptied or removed."""
BEYOND = (
    "the write-ahead log of the server, its replicas and backups keep the values until they are gone themselves, and the free room of pages until "
    "it is used again"
)
MAY = """
SELECT bool_and(pg_has_role(c.relowner, 'USAGE') OR r.rolsuper) FROM pg_class c, pg_roles r
WHERE c.relkind = 'r' AND c.relnamespace = %s::regnamespace AND r.rolname = current_user"""
FORBIDDEN = "this login may not VACUUM the tables of the store: their owner runs `statecore erase` once more, or VACUUM"
SEEN = "a transaction still sees the old versions of rows; run it again when that transaction is over"
UNREADABLE = "the server's report of VACUUM is in another language: set lc_messages = 'C' for this role, and run it again"
PINNED = "a session reads a page with old versions of rows, and VACUUM has passed it over; run it again when that session is done"
STAYING = re.compile(r"(\d+) are dead but not yet removable")
MISSED = re.compile(r"tuples missed: [1-9]\d* dead")
"""The line that the report has only where a page was in use, also by a transaction that does not see the old versions."""
GAP = 0.2


def vacuumed(channel: Channel, schema: str, wait: Seconds) -> str | None:
    """Remove the old versions of rows, within so many seconds; why some are left, None where none is."""
    until = monotonic() + wait
    with channel.lent() as connection:
        row = connection.execute(MAY, (schema,)).fetchone()
        if row is None or not row[0]:
            return FORBIDDEN
        while True:
            why = vacuumed_once(connection, schema)
            if why not in (SEEN, PINNED) or monotonic() > until:
                return why
            sleep(GAP)


def vacuumed_once(connection: Connection, schema: str) -> str | None:
    """One VACUUM of the tables; why old versions are left. Indexes are always cleaned: of few dead rows VACUUM would leave their entries."""
    told: list[str] = []

    def hear(diagnostic: Diagnostic) -> None:
        told.append(f"{diagnostic.message_primary} {diagnostic.message_detail or ''}")

    connection.add_notice_handler(hear)
    try:
        for table in TABLES:
            connection.execute(f'VACUUM (VERBOSE, INDEX_CLEANUP ON) "{schema}".{table}'.encode())
    finally:
        connection.remove_notice_handler(hear)
    counts = [int(found[1]) for text in told for found in STAYING.finditer(text)]
    if len(counts) < len(TABLES):
        return UNREADABLE
    if any(counts):
        return SEEN
    return PINNED if any(map(MISSED.search, told)) else None
