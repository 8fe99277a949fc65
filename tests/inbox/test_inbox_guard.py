"""The guard before the pages: who asks, where a decision comes from, and the headers of each answer."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from statecore import InMemoryDb, Step, Workflow
from statecore.errors import UnsafeInbox
from statecore.inbox.app import app
from statecore.inbox.auth import HOURS, Declared, TrustedHeader
from statecore.inbox.guard import MOST, POLICY
from tests.inbox.desk import OWN, Form, Reader
from tests.inbox.test_openapi import fits


def asked(db=None):
    """A store with one open question."""
    db = db or InMemoryDb()
    Workflow("payout", [Step("pay", lambda step_input: "paid", requires_confirmation=True)], db=db).run("ACME", run_id="r1")
    return db


CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.spec("INBOX-8")
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/?show=late"), ("GET", "/run/r1"), ("GET", "/run/r1/picture"), ("GET", "/nowhere"), ("GET", "/q/q_none"),
     ("POST", "/"), ("GET", "/static/inbox.css"), ("GET", "/?show=nonsense"), ("DELETE", "/")],
)  # fmt: skip
def test_each_answer_has_the_policy(method, path):
    """Whatever is answered, page, refusal or style, has the content policy, and says neither its type nor its address to others."""
    reader = Reader(asked())
    answer = reader.client.request(method, path, headers=OWN)
    assert POLICY == CSP
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.spec("INBOX-8")
def test_a_page_needs_nothing_that_its_policy_forbids():
    """No page has a script, a style or a handler of its own, nor an address of another host."""
    reader = Reader(asked())
    for path in ("/", reader.only(), "/run/r1", "/run/r1/picture"):
        page = reader.client.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick" not in page
        assert "<script>" not in page
        assert "http" not in page.replace("http-equiv", "")


@pytest.mark.spec("INBOX-10")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "https://testserver"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_a_decision_comes_from_our_own_page(headers, status):
    """A form of another site stores nothing; a browser that says neither where it comes from nor its origin is another site."""
    reader = Reader(asked())
    address = reader.only()
    form = reader.page(address)
    answer = reader.client.post(address, data={**form.values, "word": "confirm"}, headers=headers)
    assert answer.status_code == status
    assert len(reader.db.decisions("r1")) == (status == 303)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.spec("INBOX-1")
def test_no_get_changes_anything():
    """Reading every page, and every link of each, leaves the store as it was, also where an address carries what a form would."""
    reader = Reader(asked())
    before = (reader.db.head("r1"), reader.db.decisions("r1"), reader.db.load("r1"))
    seen, todo = set(), ["/", reader.only() + "?word=confirm", "/run/r1"]
    while todo:
        address = todo.pop()
        if address in seen or not address.startswith("/") or address.startswith("/static"):
            continue
        seen.add(address)
        answer = reader.client.get(address)
        todo += Form(answer.text).links if "html" in answer.headers.get("content-type", "") else []
        reader.client.head(address)
    assert len(seen) > 6
    assert (reader.db.head("r1"), reader.db.decisions("r1"), reader.db.load("r1")) == before


def test_who_is_not_known_sees_nothing():
    """Without the proxy's header, from another address, or with the header twice, there is no page; only what signs in is for everybody."""
    db = asked()
    auth = TrustedHeader("X-User", proxies=("10.0.0.0/8",))
    cases: list[Any] = [
        (("10.0.0.1", 1), {}),
        (("127.0.0.1", 1), {"X-User": "bob"}),
        (("10.0.0.1", 1), [("X-User", "bob"), ("X-User", "eve")]),
        (("10.0.0.1", 1), {"X-User": "  "}),
    ]
    for client, headers in cases:
        http = TestClient(app(db, auth=auth), client=client)
        assert [http.get(path, headers=headers).status_code for path in ("/", "/run/r1", "/q/q_x", "/static/inbox.css")] == [
            401,
            401,
            401,
            200,
        ]
        refused = http.get("/api/v1/questions", headers=headers)
        assert (refused.headers["content-type"], refused.headers["www-authenticate"]) == ("application/problem+json", "Bearer")
        fits("Problem", refused.json())
    assert TestClient(app(db, auth=auth), client=("10.0.0.1", 1)).get("/", headers={"X-User": "bob"}).status_code == 200


