"""One server a session (one for each of xdist's workers that needs it), one database a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import NoReturn

import pytest

from statecore.db.postgres import PostgresDb
from tests.postgres.server import NoPostgres, Server

NUMBERS = count()


def missing(why: NoPostgres) -> NoReturn:
    """Leave the tests out with the reason; where CI is set, fail."""
    if os.environ.get("CI"):
        raise why
    pytest.skip(str(why))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running Postgres. Where there can be none the tests are skipped with the reason; where CI is set they fail."""
    try:
        found = Server()
        found.start()
    except NoPostgres as why:
        missing(why)
    yield found
    found.end()


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The URL of an empty database."""
    name = f"test_{next(NUMBERS)}"
    server.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(database: str) -> Iterator[PostgresDb]:
    """An empty store."""
    store = PostgresDb(database)
    yield store
    store.close()
