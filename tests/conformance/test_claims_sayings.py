"""What a person said reaches the code: at the gate of a step, in an else branch, on a route, and of earlier steps; in every colour."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import (
    Condition,
    HumanReview,
    Loop,
    Parallel,
    Router,
    Step,
    StepInput,
    Steps,
    Workflow,
    WorkflowRunOutput,
)
from statecore.definition import Decision
from statecore.stores.rules import clock_text
from statecore.testing import Clock, timed
from tests.conformance.drive import flat


def said(decision: Decision | None) -> tuple[Any, ...] | None:
    """A decision without its time."""
    if decision is None:
        return None
    return decision.kind, decision.word, decision.value, decision.by, decision.comment, decision.expired


def heard(step_input: StepInput) -> Any:
    """What a step hears at its gate."""
    return list(said(step_input.decision) or ())


def sayings(step_input: StepInput, name: str) -> list[Any]:
    """What was said of another component."""
    output = step_input.get_step_output(name)
    return [list(said(each) or ()) for each in output.decisions] if output is not None else []


GATED: dict[str, tuple[Any, str, Any, list[Any]]] = {
    "a gate": (Step("s", heard, requires_confirmation=True), "confirm", None, ["confirmation", "confirm", None]),
    "a form": (Step("s", heard, requires_user_input=True), "input", {"n": 1}, ["user_input", "input", {"n": 1}]),
    "a group": (Steps("g", [Step("s", heard)], requires_confirmation=True), "confirm", None, ["confirmation", "confirm", None]),
    "a branch": (
        Condition("c", [Step("s", heard)], [lambda _: 1], requires_confirmation=True),
        "confirm",
        None,
        ["confirmation", "confirm", None],
    ),
    "an else branch": (
        Condition("c", [lambda _: 1], [Step("s", heard)], requires_confirmation=True),
        "reject",
        "to dist instead",
        ["confirmation", "reject", "to dist instead"],
    ),
    "a route": (Router("r", [Step("s", heard)], requires_user_input=True), "select", ["s"], ["route", "select", ["s"]]),
    "a loop": (
        Loop("l", [Step("s", heard)], max_iterations=1, requires_confirmation=True),
        "confirm",
        None,
        ["confirmation", "confirm", None],
    ),
}


@pytest.mark.spec("SAID-3")
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("case", GATED)
def test_what_was_said_at_the_gate_reaches_the_code(db, drive, reopened, case, beside):
    """`step_input.decision` has kind, word, value, person, reason and time of the step's own gate, or of the nearest one around it."""
    component, word, value, heard_there = GATED[case]
    steps: list[Any] = [Parallel(component, lambda _: 2, name="p")] if beside else [component]
    workflow = Workflow("flow", steps, db)
    run = drive.run(workflow, run_id="r")
    workflow.decide("r", run.requirements[0].pause_id, word, value=value, by="ada", comment="checked against the order")
    run = drive.resume(workflow.on(reopened()), run_id="r")
    assert flat(run.step_results)["s"].content == [*heard_there, "ada", "checked against the order", False]


@pytest.mark.spec("SAID-3")
def test_nobody_was_asked(db, drive):
    """A step without a gate, and after a gated one, hears nothing; so does a step in a branch beside it."""
    none = lambda i: i.decision is None  # noqa: E731
    steps: list[Any] = [
        Step("a", none),
        Parallel(Step("gate", lambda _: 1, requires_confirmation=True), Step("b", none), name="p"),
        Step("c", none),
    ]
    workflow = Workflow("flow", steps, db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].confirm(by="ada")
    run = drive.resume(workflow, run)
    assert [flat(run.step_results)[name].content for name in "abc"] == [True] * 3


@pytest.mark.spec("SAID-3", "PAR-5")
def test_a_branch_does_not_hear_what_is_said_in_another(db, drive):
    """What was said in another branch of a Parallel is hidden inside it, and known behind it."""
    look = lambda i: sayings(i, "gate")  # noqa: E731
    branches: list[Any] = [
        Step("gate", lambda _: 1, requires_confirmation=True),
        Steps("q", [Step("form", look, requires_confirmation=True)]),
    ]
    workflow = Workflow("flow", [Parallel(*branches, name="p"), Step("after", look)], db)
    run = drive.run(workflow)
    first, second = run.steps_requiring_confirmation
    first.confirm(by="ada")
    run = drive.resume(workflow, run)
    run.steps_requiring_confirmation[0].confirm(by="bob")
    outputs = flat(drive.resume(workflow, run).step_results)
    assert (outputs["form"].content, outputs["after"].content) == ([], [["confirmation", "confirm", None, "ada", None, False]])
    assert second.step_name == "form"


class Failing:
    """User code that fails once."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, _asked: Any) -> str:
        self.calls += 1
        if self.calls == 1:
            message = "busy"
            raise OSError(message)
        return "done"


@pytest.mark.spec("SAID-3")
def test_all_that_was_said_of_a_step(db, drive):
    """`get_step_output(name).decisions` has each question of a component in order: gate, error and reviews, of a loop each iteration's."""
    pay = Step("pay", Failing(), on_error="pause", requires_confirmation=True, requires_output_review=True, on_reject="retry")
    loop = Loop("polish", [Step("draft", lambda _: "d")], 3, requires_iteration_review=True, on_reject="retry")
    ledger = Step("ledger", lambda i: [sayings(i, "pay"), sayings(i, "polish")])
    workflow = Workflow("flow", [pay, loop, ledger], db)
    run = drive.run(workflow)
    words: list[tuple[str, Any]] = [("confirm", None), ("retry", None), ("reject", "again"), ("edit", "mine")]
    words += [("reject", "more"), ("confirm", None)]
    for number, (word, value) in enumerate(words):
        run.requirements[0].decide(word, value, by=f"person {number}")
        run = drive.resume(workflow, run)
    paid, polished = run.content
    assert [each[:4] for each in paid] == [
        ["confirmation", "confirm", None, "person 0"],
        ["error", "retry", None, "person 1"],
        ["output_review", "reject", "again", "person 2"],
        ["output_review", "edit", "mine", "person 3"],
    ]
    assert [each[:4] for each in polished] == [
        ["iteration_review", "reject", "more", "person 4"],
        ["iteration_review", "confirm", None, "person 5"],
    ]


