"""P28: a process dies at each statement of an erasure; the store is sound, and the next erasure takes what is left."""

from __future__ import annotations

from contextlib import closing
from shutil import copytree, rmtree

import pytest

from statecore import SqliteDb
from statecore.stores.sqlite.health import verify
from statecore.testing.doubles import Clock
from tests.ending.made import IBAN, completed, flow_of, rows_of
from tests.sizes import examples
from tests.unit.stores.counted import Counted, dies
from tests.unit.stores.sqlite_files import folder_of

OTHER = "GB33BUKB20201555555555"


@pytest.fixture(scope="module")
def seed(tmp_path_factory):
    """A store with one run that holds the value, and one that waits."""
    folder = tmp_path_factory.mktemp("seed") / "store"
    folder.mkdir()
    clock = Clock()
    with closing(SqliteDb(folder / "runs.db", durability="normal")) as db:
        flow = flow_of(db, clock)
        completed(flow, "one", comment=IBAN, user_id=IBAN, session_id=IBAN)
        flow.run(OTHER, run_id="paused")
    return folder


def erased(file, factory=Counted):
    """An erasure of the run that has ended."""
    with closing(SqliteDb(file, durability="normal", connection_factory=factory)) as db:
        assert db.erase("one", "dpo", Clock()() + 1, reason="asked").done


@pytest.mark.parametrize("after", [False, True])
def test_an_erasure_goes_on_from_each_statement(seed, tmp_path, after):
    """Killed before or after any statement: sound, the waiting run untouched, and after the next erasure no trace is left, under one order."""
    folder = tmp_path / "store"
    file = folder / "runs.db"
    copytree(seed, folder)
    Counted.done, Counted.fatal = 0, 0
    erased(file)
    statements, waiting = Counted.done, rows_of(seed / "runs.db", "paused")
    few = min(examples(11), statements)
    points = sorted({1 + n * statements // few for n in range(few)})
    struck = 0
    for fatal in points:
        rmtree(folder)
        copytree(seed, folder)
        struck += dies(lambda: erased(file), fatal, after=after)
        assert verify(file).faults == [], f"killed at statement {fatal} of {statements}"
        Counted.fatal = 0
        erased(file)
        found = verify(file)
        assert (found.faults, rows_of(file, "paused")) == ([], waiting)
        assert [each.why.split(" at ")[0] for each in found.remarks][:1] == ["erased: everything, ordered by dpo"]
        assert [name for name, content in folder_of(file).items() if IBAN.encode() in content] == []
    assert struck == len(points)
