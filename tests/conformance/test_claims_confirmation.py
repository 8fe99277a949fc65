"""CONF: a person decides before anything of a component runs, in every store and colour."""

from __future__ import annotations

from json import loads

import pytest

from statecore import Condition, HumanReview, InMemoryDb, RunStatus, Step, Steps, Workflow, WorkflowRunOutput
from statecore.codec import decode
from statecore.errors import AlreadyDecided, ConflictingSettings, DefinitionError, UnknownDecision, UnknownPause, UnsupportedSetting
from statecore.run.workflow import (
    StepContinuedEvent,
    StepPausedEvent,
    StepSkippedEvent,
    StepStartedEvent,
    WorkflowCancelledEvent,
    WorkflowPausedEvent,
)
from tests.conformance.drive import Drive, confirm_all, flat, statuses, triggers

KINDS = ["step", "steps", "condition", "step of a workflow"]


def gated(kind, calls, **settings):
    """A component of each kind, that requires confirmation, with the name "gated" and one call inside."""
    settings = {"requires_confirmation": True, **settings}
    return {
        "step": lambda: Step("gated", calls.does("work"), **settings),
        "steps": lambda: Steps("gated", [calls.does("work")], **settings),
        "condition": lambda: Condition("gated", [calls.does("work")], [calls.does("other")], **settings),
        "step of a workflow": lambda: Step("gated", workflow=Workflow("inner", [calls.does("work")]), **settings),
    }[kind]()


@pytest.mark.spec("CONF-1")
@pytest.mark.parametrize("kind", KINDS)
def test_a_gate_pauses_before_anything_runs(db, drive, calls, kind):
    """A component that requires confirmation asks, with its name and message, before any of its code is called."""
    workflow = Workflow("flow", [calls.does("a"), gated(kind, calls, confirmation_message="Sure?"), calls.does("end")], db)
    run = drive.run(workflow)
    assert calls.names == ["a"]
    assert (run.is_paused, run.status) == (True, RunStatus.paused)
    [asked] = run.steps_requiring_confirmation
    assert (asked.step_name, asked.confirmation_message, asked.kind) == ("gated", "Sure?", "confirmation")
    assert (asked.requires_confirmation, asked.needs_confirmation, asked.confirmed, asked.is_resolved) == (True, True, None, False)
    assert (run.paused_step_name, run.paused_step_index) == ("gated", 1)
    assert (asked.step_type, asked.run_id) == ({"steps": "Steps", "condition": "Condition"}.get(kind, asked.step_type), run.run_id)


@pytest.mark.spec("CONF-1")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_a_stream_tells_of_the_pause_last(db, calls, colour):
    """The stream of a run that pauses ends with the pause: of the step, with its question, and of the run."""
    drive = Drive(colour)
    run = drive.run(Workflow("flow", [gated("step", calls, confirmation_message="Sure?")], db))
    [paused] = drive.heard(StepPausedEvent)
    assert [event.event for event in drive.events] == ["WorkflowStarted", "StepPaused", "WorkflowPaused"]
    assert (paused.step_name, paused.requires_confirmation, paused.confirmation_message) == ("gated", True, "Sure?")
    assert paused.pause_id == run.steps_requiring_confirmation[0].pause_id
    assert [event.pause_ids for event in drive.heard(WorkflowPausedEvent)] == [(paused.pause_id,)]


@pytest.mark.spec("CONF-2")
@pytest.mark.parametrize("kind", KINDS)
def test_confirm_runs_it(db, drive, calls, kind):
    """A confirmed component runs, with the content before it, and the run goes on after it."""
    workflow = Workflow("flow", [calls.does("a"), gated(kind, calls), calls.does("end")], db)
    run = drive.finish(workflow, drive.run(workflow), confirm_all)
    assert calls.seen == [("a", None), ("work", "a"), ("end", "work")]
    assert run.status is RunStatus.completed
    assert set(statuses(run).values()) == {"completed"}


@pytest.mark.spec("CONF-2", "CONF-3")
@pytest.mark.parametrize("colour", ["stream", "async stream"])
def test_a_stream_tells_what_was_decided(db, calls, colour):
    """A continued stream begins with the decision and who made it, and then tells of the step, or of its being skipped."""
    drive, workflow = Drive(colour), Workflow("flow", [gated("step", calls)], db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].confirm(by="ann")
    drive.resume(workflow, run)
    assert isinstance(drive.events[0], StepContinuedEvent)
    assert (drive.events[0].decision, drive.events[0].by) == ("confirm", "ann")
    assert [event.step_name for event in drive.heard(StepStartedEvent)] == ["gated"]
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].reject()
    drive.resume(workflow, run)
    assert drive.events[0].decision == "reject"
    assert [event.reason for event in drive.heard(StepSkippedEvent)] == ["rejected"]
    assert drive.heard(StepStartedEvent) == []


