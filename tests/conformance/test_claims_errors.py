"""ERR: what follows from a failure, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, RunStatus, Step, StepOutput, Steps, Workflow
from statecore.errors import DefinitionError, NotPaused, StepFailed
from statecore.run.workflow import StepErrorEvent, StepPausedEvent, WorkflowErrorEvent
from tests.conformance.drive import confirm_all, flat, statuses, triggers


class Boom(Exception):  # the user's own
    pass


def skip_all(run):
    """A person skips whatever failed."""
    for failed in run.steps_with_errors:
        failed.skip()


@pytest.mark.spec("ERR-1")
@pytest.mark.parametrize("explicit", [True, False])
def test_fail_is_the_default_and_loud(db, drive, calls, explicit):
    """The caller gets the executor's own exception with a note naming run and step; the run is stored as ERROR with that step."""
    error = Boom("no money")
    settings: dict[str, Any] = {"on_error": "fail"} if explicit else {}
    workflow = Workflow("flow", [calls.does("a"), Step("pay", calls.does("pay", error), **settings), calls.does("end")], db)
    with pytest.raises(Boom) as raised:
        drive.run(workflow, run_id="r17")
    assert raised.value is error
    [note] = [note for note in error.__notes__ if "statecore" in note]
    assert "'r17'" in note
    assert "'pay'" in note
    run = workflow.get_run_output("r17")
    assert (run.status, run.is_paused, run.error, run.content) == (RunStatus.error, False, "no money", None)
    assert statuses(run) == {"a": "completed", "pay": "failed"}
    failed = flat(run.step_results)["pay"]
    assert (failed.success, failed.error, failed.error_type) == (False, "no money", "Boom")
    assert (run.requirements, calls.names) == ([], ["a", "pay"])
    if drive.streams:
        assert [type(event) for event in drive.events[-2:]] == [StepErrorEvent, WorkflowErrorEvent]
        assert [(event.error, event.error_type) for event in drive.events[-2:]] == [("no money", "Boom")] * 2


@pytest.mark.spec("ERR-1")
def test_a_failed_run_can_be_resumed(db, drive, calls):
    """A person reopens a failed run: the failed step alone runs again, as a new attempt, with the same input, and the run goes on."""
    pay = Step("pay", calls.does("pay", Boom("1"), Boom("2"), "paid"))
    workflow = Workflow("flow", [calls.does("a"), Steps("group", [calls.does("b"), pay]), calls.does("end")], db)
    for start in (lambda: drive.run(workflow, run_id="r"), lambda: drive.resume(workflow, run_id="r", retry_failed=True)):
        with pytest.raises(Boom):
            start()
        assert set(statuses(workflow.get_run_output("r")).values()) == {"completed", "failed"}
        with pytest.raises(NotPaused, match="retry_failed=True"):
            drive.resume(workflow, run_id="r")
    run = drive.resume(workflow, run_id="r", retry_failed=True)
    assert (run.status, run.content, run.error) == (RunStatus.completed, "end", None)
    assert calls.seen == [("a", None), ("b", "a"), ("pay", "b"), ("pay", "b"), ("pay", "b"), ("end", "paid")]
    assert [failure["error"] for failure in flat(run.step_results)["pay"].failures] == ["1", "2"]


@pytest.mark.spec("ERR-1")
def test_retry_failed_reopens_nothing_else(db, drive, calls):
    """`retry_failed` is for failed runs: a completed one stays over, a paused one is decided as usual."""
    workflow = Workflow("flow", [calls.does("a")], db)
    run = drive.run(workflow)
    with pytest.raises(NotPaused, match="COMPLETED"):
        drive.resume(workflow, run, retry_failed=True)
    assert calls.names == ["a"]


@pytest.mark.spec("ERR-2")
@pytest.mark.parametrize("settings", [{"on_error": "skip"}, {"skip_on_failure": True}])
def test_skip_records_the_step_with_its_error_and_goes_on(db, drive, calls, settings):
    """Under skip the step stands as skipped with its error, and the next one runs."""
    workflow = Workflow("flow", [calls.does("a"), Step("b", calls.does("b", Boom("x")), **settings), calls.does("end")], db)
    run = drive.run(workflow)
    assert run.status is RunStatus.completed
    assert statuses(run) == {"a": "completed", "b": "skipped", "end": "completed"}
    skipped = flat(run.step_results)["b"]
    assert (skipped.error, skipped.error_type, skipped.content) == ("x", "Boom", None)
    assert skipped.failures[0]["error"] == "x"
    assert [(event.step_name, event.error) for event in drive.heard(StepErrorEvent)] == [("b", "x")] * drive.streams
    assert drive.heard(StepPausedEvent) == []


