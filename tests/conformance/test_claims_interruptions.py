"""ERR-9: being told to stop is nobody's error, in every store and colour."""

from __future__ import annotations

import asyncio

import pytest

from statecore import RunStatus, Step, Workflow
from statecore.stores.owner import this_process
from statecore.testing.stores.samples import claim
from tests.conformance.drive import confirm_all, flat, triggers


class Boom(Exception):  # the user's own
    pass


@pytest.mark.spec("ERR-9", "CRASH-2")
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("policy", ["fail", "skip"])
def test_an_interruption_is_nobodys_error(db, drive, calls, interruption, policy):
    """KeyboardInterrupt and SystemExit go through; the run is left RUNNING, is recorded as interrupted, and can be continued at once."""
    workflow = Workflow("flow", [calls.does("a"), Step("b", calls.does("b", interruption("stop"), "fine"), on_error=policy)], db)
    with pytest.raises(interruption):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert (run.status, run.requirements) == (RunStatus.running, [])
    assert triggers(workflow, "r", "b") == ["enter", "interrupt"]
    assert flat(run.step_results)["b"].failures[0]["error_type"] == "Interrupted"
    run = drive.resume(workflow, run_id="r")
    assert (run.status, run.content, calls.names) == (RunStatus.completed, "fine", ["a", "b", "b"])
    assert flat(run.step_results)["b"].attempt == 0


@pytest.mark.spec("ERR-9", "CRASH-2")
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("settings", [{"on_error": "pause"}, {"on_interrupt": "pause"}])
def test_an_interruption_under_pause_asks_a_person(db, drive, calls, interruption, settings):
    """The interruption is stored at once: the run is PAUSED with a question of kind interrupted, which retry and skip answer."""
    workflow = Workflow(
        "flow", [Step("b", calls.does("b", interruption(), Boom("x"), "fine"), on_error="pause"), calls.does("end")], db
    )
    workflow = (
        workflow
        if "on_error" in settings
        else Workflow("flow", [Step("b", calls.does("b", interruption(), "fine"), **settings), calls.does("end")], db)
    )
    with pytest.raises(interruption):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    [asked] = run.steps_with_errors
    assert (asked.kind, asked.error_type, asked.step_name, asked.retry_count) == ("interrupted", "Interrupted", "b", 0)
    asked.retry()
    run = drive.resume(workflow, run)
    if "on_error" in settings:
        assert [(f.kind, f.error_message, f.retry_count) for f in run.steps_with_errors] == [("error", "x", 1)]
        run = drive.finish(workflow, run, confirm_all)
    assert run.status is RunStatus.completed


@pytest.mark.spec("ERR-9", "CRASH-2")
def test_an_interruption_may_fail_the_step(db, drive, calls):
    """`on_interrupt=fail`: the interruption goes through, and the run has failed; a person may reopen it."""
    workflow = Workflow("flow", [Step("b", calls.does("b", KeyboardInterrupt(), "fine"), on_interrupt="fail")], db)
    with pytest.raises(KeyboardInterrupt):
        drive.run(workflow, run_id="r")
    assert workflow.get_run_output("r").status is RunStatus.error
    assert drive.resume(workflow, run_id="r", retry_failed=True).content == "fine"


@pytest.mark.spec("ERR-9")
def test_an_interrupted_attempt_leaves_no_trace_in_session_state(db, drive):
    """What an interrupted call did to the session state is undone, and it is called again as the same attempt with the same key."""
    seen = []

    def work(step_input, run_context):
        seen.append((dict(run_context.session_state), step_input.attempt, step_input.idempotency_key))
        run_context.session_state["x"] = len(seen)
        if len(seen) == 1:
            raise KeyboardInterrupt

    workflow = Workflow("flow", [Step("a", work)], db)
    with pytest.raises(KeyboardInterrupt):
        drive.run(workflow, run_id="r")
    run = drive.resume(workflow, run_id="r")
    assert seen[0] == seen[1] == ({}, 0, "r/a")
    assert run.session_state == {"x": 2}


@pytest.mark.spec("ERR-9", "CRASH-2")
@pytest.mark.parametrize("policy", [None, "retry"])
def test_a_third_interruption_asks_a_person(db, drive, calls, policy):
    """P15: a step that is interrupted three times in a row is put to a person though it is to be retried; a retry counts anew."""
    stops = [KeyboardInterrupt(), KeyboardInterrupt(), KeyboardInterrupt(), KeyboardInterrupt(), "fine"]
    workflow = Workflow("flow", [Step("b", calls.does("b", *stops), on_interrupt=policy)], db)
    with pytest.raises(KeyboardInterrupt):
        drive.run(workflow, run_id="r")
    for _ in range(2):
        assert workflow.get_run_output("r").status is RunStatus.running
        with pytest.raises(KeyboardInterrupt):
            drive.resume(workflow, run_id="r")
    run = workflow.get_run_output("r")
    [asked] = run.steps_with_errors
    assert (run.status, asked.kind, asked.retry_count, len(calls.names)) == (RunStatus.paused, "interrupted", 0, 3)
    assert triggers(workflow, "r", "b") == ["enter", "interrupt", "interrupt", "interrupt"]
    asked.retry()
    with pytest.raises(KeyboardInterrupt):
        drive.resume(workflow, run)
    assert workflow.get_run_output("r").status is RunStatus.running
    assert drive.resume(workflow, run_id="r").content == "fine"


@pytest.mark.spec("CRASH-2")
def test_a_claim_that_came_and_died_in_between_is_an_interruption(db, drive, calls, monkeypatch):
    """Another process takes the run after it was read and before it is claimed, and dies in its call: that call is journaled as in doubt."""
    workflow = Workflow("flow", [Step("a", calls.does("a", KeyboardInterrupt(), "fine"), on_interrupt="retry")], db)
    with pytest.raises(KeyboardInterrupt):
        drive.run(workflow, run_id="r")
    dead, name = this_process().rpartition("/")[0] + "/0", "look" if hasattr(db, "look") else "load"
    real = getattr(db, name)

    def read(*wanted):
        monkeypatch.undo()
        found = real(*wanted)
        claim(db, "r", dead, workflow.host.clock(), workflow.host.lease_end())
        return found

    monkeypatch.setattr(db, name, read)
    assert drive.resume(workflow, run_id="r").content == "fine"
    assert triggers(workflow, "r", "a") == ["enter", "interrupt", "interrupt", "succeed"]


@pytest.mark.spec("CRASH-1", "ERR-9")
def test_what_was_left_is_taken_over_on_asyncio(db, calls):
    """`arecover` drives on what an interruption left running, as `recover` does, and has nothing to do afterwards."""
    workflow = Workflow("flow", [Step("a", calls.does("a", KeyboardInterrupt(), "fine")), calls.does("end")], db)
    with pytest.raises(KeyboardInterrupt):
        workflow.run(run_id="r")
    assert [run.status for run in asyncio.run(workflow.arecover())] == [RunStatus.completed]
    assert (asyncio.run(workflow.arecover()), calls.names) == ([], ["a", "a", "end"])
