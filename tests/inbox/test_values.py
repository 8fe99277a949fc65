"""Values in their envelope: what people get for each kind of value, judged by JSON that is written here."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from statecore.codec import ERASED, encode
from statecore.codec.erased import Gone
from statecore.definition.forms import Secret
from statecore.inbox import values
from statecore.inbox.values import whole


def envelope(text: str | None, href: str | None, **more: Any) -> Any:
    """An envelope whose parts are looked at."""
    return values.envelope(text, href, **more)


CASES = [
    (None, "null"),
    (True, "true"),
    (3, "3"),
    (2**53 - 1, "9007199254740991"),
    (2**53, '"9007199254740992"'),
    (-(2**70), '"-1180591620717411303424"'),
    (1.5, "1.5"),
    (float("nan"), '"nan"'),
    (float("-inf"), '"-inf"'),
    (Decimal("4200.00"), '"4200.00"'),
    (date(2026, 11, 30), '"2026-11-30"'),
    (datetime(2026, 11, 30, 10, 2, 11, tzinfo=UTC), '"2026-11-30T10:02:11+00:00"'),
    (timedelta(days=1, seconds=2), '"1 day, 0:00:02"'),
    (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    ((1, (2,)), "[1, [2]]"),
    ({3}, "[3]"),
    (deque([1], 4), "[1]"),
    ({1: "a"}, '{"1": "a"}'),
    ({1: "a", "1": "b"}, '[[1, "a"], ["1", "b"]]'),
    (OrderedDict(b=1, a=2), '{"b": 1, "a": 2}'),
    (Counter("aa"), '{"a": 2}'),
    ({"file": b"abc"}, '{"file": "(3 bytes)"}'),
    ({"pin": Secret("1234")}, '{"pin": "(hidden)"}'),
    ({"$x": 1}, '{"$x": 1}'),
    (["\ud800"], '["\\\\ud800"]'),
]


@pytest.mark.spec("API-2")
@pytest.mark.parametrize(("value", "plain"), CASES, ids=[repr(value)[:30] for value, _ in CASES])
def test_a_value_for_people_is_i_json(value, plain):
    """What JSON does not keep is a text or a list, and nothing of it is a number that a reader would round."""
    found = envelope(encode(value), "values/x")
    assert found is not None
    assert json.loads(json.dumps(found.plain, allow_nan=False)) == json.loads(plain)
    assert (found.cut, found.href, found.erased, found.secret) == (False, None, None, False)


@pytest.mark.spec("API-2")
def test_the_typed_form_never_holds_a_secret():
    """The tagged form comes on demand; of a value that holds a secret it never comes."""
    assert envelope(encode({"a": Decimal(1)}), None, typed=True).typed == {"a": {"$decimal": "1"}}
    assert envelope(encode({"a": Decimal(1)}), None).typed is None
    assert envelope(encode({"pin": Secret("1234")}), None, typed=True).typed is None


@pytest.mark.spec("API-2")
def test_a_secret_and_an_erased_value_are_empty():
    """Of a secret and of an erased value nothing is there but that it is so; the commitment of an erased one stays."""
    secret = envelope(encode(Secret("1234")), "values/x", typed=True)
    assert (secret.secret, secret.plain, secret.typed, secret.href, secret.bytes) == (True, None, None, None, 0)
    erased = envelope(encode(ERASED), "values/x", typed=True)
    assert (erased.erased is None, erased.plain, erased.typed, erased.href) == (False, None, None, None)
    gone = envelope(Gone(encode(ERASED), b"\x01" * 32), "values/x")
    assert gone.digest == "sha256:" + "01" * 32


@pytest.mark.spec("API-2")
def test_a_long_value_is_cut_and_given_whole_elsewhere():
    """Above 64,000 bytes a value is cut, and `href` gives the whole; at 64,000 it is here."""
    assert envelope(encode("x" * 64_000), "values/x").plain == "x" * 64_000
    cut = envelope(encode("x" * 64_001), "values/x", typed=True)
    assert (cut.plain, cut.typed, cut.cut, cut.href, cut.bytes) == (None, None, True, "values/x", 64_001)
    assert whole(encode("x" * 64_001)).body == b"x" * 64_001


def test_bytes_are_an_attachment_with_their_type():
    """Bytes have no plain form; a picture is known by its signature, never by what somebody calls it."""
    pictures = {
        "image/png": b"\x89PNG\r\n\x1a\nx",
        "image/jpeg": b"\xff\xd8\xffx",
        "image/gif": b"GIF89ax",
        "image/webp": b"RIFFxxxxWEBPx",
        "application/octet-stream": b"<svg>",
    }
    for media_type, body in pictures.items():
        found = envelope(encode(body), "values/x")
        assert (found.media_type, found.plain, found.href, found.bytes) == (media_type, None, "values/x", len(body))
        assert whole(encode(body)).body == body


def test_a_text_that_no_release_wrote_is_not_readable():
    """A stored text with an unknown tag is told as not readable, and the document stands."""
    assert envelope('{"$future": 1}', None).plain == "(not readable)"
    assert envelope("{", None).plain == "(not readable)"
    assert envelope(None, None) is None
