"""CONT-9, CONT-5, GATE-7b, GATE-8: a definition that changed while a run was parked, in every store and colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from statecore import Condition, Loop, Parallel, Router, RunStatus, Step, Steps, Workflow
from statecore.errors import DefinitionChanged, UnsupportedSetting
from statecore.stores.detail import detail_of
from tests.conformance.drive import confirm_all, history


def two_gates(calls, db):
    """A workflow that asks twice."""
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    return Workflow("flow", [*gates, calls.does("end")], db)


@pytest.mark.spec("CONT-9", "GATE-8")
def test_a_run_never_goes_back(db, drive, calls):
    """A gate and a step inserted before a run's position are not asked and not run; a step behind the next gate is. A position is a name."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    confirm_all(run)
    inserted = [Step("new gate", calls.does("new gate"), requires_confirmation=True), calls.does("new")]
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    later = Workflow("flow", [*inserted, *gates, calls.does("after"), calls.does("end")], db)
    run = drive.resume(later, run)
    assert (run.paused_step_name, calls.names) == ("two", ["one"])
    run = drive.finish(later, run, confirm_all)
    assert (run.status, calls.names) == (RunStatus.completed, ["one", "two", "after", "end"])


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


def gated(calls, name, **settings):
    """A step with a gate."""
    return Step(name, calls.does(name), requires_confirmation=True, **settings)


def standing(calls):
    """The steps under which a run is parked at `pay`, with a gate that cancels before `ship`."""
    return [
        calls.does("collect"),
        gated(calls, "pay"),
        gated(calls, "audit", on_reject="cancel"),
        calls.does("ship"),
        calls.does("end"),
    ]


WEAKER = {
    "a gate is dropped": (lambda c: [c.does("collect"), gated(c, "pay"), c.does("audit"), c.does("ship"), c.does("end")],
        "would drop the gate of 'audit'"),
    "the gate of the question is dropped": (lambda c: [c.does("collect"), c.does("pay"), *standing(c)[2:]], "would drop the gate of 'pay'"),
    "a step comes before its gate": (lambda c: [*standing(c)[:2], c.does("ship"), gated(c, "audit", on_reject="cancel"), c.does("end")],
        "'ship' would no longer stand behind the gate of 'audit'"),
    "a no leads on": (lambda c: [*standing(c)[:2], gated(c, "audit"), *standing(c)[3:]], "a no at the gate of 'audit' would be weaker"),
    "silence approves": (lambda c: [*standing(c)[:2], gated(c, "audit", on_reject="cancel", timeout=60, on_timeout="approve"), *standing(c)[3:]],
        "the silence of 'audit' would be weaker"),
    "an error is skipped": (lambda c: [*standing(c)[:3], Step("ship", c.does("ship"), on_error="skip"), c.does("end")],
        "an error of 'ship' would be weaker"),
    "a step that ran comes again": (lambda c: [*standing(c)[1:4], c.does("collect"), c.does("end")], "would begin 'collect', which the run has passed"),
    "a step ahead is left out": (lambda c: [c.does("end"), *standing(c)[:4]], "would leave out 'end', which is still ahead"),
}  # fmt: skip


@pytest.mark.spec("GATE-8")
@pytest.mark.parametrize("change", WEAKER)
def test_what_is_weaker_is_refused_by_name(db, drive, calls, change):
    """A definition with fewer or weaker gates does not take a parked run, says what it would drop, and the run goes on under its own."""
    steps, message = WEAKER[change]
    workflow = Workflow("flow", standing(calls), db)
    run = drive.run(workflow)
    before = history(workflow, run.run_id)
    confirm_all(run)
    with pytest.raises(DefinitionChanged, match=message) as refused:
        drive.resume(Workflow("flow", steps(calls), db), run)
    assert refused.value.adoptable
    assert (calls.names, history(workflow, run.run_id)) == (["collect"], before)
    assert drive.finish(workflow, run, confirm_all).status is RunStatus.completed


