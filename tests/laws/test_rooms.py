"""Each room of the package says on one page what it owns, what may enter and where to start, and names its modules as they are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "statecore"
SHELVES = {"", "db", "examples", "run"}
"""Packages that only have names, or programs that say themselves what they show."""
ROOMS = sorted({str(path.parent.relative_to(PACKAGE)).removeprefix(".") for path in PACKAGE.rglob("__init__.py")} - SHELVES)
PAGE = 60
"""A page has as many lines at most."""


def amiss(folder: Path) -> list[str]:
    """What a room's `__init__` does not say: a part of its page, a module that it has; and the modules that it names and has not."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    wrong = [f"no {part!r}" for part in ("Owns:", "ay enter:", "Start with") if part not in text]
    wrong += [f"{len(text.splitlines())} lines"] if len(text.splitlines()) > PAGE else []
    there = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    named = {name.split(".")[0] for name in re.findall(r"`([\w.]+)`", text)}
    wrong += [f"{name} is not named" for name in sorted(there - {"__init__"} - named)]
    start = re.search(r"Start with `(\w+)", text)
    return wrong + ([f"{start[1]} is no module here"] if start and start[1] not in there else [])


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_owns(room):
    """The page of a room is whole: owner of what, what may enter, where to start, and every module by its name."""
    assert amiss(PACKAGE / room) == []


def test_an_incomplete_page_is_found(tmp_path):
    """The law can fail: a missing part, an unnamed module and a start that is not there are seen."""
    (tmp_path / "a.py").write_text("")
    (tmp_path / "b.py").write_text("")
    (tmp_path / "__init__.py").write_text('"""A room.\n\nOwns: `a`. Start with `c`."""\n')
    assert amiss(tmp_path) == ["no 'ay enter:'", "b is not named", "c is no module here"]
    (tmp_path / "__init__.py").write_text('"""A room.\n\nOwns: `a` and `b.f`. May enter: nothing.\n\nStart with `a`."""\n')
    assert amiss(tmp_path) == []


def test_the_reading_page_has_every_room():
    """The table of floors in "The code in an hour" names each room of the package once."""
    text = (PACKAGE.parent / "specs" / "guide" / "reading-the-code.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| [\d, ]+ \| ([^|]+) \|", text, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
