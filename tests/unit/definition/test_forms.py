"""Forms (FORM-1, FORM-2): every type of field, the same answer from a program, a page and a shell, and forms as JSON Schema both ways."""

from __future__ import annotations

import base64
import dataclasses
import json
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

import jsonschema
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statecore import DefinitionError, Inbox, InMemoryDb, InvalidInput, SqliteDb, Step, UserInputField, Workflow
from statecore.asking.text import typed
from statecore.cli.main import main
from statecore.codec import decode, encode
from statecore.definition.forms import HIDDEN, TYPES, Secret, checked, hidden
from statecore.definition.schemas import as_form, json_schema
from tests.unit.definition.doors import DOORS, give

NOON = datetime(2026, 12, 24, 12, tzinfo=UTC)
FIELDS = {
    "str": (UserInputField("f", max_length=5), "ada", "too long"),
    "text": (UserInputField("f", "text", min_length=2), "two\nlines", "x"),
    "int": (UserInputField("f", "int", minimum=1, maximum=9), 3, 10),
    "float": (UserInputField("f", "float", minimum=0.5), 1.5, 0.25),
    "decimal": (UserInputField("f", "decimal", maximum=Decimal("9.99")), Decimal("1.10"), Decimal(10)),
    "bool": (UserInputField("f", "bool"), True, 1),
    "date": (UserInputField("f", "date", minimum=date(2026, 1, 1)), date(2026, 12, 24), date(2025, 1, 1)),
    "datetime": (UserInputField("f", "datetime", maximum=NOON), NOON, datetime(2027, 1, 1, tzinfo=UTC)),
    "email": (UserInputField("f", "email"), "ada@example.org", "ada at home"),
    "list": (UserInputField("f", "list", allowed_values=["a", "b"]), ["b", "a"], ["a", "c"]),
    "dict": (UserInputField("f", "dict"), {"a": 1}, ["a"]),
    "file": (UserInputField("f", "file", max_length=4), b"\x00\x01", b"too long"),
}
TEXTS = {
    "decimal": "1.10",
    "date": "2026-12-24",
    "datetime": "2026-12-24T12:00:00+00:00",
    "file": base64.b64encode(b"\x00\x01").decode(),
}
"""The spelling of the right value as text, where it has one."""


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize("kind", sorted(TYPES))
def test_each_type_takes_its_values_and_refuses_others(kind):
    """A right value comes back as it was given, a wrong one is refused with the name of the field and without the value."""
    field, right, wrong = FIELDS[kind]
    assert checked("pay", [field], {"f": right}) == {"f": right}
    with pytest.raises(InvalidInput) as refused:
        checked("pay", [field], {"f": wrong})
    assert "f must" in str(refused.value)
    assert str(wrong) not in str(refused.value) or len(str(wrong)) < 3


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize("given", [float("nan"), float("inf"), "NaN", "1,5", "", True, [1]])
def test_a_decimal_is_a_finite_number(given):
    """A decimal field takes no text and no number that is not a finite decimal; of a float it takes the digits that Python prints."""
    with pytest.raises(InvalidInput):
        checked("pay", [UserInputField("f", "decimal")], {"f": given})
    assert checked("pay", [UserInputField("f", "decimal")], {"f": 0.1}) == {"f": Decimal("0.1")}


@pytest.mark.parametrize("kind", sorted(TEXTS))
def test_a_page_and_a_shell_give_the_same_as_a_program(kind):
    """Where a type has a spelling as text, the text gives the same value, by JSON and by NAME=VALUE."""
    field, right, _ = FIELDS[kind]
    assert checked("pay", [field], {"f": json.loads(json.dumps(TEXTS[kind]))}) == {"f": right}
    assert checked("pay", [field], {"f": typed(field, TEXTS[kind])}) == {"f": right}


