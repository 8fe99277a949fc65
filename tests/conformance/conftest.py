"""The matrix: every store times every colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from zlib import crc32

import pytest

from statecore import InMemoryDb
from statecore.stores import RunStore
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2
from statecore.stores.sqlite.store3 import SqliteDb
from statecore.testing import assert_invariants
from tests.conformance.drive import COLOURS, Calls, Drive
from tests.sizes import TIMES

FORMAT_2 = (
    "test_claims_put_again",
    "test_claims_other_code",
    "test_claims_confirmation",
    "test_claims_crash",
    "test_claims_said",
    "test_claims_leases",
    "test_claims_keys",
    "test_claims_asks",
    "test_claims_asks_again",
)
"""The tests that have a store of format 2 besides, in a campaign: no new store is one, and an old one is migrated when it is opened."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of a store has each kind of new store, and every colour.

    On a disk a test has two colours, one of threads and one of asyncio, one of them a stream: which two differs from test to test, so that each
    pair of a colour and a store is met often. In memory it has all but that stream. `STATECORE_EXAMPLES` above 1 gives every test all pairs.
    """
    names = metafunc.fixturenames
    own = any("drive" in str(each.args[0]) for each in metafunc.definition.iter_markers("parametrize"))
    if "drive" in names and not own and "db" not in names:
        metafunc.parametrize("drive", COLOURS, indirect=True)
    if "db" not in names:
        return
    older = ["format 2"] if TIMES > 1 and metafunc.module.__name__.rpartition(".")[2] in FORMAT_2 else []
    stores = ["memory", "sqlite", *older]
    if "drive" not in names or own:
        metafunc.parametrize("db", stores, indirect=True)
        return
    two = TWO[crc32(metafunc.function.__name__.encode()) % 2]
    pairs = [(colour, store) for colour in COLOURS for store in stores if TIMES > 1 or meets(colour, store, two)]
    metafunc.parametrize(("drive", "db"), pairs, indirect=True, ids=map("-".join, pairs))


TWO = ("sync", "async stream"), ("stream", "async")


def meets(colour: str, store: str, two: tuple[str, str]) -> bool:
    """Whether a test has this pair in the ordinary run; `two` are its colours on a disk."""
    return colour in two if store != "memory" else colour not in two or "stream" not in colour


ADOPTING = ("test_claims_definitions", "test_claims_put_again", "test_claims_other_code")
"""The files whose runs follow several definitions: of one that a run followed before, `verify` may remark that."""


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores on disk without a run, made once: each test has a copy. How one is made is what `test_stores.py` tests."""
    folder: Path = tmp_path_factory.mktemp("empty")
    for kind in ("format 2", "sqlite"):
        store = open_store(kind, folder / kind)
        assert store.session_state("s", "w") is None
        store.close()
    return folder


@pytest.fixture
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunStore]:
    """A fresh store of a kind; whatever a test did with it, every journal is a path of the core, and one on disk is sound (I7, I8, I9)."""
    if request.param != "memory":
        copy(request.getfixturevalue("empty") / request.param, tmp_path / "runs.db")
    store = open_store(request.param, tmp_path / "runs.db")
    yield store
    if request.param == "memory":
        assert_invariants(store)
    store.close()
    if request.param != "memory":
        found = verify(tmp_path / "runs.db")
        assert found.faults == []
        assert found.remarks == [] or any(name in request.node.nodeid for name in ADOPTING)


@pytest.fixture
def reopened(db: RunStore, tmp_path: Path) -> Iterator[Callable[[], RunStore]]:
    """What a process finds that starts anew: the same file through another store; memory has only itself."""
    opened: list[RunStore] = []

    def reopen() -> RunStore:
        if isinstance(db, InMemoryDb):
            return db
        opened.append(open_store("sqlite" if isinstance(db, SqliteDb) else "format 2", tmp_path / "runs.db"))
        return opened[-1]

    yield reopen
    for store in opened:
        store.close()


@pytest.fixture
def db_file(tmp_path: Path) -> Path:
    """Where a store on disk will be."""
    return tmp_path / "runs.db"


@pytest.fixture
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
    if kind == "sqlite":
        return SqliteDb(db_file=str(file))
    return SqliteDb2(db_file=str(file))
