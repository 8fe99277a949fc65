"""User code, lists and stores that cannot be used as they will be are refused where they are written (GATE-3)."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from statecore import Condition, Inbox, InMemoryDb, Loop, Parallel, Router, SqliteDb, Step, Steps, Workflow
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


def agent(run: Any, name: str = "run") -> Any:
    """An object whose method is this function."""
    return type("Made", (), {name: run})()


NO_AGENTS: dict[str, tuple[Any, str]] = {
    "no prompt": (agent(lambda self: 1), "too many positional arguments"),
    "a parameter that is not given": (agent(lambda self, prompt, team: 1), "'team'"),
    "a prompt by name only": (agent(lambda self, *, prompt: 1), "too many positional arguments"),
    "an asynchronous one": (agent(lambda self: 1, "arun"), r"its arun\(\) cannot be"),
    "a class": (type(agent(lambda self, prompt: 1)), r"is a class.*Write agent=Made\(\.\.\.\)"),
    "neither": (object(), r"neither run\(\) nor arun\(\)"),
    "no methods": (agent("text"), r"neither run\(\) nor arun\(\)"),
}


@pytest.mark.spec("GATE-3", "AGENT-3")
@pytest.mark.parametrize("case", NO_AGENTS)
def test_an_agent_that_cannot_be_asked_is_refused(case):
    """An agent whose `run` does not take a prompt, or needs what is not given by name, is refused at definition, and so is a class."""
    wrong, says = NO_AGENTS[case]
    with pytest.raises(DefinitionError, match=f"The agent of Step 'it' .*{says}") as refused:
        Step("it", agent=wrong)
    assert len(str(refused.value)) < 500


AGENTS: dict[str, Any] = {
    "what it names": agent(lambda self, prompt, session_id, *, stream, files, other=1, **more: (prompt, other)),
    "arun alone": type("Made", (), {"run": None, "arun": lambda self, prompt: (prompt, 1)})(),
    "star arguments": agent(lambda *arguments, **named: (arguments[1], 1)),
    "a class with a static method": type("Made", (), {"run": staticmethod(lambda prompt: (prompt, 1))}),
    "another name": agent(lambda self, message, /: (message, 1)),
}


@pytest.mark.spec("GATE-3", "AGENT-3")
@pytest.mark.parametrize("case", AGENTS)
def test_an_agent_that_can_be_asked_is_taken_and_asked(case):
    """What is taken at definition is asked as its signature says."""
    assert Workflow("flow", [Step("it", agent=AGENTS[case])]).run("x").content == ("x", 1)


@pytest.mark.spec("GATE-2", "GATE-3")
@pytest.mark.parametrize("value", ["no", 1, None, []])
def test_a_switch_is_a_bool(value):
    """`skip_on_failure` and `forward_iteration_output` are True or False: a text that says no is no yes."""
    for make in (
        lambda: Step("it", work, skip_on_failure=value),
        lambda: Loop("it", [work], 3, forward_iteration_output=value),
    ):
        with pytest.raises(DefinitionError, match=r"The \w+ of \w+ 'it' must be True or False, not"):
            make()


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
    """A path, a URL or a class as `db` is refused by the workflow, by `on` and by an inbox, with the line to write."""
    workflow = Workflow("flow", [lambda step_input: step_input.input])
    for make in (lambda: Workflow("flow", [work], db), lambda: workflow.on(db), lambda: Inbox(db)):
        with pytest.raises(DefinitionError, match=f"must be a store.*Write db=.*{write}"):
            make()
    assert workflow.run("x").content == "x"
