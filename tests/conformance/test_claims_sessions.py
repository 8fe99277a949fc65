"""SESSION: what steps write to `session_state`, and when others see it."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest

from statecore import AmbiguousSession, Condition, InMemoryDb, Loop, Parallel, Router, RunStatus, Step, StepOutput, Workflow
from statecore.testing import Clock, timed


def writes(**state: Any) -> Any:
    """A step that writes into the session state and returns what it found there."""

    def step(_step_input: Any, run_context: Any) -> dict[str, Any]:
        found = dict(run_context.session_state)
        run_context.session_state.update(state)
        return found

    return step


def looks(_step_input: Any, run_context: Any) -> dict[str, Any]:
    """A step that returns the session state as it sees it."""
    return dict(run_context.session_state)


@pytest.mark.spec("SESSION-3")
@pytest.mark.parametrize(("word", "kept"), [("confirm", True), ("edit", True), ("reject", False)])
def test_a_change_waits_with_the_output(db, drive, reopened, word, kept):
    """With an output under review the change waits: confirm and edit apply it, in another process too, and a rejection drops it."""

    def flow(store: Any) -> Workflow:
        return Workflow("flow", [Step("a", writes(n=1), requires_output_review=True), Step("b", looks)], store)

    run = drive.run(flow(db), session_id="s", session_state={"kept": 0})
    assert run.session_state == {"kept": 0}
    assert db.session_state("s", "flow") == '{"kept":0}'
    run.requirements[0].decide(word, "edited" if word == "edit" else None)
    done = drive.resume(flow(reopened()), run)
    assert done.status is RunStatus.completed
    assert done.content == done.session_state == ({"kept": 0, "n": 1} if kept else {"kept": 0})


@pytest.mark.spec("SESSION-3")
def test_a_rejected_attempt_leaves_nothing_to_the_next(db, drive):
    """An output that is made again after a rejection begins with the state of before the rejected attempt; what it removed is there again."""
    seen: list[dict[str, Any]] = []

    def draft(step_input: Any, run_context: Any) -> int:
        seen.append(dict(run_context.session_state))
        run_context.session_state.pop("old", None)
        run_context.session_state[f"attempt {step_input.attempt}"] = True
        return step_input.attempt

    workflow = Workflow("flow", [Step("a", draft, requires_output_review=True, on_reject="retry")], db)
    run = drive.run(workflow, session_state={"old": 1})
    for word in ("reject", "confirm"):
        run.requirements[0].decide(word)
        run = drive.resume(workflow, run)
    assert seen == [{"old": 1}] * 2
    assert run.session_state == {"attempt 1": True}


@pytest.mark.spec("SESSION-3")
def test_branches_beside_a_review_do_not_see_it(db, drive):
    """While one branch's output is under review the other and what it leads to see nothing of its change; the two merge when both are over."""
    reviewed = Step("a", writes(a=1), requires_output_review=True)
    beside = Step("b", writes(b=2))
    gate = Step("gate", looks, requires_confirmation=True)
    workflow = Workflow("flow", [Parallel(reviewed, [beside, gate], name="both"), Step("end", looks)], db)
    run = drive.run(workflow)
    assert run.session_state == {"b": 2}
    asked = {each.step_name: each for each in run.requirements}
    asked["gate"].confirm()
    run = drive.resume(workflow, run)
    run.requirements[0].decide("confirm")
    done = drive.resume(workflow, run)
    assert done.content == done.session_state == {"a": 1, "b": 2}
    [both, _] = done.step_results
    assert [each.content for each in both.steps[1].steps] == [{}, {"b": 2}]


@pytest.mark.spec("SESSION-3")
@pytest.mark.parametrize("asks", [True, False])
def test_the_predicate_of_a_review_sees_the_change(db, drive, asks):
    """A predicate sees what the output's attempt wrote; where it asks nobody, the change is visible at once."""

    def when(_output: Any, run_context: Any = None) -> bool:
        return asks and run_context.session_state == {"n": 1}

    workflow = Workflow("flow", [Step("a", writes(n=1), requires_output_review=when)], db)
    run = drive.run(workflow)
    assert (run.is_paused, run.session_state) == (asks, {} if asks else {"n": 1})
    if asks:
        run.requirements[0].decide("confirm")
        run = drive.resume(workflow, run)
    assert run.session_state == {"n": 1}


