"""Prose is read in lines of at most 120 characters."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = {
    "specs/semantics.md",
    "specs/decisions/README.md",
    "specs/guide/errors.md",
    "specs/guide/settings.md",
    "specs/guide/api.md",
    "specs/guide/commands.md",
}
"""Pages that a tool writes, and the claims, each of which is one line."""
PAGES = sorted({"README.md", *(page.relative_to(ROOT).as_posix() for page in (ROOT / "specs").rglob("*.md"))} - GENERATED)
UNBROKEN = ("#", "|", "<", "!", "[")
"""How lines begin that cannot be broken: headings, tables, markup, pictures, links."""


def long_lines(text: str) -> list[str]:
    """The lines of prose over 120 characters, outside fences and code."""
    found, fenced = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and len(line) > 120 and not line.startswith((*UNBROKEN, "    ")):
            found.append(line)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_line_of_prose_is_short(page):
    """No line of a hand-written page is longer than 120 characters, but tables, headings and code."""
    assert long_lines((ROOT / page).read_text(encoding="utf-8")) == []


def test_a_long_line_is_found():
    """A line of prose or of a list is found; a table, a fence and indented code are let be."""
    long = "word " * 30
    assert long_lines(f"{long}\n* {long}\n| {long} |\n```\n{long}\n```\n    {long}\n") == [long, f"* {long}"]