GROUPS: dict[str, Callable[..., Any]] = {
    "steps": lambda step, **gate: Steps("group", [step], **gate),
    "loop": lambda step, **gate: Loop("group", [step], 1, **gate),
    "parallel": lambda step, **gate: Parallel(step, name="group", **gate),
    "router": lambda step, **gate: Router("group", [step], selector=lambda _: step.name, **gate),
}


@pytest.mark.spec("GATE-8")
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("gate", [{}, {"requires_confirmation": True}], ids=["no gate", "a gate"])
def test_a_group_that_is_over_does_not_come_again(db, drive, calls, group, gate):
    """A group that the run has passed does not begin again with other steps inside; one with a gate would ask twice, and no person may order it."""

    def flow(*steps):
        return Workflow("flow", list(steps), db)

    made = GROUPS[group]
    first = flow(made(Step("a", calls.does("a")), **gate), gated(calls, "pay"), Step("end", calls.does("end")))
    run = drive.run(first)
    while run.steps_requiring_confirmation[0].step_name == "group":
        confirm_all(run)
        run = drive.resume(first, run)
    later = flow(gated(calls, "pay"), made(Step("b", calls.does("b")), **gate), Step("end", calls.does("end")))
    confirm_all(run)
    with pytest.raises(DefinitionChanged, match="would begin 'group', which the run has passed") as refused:
        drive.resume(later, run)
    assert (refused.value.adoptable, calls.names) == (not gate, ["a"])
    assert drive.finish(first, run, confirm_all).status is RunStatus.completed


STRICTER = {
    "retries and delays": lambda c: [c.does("collect"), gated(c, "pay", max_retries=2, retry_delay=1), *standing(c)[2:]],
    "a gate more": lambda c: [*standing(c)[:3], gated(c, "ship"), c.does("end")],
    "a step more, behind the next gate": lambda c: [*standing(c)[:3], c.does("wrap"), *standing(c)[3:]],
    "a step less, behind the next gate": lambda c: standing(c)[:4],
    "a longer deadline": lambda c: [*standing(c)[:2], gated(c, "audit", on_reject="cancel", timeout=60), *standing(c)[3:]],
    "an error is asked about": lambda c: [*standing(c)[:3], Step("ship", c.does("ship"), on_error="pause"), c.does("end")],
}


@pytest.mark.spec("GATE-8")
@pytest.mark.parametrize("change", STRICTER)
def test_what_is_stricter_or_new_is_adopted(db, drive, calls, change):
    """More gates, and new steps and policies behind the next question, do not keep a run from going on."""
    run = drive.run(Workflow("flow", standing(calls), db))
    confirm_all(run)
    later = Workflow("flow", STRICTER[change](calls), db)
    run = drive.resume(later, run)
    assert run.paused_step_name == "audit"
    assert drive.finish(later, run, confirm_all).status is RunStatus.completed
    assert calls.names == ["collect", *[step.name for step in later.definition.steps[1:]]]


BRANCHES = {
    "added": (lambda c: Parallel(gated(c, "g"), c.does("b"), c.does("c"), name="p"), "'p'.*new branch 'c'"),
    "removed": (lambda c: Parallel(gated(c, "g"), name="p"), "'p'.*lost branch 'b'"),
    "renamed": (lambda c: Parallel(gated(c, "g"), c.does("c"), name="p"), "'p'.*lost branch 'b'.*new branch 'c'"),
}


@pytest.mark.spec("GATE-8b")
@pytest.mark.parametrize("change", BRANCHES)
def test_an_entered_parallel_has_its_branches(db, drive, calls, change):
    """A branch added to or removed from a Parallel that was entered is refused, also for who would adopt it; nothing is lost."""
    parallel, message = BRANCHES[change]
    workflow = Workflow("flow", [Parallel(gated(calls, "g"), calls.does("b"), name="p"), calls.does("end")], db)
    run = drive.run(workflow)
    confirm_all(run)
    other = Workflow("flow", [parallel(calls), calls.does("end")], db)
    for options in ({}, {"adopt": True, "by": "ada"}):
        with pytest.raises(DefinitionChanged, match=message) as refused:
            drive.resume(other, run, **options)
        assert not refused.value.adoptable
    assert (workflow.get_run_output(run.run_id).status, calls.names) == (RunStatus.paused, ["b"])
    run = drive.resume(workflow, run)
    assert (run.status, run.content, calls.names) == (RunStatus.completed, "end", ["b", "g", "end"])