@pytest.mark.spec("SESSION-3")
def test_an_answer_of_code_brings_its_change_along(db, drive):
    """What an evaluator, a selector and an end condition write is visible with their answers, where they are called again, too."""

    def asked(name: str, answer: Any) -> Any:
        def code(_given: Any, run_context: Any) -> Any:
            run_context.session_state[name] = run_context.session_state.get(name, 0) + 1
            return answer

        return code

    steps: list[Any] = [
        Condition("fork", [Step("a", looks)], evaluator=asked("fork", True)),
        Router("way", [Step("b", looks)], asked("way", "b")),
        Loop("each", [Step("c", looks)], 3, asked("each", False)),
    ]
    run = drive.run(Workflow("flow", steps, db))
    assert run.session_state == {"fork": 1, "way": 1, "each": 2}
    contents = {each.step_name: each.content for group in run.step_results for each in group.steps}
    assert (contents["a"], contents["b"], contents["c"]) == ({"fork": 1}, {"fork": 1, "way": 1}, run.session_state)


@pytest.mark.spec("SESSION-3")
def test_a_review_of_an_iteration_takes_nothing_back(db, drive):
    """Steps inside a Loop under review have completed: their changes stay when the iteration is rejected."""

    def counts(_given: Any, run_context: Any) -> None:
        run_context.session_state["n"] = run_context.session_state.get("n", 0) + 1

    loop = Loop("each", [Step("a", counts)], 2, requires_iteration_review=True, on_reject="retry")
    workflow = Workflow("flow", [loop], db)
    run = drive.run(workflow)
    assert run.session_state == {"n": 1}
    run.requirements[0].decide("reject")
    assert drive.resume(workflow, run).session_state == {"n": 2}


@pytest.mark.spec("SESSION-3")
@pytest.mark.parametrize(("silence", "kept"), [("approve", {"n": 1}), ("skip", {}), ("cancel", {})])
def test_silence_decides_about_the_change(db, silence, kept):
    """A deadline that approves the output applies its change; one that skips or cancels drops it."""
    clock = Clock()
    review = Step("a", writes(n=1), requires_output_review=True, timeout=60, on_timeout=silence)
    workflow = timed(Workflow("flow", [review], db), clock)
    run = workflow.run("x")
    clock.advance(61)
    workflow.tick()
    assert workflow.get_run_output(run.run_id).session_state == kept


@pytest.mark.spec("SESSION-3")
def test_what_a_review_holds_back_may_be_stopped(db, drive):
    """A cancelled run drops what waits for a review; a step that says stop applies it when its output is confirmed."""

    def stops(_given: Any, run_context: Any) -> Any:
        run_context.session_state["n"] = 1
        return StepOutput(content="over", stop=True)

    workflow = Workflow("flow", [Step("a", stops, requires_output_review=True), Step("b", looks)], db)
    cancelled = drive.run(workflow)
    workflow.cancel_run(cancelled.run_id)
    assert workflow.get_run_output(cancelled.run_id).session_state == {}
    run = drive.run(workflow)
    run.requirements[0].decide("confirm")
    done = drive.resume(workflow, run)
    assert (done.content, done.session_state) == ("over", {"n": 1})


@pytest.mark.spec("SESSION-3", "VALUE-4")
def test_what_branches_leave_together_may_be_too_large(db, drive):
    """Of two branches that leave more together than can be stored, one fails by name, and the state of the other stays."""
    both = Parallel(Step("a", writes(a="x" * 600), on_error="skip"), Step("b", writes(b="x" * 600), on_error="skip"), name="both")
    run = drive.run(Workflow("flow", [both, Step("end", lambda _: "fine")], db, max_value_bytes=1_000))
    assert run.content == "fine"
    failed = [each.failures[-1]["error_type"] for each in run.step_results[0].steps if each.status == "skipped"]
    assert (failed, len(run.session_state)) == (["UnstorableValue"], 1)


