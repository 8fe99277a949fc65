"""The guide does what it says: its code runs, its links lead somewhere, its commands are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore.cli.main import COMMANDS

GUIDE = Path(__file__).parents[2] / "specs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
RUN_HERE = ("error-handling", "reviews", "deciding-elsewhere")


@pytest.mark.parametrize("page", RUN_HERE)
def test_its_code_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    """Each block of Python of a page runs in the names that those before it left, and its assertions hold."""
    monkeypatch.chdir(tmp_path)
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(GUIDE / f"{page}.md").examples())
    assert len(examples) > 1
    for example in examples:
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_links_and_commands_exist(page):
    """Each relative link of a page names a file, and each `statecore ...` command is one."""
    text = page.read_text(encoding="utf-8")
    assert [target for target in re.findall(r"\]\(([^)#:]+)\)", text) if not (page.parent / target).exists()] == []
    commands = {command.name for command in COMMANDS}
    assert set(re.findall(r"^\s{4}statecore ([a-z]+)", text, re.MULTILINE)) <= commands