@pytest.mark.spec("ERR-2")
def test_skip_on_failure_contradicts_other_policies():
    """`skip_on_failure=True` beside another `on_error` is refused where it is written."""
    with pytest.raises(DefinitionError, match="skip_on_failure"):
        Step("a", lambda _: None, skip_on_failure=True, on_error="pause")


@pytest.mark.spec("ERR-3")
def test_pause_asks_a_person_about_the_error(db, drive, calls):
    """The question names the step, the exception's words, its class and the number of retries; a stream tells of error and pause."""
    workflow = Workflow("flow", [calls.does("a"), Step("b", calls.does("b", Boom("no luck")), on_error="pause")], db)
    run = drive.run(workflow, {"q": 1})
    assert run.is_paused
    [failed] = run.steps_with_errors
    assert (failed.step_name, failed.error_message, failed.error_type, failed.retry_count) == ("b", "no luck", "Boom", 0)
    assert (failed.kind, failed.decision, failed.needs_decision, failed.is_resolved) == ("error", None, True, False)
    assert (failed.step_input.input, failed.step_input.previous_step_content) == ({"q": 1}, "a")
    assert (run.error_requirements, run.active_error_requirements, run.step_requirements) == ([failed], [failed], [])
    assert run.paused_step_name == "b"
    if drive.streams:
        tail = [event.event for event in drive.events[-3:]]
        assert tail == ["StepError", "StepPaused", "WorkflowPaused"]
        [error], [paused] = drive.heard(StepErrorEvent), drive.heard(StepPausedEvent)
        assert (error.step_name, error.error, error.error_type) == ("b", "no luck", "Boom")
        assert (paused.step_name, paused.kind, paused.pause_id, paused.requires_confirmation) == (
            "b",
            "error",
            failed.pause_id,
            False,
        )


@pytest.mark.spec("ERR-4")
def test_retry_runs_the_step_again_without_limit(db, drive, calls):
    """Each retry calls the step once more with an equal input and counts one more; it pauses again each time it fails."""
    workflow = Workflow(
        "flow", [calls.does("a"), Step("b", calls.does("b", *[Boom(str(n)) for n in range(7)], "fine"), on_error="pause")], db
    )
    asked = []

    def retry(run):
        [failed] = run.steps_with_errors
        asked.append((failed.error_message, failed.retry_count, failed.pause_id))
        failed.retry()

    run = drive.finish(workflow, drive.run(workflow), retry)
    assert [(message, count) for message, count, _ in asked] == [(str(n), n) for n in range(7)]
    assert len({pause for _, _, pause in asked}) == 7
    assert calls.saw("b") == ["a"] * 8
    assert (run.content, run.status) == ("fine", RunStatus.completed)


@pytest.mark.spec("ERR-4")
def test_a_retry_sees_an_untouched_input(db, drive):
    """What the failed attempt did to its input does not reach the retry; its key is the same, its attempt is the next."""
    seen = []

    def spoil(step_input):
        seen.append((list(step_input.previous_step_content), dict(step_input.input), dict(step_input.additional_data)))
        keys.append((step_input.idempotency_key, step_input.attempt))
        step_input.previous_step_content.append("spoilt")
        step_input.input["spoilt"] = step_input.additional_data["spoilt"] = True
        if step_input.attempt < 2:
            raise Boom

    keys: list[tuple[str, int]] = []
    workflow = Workflow("flow", [Step("a", lambda _: [1, 2]), Step("b", spoil, on_error="pause")], db)
    drive.finish(workflow, drive.run(workflow, {"q": 1}, additional_data={"d": 1}), confirm_all)
    assert seen == [([1, 2], {"q": 1}, {"d": 1})] * 3
    assert len({key for key, _ in keys}) == 1
    assert [attempt for _, attempt in keys] == [0, 1, 2]


@pytest.mark.spec("ERR-5")
def test_a_person_skips_a_failed_step(db, drive, calls):
    """Skipped by a person, the step stands as skipped, not failed, and the run goes on."""
    workflow = Workflow("flow", [calls.does("a"), Step("b", calls.does("b", Boom("x")), on_error="pause"), calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), skip_all)
    assert (run.status, calls.names) == (RunStatus.completed, ["a", "b", "end"])
    skipped = flat(run.step_results)["b"]
    assert (skipped.status, skipped.success, skipped.content, skipped.error) == ("skipped", True, None, "x")


@pytest.mark.spec("ERR-5", "ERR-4")
def test_skip_after_retries(db, drive, calls):
    """A person may retry as often as they like and then skip."""
    workflow = Workflow("flow", [Step("b", calls.does("b", Boom("x")), on_error="pause"), calls.does("end")], db)

    def three_times(run):
        for failed in run.steps_with_errors:
            failed.retry() if failed.retry_count < 3 else failed.skip()

    run = drive.finish(workflow, drive.run(workflow), three_times)
    assert calls.names == ["b"] * 4 + ["end"]
    assert triggers(workflow, run.run_id, "b")[-2:] == ["fail", "skip"]


