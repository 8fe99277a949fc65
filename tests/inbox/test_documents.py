"""The documents of questions and runs, judged by JSON that is written here."""

from __future__ import annotations

import json
import re

import pytest

from statecore import Step, Workflow
from statecore.client.reading import plain
from statecore.inbox.documents import instant, item, question
from statecore.inbox.documents_run import run, run_item
from statecore.inbox.seeing import Person, Sight, is_mine, may_see
from tests.inbox.flows import HOUR, STORES, broken, desk, only, payout, store

KEYS = {
    "question_id", "run_id", "place", "workflow", "step", "kind", "state", "title", "asked_at", "due_at", "requester", "mine", "votes", "href",
    "seen", "message", "lang", "shown", "form", "answers", "otherwise", "rule", "votes_cast", "decision", "superseded_by", "position",
    "tool_call", "error", "review",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NOTHING = {"typed": None, "digest": None, "cut": False, "href": None, "erased": None, "secret": False}


@pytest.fixture(params=STORES)
def db(request, tmp_path):
    """A store in memory, and one in a file."""
    made = store(request.param, tmp_path)
    yield made
    made.close()


@pytest.mark.spec("API-1", "API-2")
def test_a_line_of_the_list_is_the_json_of_the_contract(db):
    """A question in a list has the fields of the contract and no other, and the short id that a second implementation would make."""
    payout(db).run("ACME", run_id="run-1", user_id="ada")
    row = only(db)
    asked = instant(row.pause.opened)
    assert plain(item(row, desk(db))) == {
        "question_id": "q_myt4vw66nl6b4px6blvoalbv6y",
        "run_id": "run-1",
        "place": "pay:confirmation:0",
        "workflow": "payout",
        "step": "pay",
        "kind": "confirmation",
        "state": "open",
        "title": "Pay 4,200.00 EUR to ACME GmbH?",
        "asked_at": asked,
        "due_at": instant(row.pause.opened + HOUR),
        "requester": "ada",
        "mine": False,
        "votes": None,
        "href": "questions/q_myt4vw66nl6b4px6blvoalbv6y",
    }
    assert TIME.fullmatch(asked)
    assert db.question("q_myt4vw66nl6b4px6blvoalbv6y") == row
    assert db.question("q_aaaaaaaaaaaaaaaaaaaaaaaaaa") is None


@pytest.mark.spec("INBOX-4")
def test_a_question_says_where_each_answer_leads(db):
    """The document of a question has its message, what is shown, where each word and the silence lead, and where the run is."""
    payout(db).run("ACME", run_id="run-1", user_id="ada")
    row = only(db)
    found = json.loads(json.dumps(plain(question(row, desk(db))), allow_nan=False))
    assert set(found) == KEYS
    assert found["message"] == "Pay 4,200.00 EUR to ACME GmbH?\nInvoice PO-118"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", found["seen"])
    assert found["shown"] == [
        {
            "name": "output_of",
            "step": "collect",
            "value": {**NOTHING, "media_type": "application/json", "plain": {"amount": "4200.00", "who": "ACME"}, "bytes": 33},
        },
        {"name": "input", "step": None, "value": {**NOTHING, "media_type": "text/plain", "plain": "ACME", "bytes": 4}},
    ]
    cancels = {"text": "cancel the run", "code": "leads.cancel", "args": {"step": "pay", "steps": [], "then": None}}
    assert found["answers"] == [
        {
            "word": "confirm",
            "leads_to": {"text": "run 'pay'", "code": "leads.run", "args": {"step": "pay", "steps": ["pay"], "then": None}},
            "takes": {"comment": "optional", "value": None},
            "open_to_you": True,
            "why_not": None,
        },
        {
            "word": "reject",
            "leads_to": cancels,
            "takes": {"comment": "optional", "value": None},
            "open_to_you": True,
            "why_not": None,
        },
    ]
    assert found["otherwise"] == {"at": instant(row.pause.opened + HOUR), "word": "cancel", "leads_to": cancels}
    assert [(each["address"], each["state"]) for each in found["position"]] == [
        ("collect", "done"), ("pay", "here"), ("archive", "ahead"),
    ]  # fmt: skip
    empty = ("lang", "form", "rule", "decision", "superseded_by", "tool_call", "error", "review")
    assert [found[name] for name in empty] == [None] * len(empty)
    assert found["votes_cast"] == []


@pytest.mark.spec("API-2")
def test_a_typed_value_comes_on_demand(db):
    """The tagged form of a value comes only where it is asked for."""
    payout(db).run("ACME", run_id="run-1")
    found = question(only(db), desk(db, typed=True))
    assert found.shown[0].value.typed == {"amount": {"$decimal": "4200.00"}, "who": "ACME"}


@pytest.mark.parametrize(
    ("on_timeout", "said"),
    [
        ("approve", {"text": "run 'pay'", "code": "leads.run", "args": {"step": "pay", "steps": ["pay"], "then": None}}),
        (
            "skip",
            {
                "text": "skip 'pay', go on with 'archive'",
                "code": "leads.skip",
                "args": {"step": "pay", "steps": ["pay"], "then": "leads.go_on", "then_steps": ["archive"]},
            },
        ),
    ],
)
def test_a_silence_leads_where_its_row_says(tmp_path, on_timeout, said):
    """What happens at the deadline is read from the row of the lifecycle."""
    db = store("memory", tmp_path)
    payout(db, on_timeout=on_timeout).run("ACME")
    found = question(only(db), desk(db)).otherwise
    assert found is not None
    assert (found.word, plain(found.leads_to)) == (on_timeout, said)


@pytest.mark.spec("API-1")
def test_a_decided_question_keeps_its_document(db):
    """A question that was decided, and whose run is over, is there with its decision; no answer is open any more."""
    flow = payout(db)
    flow.run("ACME", run_id="run-1")
    row = only(db)
    shown = str(question(row, desk(db)).seen)
    flow.decide("run-1", row.pause.pause_id, "confirm", by="ann", comment="checked", seen=shown.removeprefix("sha256:"))
    flow.continue_run(run_id="run-1")
    found = question(db.question("q_myt4vw66nl6b4px6blvoalbv6y"), desk(db))
    assert found.state == "decided"
    assert plain(found.decision) == {
        "question_id": "q_myt4vw66nl6b4px6blvoalbv6y",
        "word": "confirm",
        "by": {"name": "ann", "via": None},
        "at": plain(found.decision)["at"],
        "comment": "checked",
        "value": None,
        "seen": shown,
    }
    closed = {"text": "the question is decided", "code": "closed.decided", "args": {}}
    assert [plain(each.why_not) for each in found.answers] == [closed, closed]
    assert not any(each.open_to_you for each in found.answers)


def test_a_question_after_its_deadline_is_expired(db):
    """From its deadline on a question is expired, to the microsecond, and nothing may be answered."""
    payout(db).run("ACME", run_id="run-1")
    row = only(db)
    due = row.pause.opened + HOUR
    assert question(row, desk(db, due - 1)).state == "open"
    found = question(row, desk(db, due))
    assert found.state == "expired"
    assert not any(each.open_to_you for each in found.answers)


def test_a_no_still_counts_after_an_approving_silence(tmp_path):
    """Where silence approves, a no counts after the deadline until the silence is applied; a yes does not."""
    db = store("memory", tmp_path)
    payout(db, on_timeout="approve").run("ACME")
    row = only(db)
    found = question(row, desk(db, row.pause.opened + HOUR))
    assert {each.word: each.open_to_you for each in found.answers} == {"confirm": False, "reject": True}


def test_a_question_of_a_cancelled_run_is_withdrawn(db):
    """A question of a run that was cancelled is no longer asked."""
    flow = payout(db)
    flow.run("ACME", run_id="run-1")
    flow.cancel_run("run-1", by="ada")
    assert question(db.question("q_myt4vw66nl6b4px6blvoalbv6y"), desk(db)).state == "withdrawn"
    found = run("run-1", desk(db))
    assert (found.status, plain(found.reason)["code"], plain(found.reason)["args"]["by"]) == (
        "cancelled",
        "reason.cancelled",
        "ada",
    )


@pytest.mark.spec("API-1")
def test_a_question_that_is_put_again_names_its_successor(tmp_path):
    """A question that a release puts again is superseded, and names the new one, which is another question with another id."""
    db = store("sqlite", tmp_path)
    payout(db).run("ACME", run_id="run-1")
    old = only(db)
    changed = payout(db, on_reject="skip")
    changed.decide("run-1", old.pause.pause_id, "confirm", by="ann")
    assert changed.continue_run(run_id="run-1").is_paused
    new = only(db)
    found = question(db.question("q_myt4vw66nl6b4px6blvoalbv6y"), desk(db))
    assert (found.state, found.superseded_by) == ("superseded", question(new, desk(db)).question_id)
    assert found.superseded_by != found.question_id
    db.close()


def test_a_review_shows_the_attempt_before_and_its_feedback(db):
    """A review has the output, the one before it and the feedback between them; attempts count from 1."""
    texts = iter(["first", "second"])
    step = Step("draft", lambda _: next(texts), requires_output_review=True, on_reject="retry", max_retries=2)
    flow = Workflow("draft", steps=[step], db=db)
    flow.run("x", run_id="run-1")
    flow.decide("run-1", only(db).pause.pause_id, "reject", value="shorter", by="ann")
    flow.continue_run(run_id="run-1")
    found = plain(question(only(db), desk(db)).review)
    text = {**NOTHING, "media_type": "text/plain"}
    assert found == {
        "attempt": 2,
        "of": found["of"],
        "output": {**text, "plain": "second", "bytes": 6},
        "previous": {**text, "plain": "first", "bytes": 5},
        "feedback": "shorter",
    }


def test_a_failure_says_what_failed(db):
    """A question about a failure has its type, its text, the user's own line and how often the step was called."""
    broken(db).run("x", run_id="run-1")
    found = plain(question(only(db), desk(db)))
    assert (found["kind"], found["error"]["type"], found["error"]["text"], found["error"]["tries"]) == (
        "error", "OSError", "the line is busy", 1,
    )  # fmt: skip
    assert "flows.py" in found["error"]["frame"]
    assert found["title"] == "fetch failed: OSError: the line is busy"


def test_a_form_is_its_json_schema(tmp_path):
    """The form of a question is a JSON Schema, and a route is a choice of names."""
    db = store("memory", tmp_path)
    form = [{"name": "amount", "field_type": "int", "required": True}]
    Workflow("form", steps=[Step("pay", lambda _: 1, requires_user_input=True, user_input_schema=form)], db=db).run("x")
    found = question(only(db), desk(db))
    assert found.form == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"amount": {"type": "integer"}},
        "required": ["amount"],
        "additionalProperties": False,
    }
    assert found.answers[0].takes.value == "form"