def counts(_step_input: Any, session_state: dict[str, Any]) -> int:
    """A step that counts the runs of its session."""
    session_state["runs"] = session_state.get("runs", 0) + 1
    number: int = session_state["runs"]
    return number


@pytest.mark.spec("SESSION-1")
def test_a_run_without_a_session_has_one_of_its_own(db, drive):
    """Two runs of one Workflow share nothing, whoever their users are, unless a session is named, on the Workflow or where a run begins."""
    workflow = Workflow("flow", [Step("a", counts)], db)
    assert workflow.session_id is None
    runs = [drive.run(workflow, user_id=user) for user in (None, None, "ada", "ada")]
    assert [run.content for run in runs] == [1, 1, 1, 1]
    assert len({run.session_id for run in runs}) == 4
    assert [drive.run(workflow, session_id="s").content for _ in range(2)] == [1, 2]
    shared = Workflow("shared", [Step("a", counts)], db, session_id="named")
    assert [drive.run(shared, user_id=user).content for user in ("ada", "eve")] == [1, 2]


@pytest.mark.spec("SESSION-1")
def test_a_read_means_the_session_that_this_context_ran(db):
    """In each of two tasks and of four threads, and in the streams of a task, a read without a name gives what was run there."""
    workflow: Any = Workflow("flow", [Step("a", lambda i: i.input, requires_confirmation=True)], db)

    def customer(name: str) -> None:
        for event in workflow.run(name, stream=True):
            assert event.run_id
        run = workflow.get_session().runs[-1]
        assert run.input == name
        run.requirements[0].confirm()
        for _ in workflow.continue_run(run, stream=True):
            pass
        assert workflow.get_last_run_output().content == name
        assert [each.output for each in workflow.get_chat_history()] == [name]

    async def acustomer(name: str) -> None:
        async for _ in workflow.arun(name, stream=True):
            await asyncio.sleep(0)
        session = await workflow.aget_session()
        assert [each.input for each in session.runs] == [name]
        session.runs[0].requirements[0].confirm()
        done = await workflow.acontinue_run(session.runs[0])
        assert (done.content, (await workflow.aget_last_run_output()).content) == (name, name)

    async def two() -> None:
        await asyncio.gather(acustomer("one"), acustomer("two"))

    asyncio.run(two())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(customer, "abcd"))


@pytest.mark.spec("SESSION-1")
def test_a_read_never_gives_the_session_of_another(db):
    """A context that ran nothing gets the only session of the process, and `AmbiguousSession` where there are several; None where none was run."""
    workflow: Any = Workflow("flow", [Step("a", counts)], db)
    reads = (workflow.get_session, workflow.get_last_run_output, workflow.get_session_state, workflow.get_chat_history)
    assert [read() for read in reads] == [None, None, {}, []]
    first = copy_context().run(workflow.run)
    assert workflow.get_session().session_id == first.session_id
    copy_context().run(workflow.run)
    for read in (*reads, workflow.get_session_metrics):
        with pytest.raises(AmbiguousSession, match="session_id="):
            read()
    assert workflow.get_session(first.session_id).runs[0].run_id == first.run_id


@pytest.mark.spec("SESSION-1")
def test_an_object_made_later_means_no_session_of_one_that_is_gone():
    """A Workflow object is made for each request, and its place in memory is used again: none reads what another ran in the same thread."""
    db = InMemoryDb()
    places = set()
    for _ in range(50):
        workflow: Any = Workflow("flow", [Step("a", counts)], db)
        places.add(id(workflow))
        assert workflow.get_session() is None
        workflow.run()
        assert len(workflow.get_session().runs) == 1
        del workflow
        gc.collect(1)
    assert len(places) < 50


@pytest.mark.spec("SESSION-1")
def test_an_empty_name_is_that_of_no_session(db):
    """A read that names the empty session, as a page without a cookie does, gives nothing: not the session that was run last."""
    workflow: Any = Workflow("flow", [Step("a", looks)], db, session_state={"a": 1})
    workflow.run(session_id="ada")
    assert workflow.get_session().session_id == "ada"
    assert (workflow.get_session(""), workflow.get_last_run_output("")) == (None, None)
    assert (workflow.get_session_state(""), workflow.get_chat_history("")) == ({}, [])
