"""User code, lists and stores that cannot be used as they will be are refused where they are written (GATE-3)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from statecore import Condition, InMemoryDb, Loop, Parallel, Router, SqliteDb, Step, Steps, Workflow
from statecore.errors import DefinitionError


def work(step_input):
    """User code of one argument."""
    return step_input


def none():
    """Too few parameters."""


def two(step_input, other):
    """Too many parameters."""
    return step_input, other


def keyword(*, step_input):
    """A parameter that is given by name only."""
    return step_input


class Agent:
    """A method of a class that has no instance lacks its `self`."""

    def work(self, step_input):
        """User code as a method."""
        return step_input


def with_context(step_input, run_context):
    """User code that asks for the run's context."""
    return step_input, run_context


def optional(step_input, other=1, *more, **named):
    """Further parameters have defaults."""
    return step_input, other, more, named


WRONG = [none, two, keyword, Agent.work, lambda: 1, partial(work, 1)]
RIGHT = [work, optional, with_context, Agent().work, lambda *arguments: arguments, partial(two, other=1), partial(two, 1), len]


def makers(function: Any) -> dict[str, Any]:
    """Every place of user code."""
    step = Step("a", work)
    return {
        "executor": lambda: Step("it", function),
        "evaluator": lambda: Condition("it", [step], evaluator=function),
        "selector": lambda: Router("it", [step], function),
        "end_condition": lambda: Loop("it", [step], end_condition=function),
        "requires_output_review": lambda: Step("it", work, requires_output_review=function),
    }


@pytest.mark.spec("GATE-3")
@pytest.mark.parametrize("setting", list(makers(work)))
def test_code_that_cannot_be_called_is_refused(setting):
    """Too few or too many parameters, one by name only, a method without its object: refused, with the line to write."""
    for function in WRONG:
        with pytest.raises(DefinitionError, match=rf"The {setting} of \w+ 'it' is called with .* Write ") as refused:
            makers(function)[setting]()
        assert len(str(refused.value)) < 500


@pytest.mark.spec("GATE-3")
@pytest.mark.parametrize("setting", list(makers(work)))
def test_code_that_can_be_called_is_taken(setting):
    """Parameters with defaults, star arguments, bound methods, partials and functions without a signature are code."""
    for function in RIGHT:
        assert makers(function)[setting]() is not None


@pytest.mark.spec("GATE-3")
def test_the_line_to_write_is_told():
    """The message gives the definition of the function as it has to be."""
    with pytest.raises(DefinitionError, match=r"'two' cannot be.*Write def two\(step_input\)"):
        Step("it", two)


@pytest.mark.spec("GATE-3")
@pytest.mark.parametrize("branches", [[Step("a", work), Step("b", work)], (work,), []])
def test_a_list_alone_is_no_branch(branches):
    """`Parallel([a, b])` would run a and b one after the other; beside another branch a list is one branch."""
    with pytest.raises(DefinitionError, match=r"Parallel\(\*branches\)"):
        Parallel(branches)
    assert [each.name for each in Parallel([Step("a", work), Step("b", work)], work).steps] == ["a+b", "work"]


SINGLE = [Step("a", work), work, Workflow("inner", [work]), "steps", {"a": work}, None]


@pytest.mark.spec("GATE-3")
@pytest.mark.parametrize("single", SINGLE, ids=lambda each: type(each).__name__)
def test_a_single_component_is_no_list(single):
    """Where a list is wanted, a component, a function, a text or a dict is refused, and the setting is named."""
    lists: dict[str, list[Any]] = {
        "steps": [lambda: Steps("it", single), lambda: Condition("it", single), lambda: Loop("it", single)],
        "choices": [lambda: Router("it", single, work)],
        "else_steps": [lambda: Condition("it", [work], single)] * (single is not None),
    }
    for setting, made in lists.items():
        for make in made:
            with pytest.raises(
                DefinitionError, match=rf"The {setting} of \w+ 'it' must be a list, not .*write {setting}=\[\.\.\.\]"
            ):
                make()


STORES: list[tuple[Any, str]] = [
    ("runs.db", r'SqliteDb\(db_file="..."\)'),
    (Path("runs.db"), r'SqliteDb\(db_file="..."\)'),
    ("postgresql://host/db", "PostgresDb"),
    (SqliteDb, r"SqliteDb\(\.\.\.\)"),
    (InMemoryDb, r"InMemoryDb\(\.\.\.\)"),
    (7, "SqliteDb"),
    ({}, "SqliteDb"),
]


@pytest.mark.spec("GATE-3")
@pytest.mark.parametrize(("db", "write"), STORES, ids=str)
def test_what_is_no_store_is_refused(db, write):
    """A path, a URL or a class as `db` is refused by the workflow and by `on`, with the line to write."""
    workflow = Workflow("flow", [lambda step_input: step_input.input])
    for make in (lambda: Workflow("flow", [work], db), lambda: workflow.on(db)):
        with pytest.raises(DefinitionError, match=f"must be a store.*Write db=.*{write}"):
            make()
    assert workflow.run("x").content == "x"
