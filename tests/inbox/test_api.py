"""The API by HTTP: lists, questions, runs, values; strict requests. Judged by JSON that is written here."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from statecore import InMemoryDb, Step, Workflow
from statecore.inbox.api import PERSON, routes
from statecore.inbox.seeing import Person
from tests.inbox.flows import BOB, STORES, only, payout, store

ID = "q_myt4vw66nl6b4px6blvoalbv6y"
URL = f"/api/v1/questions/{ID}"


class As:
    """A guard that knows one person."""

    def __init__(self, inner, person):
        self.inner, self.person = inner, person

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            scope[PERSON] = self.person
        await self.inner(scope, receive, send)


def client(db, person=BOB, **more):
    """The API of a store, as a person sees it."""
    return TestClient(As(Starlette(routes=routes(db, **more)), person), base_url="http://inbox.test")


@pytest.fixture(params=STORES)
def db(request, tmp_path):
    """A store in memory, and one in a file."""
    made = store(request.param, tmp_path)
    yield made
    made.close()


def many(db, count):
    """Runs that wait, each for its own question; every second one without a deadline."""
    for number in range(count):
        settings = {"timeout": 3600 - number} if number % 2 else {"timeout": None}
        payout(db, **settings).run("ACME", run_id=f"run-{number}", user_id="ada" if number < 2 else "eve")


@pytest.mark.spec("API-1", "API-2")
def test_the_list_holds_the_open_questions(db):
    """The list is the JSON of the contract, with an exact count."""
    payout(db).run("ACME", run_id="run-1", user_id="ada")
    found = client(db).get("/api/v1/questions")
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.json()["count"] == {"exact": 1, "at_least": None}
    assert found.json()["next"] is None
    [line] = found.json()["items"]
    assert (line["question_id"], line["requester"], line["state"], line["href"]) == (ID, "ada", "open", f"questions/{ID}")


@pytest.mark.spec("API-5")
@pytest.mark.parametrize("order", ["due", "asked"])
def test_pages_have_each_question_once(db, order):
    """By cursors each question comes once, soonest deadline first and then those without one; also when some are decided in between."""
    many(db, 7)
    http, seen, address = client(db), [], f"questions?limit=2&order={order}"
    for _ in range(10):
        page = http.get(f"/api/v1/{address}").json()
        seen += [each["run_id"] for each in page["items"]]
        if len(seen) == 2:
            db_row = db.question(page["items"][0]["question_id"])
            payout(db).decide(db_row.pause.run_id, db_row.pause.pause_id, "confirm", by="ann")
        if page["next"] is None:
            break
        address = page["next"]
    due = ["run-5", "run-3", "run-1", "run-0", "run-2", "run-4", "run-6"]
    assert seen == (due if order == "due" else [f"run-{number}" for number in range(7)])


@pytest.mark.spec("API-5")
def test_filters_narrow_the_list_and_its_count(db):
    """Each filter narrows the list and the count alike."""
    many(db, 4)
    http = client(db)

    def runs_of(query):
        page = http.get(f"/api/v1/questions?{query}").json()
        assert page["count"] == {"exact": len(page["items"]), "at_least": None}
        return [each["run_id"] for each in page["items"]]

    assert runs_of("requester=ada") == ["run-1", "run-0"]
    assert runs_of("run=run-2") == ["run-2"]
    assert runs_of("run=none") == []
    assert runs_of("workflow=other") == []
    assert runs_of("kind=route") == []
    assert runs_of("step=pay&mine=0&limit=200&order=asked") == ["run-0", "run-1", "run-2", "run-3"]
    assert runs_of("mine=1") == []
    assert runs_of("due_before=2000-01-01T00:00:00Z") == []
    assert runs_of("asked_before=2000-01-01T00:00:00Z") == []
    assert runs_of("state=expired") == []


@pytest.mark.spec("API-5")
def test_past_questions_are_listed_by_what_became_of_them(db):
    """Decided, withdrawn and superseded questions are lists of their own, the last one first; a decided one is in no other."""
    many(db, 3)
    flow = payout(db)
    for number in (0, 1):
        flow.decide(f"run-{number}", "pay:confirmation:0", "confirm", by="ann")
    flow.cancel_run("run-2")
    http = client(db)

    def of(state):
        return [each["run_id"] for each in http.get(f"/api/v1/questions?state={state}").json()["items"]]

    assert of("decided") == ["run-1", "run-0"]
    assert of("withdrawn") == ["run-2"]
    assert of("superseded") == []
    first = http.get("/api/v1/questions?state=decided&limit=1").json()
    assert first["count"] == {"exact": 2, "at_least": None}
    assert [each["run_id"] for each in http.get(f"/api/v1/{first['next']}").json()["items"]] == ["run-0"]


@pytest.mark.spec("API-5")
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("questions?colour=red", {}, 400),
        ("questions?limit=0", {}, 400),
        ("questions?limit=201", {}, 400),
        ("questions?limit=1&limit=2", {}, 400),
        ("questions?state=gone", {}, 400),
        ("questions?kind=gone", {}, 400),
        ("questions?mine=yes", {}, 400),
        ("questions?due_before=tomorrow", {}, 400),
        ("questions?cursor=abc", {}, 400),
        ("questions?cursor=%C3%A4", {}, 400),
        (f"questions/{ID}?full=1", {}, 400),
        (f"questions/{ID}", {"If-Match": '"x"'}, 400),
        ("questions/q_aaaaaaaaaaaaaaaaaaaaaaaaaa", {}, 404),
        ("questions/x", {}, 404),
        ("runs/none", {}, 404),
        ("runs?status=gone", {}, 400),
        ("values/input", {}, 400),
        (f"values/other?question={ID}", {}, 404),
        ("values/row-9?run=run-1", {}, 404),
        ("nothing", {}, 404),
        ("events?full=1", {}, 400),
    ],
)
def test_a_request_is_taken_as_it_is_or_refused(db, address, headers, status):
    """An unknown parameter, word, address or precondition is refused with a problem document; nothing is ignored."""
    payout(db).run("ACME", run_id="run-1")
    found = client(db).get(f"/api/v1/{address}", headers=headers)
    assert (found.status_code, found.headers["content-type"]) == (status, "application/problem+json")
    document = found.json()
    assert set(document) == {"type", "title", "status", "detail", "code", "fields"}
    assert (document["status"], re.fullmatch(r"SC\d{3}", document["code"]) is not None) == (status, True)


@pytest.mark.spec("API-5")
def test_a_cursor_is_signed_and_bound_to_its_filters(db):
    """A cursor that was changed, or is used with other filters, is refused."""
    many(db, 3)
    http = client(db)
    following = http.get("/api/v1/questions?limit=1&order=asked").json()["next"]
    assert http.get(f"/api/v1/{following}").status_code == 200
    assert http.get(f"/api/v1/{following.replace('order=asked', 'order=due')}").status_code == 400
    at = following.index("cursor=") + len("cursor=")
    other = "A" if following[at] != "A" else "B"
    assert http.get(f"/api/v1/{following[:at]}{other}{following[at + 1 :]}").status_code == 400


@pytest.mark.spec("API-4")
def test_an_etag_is_about_bytes(db):
    """A question and a run have a strong ETag; the same bytes are 304, others are sent whole."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    for address in (URL, "/api/v1/runs/run-1"):
        first = http.get(address)
        assert first.headers["cache-control"] == "private, no-cache"
        again = http.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert http.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    before = http.get(URL).headers["etag"]
    payout(db).decide("run-1", only(db).pause.pause_id, "confirm", by="ann")
    assert http.get(URL, headers={"If-None-Match": before}).json()["state"] == "decided"


