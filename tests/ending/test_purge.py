"""P27: ended runs are removed whole, in bounded transactions, and nothing else is touched."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import pytest

from statecore import Inbox, InMemoryDb
from statecore.errors import DuplicateRun, RunPurged, UnknownRun, UnsupportedSetting
from statecore.stores.ending import purging
from statecore.stores.endings import DECIDED, LAST
from statecore.stores.records import RunFilter
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2
from tests.ending.made import IBAN, LIVING, completed, filled, flow_of, rows_of
from tests.sizes import TIMES
from tests.unit.stores.sqlite_files import raw, tamper


def ids(db):
    """The runs that a store lists."""
    return {each.identity.run_id for each in db.runs(RunFilter())}


def test_ended_runs_go_whole_and_nothing_else_is_touched(db, file, clock):
    """Each ended run is gone from every table but its tombstone and the key of its start; each row of the others is what it was."""
    ended = filled(db, clock)
    before = {run_id: rows_of(file, run_id) for run_id in LIVING}
    done = db.purge(clock() + 1, clock(), by="keeper")
    assert (done.runs, done.unread, dict(done.kept)) == (5, (), {})
    assert {run_id: rows_of(file, run_id) for run_id in LIVING} == before
    connection = raw(file)
    assert {name for (name,) in connection.execute("SELECT run_id FROM tombstone")} == set(ended)
    assert connection.execute("SELECT key, run_id FROM start_key").fetchall() == [("k", "done")]
    numbers = tuple(n for (n,) in connection.execute("SELECT run FROM tombstone"))
    marks = ", ".join("?" * len(numbers))
    for query in (
        "run WHERE id",
        "hot WHERE run",
        "event WHERE run",
        "value WHERE event >> 24",
        "move WHERE event >> 24",
        "pause WHERE run",
    ):
        assert connection.execute(f"SELECT count(*) FROM {query} IN ({marks})", numbers).fetchone() == (0,), query  # noqa: S608  # ours
    connection.close()
    found = verify(file)
    assert (found.faults, found.purged, found.runs) == ([], 5, 3)
    assert ids(db) == set(LIVING)


def test_a_purged_run_is_named_so_and_its_names_are_not_used_again(db, clock):
    """Its id finds `RunPurged`, begins no other run, and neither does the key of its start; the number of a run is never used again."""
    filled(db, clock)
    numbers = db._read(lambda link: link.execute("SELECT max(id) FROM run").fetchone()[0])
    db.purge(clock() + 1, clock())
    for looks in (db.load, db.journal, db.decisions, db.head):
        with pytest.raises(RunPurged, match="was purged at"):
            looks("done")
    with pytest.raises(UnknownRun) as never:
        db.load("never")
    assert not isinstance(never.value, RunPurged)
    flow = flow_of(db, clock)
    with pytest.raises(DuplicateRun):
        flow.run(IBAN, run_id="done")
    with pytest.raises(RunPurged):
        flow.run(IBAN, idempotency_key="k")
    flow.run(IBAN, run_id="new")
    assert db._read(lambda link: link.execute("SELECT id FROM run WHERE run_id = 'new'").fetchone()[0]) > numbers


def test_the_age_counts_from_the_end(db, clock):
    """A run goes when it ended before the instant, not when it began before it; a plan removes nothing and says the same."""
    flow = flow_of(db, clock)
    completed(flow, "old")
    flow.run(IBAN, run_id="long")
    clock.advance(100 * 86_400)
    flow.decide("long", "gate:confirmation:0", "confirm")
    flow.continue_run(run_id="long")
    box = Inbox(db, flow.host)
    plan = box.purge(timedelta(days=90), plan=True)
    assert (plan.runs, plan.planned, ids(db)) == (1, True, {"old", "long"})
    assert box.purge(timedelta(days=90)).runs == 1
    assert ids(db) == {"long"}


def test_what_is_narrowed_stays(db, clock):
    """Runs of another workflow stay; with decisions kept a run in which a person decided stays; what is set aside stays."""
    filled(db, clock)
    assert db.purge(clock() + 1, clock(), workflow_id="wide").runs == 1
    Inbox(db).quarantine("failed")
    done = db.purge(clock() + 1, clock(), keep_decisions=True)
    assert (done.runs, dict(done.kept)) == (1, {DECIDED: 2, purging.ASIDE: 1})
    assert ids(db) == {*LIVING, "done", "again", "failed"}


def test_a_damaged_run_is_left_and_named(db, file, clock):
    """Evidence of damage is not purged: a run that does not stand where it was sealed stays, is named, and keeps no other from going."""
    filled(db, clock)
    tamper(file, "UPDATE hot SET held = '[] ' WHERE run = (SELECT id FROM run WHERE run_id = 'failed')")
    done = db.purge(clock() + 1, clock())
    assert (done.runs, [each.run_id for each in done.unread]) == (4, ["failed"])
    assert [fault.run_id for fault in verify(file).faults] == ["failed"]


def test_the_state_of_a_session_outlives_its_runs(db, file, clock):
    """The next run of a session goes on from the state that the purged ones left, however the runs went; superseded states go."""
    flow = flow_of(db, clock, session="s")
    completed(flow, "one")
    completed(flow, "two")
    state = db.session_state("s", flow.id)
    assert IBAN in state
    assert db.purge(clock() + 1, clock()).runs == 2
    assert db.session_state("s", flow.id) == state
    assert verify(file).faults == []
    completed(flow, "three")
    clock.advance(1)
    assert db.purge(clock() + 1, clock()).runs == 1
    assert (db.session_state("s", flow.id), verify(file).faults) == (state, [])
    assert raw(file).execute("SELECT count(*) FROM session_value").fetchone() == (1,)


def test_a_session_does_not_go_back_to_an_older_state(db, clock):
    """The run that a session goes on from stays while an older run of the session is there, for that one's state is out of date."""
    flow = flow_of(db, clock, session="s")
    flow.run(IBAN, run_id="older")
    completed(flow, "newer")
    done = db.purge(clock() + 1, clock())
    assert (done.runs, dict(done.kept)) == (0, {LAST: 1})
    flow.cancel_run("older")
    clock.advance(1)
    db.purge(clock() + 1, clock())
    assert ids(db) <= {"older"}


