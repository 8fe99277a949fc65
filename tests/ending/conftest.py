"""The store that the tests of the end of data use, its file, and their clock."""

from __future__ import annotations

from contextlib import closing

import pytest

from statecore import SqliteDb
from statecore.testing.doubles import Clock


@pytest.fixture
def clock():
    """A clock that stands."""
    return Clock()


@pytest.fixture
def file(tmp_path):
    """Where the store lies."""
    return tmp_path / "runs.db"


@pytest.fixture
def db(file):
    """A store of format 3."""
    with closing(SqliteDb(file, durability="normal")) as store:
        yield store
