"""The invariants hold for any number of components, retries and deaths, and z3 says which row breaks one."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from attrs import evolve

from specs.model import induction
from specs.model.induction import Condition, conditions, main
from specs.tools.evidence import differing
from statecore.lifecycles import TABLES, Row
from statecore.lifecycles import words as w


@cache
def of_now():
    """The conditions of the tables as they are; z3 is asked once."""
    return tuple(conditions())


@cache
def unproved():
    """With one more row for each claim: the claims that some row breaks, with that row."""
    step = TABLES["step"]
    found = conditions({"step": evolve(step, rows=(*step.rows, *BROKEN.values()))})
    return {(each.row, each.invariant.split()[0]) for each in found if not each.proved}


def test_every_row_preserves_every_invariant():
    """All conditions are proved, for every lifecycle of a component."""
    assert [each for each in of_now() if not each.proved] == []
    assert differing(conditions=len(of_now())) == {}


def test_the_command_counts_what_is_proved(capsys, monkeypatch):
    """`python -m specs.model.induction` prints the sum, and fails and names what is not proved."""
    monkeypatch.setattr(induction, "conditions", of_now)
    assert main() == 0
    assert capsys.readouterr().out == f"{len(of_now())} of {len(of_now())} conditions proved\n"
    monkeypatch.setattr(induction, "conditions", lambda: [Condition("step", "a row", "CONF-1 a claim", proved=False)])
    assert main() == 1
    assert capsys.readouterr().out == "not proved: step: a row: CONF-1 a claim\n0 of 1 conditions proved\n"


def test_every_row_has_conditions():
    """Each row of each lifecycle makes as many conditions as there are invariants: a new row cannot be forgotten."""
    for name in set(TABLES) - {"run"}:
        found = Counter(each.row for each in of_now() if each.machine == name)
        assert len(found) == len(TABLES[name].rows) + len(("beginning", "start", "finish"))
        assert len(set(found.values())) == 1


# claim -> a row of a step that breaks it
BROKEN = {
    "CONF-1": Row(w.pending, w.enter, w.running, w.needs_confirmation, "-"),
    "CONF-3": Row(w.awaiting_confirmation, w.reject, w.completed, w.reject_skips, "-"),
    "CONF-4": Row(w.awaiting_confirmation, w.reject, w.skipped, w.reject_cancels, "-"),
    "ERR-1": Row(w.running, w.fail, w.failed, w.error_pauses, "-"),
    "ERR-3": Row(w.running, w.fail, w.errored_paused, w.error_skips, "-"),
    "RUN-1": Row(w.awaiting_confirmation, w.expire, w.completed, w.timeout_approves, "-"),
    "RUN-2": Row(w.running, w.fail, w.backing_off, w.error_fails, "-"),
    "REV-1": Row(w.awaiting_review, w.reject, w.running, w.reviews_spent, "-"),
}


@pytest.mark.parametrize("claim", BROKEN)
def test_a_row_that_breaks_a_claim_is_named(claim):
    """With one more row for each claim, exactly conditions of those rows fail, one for its claim among those of each."""
    names = {each: f"{row.source} {row.on} {row.dest} when {row.when}" for each, row in BROKEN.items()}
    assert (names[claim], claim) in unproved()
    assert {broken for broken, _ in unproved()} == set(names.values())
