"""`check` knows people by the rule of a gate: PROVED for all people, any k and any time, or REFUTED with people who show it (AUTH-8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from statecore import Approval, Condition, Escalate, Step, Workflow, requester
from statecore.check import check, confirmed, never, parse, ran
from statecore.check.wording import Verdict
from statecore.errors import InvalidProperty

TWO = "never ran(pay) unless confirmed(pay) by 2 of finance"
OTHER = "never ran(pay) unless confirmed(pay) not by requester"
LATER = Escalate(timedelta(hours=24), "role:cfo")


def work(_about: object) -> str:
    """Stand for user code."""
    return "done"


def payout(approval: Approval | None) -> Workflow:
    """The payment."""
    return Workflow("payout", [Step("pay", work, requires_confirmation=True, on_reject="cancel", approval=approval)])


def verdict(workflow: Workflow, text: str) -> Any:
    """The finding about a property."""
    return check(workflow, [text])[text]


FULL: dict[str, Any] = {"k": 2, "of": "role:finance", "also": "role:legal", "exclude": requester}
CASES: list[tuple[Approval | None, str, str]] = [
    (Approval(**FULL), TWO, ""),
    (Approval(**FULL), OTHER, ""),
    (Approval(**FULL), "never ran(pay) unless confirmed(pay) by 1 of legal", ""),
    (Approval(**FULL), "never ran(pay) unless confirmed(pay) by 3", ""),
    (Approval(**FULL), "never ran(pay) unless confirmed(pay) by 2 of finance not by requester", ""),
    (Approval(**FULL), "never ran(pay) unless confirmed(pay) by 3 of finance", "2 of finance and 1 of role:legal open it"),
    (Approval(**FULL), "never ran(pay) unless confirmed(pay) by 4", "3 people open it"),
    (
        Approval(**FULL, escalate=[LATER]),
        TWO,
        "0 of finance and 3 of role:cfo or role:legal open it 24 h after the question was put",
    ),
    (Approval(**FULL, escalate=[LATER]), OTHER, ""),
    (Approval(**FULL, escalate=[Escalate(3600, "role:finance", k=1)]), TWO, "1 of finance"),
    (Approval(**FULL, delegate="role:deputy"), TWO, "role:deputy for one of finance"),
    (Approval(2, of=["role:finance", "ann"]), TWO, "0 of finance and 2 of ann open it"),
    (Approval(2), TWO, "0 of finance and 2 of anybody open it"),
    (Approval(2, of=lambda _run_context: ["role:finance"]), TWO, "anybody"),
    (Approval(2, of="role:finance"), OTHER, "the requester may be one of those who decide"),
    (Approval(of="role:finance"), OTHER, "the requester may decide alone"),
    (None, TWO, "any one person opens it"),
    (None, OTHER, "the requester may decide alone"),
    (None, "never ran(pay) unless confirmed(pay) by 1", ""),
]


@pytest.mark.spec("AUTH-8")
@pytest.mark.parametrize(("approval", "text", "why"), CASES)
def test_people_are_proved_or_refuted(approval, text, why):
    """The rule makes sure of the people, or the story opens the gate without them and the reason says with whom."""
    found = verdict(payout(approval), text)
    assert found.verdict is (Verdict.refuted if why else Verdict.proved)
    assert (why in found.why, [event.trigger for event in found.events][-1:]) == (True, ["confirm"] if why else [])


@pytest.mark.spec("AUTH-8")
def test_a_gate_in_one_branch_is_no_gate():
    """The payment behind a gate that only one branch has is refuted by the run through the other one."""
    gate = Step("approve", work, requires_confirmation=True, on_reject="cancel", approval=Approval(**FULL))
    workflow = Workflow("payout", [Condition("large", [gate], evaluator=work), Step("pay", work)])
    found = verdict(workflow, "never ran(pay) unless confirmed(approve) by 2 of finance")
    assert (found.verdict, [event.trigger for event in found.events]) == (Verdict.refuted, ["start", "refute"])


@pytest.mark.spec("AUTH-8")
def test_a_large_k_costs_no_situation():
    """Twenty people are as cheap as one: the search has the same situations, for the count is the rule's."""
    one, many = (
        check(payout(Approval(k, of="role:finance")), [f"never ran(pay) unless confirmed(pay) by {k} of finance"]) for k in (1, 20)
    )
    assert many.situations == one.situations
    assert {found.verdict for found in (*one.findings, *many.findings) if not found.builtin} == {Verdict.proved}


@pytest.mark.spec("AUTH-8")
def test_the_text_and_the_words_of_python_are_one():
    """A property that is written in Python has the text that is parsed to it; people belong to decisions about one step."""
    written = never(ran("pay")).unless(confirmed("pay").by(2, of="finance").not_by_requester())
    assert str(written) == "never ran(pay) unless confirmed(pay) by 2 of finance not by requester"
    assert parse(str(written)) == written
    for text in (
        "never ran(pay) by 2",
        "never ran(pay) unless confirmed(*) by 2",
        "never ran(pay) unless confirmed(pay) by 0",
        "reachable confirmed(pay) by of",
    ):
        with pytest.raises(InvalidProperty):
            parse(text)