@pytest.mark.parametrize("auth", [(), None, [object()]])
def test_an_inbox_that_signs_nobody_in_is_refused(auth):
    """An application without authentication is not made."""
    with pytest.raises(UnsafeInbox, match="auth"):
        app(InMemoryDb(), auth=auth)
    with pytest.raises(UnsafeInbox, match="no address"):
        TrustedHeader(proxies=("everywhere",))


def test_a_body_that_is_too_large_is_refused():
    """More than the limit is refused by its announced length, and by its real one."""
    reader = Reader(asked())
    address = reader.only()

    def endless():
        for _ in range(MOST // 65_536 + 2):
            yield b"a" * 65_536

    kind = {"Content-Type": "application/x-www-form-urlencoded", **OWN}
    assert reader.client.post(address, content=b"a" * (MOST + 1), headers=kind).status_code == 413
    assert reader.client.post(address, content=endless(), headers=kind).status_code == 413
    assert reader.db.decisions("r1") == []


# -- the link of the command ---------------------------------------------------------------------------------------------------------


def local(now, scheme="http", host="127.0.0.1", client="127.0.0.1"):
    """An inbox for the one who started it, and a browser on the same machine."""
    auth = Declared("bob", ["support"])
    inner = app(asked(), auth=auth, clock=lambda: now[0])
    return auth, TestClient(inner, base_url=f"{scheme}://{host}", client=(client, 1), follow_redirects=False)


@pytest.mark.spec("INBOX-10")
def test_the_link_works_once_and_by_its_button():
    """A GET of the link uses nothing up; its button opens a session, once; the page says that the name is declared."""
    auth, http = local([0.0])
    token = auth.token
    for _ in range(3):
        assert "Go on as" in http.get(f"/enter?token={token}").text
        assert http.get("/").status_code == 401
    assert http.post("/enter", data={"token": token}).status_code == 403
    assert http.post("/enter", data={"token": "wrong"}, headers=OWN).status_code == 403
    assert http.post("/enter", data={"token": token}, headers=OWN).status_code == 303
    page = http.get("/")
    assert page.status_code == 200
    assert "as declared at the command line" in page.text
    http.cookies.clear()
    assert http.post("/enter", data={"token": token}, headers=OWN).status_code == 403
    assert http.get("/").status_code == 401


@pytest.mark.spec("INBOX-10")
@pytest.mark.parametrize(("scheme", "wanted"), [("https", "__Host-statecore"), ("http", "statecore")])
def test_the_cookie_is_bound(scheme, wanted):
    """The cookie is for this host, for HTTP alone, for our own pages; over TLS it is named and marked as such."""
    auth, http = local([0.0], scheme)
    cookie = http.post("/enter", data={"token": auth.token}, headers=OWN).headers["set-cookie"]
    name, _, rest = cookie.partition("=")
    parts = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == wanted
    assert {"httponly", "samesite=lax", "path=/", f"max-age={HOURS * 3600}"} <= parts
    assert ("secure" in parts) == (scheme == "https")
    assert not any(part.startswith("domain") for part in parts)


@pytest.mark.spec("INBOX-10")
def test_a_session_ends():
    """A session is over after twelve hours, and when one signs out."""
    now = [0.0]
    auth, http = local(now)
    http.post("/enter", data={"token": auth.token}, headers=OWN)
    now[0] = HOURS * 3_600 - 1
    assert http.get("/").status_code == 200
    now[0] += 1
    assert http.get("/").status_code == 401
    auth, http = local([0.0])
    http.post("/enter", data={"token": auth.token}, headers=OWN)
    kept = dict(http.cookies)
    assert http.post("/leave").status_code == 403
    assert http.post("/leave", headers=OWN).status_code == 200
    http.cookies.update(kept)
    assert http.get("/").status_code == 401


@pytest.mark.parametrize(("host", "client"), [("evil.example", "127.0.0.1"), ("127.0.0.1", "192.0.2.7")])
def test_a_declared_name_is_good_on_this_machine_alone(host, client):
    """A session of the command counts from this machine, under its own name: neither from another one nor by a name that was bound to it."""
    auth, http = local([0.0], host=host, client=client)
    http.post("/enter", data={"token": auth.token}, headers=OWN)
    assert http.get("/").status_code == 401