@pytest.mark.spec("CONF-3", "CONF-5")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("explicit", [True, False])
def test_reject_skips_it(db, drive, calls, kind, explicit):
    """Rejected under skip, which is the default but for Conditions, nothing of a component runs and the run goes on."""
    settings = {"on_reject": "skip"} if explicit or kind == "condition" else {}
    workflow = Workflow("flow", [calls.does("a"), gated(kind, calls, **settings), calls.does("end")], db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].reject("not now")
    run = drive.resume(workflow, run)
    assert calls.names == ["a", "end"]
    assert run.status is RunStatus.completed
    assert (flat(run.step_results)["gated"].status, flat(run.step_results)["gated"].reason) == ("skipped", "rejected")


@pytest.mark.spec("CONF-4", "CONF-5")
@pytest.mark.parametrize("kind", KINDS)
def test_reject_cancels_the_run(db, drive, calls, kind):
    """Rejected under cancel, a component does not run and neither does anything after it."""
    workflow = Workflow("flow", [calls.does("a"), gated(kind, calls, on_reject="cancel"), calls.does("end")], db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].reject()
    run = drive.resume(workflow, run)
    assert calls.names == ["a"]
    assert (run.status, run.is_cancelled, run.content) == (RunStatus.cancelled, True, None)
    assert statuses(run) == {"a": "completed", "gated": "cancelled"}
    assert len(drive.heard(WorkflowCancelledEvent)) == drive.streams


@pytest.mark.spec("CONF-4")
def test_a_rejection_deep_inside_cancels_everything_around(db, drive, calls):
    """The whole run stops, from whatever depth."""
    inner = Workflow("inner", [Condition("fork", [gated("step", calls, on_reject="cancel")])])
    workflow = Workflow("flow", [Steps("group", [inner, calls.does("b")]), calls.does("end")], db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].reject()
    run = drive.resume(workflow, run)
    assert (run.status, calls.names) == (RunStatus.cancelled, [])
    assert set(statuses(run).values()) == {"cancelled"}
    assert list(statuses(run)) == ["group", "inner", "fork", "gated"]


@pytest.mark.spec("CONF-6")
def test_confirmation_precedes_the_error_pause(db, drive, calls):
    """A step with both asks for confirmation first, then pauses for its error; a retry does not ask for confirmation again."""
    step = Step("a", calls.does("a", OSError("1"), OSError("2"), "fine"), requires_confirmation=True, on_error="pause")
    workflow, kinds = Workflow("flow", [step], db), []

    def decide(run):
        kinds.append([asked.kind for asked in run.requirements])
        confirm_all(run)

    run = drive.finish(workflow, drive.run(workflow), decide)
    assert kinds == [["confirmation"], ["error"], ["error"]]
    assert (run.content, calls.names) == ("fine", ["a", "a", "a"])


@pytest.mark.spec("CONF-7")
def test_gates_hold_at_every_depth(db, drive, calls):
    """One gate inside another asks when the outer one is confirmed, and never before; a gate after a skipped step still asks."""
    inner = Workflow("inner", [Step("leaf", calls.does("leaf"), requires_confirmation=True)])
    fork = Condition("fork", [Step("sub", workflow=inner, requires_confirmation=True)], requires_confirmation=True)
    group = Steps("group", [Step("skipped", calls.does("skipped", OSError()), on_error="skip"), fork], requires_confirmation=True)
    workflow, asked = Workflow("flow", [group], db), []

    def decide(run):
        asked.append(([each.step_name for each in run.requirements], list(calls.names)))
        confirm_all(run)

    run = drive.finish(workflow, drive.run(workflow), decide)
    assert [names for names, _ in asked] == [["group"], ["fork"], ["sub"], ["leaf"]]
    assert [called for _, called in asked] == [[], ["skipped"], ["skipped"], ["skipped"]]
    assert (run.status, calls.names) == (RunStatus.completed, ["skipped", "leaf"])
    assert [output.address for output in flat(run.step_results).values()] == [
        "group",
        "group/skipped",
        "group/fork",
        "group/fork/then/sub",
        "group/fork/then/sub/leaf",
    ]


