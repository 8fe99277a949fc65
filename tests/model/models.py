"""Small workflows with names: the models whose reachable states are counted, and judged by the laws."""

from __future__ import annotations

from typing import Any

from statecore.core import Program
from statecore.definition import Condition, Definition, Step, Steps
from tests.model.definitions import compiled, flow, leaf

GATE: dict[str, Any] = {"requires_confirmation": True}
PAUSE: dict[str, Any] = {"on_error": "pause"}


def models() -> dict[str, Program]:
    """Each model by its name."""
    lists: dict[str, list[Any]] = {
        "nothing": [],
        "one step": [leaf("a")],
        "one gated step": [leaf("a", **GATE)],
        "one pausing step": [leaf("a", **PAUSE)],
        "one skipping step": [leaf("a", on_error="skip")],
        "one gated pausing step": [leaf("a", **GATE, **PAUSE)],
        "a gate that cancels": [leaf("a", **GATE, on_reject="cancel"), leaf("b")],
        "two gated pausing steps": [leaf("a", **GATE, **PAUSE), leaf("b", **GATE, **PAUSE)],
        "an evaluated condition": [Condition("c", [leaf("a")], [leaf("b")]), leaf("d")],
        "a condition without else": [Condition("c", [leaf("a")]), leaf("d")],
        "a pausing condition": [Condition("c", [leaf("a")], [leaf("b")], **PAUSE), leaf("d")],
        "a gated condition": [Condition("c", [leaf("a", **GATE)], [leaf("b")], **GATE), leaf("d")],
        "a gated group that pauses": [Steps("g", [leaf("a"), leaf("b", **GATE)], **GATE, **PAUSE), leaf("c")],
        "a skipping group": [Steps("g", [leaf("a"), leaf("b")], on_error="skip"), leaf("c")],
        "an empty group": [Steps("g", []), leaf("a")],
        "a nested workflow": [Definition("w", (leaf("a", **GATE), leaf("b"))), leaf("c")],
        "a step that runs a workflow": [Step("s", workflow=flow(leaf("a", **PAUSE), leaf("b")), **GATE), leaf("c")],
        "gates at every depth": [Steps("g", [Condition("c", [Steps("h", [leaf("a", **GATE)], **GATE)], **GATE)], **GATE)],
    }
    return {name: compiled(*steps, name=name) for name, steps in lists.items()}
