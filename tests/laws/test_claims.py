"""Claims, tests and rows agree: nothing is claimed without a test, and nothing is tested or tabled under a number that does not exist."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from statecore.lifecycles import TABLES
from tests.laws.claims import ROOT, SEMANTICS, claims, marks

CLAIMS = {claim.id: claim for claim in claims()}
MARKED: dict[str, list[str]] = {}
for name, where in marks():
    MARKED.setdefault(name, []).append(where)


@pytest.mark.parametrize("claim", [claim for claim in CLAIMS.values() if not claim.planned], ids=lambda claim: claim.id)
def test_every_claim_has_a_test(claim):
    """What is claimed and not planned, some test holds to its word."""
    assert claim.id in MARKED, f"no test bears {claim.id}: {claim.says}"


def test_every_mark_names_a_claim():
    """A test can bear only a number that specs/semantics.md has."""
    assert {name: where for name, where in MARKED.items() if name not in CLAIMS} == {}


def test_no_planned_claim_has_a_test():
    """What is tested is kept: the claim that it keeps is no longer called planned."""
    assert {name: where for name, where in MARKED.items() if name in CLAIMS and CLAIMS[name].planned} == {}


def test_no_row_keeps_a_planned_claim():
    """What a table does is kept: no row stands for something that is still to come."""
    rows = [row for table in TABLES.values() for row in table.rows]
    assert [row for row in rows if row.claim in CLAIMS and CLAIMS[row.claim].planned] == []


def test_every_line_of_the_document_is_a_claim():
    """Each item of the document's lists has the form of a claim, so that none escapes by a slip of the pen."""
    items = [line for line in SEMANTICS.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith(("- ", "* "))]
    assert len(items) == len(claims())


def test_numbers_are_given_once_and_in_order():
    """Each number is given to one claim, and the numbers of a family go up."""
    assert [name for name, times in Counter(claim.id for claim in claims()).items() if times > 1] == []
    numbers: dict[str, list[tuple[int, str]]] = {}
    for claim in claims():
        family, _, number = claim.id.rpartition("-")
        digits = number.rstrip("abcdefghijklmnopqrstuvwxyz")
        numbers.setdefault(family, []).append((int(digits), number.removeprefix(digits)))
    assert {family: given for family, given in numbers.items() if given != sorted(given)} == {}


def test_every_number_in_the_sources_is_a_claim():
    """A number in a comment or a docstring of the package names a claim that exists."""
    families = "|".join(sorted({name.rpartition("-")[0] for name in CLAIMS}))
    number = re.compile(rf"\b(?:{families})-\d+[a-z]?\b")
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "statecore").rglob("*.py"))}
    named = {(str(path.relative_to(ROOT)), found) for path, text in sources.items() for found in number.findall(text)}
    assert {(path, found) for path, found in named if found not in CLAIMS} == set()
