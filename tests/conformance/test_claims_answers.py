"""What a person says with an answer: who, why, values of any name, and the same from plain data, in every store and colour."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import Loop, Router, Step, StepRequirement, Workflow, WorkflowRunOutput
from statecore.errors import AlreadyDecided, InvalidInput, UnknownDecision, WrongArgument

NAMES = ("by", "comment", "self", "values", "value", "decision", "asked", "named", "given", "first name", "größe", "", "a.b")


def takes(step_input: Any) -> Any:
    """Return the values that a person gave."""
    return step_input.additional_data["user_input"]


def fails(_step_input: Any) -> None:
    """Fail."""
    message = "broken"
    raise OSError(message)


def form(*names: str) -> Step:
    """A step with a form of texts."""
    return Step("form", takes, requires_user_input=True, user_input_schema=[{"name": name} for name in names])


# -- who and why -------------------------------------------------------------------------------------------------------------------

WORK = Step("work", lambda _: "done")
QUESTIONS: dict[str, tuple[Any, str, tuple[Any, ...], dict[str, Any]]] = {
    "confirm": (Step("s", lambda _: 1, requires_confirmation=True), "confirm", (), {}),
    "reject": (Step("s", lambda _: 1, requires_confirmation=True), "reject", ("no",), {}),
    "edit": (Step("s", lambda _: 1, requires_output_review=True), "edit", (2,), {}),
    "input": (form("n"), "set_user_input", (), {"n": "x"}),
    "select": (Router("s", [WORK], requires_user_input=True), "select", ("work",), {}),
    "select_single": (Router("s", [WORK], requires_user_input=True), "select_single", ("work",), {}),
    "select_multiple": (
        Router("s", [WORK], requires_user_input=True, allow_multiple_selections=True),
        "select_multiple",
        (["work"],),
        {},
    ),
    "retry": (Step("s", fails, on_error="pause"), "retry", (), {}),
    "skip": (Step("s", fails, on_error="pause"), "skip", (), {}),
}


@pytest.mark.spec("SAID-4")
@pytest.mark.parametrize("word", QUESTIONS)
def test_each_word_says_who_and_why(db, drive, word):
    """Every method that answers a question takes `by` and `comment`, and both are stored with the decision."""
    component, verb, values, named = QUESTIONS[word]
    workflow = Workflow("flow", [component], db)
    run = drive.run(workflow, run_id="r")
    [asked] = run.requirements
    getattr(asked, verb)(*values, **named, by="ada", comment="checked")
    drive.resume(workflow, run)
    [stored] = db.decisions("r")
    assert (stored.by, stored.comment) == ("ada", "checked")


# -- forms -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("SAID-4")
@pytest.mark.parametrize("name", NAMES)
def test_a_field_may_have_any_name(db, drive, name):
    """A field's name is its own: the value reaches the step, given as a keyword and as a mapping, which leaves `by` and `comment` free."""
    workflow = Workflow("flow", [form(name)], db)
    one, other = drive.run(workflow, run_id="one"), drive.run(workflow, run_id="other")
    one.requirements[0].set_user_input(**{name: "v"})
    other.requirements[0].set_user_input({name: "v"}, by="ada", comment="why")
    assert [drive.resume(workflow, each).content for each in (one, other)] == [{name: "v"}] * 2
    [stored] = db.decisions("other")
    assert (stored.by, stored.comment) == ("ada", "why")


@pytest.mark.spec("SAID-4")
@given(names=st.lists(st.text(max_size=10) | st.sampled_from(NAMES), min_size=1, max_size=5, unique=True), leaves=st.integers(0, 4))
def test_a_required_field_is_never_left_out(names, leaves):
    """Whatever the fields are called: all values given are taken, and without a required one nothing is recorded."""
    schema: list[Any] = [{"name": name} for name in names]
    values = {name: f"{name}!" for name in names}
    workflow = Workflow("flow", [Step("form", takes, requires_user_input=True, user_input_schema=schema)])
    [asked] = workflow.run(run_id="r").step_requirements
    with pytest.raises(InvalidInput, match="is required"):
        asked.set_user_input({name: value for name, value in values.items() if name != names[leaves % len(names)]})
    assert asked.decision is None
    asked.set_user_input(values)
    assert asked.user_input == values


# -- posted back -------------------------------------------------------------------------------------------------------------------

POSTED: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "confirmed": (Step("s", lambda _: 1, requires_confirmation=True), {"confirmed": True}, 1),
    "not confirmed": (Step("s", lambda _: 1, requires_confirmation=True), {"confirmed": False}, None),
    "feedback": (Step("s", lambda _: 1, requires_confirmation=True), {"confirmed": False, "rejection_feedback": "no"}, None),
    "an empty feedback": (Step("s", lambda _: 1, requires_confirmation=True), {"confirmed": True, "rejection_feedback": ""}, 1),
    "values": (form("a", "b"), {"user_input": {"a": "1", "b": "2"}}, {"a": "1", "b": "2"}),
    "values and a yes": (form("a"), {"confirmed": True, "user_input": {"a": "1"}}, {"a": "1"}),
    "fields": (form("a"), {"confirmed": True, "user_input_schema": [{"name": "a", "value": "1"}]}, {"a": "1"}),
    "choices": (Router("s", [WORK], requires_user_input=True), {"selected_choices": ["work"]}, "done"),
    "an output": (Step("s", lambda _: 1, requires_output_review=True), {"edited_output": 2}, 2),
    "a result": (Loop("s", [WORK], requires_iteration_review=True), {"confirmed": True}, "done"),
    "a word": (Step("s", fails, on_error="pause"), {"decision": "skip"}, None),
}


