"""A refused value is never repeated: whatever a person or a program gave, no message, no `repr` of an error and no traceback has it."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from statecore import Condition, HumanReview, Loop, Parallel, Router, Step, StepOutput, UserInputField, Workflow
from statecore.cli import main
from statecore.codec import decode, register_codec
from statecore.db.postgres import PostgresDb
from statecore.errors import InvalidInput, StatecoreError, StoreCorrupt, UnstorableValue
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from statecore.temporal import TemporalDb
from tests.unit.stores.sqlite_files import tamper

SECRET = "hunter2-s3cret"  # noqa: S105  # it is the one that must not be seen
URL = f"://ada:{SECRET}@host/runs"


class Odd:
    """An object that says what it holds."""

    def __repr__(self) -> str:
        """Return what must not be seen."""
        return f"Odd({SECRET})"

    __str__ = __repr__


class Model:
    """The class of a schema, as a library makes it: its error lists what is wrong, and shows the input in its text."""

    class Wrong(ValueError):
        """What pydantic raises."""

        def errors(self) -> list[dict[str, Any]]:
            """Places, reasons and inputs."""
            number = {"loc": ("order", "amount"), "msg": "Input should be a valid integer", "type": "int_type", "input": SECRET}
            return [number, {"loc": ("password",), "msg": f"Value error, {SECRET} is weak", "type": "value_error", "input": SECRET}]

    @staticmethod
    def model_validate(given: Any) -> Any:
        """Refuse the input, and repeat it."""
        message = f"amount: not a number [input_value={given!r}]"
        raise Model.Wrong(message)


class Plain:
    """The class of a schema that a user wrote."""

    @staticmethod
    def model_validate(given: Any) -> Any:
        """Refuse the input, and repeat it."""
        message = f"{given['amount']} is no number"
        raise ValueError(message)


def work(_: object) -> Any:
    """What a step does."""
    return "done"


def paused(**settings: Any) -> tuple[Workflow, Any]:
    """A run that waits at its one step, and its question."""
    workflow = Workflow("w", [Step("ask", work, **settings)])
    [requirement] = workflow.run(f"input {SECRET}").active_step_requirements
    return workflow, requirement


def asked(**settings: Any) -> Any:
    """The question of a run that waits."""
    return paused(**settings)[1]


def decided(word: str, value: Any, **settings: Any) -> None:
    """Decide a question by its ids."""
    workflow, requirement = paused(**settings)
    workflow.decide(requirement.run_id, requirement.pause_id, word, value=value)


def answered(
    method: str, *values: Any, requires_user_input: bool = False, requires_output_review: bool = False, **named: Any
) -> None:
    """Answer a question, and have its run go on."""
    workflow, requirement = paused(requires_user_input=requires_user_input, requires_output_review=requires_output_review)
    getattr(requirement, method)(*values, **named)
    workflow.continue_run(run_id=requirement.run_id, step_requirements=[requirement])


def routed() -> Any:
    """The question of a Router."""
    workflow = Workflow("w", [Router("way", [Step("a", work), Step("b", work)], requires_user_input=True)])
    [requirement] = workflow.run().active_step_requirements
    return requirement


def ran(step: Any, given: Any = None, **settings: Any) -> None:
    """Run one step."""
    Workflow("w", [step], **settings).run(given)


FORM = {
    "requires_user_input": True,
    "user_input_schema": [UserInputField("n", "int"), UserInputField("colour", allowed_values=["red"], required=False)],
}
GIVEN = {
    "an input for fields": lambda: ran(Step("s", work), {"n": SECRET}, input_schema=[UserInputField("n", "int")]),
    "an input that is no form": lambda: ran(Step("s", work), SECRET, input_schema=[UserInputField("n", "int")]),
    "an input for a library": lambda: ran(Step("s", work), {"amount": SECRET}, input_schema=Model),
    "an input for a class": lambda: ran(Step("s", work), {"amount": SECRET}, input_schema=Plain),
    "an input that cannot be stored": lambda: ran(Step("s", work), {"n": Odd()}),
    "a session state": lambda: Workflow("w", [Step("s", work)]).run(session_state={"n": Odd()}),
    "data of a run": lambda: Workflow("w", [Step("s", work)]).run(additional_data={"n": Odd()}),
    "a field": lambda: asked(**FORM).set_user_input(n=SECRET),
    "a choice of a field": lambda: asked(**FORM).set_user_input(n=1, colour=SECRET),
    "an object in a form": lambda: answered("set_user_input", requires_user_input=True, n=Odd()),
    "a form that is none": lambda: decided("input", [SECRET], **FORM),
    "a form by its ids": lambda: decided("input", {"n": SECRET}, **FORM),
    "a value of a confirmation": lambda: decided("confirm", SECRET, requires_confirmation=True),
    "a feedback that is an object": lambda: decided("reject", Odd(), requires_output_review=True),
    "an edit": lambda: answered("edit", Odd(), requires_output_review=True),
    "an edit by its ids": lambda: decided("edit", {"n": Odd()}, requires_output_review=True),
    "an output": lambda: ran(Step("s", lambda _: Odd())),
    "an output within another": lambda: ran(Step("s", lambda _: StepOutput(content={"n": [Odd()]}))),
    "a selection": lambda: routed().select(SECRET),
    "several selected": lambda: routed().select("a", SECRET),
    "a selector's answer": lambda: ran(Router("way", [Step("a", work)], selector=lambda _: SECRET)),
    "a selector's object": lambda: ran(Router("way", [Step("a", work)], selector=lambda _: [Odd()])),
    "an evaluator": lambda: Condition("if", [Step("a", work)], evaluator=Odd()),  # type: ignore[arg-type]
    "an end condition": lambda: Loop("l", [Step("a", work)], end_condition=Odd()),  # type: ignore[arg-type]
    "steps": lambda: Workflow("w", [SECRET]),
    "a step": lambda: Parallel(Step("a", work), Odd()),  # type: ignore[arg-type]
    "an executor": lambda: Step("s", Odd()),  # type: ignore[arg-type]
    "an agent": lambda: Step("s", agent=Odd()),
    "a workflow": lambda: Step("s", workflow=Odd()),  # type: ignore[arg-type]
    "a review": lambda: Step("s", work, human_review=Odd()),  # type: ignore[arg-type]
    "two reviews": lambda: Step("s", work, requires_output_review=Odd(), human_review=HumanReview(requires_output_review=print)),  # type: ignore[arg-type]
    "a timeout": lambda: Step("s", work, requires_confirmation=True, timeout=Odd()),  # type: ignore[arg-type]
    "retries": lambda: Step("s", work, max_retries=Odd()),  # type: ignore[arg-type]
    "a form's fields": lambda: Step("s", work, requires_user_input=True, user_input_schema=Odd()),  # type: ignore[arg-type]
    "a form's field": lambda: UserInputField.from_dict({"value": SECRET}),
    "a field of another form": lambda: Step("s", work, requires_user_input=True, user_input_schema=[Odd()]),  # type: ignore[list-item]
    "a codec's type": lambda: register_codec(Odd(), "odd", str, Odd),  # type: ignore[arg-type]
    "a stored text": lambda: decode(f'{{"$int":"{SECRET}"}}'),
    "a database": lambda: PostgresDb(f"mysql{URL}"),
    "a database's option": lambda: PostgresDb(f"postgresql{URL}?nothing={SECRET}&connect_timeout={SECRET}"),
    "a database of SQLite": lambda: SqliteDb(db_url=f"postgresql{URL}"),
    "a database as a file": lambda: SqliteDb(db_file=f"postgresql{URL}"),
    "a server": lambda: TemporalDb.at(f"temporal{URL}"),
    "a server's option": lambda: TemporalDb.at(f"temporal://host:1/runs?password={SECRET}"),
}


@pytest.mark.parametrize("case", GIVEN)
def test_a_refused_value_is_not_repeated(case):
    """It is refused, and neither the message nor the `repr` of the error has it."""
    with pytest.raises(StatecoreError) as raised:
        GIVEN[case]()
    assert SECRET not in f"{raised.value} {raised.value!r}"


@pytest.mark.parametrize("schema", [Model, Plain])
def test_what_a_schema_says_is_told_without_the_value(schema):
    """Place and reason are told; a reason that repeats the value is left out, and a traceback does not have it either."""
    with pytest.raises(InvalidInput) as raised:
        ran(Step("s", work), {"amount": SECRET}, input_schema=schema)
    assert raised.value.wrong == WRONG[schema]
    assert SECRET not in "".join(traceback.format_exception(raised.value))


WRONG: dict[type[Any], tuple[str, ...]] = {
    Model: ("order.amount: Input should be a valid integer", "password: it was refused (value_error)"),
    Plain: ("it was refused (ValueError)",),
}


def test_a_text_that_no_store_can_hold_is_not_repeated(tmp_path: Path):
    """Half a character in an input or an edit is refused by its place."""
    db = SqliteDb(db_file=tmp_path / "runs.db")
    workflow = Workflow("w", [Step("s", work, requires_output_review=True)], db=db)
    [requirement] = workflow.run().active_step_requirements
    for refused in (
        lambda: workflow.run(run_id=f"{SECRET}\ud800"),
        lambda: workflow.run(user_id=f"{SECRET}\ud800"),
        lambda: workflow.decide(requirement.run_id, requirement.pause_id, "confirm", comment=f"{SECRET}\ud800"),
    ):
        with pytest.raises(UnstorableValue, match="a lone surrogate is its character 15") as raised:
            refused()
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("damage", [f"'{SECRET}'", f"CAST(x'ff' || '{SECRET}' AS TEXT)"])
def test_a_damaged_text_is_not_repeated(tmp_path: Path, damage):
    """A value in a store that is not as it was written, or is no text at all, is refused without it."""
    file = tmp_path / "runs.db"
    db = SqliteDb(db_file=file)
    Workflow("w", [Step("s", lambda _: "a value")], db=db).run("an input", run_id="r")
    db.close()
    tamper(file, f"UPDATE value SET text = {damage}")  # noqa: S608  # of this test's own words
    db = SqliteDb(db_file=file)
    with pytest.raises(StoreCorrupt, match=r"a value is not of its form|Could not decode to UTF-8") as raised:
        db.load("r")
    db.close()
    assert SECRET not in str(raised.value)


FLOW = """
from statecore import Router, Step, UserInputField, Workflow
form = [UserInputField("n", "int"), UserInputField("colour", allowed_values=["red"], required=False)]
form = Workflow("form", [Step("ask", print, requires_user_input=True, user_input_schema=form)])
way = Workflow("way", [Router("way", [Step("a", print), Step("b", print)], requires_user_input=True)])
review = Workflow("review", [Step("ask", lambda _: "draft", requires_output_review=True)])
"""
COMMANDS = [
    "run refusing.py:form --run-id x --input-json {secret}",
    "run refusing.py:form --run-id x --answers {secret}",
    "run refusing.py:form --run-id x --answers input:{secret}",
    'run refusing.py:form --run-id x --answers input:{{"n":"{secret}"}}',
    'run refusing.py:form --run-id x --answers input={{"n":"{secret}"}}',
    "run refusing.py:form --db mysql://ada:{secret}@host/runs",
    "input form n={secret}",
    "input form n=1 colour={secret}",
    "input form n=1 {secret}",
    "input form --json-value {secret}",
    'input form --json-value ["{secret}"]',
    "select way {secret}",
    "select way a {secret}",
    "edit review --value {secret}",
    "runs --db mysql://ada:{secret}@host/runs",
    "pending --db temporal://ada:{secret}@host/runs",
    "verify mysql://ada:{secret}@host/runs",
    "backup mysql://ada:{secret}@host/runs copy.db",
]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_does_not_repeat_what_it_refuses(line, tmp_path: Path, monkeypatch, capsys):
    """What a person typed as a value, or as a URL with a password, is not printed again."""
    (tmp_path / "refusing.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in ("form", "way", "review"):
        assert main(["run", f"refusing.py:{name}", "--run-id", name]) == 4
    capsys.readouterr()
    assert main(line.format(secret=SECRET).split()) in {1, 2}
    said = capsys.readouterr()
    assert said.err
    assert SECRET not in said.out + said.err
