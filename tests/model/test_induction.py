"""The invariants hold for any number of components, retries and deaths, and z3 says which row breaks one."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest
from attrs import evolve

from specs.model import induction
from specs.model.induction import Condition, binding, conditions, main
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
    monkeypatch.setattr(induction, "binding", lambda: {("step", "CONF-1 a claim"): "a row", ("step", "RUN-1 another"): None})
    said = "step: CONF-1 a claim: inductive: broken by a row\nstep: RUN-1 another: by construction\n"
    assert main() == 0
    assert capsys.readouterr().out == f"{len(of_now())} of {len(of_now())} conditions proved\n{said}"
    monkeypatch.setattr(induction, "conditions", lambda: [Condition("step", "a row", "CONF-1 a claim", proved=False)])
    assert main() == 1
    assert capsys.readouterr().out == f"not proved: step: a row: CONF-1 a claim\n0 of 1 conditions proved\n{said}"


def test_every_row_has_conditions():
    """Each row of each lifecycle makes as many conditions as there are invariants: a new row cannot be forgotten."""
    for name in set(TABLES) - {"run"}:
        found = Counter(each.row for each in of_now() if each.machine == name)
        assert len(found) == len(TABLES[name].rows) + len(("beginning", "start", "finish"))
        assert len(set(found.values())) == 1


CONSTRUCTED = {
    "RUN-1 the place is in the list",
    "RUN-1 nothing after the place has begun",
    "RUN-1 everything before the place is over",
    "PAR-3 a run is paused if it waits for a person",
    "RUN-4 a run that waits for a call runs",
    "RUN-4 past the last component the run is over or ends",
    "RUN-2 retries never exceed what was asked for",
    "CRASH-2 deaths are counted",
    "CANCEL-1 a cancelled component cancels the run",
    "SKIP-1 a skipped step gives None",
    "RUN-1 a completed step gives its output",
}
"""Invariants that `after` writes, whatever the tables are: they say nothing of the tables, and other checks carry these claims."""


def test_the_tables_keep_half_of_the_invariants_and_the_model_the_others():
    """Of a step's invariants each is broken by some row that is sent elsewhere, but for those that hold by construction: these are listed."""
    found = binding({"step": TABLES["step"]})
    assert {name for (_, name), row in found.items() if row is None} == CONSTRUCTED
    inductive = sum(row is not None for row in found.values())
    assert differing(inductive=inductive, constructed=len(CONSTRUCTED)) == {}


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
