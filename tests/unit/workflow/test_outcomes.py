"""The outcomes of a requirement: data for a program, and the sentence made from it."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, Loop, OnError, Parallel, Router, Step, StepOutput, Workflow, WorkflowRunOutput
from statecore.asking.outcomes import outcomes


def done(name, **settings):
    """A step that succeeds."""
    return Step(name, lambda _: name, **settings)


def fails(_):
    """A step's function that fails."""
    raise OSError


def stops(_):
    """A step's function that ends its workflow."""
    return StepOutput(content="enough", stop=True)


def told(*steps):
    """The words of the first question of a workflow, each with its code and its sentence."""
    [requirement, *_] = Workflow("w", list(steps)).run("x").requirements
    return {each.word: (each.consequence.code, each.leads_to) for each in requirement.outcomes}


GATE: dict[str, Any] = {"requires_confirmation": True}
REVIEW: dict[str, Any] = {"requires_output_review": True}
NEXT = done("next")
CASES = {
    "a gate": (
        [done("a", **GATE), NEXT],
        {"confirm": ("runs", "run 'a'"), "reject": ("skips", "skip 'a', go on with 'next'")},
    ),
    "a gate that cancels": (
        [done("a", on_reject="cancel", **GATE)],
        {"confirm": ("runs", "run 'a'"), "reject": ("cancels", "cancel the run")},
    ),
    "a fork": (
        [Condition("f", [done("a"), done("b")], [done("c")], on_reject="else", **GATE)],
        {"confirm": ("runs_branch", "a, b"), "reject": ("runs_branch", "c")},
    ),
    "a form": (
        [done("a", requires_user_input=True)],
        {"input": ("runs_with_input", "run 'a' with it"), "reject": ("skips", "skip 'a', and the run ends")},
    ),
    "a route": (
        [Router("r", [done("a"), done("b")], requires_user_input=True)],
        {"select": ("runs_choices", "run what you choose of a, b"), "reject": ("skips", "skip 'r', and the run ends")},
    ),
    "an error": (
        [Step("a", fails, on_error=OnError.pause), NEXT],
        {
            "retry": ("runs_again", "run 'a' again"),
            "provide": ("provides", "take it as the output of 'a', go on with 'next'"),
            "skip": ("skips", "skip 'a', go on with 'next'"),
        },
    ),
    "an error of a step that allows another input": (
        [Step("a", fails, on_error=OnError.pause, allow_edit=True), NEXT],
        {
            "edit": ("runs_with_input", "run 'a' with it"),
            "retry": ("runs_again", "run 'a' again"),
            "provide": ("provides", "take it as the output of 'a', go on with 'next'"),
            "skip": ("skips", "skip 'a', go on with 'next'"),
        },
    ),
    "a gate that allows another input": (
        [Step("a", lambda _: 1, requires_confirmation=True, allow_edit=True), NEXT],
        {
            "confirm": ("runs", "run 'a'"),
            "edit": ("runs_with_input", "run 'a' with it"),
            "reject": ("skips", "skip 'a', go on with 'next'"),
        },
    ),
    "a review": (
        [done("a", **REVIEW), NEXT],
        {
            "confirm": ("keeps", "keep it, go on with 'next'"),
            "edit": ("replaces", "replace the output, go on with 'next'"),
            "reject": ("discards", "discard it, skip 'a', go on with 'next'"),
        },
    ),
    "a review that is spent": (
        [done("a", on_reject="retry", hitl_max_retries=0, **REVIEW)],
        {
            "confirm": ("keeps", "keep it, and the run ends"),
            "edit": ("replaces", "replace the output, and the run ends"),
            "reject": ("gives_up", "cancel the run: it was rejected as often as it may be"),
        },
    ),
    "an iteration": (
        [Loop("l", [done("a")], max_iterations=3, requires_iteration_review=True, on_reject="retry")],
        {
            "confirm": ("keeps", "keep it, and the run ends"),
            "reject": ("revises", "run 'l' again, with what you say about it"),
        },
    ),
    "a branch": (
        [Parallel(done("a", **GATE), done("b"), name="p"), NEXT],
        {"confirm": ("runs", "run 'a'"), "reject": ("skips", "skip 'a', and this branch of 'p' ends")},
    ),
    "a choice": (
        [Router("r", [done("a", **GATE)], selector=lambda _: "a"), NEXT],
        {"confirm": ("runs", "run 'a'"), "reject": ("skips", "skip 'a', and this choice of 'r' ends")},
    ),
    "inside an iteration": (
        [Loop("l", [done("a", **GATE)], max_iterations=2), NEXT],
        {"confirm": ("runs", "run 'a'"), "reject": ("skips", "skip 'a', and this iteration of 'l' ends")},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_word_has_its_consequence(name):
    """The code and the sentence of each word, for every kind of question."""
    steps, expected = CASES[name]
    assert told(*steps) == expected


@pytest.mark.spec("RUN-3")
def test_a_kept_stop_ends_its_workflow():
    """A step that said stop ends its workflow after its review: neither word says that the run goes on."""
    expected = {"confirm": "keep it, and the run ends", "edit": "replace the output, and the run ends"}
    flow = Workflow("w", [Step("a", stops, **REVIEW), NEXT])
    [requirement] = flow.run("x").steps_requiring_output_review
    assert requirement.ends_workflow
    assert {each.word: each.leads_to for each in requirement.outcomes if each.word in expected} == expected
    inner = Step("inner", workflow=Workflow("i", [Step("a", stops, **REVIEW), done("never")]))
    assert told(inner, NEXT)["confirm"] == ("keeps", "keep it, go on with 'next'")


def test_a_consequence_is_plain_data():
    """The data names the component, its address and what comes next; a component's name is as the user wrote it."""
    flow = Workflow("w", [done("a\x1b", **GATE), NEXT])
    [requirement] = flow.run("x").requirements
    [_, reject] = requirement.outcomes
    then = {"code": "goes_on", "components": [{"at": "next", "name": "next"}], "then": None}
    assert reject.consequence.to_dict() == {"code": "skips", "components": [{"at": "a\x1b", "name": "a\x1b"}], "then": then}
    assert str(reject) == r"reject -> skip 'a\x1b', go on with 'next'"


def test_plain_data_has_no_outcomes():
    """A requirement that was read from plain data knows no program, and so no outcome."""
    run = Workflow("w", [done("a", **GATE)]).run("x")
    [requirement] = WorkflowRunOutput.from_dict(run.to_dict()).requirements
    assert (requirement.outcomes, requirement.ends_workflow) == ([], False)


def test_a_changed_definition_has_no_known_outcome():
    """Under a definition without the component, or without its question, the outcome of each word is unknown."""
    [requirement] = Workflow("w", [done("a", **REVIEW)]).run("x").requirements
    for steps in ([done("b")], [Condition("a", [done("b")], evaluator=bool)]):
        program = Workflow("w", steps).compiled.program
        assert {str(each) for each in outcomes(program, requirement)} == {"confirm -> ?", "edit -> ?", "reject -> ?"}