@pytest.mark.spec("GATE-8b")
def test_a_choice_that_is_still_to_run_is_there(db, drive, calls):
    """A Router that has still to run a choice keeps it: without it the run is refused, and without another one it goes on."""

    def flow(*names):
        choices = [gated(calls, "g"), *[calls.does(name) for name in names]]
        return Workflow("flow", [Router("r", choices, requires_user_input=True, allow_multiple_selections=True)], db)

    workflow = flow("x", "y")
    run = drive.run(workflow)
    run.steps_requiring_route[0].select("g", "x")
    run = drive.resume(workflow, run)
    confirm_all(run)
    with pytest.raises(DefinitionChanged, match="choice 'r/x' of 'r', which is still to run, is gone"):
        drive.resume(flow("y"), run)
    assert drive.resume(workflow, run).status is RunStatus.completed
    assert calls.names == ["g", "x"]


@pytest.mark.spec("GATE-7b")
def test_a_yes_holds_for_what_it_let_begin(db, drive, calls):
    """A run that failed behind a yes is not reopened by a definition with another way up to the next question; a repaired body is taken."""

    def flow(*more, **settings):
        outcomes = (OSError("x"), "paid")
        return Workflow("flow", [Step("pay", calls.does("pay", *outcomes), requires_confirmation=True, **settings), *more], db)

    run = drive.run(flow())
    confirm_all(run)
    with pytest.raises(OSError, match="x"):
        drive.resume(flow(), run)
    for other in (flow(calls.does("wire")), flow(version=2)):
        with pytest.raises(
            DefinitionChanged,
            match="'pay', or what follows it up to the next question, has changed since a person said confirm to 'pay'",
        ):
            drive.resume(other, run_id=run.run_id, retry_failed=True)
    assert calls.names == ["pay"]
    run = drive.resume(flow(max_retries=1), run_id=run.run_id, retry_failed=True)
    assert (run.status, run.content) == (RunStatus.completed, "paid")


@pytest.mark.spec("GATE-7b")
def test_a_run_that_nobody_answered_is_repaired_freely(db, drive, calls):
    """Where no answer has been given, a failed run takes a definition with new steps behind its place."""
    fails = Workflow("flow", [Step("a", calls.does("a", OSError("x"), "a"))], db)
    with pytest.raises(OSError, match="x"):
        drive.run(fails, run_id="r")
    run = drive.resume(Workflow("flow", [Step("a", calls.does("a")), calls.does("b")], db), run_id="r", retry_failed=True)
    assert (run.status, calls.names) == (RunStatus.completed, ["a", "a", "b"])


# -- who takes it over in spite of that --------------------------------------------------------------------------------------------


@pytest.mark.spec("GATE-8")
def test_a_person_takes_a_run_over(db, drive, calls):
    """With `adopt=True` and `by` a run goes on in spite of what would be dropped, and its journal says who did that; once."""
    run = drive.run(Workflow("flow", standing(calls), db))
    confirm_all(run)
    bare = Workflow("flow", [calls.does("collect"), gated(calls, "pay"), calls.does("ship")], db)
    with pytest.raises(DefinitionChanged, match=r"adopt=True and by \(--adopt --by WHO\)"):
        drive.resume(bare, run)
    run = drive.resume(bare, run, adopt=True, by="ada")
    assert (run.status, calls.names) == (RunStatus.paused, ["collect"])  # the yes did not mean that (GATE-7)
    run = drive.finish(bare, run, confirm_all)
    assert (run.status, calls.names) == (RunStatus.completed, ["collect", "pay", "ship"])
    said = [detail_of(entry.body.detail) for entry in db.journal(run.run_id)]
    assert [each.adopted_by for each in said if each.definition is not None] == [None, "ada"]
    assert sum(each.adopted_by is not None for each in said) == 1


