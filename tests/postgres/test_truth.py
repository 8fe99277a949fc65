"""P22 on Postgres: an error of the server has its own name; damage is said of data and of a schema that are not as they were made."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg

from statecore.errors import PoolerInTheWay, StoreCorrupt, TransactionTimedOut, UnknownStoreError, WrongType
from statecore.stores.postgres.channel import named
from statecore.testing.stores.samples import started
from tests.unit.stores.sqlite_files import outcome

NAMES = {
    pg.TransactionTimeout: (TransactionTimedOut, "transaction_timeout"),
    pg.DuplicatePreparedStatement: (PoolerInTheWay, "pool_mode"),
    pg.InvalidSqlStatementName: (PoolerInTheWay, "pool_mode"),
    pg.DataCorrupted: (StoreCorrupt, "backup"),
    pg.IndexCorrupted: (StoreCorrupt, "backup"),
    pg.DatatypeMismatch: (WrongType, "correct the call"),
    pg.NotNullViolation: (WrongType, "correct the call"),
    pg.DivisionByZero: (UnknownStoreError, "statecore doctor"),
    pg.InternalError_: (UnknownStoreError, "statecore doctor"),
}


@pytest.mark.parametrize("kind", NAMES, ids=lambda kind: kind.__name__)
def test_each_error_of_the_server_has_its_name_and_advice(kind):
    """A limit of the server, a pooler, a type and an unknown error are not called damage; each message says what to do."""
    told = named(kind("the server's words"), "place")
    expected, advice = NAMES[kind]
    assert type(told) is expected
    assert advice in str(told)
    assert "the server's words" in str(told)


@pytest.mark.parametrize(
    "call",
    [lambda db: db.load(object()), lambda db: db.release(object(), 1), lambda db: db.runs(7)],
    ids=["load", "release", "runs"],
)
def test_a_wrong_type_of_the_caller_is_the_callers(db, call):
    """A value that no column takes is refused as the caller's mistake, and the store is used on."""
    started(db)
    assert outcome(call, db) is WrongType
    assert db.load("run-1").seq == 2


def test_an_unknown_error_is_not_called_damage(db):
    """An error on a sound schema keeps its words and its SQLSTATE; the same statement on a schema without its table is damage."""
    started(db)
    with pytest.raises(UnknownStoreError, match="SQLSTATE 22012"):
        db._read(lambda link: link.execute("SELECT 1 / 0"))


def test_a_prepared_statement_that_another_client_made_is_the_poolers(db):
    """Two statements of one name, as a pooler in transaction mode mixes them, are told as what they are."""
    started(db)

    def clash(link):
        for _ in range(2):
            link.execute("PREPARE _pg3_0 AS SELECT 1")

    with pytest.raises(PoolerInTheWay):
        db._read(clash)


def test_a_missing_table_is_damage(db, database):
    """A statement that fails because the schema has lost a table is told as damage, with the table's name."""
    started(db)
    with psycopg.connect(database) as other:
        other.execute("DROP TABLE statecore.session_value CASCADE")
    with pytest.raises(StoreCorrupt, match="session_value"):
        db.load("run-1")