def posted(run: WorkflowRunOutput, **answer: Any) -> WorkflowRunOutput:
    """A run's plain data, through JSON, with an answer in its first requirement."""
    plain = json.loads(json.dumps(run.to_dict()))
    (plain["step_requirements"] or plain["error_requirements"])[0].update(answer)
    return WorkflowRunOutput.from_dict(plain)


@pytest.mark.spec("SAID-4")
@pytest.mark.parametrize("case", POSTED)
def test_a_form_that_is_posted_back_counts(db, drive, case):
    """An answer under the names that `to_dict` writes is the decision: the run goes on as after the method of the requirement."""
    component, answer, content = POSTED[case]
    workflow = Workflow("flow", [component], db)
    run = drive.run(workflow, run_id="r")
    run = drive.resume(workflow, posted(run, **answer, by="ada"))
    assert (run.status, run.content, [each.by for each in db.decisions("r")]) == ("COMPLETED", content, ["ada"])


@pytest.mark.spec("SAID-4")
@pytest.mark.parametrize(
    ("case", "answer"),
    [
        ("confirmed", {"confirmed": True, "rejection_feedback": "no"}),
        ("confirmed", {"confirmed": True, "decision": "reject"}),
        ("confirmed", {"confirmed": False, "decision": "confirm"}),
        ("confirmed", {"confirmed": "yes"}),
        ("confirmed", {"confirmed": True, "value": "x"}),
        ("values", {"confirmed": False, "user_input": {"a": "1", "b": "2"}}),
        ("values", {"decision": "input", "value": {"a": "1", "b": "3"}, "user_input": {"a": "1", "b": "2"}}),
        ("choices", {"selected_choices": ["work"], "user_input": {"a": 1}}),
        ("an output", {"edited_output": 2, "rejection_feedback": "worse"}),
    ],
)
def test_a_contradiction_in_it_is_refused(db, drive, case, answer):
    """Two answers that cannot both be meant are refused by name, and nothing is stored."""
    workflow = Workflow("flow", [POSTED[case][0]], db)
    run = drive.run(workflow, run_id="r")
    with pytest.raises(InvalidInput, match="says otherwise"):
        posted(run, **answer)
    assert db.decisions("r") == []


@pytest.mark.spec("SAID-4")
def test_an_answer_of_another_question_is_refused(db, drive):
    """An answer that does not fit the question is refused as from the method of a requirement."""
    workflow = Workflow("flow", [Router("s", [WORK], requires_user_input=True)], db)
    run = drive.run(workflow, run_id="r")
    with pytest.raises(UnknownDecision, match="select, reject"):
        drive.resume(workflow, posted(run, confirmed=True))
    assert db.decisions("r") == []


@pytest.mark.spec("SAID-4")
@pytest.mark.parametrize("case", POSTED)
def test_plain_data_is_read_as_it_was_written(case):
    """A decided requirement is equal to itself after a round trip, and an undecided one stays undecided."""
    component, answer, _ = POSTED[case]
    run = Workflow("flow", [component]).run()
    for asked in (posted(run).requirements[0], posted(run, **answer).requirements[0]):
        assert type(asked).from_dict(json.loads(json.dumps(asked.to_dict()))) == asked
    assert not posted(run).requirements[0].is_resolved


# -- decided before ----------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("SAID-4")
@pytest.mark.parametrize("wrong", [{"by": 5}, {"comment": {"why": "x"}}, {"by": ["ada"]}])
def test_who_and_why_are_texts(db, drive, wrong):
    """A name or a reason in plain data that is no text is refused by name, and nothing is stored; the question stays open."""
    workflow = Workflow("flow", [Step("s", lambda _: 1, requires_confirmation=True)], db)
    run = drive.run(workflow)
    posted = StepRequirement.from_dict({**run.requirements[0].to_dict(), "confirmed": True, **wrong})
    with pytest.raises(WrongArgument, match=f"{next(iter(wrong))} as a text"):
        drive.resume(workflow, run_id=run.run_id, step_requirements=[posted])
    assert db.decisions(run.run_id) == []
    run.requirements[0].confirm()
    assert drive.resume(workflow, run).content == 1


@pytest.mark.spec("SAID-4", "CONF-9")
def test_a_refusal_says_who_was_first(db, drive):
    """`AlreadyDecided` names the person, the instant and the word, on one bounded line without a sign that drives a terminal."""
    workflow = Workflow("flow", [Step("s", lambda _: 1, requires_confirmation=True)], db)
    run = drive.run(workflow, run_id="r")
    [asked] = run.requirements
    workflow.decide("r", asked.pause_id, "confirm", by="ada\x1b[2J\n\u202e" + "a" * 10_000)
    [stored] = workflow.list_pauses(run_id="r") or workflow.get_run_output("r").requirements
    asked.reject(by="bob")
    for decide in (lambda: workflow.decide("r", asked.pause_id, "reject"), lambda: drive.resume(workflow, run)):
        with pytest.raises(AlreadyDecided) as refused:
            decide()
        said = str(refused.value)
        assert all(part in said for part in ("confirm", "by ada", str(stored.decided_at)))
        assert said.isprintable()
        assert len(said) < 2_000
