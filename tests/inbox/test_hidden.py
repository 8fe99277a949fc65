"""A question that a person has no right to is met nowhere: each address answers as it does where there is no such question (INBOX-9)."""

from __future__ import annotations

import asyncio
import re

import pytest
from starlette.testclient import TestClient

from statecore import Approval, InMemoryDb, PauseFilter, SqliteDb, Step, Workflow, requester
from statecore.inbox.api_call import Api
from statecore.inbox.api_events import hints
from statecore.inbox.app import app
from statecore.inbox.auth import TrustedHeader
from statecore.inbox.seeing import Person
from statecore.stores.frames.questions import question_id
from statecore.workflow.inbox import Inbox
from tests.inbox.flows import payout

OWN = {"Origin": "http://testserver"}
ABSENT = "q_" + "a" * 26
STATES = ("open", "expired", "decided", "superseded", "withdrawn")
LISTS = [
    *(f"/api/v1/questions?state={state}" for state in STATES),
    "/api/v1/questions?mine=1",
    "/api/v1/questions?order=asked",
    "/api/v1/questions?limit=1",
    "/api/v1/questions?run={run}",
    "/api/v1/questions?workflow=secret",
    "/api/v1/questions?step=wire",
    "/api/v1/questions?kind=confirmation",
    "/api/v1/questions?requester=ada",
    "/api/v1/runs",
    "/api/v1/runs?workflow=secret",
    "/api/v1/runs?requester=ada",
    "/api/v1/runs?status=paused",
    "/api/v1/runs?limit=1",
    "/",
    "/?show=mine",
    "/?show=late",
    "/?show=decided",
    "/?workflow=secret",
    "/?run={run}",
]
ONES = [
    "/api/v1/questions/{q}",
    "/api/v1/questions/{q}?typed=1",
    "/api/v1/runs/{run}",
    "/api/v1/runs/{run}?typed=1",
    "/api/v1/runs/{run}/journal",
    "/api/v1/runs/{run}/journal?limit=1",
    "/api/v1/runs/{run}/picture.svg",
    "/api/v1/values/input?question={q}",
    "/api/v1/values/previous?question={q}",
    "/api/v1/values/input?run={run}",
    "/api/v1/values/output?run={run}",
    "/api/v1/events?run={run}",
    "/q/{q}",
    "/run/{run}",
    "/run/{run}/picture",
    "/run/{run}/picture.svg",
]
POSTS = {
    "/api/v1/questions/{q}/decision": {"word": "confirm", "seen": "sha256:" + "0" * 64},
    "/api/v1/runs/{run}/cancellation": {},
    "/q/{q}": None,
}


@pytest.fixture(params=["memory", "sqlite"])
def db(request, tmp_path):
    """A store that keeps votes."""
    store = InMemoryDb() if request.param == "memory" else SqliteDb(db_file=tmp_path / "runs.db")
    yield store
    store.close()


def secret(db):
    """A run that finance alone decides, asked for by ada; the id of its question."""
    rule = Approval(of="role:finance", exclude=requester)
    Workflow("secret", [Step("wire", lambda _: "done", approval=rule, requires_confirmation=True, on_reject="cancel")], db=db).run(
        "hidden-value", run_id="hidden-run", requester="ada"
    )
    [row] = [each for each in db.pauses(PauseFilter()) if each.pause.run_id == "hidden-run"]
    return question_id("hidden-run", row.pause.pause_id)


def browser(db, name="eve", roles="support", **more):
    """A person's browser."""
    page = app(db, auth=TrustedHeader("X-User", roles="X-Roles"), title="Payments", **more)
    return TestClient(page, headers={"X-User": name, "X-Roles": roles}, client=("127.0.0.1", 5), follow_redirects=False)


