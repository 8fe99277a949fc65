"""The indexes of specs/ are complete: decisions, the guide, and the places of specs/ itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specs.tools import decisions

SPECS = Path(__file__).parents[2] / "specs"


def test_the_index_of_decisions_is_up_to_date() -> None:
    """`python -m specs.tools.decisions` was run after the last change, so every decision has its row."""
    assert decisions.main(["--check"]) == 0
    numbers = re.findall(r"^\| \[(\d+)\]", decisions.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert numbers == [path.name[:4] for path in decisions.pages()]
    assert len(numbers) == len(set(numbers)) > 30


def test_a_new_decision_changes_the_index(tmp_path) -> None:
    """The check can fail: a page that is added gets a row with its number, its title and its first sentence."""
    (tmp_path / "0001-a.md").write_text("# 0001 A title\n\n**Decided.** One thing\nis so. Another is not.\n")
    assert decisions.page(tmp_path).endswith("| [0001](0001-a.md) | A title | One thing is so. |\n")
    assert decisions.page(tmp_path) != decisions.HEAD


def test_specs_says_what_lies_where() -> None:
    """Each folder and page of specs/ has a row of its own in specs/README.md."""
    text = (SPECS / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| (?:\[([\w.-]+)\]|`(\w+)`)", text, re.MULTILINE))
    listed = {one or other for one, other in rows}
    there = {path.name for path in SPECS.iterdir() if path.suffix == ".md" or (path.is_dir() and path.name[0] not in "_.")}
    assert there - listed == {"README.md"}
    assert listed <= there


@pytest.mark.parametrize("page", ["README.md", "guide/README.md", "decisions/README.md", "model/README.md"])
def test_the_links_of_an_index_lead_somewhere(page: str) -> None:
    """Each relative link of an index names a file."""
    path = SPECS / page
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []
