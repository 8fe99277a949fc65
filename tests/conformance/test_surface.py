"""Values by the name of a parameter, one function as the whole workflow, media and metadata of a run: in every store and colour."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import pytest
from attrs import evolve

from statecore import (
    Condition,
    DefinitionError,
    Loop,
    Parallel,
    Router,
    RunStatus,
    Step,
    StepOutput,
    Steps,
    UnsupportedSetting,
    Workflow,
    WrongArgument,
)
from statecore.run import workflow as e
from tests.conformance.drive import COLOURS
from tests.postgres.flows import until


class Form:
    """User code as a function, a method, an object that can be called, and a partial: one that counts in `session_state`."""

    def method(self, _step_input: Any, session_state: dict[str, Any]) -> int:
        return count(None, session_state)

    def __call__(self, _step_input: Any, session_state: dict[str, Any]) -> int:
        return count(None, session_state)


def count(_step_input: Any, session_state: dict[str, Any]) -> int:
    """Count up."""
    session_state["n"] = session_state.get("n", 0) + 1
    number: int = session_state["n"]
    return number


async def count_async(_step_input: Any, session_state: dict[str, Any]) -> int:
    """The same, as a coroutine."""
    return count(None, session_state)


def count_and_more(_step_input: Any, more: int, session_state: dict[str, Any]) -> int:
    """The same, with a further argument, which a partial binds."""
    return count(None, session_state) * more


def count_in_both(_step_input: Any, session_state: dict[str, Any], run_context: Any) -> int:
    """Count up, and answer as the context of the run sees it."""
    count(None, session_state)
    number: int = run_context.session_state["n"]
    return number


FORMS: tuple[Any, ...] = (count, count_async, Form().method, Form(), partial(count_and_more, more=1), count_in_both)


@pytest.mark.spec("SESSION-3", "RUN-1")
def test_session_state_by_name(db, drive):
    """User code of every form takes `session_state` by name, changes it, and the next step sees the change, also across a pause."""
    steps = [Step(f"s{number}", form) for number, form in enumerate(FORMS)]
    flow = Workflow("w", [*steps, Step("last", count, requires_confirmation=True)], db)
    run = drive.run(flow)
    assert [each.content for each in run.step_results[:-1]] == [1, 2, 3, 4, 5, 6]
    assert run.session_state == {"n": 6}
    run = drive.finish(flow, run, lambda waiting: waiting.requirements[0].confirm())
    assert (run.content, run.session_state) == (7, {"n": 7})


@pytest.mark.spec("SESSION-3")
def test_deciding_code_takes_it_too(db, drive):
    """An evaluator, a selector and an end condition take `session_state` by name, and a selector its choices as `step_choices`."""

    def evaluator(_step_input, session_state):
        return count(None, session_state) == 1

    def selector(_step_input, step_choices, session_state):
        count(None, session_state)
        assert [each.name for each in step_choices] == ["a", "b"]
        return step_choices[-1]

    def ends(outputs, session_state):
        return count(None, session_state) == 4 and outputs[-1].content == "in"

    flow = Workflow(
        "w",
        [
            Condition("c", [Step("then", lambda _: "then")], [Step("other", lambda _: "other")], evaluator),
            Router("r", [Step("a", lambda _: "a"), Step("b", lambda _: "b")], selector),
            Loop("l", [Step("in", lambda _: "in")], 5, ends),
        ],
        db,
    )
    run = drive.run(flow)
    names = [[step.step_name for step in each.steps] for each in run.step_results]
    assert names == [["then"], ["b"], ["in", "in"]]
    assert run.session_state == {"n": 4}


def whole(workflow: Workflow, execution_input: Any, session_state: dict[str, Any]) -> list[Any]:
    """A workflow in one function."""
    session_state["seen"] = True
    return [workflow.name, execution_input.input, execution_input.images, execution_input.additional_data["more"]]


async def whole_async(workflow: Workflow, execution_input: Any, session_state: dict[str, Any]) -> list[Any]:
    """The same, as a coroutine."""
    return whole(workflow, execution_input, session_state)


@pytest.mark.parametrize("function", [whole, whole_async])
def test_one_function_is_a_whole_workflow(db, drive, function):
    """It is called with the workflow and the input of the run, with its media and its data, and its answer is the run's content."""
    run = drive.run(Workflow("w", function, db), "x", images=["i"], additional_data={"more": 1})
    assert run.content == ["w", "x", ["i"], 1]
    assert run.session_state == {"seen": True}
    assert [each.step_name for each in run.step_results] == [function.__name__]


