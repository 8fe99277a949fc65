"""The reference pages say what the code has: every name, every command, every option."""

from __future__ import annotations

import click
import pytest

import statecore
from specs.tools import reference
from statecore import StatecoreError, Step
from statecore.cli.main import COMMANDS

AGAIN = "run `python -m specs.tools.reference`"


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_current(name):
    """The page was made after the last change of the code."""
    assert (reference.GUIDE / name).read_text(encoding="utf-8") == reference.PAGES[name](), AGAIN


def test_every_public_name_has_its_part():
    """Each flat name but the errors, which have a page of their own; each with a sentence."""
    page = (reference.GUIDE / "api.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0]: part.split("\n\n")[1] for part in page.split("\n### ")[1:]}
    names = {each for each in statecore.__all__ if not issubclass(type(getattr(statecore, each)), type)}
    names |= {
        each
        for each in statecore.__all__
        if isinstance(kind := getattr(statecore, each), type) and not issubclass(kind, StatecoreError)
    }
    assert names <= set(parts)
    assert [name for name, said in parts.items() if len(said.split()) < 3] == []


def test_every_option_of_every_command_is_told():
    """Each name of each option stands in the part of its command."""
    page = (reference.GUIDE / "commands.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0]: part for part in page.split("\n## ")[1:]}
    assert list(parts) == [each.name for each in COMMANDS]
    for each in COMMANDS:
        for parameter in each.loaded().params:
            if isinstance(parameter, click.Option):
                assert all(name in parts[str(each.name)] for name in parameter.opts), (each.name, parameter.name)


def test_a_call_is_shown_as_it_is_written():
    """A parameter has its default, a keyword stands behind the star, a type is left out."""

    def call(one, two=3, *, three: int = 4, **more):
        """Call."""

    assert reference.called(call) == "(one, two=3, *, three=4, **more)"
    assert "requires_confirmation=" in reference.called(Step) or "**" in reference.called(Step)