@pytest.mark.spec("CONF-7")
def test_a_gate_asks_in_every_run(db, drive, calls):
    """A confirmation given to one run is none for the next, in the same session or another."""
    workflow = Workflow("flow", [gated("step", calls)], db)
    drive.finish(workflow, drive.run(workflow), confirm_all)
    assert drive.run(workflow).is_paused
    assert drive.run(workflow, session_id="another").is_paused
    assert calls.names == ["work"]


@pytest.mark.spec("CONF-9")
def test_the_last_word_before_continuing_counts(db, drive, calls):
    """Until the run goes on a person may think again, on the same requirement."""
    workflow = Workflow("flow", [gated("step", calls)], db)
    run = drive.run(workflow)
    [asked] = run.steps_requiring_confirmation
    asked.confirm()
    assert (asked.confirmed, asked.is_resolved, run.active_step_requirements) == (True, True, [])
    asked.reject()
    assert asked.confirmed is False
    run = drive.resume(workflow, run)
    assert (calls.names, statuses(run)) == ([], {"gated": "skipped"})


@pytest.mark.spec("CONF-9")
@pytest.mark.parametrize("again", ["the same", "another"])
@pytest.mark.parametrize("later", ["completed", "paused"])
def test_a_decision_is_used_once(db, drive, calls, again, later):
    """After continuing, a decision of the same pause is refused, also where the run waits at its next gate or is over."""
    after = [Step("next", calls.does("next"), requires_confirmation=True)] if later == "paused" else []
    workflow = Workflow("flow", [gated("step", calls), *after], db)
    old = drive.run(workflow)
    old.steps_requiring_confirmation[0].confirm(by="ann")
    now = drive.resume(workflow, old)
    if again == "another":
        old.step_requirements[0].reject()
    journal = db.journal(now.run_id)
    with pytest.raises(AlreadyDecided) as refused:
        drive.resume(workflow, old)
    assert (refused.value.decision, refused.value.by) == ("confirm", "ann")
    assert (calls.names, db.journal(now.run_id)) == (["work"], journal)
    assert now.status.value == later.upper()


@pytest.mark.spec("CONF-9")
def test_a_pause_is_decided_once(db, calls):
    """The same decision again gets the stored one; a different one, AlreadyDecided with who and when, before and after it was applied."""
    workflow = Workflow("flow", [gated("step", calls)], db)
    run = workflow.run("x")
    pause = run.steps_requiring_confirmation[0].pause_id
    stored = workflow.decide(run.run_id, pause, "confirm", by="ann", comment="fine")
    assert (stored.decision, stored.by, stored.comment) == ("confirm", "ann", "fine")
    again = workflow.decide(run.run_id, pause, "confirm", by="bob")
    assert (again.by, again.decided_at) == ("ann", stored.decided_at)
    with pytest.raises(AlreadyDecided, match="confirm by ann at"):
        workflow.decide(run.run_id, pause, "reject", by="bob")
    assert calls.names == []
    assert workflow.continue_run(run_id=run.run_id).status is RunStatus.completed
    with pytest.raises(AlreadyDecided, match="confirm by ann at"):
        workflow.decide(run.run_id, pause, "reject", by="bob")
    assert workflow.decide(run.run_id, pause, "confirm").by == "ann"


@pytest.mark.spec("CONF-9")
def test_a_stored_decision_beats_a_later_one_in_hand(db, drive, calls):
    """Somebody decided in the meantime: a different decision in the hand is refused, the same one is no conflict."""
    workflow = Workflow("flow", [gated("step", calls)], db)
    run = drive.run(workflow)
    workflow.decide(run.run_id, run.requirements[0].pause_id, "reject", by="bob")
    run.steps_requiring_confirmation[0].confirm()
    with pytest.raises(AlreadyDecided, match="reject by bob"):
        drive.resume(workflow, run)
    run.step_requirements[0].reject()
    assert statuses(drive.resume(workflow, run)) == {"gated": "skipped"}
    assert calls.names == []


@pytest.mark.spec("CONF-9")
def test_a_decision_must_answer_the_question(db, calls):
    """A word of another kind of pause, and a pause that the run does not have, are refused by name; nothing changes."""
    workflow = Workflow("flow", [gated("step", calls)], db)
    run = workflow.run("x")
    with pytest.raises(UnknownDecision, match="confirm, reject"):
        workflow.decide(run.run_id, run.requirements[0].pause_id, "retry")
    with pytest.raises(UnknownDecision):
        workflow.decide(run.run_id, run.requirements[0].pause_id, "yes")
    with pytest.raises(UnknownPause, match="nowhere"):
        workflow.decide(run.run_id, "nowhere:confirmation:0", "confirm")
    assert workflow.list_pauses(run_id=run.run_id)[0].decision is None


