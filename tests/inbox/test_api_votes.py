"""A vote through the inbox (AUTH-2, INBOX-4, INBOX-5): roles come from the login, the rule judges, and the document says it for each person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from statecore import Approval, InMemoryDb, SqliteDb, Step, Workflow, requester
from statecore.inbox.app import app
from statecore.inbox.auth import TrustedHeader

APPROVAL = Approval(
    2, of="role:finance", also=["role:legal"], exclude=requester, comment="on_reject", escalate=[(timedelta(hours=24), "role:cfo")]
)
OWN = {"Origin": "http://testserver"}


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    """A store that keeps votes."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "runs.db")
    yield store
    store.close()


class Desk:
    """A store with one run behind a gate with a rule, and people who look at it through the inbox."""

    def __init__(self, db, **approval):
        self.db, self.paid = db, []
        pay = Step(
            "pay", self.pay, requires_confirmation=True, on_reject="cancel", approval=Approval(**approval) if approval else APPROVAL
        )
        self.flow = Workflow("payout", [pay], db=db)
        self.run_id = self.flow.run("x", requester="ada").run_id
        self.app = app(db, auth=TrustedHeader("X-User", roles="X-Roles"), title="Payments")

    def pay(self, _):
        """Pay."""
        self.paid.append("paid")

    def browser(self, name, role):
        """The browser of a person."""
        return TestClient(self.app, headers={"X-User": name, "X-Roles": role}, client=("127.0.0.1", 5), follow_redirects=False)

    def address(self):
        """The address of the one question, as one of finance sees it."""
        [item] = self.browser("cy", "finance").get("/api/v1/questions").json()["items"]
        return f"/api/v1/{item['href']}"

    def doc(self, name, role):
        """The question as a person sees it."""
        return self.browser(name, role).get(self.address()).json()

    def vote(self, name, role, word="confirm", comment=None):
        """Vote as a person does; the answer."""
        address = self.address()
        body = {"word": word, "seen": self.doc(name, role).get("seen") or "sha256:" + "0" * 64, "comment": comment, "value": None}
        return self.browser(name, role).post(f"{address}/decision", json=body, headers=OWN | {"Idempotency-Key": name})


def told(doc):
    """What each answer leads to, or why it is not open."""
    return {each["word"]: (each["why_not"] or each["leads_to"])["text"] for each in doc["answers"]}


@pytest.mark.spec("AUTH-2", "INBOX-5", "INBOX-9")
def test_two_of_finance_open_the_gate_and_nobody_else(db):
    """The question is not there for a person without the role, the requester is refused by 403, and two votes open the gate."""
    desk = Desk(db, k=2, of="role:finance", exclude=requester)

    def said(name, role):
        answer = desk.vote(name, role)
        return answer.status_code, answer.json().get("votes_say") or answer.json()["code"]

    assert said("eve", "support")[0] == 404
    assert said("ada", "finance") == (403, "SC353")
    assert said("ann", "finance") == (201, "needs_more")
    assert said("ann", "finance") == (200, "needs_more")
    assert desk.paid == []
    assert said("bob", "finance") == (201, "satisfied")
    assert desk.flow.continue_run(run_id=desk.run_id).status == "COMPLETED"
    assert desk.paid == ["paid"]
    assert [each.by for each in db.audit(desk.run_id) if each.event == "refusal"] == ["ada"]


