"""CANCEL: ending a run on purpose, in every store and colour."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from statecore import Condition, RunStatus, Step, Steps, Workflow
from statecore.errors import NotPaused
from statecore.run.workflow import WorkflowCancelledEvent
from tests.conformance.drive import Drive, confirm_all, history, statuses


@pytest.mark.spec("CANCEL-1")
@pytest.mark.parametrize("waits", ["for a confirmation", "for an error", "inside groups"])
def test_a_paused_run_ends_at_once(db, drive, calls, waits):
    """Cancelling a paused run ends it at once and returns True; its question is gone, and everything open is cancelled."""
    step: Any = {
        "for a confirmation": lambda: Step("it", calls.does("it"), requires_confirmation=True),
        "for an error": lambda: Step("it", calls.does("it", OSError()), on_error="pause"),
        "inside groups": lambda: Steps("group", [Condition("fork", [Step("it", calls.does("it"), requires_confirmation=True)])]),
    }[waits]()
    workflow = Workflow("flow", [step, calls.does("end")], db)
    run = drive.run(workflow)
    called = list(calls.names)
    assert workflow.cancel_run(run.run_id, by="ann") is True
    now = workflow.get_run_output(run.run_id)
    assert (now.status, now.requirements, workflow.list_pauses()) == (RunStatus.cancelled, [], [])
    assert set(statuses(now).values()) == {"cancelled"}
    assert calls.names == called
    confirm_all(run)
    with pytest.raises(NotPaused, match="CANCELLED"):
        drive.resume(workflow, run)


@pytest.mark.spec("CANCEL-1")
@pytest.mark.parametrize("end", ["completed", "cancelled", "failed"])
def test_cancelling_what_is_over_is_false_and_changes_nothing(db, drive, calls, end):
    """Where the run is over cancel_run returns False, and the run stays what it was."""
    workflow = Workflow(
        "flow", [Step("gate", calls.does("gate", OSError() if end == "failed" else 1), requires_confirmation=True)], db
    )
    run = drive.run(workflow)
    if end == "cancelled":
        assert workflow.cancel_run(run.run_id)
    else:
        confirm_all(run)
        try:
            drive.resume(workflow, run)
        except OSError:
            assert end == "failed"
    before = history(workflow, run.run_id)
    assert workflow.cancel_run(run.run_id) is False
    assert history(workflow, run.run_id) == before
    if end == "failed":
        with pytest.raises(OSError):
            drive.resume(workflow, run_id=run.run_id, retry_failed=True)


@pytest.mark.spec("CANCEL-1")
@pytest.mark.parametrize("outcome", ["returns", "raises"])
@pytest.mark.parametrize("policy", ["fail", "skip", "pause"])
def test_a_running_run_ends_at_its_next_boundary(db, drive, calls, outcome, policy):
    """The step that runs is let finish and its end is journaled; nothing begins after it, and no error policy converts the cancellation."""

    def work(step_input):
        calls.note("work", step_input)
        assert workflow.cancel_run("r", by="ann") is True
        if outcome == "raises":
            raise OSError("x")
        return "done"

    workflow = Workflow("flow", [Steps("group", [Step("work", work, on_error=policy), calls.does("next")]), calls.does("end")], db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, run.requirements, calls.names) == (RunStatus.cancelled, [], ["work"])
    assert run.content is None
    ends = [entry.trigger for entry in db.journal("r") if entry.at == "group/work"]
    assert ends[1] == {"returns": "succeed", "raises": "fail"}[outcome]
    assert statuses(run)["group"] == "cancelled"
    assert [event.reason for event in drive.heard(WorkflowCancelledEvent)] == ["cancelled by ann"] * drive.streams


@pytest.mark.spec("CANCEL-1")
def test_an_evaluator_that_cancels_chooses_no_branch(db, drive, calls):
    """A cancellation that comes while an evaluator runs ends the run before a branch begins."""
    fork = Condition("fork", [calls.does("then")], [calls.does("else")], evaluator=lambda _: workflow.cancel_run("r"))
    workflow = Workflow("flow", [fork, calls.does("end")], db)
    run = drive.run(workflow, run_id="r")
    assert (run.status, calls.names) == (RunStatus.cancelled, [])


@pytest.mark.spec("CANCEL-1")
def test_a_stored_decision_does_not_outlive_the_cancellation(db, drive, calls):
    """A decision that was stored and not applied when the run was cancelled is never carried out."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True)], db)
    run = drive.run(workflow)
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm")
    assert workflow.cancel_run(run.run_id)
    with pytest.raises(ValueError):
        drive.resume(workflow, run_id=run.run_id)
    with pytest.raises(NotPaused):
        workflow.decide(run.run_id, "gate:confirmation:1", "confirm")
    assert (calls.names, workflow.recover()) == ([], [])


@pytest.mark.spec("CANCEL-1")
def test_the_asynchronous_twin_does_the_same(db, calls):
    """`acancel_run` ends a paused run like `cancel_run`."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True)], db)
    run = Drive("async").run(workflow)
    assert asyncio.run(workflow.acancel_run(run.run_id)) is True
    assert workflow.get_run_output(run.run_id).is_cancelled
