"""The description of the API: what it says is true of the answers, it is committed, and it only ever gains."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from specs.tools.openapi import PAGE
from statecore import InMemoryDb
from statecore.client import reading, shapes
from statecore.inbox.openapi import description, removals
from tests.inbox.flows import broken, payout
from tests.inbox.test_api import ID, URL, client

COMMITTED: dict[str, Any] = json.loads(PAGE.read_text(encoding="utf-8"))


@pytest.mark.spec("API-3")
def test_the_committed_description_is_the_one_of_the_classes():
    """The committed file is what the classes and addresses say now; where it is not, `python -m specs.tools.openapi` writes it."""
    assert removals(COMMITTED, description()) == []
    assert json.loads(json.dumps(description())) == COMMITTED


def fits(name, document):
    """Raise where a document is not of its schema."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": COMMITTED["components"]}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(document)


@pytest.mark.spec("API-2", "API-3")
def test_the_answers_are_what_the_description_says():
    """Each document of a run that is asked, decided, failed and listed fits its schema, and so does a refusal."""
    db = InMemoryDb()
    payout(db).run("ACME", run_id="run-1", user_id="ada")
    broken(db).run("x", run_id="run-2")
    http = client(db)
    shown = http.get(URL).json()
    fits("Question", shown)
    fits("Stored", http.post(f"{URL}/decision", json={"word": "confirm", "seen": shown["seen"]}).json())
    fits("Question", http.get(URL).json())
    for name, address in (
        ("Questions", "questions"),
        ("Runs", "runs"),
        ("Run", "runs/run-1"),
        ("Run", "runs/run-2"),
        ("Journal", "runs/run-1/journal"),
    ):
        fits(name, http.get(f"/api/v1/{address}").json())
    [other] = http.get("/api/v1/questions").json()["items"]
    fits("Question", http.get(f"/api/v1/{other['href']}").json())
    fits("Cancelled", http.post("/api/v1/runs/run-2/cancellation").json())
    fits("Problem", http.get("/api/v1/nothing").json())
    assert shown["question_id"] == ID


def changed(way, change):
    """A description that was changed at one place."""
    new = copy.deepcopy(COMMITTED)
    place = new
    for name in way:
        place = place[name]
    change(place)
    return new


SCHEMAS = ("components", "schemas")
STATE = (*SCHEMAS, "Item", "properties", "state")
LIST = ("paths", "/questions", "get")


@pytest.mark.spec("API-3")
@pytest.mark.parametrize(
    ("way", "change", "found"),
    [
        ((*SCHEMAS, "Item", "properties"), lambda it: it.pop("title"), "/components/schemas/Item/properties/title"),
        ((*SCHEMAS, "Item", "required"), lambda it: it.remove("title"), "/components/schemas/Item/required: title"),
        (
            (*SCHEMAS, "Item", "properties", "title"),
            lambda it: it.update(type="integer"),
            "/components/schemas/Item/properties/title/type",
        ),
        ((*SCHEMAS, "Votes"), lambda it: it.update(type="array"), "/components/schemas/Votes/type"),
        (SCHEMAS, lambda it: it.pop("Votes"), "/components/schemas/Votes"),
        (
            (*STATE, "x-extensible-enum"),
            lambda it: it.remove("open"),
            "/components/schemas/Item/properties/state/x-extensible-enum: open",
        ),
        (("paths",), lambda it: it.pop("/runs"), "/paths//runs"),
        ((*LIST, "parameters"), lambda it: it.pop(0), "/paths//questions/get/parameters/query:asked_before"),
        (
            (*LIST, "parameters"),
            lambda it: it.append({"name": "new", "in": "query", "required": True, "schema": {}}),
            "/paths//questions/get/parameters/query:new: required",
        ),
        ((*LIST, "responses"), lambda it: it.pop("200"), "/paths//questions/get/responses/200"),
    ],
)
def test_a_change_that_is_no_addition_is_found(way, change, found):
    """A field, a word, an address or a parameter that is gone or changed is named, and so is a new demand."""
    assert found in removals(COMMITTED, changed(way, change))


@pytest.mark.spec("API-3")
@pytest.mark.parametrize(
    ("way", "change"),
    [
        ((*SCHEMAS, "Item", "properties"), lambda it: it.update(new={"type": "string"})),
        ((*SCHEMAS, "Item", "required"), lambda it: it.append("new")),
        ((*STATE, "x-extensible-enum"), lambda it: it.append("new")),
        (SCHEMAS, lambda it: it.update(New={"type": "object"})),
        (("paths",), lambda it: it.update({"/new": {}})),
        ((*LIST, "parameters"), lambda it: it.append({"name": "new", "in": "query", "schema": {}})),
        (LIST, lambda it: it.update(summary="other words")),
    ],
)
def test_an_addition_is_free(way, change):
    """A field, a word, an address and a parameter may come, and words may be worded anew."""
    assert removals(COMMITTED, changed(way, change)) == []


@pytest.mark.spec("API-3")
def test_a_client_ignores_what_it_does_not_know():
    """A document with a new field, a new word and a new kind is read; the rest of it is as it was."""
    db = InMemoryDb()
    payout(db).run("ACME", run_id="run-1")
    told = client(db).get(URL).json()
    later = {**told, "colour": "red", "kind": "vote", "state": "asleep", "shown": [{**each, "colour": 1} for each in told["shown"]]}
    found = reading.read(shapes.QuestionDocument, later)
    assert (found.kind, found.state, found.shown[0].value.plain) == ("vote", "asleep", {"amount": "4200.00", "who": "ACME"})
    assert reading.plain(reading.read(shapes.QuestionDocument, told)) == told
