"""Wrong definitions are refused by name where they are written; right ones have a plain form."""

# mypy: ignore-errors
# most of what is written here is what the types refuse, too

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from statecore import Condition, HumanReview, Loop, Parallel, Router, Step, StepOutput, Steps, UserInputField, Workflow
from statecore.definition import pause
from statecore.definition.forms import checked
from statecore.errors import (
    DefinitionError,
    DuplicateNames,
    InvalidInput,
    NotAComponent,
    StoreForked,
    UnknownStep,
    UnsupportedSetting,
)


def work(_step_input: Any) -> int:
    """Do nothing."""
    return 1


class Agent:
    """Something that runs."""

    name = "agent"

    def run(self, said: Any) -> Any:
        """Say it again."""
        return said


WRONG: dict[str, Any] = {
    "a workflow with automatic retries": lambda: Step("w", workflow=Workflow("w", [work]), max_retries=1),
    "nothing to do": lambda: Step("s"),
    "two things to do": lambda: Step("s", work, agent=Agent()),
    "an executor that cannot be called": lambda: Step("s", 3),
    "a workflow that is none": lambda: Step("s", workflow=work),
    "an agent that cannot run": lambda: Step("s", agent=object()),
    "half a retry": lambda: Step("s", work, max_retries=0.5),
    "a delay of a day ago": lambda: Step("s", work, retry_delay=-1),
    "a shrinking delay": lambda: Step("s", work, backoff=0.5),
    "a contradiction": lambda: Step("s", work, skip_on_failure=True, on_error="pause"),
    "a loop that never begins": lambda: Loop("l", [work], max_iterations=0),
    "a loop of nothing": lambda: Loop("l", []),
    "a condition on a number": lambda: Condition("c", [work], evaluator=3),
    "a router without anyone to choose": lambda: Router("r", [work]),
    "a router with two who choose": lambda: Router("r", [work], selector=work, requires_user_input=True),
    "a router that asks a number": lambda: Router("r", [work], selector=3),
    "a parallel of nothing": Parallel,
    "no branch at a time": lambda: Parallel(work, max_concurrency=0),
    "a workflow with no branch at a time": lambda: Workflow("w", [work], max_concurrency=True),
    "no name": lambda: Steps("", [work]),
    "half a character": lambda: Step("\ud800", work),
    "half a character in a question": lambda: Step("s", work, requires_confirmation=True, confirmation_message="Sure\ud800?"),
    "half a character in a question about an output": lambda: HumanReview(output_review_message="\udfff"),
    "a number among steps": lambda: Steps("s", [3]),
    "a text for steps": lambda: Steps("s", "work"),
    "an empty list among steps": lambda: Steps("s", [[]]),
    "a review that is none": lambda: Step("s", work, human_review={"on_error": "pause"}),
    "approval of what nobody gave": lambda: Step("s", work, requires_user_input=True, on_timeout="approve"),
    "a form that nobody is asked to fill in": lambda: Step("s", work, user_input_schema=[{"name": "n"}]),
    "a field of no type": lambda: UserInputField("n", "number"),
    "a field without a name": lambda: UserInputField.from_dict({"field_type": "str"}),
    "a field with an unknown part": lambda: UserInputField.from_dict({"name": "n", "kind": "str"}),
    "a form of numbers": lambda: HumanReview(user_input_schema=[3]),
    "a form that is a text": lambda: HumanReview(user_input_schema="n"),
    "a field twice": lambda: HumanReview(user_input_schema=[{"name": "n"}, {"name": "n"}]),
    "a word that means nothing": lambda: HumanReview(on_timeout="wait"),
    "a flag that is a word": lambda: HumanReview(requires_confirmation="yes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_definition_is_refused_where_it_is_written(name):
    """Each is a `DefinitionError`, which is a `ValueError`, with a sentence."""
    with pytest.raises(DefinitionError) as caught:
        WRONG[name]()
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) > len("SC100 ")


def test_what_is_no_component_is_named():
    """The error says where it stands and what it is."""
    with pytest.raises(NotAComponent) as caught:
        Workflow("w", [work, 3])
    assert (caught.value.where, caught.value.found) == ("Workflow 'w'", 3)
    for steps in ("work", b"work", 3, {work}):
        with pytest.raises(NotAComponent) as caught:
            Workflow("w", steps)
        assert caught.value.found == steps


def test_an_output_made_by_hand_is_that_of_a_first_attempt():
    """What an executor returns says what it wants to say, and the rest is as of a step that went well at once."""
    made = StepOutput(content="x")
    assert (made.content, made.attempt, made.success, made.stop, made.error) == ("x", 0, True, False, None)


def test_names_come_from_what_is_run():
    """A function, a partial, a marked function, an agent and a workflow name their steps."""
    marked = pause("asked", requires_confirmation=True)(lambda step_input: step_input)
    inner = Workflow("inner", [work])
    steps = [
        Step(executor=work),
        Step(executor=partial(marked)),
        Step(executor=partial(work)),
        Step(agent=Agent()),
        Step(workflow=inner),
    ]
    assert [step.name for step in steps] == ["work", "asked", "work", "agent", "inner"]
    assert steps[1].human_review.requires_confirmation


def test_a_function_without_a_signature_is_a_step():
    """Built-in functions run as executors, whether Python knows their parameters or not."""
    assert [Step("t", function).takes for function in (min, len, print)] == [(), (), ()]


def test_a_workflow_has_a_plain_form():
    """Kinds, names and settings that differ from their defaults; functions are named, children nested."""
    review = HumanReview(requires_user_input=True, user_input_schema=[UserInputField("n", "int")], on_reject="cancel")
    inner = Workflow("inner", [Step("a", work, human_review=review)])
    workflow = Workflow("outer", [inner, Step("b", workflow=inner), Condition("c", [work], [work]), Step("d", agent=Agent())])
    plain = workflow.to_dict()
    assert (plain["type"], plain["name"], plain["id"]) == ("Workflow", "outer", "outer")
    first, second, third, fourth = plain["steps"]
    assert first["steps"][0]["human_review"] == {
        "requires_user_input": True,
        "user_input_schema": [UserInputField("n", "int").to_dict()],
        "on_reject": "cancel",
    }
    assert second["workflow"]["name"] == "inner"
    assert third["else_steps"][0]["executor"]["function"].endswith("work")
    assert fourth["agent"]["function"].endswith("Agent")
    assert review.to_dict() == first["steps"][0]["human_review"]
    assert HumanReview.from_dict(review.to_dict()) == review


def test_a_form_takes_a_mapping_of_names():
    """Anything else is refused by name."""
    with pytest.raises(InvalidInput):
        checked("s", None, [1])
    assert checked("s", None, {"a": 1}) == {"a": 1}


def test_input_is_checked_by_the_workflow():
    """A schema of fields, or a class that validates, refuses a wrong input before anything is stored, and completes a right one."""

    class Model:
        @staticmethod
        def model_validate(given: Any) -> Any:
            if given != {"n": 1}:
                message = "n must be 1"
                raise ValueError(message)
            return Model

        @staticmethod
        def model_dump() -> dict[str, int]:
            return {"n": 1, "m": 2}

    for schema, right in (([{"name": "n", "field_type": "int"}], {"n": 1}), (Model, {"n": 1, "m": 2})):
        workflow = Workflow("w", [Step("s", lambda step_input: step_input.input)], input_schema=schema)
        assert workflow.run({"n": 1}).content == right
        with pytest.raises(InvalidInput):
            workflow.run({"n": "1"})
        assert len(workflow.list_runs()) == 1


def test_errors_carry_their_parts():
    """Attributes instead of sentences to take apart."""
    assert StoreForked("x.db").path == "x.db"
    assert "Did you mean 'fetch'" in str(UnknownStep("fech", ["fetch"]))


@pytest.mark.parametrize(
    "settings", [{}, {"executor": 3}, {"workflow": work}, {"agent": object()}], ids=["nothing", "executor", "workflow", "agent"]
)
def test_a_wrong_step_is_named(settings):
    """What is wrong with the work of a step is said with its name, or with an empty one where it has none."""
    for given, said in (("pay", "'pay'"), (None, "''")):
        with pytest.raises(DefinitionError, match=f"Step {said}"):
            Step(given, **settings)


@pytest.mark.parametrize("values", [["name"], "name", {1: "x"}], ids=["list", "text", "numbered"])
def test_input_is_a_mapping_of_names(values):
    """What is no mapping, or has a key that is no name, is refused; without a schema too."""
    with pytest.raises(InvalidInput, match="a mapping of names to values is needed"):
        checked("ask", None, values)


def test_a_component_without_a_name_has_that_of_its_kind():
    """A name is optional; two siblings without one are told apart by their kind, or refused."""
    made = [Steps(steps=[work]), Condition(steps=[work]), Loop(steps=[work]), Router(choices=[work], selector=work), Parallel(work)]
    assert [each.name for each in made] == ["steps", "condition", "loop", "router", "parallel"]
    with pytest.raises(DefinitionError, match="Write the list by its keyword"):
        Loop([work], "loop")
    with pytest.raises(DuplicateNames):
        Workflow("w", [Loop(steps=[work]), Loop(steps=[work])])


class Team:
    """A team of agents, by its shape."""

    members = ("a", "b")

    def run(self, message):
        return f"team: {message}"


def test_a_team_is_an_agent():
    """`Step(team=...)` calls it as an agent, and can be read back; beside an agent it is refused."""
    step = Step("t", team=Team())
    assert step.team is step.agent
    assert Workflow("w", [step]).run("x").content == "team: x"
    assert Step("a", agent=object.__new__(type("Agent", (), {"run": lambda *_: 1}))).team is None
    with pytest.raises(DefinitionError, match="exactly one of"):
        Step("t", team=Team(), agent=Team())


def test_a_deadline_holds_for_what_a_step_asks_itself():
    """A step that may ask takes a deadline, at every depth; one that never asks, and pauses at no error, is refused."""
    Workflow("w", [Parallel(Step("a", work, may_ask=1, timeout=60), work)])
    with pytest.raises(UnsupportedSetting, match="timeout"):
        Workflow("w", [Parallel(Step("a", work, timeout=60), work)])
