"""User code in every form, and what it sees across every kind of pause, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, InMemoryDb, Loop, Parallel, Router, RunStatus, Step, StepOutput, Workflow
from statecore.output.events import ALWAYS
from statecore.run.workflow import StepContinuedEvent, WorkflowPausedEvent
from tests.conformance.drive import Drive, confirm_all


class Answer:
    """What an agent hands back."""

    def __init__(self, content: Any) -> None:
        self.content = content


class Agent:
    """An agent that works synchronously."""

    name = "agent"

    def run(self, message: Any) -> Answer:
        return Answer(["run", message])


class AsyncAgent:
    """An agent that works asynchronously only."""

    name = "agent"

    async def arun(self, message: Any) -> Answer:
        return Answer(["arun", message])


@pytest.mark.spec("RUN-1", "RUN-7")
@pytest.mark.parametrize("made", [Agent, AsyncAgent])
def test_an_agent_is_a_step(db, drive, calls, made):
    """An agent is given the content before it, or the run's input; the content of its answer is the output."""
    word = "run" if made is Agent else "arun"
    workflow = Workflow("flow", [Step(agent=made()), Step("second", agent=made()), calls.does("end")], db)
    run = drive.run(workflow, "hello")
    assert calls.saw("end") == [[word, [word, "hello"]]]
    assert [output.step_name for output in run.step_results] == ["agent", "second", "end"]


def texts(_step_input):
    """Yield texts."""
    yield "a"
    yield "b"


def numbers(_step_input):
    """Yield numbers."""
    yield 1
    yield 2


def returns(_step_input):
    """Yield, and return something."""
    yield "a"
    return "returned"


def outputs(_step_input):
    """Yield an output last."""
    yield "a"
    yield StepOutput("last")


def nothing(_step_input):
    """Yield nothing."""
    yield from ()


async def atexts(_step_input):
    """Yield texts, asynchronously."""
    yield "a"
    yield "b"


async def aoutputs(_step_input):
    """Yield an output last, asynchronously."""
    yield "a"
    yield StepOutput("last")


async def coroutine(_step_input):
    """Return, asynchronously."""
    return "awaited"


class Callable:
    """An object that is called."""

    async def __call__(self, _step_input):
        return "called"


FORMS = [
    (texts, "ab"),
    (numbers, 2),
    (returns, "returned"),
    (outputs, "last"),
    (nothing, None),
    (atexts, "ab"),
    (aoutputs, "last"),
    (coroutine, "awaited"),
    (Callable(), "called"),
    (lambda _: StepOutput({"plain": 1}), {"plain": 1}),
]


@pytest.mark.spec("RUN-1", "RUN-5", "RUN-7")
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize(("function", "content"), FORMS, ids=lambda each: getattr(each, "__name__", None))
def test_user_code_in_every_form(db, drive, function, content, beside):
    """Plain functions, coroutines, generators of both colours and callable objects are steps, alone and beside each other."""
    step = Step("s", function)
    steps: list[Any] = [Parallel(step, Step("t", lambda _: "t"))] if beside else [step]
    run = drive.run(Workflow("flow", steps, db))
    assert run.content == ({"s": content, "t": "t"} if beside else content)


@pytest.mark.spec("ERR-1", "ERR-3")
@pytest.mark.parametrize("kind", ["generator", "async generator", "agent"])
def test_an_error_in_any_form_is_an_error(db, drive, kind):
    """What fails half way is an error of its step."""

    def half(_step_input):
        yield "a"
        raise OSError("half way")

    async def ahalf(_step_input):
        yield "a"
        raise OSError("half way")

    class Bad:
        name = "bad"

        def run(self, _message):
            raise OSError("half way")

    work: dict[str, Any] = {"agent": Bad()} if kind == "agent" else {"executor": half if kind == "generator" else ahalf}
    run = drive.run(Workflow("flow", [Step("s", **work, on_error="pause")], db))
    assert (run.steps_with_errors[0].error_message, run.steps_with_errors[0].error_type) == ("half way", "OSError")


@pytest.mark.spec("COND-6", "ROUTE-3")
@pytest.mark.parametrize("amount", [5, 50])
def test_expressions_decide(db, drive, calls, amount):
    """CEL expressions are evaluators and selectors."""
    steps: list[Any] = [
        Condition("fork", [calls.does("small")], [calls.does("big")], evaluator="input.amount < 10"),
        Router("route", [calls.does("p"), calls.does("q")], 'input.amount < 10 ? "p" : "q"'),
    ]
    run = drive.run(Workflow("flow", steps, db), {"amount": amount})
    assert (run.status, calls.names) == (RunStatus.completed, ["small", "p"] if amount == 5 else ["big", "q"])


@pytest.mark.spec("ERR-10")
def test_an_expression_that_fails_is_an_error(db, drive, calls):
    """An expression that cannot be evaluated is an error of its component, under its policy."""
    run = drive.run(Workflow("flow", [Condition("fork", [calls.does("a")], evaluator="input.nowhere", on_error="pause")], db), {})
    assert (run.steps_with_errors[0].step_name, calls.names) == ("fork", [])


