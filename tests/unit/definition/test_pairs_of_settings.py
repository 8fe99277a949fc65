"""Each setting alone, and each pair of settings, is refused by name or changes what the workflow is (GATE-1)."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from statecore import Approval, Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.definition.review import SUPPORTED
from statecore.errors import DefinitionError

FLAT = {"max_retries": "hitl_max_retries", "timeout": "hitl_timeout"}
VALUES: dict[str, Any] = {
    "requires_confirmation": True,
    "confirmation_message": "Well?",
    "allow_edit": True,
    "requires_user_input": True,
    "user_input_message": "Well?",
    "user_input_schema": [{"name": "n", "field_type": "int"}],
    "user_input_check": lambda _: True,
    "allow_multiple_selections": True,
    "requires_output_review": True,
    "output_review_message": "Well?",
    "requires_iteration_review": True,
    "iteration_review_message": "Well?",
    "on_reject": "cancel",
    "on_error": "pause",
    "hitl_max_retries": 1,
    "hitl_timeout": 5.5,
    "on_timeout": "skip",
    "dangerous": True,
    "approval": Approval(2, of="role:finance"),
    "on_interrupt": "pause",
    "version": 3,
    "max_retries": 2,
    "retry_delay": 1.0,
    "max_concurrency": 1,
    "forward_iteration_output": True,
}
"""Another value than the default, by setting."""
OWN = {
    "Step": ("on_interrupt", "version", "max_retries", "retry_delay"),
    "Condition": ("on_interrupt",),
    "Loop": ("on_interrupt", "forward_iteration_output"),
    "Router": ("on_interrupt",),
    "Parallel": ("max_concurrency",),
}
"""The settings of code and order, by the component that has them."""
SAME = {
    ("Step", "requires_confirmation", "requires_user_input"): "confirmation and input are one pause (INPUT-3)",
    **{(kind, "on_interrupt", "on_error"): "where an error asks, a death asks, too" for kind in OWN},
}
"""A setting that changes nothing beside another one, and why that is no setting without effect."""


def work(_step_input: object) -> str:
    """Stand for user code."""
    return "x"


def made(kind: str, given: dict[str, Any]) -> Any:
    """A component of a kind with these settings."""
    inside = [Step("work", work)]
    selector: dict[str, Any] = {} if given.get("requires_user_input") else {"selector": lambda _: "work"}
    makers: dict[str, Any] = {
        "Step": lambda: Step("unit", work, **given),
        "Step(workflow)": lambda: Step("unit", workflow=Workflow("inner", inside), **given),
        "Steps": lambda: Steps("unit", inside, **given),
        "Condition": lambda: Condition("unit", inside, **given),
        "Loop": lambda: Loop("unit", inside, max_iterations=2, **given),
        "Router": lambda: Router("unit", [*inside, Step("other", work)], **selector, **given),
        "Parallel": lambda: Parallel(*inside, Step("other", work), name="unit", **given),
    }
    return makers[kind]()


def seen(kind: str, given: dict[str, Any]) -> tuple[Any, ...] | None:
    """All that a workflow with this component is: its canonical form, texts, forms and numbers; None where it is refused by name."""
    try:
        component = made(kind, given)
        program = Workflow("flow", [component]).compiled.program
    except DefinitionError as refusal:
        names = [name for name, flat in FLAT.items() if flat in given]
        if not any(name in str(refusal) for name in [*given, *names]):
            raise
        return None
    shown = [(node.asks, node.form, node.multiple, node.limits) for node in program.nodes.values()]
    return program.canonical, str(shown), component.human_review.user_input_check


@pytest.mark.spec("GATE-1")
@pytest.mark.parametrize("kind", [kind for kind in SUPPORTED if kind != "Workflow"])
def test_settings_alone_and_in_pairs_have_an_effect(kind):
    """A workflow that is accepted would be another one, or refused, without any one of its settings; a refusal names a setting."""
    names = [FLAT.get(name, name) for name in SUPPORTED[kind]] + list(OWN.get(kind, ()))
    known: dict[frozenset[str], tuple[Any, ...] | None] = {}
    for count in (0, 1, 2):
        for chosen in combinations(names, count):
            known[frozenset(chosen)] = seen(kind, {name: VALUES[name] for name in chosen})
    assert known[frozenset()] is not None
    idle = {
        (kind, name, *(chosen - {name}))
        for chosen, found in known.items()
        for name in chosen
        if found is not None and known[chosen - {name}] == found
    }
    assert idle <= set(SAME)
    assert sum(found is not None for found in known.values()) >= len(names) // 2
