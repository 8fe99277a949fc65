"""RUN: what running means, in every store and colour."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier, Thread
from uuid import UUID

import pytest

from statecore import Condition, RunStatus, Step, StepOutput, Steps, Workflow
from statecore.errors import DuplicateRun, UnstorableValue
from tests.conformance.drive import Calls, confirm_all, flat, history, statuses, triggers

AWKWARD = {
    "none": None,
    "empty": "",
    "false": False,
    "zero": 0,
    "huge": 2**200,
    "float": -0.1,
    "text": "line\n\x00 é 🙂",
    "bytes": b"\x00\xff",
    "tuple": (1, (2, [3])),
    "set": {1, 2},
    "keys": {1: "one", (2, 3): "two"},
    "tagged": {"$tuple": [1]},
    "decimal": Decimal("1.10"),
    "datetime": datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC),
    "date": date(2024, 2, 29),
    "uuid": UUID(int=7),
}


@pytest.mark.spec("RUN-1")
def test_steps_run_in_order_and_see_the_content_before(db, drive, calls):
    """Steps run in order; each sees the content of the one before it, the first sees None."""
    workflow = Workflow("flow", [calls.does("a"), calls.does("b"), calls.does("c")], db)
    run = drive.run(workflow)
    assert calls.seen == [("a", None), ("b", "a"), ("c", "b")]
    assert run.status is RunStatus.completed
    assert run.content == "c"


@pytest.mark.spec("RUN-1")
def test_previous_content_follows_the_path_taken(db, drive, calls):
    """A step after a fork sees what the branch that ran handed on, not what stands before it in the list."""
    fork = Condition("fork", [calls.does("yes")], [calls.does("no")], evaluator=lambda step_input: step_input.input == "deep")
    workflow = Workflow("flow", [calls.does("a"), fork, calls.does("end")], db)
    drive.run(workflow, "deep")
    drive.run(workflow, "quick")
    assert calls.saw("end") == ["yes", "no"]


@pytest.mark.spec("RUN-2")
def test_user_code_is_called_once_for_each_attempt(db, drive, calls):
    """A failing step is called once before anybody is asked, and once more for each retry; each attempt is in the journal."""
    workflow = Workflow("flow", [Step("a", calls.does("a", OSError("1"), OSError("2"), "fine"), on_error="pause")], db)
    run = drive.run(workflow)
    assert calls.names == ["a"]
    run = drive.finish(workflow, run, confirm_all)
    assert calls.names == ["a", "a", "a"]
    assert triggers(workflow, run.run_id, "a") == ["enter", "fail", "retry", "fail", "retry", "succeed"]
    assert [e.attempt for e in db.journal(run.run_id) if e.trigger in ("fail", "succeed")] == [0, 1, 2]


@pytest.mark.spec("RUN-3")
@pytest.mark.parametrize("depth", ["top", "steps", "condition", "both"])
def test_stop_ends_the_workflow_at_any_depth(db, drive, calls, depth):
    """A step that says stop completes the run after it, however deep it stands; nothing else begins."""
    halt = [calls.does("halt", StepOutput("enough", stop=True)), calls.does("sibling")]
    inside = {
        "top": halt,
        "steps": [Steps("group", halt)],
        "condition": [Condition("fork", halt)],
        "both": [Steps("group", [Condition("fork", [Steps("inner", halt), calls.does("after inner")])])],
    }[depth]
    run = drive.run(Workflow("flow", [*inside, calls.does("end")], db))
    assert calls.names == ["halt"]
    assert (run.status, run.content) == (RunStatus.completed, "enough")
    assert set(statuses(run).values()) == {"completed"}
    assert flat(run.step_results)["halt"].stop


@pytest.mark.spec("RUN-3", "NEST-1")
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_nested_workflow_stops_alone(db, drive, calls, wrapped):
    """Stop inside a nested workflow ends that one; the outer one goes on with its content."""
    inner = Workflow("inner", [Steps("group", [calls.does("halt", StepOutput("enough", stop=True))]), calls.does("rest")])
    nested = Step("inner", workflow=inner) if wrapped else inner
    run = drive.run(Workflow("flow", [nested, calls.does("end")], db))
    assert calls.seen == [("halt", None), ("end", "enough")]
    assert run.status is RunStatus.completed


@pytest.mark.spec("RUN-4")
def test_content_is_what_the_last_completed_component_handed_on(db, drive, calls):
    """Skipped components at the end of the path do not take the content away."""
    workflow = Workflow(
        "flow",
        [calls.does("a"), Steps("group", [calls.does("b")]), Step("last", calls.does("last", OSError()), on_error="skip")],
        db,
    )
    assert drive.run(workflow).content == "b"


@pytest.mark.spec("RUN-4")
def test_content_is_none_where_all_was_skipped(db, drive, calls):
    """A run whose every component was skipped completes with None."""
    fork = Condition("fork", [calls.does("b")], evaluator=False)
    run = drive.run(Workflow("flow", [Step("a", calls.does("a", OSError()), on_error="skip"), fork], db))
    assert (run.status, run.content) == (RunStatus.completed, None)
    assert drive.run(Workflow("empty", [], db)).content is None


@pytest.mark.spec("RUN-4")
def test_content_is_none_before_the_end(db, drive, calls):
    """A paused run has no content yet."""
    run = drive.run(Workflow("flow", [calls.does("a"), Step("b", calls.does("b"), requires_confirmation=True)], db))
    assert run.content is None


@pytest.mark.spec("RUN-6")
def test_a_workflow_serves_concurrent_runs(db, drive):
    """Eight threads run and continue one Workflow at once; each run keeps its own values, and the definition is untouched."""
    threads, together = 8, Barrier(8)

    def meet(step_input):
        together.wait(30)
        return step_input.input

    def attempts(step_input):
        if step_input.attempt == 0:
            raise OSError(step_input.input)
        return (step_input.previous_step_content, step_input.attempt)

    workflow = Workflow("flow", [meet, Step("gate", attempts, requires_confirmation=True, on_error="pause")], db)
    before = (workflow.definition, workflow.compiled.program.canonical)
    ends: dict[int, object] = {}

    def one(number: int) -> None:
        driver = type(drive)(drive.colour)
        run = driver.run(workflow, number, session_id=f"session {number}")
        while run.is_paused:
            assert [failed.error_message for failed in run.steps_with_errors] in ([], [str(number)])
            confirm_all(run)
            run = driver.resume(workflow, run, session_id=f"session {number}")
        ends[number] = run.content

    running = [Thread(target=one, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    assert ends == {number: (number, 1) for number in range(threads)}
    assert (workflow.definition, workflow.compiled.program.canonical) == before


@pytest.mark.spec("RUN-7")
@pytest.mark.parametrize("name", AWKWARD)
def test_a_value_comes_back_equal_and_of_its_type(db, drive, reopened, name):
    """What a step returns is what the next one sees and what the run shows, after a pause and through another store too."""
    value, seen = AWKWARD[name], []

    def flow(store):
        gate = Step("gate", lambda step_input: step_input.previous_step_content, requires_confirmation=True)
        return Workflow(
            "flow", [Step("a", lambda _: value), gate, Step("end", lambda s: seen.append(s.previous_step_content))], store
        )

    run = drive.run(flow(db), session_id="s")
    confirm_all(run)
    later = flow(reopened())
    run = drive.resume(later, run, session_id="s")
    shown = flat(run.step_results)["gate"].content
    assert (seen, shown) == ([value], value)
    assert type(seen[0]) is type(shown) is type(value)


@pytest.mark.spec("RUN-7")
def test_nobody_can_change_a_value_that_was_handed_on(db, drive):
    """A step that mutates what it was given changes its own copy: the next look finds what was returned."""

    def spoil(step_input):
        step_input.previous_step_content.append("spoilt")
        step_input.input["spoilt"] = True
        return step_input.get_step_content("a")

    run = drive.run(Workflow("flow", [Step("a", lambda _: [1]), spoil], db), {"x": 1})
    assert run.content == [1]
    assert run.input == {"x": 1}


@pytest.mark.spec("RUN-7")
def test_an_unstorable_output_fails_its_step(db, drive, calls):
    """What cannot come back equal is not stored: its step fails with UnstorableValue, and its own policy applies."""
    workflow = Workflow(
        "flow",
        [Step("a", calls.does("a", object(), "fine"), on_error="pause"), Step("b", calls.does("b", object()), on_error="skip")],
        db,
    )
    run = drive.run(workflow)
    [failed] = run.steps_with_errors
    assert (failed.step_name, failed.error_type) == ("a", "UnstorableValue")
    failed.retry()
    run = drive.resume(workflow, run)
    assert statuses(run) == {"a": "completed", "b": "skipped"}


@pytest.mark.spec("RUN-7", "ERR-1")
def test_an_unstorable_output_is_loud_by_default(db, drive, calls):
    """Under `fail` the refusal of the value comes out of the call."""
    workflow = Workflow("flow", [calls.does("a", object())], db)
    with pytest.raises(UnstorableValue):
        drive.run(workflow)
    assert workflow.list_runs()[0].status is RunStatus.error


@pytest.mark.spec("RUN-7")
def test_an_unstorable_input_starts_nothing(db, drive, calls):
    """An input that cannot be stored is refused before there is a run."""
    workflow = Workflow("flow", [calls.does("a")], db)
    with pytest.raises(UnstorableValue):
        drive.run(workflow, object())
    assert (calls.names, workflow.list_runs()) == ([], [])


@pytest.mark.spec("RUN-8")
def test_what_belongs_to_a_run_outlives_pause_and_restart(db, drive, reopened):
    """Input, additional data, user, session, metadata and session state are the same after a pause, through another store."""
    seen = []

    def look(step_input, run_context):
        run_context.session_state["visits"] = run_context.session_state.get("visits", 0) + 1
        seen.append(
            (
                step_input.input,
                step_input.additional_data,
                run_context.user_id,
                run_context.session_id,
                run_context.metadata,
                dict(run_context.session_state),
                run_context.workflow_name,
                run_context.run_id,
            )
        )

    def flow(store):
        steps = [Step("a", look), Step("b", look, requires_confirmation=True)]
        return Workflow("flow", steps, store, metadata={"team": "x"}, session_state={"visits": 0, "kept": [1]})

    run = drive.run(flow(db), {"q": 1}, additional_data={"more": (1,)}, user_id="ann", session_id="s")
    confirm_all(run)
    run = drive.resume(flow(reopened()), run, session_id="s")
    first, second = seen
    assert first[:5] == ({"q": 1}, {"more": (1,)}, "ann", "s", {"team": "x"})
    assert (first[5], second[5]) == ({"visits": 1, "kept": [1]}, {"visits": 2, "kept": [1]})
    assert first[:5] + first[6:] == second[:5] + second[6:]
    assert run.session_state == {"visits": 2, "kept": [1]}
    assert (run.user_id, run.session_id, run.additional_data, run.metadata) == ("ann", "s", {"more": (1,)}, {"team": "x"})


@pytest.mark.spec("RUN-8", "ERR-8")
@pytest.mark.parametrize(
    "failure", [OSError("x"), StepOutput(success=False), object()], ids=["raises", "success=False", "unstorable"]
)
def test_a_failed_attempt_leaves_no_trace_in_session_state(db, drive, failure):
    """However an attempt failed, the retry sees the session state that the first one saw, and only its own changes are kept."""
    seen = []

    def work(step_input, run_context):
        seen.append(dict(run_context.session_state))
        run_context.session_state[f"attempt {step_input.attempt}"] = True
        if step_input.attempt == 0 and isinstance(failure, Exception):
            raise failure
        return failure if step_input.attempt == 0 else None

    workflow = Workflow("flow", [Step("a", work, on_error="pause")], db, session_state={"x": 1})
    run = drive.run(workflow)
    assert run.session_state == {"x": 1}
    run = drive.finish(workflow, run, confirm_all)
    assert seen == [{"x": 1}, {"x": 1}]
    assert run.session_state == {"x": 1, "attempt 1": True}


@pytest.mark.spec("RUN-8")
def test_session_state_goes_on_in_the_next_run_of_a_session(db, drive):
    """A session's next run begins with the state that the last one left; another session does not see it."""

    def count(_step_input, run_context):
        run_context.session_state["n"] = run_context.session_state.get("n", 0) + 1
        return run_context.session_state["n"]

    workflow = Workflow("flow", [count], db)
    assert [drive.run(workflow, session_id=session).content for session in ("s", "s", "t")] == [1, 2, 1]


