"""What pages make of texts and values of strangers, and of what a browser sends of a form."""

import json
import unicodedata
from random import Random

import pytest
from jsonschema import Draft202012Validator

from statecore.definition import UserInputField
from statecore.definition.schemas import json_schema
from statecore.inbox.fields import controls, value_of
from statecore.inbox.safely import as_line, as_lines, as_text
from statecore.inbox.values_shown import difference, shown

HIDDEN = "\u202e\u202d\u2066\u2069\u200b\u200d\u00ad\ufeff\u2028\x00\x1b\x7f\u3164\u2800\U000e0041\ufe01\u115f"


@pytest.mark.spec("INBOX-8")
@pytest.mark.parametrize("sign", HIDDEN)
def test_an_invisible_sign_is_shown_by_name(sign):
    """A sign that prints nothing, or turns the text around, is not on the page; its number is, and its name where Unicode has one."""
    for made in (as_text(f"Pay{sign}ACME"), as_lines(f"Pay{sign}ACME"), as_line(f"Pay{sign}ACME")):
        assert sign not in made
        assert f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".strip() in made


@pytest.mark.spec("INBOX-8")
def test_ordinary_text_is_as_it_is():
    """Letters of any script, signs and pictures are left alone; markup is text."""
    text = "Zahlung 4.200,00 € an Łódź, 北京, عربى, ⚠️ — “ok”"
    assert as_text(text) == text
    assert as_text("<b>&'\"") == "&lt;b&gt;&amp;&#39;&#34;"
    assert as_lines("a\r\nb\tc") == "a\nb\tc"
    assert len(as_text("x" * 10_000)) < 2_100


@pytest.mark.spec("INBOX-12")
@pytest.mark.parametrize(
    ("plain", "shape"),
    [({"a": 1, "b": "x"}, "facts"), ({str(n): n for n in range(20)}, "facts"), ({str(n): n for n in range(21)}, "long"), ({"a": [1]}, "long"),
     ({"a": "x\ny"}, "long"), ("a text\nof lines", "text"), ("x" * 601, "long"), ([1, 2], "long"), (3, "text"), (None, "nothing"), ({}, "long")],
)  # fmt: skip
def test_a_value_has_one_shape(plain, shape):
    """A mapping of at most 20 plain entries is a list of names, text is text, and all else is JSON."""
    view = shown({"plain": plain, "media_type": "application/json", "bytes": 1, "href": None})
    assert view["shape"] == shape
    if shape == "long" and not isinstance(plain, str):
        assert json.loads(view["text"]) == plain


@pytest.mark.spec("INBOX-12")
def test_pictures_are_those_of_four_kinds():
    """PNG, JPEG, GIF and WebP up to 5 MB are pictures; anything else, and what was cut, is a download; erased and secret values are neither."""
    kinds = {kind: shown({"plain": None, "media_type": kind, "bytes": 9, "href": "values/x"})["shape"] for kind in (
        "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "text/html", "application/octet-stream")}  # fmt: skip
    assert [kind for kind, shape in kinds.items() if shape == "picture"] == ["image/png", "image/jpeg", "image/gif", "image/webp"]
    assert {shape for kind, shape in kinds.items() if shape != "picture"} == {"away"}
    assert shown({"plain": None, "media_type": "image/png", "bytes": 6 << 20, "href": "v"})["shape"] == "away"
    assert shown({"plain": None, "media_type": "application/json", "cut": True, "bytes": 70_000, "href": "v"})["shape"] == "away"
    assert shown({"plain": None, "media_type": "image/png", "bytes": 9, "href": "v", "erased": {"at": None}})["shape"] == "nothing"


@pytest.mark.spec("INBOX-12")
def test_a_difference_rebuilds_both_texts():
    """The lines that stayed or went are the text before, those that stayed or came the text after, whatever the texts are."""
    random = Random(7)  # noqa: S311  # to be repeatable, not secret
    for _ in range(200):
        before, after = (
            "\n".join(random.choice(["a b", "a  c", "", "d e f", "b"]) for _ in range(random.randint(1, 7))) for _ in "xy"
        )
        parts = difference(before, after)
        if before == after:
            assert parts == []
            continue
        lines = {how: [line_of(part) for part in parts if part["how"] in ("same", how)] for how in ("del", "ins")}
        assert "\n".join(lines["del"]).split() == before.split()
        assert "\n".join(lines["ins"]).split() == after.split()
        assert len(lines["del"]) == before.count("\n") + 1
        assert len(lines["ins"]) == after.count("\n") + 1


def line_of(part):
    """The text of a line of a difference."""
    return part["text"] if part["how"] == "same" else "".join(word["text"] for word in part["words"])


FIELDS = [
    (UserInputField("n", "int", minimum=1), "12", 12),
    (UserInputField("n", "int"), "twelve", "twelve"),
    (UserInputField("n", "float"), "1.5", 1.5),
    (UserInputField("n", "str"), "12", "12"),
    (UserInputField("n", "text"), "a\nb", "a\nb"),
    (UserInputField("n", "bool"), "yes", True),
    (UserInputField("n", "bool"), "no", False),
    (UserInputField("n", "email"), "a@b.example", "a@b.example"),
    (UserInputField("n", "date"), "2026-11-30", "2026-11-30"),
    (UserInputField("n", "decimal"), "4200.00", "4200.00"),
    (UserInputField("n", "dict"), '{"a": 1}', {"a": 1}),
    (UserInputField("n", "list", item_type="int"), "1\n2", [1, 2]),
    (UserInputField("n", "str", allowed_values=["a", "b"]), "b", "b"),
    (UserInputField("n", "int", allowed_values=[1, 2]), "2", 2),
    (UserInputField("n", "list", allowed_values=["a", "b", "c"]), ["a", "c"], ["a", "c"]),
    (UserInputField("n", "file"), "aGVsbG8=", "aGVsbG8="),
    (UserInputField("word", "str"), "a field called word", "a field called word"),
]


@pytest.mark.parametrize(("field", "typed", "value"), FIELDS)
def test_what_is_typed_is_a_value_of_the_field(field, typed, value):
    """A control sends text; the value has the type of the field's schema, and a text that is no such value is left for the judge of values."""
    schema = json_schema([field])
    [control] = controls(schema, None, "answer")
    sent = {control.name: typed if isinstance(typed, list) else [typed]}
    assert value_of(schema, sent) == {field.name: value}
    if value != "twelve":
        Draft202012Validator(schema).validate(value_of(schema, sent))
    assert value_of(schema, {control.name: [""]}) == {}
    [again] = controls(schema, sent, "answer")
    kept = [choice["value"] for choice in again.choices or () if choice["on"]] or [again.value]
    assert kept == sent[control.name]
