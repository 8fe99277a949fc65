"""What people are shown lies in the program as data, and decides nothing: no fingerprint and no stored byte knows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import evolve

from statecore import InMemoryDb, Loop, Router, Step, Workflow
from statecore.core import BEGINNING, START, Compiled, Event, advance, stored_program
from statecore.core.program import assemble
from statecore.stores import PauseFilter

FIELD = {"name": "amount", "field_type": "int"}
WHOLE = {"name": "amount", "field_type": "int", "description": None, "value": None, "required": True, "allowed_values": None}
GOLDEN = Path(__file__).parents[2] / "seeds" / "same-bytes.json"


def leaf(name):
    """A step that does nothing."""
    return Step(name, lambda _: 1)


def asking(schema=(FIELD,), *, several=True, db=None):
    """A workflow with a form and a route."""
    first = Step("ask", lambda _: 1, requires_user_input=True, user_input_schema=schema)
    way = Router("way", [leaf("a"), leaf("b")], requires_user_input=True, allow_multiple_selections=several)
    return Workflow("forms", [first, way], db)


def test_a_node_has_its_form():
    """A form is a tuple of plain fields, written out; a component without one has None; a Router says whether several may be chosen."""
    nodes = asking().compiled.program.nodes
    assert (nodes["ask"].form, nodes["way"].form, nodes["way"].multiple, nodes["ask"].multiple) == ((WHOLE,), None, True, False)


def test_no_fingerprint_knows_a_form():
    """The fingerprint is the one of the release before, and another form, or another kind of choice, has the same."""
    expected = "46d6ce16a68691958a20d1dbf85c032fe1556aed7ca7f8ed1844f422dcd187f1"
    programs = [each.compiled.program for each in (asking(), asking(None), asking(several=False))]
    assert [each.fingerprint for each in programs] == [expected] * 3
    assert len({each.canonical for each in programs}) == 1


def test_golden_definitions_keep_their_fingerprints():
    """A stored definition of a release is read, and written with the same form and fingerprint; it has no forms."""
    table = json.loads(GOLDEN.read_text(encoding="utf-8"))["definition"]
    found = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    assert found
    for each in found:
        program = stored_program(each["canonical"])
        assert (program.canonical, program.fingerprint) == (each["canonical"], each["fingerprint"])
        nodes = program.nodes
        assert (
            assemble(program.name, {at: evolve(nodes[at], form=(), multiple=True) for at in nodes}, program.first).canonical
            == (each["canonical"])
        )
        assert {(node.form, node.multiple) for node in nodes.values()} == {(None, None)}


def test_a_question_is_put_without_the_users_code():
    """A run whose program has its forms and no components asks with the same text as one with them."""
    stored = []
    for bare in (False, True):
        db = InMemoryDb()
        workflow = asking(db=db)
        if bare:
            workflow.compiled = Compiled(workflow.compiled.program, {})
        run = workflow.run(run_id="r")
        run.requirements[0].set_user_input(amount=3)
        details = [row.pause.detail for row in db.pauses(PauseFilter(run_id="r"))]
        stored.append(details)
    assert stored[0] == stored[1] == [f'{{"schema":[{json.dumps(WHOLE, separators=(",", ":"))}]}}']


def test_each_kind_of_question_is_stored_as_ever():
    """A form, a route, a review of an output and one of an iteration have the texts that the release before stored."""
    steps: list[Any] = [
        Step("ask", lambda _: 1, requires_user_input=True, user_input_schema=[FIELD]),
        Router("way", [leaf("é"), leaf("b")], requires_user_input=True, allow_multiple_selections=True),
        Step("draft", lambda _: 1, requires_output_review=True, on_reject="retry"),
        Loop("round", [leaf("c")], requires_iteration_review=True, max_iterations=3),
    ]
    db = InMemoryDb()
    workflow = Workflow("kinds", steps, db)
    run = workflow.run(run_id="r")
    for answer in ({"amount": 3}, ["b"]):
        workflow.decide("r", run.requirements[0].pause_id, "input" if isinstance(answer, dict) else "select", value=answer)
        run = workflow.continue_run(run_id="r")
    workflow.decide("r", run.requirements[0].pause_id, "reject", value="again")
    for _ in range(2):
        run = workflow.continue_run(run_id="r")
        workflow.decide("r", run.requirements[0].pause_id, "confirm")
    pauses = [db.pause("r", each.pause_id) for each in db.decisions("r")]
    assert [row.pause.detail for row in pauses if row is not None] == [
        f'{{"schema":[{json.dumps(WHOLE, separators=(",", ":"))}]}}',
        '{"choices":["\\u00e9","b"],"multiple":true}',
        '{"retry_count":0,"max_retries":3}',
        '{"retry_count":1,"max_retries":3}',
        '{"iteration":1,"max_iterations":3}',
    ]


def test_no_row_asks_who_decided():
    """The reducer answers the same whoever decided; `recall` remembers its answers without the name, and relies on that."""
    program = Workflow("gate", [Step("pay", lambda _: 1, requires_confirmation=True)]).compiled.program
    paused = advance(program, BEGINNING, START).state
    said = {advance(program, paused, Event("confirm", "pay", by=by)) for by in (None, "ada", "bob")}
    assert len(said) == 1