@pytest.mark.spec("SAID-3", "CRASH-2")
def test_what_was_said_of_an_interruption(db, drive):
    """A question about a step whose process died is of kind interrupted."""
    code = Failing()

    def dies(asked: Any) -> str:
        try:
            return code(asked)
        except OSError:
            raise KeyboardInterrupt from None

    workflow = Workflow("flow", [Step("s", dies, on_interrupt="pause"), Step("look", lambda i: sayings(i, "s"))], db)
    with pytest.raises(KeyboardInterrupt):
        drive.run(workflow, run_id="r")
    run = drive.resume(workflow, run_id="r") if not workflow.get_run_output("r").is_paused else workflow.get_run_output("r")
    run.steps_with_errors[0].retry(by="ada")
    assert drive.resume(workflow, run).content == [["interrupted", "retry", None, "ada", None, False]]


@pytest.mark.spec("SAID-3", "TIME-3")
def test_an_expired_question_says_so(db):
    """Where the deadline was over first there is no word and no person, and `expired` is True."""
    clock = Clock()
    gate = Step("s", heard, requires_confirmation=True, timeout=60, on_timeout="approve")
    workflow = timed(Workflow("flow", [gate, Step("look", lambda i: [i.previous_step_content, sayings(i, "s")])], db), clock)
    run = workflow.run()
    clock.advance(60)
    told = ["confirmation", None, None, None, None, True]
    assert workflow.continue_run(run).content == [told, [told]]


@pytest.mark.spec("SAID-3")
def test_the_time_is_that_of_the_decision(db):
    """`time` is when the person decided, not when the run went on; it is the same for the code, the output and the requirement."""
    clock = Clock()
    workflow = timed(Workflow("flow", [Step("s", lambda i: i.decision.time, requires_confirmation=True)], db), clock)
    run = workflow.run(run_id="r")
    clock.advance(3_600)
    decided = workflow.decide("r", run.requirements[0].pause_id, "confirm")
    [stored] = db.decisions("r")
    clock.advance(3_600)
    run = workflow.continue_run(run_id="r")
    assert run.content == run.step_results[0].decisions[0].time == decided.decided_at == clock_text(stored.time)


@pytest.mark.spec("SAID-3")
def test_each_iteration_has_its_own_time(db):
    """The reviews of a Loop's iterations have the times at which they were decided, each its own, in a Router's turn too."""
    clock = Clock()
    loop = Loop("l", [Step("draft", lambda _: "d")], 3, requires_iteration_review=True, on_reject="retry")
    workflow = timed(Workflow("flow", [Router("r", [loop], lambda _: "l")], db), clock)
    run = workflow.run(run_id="r")
    for word in ("reject", "confirm"):
        clock.advance(60)
        workflow.decide("r", run.requirements[0].pause_id, word)
        clock.advance(60)
        run = workflow.continue_run(run_id="r")
    told = [each.time for each in flat(run.step_results)["l"].decisions]
    assert told == [clock_text(each.time) for each in db.decisions("r")]
    assert len(set(told)) == 2


words = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.spec("SAID-3", "RUN-5")
@given(by=words, comment=words, feedback=st.none() | words, else_branch=st.booleans())
def test_the_code_hears_what_was_said(by, comment, feedback, else_branch):
    """Any name, reason and feedback reach the next step and the else branch as they were said; an empty name or reason is none."""
    gated: Any = (
        Condition("pay", [lambda _: 1], [Step("no", heard)], requires_confirmation=True)
        if else_branch
        else Step("pay", lambda _: 1, requires_confirmation=True)
    )
    workflow = Workflow("flow", [gated, Step("look", lambda i: [i.previous_step_content, sayings(i, "pay")])])
    run = workflow.run()
    run.steps_requiring_confirmation[0].reject(feedback, by=by, comment=comment)
    told = ["confirmation", "reject", feedback, by or None, comment or None, False]
    assert workflow.continue_run(run).content == [told if else_branch else None, [told]]


@pytest.mark.spec("SAID-3")
def test_decisions_are_in_the_plain_data():
    """An output's plain data have the decisions, and are read back equal; the state of the run holds none of them."""
    review = HumanReview(requires_confirmation=True)
    workflow = Workflow("flow", [Step("s", lambda _: 1, human_review=review), Step("t", lambda _: 2, requires_confirmation=True)])
    run = workflow.run(run_id="r")
    run.steps_requiring_confirmation[0].confirm(by="ada", comment="a reason of its own")
    run = workflow.continue_run(run)
    again = WorkflowRunOutput.from_dict(run.to_dict()).step_results
    assert again == run.step_results
    assert said(again[0].decisions[0]) == ("confirmation", "confirm", None, "ada", "a reason of its own", False)
    assert "a reason" not in repr(workflow.db.load("r").state)
