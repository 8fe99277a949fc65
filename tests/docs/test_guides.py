"""The guide does what it says: its code and its commands run, its links lead somewhere, and every test that it names is there."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.cli import exits, main
from statecore.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "specs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
RUN_HERE = (
    "concepts",
    "conditions",
    "deciding-elsewhere",
    "error-handling",
    "inbox",
    "migrating",
    "reading-the-code",
    "releases",
    "reviews",
    "values",
    "writing-a-store",
)
COMMAND = re.compile(r"^    \$ statecore (?P<line>.*?)(?:\s+# (?:exits (?P<code>\d)|.*))?$", re.MULTILINE)
TYPED = {"command-line": 8, "concepts": 6, "conditions": 3}
"""Pages whose every `$ statecore ...` is run, and how many there are."""

PROMISES = [f"P{number}" for number in (*range(1, 20), *range(21, 31))]
"""The others up to 30 are designed, and not kept yet."""


@pytest.mark.parametrize("page", RUN_HERE)
def test_its_code_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    """Each block of Python of a page runs in the names that those before it left, and its assertions hold."""
    monkeypatch.chdir(tmp_path)
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(GUIDE / f"{page}.md").examples())
    assert len(examples) > 1
    for example in examples:
        example.evaluate()


@pytest.mark.parametrize("page", TYPED)
def test_its_commands_run_from_top_to_bottom(page, tmp_path, monkeypatch, capsys):
    """Each command of a page, typed in an empty folder, exits as the page says; `RUN` is the run that was begun last."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATECORE_DB", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    commands = list(COMMAND.finditer((GUIDE / f"{page}.md").read_text(encoding="utf-8")))
    assert len(commands) == TYPED[page]
    run_id = ""
    for found in commands:
        words = [run_id if word == "RUN" else word for word in shlex.split(found["line"])]
        assert main(words) == int(found["code"] or 0), found["line"]
        [run_id, *_] = [*re.findall(r"^Run (\w+) of", capsys.readouterr().out, re.MULTILINE), run_id]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_links_and_commands_exist(page):
    """Each relative link of a page names a file, and each `statecore ...` command is one."""
    text = page.read_text(encoding="utf-8")
    assert [target for target in re.findall(r"\]\(([^)#:]+)\)", text) if not (page.parent / target).exists()] == []
    commands = {command.name for command in COMMANDS}
    assert set(re.findall(r"^\s{4}(?:\$ )?statecore ([a-z]+)", text, re.MULTILINE)) <= commands


def test_the_command_line_is_told_whole():
    """Every command stands in the table of the command line, and every exit code in its other one."""
    text = (GUIDE / "command-line.md").read_text(encoding="utf-8")
    first = {word for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE) for word in re.findall(r"`([a-z]+)`", row)}
    assert first == {command.name for command in COMMANDS}
    codes = {exits.FINE, exits.FAILED, exits.USAGE, exits.UNDETERMINED, exits.PAUSED, exits.INTERRUPTED}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == codes


def test_every_page_is_in_the_index():
    """The index of the guide and the README lead to every page."""
    names = {page.name for page in PAGES} - {"README.md"}
    index, readme = (GUIDE / "README.md").read_text(encoding="utf-8"), (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in names if f"({name})" not in index} == set()
    assert {name for name in names if f"(specs/guide/{name})" not in readme} == set()
    assert "(specs/guide/README.md)" in readme


# -- tables of tests ---------------------------------------------------------------------------------------------------------------


class Named(NamedTuple):
    """A test that a page names: `[of many processes one decides](file)` is `test_of_many_processes_one_decides` of that file."""

    row: str
    test: str
    file: Path


def named(page: str) -> list[Named]:
    """The tests that the rows of a page's tables name, each with the first cell of its row."""
    found = []
    for line in (GUIDE / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            row = line.split("|")[1].strip()
            for text, target in re.findall(r"\[([^]]+)\]\(([^)]+\.py)\)", line):
                found.append(Named(row, f"test_{text.replace(' ', '_')}", (GUIDE / target).resolve()))
    return found


@cache
def marks_of(file: Path) -> dict[str, set[str]]:
    """The tests of a file, each with the claims that it bears."""
    found = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = [mark for mark in node.decorator_list if ast.unparse(mark).startswith("pytest.mark.spec(")]
            found[node.name] = {ast.literal_eval(each) for mark in marks if isinstance(mark, ast.Call) for each in mark.args}
    return found


@pytest.mark.parametrize("page", ["promises.md", "migrating.md"])
def test_every_test_that_a_page_names_is_there(page):
    """A promise or difference whose test was renamed or removed is noticed."""
    tests = named(page)
    assert len(tests) >= 15
    assert [each for each in tests if each.test not in marks_of(each.file)] == []


def test_every_promise_has_a_test():
    """The promises that are kept stand in the order of their numbers, and each row names at least one test: without one it may not be printed."""
    rows = re.findall(r"^\| (P\d+) \|", (GUIDE / "promises.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == PROMISES
    assert {each.row for each in named("promises.md")} == set(PROMISES)


def test_every_difference_has_its_claim_and_a_test_that_bears_it():
    """The test that a difference names bears the number of the claim beside it."""
    text = (GUIDE / "migrating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \|[^|]+\|[^|]+\| ([A-Z]+-\d+) \| \[", text, re.MULTILINE)
    tests = named("migrating.md")
    assert len(rows) == len(tests) == text.count("| [")
    assert [row for (row, claim), each in zip(rows, tests, strict=True) if claim not in marks_of(each.file)[each.test]] == []


def test_every_import_of_the_table_is_there():
    """Each path in the table of imports differs from the other one by its root alone, and has the names beside it."""
    text = (GUIDE / "migrating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `agno([\w.]*)` \| `statecore([\w.]*)` \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) == 14
    for theirs, ours, names in rows:
        assert theirs == ours
        module = importlib.import_module(f"statecore{ours}")
        assert [name for name in re.findall(r"`(\w+)`", names) if not hasattr(module, name)] == []
