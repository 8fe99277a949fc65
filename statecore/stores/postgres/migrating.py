"""A schema of format 1 (which is format 2 of a file) becomes one of format 3, in place: batches of runs, each one transaction.

One process migrates, under the advisory lock of whoever makes a schema; another one waits, and finds nothing left to do. The first transaction
renames the old tables with their indexes and sequences, drops their functions, triggers and references, makes the new tables, and sets the
edition: from then on each method of a process of the older release is refused, because a table or a column of its statements is missing. Each
batch writes the new rows of its runs and deletes the old ones. The last one drops the old tables and inserts the row of `store`, without which
no statement of format 3 stores anything. Values go with their table at the end: a deleted row keeps its room until VACUUM anyway.

It is run by the owner of the schema. Logins of other roles need `roles-3.sql` afterwards. There is no way back but a backup.
"""

# ruff: noqa: S608  # statements are put together of the names of tables

from __future__ import annotations

from os import urandom
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Literal

import psycopg
from psycopg import errors as pg

from statecore.errors import MigrationNeeded, NotAStatecoreStore, NotPermitted, StoreCorrupt, StoreTooNew
from statecore.stores.sql.reading import legal_moves
from statecore.stores.sql.writing import learn_moves
from statecore.stores.sql3.migrating import FROM, Migrated, carry
from statecore.stores.sql3.older import SUFFIX, TABLES_OF_2, read
from statecore.stores.sql3.queries import VERSION
from statecore.stores.sql3.reading import Known
from statecore.stores.sql3.shapes import ADD_SHAPE, NO_MOVES, MoveLists

from .channel import Channel, named
from .formats import SCRIPTS
from .health import verify
from .opening import FURNISHING, PostgresLink, furnish, script_text, tables_of
from .opening import VERSION as OLD_VERSION
from .store import PostgresDb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.sql3.migrating import Carried

RUNS = 500
"""The most runs of one batch."""
UNASKED = 1 << 28
"""The largest schema, in bytes, that its first use migrates; a larger one is migrated by the command alone."""
LONG = 30 * 86_400.0
"""How many seconds a migration may take: its batches are many, and the patience of a call is not its measure."""
ROWS = 20_000
"""About how many journal rows a batch has at most."""

FUNCTIONS = ("journal_grows", "is_kept", "decision_fits", "pause_tells", "run_is_free")
HERE = "relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)"
OF_TABLES = f"SELECT oid FROM pg_class WHERE relkind = 'r' AND {HERE} AND relname = ANY(%s)"
REFERENCES = f"SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND conrelid IN ({OF_TABLES})"
LOOSE = f"""
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid IN ({OF_TABLES})
AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)"""
"""The indexes that no constraint made."""
NAMES = f"""
SELECT c.relname, c.relkind::text FROM pg_class c WHERE c.oid IN ({OF_TABLES})
OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN ({OF_TABLES}))
OR (c.relkind = 'S' AND c.oid IN (SELECT objid FROM pg_depend WHERE deptype = 'i' AND refobjid IN ({OF_TABLES})))"""
"""The old relations that have a name of a new table, of its indexes or of its sequence."""
KINDS = {"r": "TABLE", "i": "INDEX", "S": "SEQUENCE"}
OWNED = f"""
SELECT bool_and(pg_has_role(relowner, 'USAGE')), coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relkind = 'r' AND {HERE}"""
"""Whether the login owns the tables of a schema, and their size in bytes."""
COUNT = f"SELECT count(*) FROM run{SUFFIX}"
NEXT = f"SELECT id, seq FROM run{SUFFIX} ORDER BY id LIMIT ?"
STORE = "INSERT INTO store (one, uuid, created_us, version, migrated_from) VALUES (1, ?, ?, ?, ?)"
FORGET = tuple(
    f"DELETE FROM {table}{SUFFIX} WHERE {key} = ?"
    for table, key in (("journal", "run"), ("decision", "run"), ("pause", "run"), ("session_state", "run"), ("run", "id"))
)


def migrate(
    db_url: str,
    db_schema: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    runs: int = RUNS,
    most: int | None = None,
) -> Migrated:
    """Lead a schema from the older format to this one, one whose migration was begun, to its end; nothing is done to one of this format.

    A schema that `verify` finds unsound is not touched. `progress` is told after each batch how many runs are done, of how many. `most` is the
    largest schema, in bytes, that is migrated; None means any.

    Raises `MigrationNeeded` for a larger schema, `StoreCorrupt` for an unsound one, `NotAStatecoreStore`, `StoreTooNew`, `StoreUnavailable`, and
    `NotPermitted` where the login does not own it.
    """
    old = PostgresDb2(db_url, db_schema=db_schema)
    path, schema, done = old.path, old.db_schema, Migrated(old.path)
    channel = Channel(old._conninfo, path, schema, 1, old.patience)  # noqa: SLF001  # of this room
    try:
        with channel.lent(monotonic() + LONG) as connection:
            if stands(connection, path, schema) != "new":
                raise_if_refused(connection, path, schema, most)
            connection.execute(
                "SET idle_in_transaction_session_timeout = 0"
            )  # a large run is read and hashed between two statements
            connection.execute("SELECT pg_advisory_lock(%s)", (FURNISHING,))
            if stands(connection, path, schema) == "old":
                furnish(connection, path, schema)
                raise_if_unsound(old)
            lead(connection, path, schema, done, runs, progress)
    except pg.InsufficientPrivilege as error:
        why = f"schema {schema!r} is migrated by its owner ({' '.join(str(error).split())})"
        raise NotPermitted(path, why) from error
    except psycopg.Error as error:
        raise named(error, path) or error from error
    finally:
        old.close()
        channel.close()  # which gives the lock back
    return done


