"""The table of documented names in the guide is what the code has."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import statecore
from statecore import media
from statecore.run import workflow as events
from statecore.runtime.launching import RunOptions
from statecore.workflow.options import ContinueOptions, StartOptions

PAGE = Path(__file__).parents[2] / "specs/guide/migrating.md"
ROW = re.compile(r"^\| (`.*`) \| (`.*`) \| (yes|differs|no) \| (.*?) ?\|$", re.MULTILINE)
OPTIONS: dict[str, Any] = {
    "Workflow.run": StartOptions,
    "Workflow.continue_run": ContinueOptions,
    "Workflow.print_response": RunOptions,
    "Workflow.cli_app": RunOptions,
}
REVIEWED = {"Step", "Steps", "Condition", "Loop", "Router", "Parallel"}


def rows() -> list[tuple[str, str, str]]:
    """Each name with the class that it is of, and what the table says of it."""
    found = []
    for where, names, here, _ in ROW.findall(PAGE.read_text()):
        for owner in re.findall(r"`([^`]+)`", where):
            found += [(owner, name, here) for name in re.findall(r"`([^`]+)`", names)]
    return found


def is_here(owner: str, name: str) -> bool:
    """Whether the code has a name: a parameter, or what an object has."""
    parameter = name.removesuffix("=")
    if owner in OPTIONS:
        method = inspect.signature(getattr(statecore.Workflow, owner.partition(".")[2]))
        return parameter in {**get_type_hints(OPTIONS[owner]), **method.parameters}
    kind = getattr(media, owner.partition(".")[2], None) or getattr(events if owner.endswith("Event") else statecore, owner)
    if name.endswith("="):
        return parameter in inspect.signature(kind).parameters
    return hasattr(kind, name) or name in getattr(kind, "__annotations__", {})


@pytest.mark.parametrize(("owner", "name", "here"), rows())
def test_a_name_is_here_as_the_table_says(owner, name, here):
    """A name that is said to be here is found in the code; one that is said not to be is not."""
    assert is_here(owner, name) is (here != "no")


def test_the_table_is_read_whole():
    """Every line of the table that has a verdict is a row that the test has read."""
    lines = [line for line in PAGE.read_text().splitlines() if re.search(r"\| (yes|differs|no) \|", line)]
    assert len(lines) == len(ROW.findall(PAGE.read_text()))
    assert len(rows()) > 250
    assert {owner for owner, _, _ in rows()} >= REVIEWED
