"""P26: an idle worker takes no writer's lock."""

from __future__ import annotations

import pytest

from statecore import SqliteDb, Step, Workflow
from statecore.runtime.worker import Worker
from statecore.stores.owner import this_process
from statecore.stores.sqlite.store import SqliteDb2
from statecore.testing.stores.samples import DEAD
from tests.unit.stores.sqlite_files import raw


@pytest.fixture(params=[SqliteDb2, SqliteDb])
def store(request, tmp_path):
    """A store with a run that waits for a person, one that has ended, and one that this process executes."""
    store = request.param(tmp_path / "runs.db")
    gated = Workflow("flow", [Step("a", lambda _: 1, requires_confirmation=True)], db=store)
    gated.run(run_id="waits")
    gated.run(run_id="over")
    gated.decide("over", "a:confirmation:0", "confirm")
    gated.continue_run(run_id="over")
    gated.submit(run_id="executed")
    assert len(store.claim_next("flow", this_process(), 1)) == 1
    yield store
    store.close()


def test_an_idle_worker_takes_no_writers_lock(store, tmp_path):
    """While another process holds the writer's place, a worker with nothing to do looks, finds nothing, and waits for nobody."""
    other = raw(tmp_path / "runs.db")
    other.execute("BEGIN IMMEDIATE")
    gated = Workflow("flow", [Step("a", lambda _: 1, requires_confirmation=True)], db=store)
    counts = Worker(gated).work(until_idle=True)
    other.execute("ROLLBACK")
    other.close()
    assert dict(counts) == {}


@pytest.mark.parametrize("how", ["submitted", "decided", "left"])
def test_what_can_go_on_is_not_overlooked(store, how):
    """A run that was submitted, decided, or left by a dead owner is claimed."""
    gated = Workflow("flow", [Step("a", lambda _: 1, requires_confirmation=True)], db=store)
    if how == "submitted":
        gated.submit(run_id="new")
    elif how == "decided":
        gated.decide("waits", "a:confirmation:0", "confirm")
    else:
        store.release("executed", store.load("executed").epoch)
        assert len(store.claim_next("flow", DEAD, 2)) == 1
    assert len(store.claim_next("flow", this_process(), 3)) == 1
    assert store.claim_next("flow", this_process(), 4) == []
