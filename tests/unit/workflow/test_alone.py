"""A component by itself: executed with a hand-made input, and as plain data."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from statecore import AsksPeople, Condition, DefinitionError, Loop, Parallel, Router, Step, StepInput, StepOutput, Steps, Workflow
from statecore.run.workflow import ParallelExecutionStartedEvent, StepCompletedEvent


def seen(step_input: StepInput, session_state: dict[str, Any]) -> dict[str, Any]:
    """All that user code sees."""
    session_state["calls"] = session_state.get("calls", 0) + 1
    return {
        "input": step_input.input,
        "previous": step_input.previous_step_content,
        "last": step_input.get_last_step_content(),
        "outputs": {name: each.content for name, each in step_input.previous_step_outputs.items()},
        "b": step_input.get_step_content("b") if "b" in step_input.previous_step_outputs else None,
        "data": {name: value for name, value in step_input.additional_data.items() if name != "images"},
        "images": step_input.images,
    }


GIVEN = StepInput(
    "ada", 12, {"a": StepOutput(1), "b": StepOutput(12, images=["shown"])}, additional_data={"k": 1}, images=["given"]
)


def ways(component: Any, given: StepInput | None = None, **options: Any) -> list[StepOutput]:
    """The output of a component by each of the four ways to execute it."""

    async def streamed() -> list[Any]:
        return [each async for each in component.aexecute_stream(given, **options)]

    return [
        component.execute(given, **options),
        asyncio.run(component.aexecute(given, **options)),
        list(component.execute_stream(given, **options))[-1],
        asyncio.run(streamed())[-1],
    ]


def test_a_step_sees_the_values_of_a_hand_made_input():
    """Its executor is called with the input, the outputs before it, its data and media; a given session state is changed in place."""
    state: dict[str, Any] = {}
    outputs = ways(Step("pay", seen), GIVEN, session_state=state)
    assert {each.step_name for each in outputs} == {"pay"}
    for each in outputs:
        assert each.content == {
            "input": "ada",
            "previous": 12,
            "last": 12,
            "outputs": {"a": 1, "b": 12},
            "b": 12,
            "data": {"k": 1},
            "images": ["given", "shown"],
        }
    assert state == {"calls": 4}


def test_a_previous_content_of_no_output():
    """It is that of a step named `previous`, and it flows into the component."""
    (each, *_) = ways(Step("pay", lambda i: [i.previous_step_content, list(i.previous_step_outputs)]), StepInput("x", 7))
    assert each.content == [7, ["previous"]]


def test_an_earlier_step_that_was_skipped():
    """Its name is known, it has no content, and the last content is of the step before it."""
    given = StepInput("x", None, {"a": StepOutput(1), "b": StepOutput(status="skipped")})
    (each, *_) = ways(Step("c", lambda i: [i.previous_step_content, i.get_last_step_content(), i.get_step_content("b")]), given)
    assert each.content == [None, 1, None]


@pytest.mark.parametrize(
    ("component", "content", "inside"),
    [
        (Steps("g", [Step("a", lambda _: 1), Step("b", lambda i: i.previous_step_content + 1)]), 2, ["a", "b"]),
        (Condition("c", [Step("a", lambda _: 1)], [Step("b", lambda _: 2)], evaluator=lambda i: i.input == "x"), 1, ["a"]),
        (Loop("l", [Step("a", lambda _: 1)], 2), 1, ["a", "a"]),
        (Router("r", [Step("a", lambda _: 1), Step("b", lambda _: 2)], lambda _: "b"), 2, ["b"]),
        (Parallel(Step("a", lambda _: 1), Step("b", lambda _: 2), name="p"), {"a": 1, "b": 2}, ["a", "b"]),
    ],
)
def test_every_kind_of_component(component, content, inside):
    """Each is executed with what is inside it, by every way, and nothing but itself is in its output."""
    for output in ways(component, StepInput("x")):
        assert (output.step_name, output.content) == (component.name, content)
        assert [each.step_name for each in output.steps] == inside


def test_a_stream_tells_of_the_component_alone():
    """Its events come as they happen; those of the steps that hand on the input are not among them."""
    events = list(Parallel(Step("a", lambda _: 1), Step("b", lambda _: 2)).execute_stream(GIVEN))[:-1]
    assert isinstance(events[0], ParallelExecutionStartedEvent)
    assert {each.step_name for each in events if isinstance(each, StepCompletedEvent)} == {"a", "b"}
    assert {each.step_name for each in events} == {"parallel", "a", "b"}


@pytest.mark.parametrize(
    "component",
    [
        Step("z", lambda _: 1, requires_confirmation=True),
        Step("z", lambda _: 1, requires_output_review=True),
        Step("z", lambda _: 1, requires_output_review=lambda _: False),
        Steps("g", [Step("z", lambda _: 1, requires_user_input=True, user_input_schema=[{"name": "n"}])]),
        Router("r", [Step("z", lambda _: 1)], requires_user_input=True),
        Loop("l", [Step("z", lambda _: 1)], 2, requires_iteration_review=True),
        Parallel(Step("z", lambda _: 1, may_ask=1), name="p"),
    ],
)
def test_nobody_is_asked(component):
    """A component that asks, or has one inside that does, is refused by name, and none of its code is called."""
    with pytest.raises(AsksPeople, match=r"Workflow\('try', steps=\[...\]\)"):
        component.execute(StepInput("x"))


def test_a_failure_is_raised():
    """A component raises what its code raised; where a person would say how it goes on, `AsksPeople` tells the failure."""
    with pytest.raises(ZeroDivisionError):
        Step("z", lambda _: 1 / 0).execute()
    with pytest.raises(AsksPeople, match="ZeroDivisionError: division by zero"):
        Step("z", lambda _: 1 / 0, on_error="pause").execute()
    assert Step("z", lambda _: 1 / 0, on_error="skip").execute().status == "skipped"


@pytest.mark.parametrize(
    "given",
    [
        StepInput("x", 1, {"z": StepOutput(1)}),
        StepInput("x", 1, {"a": StepOutput(1, status="failed")}),
        StepInput.from_dict({"input": "x", "decision": {"kind": "confirmation", "word": "confirm"}}),
    ],
)
def test_what_cannot_have_come_before_is_refused(given):
    """The component's own output, a failed one, and a decision at a gate that is not there."""
    with pytest.raises(DefinitionError):
        Step("z", lambda _: 1).execute(given)