@pytest.mark.spec("FORM-2")
@pytest.mark.parametrize(
    ("text", "value"), [("y", True), ("Yes", True), ("TRUE", True), ("n", False), ("no", False), ("false", False), ("1", "1")]
)
def test_a_bool_is_written_as_a_person_writes_it(text, value):
    """A shell reads y, yes, true, n, no and false in any case; other words stay texts, which the form refuses."""
    assert typed(UserInputField("f", "bool"), text) == value


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize("kind", ["str", "text", "email"])
@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_a_required_text_is_not_empty(kind, empty):
    """A required text of spaces alone is not an answer; where the field may be left out it is one."""
    with pytest.raises(InvalidInput, match="f is required"):
        checked("pay", [UserInputField("f", kind)], {"f": empty})
    if kind != "email":
        assert checked("pay", [UserInputField("f", kind, required=False)], {"f": empty}) == {"f": empty}


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize(
    ("bound", "value"), [("minimum", 1), ("maximum", 1), ("min_length", 1), ("max_length", 1), ("pattern", "a"), ("secret", True)]
)
def test_a_bound_fits_its_type_or_is_refused(kind, bound, value):
    """A bound that can have no effect on a type is refused where it is written (GATE-1); each that is taken refuses a value."""
    if bound in {"minimum", "maximum"} and kind in {"date", "datetime"}:
        value = NOON.date() if kind == "date" else NOON
    ranged, long = {"int", "float", "decimal", "date", "datetime"}, {"str", "text", "email", "list", "file"}
    written = {"str", "text", "email"}
    fitting = {"minimum": ranged, "maximum": ranged, "min_length": long, "max_length": long, "pattern": written, "secret": {"str"}}
    if kind not in fitting[bound]:
        with pytest.raises(DefinitionError):
            UserInputField("f", kind, **{bound: value})
        return
    field = UserInputField("f", kind, **{bound: value})
    assert UserInputField.from_dict(json.loads(json.dumps(field.to_dict()))).to_dict() == field.to_dict()


@pytest.mark.parametrize(
    "given",
    [
        {"field_type": "int", "minimum": "low"},
        {"field_type": "int", "minimum": True},
        {"pattern": "("},
        {"min_length": -1},
        {"min_length": "1"},
        {"required": "yes"},
        {"secret": True, "value": "abc"},
        {"secret": True, "allowed_values": ["abc"]},
        {"field_type": ["str"]},
    ],
)
def test_a_setting_that_is_none_is_refused(given):
    """A bound of another type, a pattern that is none, a flag that is no bool, and a secret that would be shown are refused."""
    with pytest.raises(DefinitionError):
        UserInputField("f", **given)


def test_older_forms_are_stored_as_they_were():
    """A field without the newer settings has the plain data of older releases, and none is added."""
    assert UserInputField("f", "int", value=3).to_dict() == {
        "name": "f",
        "field_type": "int",
        "description": None,
        "value": 3,
        "required": True,
        "allowed_values": None,
    }


# -- JSON Schema -------------------------------------------------------------------------------------------------------------------


def form_of(given):
    """A form, which is there."""
    form = as_form(given)
    assert form is not None
    return form


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-20, 20), st.sampled_from(["", "a", "bb", "ccc", "2026-12-24", "ada@example.org", "1.5"]),
    st.floats(-4, 4), st.lists(st.sampled_from(["a", "bb", "x"]), max_size=3), st.dictionaries(st.sampled_from(["a", "b"]), st.integers()),
)  # fmt: skip


@st.composite
def fields(draw):
    """A field of any type that JSON has, with bounds or choices."""
    kind = draw(st.sampled_from(["str", "text", "int", "float", "decimal", "bool", "date", "email", "list", "dict"]))
    given = {}
    if kind in {"int", "float", "decimal"} and draw(st.booleans()):
        given["minimum" if draw(st.booleans()) else "maximum"] = draw(st.integers(-5, 5))
    if kind in {"str", "text", "email", "list"} and draw(st.booleans()):
        given["min_length" if draw(st.booleans()) else "max_length"] = draw(st.integers(0, 3))
    if kind in {"str", "text"} and draw(st.booleans()):
        given["pattern"] = draw(st.sampled_from(["^a", "b+", "[0-9]"]))
    if kind in {"str", "list"} and draw(st.booleans()):
        given["allowed_values"] = ["a", "bb"]
    return UserInputField("f", kind, required=draw(st.booleans()), **given)


def takes(form, values):
    """Whether a form takes values."""
    try:
        checked("pay", form, values)
    except InvalidInput:
        return False
    return True


