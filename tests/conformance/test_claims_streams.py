"""Streams that nobody reads to their end, in every store: the run is as durable as if somebody had, and can be continued at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from statecore import RunStatus, Step, Steps, Workflow
from tests.conformance.drive import Drive, confirm_all


def two_steps(calls, db):
    """A workflow of two steps; its stream has eight events."""
    return Workflow("flow", [calls.does("a"), calls.does("b")], db)


@pytest.mark.spec("CONT-3", "CRASH-1")
@pytest.mark.parametrize("read", range(1, 9))
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_a_stream_that_is_left_can_be_continued(db, calls, colour, read):
    """Left after any number of events the run goes on with `continue_run`, or is over; no step that was over runs again."""
    workflow = two_steps(calls, db)

    async def leave():
        stream, heard = workflow.arun("x", run_id="r", stream=True, stream_events=True), 0
        async for _event in stream:
            heard += 1
            if heard == read:
                break
        await stream.aclose()

    if colour == "stream":
        stream = workflow.run("x", run_id="r", stream=True, stream_events=True)
        for _ in range(read):
            next(stream)
        stream.close()
    else:
        asyncio.run(leave())
    if workflow.get_run_output("r").status is not RunStatus.completed:
        Drive("sync").resume(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert (run.status, calls.names) == (RunStatus.completed, ["a", "b"])


@pytest.mark.spec("CONT-8")
@pytest.mark.parametrize("user", [None, "ada"])
def test_a_stream_and_its_events_say_whose_they_are(db, calls, user):
    """A stream has the ids of its run and session, each of its events has them, and that session's last run is the one that was streamed."""
    workflow = two_steps(calls, db)

    async def heard():
        stream = workflow.arun("x", stream=True, stream_events=True, user_id=user)
        return stream, [event async for event in stream]

    def plain():
        stream: Any = workflow.run("x", stream=True, stream_events=True, user_id=user)
        return stream, list(stream)

    for way in (plain, lambda: asyncio.run(heard())):
        stream, events = way()
        assert {(event.run_id, event.session_id) for event in events} == {(stream.run_id, stream.session_id)}
        session = workflow.get_session(stream.session_id)
        assert session is not None
        assert session.runs[-1].run_id == stream.run_id


@pytest.mark.spec("CONT-3")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
@pytest.mark.parametrize("begun_by", ["run", "continue_run"])
def test_a_stream_that_was_never_read_holds_nothing(db, calls, colour, begun_by):
    """A stream that is closed before its first event leaves the run free, with the decisions that it was given: it is continued by its id."""
    workflow = Workflow("flow", [Step("a", calls.does("a"), requires_confirmation=begun_by == "continue_run")], db)
    run = None
    if begun_by == "continue_run":
        run = workflow.run("x", run_id="r")
        confirm_all(run)

    async def close():
        stream = workflow.arun("x", run_id="r", stream=True) if run is None else workflow.acontinue_run(run, stream=True)
        await stream.aclose()

    if colour == "stream":
        begun: Any = workflow.run("x", run_id="r", stream=True) if run is None else workflow.continue_run(run, stream=True)
        begun.close()
    else:
        asyncio.run(close())
    assert Drive("sync").resume(workflow, run_id="r").status is RunStatus.completed
    assert calls.names == ["a"]


@pytest.mark.spec("ERR-9", "CRASH-2")
def test_a_cancelled_task_leaves_its_run_to_be_continued(db, calls):
    """A task that is cancelled while a step awaits is an interruption of that step: recorded, and continued as the same attempt."""
    entered = asyncio.Event()

    async def waits(step_input):
        if calls.note("waits", step_input) == 0:
            entered.set()
            await asyncio.Event().wait()
        return step_input.attempt

    workflow = Workflow("flow", [waits], db)

    async def cancel():
        task = asyncio.create_task(workflow.arun("x", run_id="r"))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert workflow.get_run_output("r").status is RunStatus.running
    run = Drive("async").resume(workflow, run_id="r")
    assert (run.status, run.content, calls.names) == (RunStatus.completed, 0, ["waits", "waits"])


@pytest.mark.spec("RUN-5")
def test_plain_streams_yield_the_events_that_matter(db, calls):
    """`stream=True` alone yields what happened to the run, pauses, errors and outputs; `stream_events=True` adds the lifecycles."""
    workflow = Workflow("flow", [calls.does("a"), Step("b", calls.does("b"), requires_confirmation=True)], db)
    some, all_of_it = Drive("stream", everything=False), Drive("stream")
    run = some.run(workflow)
    assert [event.event for event in some.events] == ["WorkflowStarted", "StepOutput", "StepPaused", "WorkflowPaused"]
    confirm_all(run)
    some.resume(workflow, run)
    assert [event.event for event in some.events] == ["StepOutput", "WorkflowCompleted"]
    all_of_it.run(workflow)
    assert {event.event for event in all_of_it.events} > {"WorkflowStarted", "StepOutput", "StepPaused", "WorkflowPaused"}


@pytest.mark.spec("RUN-5")
def test_events_say_where_they_belong(db, calls):
    """Every event names run, session, workflow and, where it is of a component, that one, its address and what is around it."""
    drive = Drive("stream")
    workflow = Workflow("flow", [calls.does("a"), Steps("group", [calls.does("b")])], db, id="flow-id")
    run = drive.run(workflow, run_id="r", session_id="s")
    assert {(e.run_id, e.session_id, e.workflow_id, e.workflow_name) for e in drive.events} == {("r", "s", "flow-id", "flow")}
    places = {(e.step_name, e.step_id, e.step_index, e.parent_step_id) for e in drive.events}
    assert places == {(None, None, None, None), ("a", "a", 0, None), ("group", "group", 1, None), ("b", "group/b", 0, "group")}
    assert all(e.to_dict()["event"] == e.event and e.created_at >= run.created_at for e in drive.events)