@pytest.mark.spec("API-2")
def test_a_run_is_the_json_of_the_contract(db):
    """The document of a run has its steps in order with addresses, its decisions and its open questions."""
    flow = payout(db)
    flow.run("ACME", run_id="run-1", user_id="ada", session_id="s-1")
    found = json.loads(json.dumps(plain(run("run-1", desk(db))), allow_nan=False))
    assert set(found) == {
        "run_id", "workflow", "version", "status", "requester", "session_id", "started_at", "ended_at", "taken_up_at", "waits_since", "input",
        "output", "error", "reason", "open_questions", "steps", "decisions", "head", "links",
    }  # fmt: skip
    assert (found["status"], found["requester"], found["session_id"], found["ended_at"]) == ("paused", "ada", "s-1", None)
    assert found["open_questions"] == ["q_myt4vw66nl6b4px6blvoalbv6y"]
    assert found["waits_since"] == instant(only(db).pause.opened)
    assert [(each["address"], each["state"], each["attempt"]) for each in found["steps"]] == [
        ("collect", "completed", 1), ("pay", "awaiting_confirmation", 1),
    ]  # fmt: skip
    assert found["links"] == {"journal": "runs/run-1/journal", "audit": None, "picture": "runs/run-1/picture.svg"}
    flow.decide("run-1", only(db).pause.pause_id, "confirm", by="ann")
    flow.continue_run(run_id="run-1")
    after = run("run-1", desk(db))
    assert (after.status, after.open_questions, plain(after.output)["plain"]) == ("completed", [], "paid ACME")
    assert (after.taken_up_at is None, after.ended_at is None, after.decisions[0].by.name) == (False, False, "ann")
    assert plain(run_item(db.load("run-1")))["status"] == "completed"


def test_who_sees_a_question_is_one_rule():
    """A question without an Approval is everybody's and nobody's own; another is seen by its seats, its decider and its requester."""
    bob, eve = Person("bob", roles={"finance"}), Person("eve")
    free, held = (
        Sight(None, frozenset(), None),
        Sight(frozenset({"role:finance"}), frozenset({"ann"}), "ada", frozenset({"role:finance"})),
    )
    assert may_see(eve, free)
    assert not is_mine(eve, free)
    assert may_see(bob, held)
    assert is_mine(bob, held)
    assert not may_see(eve, held)
    assert may_see(Person("ann"), held)
    assert may_see(Person("ada"), held)
    assert not is_mine(Person("ada"), held)