@pytest.mark.spec("GATE-8")
@pytest.mark.parametrize("options", [{"adopt": True}, {"by": "ada"}, {"adopt": True, "by": ""}])
def test_taking_over_has_a_name(db, drive, calls, options):
    """`adopt=True` without `by`, and `by` without `adopt=True`, are refused; nothing changes."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    confirm_all(run)
    with pytest.raises(UnsupportedSetting, match="without"):
        drive.resume(workflow, run, **options)
    assert calls.names == []


@pytest.mark.spec("GATE-8")
def test_taking_over_what_fits_is_no_event(db, drive, calls):
    """Where nothing speaks against it, `adopt=True` leaves no name in the journal."""
    run = drive.run(Workflow("flow", standing(calls), db))
    confirm_all(run)
    run = drive.resume(Workflow("flow", STRICTER["a gate more"](calls), db), run, adopt=True, by="ada")
    assert all(detail_of(entry.body.detail).adopted_by is None for entry in db.journal(run.run_id))


# -- versions ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("GATE-8")
def test_a_lower_version_takes_no_run_of_a_higher_one(db, drive, calls):
    """The version of a run is that of the definition that it follows; none counts as 0. A person may take it back."""

    def flow(version):
        return Workflow("flow", standing(calls), db, version=version)

    run = drive.run(flow(2))
    confirm_all(run)
    for lower in (None, 1):
        with pytest.raises(DefinitionChanged, match=f"it is version {lower or 0}, and the run follows version 2"):
            drive.resume(flow(lower), run)
    run = drive.resume(flow(3), run)
    confirm_all(run)
    with pytest.raises(DefinitionChanged, match="the run follows version 3"):
        drive.resume(flow(2), run)
    assert drive.resume(flow(None), run, adopt=True, by="ada").status is RunStatus.completed


@pytest.mark.spec("GATE-8")
def test_a_call_that_was_begun_is_made_by_its_version(db, drive, calls):
    """A call that is owed is not made by another version of its step, and the version under which it was begun makes it."""

    def flow(version):
        return Workflow("flow", [Step("long", calls.does("long", KeyboardInterrupt(), "done"), version=version)], db)

    with pytest.raises(KeyboardInterrupt):
        drive.run(flow(1), run_id="r")
    for other in (None, 2):
        with pytest.raises(
            DefinitionChanged, match=f"the call of 'long' was begun by its version 1, and this is version {other or 0}"
        ):
            drive.resume(flow(other), run_id="r")
    run = drive.resume(flow(1), run_id="r")
    assert (run.status, run.content, calls.names) == (RunStatus.completed, "done", ["long", "long"])


@pytest.mark.spec("GATE-8")
def test_a_call_that_failed_is_made_again_by_its_version(db, drive, calls):
    """A failed run is not reopened with another version of the step that failed, also where no answer was given; its own version reopens it."""

    def flow(version):
        return Workflow("flow", [Step("call", calls.does("call", OSError("x"), "done"), version=version)], db)

    with pytest.raises(OSError, match="x"):
        drive.run(flow(1), run_id="r")
    with pytest.raises(DefinitionChanged, match="the call of 'call' was begun by its version 1, and this is version 2"):
        drive.resume(flow(2), run_id="r", retry_failed=True)
    assert calls.names == ["call"]
    assert drive.resume(flow(1), run_id="r", retry_failed=True).content == "done"


@pytest.mark.spec("CONT-5", "CONT-9")
def test_the_journal_says_which_definition_it_follows(db, drive, calls):
    """A run that went on with a changed definition replays from its journal: each row follows the definition that held then."""
    workflow = two_gates(calls, db)
    run = drive.run(workflow)
    confirm_all(run)
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "two")]
    later = Workflow("flow", [*gates, calls.does("end"), calls.does("after")], db)
    run = drive.finish(later, drive.resume(later, run), confirm_all)
    asked = ("StepPaused", "StepContinued", "StepCompleted")
    told = [(event.event, event.step_name) for event in later.get_run_output(run.run_id).events if event.event in asked]
    one, two = ([(name, step) for name in asked] for step in ("one", "two"))
    assert told == [*one, *two, ("StepCompleted", "end"), ("StepCompleted", "after")]
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
