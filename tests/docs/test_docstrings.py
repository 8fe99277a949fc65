"""Every public name says what it is: a docstring that begins with a claim, and an example or a link to one that is there."""

from __future__ import annotations

import importlib
import inspect
import pydoc
import re
from pathlib import Path

import pytest

import statecore
from statecore.run.workflow import RunEvent

PATHS = [
    *("statecore.workflow", "statecore.workflow.types", "statecore.workflow.workflow", "statecore.workflow.step"),
    *("statecore.workflow.steps", "statecore.workflow.condition", "statecore.workflow.loop", "statecore.workflow.router"),
    *(
        "statecore.workflow.parallel",
        "statecore.workflow.decorators",
        "statecore.run",
        "statecore.run.base",
        "statecore.run.workflow",
    ),
    *("statecore.db.sqlite", "statecore.db.in_memory", "statecore.db.postgres"),
]


def names_of(path):
    """The names that a module offers."""
    return getattr(importlib.import_module(path), "__all__", ["Workflow"])


NAMES = {
    f"{path}.{name}": getattr(importlib.import_module(path), name) for path in ("statecore", *PATHS) for name in names_of(path)
}
PUBLIC = {thing: name for name, thing in reversed(NAMES.items())}
"""Each public thing under one of its names."""

HOUSE = Path(statecore.__file__).parent / "examples"


def example_of(thing):
    """What follows "Example:" in the docstring of a thing, or of the class that it is an event of."""
    said = inspect.getdoc(thing) or ""
    if inspect.isclass(thing) and issubclass(thing, RunEvent) and "Example:" not in said:
        said = inspect.getdoc(RunEvent) or ""
    return said.partition("Example: ")[2]


def is_error(thing):
    """Whether a public thing is an error class."""
    return inspect.isclass(thing) and issubclass(thing, statecore.StatecoreError)


def test_the_paths_are_all_that_users_import_from():
    """Each module that hands names on, and no other, is looked at; and there are many names."""
    folder = HOUSE.parent
    thin = {path for path in folder.glob("*/*.py") if "Names handed on" in path.read_text(encoding="utf-8")[:200]}
    found = {f"statecore.{path.parent.name}.{path.stem}".removesuffix(".__init__") for path in thin}
    assert found <= set(PATHS)
    assert len(PUBLIC) > 50


@pytest.mark.parametrize("thing", PUBLIC, ids=PUBLIC.get)
def test_it_claims_something(thing):
    """The first line is one whole sentence, or the beginning of a paragraph that ends as one."""
    said = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    first = inspect.cleandoc(said or "").partition("\n\n")[0]
    assert re.fullmatch(r"[A-Z].*[.]", first, re.DOTALL), first


@pytest.mark.parametrize("thing", [each for each in PUBLIC if not is_error(each)], ids=PUBLIC.get)
def test_it_has_an_example(thing):
    """Code, or a module of the examples, which is there and uses that name; an error has its row in the guide instead."""
    example = example_of(thing)
    assert example.startswith("`"), thing
    for module in re.findall(r"`statecore\.examples\.(\w+)`", example):
        assert (HOUSE / f"{module}.py").exists()


@pytest.mark.parametrize("thing", [each for each in PUBLIC if "statecore.examples." in example_of(each)], ids=PUBLIC.get)
def test_its_example_uses_it(thing):
    """The module that is named shows the thing: by its name, or by a setting or an answer that is its."""
    [module] = re.findall(r"`statecore\.examples\.(\w+)`", example_of(thing))
    source = (HOUSE / f"{module}.py").read_text(encoding="utf-8")
    settings = {"OnError": "on_error", "OnReject": "on_reject", "OnTimeout": "on_timeout", "HumanReview": "requires_"}
    answers = {"ErrorRequirement": "retry", "StepRequirement": "reject", "Steps": "[Step("}
    name = thing.__name__
    assert {**settings, **answers}.get(name, name) in source


def test_the_package_reads_well():
    """`python -m pydoc statecore` shows the names with what they claim, and nothing of what a user cannot use."""
    text = pydoc.plain(pydoc.render_doc(statecore))
    assert "Human-in-the-loop workflows whose semantics are verified." in text
    for name in statecore.__all__:
        assert name in text