@pytest.mark.parametrize("rows", [1, 7, 60])
def test_transactions_are_bounded(db, file, clock, rows, monkeypatch):
    """No transaction removes more rows than its bound, but for the last row of a run; a larger run goes in slices, its tombstone first."""
    filled(db, clock)
    monkeypatch.setattr(purging, "ROWS", rows)
    seen, rare = [], 1 if TIMES > 1 else max(9 // rows, 1)

    def noted(batch):
        seen.append(batch.rows)
        if len(seen) % rare == 0:
            assert verify(file).faults == []
            assert ids(db) >= set(LIVING)

    monkeypatch.setattr(type(db), "_wrote", lambda _, count: noted(purging.Batch(purging.Key(), rows=count)))
    assert db.purge(clock() + 1, clock()).runs == 5
    assert max(seen) <= rows + 3
    assert len(seen) >= 100 // rows


def test_transactions_have_at_most_so_many_runs(db, clock, monkeypatch):
    """No transaction removes more runs than its bound."""
    monkeypatch.setattr(purging, "RUNS", 2)
    filled(db, clock)
    told: list[int] = []
    db.purge(clock() + 1, clock(), progress=told.append)
    assert told == [2, 4, 5]


def test_format_2_is_refused_by_name(tmp_path, clock):
    """A store of format 2 cannot purge, and is told to be migrated; a store in memory can."""
    with closing(SqliteDb2(tmp_path / "old.db")) as old, pytest.raises(UnsupportedSetting, match="statecore migrate"):
        Inbox(old).purge(timedelta(days=1))
    memory = InMemoryDb()
    filled(memory, clock)
    assert memory.purge(clock() + 1, clock(), plan=True).runs == 5
    assert memory.purge(clock() + 1, clock()).runs == 5
    with pytest.raises(RunPurged):
        memory.load("done")
    with pytest.raises(DuplicateRun):
        flow_of(memory, clock).run(IBAN, run_id="done")
    assert memory.session_state("s", "flow") is not None
    assert ids(memory) == set(LIVING)
