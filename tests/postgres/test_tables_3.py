"""The tables of format 3 in Postgres are those of SQLite; what they allow, which columns never change, and what two sessions may not do at once."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.format3 import tables as made
from tests.format3.attacks import CHANGES, REFUSED
from tests.format3.lives import Lives
from tests.format3.tables import DECIDED, ENDED, HASH, RUNNING, STEP, append, bury, event_id, execute, insert, order
from tests.postgres.format3 import PATH, Speaking, filled

KINDS = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}


@pytest.fixture(scope="module")
def url(server):
    """A database with the three runs."""
    with filled(server, "tables_3") as found:
        yield found


@pytest.fixture
def file(url):
    """The three runs, in a transaction that is rolled back."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PATH)
        connection.execute("BEGIN")
        yield Speaking(connection)
        connection.execute("ROLLBACK")


@pytest.fixture(scope="module")
def sqlite():
    """The tables in SQLite."""
    connection = made.tables()
    yield connection
    connection.close()


def rows(file, query):
    """The rows of a query of the catalogue."""
    return file.connection.execute(query.encode()).fetchall()


# -- the same tables ---------------------------------------------------------------------------------------------------------------


def theirs(sqlite):
    """The names of SQLite's tables."""
    return [
        name
        for (name,) in sqlite.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
    ]


def test_tables_and_columns_are_those_of_sqlite(file, sqlite):
    """Both have the same tables with the same columns, in the same order, of the same types, and NULL stands in the same ones."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    query = """SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'statecore'
    ORDER BY table_name, ordinal_position"""
    for table, column, kind, nullable in rows(file, query):
        found.setdefault(table, []).append((column, kind, nullable == "YES"))
    expected = {
        table: [
            (name, KINDS[kind], not needed and not key)
            for _, name, kind, needed, _, key in sqlite.execute(f"PRAGMA table_info({table})")
        ]
        for table in theirs(sqlite)
    }
    assert found == expected


def test_keys_and_references_are_those_of_sqlite(file, sqlite):
    """Primary keys, unique columns and references are the same, and the same references are looked at when a transaction ends."""
    query = """SELECT conrelid::regclass::text, contype::text, coalesce(nullif(confrelid, 0)::regclass::text, ''), condeferred,
    (SELECT array_agg(attname::text ORDER BY o) FROM unnest(conkey) WITH ORDINALITY AS u (n, o)
     JOIN pg_attribute a ON a.attrelid = conrelid AND attnum = n)
    FROM pg_constraint WHERE contype IN ('p', 'u', 'f') AND connamespace = 'statecore'::regnamespace"""
    found = {(table, kind, other, late, tuple(columns)) for table, kind, other, late, columns in rows(file, query) if kind != "f"}
    references = {(table, other, late, columns[0]) for table, kind, other, late, columns in rows(file, query) if kind == "f"}
    expected, expected_references = set(), set()
    for table in theirs(sqlite):
        key = sorted((row[5], row[1]) for row in sqlite.execute(f"PRAGMA table_info({table})") if row[5])
        expected.add((table, "p", "", False, tuple(name for _, name in key)))
        for index in sqlite.execute(f"PRAGMA index_list({table})").fetchall():
            if index[3] == "u":
                columns = tuple(row[2] for row in sqlite.execute(f"PRAGMA index_info({index[1]})"))
                expected.add((table, "u", "", False, columns))
        sql = sqlite.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        late = "DEFERRED" in sql
        for row in sqlite.execute(f"PRAGMA foreign_key_list({table})"):
            expected_references.add((table, row[2], late and row[2] in {"shape", "event"}, row[3]))
    assert found == expected
    assert references == expected_references


def test_indexes_are_those_of_sqlite(file, sqlite):
    """Each index that a script names is in both, over the same columns, as unique and as partial."""
    query = """SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'statecore'
    AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE connamespace = 'statecore'::regnamespace)"""
    found = {name: plain(definition) for name, definition in rows(file, query)}
    expected = {
        name: plain(sql)
        for name, sql in sqlite.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
    }
    assert found == expected


def plain(definition):
    """An index: what it is over, whether it is unique, and which rows it has, without the ways to write that."""
    definition = definition.lower().replace("using btree ", "").replace("statecore.", "").replace("::text", "")
    columns, _, rest = definition.partition(" on ")[2].partition(" where ")
    return "unique" in definition, columns, re.sub(r"[()]", "", rest)


def test_no_index_depends_on_a_locale(file):
    """Each text in an index has the order of its bytes: no other collation is in any."""
    query = """SELECT DISTINCT collname FROM pg_index CROSS JOIN unnest(indcollation) AS u (c) JOIN pg_collation ON pg_collation.oid = c
    JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'statecore'::regnamespace"""
    assert rows(file, query) == [("C",)]


# -- what may change, and what constraints refuse ----------------------------------------------------------------------------------

OTHERS = {
    "bigint": ("coalesce({0}, 0) + 1", "nullif({0}, 0)"),
    "text": ("coalesce({0}, '') || 'x'", "NULL"),
    "bytea": (r"coalesce({0}, '') || '\x00'::bytea", "randomblob(32)", "NULL"),
}
"""Other values of a column, by its type."""


@pytest.mark.parametrize("table", CHANGES)
def test_a_column_never_changes(file, table):
    """Each column is refused another value, and none, unless the table lets it change; a decided question and its decision included."""
    if table in {"tombstone", "erasure"}:
        order(file, ENDED)
        file.execute("UPDATE erasure SET done_us = 5")
        bury(file)
    if table == "move":
        insert(file, "move", event=event_id(RUNNING, 3), k=0, at="a", legal=20)
    if table == "pause":
        execute(file, DECIDED)
    query = (
        f"SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'statecore' AND table_name = '{table}'"  # noqa: S608
    )
    tried = set()
    for column, kind in rows(file, query):
        for other in OTHERS[kind]:
            value = other.format(f'"{column}"')
            where = f'WHERE "{column}" IS DISTINCT FROM {value}'
            file.execute("SAVEPOINT s")
            if rows(file, f"SELECT FROM {table} {where}") and column not in CHANGES[table]:  # names of the schema
                with pytest.raises(psycopg.Error) as refusal:
                    file.connection.execute(f'UPDATE {table} SET "{column}" = {value} {where}'.encode())  # noqa: S608  # as above
                assert refusal.value.sqlstate in {"23000", "23502", "23503", "23505", "23514", "428C9"}, refusal.value
                tried.add(column)
            file.execute("ROLLBACK TO s")
    assert tried | CHANGES[table] >= {column for column, _ in rows(file, query)}


@pytest.mark.parametrize("statement", REFUSED)
def test_constraints_refuse(file, statement):
    """A second store, an unknown shape, another run's id, a short hash, an empty or long key and a second leaf are no rows of a store."""
    with pytest.raises((psycopg.IntegrityError, psycopg.errors.DatatypeMismatch)):
        execute(file, statement)