@pytest.mark.spec("RUN-5")
def test_async_executors_run_in_every_colour(db, drive):
    """Coroutine functions serve as executors and evaluators of plain runs too."""

    async def work(step_input):
        return f"{step_input.previous_step_content}!"

    async def holds(_step_input):
        return True

    run = drive.run(Workflow("flow", [Step("a", lambda _: "a"), Condition("fork", [work], evaluator=holds)], db))
    assert run.content == "a!"


@pytest.mark.spec("RUN-5")
def test_a_run_may_change_its_colour(db, drive):
    """A run that was begun in one colour goes on in any other, with the journal that one colour alone gives."""
    calls = Calls()
    flow = Workflow("flow", [Step("a", calls.does("a", OSError("x"), "a"), requires_confirmation=True, on_error="pause")], db)
    others = [type(drive)(colour) for colour in ("sync", "async", "stream", "async stream")]
    run, other = drive.run(flow), None
    for other in (others[1], others[3]):
        confirm_all(run)
        run = other.resume(flow, run)
    calls.seen.clear()
    plain = others[0].finish(flow, others[0].run(flow), confirm_all)
    assert history(flow, run.run_id) == history(flow, plain.run_id)


@pytest.mark.spec("RUN-2")
def test_a_run_id_is_used_once(db, drive, calls):
    """A run that exists is never begun anew under its id."""
    workflow = Workflow("flow", [calls.does("a")], db)
    drive.run(workflow, run_id="r")
    with pytest.raises(DuplicateRun, match="'r'"):
        drive.run(workflow, run_id="r")
    assert calls.names == ["a"]
