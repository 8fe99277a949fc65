"""CONT-9, CONT-5: a definition that changed while a run was parked, in every store and colour."""

from __future__ import annotations

import pytest

from statecore import Condition, RunStatus, Step, Steps, Workflow
from statecore.errors import DefinitionChanged
from tests.conformance.drive import confirm_all, flat, history


def two_gates(calls, db):
    """A workflow that asks twice."""
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    return Workflow("flow", [*gates, calls.does("end")], db)


@pytest.mark.spec("CONT-9")
def test_a_run_never_goes_back(db, drive, calls):
    """A gate and a step that were inserted before a run's position are not asked and not run; the position is its name, not a number."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    confirm_all(run)
    inserted = [Step("new gate", calls.does("new gate"), requires_confirmation=True), calls.does("new")]
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    later = Workflow("flow", [*inserted, gates[0], calls.does("between"), gates[1]], db)
    run = drive.resume(later, run)
    assert (run.paused_step_name, calls.names) == ("two", ["one", "between"])
    run = drive.finish(later, run, confirm_all)
    assert (run.status, calls.names) == (RunStatus.completed, ["one", "between", "two"])


def paused_inside(calls, db):
    """A workflow that is paused inside a group."""
    return Workflow("flow", [calls.does("a"), Steps("group", [Step("gate", calls.does("gate"), requires_confirmation=True)])], db)


CHANGES = {
    "the step is gone": (lambda c: [c.does("a"), Steps("group", [c.does("other")])], "'group/gate'.*gone"),
    "the step was renamed": (
        lambda c: [c.does("a"), Steps("group", [Step("gate 2", c.does("x"), requires_confirmation=True)])],
        "'group/gate'.*gone",
    ),
    "the group is gone": (lambda c: [c.does("a"), Step("gate", c.does("gate"), requires_confirmation=True)], "'group'.*gone"),
    "the group became a fork": (lambda c: [c.does("a"), Condition("group", [Step("gate", c.does("gate"))])], "'group'"),
    "the step became a fork": (
        lambda c: [c.does("a"), Steps("group", [Condition("gate", [c.does("x")], requires_confirmation=True)])],
        "'group/gate'.*step.*condition",
    ),
    "the step became a group": (
        lambda c: [c.does("a"), Steps("group", [Steps("gate", [c.does("x")], requires_confirmation=True)])],
        "'group/gate'.*step.*steps",
    ),
}


@pytest.mark.spec("CONT-5", "CONT-9")
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_definition_is_refused_by_name(db, drive, calls, change):
    """Where the address of a pause is gone or of another kind, the refusal names it and nothing ran; the old definition still goes on."""
    steps, message = CHANGES[change]
    workflow = paused_inside(calls, db)
    run = drive.run(workflow)
    confirm_all(run)
    calls.seen.clear()
    before = history(workflow, run.run_id)
    with pytest.raises(DefinitionChanged, match=message) as refused:
        drive.resume(Workflow("flow", steps(calls), db), run)
    assert isinstance(refused.value, ValueError)
    assert (calls.names, history(workflow, run.run_id)) == ([], before)
    assert drive.resume(workflow, run).status is RunStatus.completed


@pytest.mark.spec("CONT-5")
def test_policies_may_change_while_a_run_is_parked(db, drive, calls):
    """Messages, policies, order and neighbours may change meanwhile: what holds is the definition that the run goes on with."""
    workflow = Workflow(
        "flow",
        [calls.does("a"), Step("gate", calls.does("gate", OSError("x")), requires_confirmation=True, on_reject="cancel")],
        db,
    )
    rejected, confirmed = drive.run(workflow), drive.run(workflow)
    gate = Step(
        "gate",
        calls.does("gate", OSError("x")),
        requires_confirmation=True,
        on_reject="skip",
        on_error="skip",
        confirmation_message="new",
    )
    later = Workflow("flow", [gate, calls.does("b")], db)
    rejected.step_requirements[0].reject()
    assert drive.resume(later, rejected).status is RunStatus.completed
    confirm_all(confirmed)
    run = drive.resume(later, confirmed)
    assert flat(run.step_results)["gate"].status == "skipped"
    assert calls.names == ["a", "a", "b", "gate", "b"]


@pytest.mark.spec("CONT-5", "CONT-9")
def test_the_journal_says_which_definition_it_follows(db, drive, calls):
    """A run that went on with a changed definition replays from its journal: each row follows the definition that held then."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    confirm_all(run)
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    later = Workflow("flow", [gates[0], calls.does("between"), gates[1]], db)
    run = drive.finish(later, drive.resume(later, run), confirm_all)
    asked = ("StepPaused", "StepContinued", "StepCompleted")
    told = [(event.event, event.step_name) for event in later.get_run_output(run.run_id).events if event.event in asked]
    one, two = ([(name, step) for name in asked] for step in ("one", "two"))
    assert told == [*one, ("StepCompleted", "between"), *two]
    assert db.load(run.run_id).identity.fingerprint == later.compiled.program.fingerprint
    assert all(db.definition(each.compiled.program.fingerprint) for each in (workflow, later))
    assert db.definition("0" * 64) is None


@pytest.mark.spec("CONT-5")
def test_a_run_goes_on_in_its_own_workflow_only(db, drive, calls):
    """A run of one workflow is not continued by another in the same store; nothing ran, and its own goes on."""
    workflow = two_gates(calls, db)
    other = Workflow("other", workflow.definition.steps, db)
    run = drive.run(workflow)
    confirm_all(run)
    with pytest.raises(DefinitionChanged, match="'flow'"):
        drive.resume(other, run)
    assert calls.names == []
    assert (other.list_runs(), other.list_pauses()) == ([], [])
    assert drive.resume(workflow, run).paused_step_name == "two"