class TestLives(Lives):
    """What the tables allow, in Postgres."""


@pytest.mark.parametrize(("number", "fits"), [(2**39 - 1, True), (2**39, False)])
def test_the_largest_number_of_a_run_fits_and_the_next_is_refused(file, number, fits):
    """The last run and its last event have an id of 63 bits; the run after it is refused."""
    file.connection.execute(b"CREATE TEMP TABLE last AS SELECT * FROM run WHERE id = 2")
    file.connection.execute(b"UPDATE last SET run_id = 'last', id = %d" % number)
    if not fits:
        with pytest.raises(psycopg.errors.CheckViolation):
            file.connection.execute(b"INSERT INTO run OVERRIDING SYSTEM VALUE SELECT * FROM last")
        return
    file.connection.execute(b"INSERT INTO run OVERRIDING SYSTEM VALUE SELECT * FROM last")
    file.connection.execute(b"DROP TRIGGER event_follows ON event; DROP TRIGGER event_moves_on ON event")
    append(file, number, 2**24 - 1, STEP, hash=HASH)
    assert rows(file, "SELECT max(id) FROM event") == [(2**63 - 1,)]


def test_a_number_is_the_databases(file):
    """No caller chooses the number of a run, a question or an act by itself."""
    for table in ("run", "pause", "act", "erasure", "notice"):
        with pytest.raises(psycopg.errors.GeneratedAlways), file.connection.transaction():
            file.connection.execute(f"INSERT INTO {table} (id) VALUES (99)".encode())  # noqa: S608  # names of the schema