def test_a_function_of_one_argument_is_no_workflow():
    """It is refused where it is written: it could not be called with the workflow and the input."""
    with pytest.raises(DefinitionError, match="execution_input"):
        Workflow("w", lambda _: 1)


def test_media_and_metadata_of_a_run(db, drive):
    """A run's media reach its steps after a pause, too; its metadata are laid over those of the workflow."""
    flow = Workflow(
        "w",
        [Step("see", lambda i: [i.images, i.audio, i.videos, i.files], requires_confirmation=True)],
        db,
        metadata={"team": "a", "kept": 1},
    )
    run = drive.run(flow, "x", images=["i"], audio=("a",), videos=["v"], files=["f"], metadata={"team": "b"})
    run = drive.finish(flow, run, lambda waiting: waiting.requirements[0].confirm())
    assert run.content == [["i"], ["a"], ["v"], ["f"]]
    assert run.metadata == {"team": "b", "kept": 1}


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"images": "i"}, WrongArgument),
        ({"files": 3}, WrongArgument),
        ({"metadata": ["team"]}, WrongArgument),
        ({"images": ["i"], "additional_data": {"images": []}}, UnsupportedSetting),
    ],
)
def test_wrong_media_are_refused(db, options, refusal):
    """No list, no mapping, or given twice: refused by name, and nothing is stored."""
    flow = Workflow("w", [Step("a", lambda _: 1)], db)
    with pytest.raises(refusal):
        flow.run("x", **options)
    assert flow.list_runs() == []


def test_nothing_is_reported_to_anybody():
    """`telemetry` is False; a wish that something be reported is refused."""
    assert Workflow("w", [Step("a", lambda _: 1)], telemetry=False).run().content == 1
    with pytest.raises(DefinitionError, match="telemetry is False"):
        Workflow("w", [Step("a", lambda _: 1)], telemetry=True)


def test_a_run_response_is_the_output(db, drive):
    """`continue_run(run_response=run)` continues the run of that output; two outputs are refused."""
    flow = Workflow("w", [Step("a", lambda _: 1, requires_confirmation=True)], db)
    run = drive.run(flow)
    run.requirements[0].confirm()
    with pytest.raises(TypeError, match="run_response"):
        drive.resume(flow, run, run_response=run)
    assert drive.resume(flow, None, run_response=run).content == 1


def doubled(step_input: Any) -> int:
    """Twice the content before, or the input."""
    before: int = step_input.previous_step_content or step_input.input
    return 2 * before


EVERYTHING: list[Any] = [
    Steps("group", [Step("g1", doubled), Step("g2", doubled)]),
    Condition("cond", [Step("then", doubled)], [Step("other", doubled)], evaluator=lambda i: i.previous_step_content == 4),
    Loop("loop", [Step("in", doubled)], 2, forward_iteration_output=True),
    Router("route", [Step("x", doubled), Step("y", doubled)], selector=lambda _: ["y", "x"]),
    Parallel(Step("p1", doubled), Step("p2", doubled), name="par"),
]
"""Each kind of component that has others inside; with the input 1 the contents are powers of two."""


@pytest.mark.parametrize("drive", ["stream", "async stream"], indirect=True)
def test_events_have_the_results_of_what_is_over(db, drive):
    """Each event of a component that is over has the outputs inside it, and their names; the run's has those of its steps."""
    drive.run(Workflow("w", EVERYTHING, db), 1)

    def told(kind: Any) -> list[Any]:
        return [(each.executed_steps, [output.content for output in each.step_results]) for each in drive.heard(kind)]

    assert told(e.StepsExecutionCompletedEvent) == [(["g1", "g2"], [2, 4])]
    assert [each.steps_count for each in drive.heard(e.StepsExecutionStartedEvent)] == [2]
    assert told(e.ConditionExecutionCompletedEvent) == [(["then"], [8])]
    assert [(each.condition_result, each.branch) for each in drive.heard(e.ConditionExecutionStartedEvent)] == [(True, "steps")]
    assert told(e.LoopIterationCompletedEvent) == [(["in"], [16]), (["in"], [32])]
    assert [[each.content for each in event.iteration_results] for event in drive.heard(e.LoopIterationCompletedEvent)] == [
        [16],
        [32],
    ]
    assert told(e.LoopExecutionCompletedEvent) == [(["in", "in"], [16, 32])]
    assert told(e.RouterExecutionCompletedEvent) == [(["y", "x"], [64, 128])]
    assert sorted(*[each.executed_steps for each in drive.heard(e.ParallelExecutionCompletedEvent)]) == ["p1", "p2"]
    [(names, contents)] = told(e.WorkflowCompletedEvent)
    assert names == ["group", "cond", "loop", "route", "par"]
    assert contents == [4, 8, 32, 128, {"p1": 256, "p2": 256}]
    assert [each.content_type for each in drive.heard(e.WorkflowCompletedEvent)] == ["dict"]