def stands(connection: psycopg.Connection, path: str, schema: str) -> Literal["old", "begun", "new"]:
    """How far the migration of a schema is. Raises `NotAStatecoreStore` or `StoreTooNew` for one that is not of the format that is led to this one."""
    tables = tables_of(connection, schema)
    if f"run{SUFFIX}" in tables:
        return "begun"
    if {"store", "hot"} <= tables:
        return "new"
    if not {"edition", *TABLES_OF_2} <= tables:
        raise NotAStatecoreStore(path, f"its schema {schema!r} holds no tables of an older format")
    [version] = connection.execute("SELECT version FROM edition").fetchone() or (0,)
    if version != OLD_VERSION:
        raise StoreTooNew(path, version, OLD_VERSION)
    return "old"


def at_opening(db_url: str, db_schema: str) -> None:
    """Migrate a schema at its first use, or go on with its migration. Raises `MigrationNeeded` for a large one, and as `migrate`."""
    migrate(db_url, db_schema, most=UNASKED)


def raise_if_refused(connection: psycopg.Connection, path: str, schema: str, most: int | None) -> None:
    """Raise `NotPermitted` where the login does not own the tables of a schema, `MigrationNeeded` where they are too large."""
    [owned, size] = connection.execute(OWNED, (schema,)).fetchone() or (False, 0)
    if not owned:
        raise NotPermitted(path, f"schema {schema!r} is of an older format, and is migrated by its owner")
    if most is not None and size > most:
        raise MigrationNeeded(path, f"is of an older format and has {size:,} bytes; its first use migrates up to {most:,}")


def raise_if_unsound(old: PostgresDb2) -> None:
    """Raise `StoreCorrupt` for the first fault of a store of the older format."""
    found = verify(old)
    if found.faults:
        raise StoreCorrupt(old.path, str(found.faults[0]))


def lead(  # noqa: PLR0913  # a connection, its schema, and what is told
    connection: psycopg.Connection, path: str, schema: str, done: Migrated, runs: int, progress: Callable[[int, int], None] | None
) -> None:
    """The first transaction, the batches and the last one, each where it is left to do."""
    link, far = PostgresLink(connection), stands(connection, path, schema)
    if far == "new":
        return
    if far == "old":
        with connection.transaction():
            begin(connection, schema)
    known = Known(MoveLists(legal_moves(link)))
    [of] = link.execute(COUNT).fetchone() or (0,)
    while True:
        with connection.transaction():
            carried = batch(link, known, runs)
        if not carried:
            break
        done.note(carried)
        if progress is not None:
            progress(done.runs, of)
    with connection.transaction():
        finish(connection)


def begin(connection: psycopg.Connection, schema: str) -> None:
    """Rename the old tables, drop what belonged to them, and make the new ones."""
    link, old = PostgresLink(connection), list(TABLES_OF_2)
    for table in old:
        connection.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE'.encode())
    for function in FUNCTIONS:
        connection.execute(f"DROP FUNCTION {function}() CASCADE".encode())
    for table, name in connection.execute(REFERENCES.encode(), (schema, old)).fetchall():
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
    for (name,) in connection.execute(LOOSE.encode(), (schema, old)).fetchall():
        connection.execute(f'DROP INDEX "{name}"'.encode())
    for name, kind in connection.execute(NAMES.encode(), (schema, old) * 3).fetchall():
        connection.execute(f'ALTER {KINDS[kind]} "{name}" RENAME TO "{name}{SUFFIX}"'.encode())
    for script in SCRIPTS:
        connection.execute(script_text(script).encode())
    for table, columns in (("definition", "fingerprint, canonical"), ("legal", 'machine, source, "trigger", dest')):
        copied = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}{SUFFIX} ORDER BY id"
        connection.execute(copied.encode())
    learn_moves(link)
    link.execute(ADD_SHAPE, (NO_MOVES.number, NO_MOVES.digest, 0, None, None))
    connection.execute(f"SELECT setval('claim_order', greatest((SELECT max(turned) FROM run{SUFFIX}), 1))".encode())
    connection.execute("DROP SEQUENCE run_turns")
    connection.execute("UPDATE edition SET version = %s", (VERSION,))


def batch(link: PostgresLink, known: Known, runs: int) -> list[Carried]:
    """Carry the next runs, and delete what they were. Empty where none is left."""
    carried: list[Carried] = []
    rows = 0
    for number, seq in link.execute(NEXT, (runs,)).fetchall():
        carried.append(carry(link, read(link, number, known), known))
        for statement in FORGET:
            link.execute(statement, (number,))
        rows += seq
        if rows >= ROWS:
            break
    return carried


def finish(connection: psycopg.Connection) -> None:
    """Drop the old tables, go on with the numbers of runs after the last one, and open the store."""
    [last] = connection.execute("SELECT coalesce(max(id), 0) FROM run").fetchone() or (0,)
    connection.execute(f"ALTER TABLE run ALTER COLUMN id RESTART WITH {int(last) + 1}".encode())
    connection.execute(f"DROP TABLE {', '.join(table + SUFFIX for table in TABLES_OF_2)}".encode())
    link = PostgresLink(connection)
    link.execute(STORE, (urandom(16), time_ns() // 1_000, VERSION, FROM))
