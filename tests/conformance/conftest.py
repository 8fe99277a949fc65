"""The matrix: every store times every colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy

import pytest

from statecore import InMemoryDb
from statecore.stores import RunStore
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.opening import TWO
from statecore.stores.sqlite.store3 import THREE, SqliteDb3
from statecore.testing import assert_invariants
from tests.conformance.drive import COLOURS, Calls, Drive


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores on disk without a run, made once: each test has a copy. How one is made is what `test_stores.py` tests."""
    folder: Path = tmp_path_factory.mktemp("empty")
    for kind in ("sqlite", "format 3"):
        store = open_store(kind, folder / kind)
        assert store.session_state("s", "w") is None
        store.close()
    return folder


@pytest.fixture(params=["memory", "sqlite", "format 3"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunStore]:
    """A fresh store of each kind; whatever a test did with it, every journal is a path of the core, and one on disk is sound (I7, I8, I9)."""
    if request.param != "memory":
        copy(request.getfixturevalue("empty") / request.param, tmp_path / "runs.db")
    store = open_store(request.param, tmp_path / "runs.db")
    yield store
    if request.param == "memory":
        assert_invariants(store)
    store.close()
    if request.param != "memory":
        found = verify(tmp_path / "runs.db", of=TWO if request.param == "sqlite" else THREE)
        assert found.faults == []
        assert found.remarks == [] or "test_claims_definitions" in request.node.nodeid


@pytest.fixture
def reopened(db: RunStore, tmp_path: Path) -> Iterator[Callable[[], RunStore]]:
    """What a process finds that starts anew: the same file through another store; memory has only itself."""
    opened: list[RunStore] = []

    def reopen() -> RunStore:
        if isinstance(db, InMemoryDb):
            return db
        opened.append(open_store("format 3" if isinstance(db, SqliteDb3) else "sqlite", tmp_path / "runs.db"))
        return opened[-1]

    yield reopen
    for store in opened:
        store.close()


@pytest.fixture
def db_file(tmp_path: Path) -> Path:
    """Where a store on disk will be."""
    return tmp_path / "runs.db"


@pytest.fixture(params=COLOURS)
def drive(request: pytest.FixtureRequest) -> Drive:
    """A driver of each colour."""
    return Drive(request.param)


@pytest.fixture
def calls() -> Calls:
    """User code that remembers."""
    return Calls()


def open_store(kind: str, file: Path) -> RunStore:
    """A store of one kind, as it is when nobody sets anything: one on disk waits for it, and asyncio does so on a thread."""
    if kind == "memory":
        return InMemoryDb()
    if kind == "format 3":
        return SqliteDb3(db_file=str(file))
    from statecore.db.sqlite import SqliteDb

    store: RunStore = SqliteDb(db_file=str(file))
    return store