@pytest.mark.parametrize("drive", ["stream"], indirect=True)
def test_events_are_plain_data_and_back(db, drive):
    """Each event heard is read back from its plain data, equal, with the same results; and so are those of the stored run."""
    run = drive.run(Workflow("w", EVERYTHING, db), 1)
    assert len(drive.events) == len(run.events)
    for heard, stored in zip(drive.events, run.events, strict=True):
        for event in (heard, stored):
            read = e.RunEvent.from_dict(event.to_dict())
            assert (type(read), read, read.to_dict()) == (type(heard), heard, heard.to_dict())
    assert [each.event for each in run.events if each.is_paused or each.is_cancelled or each.is_error] == []


def test_an_output_says_what_it_is_of_and_how_long_it_took(db, drive):
    """Its type, whether it waits, and its seconds: those that it worked apart from those that it waited for a person."""
    now = [1_000_000_000_000_000]

    def works(_step_input: Any) -> int:
        now[0] += 2_000_000
        return 1

    flow = Workflow("w", [*EVERYTHING, Step("late", works, requires_confirmation=True)], db)
    flow.host = evolve(flow.host, clock=lambda: now[0])
    run = drive.run(flow, 1)
    assert [each.step_type for each in run.step_results] == ["Steps", "Condition", "Loop", "Router", "Parallel", "Step"]
    assert [each.is_paused for each in run.step_results] == [False] * 5 + [True]
    now[0] += 3_600_000_000
    run = drive.finish(flow, run, lambda waiting: waiting.requirements[0].confirm())
    late = run.step_results[-1]
    assert (late.is_paused, late.metrics) == (False, {"duration": 2.0, "waited": 3600.0})
    assert type(late).from_dict(late.to_dict()).metrics == late.metrics


@dataclass(frozen=True)
class Found(e.CustomEvent):
    """An event of a user's own."""

    customer: str = ""


class Plain(e.CustomEvent):
    """Another one, under a name of its own."""

    event = "Seen"


def telling(_step_input: Any) -> Any:
    """Yield events, a piece, and the output."""
    yield Found("ada")
    yield "piece"
    yield Plain(score=3)
    yield StepOutput("out")


async def telling_async(_step_input: Any) -> Any:
    """The same, as an async generator."""
    for each in telling(None):
        yield each


@pytest.mark.spec("AGENT-5", "RUN-1")
@pytest.mark.parametrize("code", [telling, telling_async])
@pytest.mark.parametrize("drive", COLOURS, indirect=True)
def test_an_event_of_ones_own_is_told(drive, code):
    """A stream tells it as it is, in its place and with whose it is; it is no part of the output, in no colour."""
    flow = Workflow("w", [Parallel(Step("s", code), Step("t", lambda _: 1), name="p")])
    run = drive.run(flow, "x", run_id="r")
    assert run.content == {"s": "out", "t": 1}
    told: list[Any] = [each for each in drive.events if isinstance(each, (e.CustomEvent, e.StepOutputDelta))]
    if not drive.streams:
        assert told == []
        return
    found, piece, plain = told
    assert (type(found), found.customer, found.run_id, found.step_name, found.workflow_name) == (Found, "ada", "r", "s", "w")
    assert (piece.content, plain.event, plain.score, plain.step_id) == ("piece", "Seen", 3, "p/s")
    assert found.to_dict() == {**e.CustomEvent.from_dict(found.to_dict()).to_dict()}
    assert {name: found.to_dict()[name] for name in ("event", "customer", "session_id")} == {
        "event": "CustomEvent",
        "customer": "ada",
        "session_id": run.session_id,
    }
    assert not [each for each in run.events if isinstance(each, e.CustomEvent)]


