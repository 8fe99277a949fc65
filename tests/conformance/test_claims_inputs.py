"""INPUT, REV: what people give a step before it runs, and what they say of its output, in every store and colour."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from statecore import HumanReview, Loop, Router, RunStatus, Step, StepOutput, Steps, UserInputField, Workflow, pause
from statecore.errors import AlreadyDecided, InvalidInput, UnknownDecision
from statecore.run.workflow import StepContinuedEvent, StepOutputReviewEvent, StepPausedEvent, StepStartedEvent
from tests.conformance.drive import flat, statuses, triggers

SCHEMA: list[Any] = [
    {"name": "amount", "field_type": "int"},
    UserInputField("currency", value="EUR", required=False, allowed_values=["EUR", "NOK"]),
    UserInputField("tags", "list", required=False),
    UserInputField("more", "dict", required=False),
]
FULL = {"amount": 3, "currency": "EUR", "tags": None, "more": None}


def form(calls, **settings):
    """A step that hands on what people gave it."""

    def work(step_input):
        calls.note("form", step_input)
        return step_input.additional_data["user_input"]

    return Step("form", work, requires_user_input=True, **settings)


@pytest.mark.spec("INPUT-1", "LAW-3")
def test_input_is_asked_before_the_step_and_reaches_it(db, drive, calls):
    """A step that requires input pauses before it runs, shows its form, and finds the values beside the run's additional data."""
    workflow = Workflow("flow", [form(calls, user_input_schema=SCHEMA, user_input_message="How much?"), calls.does("end")], db)
    run = drive.run(workflow, additional_data={"kept": 1})
    [asked] = run.steps_requiring_user_input
    assert (calls.names, run.pause_kind, asked.kind, asked.user_input_message) == ([], "user_input", "user_input", "How much?")
    assert [each.name for each in asked.user_input_schema] == ["amount", "currency", "tags", "more"]
    if drive.streams:
        [told] = drive.heard(StepPausedEvent)
        assert (told.pause_id, told.requires_user_input, told.user_input_message) == (asked.pause_id, True, "How much?")
    asked.set_user_input(amount=3)
    assert (asked.is_resolved, asked.user_input, asked.get_user_input("currency")) == (True, FULL, "EUR")
    run = drive.resume(workflow, run)
    assert (flat(run.step_results)["form"].content, run.additional_data, calls.saw("end")) == (FULL, {"kept": 1}, [FULL])
    if drive.streams:
        assert [event.decision for event in drive.heard(StepContinuedEvent)] == ["input"]


WRONG: list[dict[str, Any]] = [
    {"amount": "3"},
    {"amount": True},
    {"amount": 1.5},
    {"amount": 1, "currency": "USD"},
    {"amount": 1, "tags": {}},
    {"amount": 1, "more": []},
    {"amount": 1, "amonut": 1},
    {"currency": "EUR"},
    {"amount": None},
]


@pytest.mark.spec("INPUT-1")
@pytest.mark.parametrize("values", WRONG, ids=str)
def test_wrong_input_is_never_stored(db, drive, calls, values):
    """Values of the wrong type, not allowed, missing or not asked for are refused by name, and the pause stays open as it was."""
    workflow = Workflow("flow", [form(calls, user_input_schema=SCHEMA)], db)
    run = drive.run(workflow)
    [asked] = run.step_requirements
    before = db.load(run.run_id)
    with pytest.raises(InvalidInput, match=r"amount|currency|tags|more|amonut"):
        workflow.decide(run.run_id, asked.pause_id, "input", value=values)
    asked.decide("input", values)  # as a hand-made requirement might carry it
    with pytest.raises(InvalidInput):
        drive.resume(workflow, run)
    assert (db.load(run.run_id), db.decisions(run.run_id), calls.names) == (before, [], [])
    [asked] = workflow.get_run_output(run.run_id).step_requirements
    asked.set_user_input(amount=1)
    assert drive.resume(workflow, run, step_requirements=[asked]).status is RunStatus.completed