def test_a_run_and_its_journal(db):
    """A run, its journal by pages, and its values as attachments."""
    payout(db).run("ACME", run_id="run-1", user_id="ada")
    http = client(db)
    assert http.get("/api/v1/runs/run-1").json()["open_questions"] == [ID]
    listed = http.get("/api/v1/runs?status=paused&requester=ada").json()
    assert [(each["run_id"], each["href"]) for each in listed["items"]] == [("run-1", "runs/run-1")]
    whole = http.get("/api/v1/runs/run-1/journal").json()
    parts: list[dict[str, object]] = []
    address = "runs/run-1/journal?limit=2"
    while address is not None:
        page = http.get(f"/api/v1/{address}").json()
        parts, address = parts + page["items"], page["next"]
    assert parts == whole["items"]
    assert [each["number"] for each in parts] == list(range(1, len(parts) + 1))
    assert set(parts[0]) == {"number", "address", "turn", "attempt", "source", "trigger", "dest", "at"}
    for address in ("values/input?run=run-1", f"values/input?question={ID}"):
        found = http.get(f"/api/v1/{address}")
        assert (found.content, found.headers["content-disposition"]) == (b"ACME", "attachment")
        assert found.headers["x-content-type-options"] == "nosniff"


def test_a_picture_is_svg(db):
    """The picture of a run is SVG, in a sandbox."""
    payout(db).run("ACME", run_id="run-1")
    found = client(db).get("/api/v1/runs/run-1/picture.svg")
    assert (found.status_code, found.headers["content-type"]) == (200, "image/svg+xml")
    assert b"<svg" in found.content
    assert "sandbox" in found.headers["content-security-policy"]


