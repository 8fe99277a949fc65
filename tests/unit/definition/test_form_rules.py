"""Forms as a whole (FORM-1, FORM-2): the check of all values, the types of the items of a list, dataclasses with bounds, and hostile answers."""

from __future__ import annotations

import dataclasses
import json
import traceback
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Literal

import jsonschema
import pytest

from statecore import DefinitionError, Inbox, InMemoryDb, InvalidInput, SqliteDb, Step, StepRequirement, UserInputField, Workflow
from statecore.cli.main import main
from statecore.definition.forms import TYPES, Secret, checked
from statecore.definition.schemas import as_form, json_schema
from statecore.testing.paths import SOME, some
from tests.unit.definition.doors import DOORS, give

SPAN = [UserInputField("first", "int"), UserInputField("last", "int"), UserInputField("token", secret=True, required=False)]


def ordered(values):
    """The first number comes before the last one."""
    return None if values["first"] < values["last"] else "first must be below last"


def asking(check, seen, db=None, schema=SPAN, **settings):
    """A workflow whose step notes what it is given."""
    step = Step(
        "pay",
        lambda step_input: seen.append(step_input.additional_data["user_input"]),
        requires_user_input=True,
        user_input_schema=schema,
        user_input_check=check,
        **settings,
    )
    return Workflow("paying", [step], db=db or InMemoryDb())


# -- the check of the whole --------------------------------------------------------------------------------------------------------


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize("door", DOORS)
def test_each_door_lets_the_check_judge(door):
    """Values that the check refuses are stored by no door of the workflow; stored by a process without it, they fail the step."""
    seen: list = []
    db = InMemoryDb()
    flow = asking(ordered, seen, db)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    values = {"first": 9, "last": 3}
    if door == "another process":
        give(door, flow, run, values)
        with pytest.raises(InvalidInput, match="first must be below last"):
            flow.continue_run(run_id=run.run_id)
        assert (flow.get_run_output(run.run_id).status, seen) == ("ERROR", [])
        return
    with pytest.raises(InvalidInput, match="first must be below last"):
        give(door, flow, run, values)
    assert (flow.get_run_output(run.run_id).status, seen) == ("PAUSED", [])
    flow.decide(run.run_id, asked.pause_id, "input", value={"first": 3, "last": 9})
    assert flow.continue_run(run_id=run.run_id).status == "COMPLETED"
    assert seen == [{"first": 3, "last": 9, "token": None}]


def raising(error):
    """A check that raises."""

    def check(values):
        assert values
        raise error

    return check


async def later(_values):
    """A coroutine function, which a decision cannot wait for."""


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda _: False, "the values do not fit together"),
        (lambda _: 0, "gave a value of type int"),
        (lambda _: "", "paying"),
        (lambda _: {"first": "wrong"}, "gave a value of type dict"),
        (lambda _: later, "gave a value of type function"),
        (raising(ValueError("too far apart")), "too far apart"),
        (raising(TypeError("no numbers")), "no numbers"),
        (raising(KeyError("third")), "third"),
        (raising(RuntimeError("the check is broken")), "the check is broken"),
    ],
)
def test_whatever_a_check_does_but_agree_nothing_is_stored(check, said):
    """A check that says no, gives something else or raises keeps the gate closed: nothing is stored, and the question stays open."""
    seen: list = []
    flow = asking(check, seen)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    with pytest.raises(Exception, match=said if said != "paying" else "pay"):
        flow.decide(run.run_id, asked.pause_id, "input", value={"first": 1, "last": 2})
    again = flow.get_run_output(run.run_id)
    assert (again.status, again.requirements[0].is_resolved, seen) == ("PAUSED", False, [])


@pytest.mark.parametrize("check", [later, "first < last", 3, lambda: None, lambda a, b: a])
def test_a_check_that_cannot_be_called_is_refused(check):
    """A coroutine function, a text, and a function of no or two arguments are refused where they are written."""
    with pytest.raises(DefinitionError, match="user_input_check"):
        asking(check, [])


@pytest.mark.spec("FORM-2")
@pytest.mark.parametrize(
    "check",
    [
        lambda values: f"{values['token'].reveal()} is unknown",
        lambda values: raising(ValueError(values["token"].reveal() + "?"))(values),
        lambda values: f"{values['token']} is unknown",
    ],
)
def test_a_check_that_repeats_a_secret_is_quoted_without_it(check, caplog):
    """A reason that repeats a secret is left out: at the door, in the failure of the step, in the log, the journal and the run."""
    db = InMemoryDb()
    flow = asking(check, [], db)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    values = {"first": 1, "last": 2, "token": "s3cr3t!"}
    said = []
    with pytest.raises(InvalidInput) as refused:
        flow.decide(run.run_id, asked.pause_id, "input", value=values)
    Inbox(db).decide(run.run_id, asked.pause_id, "input", value=values)
    with pytest.raises(InvalidInput) as failed:
        flow.continue_run(run_id=run.run_id)
    said += [
        str(refused.value),
        "".join(traceback.format_exception(refused.value)),
        "".join(traceback.format_exception(failed.value)),
    ]
    said += [
        caplog.text,
        str(flow.get_run_output(run.run_id).to_dict()),
        *(str(each.body.detail) for each in db.journal(run.run_id)),
    ]
    assert [each for each in said if "s3cr3t" in each] == []


