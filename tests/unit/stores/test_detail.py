"""What a row and a question say is stored as the same text as ever: judged by literal texts, by golden files, and by drawn records."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore.stores.detail import (
    Detail,
    PauseDetail,
    definition_text,
    detail_of,
    detail_text,
    of_text,
    pause_detail,
    pause_text,
)
from statecore.stores.history import History
from statecore.stores.records import Body, Entry

ROOT = Path(__file__).parents[3]
ROWS = {
    "nothing": (Detail(), ""),
    "a person": (Detail(by="ada", comment="checked"), '{"by": "ada", "comment": "checked"}'),
    "a comment alone": (Detail(comment="no"), '{"comment": "no"}'),
    "letters beyond ASCII": (
        Detail(by="Łukasz 😀", comment='a "b"\n'),
        '{"by": "\\u0141ukasz \\ud83d\\ude00", "comment": "a \\"b\\"\\n"}',
    ),
    "a failure": (
        Detail(error="busy", error_type="OSError", retry_count=0),
        '{"error": "busy", "error_type": "OSError", "retry_count": 0}',
    ),
    "a worker that stopped": (Detail(error="its worker was stopped"), '{"error": "its worker was stopped"}'),
    "a failure with its place": (
        Detail(error="busy", error_type="OSError", retry_count=0, where="a.py:1, f()", traceback="> a.py:1, f()\nOSError: busy"),
        '{"error": "busy", "error_type": "OSError", "retry_count": 0, "where": "a.py:1, f()", "traceback": "> a.py:1, f()\\nOSError: busy"}',
    ),
    "a failure that stops": (Detail(success=False, error="why"), '{"success": false, "error": "why"}'),
    "one without an error": (Detail(success=False), '{"success": false, "error": null}'),
    "choices": (Detail(choices=("b", "a")), '{"choices": ["b", "a"]}'),
    "a row": (Detail(of=12), '{"of": 12}'),
    "the rows of branches": (Detail(of={"b": 7, "a": None, "c": {"d": 9}}), '{"of": {"b": 7, "a": null, "c": {"d": 9}}}'),
    "media": (Detail(media='{"images":["i"]}'), '{"media": "{\\"images\\":[\\"i\\"]}"}'),
    "a definition": (Detail(definition="6c8e"), '{"definition": "6c8e"}'),
    "a definition that was taken over": (
        Detail(definition="6c8e", adopted_by="ada"),
        '{"definition": "6c8e", "adopted_by": "ada"}',
    ),
    "a person, rows and a definition": (
        Detail(by="ada", of=3, definition="6c8e"),
        '{"by": "ada", "of": 3, "definition": "6c8e"}',
    ),
}
QUESTIONS = {
    "nothing": (PauseDetail(), ""),
    "a form": (
        PauseDetail(schema=({"name": "amount", "field_type": "int", "value": None},)),
        '{"schema":[{"name":"amount","field_type":"int","value":null}]}',
    ),
    "an empty form": (PauseDetail(schema=()), '{"schema":[]}'),
    "choices": (PauseDetail(choices=("é", "a"), multiple=False), '{"choices":["\\u00e9","a"],"multiple":false}'),
    "rejected outputs": (PauseDetail(retry_count=0, max_retries=3), '{"retry_count":0,"max_retries":3}'),
    "iterations": (PauseDetail(iteration=1, max_iterations=3), '{"iteration":1,"max_iterations":3}'),
}
UNKNOWN = [
    '{"salary": 3}',
    '{"by": "ada", "proxy": {"of": ["bob", null]}}',
    '{"by": 7}',
    '{"success": true}',
    '{"success": false}',
    '{"error": null}',
    '{"choices": []}',
    '{"choices": ["a", 1]}',
    '{"of": null}',
    '{"success": false, "error": 5}',
    '{"retry_count": true}',
]


@pytest.mark.parametrize(("detail", "text"), ROWS.values(), ids=ROWS)
def test_a_row_says_the_same_text(detail, text):
    """Each family of particulars has its literal text, to the order of its names and the escaping of its letters."""
    assert detail_text(detail) == text
    assert detail_of(text) == detail


@pytest.mark.parametrize(("detail", "text"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_says_the_same_text(detail, text):
    """Each family of what a person is shown has its literal text."""
    assert pause_text(detail) == text
    assert pause_detail(text) == detail


def test_remembered_texts_are_those_of_their_records():
    """The texts that each run says again are what their records say."""
    assert (of_text(7), definition_text("ab")) == (detail_text(Detail(of=7)), detail_text(Detail(definition="ab")))


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_known_is_kept(text):
    """An unknown name, or a value that is not of its kind, comes back as it was stored."""
    assert detail_text(detail_of(text)) == text


@pytest.mark.parametrize("text", ['{"urgency":2}', '{"schema":[1]}', '{"multiple":null}', '{"retry_count":0,"until":[1]}'])
def test_what_is_not_known_of_a_question_is_kept(text):
    """The same holds for questions."""
    assert pause_text(pause_detail(text)) == text


def test_a_history_tells_of_a_failure_what_is_not_known():
    """The failures of a component have every name of the row, also one of another release."""
    detail = '{"error": "busy", "error_type": "OSError", "retry_count": 1, "host": "a"}'
    row = Entry(1, "step", "a", (), 0, "running", "fail", "failed", 0, Body(detail))
    [visit] = History().extend([row]).visits.values()
    assert visit.failures == [{"error": "busy", "error_type": "OSError", "retry_count": 1, "host": "a", "attempt": 0}]


def golden_rows():
    """The particulars of rows that releases stored: of the golden store, the golden journals, and the first schema."""
    tables = json.loads((ROOT / "tests/seeds/same-bytes.json").read_text(encoding="utf-8"))
    place = tables["journal"]["columns"].index("detail")
    found = {row[place] for row in tables["journal"]["rows"]}
    traces = json.loads((ROOT / "specs/traces/0.1.json").read_text(encoding="utf-8"))
    found |= {row[9] for journal in traces["journals"].values() for row in journal["rows"]}
    return found | {detail for (detail,) in old_store("SELECT detail FROM journal")}


def golden_questions():
    """What releases stored of questions; those of a failure repeat the text of its row."""
    tables = json.loads((ROOT / "tests/seeds/same-bytes.json").read_text(encoding="utf-8"))
    kind, place = (tables["pause"]["columns"].index(name) for name in ("kind", "detail"))
    found = {(row[kind], row[place]) for row in tables["pause"]["rows"]}
    return found | set(old_store("SELECT kind, detail FROM pause"))


def old_store(query):
    """What a store of the first schema answers."""
    db = sqlite3.connect(":memory:")
    db.executescript((ROOT / "tests/seeds/store-1.sql").read_text(encoding="utf-8"))
    rows = db.execute(query).fetchall()
    db.close()
    return rows


def test_golden_rows_come_back_to_the_byte():
    """Every row of a release is read with no name left over, and written as it was."""
    texts = golden_rows()
    seen = {name for text in texts for name in detail_of(text).plain()}
    assert {"by", "error", "choices", "of", "definition"} <= seen
    assert all(detail_text(detail_of(text)) == text and not detail_of(text).more for text in texts)


def test_golden_questions_come_back_to_the_byte():
    """Every question of a release is read with no name left over, and written as it was."""
    failed = {text for kind, text in golden_questions() if kind in ("error", "interrupted")}
    others = {text for kind, text in golden_questions()} - failed
    assert failed
    assert all(detail_of(text).error == pause_detail(text).error for text in failed)
    assert all(
        text in (pause_text(pause_detail(text)), detail_text(detail_of(text))) for text in failed
    )  # as an older release wrote it
    assert all(pause_text(pause_detail(text)) == text for text in others)
    assert not any(pause_detail(text).more for text in failed | others)


texts, counts = st.none() | st.text(), st.none() | st.integers(0)
rows = st.recursive(st.none() | st.integers(1), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5)
told = st.none() | st.dictionaries(st.text(), st.text())
plain = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
more = st.dictionaries(st.text().map("x-{}".format), plain)
deaths = st.none() | st.sampled_from(["alone", "beside"])
details = st.builds(
    Detail, st.booleans(), texts, texts, counts, texts, texts, st.lists(st.text()).map(tuple), rows, *[texts] * 6, deaths, told, *[texts] * 3,
    counts, texts, told, more
)  # fmt: skip
named = st.none() | st.lists(st.text()).map(tuple)
forms = st.none() | st.lists(st.dictionaries(st.text().map("f-{}".format), plain)).map(tuple)
questions = st.builds(
    PauseDetail, texts, texts, forms, named, st.none() | st.booleans(), counts, counts, counts, counts, told,
    texts, texts, st.none() | st.lists(plain).map(tuple), named, st.none() | st.dictionaries(st.text(), plain), more
)  # fmt: skip


@given(details)
def test_what_a_row_says_comes_back(detail):
    """A record is read back from its text equal, its text is plain JSON, and has every letter in ASCII."""
    text = detail_text(detail)
    assert detail_of(text) == detail
    assert text.isascii()
    assert detail.plain() == (json.loads(text) if text else {})


@given(questions)
def test_what_a_question_says_comes_back(detail):
    """The same holds for what a person is shown."""
    assert pause_detail(pause_text(detail)) == detail