@pytest.mark.spec("INPUT-1", "SAID-4")
def test_a_form_is_complete_or_refused_at_once(db, drive, calls):
    """A required value that is left out is refused at once and decides nothing; a later call changes single values of a complete form."""
    schema: list[Any] = [UserInputField("a"), UserInputField("b", "bool")]
    workflow = Workflow("flow", [form(calls, user_input_schema=schema)], db)
    run = drive.run(workflow)
    [asked] = run.steps_requiring_user_input
    with pytest.raises(InvalidInput, match="b is required"):
        asked.set_user_input(a="x")
    assert (asked.is_resolved, asked.user_input, run.steps_requiring_user_input) == (False, None, [asked])
    asked.set_user_input(a="x", b=True)
    with pytest.raises(InvalidInput, match="b must be of type bool"):
        asked.set_user_input(b="yes")
    asked.set_user_input(b=False)
    assert (asked.is_resolved, drive.resume(workflow, run).content) == (True, {"a": "x", "b": False})


@pytest.mark.spec("INPUT-1")
def test_without_a_form_any_values_are_taken(db, drive, calls):
    """Where there is no schema every named value reaches the step, none included."""
    workflow = Workflow("flow", [form(calls)], db)
    one, none = drive.run(workflow), drive.run(workflow)
    one.step_requirements[0].set_user_input(x=[1, {"y": None}])
    workflow.decide(none.run_id, none.step_requirements[0].pause_id, "input")
    assert drive.resume(workflow, one).content == {"x": [1, {"y": None}]}
    assert drive.resume(workflow, none).content == {}


@pytest.mark.spec("INPUT-2")
@pytest.mark.parametrize(("on_reject", "status"), [(None, "skipped"), ("skip", "skipped"), ("cancel", "cancelled")])
def test_input_may_be_refused(db, drive, calls, on_reject, status):
    """Instead of giving values a person may reject the step: it is skipped or the run cancelled, and never runs."""
    workflow = Workflow(
        "flow", [calls.does("a"), form(calls, user_input_schema=SCHEMA, on_reject=on_reject), calls.does("end")], db
    )
    run = drive.run(workflow)
    run.step_requirements[0].reject("none of your business")
    run = drive.resume(workflow, run)
    assert ("form" in calls.names, statuses(run)["form"]) == (False, status)
    assert run.status is (RunStatus.cancelled if on_reject == "cancel" else RunStatus.completed)
    assert calls.saw("end") == ([] if on_reject == "cancel" else [None])  # SKIP-1


@pytest.mark.spec("INPUT-3", "CONF-2")
@pytest.mark.parametrize("answer", ["input", "reject"])
def test_confirmation_and_input_are_one_pause(db, drive, calls, answer):
    """A step with both is asked once: giving the values confirms, rejecting refuses both."""
    workflow = Workflow("flow", [form(calls, requires_confirmation=True, confirmation_message="Sure?")], db)
    run = drive.run(workflow)
    [asked] = run.step_requirements
    assert (asked.kind, asked.user_input_message) == ("user_input", "Sure?")
    with pytest.raises(UnknownDecision, match="confirm"):
        asked.confirm()
    asked.set_user_input(n=1) if answer == "input" else asked.reject()
    run = drive.resume(workflow, run)
    assert (run.status, run.content) == (RunStatus.completed, {"n": 1} if answer == "input" else None)


def draft(calls):
    """User code whose output tells what was said of the one before."""

    def work(step_input):
        before = calls.note("draft", step_input)
        extra = step_input.additional_data
        return [before, extra.get("rejection_feedback"), extra.get("previous_output")]

    return work


@pytest.mark.spec("REV-1", "LAW-3")
def test_a_review_shows_the_output_and_keeps_it(db, drive, calls):
    """The step runs, then its output is shown; confirmed, it is what the next step sees."""
    step = Step("draft", draft(calls), requires_output_review=True, output_review_message="Fine?")
    workflow = Workflow("flow", [step, calls.does("end")], db)
    run = drive.run(workflow)
    [asked] = run.steps_requiring_output_review
    assert (asked.kind, asked.output_review_message, asked.step_output.content) == ("output_review", "Fine?", [0, None, None])
    assert (asked.is_post_execution, run.content, calls.names) == (True, None, ["draft"])
    if drive.streams:
        [told] = drive.heard(StepOutputReviewEvent)
        assert (told.pause_id, told.kind, told.output_review_message) == (asked.pause_id, "output_review", "Fine?")
    asked.confirm()
    run = drive.resume(workflow, run)
    assert (calls.names, calls.saw("end")) == (["draft", "end"], [[0, None, None]])


