"""P27: a process dies at each statement of a purge; the store is sound, nothing that goes on was touched, and the next purge ends the same."""

from __future__ import annotations

from contextlib import closing
from shutil import copytree, rmtree

import pytest

from statecore import SqliteDb
from statecore.stores.ending import purging
from statecore.stores.records import RunFilter
from statecore.stores.sqlite.health import verify
from statecore.testing.doubles import Clock
from tests.ending.made import LIVING, filled, rows_of
from tests.sizes import examples
from tests.unit.stores.counted import Counted, dies
from tests.unit.stores.sqlite_files import raw

LATE = Clock()() + 10**9


@pytest.fixture(scope="module")
def seed(tmp_path_factory):
    """A store with runs of every kind, once."""
    folder = tmp_path_factory.mktemp("seed") / "store"
    folder.mkdir()
    with closing(SqliteDb(folder / "runs.db", durability="normal")) as db:
        filled(db, Clock())
    return folder


def purged(file, factory=Counted):
    """A purge of everything that has ended."""
    with closing(SqliteDb(file, durability="normal", connection_factory=factory)) as db:
        db.purge(LATE, LATE, by="keeper")


def left(file):
    """What is there after a purge, but what is drawn and when."""
    with closing(raw(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}  # noqa: S608  # names of the schema
        return counts, sorted(
            connection.execute("SELECT run, run_id, workflow, identity, phase, number, head, purged_us FROM tombstone").fetchall()
        )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("rows", [40, 5_000])
def test_a_purge_goes_on_from_each_statement(seed, tmp_path, rows, after, monkeypatch):
    """Killed before or after any statement, in one transaction or in slices: sound, the living runs untouched, and the next purge ends the same."""
    monkeypatch.setattr(purging, "ROWS", rows)
    folder = tmp_path / "store"
    file = folder / "runs.db"
    copytree(seed, folder)
    Counted.done, Counted.fatal = 0, 0
    purged(file)
    statements, right = Counted.done, left(file)
    living = {run_id: rows_of(seed / "runs.db", run_id) for run_id in LIVING}
    few = min(examples(9), statements)
    struck = 0
    points = sorted({1 + n * statements // few for n in range(few)})
    for fatal in points:
        rmtree(folder)
        copytree(seed, folder)
        struck += dies(lambda: purged(file), fatal, after=after)
        found = verify(file)
        assert found.faults == [], f"killed at statement {fatal} of {statements}"
        assert {run_id: rows_of(file, run_id) for run_id in LIVING} == living
        with closing(SqliteDb(file, durability="normal")) as db:
            assert {each.identity.run_id for each in db.runs(RunFilter())} >= set(LIVING)
        Counted.fatal = 0
        purged(file)
        assert left(file) == right, f"killed at statement {fatal} of {statements}"
        assert verify(file).remarks == []
    assert struck == len(points)
