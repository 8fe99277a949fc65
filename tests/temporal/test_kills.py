"""Workers that are killed: Temporal sees it, the core says what it means, and another worker goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from statecore.stores import RunFilter
from statecore.temporal import TemporalDb, TemporalWorkflows
from statecore.testing import assert_invariants
from tests.temporal import steps
from tests.temporal.conftest import history_of
from tests.temporal.record import replay
from tests.temporal.servers import Server
from tests.temporal.steps import asking, workflow
from tests.temporal.workers import process, processes, until

LEASE = 1.0
"""Seconds: what is not killed here ends at once, or never, so that nobody is taken for dead who is only slow."""


def rows(runs: TemporalWorkflows, run_id: str, at: str) -> list[str]:
    """What happened at an address."""
    return [entry.trigger for entry in runs.db.journal(run_id) if entry.at == at]


@pytest.mark.spec("CRASH-2")
def test_a_worker_killed_in_a_step_and_at_a_pause(
    server: Server, db: TemporalDb, serve: Callable[..., TemporalWorkflows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in a step, another worker calls it again, and the journal says so. Killed at a pause, nothing is lost.

    What people owe is listed while no worker lives, a decision is left, and the next worker goes on with it.
    """
    db.lease = LEASE
    runs = TemporalWorkflows(workflow, db)
    with process(server.target, "workflow", tmp_path) as first:
        run_id = runs.start("stuck-1")
        until((tmp_path / "stuck-1.slow.0").exists)
        first.kill()
        first.wait()
        with process(server.target, "workflow", tmp_path) as second:
            paused = runs.wait(run_id, timeout=60)
            assert paused.paused_step_name == "approve"
            assert rows(runs, run_id, "slow") == ["enter", "interrupt", "succeed"]
            pids = [path.read_text() for path in sorted(tmp_path.glob("stuck-1.slow.*"))]
            assert pids == [str(first.pid), str(second.pid)]
            second.kill()
            second.wait()
    [asked] = runs.workflow.list_pauses(run_id=run_id)
    assert (asked.step_name, asked.to_dict()["confirmation_message"]) == ("approve", "Pay it?")
    assert "SC505" in asked.to_dict()["about"]["unreadable"]
    until(lambda: [each.run_id for each in runs.workflow.list_pauses() if each.run_id == run_id])
    assert run_id in [each.identity.run_id for each in db.runs(RunFilter(workflow_id="killed", prefix=run_id[:8]))]
    assert db.runs(RunFilter(workflow_id="killed", prefix=f"{run_id[:8]}_")) == []
    later = TemporalWorkflows(workflow, TemporalDb(server.target, wait=False))
    later.workflow.decide(run_id, asked.pause_id, "confirm", by="ada")
    later.db.close()
    monkeypatch.setattr(steps, "FOLDER", tmp_path)
    serve(workflow)
    until(lambda: db.load(run_id).state.run == "completed")
    assert runs.workflow.get_run_output(run_id).content == "paid stuck-1 done"
    assert rows(runs, run_id, "approve") == ["enter", "confirm", "succeed"]
    assert assert_invariants(db, run_id) == 1
    replay(history_of(db, run_id))
    assert len(list(tmp_path.glob("stuck-1.pay.*"))) == 1


@pytest.mark.spec("CRASH-2")
def test_a_person_decides_about_an_interrupted_step(server: Server, db: TemporalDb, tmp_path: Path) -> None:
    """Where the policy says pause, nobody calls a step again before a person says so."""
    db.lease = LEASE
    runs = TemporalWorkflows(asking, db)
    with processes(server.target, "asking", tmp_path, many=2) as both:
        run_id = runs.start("stuck-2")
        path = tmp_path / "stuck-2.slow.0"
        until(path.exists)
        executing = {str(each.pid): each for each in both}[path.read_text()]
        executing.kill()
        paused = runs.wait(run_id, timeout=60)
        assert (paused.pause_kind, paused.error_requirements[0].error_type) == ("interrupted", "Interrupted")
        assert len(list(tmp_path.glob("stuck-2.slow.*"))) == 1
        paused.error_requirements[0].retry(by="ada")
        assert runs.continue_run(paused, timeout=60).content == "paid stuck-2 done"
    replay(history_of(db, run_id))
