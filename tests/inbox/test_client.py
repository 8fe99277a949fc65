"""The client of the API: what it reads, what it sends, and what a refusal raises."""

from __future__ import annotations

import httpx
import pytest

from statecore import InMemoryDb
from statecore.client import InboxClient
from statecore.errors import InboxRefused
from tests.inbox.flows import payout
from tests.inbox.test_api import ID, client


class Through(httpx.BaseTransport):
    """Requests of the client, handed to the application; the first so many answers are lost."""

    def __init__(self, http, lost=0):
        self.http, self.lost, self.seen = http, lost, []

    def handle_request(self, request):
        self.seen.append(request)
        answer = self.http.request(request.method, str(request.url), content=request.read(), headers=dict(request.headers))
        if self.lost:
            self.lost -= 1
            msg = "the line went dead"
            raise httpx.ReadError(msg)
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


@pytest.fixture
def db():
    """A store in memory with two runs that wait."""
    made = InMemoryDb()
    for number in (1, 2):
        payout(made).run("ACME", run_id=f"run-{number}")
    return made


def inbox(db, lost=0):
    """A client of a store's API, and what it sends."""
    through = Through(client(db), lost)
    return InboxClient("http://inbox.test/api/v1", "sc_x", transport=through), through


@pytest.mark.spec("API-7")
def test_a_reviewer_decides_by_the_client(db):
    """A question is found in the list, read whole and decided; pages follow one another by themselves."""
    box, through = inbox(db)
    with box:
        lines = list(box.questions(limit="1"))
        assert [each.run_id for each in lines] == ["run-1", "run-2"]
        stored = box.decide(box.question(ID), "confirm", comment="checked")
        assert (stored.decision.word, stored.votes_say, stored.question.state) == ("confirm", "satisfied", "decided")
        assert [each.run_id for each in box.questions()] == ["run-2"]
        assert box.run("run-1").decisions[0].comment == "checked"
        assert [each.run_id for each in box.runs(status="paused")] == ["run-2", "run-1"]
        assert box.cancel("run-2").cancelled is True
    assert {each.headers["authorization"] for each in through.seen} == {"Bearer sc_x"}


@pytest.mark.spec("API-7")
def test_a_decision_whose_answer_is_lost_is_stored_once(db):
    """Where the answer is lost after the decision was stored, the same key is sent again, and there is one decision."""
    box, through = inbox(db)
    question = box.question(ID)
    through.lost, through.seen = 2, []
    assert box.decide(question, "confirm").decision.word == "confirm"
    assert len({each.headers["idempotency-key"] for each in through.seen}) == 1
    assert len(through.seen) == 3
    assert [each.word for each in db.decisions("run-1")] == ["confirm"]


@pytest.mark.spec("API-7")
def test_a_refusal_is_an_error_with_its_problem(db):
    """A problem document is raised with its status, code and what it says besides; another page is named as none of the API."""
    box, _ = inbox(db)
    question = box.question(ID)
    payout(db).decide("run-1", "pay:confirmation:0", "reject", by="ann")
    with pytest.raises(InboxRefused) as refused:
        box.decide(question, "confirm")
    assert (refused.value.status, refused.value.refusal, refused.value.problem["decided"]["word"]) == (409, "SC304", "reject")
    page = InboxClient("http://inbox.test/", "x", transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>")))
    with pytest.raises(InboxRefused, match="none of the API"):
        page.question(ID)
