"""Fixtures for pytest, which finds them by itself. What they need is imported when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from statecore.stores import RunStore

    from .doubles import Clock


@pytest.fixture
def statecore_clock() -> Clock:
    """Time that the test moves: `timed(workflow, statecore_clock)`."""
    from .doubles import Clock  # noqa: PLC0415  # a plugin is loaded in every run of pytest

    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
def statecore_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunStore]:
    """A store in memory, and one in a file: a test that takes it runs with both. What it leaves must obey the invariants."""
    from statecore.stores import InMemoryDb  # noqa: PLC0415  # the same
    from statecore.stores.sqlite.store3 import SqliteDb  # noqa: PLC0415  # the same

    from .invariants import assert_invariants  # noqa: PLC0415  # the same

    db: RunStore = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "statecore.db")
    yield db
    assert_invariants(db)
    db.close()
