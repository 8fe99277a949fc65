"""What people are shown of a definition travels as the same text as ever, and makes the program whole again without user code."""

from __future__ import annotations

from json import dumps, loads

from statecore import Router, Step, Workflow
from statecore.temporal.orders import program_of, sayings


def flow() -> Workflow:
    """A form, a route with a sentence, and a step with a label."""
    ask = Step("ask", lambda _: 1, requires_user_input=True, user_input_schema=[{"name": "amount", "field_type": "int"}])
    choices = [Step("a", lambda _: 1, step_id="the a"), Step("b", lambda _: 1)]
    way = Router("way", choices, requires_user_input=True, allow_multiple_selections=True, user_input_message="Which?")
    return Workflow("forms", [ask, way])


TEXT = (
    '{"ask":{"form":"[{\\"name\\":\\"amount\\",\\"field_type\\":\\"int\\",\\"description\\":null,\\"value\\":null,\\"required\\":true,'
    '\\"allowed_values\\":null}]"},"way":{"asks":{"route":"Which?"},"multiple":true},"way/a":{"label":"the a"}}'
)


def test_sayings_are_the_same_text() -> None:
    """A sentence, a form, a kind of choice and a label, each where there is one; and the name of the code, `module:qualname`."""
    said = loads(sayings(flow().compiled.program))
    code = {at: each.pop("code") for at, each in said.items() if "code" in each}
    assert dumps({at: each for at, each in said.items() if each}, separators=(",", ":")) == TEXT
    assert code == dict.fromkeys(("ask", "way/a", "way/b"), "tests.temporal.test_sayings:flow.<locals>.<lambda>")


def test_a_program_is_whole_without_user_code() -> None:
    """Every node has its form, its kind of choice and its label again, and the program has no component."""
    program = flow().compiled.program
    made = program_of(program.canonical, TEXT)
    shown = {at: (node.form, bool(node.multiple), node.label) for at, node in program.nodes.items()}
    assert {at: (node.form, node.multiple, node.label) for at, node in made.program.nodes.items()} == shown
    assert (made.program.fingerprint, dict(made.components)) == (program.fingerprint, {})
