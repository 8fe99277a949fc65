"""Bearer tokens: what is kept of them, what they say, and what a wrong one costs."""

from __future__ import annotations

import json
import re
import stat

import pytest
from starlette.requests import Request

from statecore.errors import BadRequest
from statecore.inbox.tokens import Bearer, Patience, TokenFile, scopes_of

DAY = 86_400.0


class Clock:
    """A clock that stands until it is moved."""

    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """A clock of the test."""
    return Clock()


def request(secret, address="10.0.0.1"):
    """A request with a header."""
    headers = [] if secret is None else [(b"authorization", f"Bearer {secret}".encode())]
    return Request({"type": "http", "headers": headers, "client": (address, 1)})


@pytest.mark.spec("INBOX-10")
def test_a_token_is_kept_as_its_hash_alone(tmp_path, clock):
    """A token has 256 random bits and is shown once; its file is the owner's alone and holds only the hash."""
    held = TokenFile(tmp_path / "tokens.json", clock)
    secret, made = held.new("bob", ["read", "decide"], 30, ["finance"])
    assert re.fullmatch(r"sc_[A-Za-z0-9_-]{43}", secret)
    text = (tmp_path / "tokens.json").read_text()
    assert secret not in text
    assert json.loads(text)[0]["sha256"] == __import__("hashlib").sha256(secret.encode()).hexdigest()
    assert stat.S_IMODE((tmp_path / "tokens.json").stat().st_mode) == 0o600
    found = held.find(secret)
    assert found is not None
    assert (found.name, found.via, found.roles, scopes_of(found)) == (
        "bob",
        "token",
        frozenset({"finance"}),
        frozenset({"read", "decide"}),
    )
    assert held.find(secret[:-1]) is None
    assert [each.name for each in held.tokens()] == [made.name]


@pytest.mark.spec("INBOX-10")
def test_a_token_ends(tmp_path, clock):
    """A token ends at its time, or when it is ended, which another process sees at once."""
    held = TokenFile(tmp_path / "tokens.json", clock)
    first, made = held.new("bob", ["read"], 1)
    second, other = held.new("ann", ["read"], 2)
    clock.now += DAY
    assert (held.find(first), held.find(second) is None) == (None, False)
    assert TokenFile(tmp_path / "tokens.json", clock).end(other.name) is True
    assert held.find(second) is None
    assert (held.end(other.name), held.end("none"), held.end(made.name)) == (False, False, False)


@pytest.mark.parametrize(
    ("owner", "scopes", "days"), [("bob", ["write"], 1), ("bob", [], 1), (" ", ["read"], 1), ("bob", ["read"], 0)]
)
def test_a_token_without_a_meaning_is_refused(tmp_path, owner, scopes, days):
    """An unknown scope, no scope, no owner and an end that has passed are refused."""
    with pytest.raises(BadRequest):
        TokenFile(tmp_path / "t").new(owner, scopes, days)


@pytest.mark.spec("INBOX-10")
def test_a_wrong_token_costs_its_address_a_growing_delay(tmp_path, clock):
    """After a wrong token even the right one waits: 1 s, 2 s, 4 s; other addresses do not, and a right one forgives."""
    held = TokenFile(tmp_path / "t", clock)
    secret, _ = held.new("bob", ["read"], 1)
    way = Bearer(held, Patience(clock))
    assert way.person(request(None)) is None
    for delay in (1, 2, 4):
        assert way.person(request("sc_wrong")) is None
        clock.now += delay - 0.1
        assert way.person(request(secret)) is None
        assert way.person(request(secret, "10.0.0.2")) is not None
        clock.now += 0.2
    assert way.person(request(secret)) is not None
    assert way.person(request("sc_wrong")) is None
    clock.now += 1.1
    assert way.person(request(secret)) is not None
    assert way.ambient is False