# -- items, dataclasses ------------------------------------------------------------------------------------------------------------


@pytest.mark.spec("FORM-1")
@pytest.mark.parametrize(
    ("kind", "right", "wrong"), [("int", 3, "3"), ("email", "a@b", "ab"), ("date", "2026-12-24", "soon"), ("dict", {}, [])]
)
def test_items_of_a_list_have_a_type(kind, right, wrong):
    """A list takes items of its `item_type` alone, reads their spelling as text, and has the type in its JSON Schema."""
    field = UserInputField("f", "list", item_type=kind, max_length=2)
    [read] = checked("pay", [field], {"f": [right]})["f"]
    assert read == (date(2026, 12, 24) if kind == "date" else right)
    with pytest.raises(InvalidInput, match="each item of f must be") as refused:
        checked("pay", [field], {"f": [right, wrong]})
    assert not isinstance(wrong, str) or len(wrong) < 3 or wrong not in str(refused.value).replace("e-mail", "")
    schema = json.loads(json.dumps(json_schema([field])))
    jsonschema.Draft202012Validator.check_schema(schema)
    form = as_form(schema)
    assert form is not None
    assert json_schema(form) == schema
    judge = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    assert judge.is_valid({"f": [right]})
    assert not judge.is_valid({"f": [wrong]})


@pytest.mark.parametrize(
    "given", [{"item_type": "int"}, {"field_type": "list", "item_type": "number"}, {"field_type": "list", "item_type": 3}]
)
def test_a_type_of_items_belongs_to_a_list(given):
    """`item_type` on another type of field, or as no known type, is refused."""
    with pytest.raises(DefinitionError):
        UserInputField("f", **given)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        {"type": "array", "items": {"type": "string", "minLength": 3}},
        {"type": "array", "items": {"type": "null"}},
        {"type": "string", "items": {"type": "integer"}},
    ],
)
def test_items_are_never_taken_by_half(schema):
    """A schema of items that no field keeps is refused by name."""
    with pytest.raises(DefinitionError):
        as_form({"type": "object", "properties": {"f": schema}})


class Meal(Enum):
    """A choice."""

    fish = "fish"
    soup = "soup"


@dataclasses.dataclass
class Trip:
    """A form with bounds, several choices, a secret and a rule of its own."""

    seats: int = dataclasses.field(metadata={"minimum": 1, "maximum": 9, "description": "how many", "unit": "another library's"})
    meals: list[Meal]
    days: list[date]
    ways: list[Literal["out", "back"]] | None = None
    token: Secret | None = None

    def __post_init__(self):
        """A day for each meal."""
        if len(self.days) < len(self.meals):
            message = "a day for each meal is needed"
            raise ValueError(message)


@pytest.mark.spec("FORM-1")
def test_a_dataclass_has_bounds_choices_of_several_and_secrets():
    """Bounds stand in the metadata of a dataclass, `list[Enum]` is a choice of several, and the step gets enums, dates and a `Secret`."""
    seen: list = []
    flow = asking(lambda trip: trip.seats >= len(trip.days), seen, schema=Trip)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    faults: list[tuple[dict, str]] = [
        ({"seats": 10}, "seats must be at most 9"),
        ({"meals": ["meat"]}, "meals must have items of 'fish', 'soup'"),
        ({"days": ["soon"]}, "each item of days must be a date"),
        ({"token": 3}, "token must be of type str"),
    ]
    for wrong, why in faults:
        with pytest.raises(InvalidInput, match=why):
            asked.set_user_input({"seats": 2, "meals": ["fish"], "days": ["2026-12-24"], **wrong})
    faults = [({"days": []}, "a day for each meal"), ({"days": ["2026-12-24"] * 3}, "do not fit together")]
    for wrong, why in faults:
        with pytest.raises(InvalidInput, match=why):
            flow.decide(run.run_id, asked.pause_id, "input", value={"seats": 2, "meals": ["fish"], "days": ["2026-12-24"], **wrong})
    asked.set_user_input(seats=2, meals=["fish", "soup"], days=["2026-12-24", "2026-12-25"], ways=["back"], token="s3cr3t!")  # noqa: S106
    assert flow.continue_run(run).status == "COMPLETED"
    days = [date(2026, 12, 24), date(2026, 12, 25)]
    assert seen == [Trip(2, [Meal.fish, Meal.soup], days, ["back"], Secret("s3cr3t!"))]


