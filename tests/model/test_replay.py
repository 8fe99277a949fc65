"""A journal says enough to be played again: random walks through the models come back as the states that they ended in (I7, I8)."""

from __future__ import annotations

import json
from random import Random

import pytest

from specs.tools.evidence import differing
from statecore.codec.records import load_state
from statecore.core import BEGINNING, stored_program
from statecore.core.state import RULES_VERSION
from statecore.stores.replay import replay
from tests.model import golden
from tests.model.models import models
from tests.model.walking import walk

WALKS = 50


@pytest.mark.spec("LAW-3")
@pytest.mark.parametrize("name", models())
def test_a_walk_is_found_again(name):
    """Whatever happened, several things at once and cancellations too, the rows alone lead to the state that the walk ended in."""
    program = models()[name]
    for seed in range(WALKS):
        rows, state = walk(program, Random(f"{name}{seed}"))  # noqa: S311  # to be repeatable, not secret
        played = replay(lambda _: None, rows, program)
        assert [row for each in played for row in each.rows] == rows, f"seed {name}{seed}"
        assert (played[-1].commit.after.state if played else BEGINNING) == state, f"seed {name}{seed}"


def test_so_many_journals_are_replayed():
    """What the evidence says of journals is how many the walks above make."""
    assert differing(journals=WALKS * len(models())) == {}


@pytest.mark.parametrize("file", sorted(golden.TRACES.glob("*.json")), ids=lambda file: file.stem)
def test_a_golden_journal_leads_where_it_led(file):
    """The journals of every release, played by today's core under the rules that they began with, lead to the states they led to."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["rules"] == RULES_VERSION
    for name, journal in kept["journals"].items():
        rows = [golden.read(row) for row in journal["rows"]]
        played = replay(lambda _: None, rows, stored_program(journal["canonical"]))
        state = played[-1].commit.after.state if played else BEGINNING
        assert state == load_state(journal["state"]), name


def test_this_release_writes_its_golden_journals():
    """The set of this release is what it writes: `python -m tests.model.golden` and a fragment in specs/changes where that is meant to change."""
    assert (golden.TRACES / f"{golden.RELEASE}.json").read_text(encoding="utf-8") == golden.text()