@pytest.mark.spec("INBOX-4")
def test_a_question_says_its_rule_the_votes_and_what_a_vote_leads_to(db):
    """The rule is said in words, the votes so far and those still needed too, and each button says what it leads to for this very person."""
    desk = Desk(db)
    doc = desk.doc("ann", "finance")
    rule = doc["rule"]
    later = rule["widens"][0]["at"]
    assert rule["text"] == (
        f"2 of role finance and 1 of role legal; not ada, who asked for the run; from {later[:23]}+00:00 on role cfo, too"
    )
    assert (rule["needed"], rule["of"], rule["also"], rule["exclude"]) == (3, ["role:finance"], ["role:legal"], ["person:ada"])
    assert [each["of"] for each in rule["widens"]] == [["role:cfo"]]
    assert (doc["mine"], doc["requester"]) == (True, "ada")
    assert told(doc) == {"confirm": "yours is vote 1 of 3: 2 more are needed, then run 'pay'", "reject": "cancel the run"}
    assert {each["word"]: each["takes"]["comment"] for each in doc["answers"]} == {"confirm": "optional", "reject": "required"}
    assert doc["answers"][0]["leads_to"]["code"] == "leads.vote_counts"
    answer = desk.vote("ann", "finance", comment="checked").json()
    assert (answer["decision"]["by"], answer["decision"]["comment"]) == ({"name": "ann", "via": "header"}, "checked")
    assert desk.doc("ann", "finance")["mine"] is False
    assert told(desk.doc("ann", "finance")) == {"confirm": "this person has voted here", "reject": "cancel the run"}
    assert desk.vote("lex", "legal").status_code == 201
    doc = desk.doc("bob", "finance")
    assert (doc["votes"]["confirmed"], doc["votes"]["needed"]) == (2, 3)
    assert doc["votes"]["says"]["text"] == "2 of 3: 1 more needed, of role finance"
    assert told(doc)["confirm"] == "yours is vote 3 of 3: run 'pay'"
    assert [(each["by"]["name"], each["word"], each["counts"]) for each in doc["votes_cast"]] == [
        ("ann", "confirm", True),
        ("lex", "confirm", True),
    ]
    assert told(desk.doc("ada", "finance")) == dict.fromkeys(
        ("confirm", "reject"), "this person asked for the run, and may not decide here"
    )
    assert told(desk.doc("zoe", "cfo"))["confirm"] == "this person is not among those who may decide here now"
    assert [desk.doc(*who)["mine"] for who in (("ada", "finance"), ("zoe", "cfo"), ("bob", "finance"))] == [False, False, True]


@pytest.mark.spec("INBOX-4", "INBOX-11")
def test_a_vote_that_was_taken_back_or_turned_says_so(db):
    """A vote that no longer counts stays in the list with the reason, and a no says whose it is."""
    desk = Desk(db)
    desk.vote("ann", "finance")
    pause = db.question(desk.address().rpartition("/")[2]).pause.pause_id
    desk.flow.withdraw(desk.run_id, pause, by="ann")
    assert [each["lapsed"]["code"] for each in desk.doc("bob", "finance")["votes_cast"]] == ["vote.withdrawn"]
    desk.vote("ann", "finance")
    assert desk.vote("ann", "finance", "reject", "wrong account").json()["votes_say"] == "refused"
    doc = desk.doc("bob", "finance")
    assert [(each["lapsed"] or {}).get("code") for each in doc["votes_cast"]] == ["vote.withdrawn", "vote.turned", None]
    assert doc["votes"]["says"]["text"] == "ann said no"
    assert doc["state"] == "open"


@pytest.mark.spec("INBOX-4", "INBOX-11")
def test_the_page_of_a_vote_says_what_is_needed_and_who_may(db):
    """The page has the rule, the votes, and a closed button with its reason; after the vote it says how many are still needed."""
    desk = Desk(db, k=2, of="role:finance", exclude=requester)
    page = desk.address().replace("/api/v1/questions", "/q")
    ada = desk.browser("ada", "finance").get(page).text
    assert "not ada, who asked for the run" in ada
    assert ada.count(" disabled>") == 2
    assert "may not decide here" in ada
    ann = desk.browser("ann", "finance")
    seen = desk.doc("ann", "finance")["seen"]
    assert ann.post(page, data={"word": "confirm", "seen": seen, "key": "k"}, headers=OWN).status_code == 303
    after = ann.get(page).text
    assert "1 of 2: 1 more needed, of role finance" in after
    assert "this person has voted here" in after
    assert "yours is vote 2 of 2: run &#39;pay&#39;" in desk.browser("bob", "finance").get(page).text
