"""P27: a purge beside two workers and two deciders, in processes of their own: every run ends well or is purged, and the store is sound."""

from __future__ import annotations

from contextlib import closing
from multiprocessing import get_context

from statecore import SqliteDb, Step, Worker, Workflow
from statecore.stores.ending import purging
from statecore.stores.records import RunFilter
from statecore.stores.sqlite.health import verify
from tests.sizes import examples

FAR = 2**60


def gated(db, name="gated"):
    """A run that waits for a person, in a session of its own or in a shared one."""

    def count(_, run_context):
        run_context.session_state["n"] = run_context.session_state.get("n", 0) + 1
        return "x"

    return Workflow(
        name, [Step("gate", lambda _: "y", requires_confirmation=True), Step("count", count)], db=db, session_id="shared"
    )


def work(file, times):
    """Execute what is decided, again and again."""
    with closing(SqliteDb(file, durability="normal")) as db:
        for _ in range(times):
            Worker(gated(db), 1).work(until_idle=True)


def decide(file, first, times):
    """Start runs and confirm them."""
    with closing(SqliteDb(file, durability="normal")) as db:
        flow = gated(db)
        for n in range(times):
            flow.run("x", run_id=f"new-{first}-{n}")
            flow.decide(f"new-{first}-{n}", "gate:confirmation:0", "confirm", by="ada")


def test_a_purge_runs_beside_workers_and_deciders(tmp_path, monkeypatch):
    """Small transactions of a purge come between those of the others; nothing of them is lost, busy for ever or damaged."""
    monkeypatch.setattr(purging, "ROWS", 11)
    file, times = tmp_path / "runs.db", examples(12)
    with closing(SqliteDb(file, durability="normal")) as db:
        old = Workflow("old", [Step("a", lambda _: "x" * 2_000)], db=db)
        for n in range(2 * times):
            old.run("x", run_id=f"old-{n}")
        new = get_context("fork")
        others = [new.Process(target=work, args=(file, times)) for _ in range(2)]
        others += [new.Process(target=decide, args=(file, each, times)) for each in range(2)]
    for each in others:
        each.start()
    with closing(SqliteDb(file, durability="normal")) as db:
        done = db.purge(FAR, FAR, workflow_id="old")
        assert done.runs == 2 * times
        for each in others:
            each.join()
        assert [each.exitcode for each in others] == [0] * 4
        work(file, 1)
        found = db.runs(RunFilter(limit=10_000))
        assert {each.identity.run_id for each in found} == {f"new-{first}-{n}" for first in range(2) for n in range(times)}
        assert {each.state.run for each in found} == {"completed"}
        # where the run claimed last in a session has ended before an older one, the first purge leaves it: the second one takes it
        assert sum(db.purge(FAR, FAR).runs for _ in range(2)) == 2 * times
        assert db.session_state("shared", "gated") is not None
    checked = verify(file)
    assert (checked.faults, checked.purged, checked.runs) == ([], 4 * times, 0)