def whole_way(seen: list[Any]) -> list[Any]:
    """A way through every kind of pause; every piece of user code notes what it sees, and counts in the session state."""

    def look(name):
        def work(step_input, run_context):
            given = {"a": step_input.additional_data.get("a")}
            seen.append((name, step_input.input, given, run_context.user_id, run_context.session_id, run_context.metadata))
            run_context.session_state["count"] = run_context.session_state.get("count", 0) + 1
            if name == "bad" and step_input.attempt == 0:
                raise OSError("bad")
            return name

        return work

    return [
        Step("gate", look("gate"), requires_confirmation=True),
        Step("form", look("form"), requires_user_input=True),
        Router("router", [Step("p", look("p"))], requires_user_input=True),
        Loop("loop", [Step("round", look("round"))], max_iterations=2, requires_iteration_review=True),
        Parallel(Step("bad", look("bad"), on_error="pause"), name="par"),
        Step("draft", look("draft"), requires_output_review=True),
    ]


def answer_all(run) -> None:
    """A person goes forward, whatever is asked."""
    confirmed = [each for each in run.requirements if each.kind in ("output_review", "iteration_review")]
    for asked in confirmed:
        asked.confirm()
    for asked in run.steps_requiring_user_input:
        asked.set_user_input(n=1)
    for asked in run.steps_requiring_route:
        asked.select("p")
    confirm_all(run)


@pytest.mark.spec("RUN-8", "RUN-5", "CONF-7")
def test_everything_survives_every_pause(db, drive, reopened):
    """Input, additional data, user, session, metadata and session state are the same after every kind of pause and in a new process."""
    seen: list[Any] = []
    workflow = Workflow("flow", whole_way(seen), db, metadata={"m": 1}, session_id="s")
    run, kinds = drive.run(workflow, [1], additional_data={"a": (2,)}, user_id="u", session_state={"kept": None}, run_id="r"), []
    while run.is_paused:
        kinds.append(run.pause_kind)
        answer_all(run)
        run = drive.resume(workflow.on(reopened()), run)
    assert kinds == ["confirmation", "user_input", "route", "iteration_review", "error", "output_review"]
    assert {name: rest for name, *rest in map(list, seen)} == {
        name: [[1], {"a": (2,)}, "u", "s", {"m": 1}] for name in ("gate", "form", "p", "round", "bad", "draft")
    }
    assert run.session_state == {"kept": None, "count": 6}  # the failed attempt's change is not kept


@pytest.mark.spec("RUN-5", "LAW-3")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_every_stream_tells_the_same_story(db, colour):
    """With `stream=True` a stream yields what `stream_events=True` yields without the life of components; every pause is told."""
    told: dict[bool, list[list[Any]]] = {}
    for everything in (True, False):
        workflow, drive = Workflow("flow", whole_way([]), db), Drive(colour, everything)
        run, parts = drive.run(workflow), []
        while True:
            parts.append([(e.event, e.step_name) for e in drive.events if everything is False or isinstance(e, ALWAYS)])
            if not run.is_paused:
                break
            [paused] = drive.heard(WorkflowPausedEvent)
            assert paused.pause_ids == tuple(each.pause_id for each in run.requirements)
            assert [e.pause_id for e in drive.events if hasattr(e, "pause_id")] == list(paused.pause_ids)
            answer_all(run)
            run = drive.resume(workflow, run)
            assert bool(drive.heard(StepContinuedEvent)) == everything
        told[everything] = parts
    assert told[True] == told[False]


@pytest.mark.spec("CONT-2", "LAW-3")
def test_the_inbox_is_narrowed(db, drive, calls):
    """Pauses are listed by run, session, step and kind, oldest first, page by page."""
    parallel = Parallel(
        Step("a", calls.does("a"), requires_confirmation=True), Step("b", calls.does("b"), requires_user_input=True)
    )
    workflow = Workflow("flow", [parallel], db)
    one, two = drive.run(workflow, session_id="one"), drive.run(workflow, session_id="two")

    def listed(**wanted):
        return [(each.run_id, each.step_name) for each in workflow.list_pauses(**wanted)]

    first, second = [(one.run_id, name) for name in "ab"], [(two.run_id, name) for name in "ab"]
    assert listed() == first + second
    assert (listed(run_id=one.run_id), listed(session_id="two")) == (first, second)
    assert listed(step_name="b") == [first[1], second[1]] == listed(kind="user_input")
    assert (listed(kind="route"), listed(session_id="two", kind="confirmation")) == ([], [second[0]])
    assert listed(limit=1, after=workflow.list_pauses(limit=2).after) == [second[0]]
    assert Workflow("other", [], db).list_pauses() == []


@pytest.mark.spec("RUN-6", "RUN-8")
def test_a_step_sees_its_session_and_its_dependencies(db, drive):
    """`workflow_session` has the runs of the session, this one last; `dependencies` are the very objects that the workflow was given."""
    client, seen = object(), []

    def look(step_input, run_context):
        session = step_input.workflow_session
        seen.append(([run.run_id for run in session.runs], session.runs[0].content, run_context.dependencies["client"] is client))
        return len(seen)

    workflow = Workflow("flow", [Step("look", look)], db, session_id="s", dependencies={"client": client})
    for run_id in ("first", "second"):
        drive.run(workflow, run_id=run_id)
    assert seen == [(["first"], None, True), (["first", "second"], 1, True)]
    elsewhere = workflow.on(InMemoryDb())
    drive.run(elsewhere, run_id="third")
    assert seen[2] == (["third"], None, True)