# -- hostile answers, by every door ------------------------------------------------------------------------------------------------

HOSTILE: list = [
    None,
    [],
    "x" * 100_000,
    3,
    {"first": "1", "last": "2"},
    {"first": True, "last": 2},
    {"first": 1},
    {"first": 1.0, "last": 2},
]
HOSTILE += [{"first": 1, "last": 2, "more": 3}, {"first": [1], "last": {"a": 1}}, {"first": 1, "last": None}, {"\x1b[2J": 1}]


@pytest.mark.spec("FORM-2")
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_an_answer_of_wrong_types_is_refused_alike_by_program_and_command(number, tmp_path, capsys):
    """An answer of wrong types is refused by `decide` and by the command with JSON: on one clean line, and the question stays open."""
    given, seen = HOSTILE[number], list[object]()
    db = SqliteDb(tmp_path / "runs.db")
    flow = asking(None, seen, db)
    run = flow.run(run_id="r")
    with pytest.raises(InvalidInput):
        flow.decide("r", run.requirements[0].pause_id, "input", value=given)
    assert main(["input", "r", "--json-value", json.dumps(given), "--db", str(tmp_path / "runs.db")]) != 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err.replace("\x1b[0m", "").replace("\x1b[31m", "")
    assert len(said.err) < 5_000
    assert (flow.get_run_output("r").status, seen) == ("PAUSED", [])


@pytest.mark.spec("FORM-2")
@pytest.mark.parametrize(
    "words", [["first=one", "last=2"], ["first=1", "last"], ["first=1", "first=2", "last=3"], ["token=s3cr3t!"], ["first="]]
)
def test_a_command_refuses_words_that_are_no_values(words, tmp_path, capsys):
    """NAME=VALUE of a wrong type, without a value, or twice is refused with the field's name, and without a secret that came with it."""
    flow = asking(None, [], SqliteDb(tmp_path / "runs.db"))
    flow.run(run_id="r")
    assert main(["input", "r", *words, "--db", str(tmp_path / "runs.db")]) != 0
    said = capsys.readouterr()
    assert "s3cr3t" not in said.out + said.err
    assert flow.get_run_output("r").status == "PAUSED"


@pytest.mark.spec("FORM-2")
@pytest.mark.parametrize("token", [["s3cr3t!"], {"s3cr3t!": 1}, 5_837_261, "s3"])
def test_a_refused_secret_is_repeated_nowhere(token):
    """A secret of a wrong type or length is refused without it, by a requirement and by `decide`."""
    schema = [UserInputField("token", secret=True, min_length=4, pattern="^k")]
    flow = asking(None, [], schema=schema)
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    for door in (
        lambda: asked.set_user_input(token=token),
        lambda: flow.decide(run.run_id, asked.pause_id, "input", value={"token": token}),
    ):
        with pytest.raises(InvalidInput) as refused:
            door()
        text = "".join(traceback.format_exception(refused.value))
        assert "s3cr3t" not in str(refused.value)
        assert "5837261" not in str(refused.value)
        assert "token must" in text


@pytest.mark.spec("FORM-2")
def test_a_hidden_secret_that_is_posted_back_is_refused():
    """The plain data of an answered question shows `(hidden)`; that text posted back is no secret, at any door, and nothing is stored."""
    flow = asking(None, [], schema=[UserInputField("token", secret=True)])
    run = flow.run()
    [asked] = run.steps_requiring_user_input
    asked.set_user_input(token="s3cr3t!", by="ada")  # noqa: S106
    text = json.dumps(asked.to_dict(), default=str)
    assert "s3cr3t" not in text
    assert "(hidden)" in text
    with pytest.raises(InvalidInput, match="give it again"):
        flow.continue_run(run_id=run.run_id, step_requirements=[StepRequirement.from_dict(json.loads(text))])
    with pytest.raises(InvalidInput, match="give it again"):
        flow.decide(run.run_id, asked.pause_id, "input", value={"token": "(hidden)"})
    assert flow.get_run_output(run.run_id).status == "PAUSED"


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_kit_of_tests_knows_a_value_of_each_type(kind):
    """`some` gives a value that fits a field of any type, with a bound of length as well."""
    assert kind in SOME
    fields = [UserInputField("f", kind)]
    if kind in {"str", "text", "list", "file"}:
        fields.append(UserInputField("f", kind, min_length=7))
    if kind in {"int", "float", "decimal"}:
        fields += [UserInputField("f", kind, minimum=5), UserInputField("f", kind, maximum=-5)]
    if kind == "list":
        fields += [UserInputField("f", kind, allowed_values=["a"]), UserInputField("f", kind, item_type="decimal", min_length=2)]
    for each in fields:
        assert each.wrong(some(each)) is None
    assert Decimal("1.00") == checked("pay", [UserInputField("f", "decimal")], {"f": SOME["decimal"]})["f"]
