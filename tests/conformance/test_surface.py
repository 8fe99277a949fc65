"""Values by the name of a parameter, one function as the whole workflow, media and metadata of a run: in every store and colour."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from statecore import Condition, DefinitionError, Loop, Router, Step, UnsupportedSetting, Workflow, WrongArgument


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
