"""What `check` says about the payment of the examples (AUTH-8): proved without its escalation, refuted as it is, and cheap for any k."""

from __future__ import annotations

from typing import Any, cast

import pytest
from attrs import evolve

from statecore import Approval, Condition, Step, Workflow
from statecore.check import check
from statecore.check.wording import Verdict
from statecore.examples import payment

TWO = "never ran(pay) unless confirmed(pay) by 2 of finance not by requester"


def variant(**changed: Any) -> Workflow:
    """The payment with another approval."""
    [step] = payment.workflow.definition.steps
    approval = evolve(cast("Any", step).human_review.approval, **changed)
    return Workflow("payment", [Step("pay", payment.pay, requires_confirmation=True, on_reject="cancel", approval=approval)])


def found(workflow: Workflow, text: str = TWO) -> Any:
    """The finding about a property."""
    return check(workflow, [text])[text]


@pytest.mark.spec("AUTH-8")
def test_the_payment_is_refuted_by_its_escalation_alone():
    """As it is the CFO is one of those who open it, a day later; without the escalation two of finance are proved, and with no exclusion refuted."""
    refuted = found(payment.workflow)
    assert (refuted.verdict, refuted.events[-1].trigger) == (Verdict.refuted, "confirm")
    assert "role:cfo" in refuted.why
    assert "24 h after the question was put" in refuted.why
    assert found(variant(escalate=())).verdict is Verdict.proved
    assert found(variant(escalate=(), exclude=())).verdict is Verdict.refuted


@pytest.mark.spec("AUTH-8")
def test_the_payment_behind_a_gate_in_one_branch_is_refuted():
    """The gate that only one branch of a Condition has leaves a way around it."""
    gate = Step("approve", payment.pay, requires_confirmation=True, on_reject="cancel", approval=Approval(2, of="role:finance"))
    flow = Workflow("payment", [Condition("large", [gate], evaluator=payment.people), Step("pay", payment.pay)])
    assert found(flow, TWO.replace("confirmed(pay)", "confirmed(approve)")).verdict is Verdict.refuted


@pytest.mark.spec("AUTH-8")
def test_twenty_people_are_as_cheap_as_one():
    """K = 20 takes at most 30 situations more than k = 1."""
    one, many = (check(variant(k=k, escalate=()), [f"never ran(pay) unless confirmed(pay) by {k} of finance"]) for k in (1, 20))
    assert 0 <= many.situations - one.situations <= 30
    assert {each.verdict for each in (*one.findings, *many.findings) if not each.builtin} == {Verdict.proved}