def is_allowed(form, values):
    """Whether the JSON Schema of a form allows values, by a library of its own."""
    judge = jsonschema.Draft202012Validator(json_schema(form), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    return judge.is_valid(values)


@pytest.mark.spec("FORM-1")
@given(field=fields(), value=PLAIN)
def test_a_form_takes_what_its_schema_allows(field, value):
    """For any field and any JSON value form and JSON Schema agree, but for what no schema knows: spaces, whole floats, decimals as text."""
    if value is None or (field.field_type == "int" and isinstance(value, float)):
        return
    if isinstance(value, str) and (field.field_type == "decimal" or (field.field_type == "email" and not value)):
        return
    assert takes([field], {"f": value}) == is_allowed([field], {"f": value})


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize("kind", sorted(TYPES))
def test_each_schema_is_one_and_comes_back(kind):
    """The schema of each type, with its bounds, is a valid JSON Schema, and a form read from it has the same schema."""
    field, _, _ = FIELDS[kind]
    schema = json.loads(json.dumps(json_schema([field])))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json_schema(form_of(schema)) == schema


@pytest.mark.spec("FORM-1")
@given(field=fields())
def test_a_form_survives_its_schema(field):
    """A form read from its own JSON Schema has the same schema."""
    assert json_schema(form_of(json_schema([field]))) == json_schema([field])


def test_agreement_meets_both_verdicts():
    """The property above meets values that are taken and values that are refused, of each type."""
    met = set()
    for kind, (field, right, wrong) in FIELDS.items():
        if kind in {"str", "text", "int", "float", "bool", "email", "list", "dict"}:
            met |= {(kind, is_allowed([field], {"f": right})), (kind, is_allowed([field], {"f": wrong}))}
    assert len(met) == 16


class Colour(Enum):
    """A choice."""

    red = "red"
    blue = "blue"


class Payment(pydantic.BaseModel):
    """A form as a pydantic model, with a rule over two fields."""

    amount: Decimal = pydantic.Field(ge=1, description="in euros")
    payee: str = pydantic.Field(min_length=2, max_length=20)
    on: date | None = None
    colour: Colour = Colour.red
    token: pydantic.SecretStr | None = None

    @pydantic.model_validator(mode="after")
    def agreed(self) -> Payment:
        """A payee that is not the bank."""
        if self.payee == "the bank" and self.amount > 10:
            message = "that payee gets less"
            raise ValueError(message)
        return self


@dataclasses.dataclass
class Booking:
    """A form as a dataclass."""

    seats: int
    when: datetime
    colour: Colour
    meal: Literal["fish", "soup"] = "soup"
    note: str | None = None


@pytest.mark.spec("FORM-1")
def test_a_class_gives_the_fields():
    """A pydantic model and a dataclass become fields: types, bounds, choices, defaults, and which may be left out."""
    assert {each.name: (each.field_type, each.required) for each in form_of(Payment)} == {
        "amount": ("decimal", True),
        "payee": ("str", True),
        "on": ("date", False),
        "colour": ("str", False),
        "token": ("str", False),
    }
    assert [each.name for each in form_of(Payment) if each.secret] == ["token"]
    assert {each.name: (each.field_type, each.required, each.allowed_values) for each in form_of(Booking)} == {
        "seats": ("int", True, None),
        "when": ("datetime", True, None),
        "colour": ("str", True, ["red", "blue"]),
        "meal": ("str", False, ["fish", "soup"]),
        "note": ("str", False, None),
    }


def asking(schema, seen, db):
    """A workflow whose step notes what it is given."""

    def pay(step_input):
        seen.append(step_input.additional_data["user_input"])
        return "paid"

    return Workflow("paying", [Step("pay", pay, requires_user_input=True, user_input_schema=schema)], db=db)


@pytest.mark.spec("FORM-1")
def test_the_step_gets_the_model():
    """The step gets an instance of the class that the form was made from, with its types."""
    seen: list = []
    flow = asking(Payment, seen, InMemoryDb())
    run = flow.run()
    run.steps_requiring_user_input[0].set_user_input(amount="12.50", payee="ada", on="2026-12-24", token="t0p")  # noqa: S106
    assert flow.continue_run(run).status == "COMPLETED"
    assert seen == [Payment(amount=Decimal("12.50"), payee="ada", on=date(2026, 12, 24), token=pydantic.SecretStr("t0p"))]
    seen.clear()
    flow = asking(Booking, seen, InMemoryDb())
    run = flow.run()
    run.steps_requiring_user_input[0].set_user_input(seats=2, when=NOON.isoformat(), colour="blue")
    flow.continue_run(run)
    assert seen == [Booking(2, NOON, Colour.blue)]


@pytest.mark.spec("FORM-1")
def test_the_whole_of_a_form_is_judged_by_its_class():
    """Where the process has the class, values that do not fit together are refused, nothing is stored, and no value is echoed."""
    seen: list = []
    flow = asking(Payment, seen, InMemoryDb())
    run = flow.run()
    run.steps_requiring_user_input[0].set_user_input(amount=4_321, payee="the bank")
    with pytest.raises(InvalidInput, match="that payee gets less") as refused:
        flow.continue_run(run)
    assert "4321" not in str(refused.value)
    again = flow.get_run_output(run.run_id)
    assert (again.status, seen) == ("PAUSED", [])
    again.steps_requiring_user_input[0].set_user_input(amount=4, payee="the bank")
    assert flow.continue_run(again).status == "COMPLETED"


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize("door", DOORS)
def test_each_door_of_a_process_with_the_class_lets_it_judge(door):
    """Values that the class refuses are stored by no door of a workflow; a process without the class stores them, and the step fails."""
    seen: list = []
    db = InMemoryDb()
    flow = asking(Payment, seen, db)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    values = {"amount": 4_321, "payee": "the bank"}
    if door != "another process":
        with pytest.raises(InvalidInput, match="that payee gets less"):
            give(door, flow, run, values)
        assert flow.decide(run.run_id, asked.pause_id, "input", value={"amount": 1, "payee": "ada"}).decision == "input"
        return
    give(door, flow, run, values)
    with pytest.raises(InvalidInput, match="that payee gets less"):
        flow.continue_run(run_id=run.run_id)
    assert (flow.get_run_output(run.run_id).status, seen) == ("ERROR", [])


class Login(pydantic.BaseModel):
    """A form that refuses each token, and repeats it."""

    token: pydantic.SecretStr

    @pydantic.field_validator("token")
    @classmethod
    def known(cls, token):
        """Refuse it."""
        message = f"{token.get_secret_value()} is unknown"
        raise ValueError(message)


def test_a_refusal_by_a_class_repeats_no_secret(caplog):
    """A class that repeats a secret in its refusal is quoted without it: in the error, the log, the journal and the run, at each door."""
    db, seen = InMemoryDb(), list[object]()
    flow = asking(Login, seen, db)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    said = []
    with pytest.raises(InvalidInput) as refused:
        flow.decide(run.run_id, asked.pause_id, "input", value={"token": "s3cr3t!"})
    said += [str(refused.value), repr(refused.value)]
    Inbox(db).decide(run.run_id, asked.pause_id, "input", value={"token": "s3cr3t!"})
    with pytest.raises(InvalidInput) as failed:
        flow.continue_run(run_id=run.run_id)
    said += ["".join(traceback.format_exception(failed.value)), caplog.text, str(flow.get_run_output(run.run_id).to_dict())]
    said += [str(each.body.detail) for each in db.journal(run.run_id)]
    assert [each for each in said if "s3cr3t" in each] == []
    assert "token: it was refused" in str(refused.value)


@dataclasses.dataclass
class Bag:
    """A form with lists, and one with a type that no field has."""

    tags: list = dataclasses.field(default_factory=list)


class Address(pydantic.BaseModel):
    """A part of a form."""

    street: str


class Letter(pydantic.BaseModel):
    """A form with a part, which is an object of its own."""

    to: Address
    copies: int = pydantic.Field(1, description="how many")


@pytest.mark.spec("FORM-1")
def test_parts_and_defaults_of_a_class_come_along():
    """A list that may be left out is empty; a part of a model is an object; descriptions and defaults are in the schema of the answer."""
    assert checked("pay", as_form(Bag), {}) == {"tags": []}
    fields = {each.name: (each.field_type, each.value) for each in form_of(Letter)}
    assert fields == {"to": ("dict", None), "copies": ("int", 1)}
    copies = json_schema(form_of(Letter))["properties"]["copies"]
    assert copies == {"type": "integer", "description": "how many", "default": 1}
    assert json_schema([UserInputField("token", secret=True)])["properties"]["token"]["writeOnly"] is True
    seen: list = []
    flow = asking(Letter, seen, InMemoryDb())
    run = flow.run()
    run.steps_requiring_user_input[0].set_user_input(to={"street": "Main Street"})
    flow.continue_run(run)
    assert seen == [Letter(to=Address(street="Main Street"), copies=1)]


def test_an_attribute_of_no_type_of_a_form_is_refused():
    """A dataclass with an attribute that no field can hold is refused with the types that can."""
    odd = dataclasses.make_dataclass("Odd", [("seats", set)])
    with pytest.raises(DefinitionError, match="seats: no field of a form has the type 'set'; known are str, Secret, int"):
        as_form(odd)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        (UserInputField("f", "file"), "no base64!", "the content of a file"),
        (UserInputField("f", "datetime", minimum=NOON), "2026-12-24T18:00", "must have a time zone"),
        (
            UserInputField("f", "datetime", minimum=NOON.replace(tzinfo=None)),
            NOON,
            "must have a time zone, as its bound has, or none",
        ),
    ],
)
def test_a_text_that_is_no_file_and_an_instant_without_a_zone_are_refused(field, value, why):
    """A file is base64, and an instant has a zone exactly where its bound has one."""
    with pytest.raises(InvalidInput, match=why):
        checked("pay", [field], {"f": value})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"type": "string", "format": "ipv4"}}},
        {"type": "object", "properties": {"a": {"type": "integer", "multipleOf": 3}}},
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "minProperties": 1},
        {"type": "array"},
        int,
    ],
)
def test_a_schema_is_never_taken_by_half(schema):
    """A JSON Schema with a keyword that no field keeps is refused when the step is made; so is a class that is no form."""
    with pytest.raises(DefinitionError):
        Step("pay", print, requires_user_input=True, user_input_schema=schema)