@pytest.mark.spec("REV-1", "RUN-7")
@pytest.mark.parametrize("edit", [None, "", 0, {"deep": [1, (2,)]}, StepOutput("x")], ids=repr)
def test_an_edit_replaces_the_output(db, drive, calls, edit):
    """What a person edits is what is handed on, exactly: None and "" are values."""
    workflow = Workflow("flow", [Step("draft", draft(calls), requires_output_review=True), calls.does("end")], db)
    run = drive.run(workflow)
    run.step_requirements[0].edit(edit)
    run = drive.resume(workflow, run)
    wanted = edit.content if isinstance(edit, StepOutput) else edit
    assert (calls.saw("end"), flat(run.step_results)["draft"].content) == ([wanted], wanted)
    assert statuses(run)["draft"] == "completed"


@pytest.mark.spec("REV-1", "SKIP-1", "SKIP-4")
@pytest.mark.parametrize(("on_reject", "status"), [(None, "skipped"), ("skip", "skipped"), ("cancel", "cancelled")])
def test_a_rejected_output_is_given_up(db, drive, calls, on_reject, status):
    """Rejected, the output is gone: the step is skipped, or the run is cancelled; nobody ever sees it as content."""
    step = Step("draft", draft(calls), requires_output_review=True, on_reject=on_reject)
    workflow = Workflow("flow", [step, calls.does("end")], db)
    run = drive.run(workflow)
    run.step_requirements[0].reject("no")
    run = drive.resume(workflow, run)
    assert (flat(run.step_results)["draft"].content, statuses(run)["draft"], run.content) == (
        None,
        status,
        None if on_reject == "cancel" else "end",
    )
    assert calls.saw("end") == ([] if on_reject == "cancel" else [None])


@pytest.mark.spec("REV-1", "LAW-9")
@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_rejected_output_is_made_again(db, drive, calls, limit):
    """`retry` runs the step again with the feedback and the output before, as often as the limit says; then the run is cancelled."""
    step = Step("draft", draft(calls), requires_output_review=True, on_reject="retry", hitl_max_retries=limit)
    workflow = Workflow("flow", [step], db)
    last: list[Any] = [0, None, None]
    run = drive.run(workflow)
    for number in range(limit):
        [asked] = run.step_requirements
        assert (asked.step_output.content, asked.retry_count, asked.max_retries) == (last, number, limit)
        asked.reject(f"no {number}")
        run, last = drive.resume(workflow, run), [number + 1, f"no {number}", last]
        if drive.streams:
            assert [event.attempt for event in drive.heard(StepStartedEvent)] == [number + 1]
    run.step_requirements[0].reject("enough")
    run = drive.resume(workflow, run)
    assert (run.status, calls.names) == (RunStatus.cancelled, ["draft"] * (limit + 1))


@pytest.mark.spec("REV-2")
def test_a_predicate_asks_for_each_output(db, drive, calls):
    """A predicate is asked about every output, also that of a second attempt, and only what it wants seen is reviewed."""

    def long(output):
        calls.seen.append(("judge", (output.content, output.step_name, output.attempt)))
        return len(output.content) > 1

    step = Step("draft", calls.does("draft", "xx", "x"), requires_output_review=long, on_reject="retry")
    workflow = Workflow("flow", [step], db)
    run = drive.run(workflow)
    run.step_requirements[0].reject("shorter")
    run = drive.resume(workflow, run)
    assert (run.status, run.content) == (RunStatus.completed, "x")
    assert calls.saw("judge") == [("xx", "draft", 0), ("x", "draft", 1)]


@pytest.mark.spec("REV-2", "ERR-10")
@pytest.mark.parametrize("policy", ["fail", "skip", "pause"])
def test_a_predicate_that_raises_is_an_error_of_its_step(db, drive, calls, policy):
    """Whatever the policy says of errors it says of the predicate's; retry runs the step again."""

    def judge(output):
        if output.attempt == 0:
            raise OSError("judge")
        return False

    workflow = Workflow("flow", [Step("draft", draft(calls), requires_output_review=judge, on_error=policy), calls.does("end")], db)
    if policy == "fail":
        with pytest.raises(OSError, match="judge"):
            drive.run(workflow, run_id="r")
        run = drive.resume(workflow, run_id="r", retry_failed=True)
    else:
        run = drive.run(workflow)
    if policy == "pause":
        [failed] = run.steps_with_errors
        assert (failed.step_name, failed.error_type, failed.error_message) == ("draft", "OSError", "judge")
        failed.retry()
        run = drive.resume(workflow, run)
    assert run.status is RunStatus.completed
    assert calls.saw("end") == [None if policy == "skip" else [1, None, None]]


