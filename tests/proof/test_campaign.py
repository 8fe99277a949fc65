"""The figures of the last campaign: no difference, every mutant noticed, and the pages say what was counted."""

from __future__ import annotations

import json
import re
from collections import Counter

from specs.proof import coq
from specs.tools import evidence
from tests.model.models import models
from tests.proof.__main__ import EACH, PARTS, added
from tests.proof.mutants import MUTANTS
from tests.proof.test_model import SEEN

FOUND = json.loads(evidence.CAMPAIGN.read_text(encoding="utf-8"))
COUNTS, JUDGED = FOUND["counts"], FOUND["mutants"]
README = (coq.HERE.parents[1] / "README.md").read_text(encoding="utf-8")
MUTATION = (coq.HERE.parent / "mutation.md").read_text(encoding="utf-8")


def test_the_campaign_found_no_difference():
    """A thousand random workflows and the whole graphs of all models, 200,000 answers and 300,000 refusals at least: all equal."""
    assert COUNTS["differences"] == 0
    assert "graphs cut short" not in COUNTS
    assert COUNTS["whole graphs"] >= len(models())
    assert COUNTS["workflows"] - COUNTS["whole graphs"] == PARTS * EACH == 1_000
    assert COUNTS["answers"] >= 200_000
    assert COUNTS["refusals"] >= 300_000
    assert COUNTS["events offered to a run that is over"] >= 100_000


def test_the_campaign_noticed_every_mutant():
    """Thirty changed cores at least, each noticed; twelve of them are judged by the ordinary tests, too."""
    assert set(JUDGED) == set(MUTANTS)
    assert len(MUTANTS) >= 30
    assert {name for name, differences in JUDGED.items() if differences == 0} == set()
    assert len(set(SEEN) & set(MUTANTS)) == 12


def test_the_pages_say_what_was_counted():
    """The page of mutants lists each with its differences; the page of the proofs has the figures of the campaign."""
    listed = dict(re.findall(r"^\| (.*) \| `core/\w+\.py` \| ([\d,]+) \|$", MUTATION, re.MULTILINE))
    assert listed == {name: f"{differences:,}" for name, differences in JUDGED.items()}
    page = " ".join((coq.HERE / "README.md").read_text(encoding="utf-8").split())
    for what in (f"{COUNTS['answers']:,} answers", f"{COUNTS['refusals']:,} refusals", f"judges {len(MUTANTS)} cores"):
        assert what in page


def test_runs_of_a_campaign_add_up():
    """The figures of a run are added to those before it; a mutant that is judged again has its newest figure."""
    before = {"runs": ["a"], "counts": {"answers": 2, "differences": 0}, "mutants": {"x": 1, "y": 2}}
    assert added(before, Counter(answers=3), {"y": 5}, "b") == {
        "runs": ["a", "b"],
        "counts": {"answers": 5, "differences": 0},
        "mutants": {"x": 1, "y": 5},
    }


def test_the_readme_says_what_is_proved_and_what_is_not():
    """README tells the theorems from the tests of the model and from what neither covers, and claims no more."""
    said = " ".join(README.split())
    assert "The theorems are about a [model of the core](specs/proof/README.md)" in said
    assert "That the model is the core is tested, not proved" in said
    assert "Drivers, stores, the facade, the compiler, values and times are not covered" in said
    assert re.findall(r"formally verified", README, re.IGNORECASE) == []
