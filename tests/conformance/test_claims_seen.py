"""GATE-6: a person answers the question that stands, or is told that it has changed."""

from __future__ import annotations

import pytest

from statecore import Inbox, Parallel, PauseFilter, RunStatus, Step, StepRequirement, Workflow
from statecore.errors import RunBusy, StaleDecision
from tests.conformance.drive import history


def branches(calls, db, *, longer=False):
    """Two gates beside each other, and behind both a gate, behind which perhaps comes a step more."""
    gates = [Step(name, calls.does(name), requires_confirmation=True) for name in ("one", "other")]
    after = Step("after", calls.does("after"), requires_confirmation=True)
    return Workflow("flow", [Parallel(*gates, name="p"), *([calls.does("more")] if longer else []), after], db)


def named(run, name):
    """The requirement of a step."""
    return next(each for each in run.steps_requiring_confirmation if each.step_name == name)


@pytest.mark.spec("GATE-6")
def test_a_question_that_changed_after_it_was_shown(db, drive, calls):
    """Where the run went over to a definition in which the word leads elsewhere, the decision is stale, for the newer question, too."""
    workflow, later = branches(calls, db), branches(calls, db, longer=True)
    run = drive.run(workflow)
    old, stale = named(run, "other"), named(run, "other")
    shown = old.shown()
    named(run, "one").confirm()
    now = drive.resume(later, run)
    before = history(workflow, run.run_id)
    anew = named(now, "other")
    with pytest.raises(StaleDecision, match="no longer asks what was shown"):
        later.decide(run.run_id, old.pause_id, "confirm", seen=shown)
    with pytest.raises(StaleDecision, match="no longer asks what was shown"):
        later.decide(run.run_id, anew.pause_id, "confirm", seen=shown)
    stale.confirm()
    with pytest.raises(StaleDecision):
        drive.resume(later, step_requirements=[stale], run_id=run.run_id)
    assert (db.decisions(run.run_id)[1:], history(workflow, run.run_id)) == ([], before)
    assert anew.shown() != shown
    for each in (anew, named(now, "one")):
        later.decide(run.run_id, each.pause_id, "confirm", seen=each.shown())
    run = drive.resume(later, run_id=run.run_id)
    assert (run.paused_step_name, sorted(calls.names)) == ("after", ["more", "one", "other"])


@pytest.mark.spec("GATE-6")
def test_a_question_that_stands_is_answered(db, drive, calls):
    """The digest of a question is the same for each reader, and travels in plain data; without one the answer counts."""
    workflow = branches(calls, db)
    run = drive.run(workflow)
    one, other = named(run, "one"), named(run, "other")
    read = {each.step_name: each.shown() for each in Inbox(db).pending(PauseFilter())}
    assert read == {"one": one.shown(), "other": other.shown()}
    assert len(set(read.values())) == 2
    sent = StepRequirement.from_dict(one.to_dict())
    sent.confirm()
    assert (sent.seen, sent.shown()) == (one.shown(), one.shown())
    unknown = StepRequirement.from_dict({**other.to_dict(), "seen": None})
    unknown.reject()
    assert unknown.shown() is None
    run = drive.resume(workflow, step_requirements=[sent, unknown], run_id=run.run_id)
    assert (run.paused_step_name, calls.names) == ("after", ["one"])
    workflow.decide(run.run_id, run.requirements[0].pause_id, "confirm")
    assert drive.resume(workflow, run_id=run.run_id).status is RunStatus.completed


@pytest.mark.spec("GATE-6")
def test_a_digest_of_something_else_is_refused(db, drive, calls):
    """A forged digest, or that of another question, stores nothing; a decision that is repeated is answered as it was."""
    workflow = branches(calls, db)
    run = drive.run(workflow)
    one, other = named(run, "one"), named(run, "other")
    for wrong in ("", "0" * 64, other.shown()):
        with pytest.raises(StaleDecision):
            workflow.decide(run.run_id, one.pause_id, "confirm", seen=wrong)
    assert db.decisions(run.run_id) == []
    first = workflow.decide(run.run_id, one.pause_id, "confirm", seen=one.shown(), by="ada")
    assert workflow.decide(run.run_id, one.pause_id, "confirm", seen="stale").by == first.by == "ada"


@pytest.mark.spec("GATE-6", "SAID-1")
def test_a_digest_of_something_else_is_refused_of_a_busy_run(db, drive, calls):
    """An answer that is handed to `continue_run` while another branch runs is compared before it is stored, too."""
    found: list[str] = []

    def busy(_step_input):
        [asked] = flow.get_run_output("r").steps_requiring_confirmation
        for seen in ("0" * 64, asked.shown()):
            answer = StepRequirement.from_dict({**asked.to_dict(), "seen": seen, "confirmed": True})
            try:
                flow.continue_run(run_id="r", step_requirements=[answer])
            except (StaleDecision, RunBusy) as refused:
                found.append(f"{type(refused).__name__} {len(db.decisions('r'))}")

    flow = Workflow(
        "flow", [Parallel(Step("gate", calls.does("gate"), requires_confirmation=True), Step("busy", busy), name="p")], db
    )
    run = drive.run(flow, run_id="r")
    assert (found, run.status, calls.names) == (["StaleDecision 0", "RunBusy 1"], RunStatus.completed, ["gate"])