def test_events_alone_are_no_output():
    """A generator that yields nothing else ends with None, or with what it returns."""

    def returns(_step_input: Any) -> Any:
        yield Found("ada")
        return 7

    def nothing(_step_input: Any) -> Any:
        yield Found("ada")

    assert Workflow("w", [Step("s", returns)]).run().content == 7
    assert Workflow("w", [Step("s", nothing)]).run().content is None


@pytest.mark.spec("LOOP-1")
@pytest.mark.parametrize("drive", ["stream", "async stream"], indirect=True)
def test_an_iteration_says_whether_another_follows(drive):
    """`should_continue` is the answer of the end condition, and False after the last iteration that is allowed."""

    def told(**settings: Any) -> list[tuple[int, bool]]:
        drive.run(Workflow("w", [Loop("l", [Step("s", lambda _: 1)], **settings)]))
        return [(each.iteration, each.should_continue) for each in drive.heard(e.LoopIterationCompletedEvent)]

    ends = iter([False, True])
    assert told(max_iterations=3, end_condition=lambda _: next(ends)) == [(1, True), (2, False)]
    assert told(max_iterations=2, end_condition=lambda _: False) == [(1, True), (2, False)]
    assert told(max_iterations=2) == [(1, True), (2, False)]
    fails = {"max_iterations": 2, "on_error": "skip"}
    assert told(end_condition=lambda _: 1 / 0, **fails) == [(1, False)]


TRACE: ContextVar[str] = ContextVar("trace", default="none")


@pytest.mark.spec("RUN-15")
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_run_in_the_background(db, colour):
    """The caller gets the run as it begins; it goes on beside, in a copy of the caller's context, and is read by its id until it rests."""
    going = Event()

    def works(step_input: Any) -> list[Any]:
        assert going.wait(60)
        return [step_input.input, TRACE.get()]

    flow = Workflow("w", [Step("a", works), Step("gate", lambda i: i.previous_step_content, requires_confirmation=True)], db)
    TRACE.set("mine")
    if colour == "sync":
        begun = flow.run("x", run_id="r", background=True)
        assert begun.status is RunStatus.pending
        going.set()
    else:

        async def beside() -> None:
            begun = await flow.arun("x", run_id="r", background=True)
            assert begun.status is RunStatus.pending
            going.set()
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

        asyncio.run(beside())
    run = until(lambda: (found := flow.get_run_output("r")).is_paused and found)
    run.requirements[0].confirm()
    assert flow.continue_run(run).content == ["x", "mine"]


def test_a_failure_in_the_background_is_stored(caplog):
    """It reaches no caller; the run says it, and the log names the run."""
    flow = Workflow("w", [Step("a", lambda _: 1 / 0)])
    flow.run(run_id="r", background=True)
    run = until(lambda: (found := flow.get_run_output("r")).is_error and found)
    assert run.error == "division by zero"
    until(lambda: "run r, which was begun in the background, stopped" in caplog.text)


def test_a_stream_is_not_in_the_background():
    """Both at once are refused, in either colour, and nothing is stored."""
    flow = Workflow("w", [Step("a", lambda _: 1)])
    for begin in (flow.run, flow.arun):
        with pytest.raises(UnsupportedSetting, match="background=True"):
            begin("x", background=True, stream=True)
        wrongs: tuple[Any, ...] = ("yes", 1, None)
        for wrong in wrongs:
            with pytest.raises(UnsupportedSetting, match="True or False"):
                begin("x", background=wrong)
    assert flow.list_runs() == []


@pytest.mark.parametrize("asks", [False, True])
def test_a_start_that_comes_again_in_the_background(db, caplog, asks):
    """The run of the same key is over, or waits for a person: it is given as it stands, its step is called once, and no trouble is logged."""
    done: list[int] = []
    flow = Workflow("w", [Step("a", lambda _: done.append(1)), Step("b", lambda _: 2, requires_confirmation=asks)], db)
    first = flow.run("x", idempotency_key="k")
    assert first.is_paused is asks
    again = flow.run("x", idempotency_key="k", background=True)
    assert (again.run_id, again.status) == (first.run_id, first.status)
    last = flow.run("y", run_id="last", background=True)
    until(lambda: flow.get_run_output("last").status is first.status)
    assert (len(done), flow.get_run_output(again.run_id).status, last.status) == (2, first.status, RunStatus.pending)
    assert "stopped" not in caplog.text
