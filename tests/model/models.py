"""Small workflows with names: the models whose reachable states are counted, and judged by the laws."""

from __future__ import annotations

from functools import cache
from typing import Any

from statecore.core import Program
from statecore.core.facts import MAX_INTERRUPTS
from statecore.definition.components import Condition, Definition, Loop, Parallel, Router, Step, Steps
from tests.model.definitions import code, compiled, flow, leaf, samples
from tests.model.explore import Graph, explore

GATE: dict[str, Any] = {"requires_confirmation": True}
PAUSE: dict[str, Any] = {"on_error": "pause"}
INPUT: dict[str, Any] = {"requires_user_input": True}
REVIEW: dict[str, Any] = {"requires_output_review": True, "on_reject": "retry", "hitl_max_retries": 1}
JUDGE: dict[str, Any] = {"requires_output_review": code, "on_reject": "retry", "hitl_max_retries": 1}
ROUND: dict[str, Any] = {"requires_iteration_review": True, "on_reject": "retry"}
LATE: dict[str, Any] = {"timeout": 60}


@cache
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
    return {name: compiled(*steps, name=name) for name, steps in (lists | others() | expiring() | parallels()).items()}


def others() -> dict[str, list[Any]]:
    """Input, reviews, deadlines, automatic retries, loops and routers."""
    return {
        "a step that needs input": [leaf("a", **INPUT, **LATE, on_timeout="skip"), leaf("b")],
        "a reviewed step": [leaf("a", **REVIEW), leaf("b")],
        "a judged pausing step with a deadline": [leaf("a", **JUDGE, **PAUSE, **LATE, on_timeout="approve")],
        "a step that is tried three times": [leaf("a", max_retries=2, retry_delay=1, backoff=2), leaf("b")],
        "a loop": [Loop("l", [leaf("a"), leaf("b")], 2), leaf("c")],
        "a loop that forwards": [Loop("l", [leaf("a")], 3, forward_iteration_output=True), leaf("c")],
        "a tested loop": [Loop("l", [leaf("a")], 2, code, **PAUSE), leaf("b")],
        "a reviewed loop of gates": [Loop("l", [leaf("a", **GATE)], 2, **ROUND, **GATE, **LATE), leaf("b")],
        "a loop in a loop": [Loop("l", [Loop("m", [leaf("a")], 2)], 2)],
        "a router": [Router("r", [leaf("a"), leaf("b", **GATE)], code), leaf("c")],
        "a router that people steer": [Router("r", [leaf("a"), leaf("b")], **GATE, **REVIEW, **INPUT), leaf("c")],
        "a judged router that pauses": [Router("r", [leaf("a", on_error="fail")], code, **JUDGE, **PAUSE)],
        "a loop in a router": [Router("r", [Loop("l", [leaf("a", **GATE)], 2, **ROUND), leaf("b")], code)],
        "a router in a loop": [Loop("l", [Router("r", [leaf("a", **GATE), leaf("b")], **INPUT)], 2)],
        "a loop that is left": [Loop("l", [Condition("c", [leaf("a")]), leaf("b", **GATE)], 2, on_error="skip"), leaf("d")],
        "a nested workflow in a loop": [Loop("l", [Definition("w", (leaf("a"), leaf("b")))], 2)],
    }


def expiring() -> dict[str, list[Any]]:
    """What asks after an error, under each way to expire: three policies together, which pairs of facts do not promise."""
    found: dict[str, list[Any]] = {}
    for way in ("cancel", "skip", "approve"):
        late: dict[str, Any] = {**PAUSE, **LATE, "on_timeout": way}
        found[f"a condition that expires: {way}"] = [Condition("c", [leaf("a", on_error="fail")], evaluator=code, **late)]
        found[f"a tested loop that expires: {way}"] = [Loop("l", [leaf("a", on_error="fail")], 2, code, **late)]
        found[f"a judged router that expires: {way}"] = [Router("r", [leaf("a", on_error="fail")], code, **JUDGE, **late)]
        if way != "approve":
            steered = Router("r", [leaf("a", on_error="fail")], **INPUT, **JUDGE, **late)
            found[f"a steered router that expires: {way}"] = [steered]
    return found


def parallels() -> dict[str, list[Any]]:
    """Branches beside each other, with everything that can happen in them."""
    two = (leaf("a", **GATE), leaf("b", **PAUSE))
    return {
        "two branches": [Parallel(leaf("a"), leaf("b"), name="p"), leaf("c")],
        "three branches, two at once": [Parallel(leaf("a"), leaf("b", **GATE), leaf("c"), name="p", max_concurrency=2)],
        "three branches, one at once": [Parallel(leaf("a"), leaf("b"), leaf("c"), name="p", max_concurrency=1), leaf("d")],
        "a gated parallel": [Parallel(*two, name="p", **GATE, **LATE), leaf("c")],
        "a parallel that skips a branch": [Parallel(Steps("s", [leaf("a"), leaf("b")]), leaf("c"), name="p", on_error="skip")],
        "a parallel that pauses for a branch": [Parallel(Steps("s", [leaf("a"), leaf("b")]), leaf("c"), name="p", **PAUSE)],
        "a unit around a parallel": [Steps("u", [Parallel(*two, leaf("c"), name="p")], on_error="skip"), leaf("d")],
        "a pausing unit around a parallel": [Steps("u", [Parallel(leaf("a"), leaf("b"), name="p")], **PAUSE), leaf("d")],
        "a parallel in a nested workflow": [
            Definition("w", (Parallel(Steps("s", [leaf("a"), leaf("b")]), leaf("c"), name="p"),)),
            leaf("d"),
        ],
        "a nested workflow in a branch": [Parallel(Definition("w", (leaf("a"), leaf("b"))), leaf("c", **GATE), name="p")],
        "a parallel in a parallel": [Parallel(Parallel(leaf("a"), leaf("b"), name="q"), leaf("c"), name="p")],
        "a loop in a branch": [Parallel(Loop("l", [leaf("a")], 2, code), leaf("b", **REVIEW), name="p")],
        "a parallel in a loop": [Loop("l", [Parallel(leaf("a"), leaf("b", **GATE), name="p")], 2, on_error="skip"), leaf("c")],
        "a router in a branch": [Parallel(Router("r", [leaf("a"), leaf("b")], **INPUT), leaf("c"), name="p")],
        "a parallel in a router": [Router("r", [Parallel(leaf("a"), leaf("b"), name="p"), leaf("c")], code, on_error="skip")],
        "a branch that is tried again": [Parallel(leaf("a", max_retries=1), leaf("b", **GATE), name="p")],
    }


def deaths_in(program: Program) -> int:
    """How many deaths of one call are explored: all, but one where branches multiply them, or loops and routers do."""
    return 1 if {"parallel", "loop", "router"} & {node.kind for node in program.nodes.values()} else MAX_INTERRUPTS


@cache
def explored(name: str) -> Graph:
    """The graph of a model."""
    program = models()[name]
    return explore(program, deaths=deaths_in(program))


@cache
def sampled() -> tuple[Graph, ...]:
    """The graphs of the sampled policies, each call dying once at most."""
    return tuple(explore(program, deaths=1) for program in samples())
