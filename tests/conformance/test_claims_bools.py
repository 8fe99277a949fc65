"""GATE-2: a yes or no is a bool, in every store and colour."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define

from statecore import Condition, Loop, Router, RunStatus, Step, StepOutput, Workflow
from statecore.errors import NotABool
from tests.conformance.drive import statuses

NUMPY = type("bool_", (), {"__module__": "numpy", "__bool__": lambda self: self.yes})
"""A stand-in for the bool of numpy, which the project does not install."""


def numpys(yes: bool) -> Any:  # it is a bool
    """The bool of numpy."""
    found = NUMPY()
    found.yes = yes
    return found


@define
class Answer:
    """An object with a content, as agents return it."""

    content: Any


BOOLS = [lambda yes: yes, StepOutput, numpys, lambda yes: StepOutput(numpys(yes))]
OTHERS = ["no", "", None, 0, 1, [], [True], StepOutput("no"), StepOutput(None), StepOutput(True, success=False), Answer(False)]


def asking(where: str, answer: Any, policy: str | None = None) -> Any:
    """A component whose code answers a question of yes or no."""

    def code(_about: Any) -> Any:
        return answer

    async def waiting(_about: Any) -> Any:
        return answer

    inside = [Step("a", lambda _: "a")]
    return {
        "evaluator": lambda: Condition("it", inside, [Step("b", lambda _: "b")], evaluator=code, on_error=policy),
        "async evaluator": lambda: Condition("it", inside, [Step("b", lambda _: "b")], evaluator=waiting, on_error=policy),
        "end_condition": lambda: Loop("it", inside, max_iterations=2, end_condition=code, on_error=policy),
        "requires_output_review": lambda: Step("it", lambda _: "a", requires_output_review=code, on_error=policy),
        "requires_output_review of a Router": lambda: Router(
            "it", inside, lambda _: "a", requires_output_review=code, on_error=policy
        ),
    }[where]()


INSIDE = {
    "evaluator": (["b"], ["a"]),
    "async evaluator": (["b"], ["a"]),
    "end_condition": (["a", "a"], ["a"]),
    "requires_output_review": ([], []),
    "requires_output_review of a Router": (["a"], ["a"]),
}
"""What ran inside the component after a no, and after a yes."""
PLACES = list(INSIDE)


def accept(run):
    """A person accepts what is shown."""
    for asked in run.steps_requiring_output_review:
        asked.confirm()


@pytest.mark.spec("GATE-2")
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("yes", [True, False])
def test_a_bool_is_what_it_says(db, drive, where, yes):
    """True and False, as themselves, as the content of a StepOutput or as numpy's, choose the branch, end the loop, ask for the review."""
    for made in BOOLS:
        workflow = Workflow("flow", [asking(where, made(yes)), Step("end", lambda _: "end")], db)
        run = drive.run(workflow)
        assert run.is_paused == ("review" in where and yes)
        run = drive.finish(workflow, run, accept)
        assert run.status == RunStatus.completed
        inside = [output.step_name for output in run.step_results[0].steps]
        assert inside == INSIDE[where][yes]


@pytest.mark.spec("GATE-2", "ERR-10")
@pytest.mark.parametrize("where", PLACES)
def test_anything_else_is_an_error_of_its_component(db, drive, where):
    """The error names the component, the setting and the type of the answer; pause asks about it, and nothing ran on the wrong word."""
    asked = where.removeprefix("async ").removesuffix(" of a Router")
    for answer in OTHERS:
        run = drive.run(Workflow("flow", [asking(where, answer, "pause"), Step("end", lambda _: "end")], db))
        [error] = run.steps_with_errors
        assert (error.step_name, error.error_type) == ("it", "NotABool")
        assert f"The {asked} of 'it' answered with a value of type {type(answer).__name__}" in error.error_message
        assert {"end", "b"} & statuses(run).keys() == set()


@pytest.mark.spec("GATE-2", "ERR-1")
@pytest.mark.parametrize("where", PLACES)
def test_under_fail_the_caller_is_told(db, drive, where):
    """Without a policy the run fails with NotABool, which tells the type of a StepOutput's content and never a value."""
    with pytest.raises(NotABool, match="content: a value of type str") as refused:
        drive.run(Workflow("flow", [asking(where, StepOutput("secret"))], db))
    assert (refused.value.name, refused.value.answer) == ("it", StepOutput("secret"))
    assert "secret" not in str(refused.value)


@pytest.mark.spec("GATE-2")
@pytest.mark.parametrize(("text", "branch"), [("input.n > 1", "a"), ("input.n > 5", "b"), ("input.n", None), ("input.s", None)])
def test_an_expression_gives_a_bool(db, drive, text, branch):
    """A CEL expression that gives a number or a text, which Python would take for true, is an error."""
    fork = Condition("it", [Step("a", lambda _: "a")], [Step("b", lambda _: "b")], evaluator=text, on_error="pause")
    run = drive.run(Workflow("flow", [fork], db), {"n": 2, "s": "false"})
    assert run.content == branch
    assert [each.error_type for each in run.steps_with_errors] == ([] if branch else ["NotABool"])
