"""Deciding by the API: what is stored, what is refused and with which document. Judged by statuses and JSON that are written here."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from statecore import InMemoryDb, Step, Workflow
from statecore.inbox.api_decide import asked, decide
from statecore.inbox.api_problems import Problem
from statecore.inbox.documents import Desk
from statecore.inbox.seeing import Person
from statecore.runtime import Host
from statecore.workflow.inbox import Inbox
from tests.inbox.flows import BOB, HOUR, STORES, broken, only, payout, store
from tests.inbox.test_api import ID, URL, client

DECIDE = f"{URL}/decision"


@pytest.fixture(params=STORES)
def db(request, tmp_path):
    """A store in memory, and one in a file."""
    made = store(request.param, tmp_path)
    yield made
    made.close()


def body(http, word="confirm", url=URL, **more):
    """A decision about a question as it is shown now."""
    return {"word": word, "seen": http.get(url).json()["seen"], **more}


@pytest.mark.spec("INBOX-2", "INBOX-5")
def test_a_decision_is_stored_under_the_person_who_is_signed_in(db):
    """A decision is 201 with its document; the store has word, person, comment and the digest that was shown."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    asked = body(http, comment="checked")
    found = http.post(DECIDE, json=asked)
    assert (found.status_code, found.headers["location"], found.json()["votes_say"]) == (201, f"../{ID}", "satisfied")
    decision = found.json()["decision"]
    assert (decision["word"], decision["by"]["name"], decision["comment"], decision["seen"]) == (
        "confirm",
        "bob",
        "checked",
        asked["seen"],
    )
    assert found.json()["question"]["state"] == "decided"
    [kept] = db.decisions("run-1")
    assert (kept.word, kept.by, kept.comment, kept.seen) == ("confirm", "bob", "checked", asked["seen"].removeprefix("sha256:"))
    assert db.load("run-1").state.run == "paused"


@pytest.mark.spec("API-4")
def test_the_same_again_is_200(db):
    """The same key with the same body, and the same decision of the same person without a key, are 200 and store nothing."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    asked = body(http, comment="checked")
    keyed = {"Idempotency-Key": "k 1"}
    assert http.post(DECIDE, json=asked, headers=keyed).status_code == 201
    first = db.decisions("run-1")
    again = http.post(DECIDE, json=asked, headers=keyed)
    assert (again.status_code, again.json()["decision"]["by"]["name"]) == (200, "bob")
    assert http.post(DECIDE, json=asked).status_code == 200
    assert db.decisions("run-1") == first


@pytest.mark.spec("API-4")
def test_a_key_is_for_one_request(db):
    """A key that was used for another word or comment, or for another question of the run, is 409 SC315."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    asked = body(http)
    keyed = {"Idempotency-Key": "k1"}
    assert http.post(DECIDE, json=asked, headers=keyed).status_code == 201
    for other in ({**asked, "word": "reject"}, {**asked, "comment": "so"}):
        found = http.post(DECIDE, json=other, headers=keyed)
        assert (found.status_code, found.json()["code"]) == (409, "SC315")
    assert [each.word for each in db.decisions("run-1")] == ["confirm"]


@pytest.mark.spec("API-4", "INBOX-2")
def test_the_second_reviewer_is_told_the_first(db):
    """Another person, or another word, is 409 SC304 with who decided what and when, and the question."""
    payout(db).run("ACME", run_id="run-1")
    ann, bob = client(db, Person("ann", "oidc")), client(db)
    asked = body(bob)
    stored = ann.post(DECIDE, json=asked).json()["decision"]
    for other in (asked, {**asked, "word": "reject"}):
        found = bob.post(DECIDE, json=other)
        assert (found.status_code, found.json()["code"]) == (409, "SC304")
        assert found.json()["decided"] == {"word": "confirm", "by": {"name": "ann", "via": None}, "at": stored["at"]}
        assert found.json()["question"]["state"] == "decided"


@pytest.mark.spec("INBOX-2")
def test_a_decision_about_another_question_is_refused(db):
    """A digest other than the one that stands is 409 SC323 with the question to be asked now; nothing is stored."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    found = http.post(DECIDE, json={"word": "confirm", "seen": "sha256:" + "0" * 64})
    assert (found.status_code, found.json()["code"], found.json()["question"]["question_id"]) == (409, "SC323", ID)
    assert db.decisions("run-1") == []


@pytest.mark.spec("INBOX-2")
def test_a_late_decision_is_refused():
    """After the deadline a decision is 409 SC321 with what the silence leads to; nothing is stored."""
    db = InMemoryDb()
    payout(db).run("ACME", run_id="run-1")
    row = only(db)
    due = row.pause.opened + HOUR
    late = Desk(Inbox(db, Host(db, lambda: due)), BOB, due)
    want = asked({"word": "confirm", "seen": client(db).get(URL).json()["seen"]}, None)
    found = decide(row, want, late)
    assert isinstance(found, Problem)
    document = json.loads(bytes(found.body))
    assert (found.status_code, document["code"], document["otherwise"]["word"]) == (409, "SC321", "cancel")
    assert db.decisions("run-1") == []


@pytest.mark.spec("INBOX-5", "API-5")
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"by": "eve"}, "/by"),
        ({"force": True}, "/force"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"word": 1}, "/word"),
        ({"comment": 1}, "/comment"),
        ({"seen": None}, "/seen"),
        ({"word": "approve"}, "/word"),
        ({"value": 1}, "/value"),
        ({"value": {"typed": {"$what": 1}}}, "/value/typed"),
    ],
)
def test_a_body_fits_or_is_422(db, change, pointer):
    """A body with an unknown name, `by` among them, another type or another value is 422, which names the part and stores nothing."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    found = http.post(DECIDE, json={**body(http), **change})
    assert (found.status_code, found.json()["fields"][0]["pointer"]) == (422, pointer)
    assert db.decisions("run-1") == []


