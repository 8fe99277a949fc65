"""P26: a count stops after 1,000 rows and says so, unless the exact number is wanted."""

from __future__ import annotations

from contextlib import closing

import pytest

from statecore import Inbox, InMemoryDb, SqliteDb
from statecore.cli.main import main
from statecore.stores import PauseFilter, RunFilter
from statecore.testing.stores.samples import asked, question


def many(db, number):
    """So many runs that wait, of two sessions."""
    for n in range(number):
        asked(db, f"run-{n}", question(f"run-{n}"), session_id=f"s{n % 2}")
    return db


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_a_count_stops_at_a_thousand(tmp_path, kind):
    """Of 1,003 runs 1,000 are counted, and there are more; exactly they are 1,003. A filter counts what fits it; limit and page count for nothing."""
    db = SqliteDb(tmp_path / "runs.db", durability="normal") if kind == "sqlite" else InMemoryDb()
    with closing(many(db, 1_003)):
        box = Inbox(db)
        for wanted in (RunFilter(limit=3), PauseFilter(limit=3)):
            found = box.count(wanted)
            assert (found.number, found.more, str(found)) == (1_000, True, "1,000+")
            exactly = box.count(wanted, exact=True)
            assert (exactly.number, exactly.more, str(exactly)) == (1_003, False, "1,003")
        assert box.count(RunFilter(session_id="s1")).number == 501
        assert box.count(RunFilter(session_id="none")).number == 0
        assert box.count(RunFilter(phases=("paused",)), exact=True).number == 1_003
        assert box.count(PauseFilter(run_id="run-7")).number == 1


def test_the_commands(tmp_path, capsys):
    """`runs --count` and `pending --count` print the number."""
    with closing(many(SqliteDb(tmp_path / "runs.db", durability="normal"), 5)):
        for command in (
            ["runs", "--count"],
            ["pending", "--count"],
            ["runs", "--exact"],
            ["runs", "--count", "--session", "s1", "--exact"],
        ):
            assert main([*command, "--db", str(tmp_path / "runs.db")]) == 0
    assert capsys.readouterr().out.split() == ["5", "5", "5", "2"]