@pytest.mark.spec("ERR-6")
def test_failures_stay_visible_after_success(db, drive, calls):
    """After a retry succeeds the failures before it stay in the journal and in step_results."""
    workflow = Workflow("flow", [Step("a", calls.does("a", Boom("1"), KeyError("2"), "fine"), on_error="pause")], db)
    run = drive.finish(workflow, drive.run(workflow), confirm_all)
    done = flat(run.step_results)["a"]
    assert (done.status, done.content, done.error, done.success) == ("completed", "fine", None, True)
    assert [(f["error"], f["error_type"], f["attempt"]) for f in done.failures] == [("1", "Boom", 0), ("'2'", "KeyError", 1)]
    assert triggers(workflow, run.run_id, "a").count("fail") == 2


@pytest.mark.spec("ERR-7")
@pytest.mark.parametrize("unit", ["steps", "condition", "step of a workflow"])
def test_skip_leaves_a_component_as_a_unit(db, drive, calls, unit):
    """The nearest policy is the component's: skip leaves it, its other children do not run, completed ones stay reachable by name."""
    children = [calls.does("done"), calls.does("bad", Boom("x")), calls.does("rest")]
    component = around(unit, children, on_error="skip")

    def end(step_input):
        return (step_input.previous_step_content, step_input.get_step_content("done"), step_input.get_step_content("bad"))

    run = drive.run(Workflow("flow", [calls.does("a"), component, end], db))
    assert calls.names == ["a", "done", "bad"]
    assert run.content == (None, "done", None)
    assert statuses(run) == {"a": "completed", "unit": "skipped", "done": "completed", "bad": "skipped", "end": "completed"}
    assert flat(run.step_results)["bad"].error == "x"


def around(unit, children, **settings):
    """A component of each grouping kind, named "unit"."""
    return {
        "steps": lambda: Steps("unit", children, **settings),
        "condition": lambda: Condition("unit", children, **settings),
        "step of a workflow": lambda: Step("unit", workflow=Workflow("inner", children), **settings),
    }[unit]()


@pytest.mark.spec("ERR-7")
@pytest.mark.parametrize("unit", ["steps", "condition", "step of a workflow"])
def test_pause_of_a_component_asks_about_the_failed_step(db, drive, calls, unit):
    """Under a component's pause the question names the failed leaf; retry repeats that step alone, skip leaves the component."""
    children = [calls.does("done"), calls.does("bad", Boom("1"), "fine", Boom("2")), calls.does("rest")]
    workflow = Workflow("flow", [around(unit, children, on_error="pause"), calls.does("end")], db)
    run = drive.run(workflow)
    assert [(f.step_name, f.error_message) for f in run.steps_with_errors] == [("bad", "1")]
    run = drive.finish(workflow, run, confirm_all)
    assert calls.names == ["done", "bad", "bad", "rest", "end"]
    assert calls.saw("bad") == ["done", "done"]
    run = drive.finish(workflow, drive.run(workflow), skip_all)
    assert calls.names[5:] == ["done", "bad", "end"]
    assert (statuses(run)["unit"], statuses(run)["bad"], calls.saw("end")[-1]) == ("skipped", "skipped", None)


@pytest.mark.spec("ERR-7")
def test_the_nearest_policy_holds(db, drive, calls):
    """From the step outwards the first on_error that is set holds; an explicit inner fail beats an outer pause."""

    def flow(step, group, fork):
        leaf = Step("bad", calls.does("bad", Boom("x")), on_error=step)
        return Workflow("flow", [Steps("group", [Condition("fork", [leaf], on_error=fork)], on_error=group), calls.does("end")], db)

    assert statuses(drive.run(flow("skip", "pause", "fail")))["fork"] == "completed"
    assert statuses(drive.run(flow(None, "fail", "skip"))) | {"end": ""} == {
        "group": "completed",
        "fork": "skipped",
        "bad": "skipped",
        "end": "",
    }
    assert statuses(drive.run(flow(None, "skip", None))) | {"end": ""} == {
        "group": "skipped",
        "fork": "skipped",
        "bad": "skipped",
        "end": "",
    }
    assert [f.step_name for f in drive.run(flow(None, "skip", "pause")).steps_with_errors] == ["bad"]
    with pytest.raises(Boom):
        drive.run(flow("fail", "pause", "pause"))