@pytest.mark.spec("API-5")
@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b'{"word": NaN}', {}, 400),
        (b'{"word": "confirm", "word": "reject", "seen": "x"}', {}, 400),
        (b"\xff", {}, 400),
        (b"[1]", {}, 422),
        (b"", {}, 422),
        (b"[" * 100_000, {}, 400),
        (b" " * (1 << 20) + b"{}", {}, 413),
        (b"word=confirm", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Idempotency-Key": "x" * 201}, 400),
        (b"{}", {"Idempotency-Key": "a\tb"}, 400),
    ],
)
def test_a_body_that_is_no_decision_is_refused(db, content, headers, status):
    """What is no JSON object of a bounded size, or has no proper key, is refused, and nothing is stored."""
    payout(db).run("ACME", run_id="run-1")
    found = client(db).post(DECIDE, content=content, headers={"Content-Type": "application/json", **headers})
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    assert db.decisions("run-1") == []


def test_a_form_is_given_in_plain_or_in_typed_form():
    """The values of a form come plain, a decimal number as a text; the tagged form is taken, too; a wrong one is named and not repeated."""
    db = InMemoryDb()
    form = [{"name": "amount", "field_type": "decimal", "required": True, "maximum": Decimal(10)}]
    flow = Workflow(
        "form",
        steps=[Step("pay", lambda i: i.additional_data["user_input"], requires_user_input=True, user_input_schema=form)],
        db=db,
    )
    for number, (value, status) in enumerate(
        [({"amount": "9.50"}, 201), ({"typed": {"amount": {"$decimal": "9.50"}}}, 201), ({"amount": "77"}, 422)]
    ):
        flow.run("x", run_id=f"run-{number}")
        http = client(db)
        [line] = http.get(f"/api/v1/questions?run=run-{number}").json()["items"]
        url = f"/api/v1/{line['href']}"
        found = http.post(f"{url}/decision", json=body(http, "input", url, value=value))
        assert found.status_code == status
        if status == 201:
            assert found.json()["decision"]["value"]["plain"] == {"amount": "9.50"}
        else:
            assert (found.json()["code"], "77" in found.text) == ("SC320", False)


def test_a_failed_step_is_retried_by_the_api(db):
    """The words of a failure are taken as any others."""
    broken(db).run("x", run_id="run-1")
    http = client(db)
    [line] = http.get("/api/v1/questions").json()["items"]
    url = f"/api/v1/{line['href']}"
    assert http.post(f"{url}/decision", json=body(http, "retry", url)).status_code == 201


@pytest.mark.spec("INBOX-10")
def test_a_token_decides_only_with_its_scope(db):
    """A token without `decide` reads and is 403 where it decides; one with it decides as its owner."""
    payout(db).run("ACME", run_id="run-1")
    reader = client(db, Person("bob", "token", claims={"scopes": ["read"]}))
    asked = body(reader)
    found = reader.post(DECIDE, json=asked)
    assert (found.status_code, found.json()["code"]) == (403, "SC712")
    assert db.decisions("run-1") == []
    decider = client(db, Person("bob", "token", claims={"scopes": ["read", "decide"]}))
    assert decider.post(DECIDE, json=asked).status_code == 201


@pytest.mark.spec("INBOX-9")
def test_a_question_that_one_may_not_see_is_not_there(db, monkeypatch):
    """What the one rule hides is 404 by its id, by its values and by a decision, and is in no list and no count."""
    payout(db).run("ACME", run_id="run-1")
    asked = body(client(db))
    from statecore.inbox import seeing

    held = seeing.Sight(frozenset({"role:finance"}), frozenset(), "ada", frozenset({"role:finance"}))
    monkeypatch.setattr(type(db), "keeps_votes", True, raising=False)
    for module in ("api_answers", "api_events", "documents", "seeing"):
        monkeypatch.setattr(f"statecore.inbox.{module}.sight_of", lambda *_: held)
    eve, bob = client(db, Person("eve")), client(db, BOB)
    assert [http.get("/api/v1/questions").json()["count"]["exact"] for http in (eve, bob)] == [0, 1]
    assert [http.get("/api/v1/questions?mine=1").json()["count"]["exact"] for http in (eve, bob)] == [0, 1]
    for address in (URL, f"/api/v1/values/input?question={ID}"):
        assert [http.get(address).status_code for http in (eve, bob)] == [404, 200]
    assert eve.post(DECIDE, json=asked).status_code == 404
    assert db.decisions("run-1") == []
    assert client(db, Person("ada")).get(URL).status_code == 200
    assert client(db, Person("max", roles={"auditor"}), readers=seeing.Readers({"role:auditor"})).get(URL).status_code == 200
