"""P21: a root that is kept elsewhere notices a run that was deleted, replaced or shortened afterwards; a purge leaves it as it is."""

from __future__ import annotations

from contextlib import closing

import pytest

from statecore import Inbox, InMemoryDb, SqliteDb
from statecore.cli.main import main
from statecore.stores.endings import Anchored, Archives
from statecore.stores.sqlite.health import verify
from statecore.testing.doubles import Clock
from tests.ending.made import completed, filled, flow_of
from tests.unit.stores.sqlite_files import raw, tamper


@pytest.fixture
def db(file):
    """A store with runs of every kind."""
    with closing(SqliteDb(file, durability="normal")) as store:
        filled(store, Clock())
        yield store


def why(file, kept):
    """What `verify` finds of a root that was kept."""
    return [f"{fault.where}: {fault.why}" for fault in verify(file, anchored=kept).faults]


def test_a_root_never_changes(db, file, clock):
    """Each run has a leaf for its beginning, and one for its end; roots over the first n stay as they were, also after a purge and an erasure."""
    first = db.anchor()
    assert (first.leaves, first.added) == (8 + 5, 13)
    assert db.anchor() == Anchored(13, first.root, 0)
    completed(flow_of(db, clock), "more")
    second = db.anchor()
    assert (second.leaves, second.added) == (15, 2)
    db.erase("failed", "dpo", clock())
    assert db.purge(clock() + 1, clock()).runs == 6
    flow_of(db, clock).cancel_run("paused")
    third = db.anchor()
    assert (third.leaves, third.added) == (16, 1)
    assert db.root(13).root == first.root
    for kept in (first, second, third):
        found = verify(file, anchored=kept)
        assert (found.faults, found.root) == ([], kept.root)


def test_a_reopened_run_ends_again(db, file, clock):
    """A failed run that goes on after it was anchored has another leaf for its next end, and the older one stays true."""
    from statecore import Step, Workflow

    fails = [True]

    def work(_):
        if fails:
            raise OSError("not yet")
        return "fine"

    flow = Workflow("again", [Step("a", work)], db=db)
    with pytest.raises(OSError, match="not yet"):
        flow.run("x", run_id="twice")
    before = db.anchor()
    fails.clear()
    flow.continue_run(run_id="twice", retry_failed=True)
    after = db.anchor()
    assert after.added == 1
    assert why(file, before) == why(file, after) == []
    db.purge(2**60, 2**60)
    assert why(file, before) == why(file, after) == []


GONE = (
    "DELETE FROM value WHERE event >> 24 = {run}",
    "DELETE FROM pause WHERE run = {run}",
    "DELETE FROM event WHERE run = {run}",
    "DELETE FROM session_value WHERE run = {run}",
    "DELETE FROM start_key WHERE run_id = 'done'",
    "DELETE FROM hot WHERE run = {run}",
    "DELETE FROM run WHERE id = {run}",
)


def number_of(file, run_id):
    """The number of a run."""
    with closing(raw(file)) as connection:
        return connection.execute("SELECT id FROM run WHERE run_id = ?", (run_id,)).fetchone()[0]


def test_a_deleted_run_is_noticed(db, file):
    """A thief who takes every row of a run is not seen without a leaf; with one he is, and also where he takes the leaves along."""
    number = number_of(file, "done")
    kept = db.anchor()
    db.close()
    tamper(file, *[each.format(run=number) for each in GONE])
    assert any("its run is gone, and there is no tombstone" in each for each in why(file, kept))
    tamper(file, f"DELETE FROM leaf WHERE run = {number}")  # noqa: S608  # a number
    assert any("is missing" in each for each in why(file, kept))
    tamper(file, "DELETE FROM leaf")
    assert why(file, kept) == ["table leaf: it has 0 leaves, and the root was made over 13"]
    assert verify(file).faults == []


def test_leaves_made_anew_have_another_root(db, file):
    """A thief who deletes a run and makes the leaves anew, gap free and all hashes right, has another root than the one that was kept."""
    kept = db.anchor()
    number = number_of(file, "done")
    db.close()
    tamper(file, *[each.format(run=number) for each in GONE], "DELETE FROM leaf")
    with closing(SqliteDb(file, durability="normal")) as again:
        new = again.anchor()
    assert new.leaves == 11
    assert verify(file).faults == []
    assert why(file, kept) != []
    assert why(file, Anchored(11, kept.root)) != []


def test_a_shortened_or_replaced_run_is_noticed(db, file):
    """A run that another one took the place of, and a tombstone that was forged, do not agree with their leaves."""
    kept = db.anchor()
    number = number_of(file, "wide")
    tamper(file, f"DELETE FROM event WHERE run = {number}")  # noqa: S608  # a number
    assert any("shortened or replaced" in each for each in why(file, kept))


def test_the_commands(db, file, capsys):
    """`audit --anchor` prints root and number; `verify --root` accepts them and no other; both options are needed; memory has no chain."""
    db.close()
    assert main(["audit", "--anchor", "--db", str(file)]) == 0
    root = capsys.readouterr().out.split()[0]
    assert main(["audit", "--db", str(file)]) == 0
    assert capsys.readouterr().out.startswith(f"{root} over 13 leaves\n")
    assert main(["verify", str(file), "--root", root, "--leaves", "13"]) == 0
    assert f"root  {root}" in capsys.readouterr().out
    assert main(["verify", str(file), "--root", root, "--leaves", "12"]) == 1
    assert main(["verify", str(file), "--root", root]) == 2
    assert not isinstance(InMemoryDb(), Archives)
    assert Inbox(InMemoryDb()) is not None
