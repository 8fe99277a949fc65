"""The guide's sequence pages are true: the files that they name are those that the real thing passes, in that order."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docs.travelling import decision, requirement, result
from tests.laws.ways import Passed

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "specs" / "guide"
ROW = re.compile(r"^\| \d+ \| \[(?P<file>[\w/]+\.py)\]\(\.\./\.\./statecore/(?P=file)\) \| `(?P<function>[\w.]+)` \|", re.MULTILINE)

Row = tuple[str, str]


def rows(page: str, section: str) -> list[Row]:
    """The files and functions that a section of a page names."""
    [text] = [part for part in (GUIDE / page).read_text(encoding="utf-8").split("\n## ") if part.startswith(f"{section}\n")]
    return [(found["file"], found["function"]) for found in ROW.finditer(text)]


def untrue(named: Sequence[Row], passed: Sequence[Passed]) -> list[str]:
    """What rows say that a way does not: files in another order, unnamed or not passed; functions that are not called in this order."""
    files, met = list(dict.fromkeys(file for file, _ in named)), list(dict.fromkeys(each.file for each in passed))
    wrong = [f"{file} is passed and not named" for file in met if file not in files]
    wrong += [f"{file} is named and not passed" for file in files if file not in met]
    if not wrong and files != met:
        wrong.append(f"the files are first met in the order {met}")
    calls = iter([each[:2] for each in passed])
    return wrong + [f"{file}: {function} is not called here" for file, function in named if (file, function) not in calls]


def test_a_steps_result_travels_as_the_page_says(tmp_path):
    """From a step's return value to the next call, exactly the named files are passed, in order."""
    named = rows("a-steps-result-travels.md", "From the return value to the next call")
    assert len(named) > 15
    assert untrue(named, result(tmp_path / "runs.db")) == []


def test_a_decision_travels_as_the_page_says(tmp_path):
    """A requirement, the store, and a second process that goes on: each passes exactly the named files, in order."""
    page, file = "a-decision-travels.md", tmp_path / "runs.db"
    assert untrue(rows(page, "A requirement records it"), requirement(tmp_path / "other.db")) == []
    run_id, stored = decision(file)
    assert untrue(rows(page, "Or the store takes it"), stored) == []
    command = [sys.executable, "-m", "tests.docs.travelling", str(file), run_id]
    other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    named = rows(page, "Another process goes on")
    assert len(named) > 15
    assert untrue(named, [Passed(*each) for each in json.loads(other.stdout)]) == []


@pytest.mark.parametrize("page", ["a-steps-result-travels.md", "a-decision-travels.md"])
def test_a_diagram_shows_rooms_that_are_passed(page):
    """A participant of the diagram is a room that a row of the page passes, the person, or the user's function; each has an arrow."""
    text = (GUIDE / page).read_text(encoding="utf-8")
    shown = re.findall(r"^ {4}(?:participant|actor) (\w+)", text, re.MULTILINE)
    arrows = re.findall(r"^ {4}(\w+)--?>>(\w+): ", text, re.MULTILINE)
    assert set(shown) <= {found["file"].split("/")[0] for found in ROW.finditer(text)} | {"person", "step"}
    assert {end for arrow in arrows for end in arrow} == set(shown)


PASSED = [Passed("a.py", "f", 1), Passed("b.py", "g", 2), Passed("a.py", "h", 2)]


@pytest.mark.parametrize(
    ("named", "wrong"),
    [
        ([("a.py", "f"), ("b.py", "g"), ("a.py", "h")], 0),
        ([("a.py", "f")], 1),
        ([("a.py", "f"), ("b.py", "g"), ("c.py", "i")], 2),
        ([("b.py", "g"), ("a.py", "f")], 2),
        ([("a.py", "h"), ("b.py", "g")], 1),
    ],
    ids=["true", "unnamed", "not passed", "another order", "functions in another order"],
)
def test_an_untrue_row_is_found(named, wrong):
    """The comparison can fail: an unnamed file, one that is not passed, and another order are seen."""
    assert len(untrue(named, PASSED)) == wrong