def answered(http, address, body=False, **names):
    """The answer of an address, without what differs from one request to the next, and without the names that were asked for."""
    where = address.format(**names)
    answer = http.get(where) if body is False else http.post(where, json=body, headers=OWN) if body is not None else http.post(
        where, data={"word": "confirm"}, headers=OWN
    )  # fmt: skip
    text = answer.text
    for name in names.values():
        text = text.replace(name, "NAME")
    return answer.status_code, re.sub(r"\d+ (s|min) ago|just now|cursor=[\w=-]+", "", text)


@pytest.mark.spec("INBOX-9")
def test_a_hidden_question_answers_as_one_that_is_not_there(db):
    """Of 40 addresses and calls none tells of a question that the person may not see: each answers as it does where it never was asked."""
    payout(db).run("ACME", run_id="open-run", user_id="bob")
    http = browser(db)
    before = {address: answered(http, address, run="no-such", q=ABSENT) for address in LISTS}
    hidden = secret(db)
    shown = browser(db, "cy", "finance")
    assert shown.get(f"/api/v1/questions/{hidden}").status_code == 200
    for address in LISTS:
        assert answered(http, address, run="hidden-run", q=hidden) == before[address], address
    for address in ONES:
        found, absent = answered(http, address, run="hidden-run", q=hidden), answered(http, address, run="no-such", q=ABSENT)
        assert found == absent, address
        assert found[0] == 404, address
    for address, body in POSTS.items():
        found, absent = (
            answered(http, address, body, run="hidden-run", q=hidden),
            answered(http, address, body, run="no-such", q=ABSENT),
        )
        assert found == absent, address
        assert found[0] == 404, address
    assert len(LISTS) + len(ONES) + len(POSTS) >= 39
    assert db.load("hidden-run").cancel_requested is None


@pytest.mark.spec("INBOX-9")
def test_a_cursor_of_another_person_shows_nothing_more(db):
    """A cursor that finance was given goes on in a list of what the one who uses it may see."""
    payout(db).run("ACME", run_id="run-0")
    secret(db)
    shown = browser(db, "cy", "finance").get("/api/v1/questions?limit=1&order=asked").json()
    assert shown["count"]["exact"] == 2
    rest = browser(db).get(f"/api/v1/{shown['next']}").json()
    assert rest["items"] == []
    assert rest["count"]["exact"] == 1


@pytest.mark.spec("INBOX-9")
def test_the_stream_has_no_hint_of_a_hidden_question(db):
    """Of a hidden question and an open one the stream of a person tells of the open one alone; that of finance tells of both."""

    async def first(told, number):
        return [await anext(told) for _ in range(number)]

    api = Api(Inbox(db))
    api.watch.every = 0
    api.watch.look()
    hidden = secret(db)
    payout(db).run("ACME", run_id="open-run")
    api.watch.look()
    [_, one] = asyncio.run(first(hints(api, Person("eve"), f"{api.watch.mark}-0"), 2))
    assert '"run_id":"open-run"' in one
    assert hidden in asyncio.run(first(hints(api, Person("cy", roles={"finance"}), f"{api.watch.mark}-0"), 2))[1]


@pytest.mark.spec("INBOX-9")
def test_who_decided_requested_or_reads_sees_it_afterwards(db):
    """The requester and the readers see a decided question, and its decider does without the role; another person does not."""
    hidden = secret(db)
    cy = browser(db, "cy", "finance")
    address = f"/api/v1/questions/{hidden}"
    body = {"word": "confirm", "seen": cy.get(address).json()["seen"]}
    assert cy.post(f"{address}/decision", json=body, headers=OWN).status_code == 201
    seen = {
        (name, role): browser(db, name, role, readers=["role:auditor"]).get(where).status_code
        for where in (address, "/api/v1/runs/hidden-run")
        for name, role in (("ada", "support"), ("cy", "support"), ("max", "auditor"), ("eve", "support"))
    }
    assert seen == {("ada", "support"): 200, ("cy", "support"): 200, ("max", "auditor"): 200, ("eve", "support"): 404}
    assert browser(db, readers="everyone").get(address).status_code == 200