@pytest.mark.spec("ERR-7")
def test_a_nested_workflow_has_the_policy_around_it(db, drive, calls):
    """A bare nested workflow sets none, so that of the component around it holds, which is then left."""
    inner = Workflow("inner", [calls.does("bad", Boom("x")), calls.does("rest")])
    run = drive.run(Workflow("flow", [Steps("group", [inner, calls.does("after")], on_error="skip"), calls.does("end")], db))
    assert calls.names == ["bad", "end"]
    assert (statuses(run)["group"], statuses(run)["inner"]) == ("skipped", "skipped")


@pytest.mark.spec("ERR-8")
def test_success_false_is_a_failure(db, drive, calls):
    """A step that returns success=False fails like one that raises: by its policy, with the error type StepFailed."""
    bad = StepOutput("half", success=False, error="no luck")
    workflow = Workflow(
        "flow", [Step("a", calls.does("a", bad, "fine"), on_error="pause"), Step("b", calls.does("b", bad), on_error="skip")], db
    )
    run = drive.run(workflow)
    [failed] = run.steps_with_errors
    assert (failed.error_message, failed.error_type) == ("no luck", "StepFailed")
    failed.retry()
    run = drive.resume(workflow, run)
    assert statuses(run) == {"a": "completed", "b": "skipped"}
    with pytest.raises(StepFailed, match="no luck"):
        drive.run(Workflow("loud", [calls.does("c", bad)], db))


@pytest.mark.spec("ERR-8", "RUN-3")
def test_success_false_with_stop_ends_the_run(db, drive, calls):
    """Together with stop it ends the run as completed, under any policy, and the output says that it was no success."""
    bad = StepOutput("half", success=False, error="no luck", stop=True)
    run = drive.run(Workflow("flow", [Step("a", calls.does("a", bad), on_error="pause"), calls.does("end")], db))
    assert (run.status, run.content, calls.names) == (RunStatus.completed, "half", ["a"])
    output = flat(run.step_results)["a"]
    assert (output.success, output.error, output.stop, output.status) == (False, "no luck", True, "completed")


@pytest.mark.spec("ERR-10")
def test_an_evaluator_that_raises_is_an_error_of_its_condition(db, drive, calls):
    """It goes by the Condition's own policy: pause asks about the Condition, retry evaluates again; skip leaves it."""

    def flow(policy, *outcomes):
        fork = Condition(
            "fork", [calls.does("then")], [calls.does("else")], evaluator=calls.does("evaluator", *outcomes), on_error=policy
        )
        calls.seen.clear()
        return Workflow("flow", [calls.does("a"), fork, calls.does("end")], db)

    workflow = flow("pause", Boom("x"), True)
    run = drive.run(workflow)
    assert [(f.step_name, f.error_message, f.error_type, f.step_type) for f in run.steps_with_errors] == [
        ("fork", "x", "Boom", "Condition")
    ]
    run = drive.finish(workflow, run, confirm_all)
    assert calls.seen == [("a", None), ("evaluator", "a"), ("evaluator", "a"), ("then", "a"), ("end", "then")]
    workflow = flow("pause", Boom("x"))
    drive.finish(workflow, drive.run(workflow), skip_all)
    assert calls.seen == [("a", None), ("evaluator", "a"), ("end", None)]
    run = drive.run(flow("skip", Boom("x")))
    assert (calls.names, statuses(run)["fork"]) == (["a", "evaluator", "end"], "skipped")
    with pytest.raises(Boom):
        drive.run(flow(None, Boom("x")))


@pytest.mark.spec("ERR-10", "ERR-1")
def test_a_failed_evaluator_can_be_resumed(db, drive, calls):
    """A run that failed in an evaluator goes on by evaluating again."""
    fork = Condition("fork", [calls.does("then")], evaluator=calls.does("evaluator", Boom("x"), True))
    workflow = Workflow("flow", [fork], db)
    with pytest.raises(Boom):
        drive.run(workflow, run_id="r")
    assert statuses(workflow.get_run_output("r")) == {"fork": "failed"}
    assert drive.resume(workflow, run_id="r", retry_failed=True).content == "then"


@pytest.mark.spec("ERR-3")
def test_exceptions_with_awkward_words_are_told_as_they_are(db, drive, calls):
    """No text, other scripts, and very long text: str(exception), cut visibly where it is too long to store."""
    workflow = Workflow("flow", [Step("a", calls.does("a", Boom(), Boom("é\n🙂"), Boom("x" * 10_000)), on_error="pause")], db)
    messages, run = [], drive.run(workflow)
    for _ in range(3):
        messages.append(run.steps_with_errors[0].error_message)
        confirm_all(run)
        run = drive.resume(workflow, run)
    assert messages[:2] == ["", "é\n🙂"]
    assert messages[2].startswith("xxx")
    assert messages[2].endswith("…")
    assert len(messages[2]) <= 4096