@pytest.mark.spec("REV-3")
@pytest.mark.parametrize("kind", ["confirmation", "user_input", "error"])
def test_only_an_output_can_be_edited(db, drive, calls, kind):
    """`edit` is refused by every other question, in the store as on the requirement, and changes nothing."""
    step = {
        "confirmation": Step("s", calls.does("s"), requires_confirmation=True),
        "user_input": Step("s", calls.does("s"), requires_user_input=True),
        "error": Step("s", calls.does("s", OSError()), on_error="pause"),
    }[kind]
    workflow = Workflow("flow", [step], db)
    run = drive.run(workflow)
    [asked] = run.requirements
    with pytest.raises(UnknownDecision):
        asked.decide("edit", "x")
    with pytest.raises(UnknownDecision):
        workflow.decide(run.run_id, asked.pause_id, "edit", value="x")
    assert (workflow.get_run_output(run.run_id).is_paused, db.decisions(run.run_id)) == (True, [])


@pytest.mark.spec("CONF-10", "CONF-6")
@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_a_gate_beside_a_review_that_retries(db, drive, calls, answer):
    """With a review beside it, `on_reject=retry` is the review's: a rejection at the gate skips."""
    step = Step("draft", draft(calls), requires_confirmation=True, requires_output_review=True, on_reject="retry")
    workflow = Workflow("flow", [step, calls.does("end")], db)
    run = drive.run(workflow)
    run.step_requirements[0].decide(answer)
    run = drive.resume(workflow, run)
    if answer == "reject":
        assert (run.status, calls.names, statuses(run)["draft"]) == (RunStatus.completed, ["end"], "skipped")
        return
    assert run.pause_kind == "output_review"
    run.step_requirements[0].reject("again")
    run = drive.resume(workflow, run)
    assert (run.pause_kind, calls.names) == ("output_review", ["draft", "draft"])  # the gate is not asked again


@pytest.mark.spec("INPUT-1", "REV-1", "CONF-6", "ERR-4")
def test_input_error_and_review_of_one_step(db, drive, calls):
    """A step may be given input, fail, be tried again and be reviewed: each is asked in its turn, and the input stays."""

    def work(step_input):
        if calls.note("work", step_input) == 0:
            raise OSError("first")
        extra = step_input.additional_data
        return [extra["user_input"]["n"], extra.get("rejection_feedback")]

    step = Step("s", work, requires_user_input=True, requires_output_review=True, on_error="pause", on_reject="retry")
    workflow = Workflow("flow", [step], db)
    run = drive.run(workflow)
    run.step_requirements[0].set_user_input(n=7)
    run = drive.resume(workflow, run)
    run.error_requirements[0].retry()
    run = drive.resume(workflow, run)
    assert run.step_requirements[0].step_output.content == [7, None]
    run.step_requirements[0].reject("again")
    run = drive.resume(workflow, run)
    run.step_requirements[0].confirm()
    run = drive.resume(workflow, run)
    assert run.content == [7, "again"]
    pauses = [e.dest for e in db.journal(run.run_id) if e.machine == "step" and ("awaiting" in e.dest or "paused" in e.dest)]
    assert pauses == ["awaiting_input", "errored_paused", "awaiting_review", "awaiting_review"]


@pytest.mark.spec("RUN-3", "REV-1")
@pytest.mark.parametrize("answer", ["confirm", "edit", "reject"])
def test_stop_waits_for_its_review(db, drive, calls, answer):
    """A step that says stop and is reviewed ends the workflow after its review; a rejected output stops nothing."""
    step = Step("s", calls.does("s", StepOutput("out", stop=True)), requires_output_review=True)
    workflow = Workflow("flow", [Steps("group", [step, calls.does("rest")]), calls.does("end")], db)
    run = drive.run(workflow)
    assert (run.is_paused, run.steps_requiring_output_review[0].step_output.content) == (True, "out")
    run.step_requirements[0].decide(answer, "edited" if answer == "edit" else None)
    run = drive.resume(workflow, run)
    assert run.status is RunStatus.completed
    assert (calls.names, run.content) == {
        "confirm": (["s"], "out"),
        "edit": (["s"], "edited"),
        "reject": (["s", "rest", "end"], "end"),
    }[answer]


