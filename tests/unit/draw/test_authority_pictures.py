"""Pictures and the tree show on each gate who may decide."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from statecore import Approval, Escalate, Step, Workflow, requester


def work(_about: object) -> str:
    """Stand for user code."""
    return "done"


def payout(approval: Approval | None) -> Workflow:
    """A payment behind a review."""
    gate = Step("pay", work, requires_confirmation=True, approval=approval)
    return Workflow("payout", [Step("review", work, requires_confirmation=True), gate])


LINES = [
    (Approval(2, of="role:finance", also="role:legal"), ("2 of role:finance and 1 of role:legal",)),
    (Approval(exclude=[requester, "review"]), ("1 of anybody", "not the requester, deciders of review")),
    (Approval(of=lambda _run_context: ["ann"]), ("1 of people to be named",)),
    (
        Approval(of=["ann", "bob"], escalate=[Escalate(timedelta(hours=36), "role:cfo", k=2), Escalate(7200, "dan", instead=True)]),
        ("1 of ann or bob", "after 2 h only dan", "after 36 h role:cfo, too, 2 needed"),
    ),
]


@pytest.mark.parametrize(("approval", "lines"), LINES)
def test_a_gate_shows_its_rule(approval, lines):
    """Each line of the rule stands in the box of the question, in the tree and in every picture; the gate beside it has none of them."""
    workflow, bare = payout(approval), payout(None)
    for form in ("tree", "mermaid", "dot", "svg"):
        shown, before = format(workflow, form), format(bare, form)
        for line in lines:
            assert [word for word in re.findall(r"[a-z]+", line) if word not in shown] == []
            assert line not in before
    tree = format(workflow, "tree")
    [gate] = [line for line in tree.splitlines() if "◆ pay?" in line]
    assert all(line in gate for line in lines)


def test_required_identity_is_shown():
    """A workflow that requires identity says so at each of its questions."""
    workflow = Workflow("payout", [Step("pay", work, requires_confirmation=True)], require_identity=True)
    assert "1 of anybody · identified people only" in format(workflow, "tree")