def test_a_component_is_plain_data_and_back():
    """Each kind is read from what it wrote, by itself, with its functions by name; another kind's data is refused."""
    step = Step("pay", seen, max_retries=2, on_error="pause")
    functions = {f"{seen.__module__}.seen": seen}
    for made in (step, Steps("g", [step]), Loop("l", [step], 2), Parallel(step, name="p"), Condition("c", [step])):
        plain = made.to_dict()
        assert type(made).from_dict(plain, functions) == made
        assert plain["type"] == type(made).__name__
    with pytest.raises(DefinitionError, match=r"Write Loop\.from_dict"):
        Step.from_dict(Loop("l", [step], 2).to_dict(), functions)
    with pytest.raises(DefinitionError, match="was not given"):
        Step.from_dict(step.to_dict())


def test_an_input_of_the_engine_is_handed_on_as_it_is():
    """A component that an executor runs by itself, with the input that it was given, sees the same images, and none of them twice."""
    seen: list[Any] = []
    inner = Step("inner", lambda i: seen.append(i.images))

    def outer(step_input: StepInput) -> None:
        seen.append(step_input.images)
        inner.execute(step_input)

    Workflow("w", [Step("draw", lambda _: StepOutput("d", images=["drawn"])), Step("outer", outer)]).run("x", images=["given"])
    assert seen == [["given", "drawn"]] * 2