# -- secrets -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("FORM-2")
def test_a_secret_is_seen_by_its_step_alone(tmp_path):
    """The step reveals a secret; requirements, outputs, events and errors print it nowhere, from the same store as well."""
    seen: list = []
    said: list[str] = []
    flow = asking([UserInputField("token", secret=True, min_length=6)], seen, SqliteDb(tmp_path / "runs.db"))
    run = flow.run()
    asked = run.steps_requiring_user_input[0]
    with pytest.raises(InvalidInput) as refused:
        asked.set_user_input(token="s3cr3")  # noqa: S106
    said.append(str(refused.value))
    asked.set_user_input(token="s3cr3t!", by="ada")  # noqa: S106
    said += [repr(asked), str(asked.to_dict())]
    run = flow.continue_run(run)
    stored = flow.get_run_output(run.run_id)
    said += [repr(run), str(run.to_dict()), repr(stored), str(stored.to_dict()), str(stored.step_results)]
    said += [str(event.to_dict()) for event in stored.events or ()]
    assert [each for each in said if "s3cr3" in each] == []
    assert seen == [{"token": Secret("s3cr3t!")}]
    assert seen[0]["token"].reveal() == "s3cr3t!"


@pytest.mark.spec("FORM-2")
def test_a_command_prints_no_secret(tmp_path, capsys):
    """`show`, as text and as JSON, prints a decided secret as hidden."""
    db = SqliteDb(tmp_path / "runs.db")
    flow = asking([UserInputField("token", secret=True)], [], db)
    run = flow.run(run_id="r")
    flow.decide("r", run.requirements[0].pause_id, "input", value={"token": "s3cr3t!"}, by="ada")
    db.close()
    for more in ([], ["--json"]):
        assert main(["show", "r", "--db", str(tmp_path / "runs.db"), *more]) == 0
    out = capsys.readouterr().out
    assert "s3cr3t" not in out
    assert HIDDEN in out
    assert hidden([{"a": (Secret("x"), 1)}]) == [{"a": [HIDDEN, 1]}]


def test_a_secret_is_a_value():
    """A secret is equal to one of the same text, has its hash, and is stored and read as what it is."""
    assert decode(encode({"a": Secret("x")})) == {"a": Secret("x")}
    assert len({Secret("x"), Secret("x"), Secret("y"), "x"}) == 3
    assert f"{Secret('x')} {Secret('x')!r}" == "(hidden) (hidden)"