@pytest.mark.spec("CONF-9")
def test_who_decided_and_why_is_kept(db, drive, calls):
    """The journal says who decided, and what they said about it."""
    workflow = Workflow("flow", [gated("step", calls)], db)
    run = drive.run(workflow)
    run.steps_requiring_confirmation[0].reject("too late", by="ann")
    run = drive.resume(workflow, run)
    [decided] = db.decisions(run.run_id)
    assert (decided.word, decided.by, decode(decided.value)) == ("reject", "ann", "too late")
    assert triggers(workflow, run.run_id, "gated") == ["enter", "reject"]
    [entry] = [entry for entry in db.journal(run.run_id) if entry.trigger == "reject"]
    assert (loads(entry.body.detail), decode(entry.body.value)) == ({"by": "ann"}, "too late")
    assert flat(run.step_results)["gated"].content is None


@pytest.mark.spec("CONF-10")
@pytest.mark.parametrize("kind", KINDS)
def test_retry_needs_something_to_run_again(calls, kind):
    """`on_reject=retry` where a confirmation is the only review is refused where it is written, naming the component."""
    with pytest.raises(UnsupportedSetting, match=r"'gated'.*on_reject='retry'") as refused:
        gated(kind, calls, on_reject="retry")
    assert isinstance(refused.value, ValueError)


@pytest.mark.spec("CONF-10")
@pytest.mark.parametrize("kind", ["step", "steps", "step of a workflow"])
def test_only_a_condition_has_an_else_branch(calls, kind):
    """`on_reject=else_branch` on anything else is refused where it is written."""
    with pytest.raises(ValueError, match="only a Condition has an else branch"):
        gated(kind, calls, on_reject="else")
    with pytest.raises(ValueError, match="only a Condition has an else branch"):
        gated(kind, calls, human_review=HumanReview(on_reject="else"))


@pytest.mark.spec("CONF-1", "CONF-4")
@pytest.mark.parametrize("kind", KINDS)
def test_both_spellings_mean_the_same(drive, calls, kind):
    """Flat keywords and human_review give equal components and equal programs; given twice the same it is accepted."""
    flatly = gated(kind, calls, confirmation_message="Sure?", on_reject="cancel", on_error="pause")
    review = HumanReview(requires_confirmation=True, confirmation_message="Sure?", on_reject="cancel", on_error="pause")
    grouped = gated(kind, calls, human_review=review)
    assert flatly.human_review == grouped.human_review == review
    programs = {Workflow("flow", [component], InMemoryDb()).compiled.program.fingerprint for component in (flatly, grouped)}
    assert len(programs) == 1


@pytest.mark.spec("CONF-1")
def test_wrong_settings_are_refused_by_name():
    """Contradictions, unknown words and wrong types are refused where they are written, naming the setting."""

    def work(_step_input):
        raise AssertionError

    with pytest.raises(ConflictingSettings, match="confirmation_message"):
        Step("a", work, confirmation_message="x", human_review=HumanReview(confirmation_message="y"))
    with pytest.raises(DefinitionError, match="Did you mean 'cancel'"):
        Step("a", work, on_reject="cancl")
    with pytest.raises(DefinitionError, match="requires_confirmation must be True or False"):
        Step("a", work, requires_confirmation="yes")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(TypeError, match="requires_confirmation"):
        Step("a", work, require_confirmation=True)  # type: ignore[call-arg]  # that is the point


@pytest.mark.spec("CONF-9")
@pytest.mark.parametrize("word", ["retry", "CONFIRM", "", "1"])
def test_a_recorded_word_that_is_no_answer_is_refused_by_name(db, drive, calls, word):
    """An output read from plain data may say anything: a word that does not answer the question is refused, and nothing changes."""
    workflow = Workflow("flow", [Step("gate", calls.does("gate"), requires_confirmation=True)], db)
    plain = drive.run(workflow, run_id="r").to_dict()
    plain["step_requirements"][0]["decision"] = word
    with pytest.raises(UnknownDecision, match="confirm, reject"):
        drive.resume(workflow, WorkflowRunOutput.from_dict(plain))
    assert (calls.names, db.decisions("r"), workflow.get_run_output("r").is_paused) == ([], [], True)