@pytest.mark.spec("INBOX-1")
def test_no_get_changes_anything(db):
    """Every address that is got leaves the run where it stood, row by row."""
    payout(db).run("ACME", run_id="run-1")
    http, before = client(db), (db.head("run-1"), db.load("run-1"), only(db))
    for address in (
        "questions",
        f"questions/{ID}",
        "runs",
        "runs/run-1",
        "runs/run-1/journal",
        "runs/run-1/picture.svg",
        "values/input?run=run-1",
    ):
        assert http.get(f"/api/v1/{address}").status_code == 200
        assert http.head(f"/api/v1/{address}").status_code == 200
    for address in (f"questions/{ID}/decision", "runs/run-1/cancellation"):
        assert http.get(f"/api/v1/{address}").status_code in (404, 405)
    assert (db.head("run-1"), db.load("run-1"), only(db)) == before


def test_a_run_is_cancelled_by_the_person_who_is_signed_in(db):
    """A cancellation names its person, has no body, and says the second time that the run had ended."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db)
    assert http.post("/api/v1/runs/run-1/cancellation", json={"by": "eve"}).status_code == 422
    found = http.post("/api/v1/runs/run-1/cancellation").json()
    assert (found["cancelled"], found["run"]["status"]) == (True, "cancelled")
    assert http.post("/api/v1/runs/run-1/cancellation", json={}).json()["cancelled"] is False


def test_probes_and_metrics(db):
    """The probes answer everybody; metrics need the scope."""
    payout(db).run("ACME", run_id="run-1")
    http = client(db, None)
    assert (http.get("/healthz").status_code, http.get("/readyz").text) == (200, "ready\n")
    assert http.get("/metrics").status_code == 401
    reader = Person("bot", "token", claims={"scopes": ["read"]})
    assert client(db, reader).get("/metrics").status_code == 403
    scraper = Person("bot", "token", claims={"scopes": ["metrics"]})
    assert "statecore_inbox_open_questions 1\n" in client(db, scraper).get("/metrics").text
    assert client(db, scraper).get("/api/v1/questions").status_code == 403


@pytest.mark.spec("INBOX-5")
def test_a_request_without_a_person_is_refused(db):
    """A request that no guard has authenticated gets nothing."""
    payout(db).run("ACME", run_id="run-1")
    found = client(db, None).get(URL)
    assert (found.status_code, found.json()["code"]) == (401, "SC711")


def test_a_store_that_fails_tells_nothing(db, monkeypatch):
    """A store that cannot be read is 503 with Retry-After, and its words are not told."""
    payout(db).run("ACME", run_id="run-1")
    from statecore.errors import StoreUnavailable

    def broken(_):
        raise StoreUnavailable("/secret/place", "the disk is full")

    monkeypatch.setattr(type(db), "question", lambda self, name: broken(name))
    found = client(db).get(URL)
    assert (found.status_code, found.headers["retry-after"], found.json()["retry_after_seconds"]) == (503, "1", 1)
    assert "secret" not in found.text


def test_a_long_value_is_given_whole_elsewhere(tmp_path):
    """A value above 64,000 bytes is cut in the document, and its address gives the whole."""
    db = InMemoryDb()
    Workflow("long", steps=[Step("pay", lambda _: 1, requires_confirmation=True)], db=db).run("x" * 70_000, run_id="run-1")
    http = client(db)
    [line] = http.get("/api/v1/questions").json()["items"]
    [shown] = http.get(f"/api/v1/{line['href']}").json()["shown"]
    assert (shown["value"]["cut"], shown["value"]["plain"]) == (True, None)
    assert http.get(f"/api/v1/{shown['value']['href']}").content == b"x" * 70_000


def test_no_answer_is_for_another_origin(db):
    """No answer has a header of CORS, also where the request names an origin."""
    payout(db).run("ACME", run_id="run-1")
    for method in ("GET", "OPTIONS"):
        found = client(db).request(method, URL, headers={"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"})
        assert not [name for name in found.headers if name.startswith("access-control")]