@pytest.mark.spec("CONT-2", "INPUT-1", "REV-1", "CONF-9")
def test_every_word_can_be_decided_elsewhere(db, drive, calls, reopened):
    """Input, edits and rejections with feedback are stored by another process, and applied by whoever continues; once."""
    steps = [form(calls, user_input_schema=SCHEMA), Step("draft", draft(calls), requires_output_review=True, on_reject="retry")]
    workflow = Workflow("flow", steps, db)
    elsewhere = workflow.on(reopened())
    run = drive.run(workflow)
    for kind, word, value in (
        ("user_input", "input", {"amount": 3}),
        ("output_review", "reject", "longer"),
        ("output_review", "edit", ["edited"]),
    ):
        [asked] = elsewhere.list_pauses(run_id=run.run_id)
        assert asked.kind == kind
        stored = elsewhere.decide(run.run_id, asked.pause_id, word, value=value, by="ann", comment="why")
        assert (stored.decision, stored.by, stored.comment) == (word, "ann", "why")
        with pytest.raises(AlreadyDecided):
            workflow.decide(run.run_id, asked.pause_id, "reject", value="other")
        run = drive.resume(workflow, run_id=run.run_id)
    assert (run.status, run.content, calls.names) == (RunStatus.completed, ["edited"], ["form", "draft", "draft"])
    assert triggers(workflow, run.run_id, "draft") == ["enter", "succeed", "reject", "succeed", "edit"]


@pytest.mark.spec("INPUT-1", "REV-1", "CONF-9", "LAW-3")
def test_requirements_travel_as_plain_data(db, drive, calls):
    """A requirement of each kind comes back equal from its plain data, decided or not, and its decision counts."""
    steps = [
        Step("gate", calls.does("gate"), requires_confirmation=True),
        form(calls, user_input_schema=SCHEMA),
        Step("draft", draft(calls), requires_output_review=True, hitl_timeout=1e6),
        Step("bad", calls.does("bad", OSError("x"), 1), on_error="pause"),
        Router("way", [calls.does("left"), calls.does("right")], requires_user_input=True),
        Loop("again", [calls.does("body")], 2, requires_iteration_review=True),
        Step("dies", calls.does("dies", KeyboardInterrupt(), 1), on_interrupt="pause"),
    ]
    workflow = Workflow("flow", steps, db)
    run = drive.run(workflow, run_id="r")
    for kind, word, value in (
        ("confirmation", "confirm", None),
        ("user_input", "input", FULL),
        ("output_review", "edit", "e"),
        ("error", "retry", None),
        ("route", "select", ["right"]),
        ("iteration_review", "confirm", None),
        ("interrupted", "retry", None),
    ):
        [asked] = run.requirements
        again = type(asked).from_dict(asked.to_dict())
        assert (asked.kind, again) == (kind, asked)
        again.decide(word, value, by="ann")
        again = type(asked).from_dict(again.to_dict())
        assert (again.decision, again.value, again.by) == (word, value, "ann")
        with suppress(KeyboardInterrupt):
            drive.resume(workflow, run_id="r", step_requirements=[again])
        run = workflow.get_run_output("r")
    assert (run.status, run.content, calls.names[-3:]) == (RunStatus.completed, 1, ["body", "dies", "dies"])


@pytest.mark.spec("INPUT-1", "CONF-1", "REV-1")
def test_a_function_carries_its_settings(db, drive, calls):
    """`@pause` gives a function's step its name and settings, as a bare callable and in a Step, where more may be added."""

    @pause("form", requires_user_input=True)
    def fill(step_input):
        calls.note("form", step_input)
        return step_input.additional_data["user_input"]

    more = Step("again", fill, human_review=HumanReview(requires_output_review=True))
    workflow = Workflow("flow", [fill, more], db)
    run = drive.run(workflow)
    assert (run.paused_step_name, run.pause_kind) == ("form", "user_input")
    run.step_requirements[0].set_user_input(a=1)
    run = drive.resume(workflow, run)
    assert (run.paused_step_name, run.pause_kind) == ("again", "user_input")
    run.step_requirements[0].set_user_input(a=2)
    run = drive.resume(workflow, run)
    assert (run.pause_kind, run.step_requirements[0].step_output.content) == ("output_review", {"a": 2})
