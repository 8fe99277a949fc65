"""Every definition that differs in what its nodes know: each kind of component, under each combination of its settings.

A new setting needs a line in `VALUES`, a new kind of component one in `SHAPES`; until it has it, `test_tables.py` fails. What an error policy
leaves is a matter of the models (`models.py`); inherited policies make the same facts as own ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any

from statecore.core import Node, Program, compile_definition
from statecore.definition.components import Condition, Definition, Loop, Parallel, Router, Step, Steps
from statecore.definition.fields import OnError, OnInterrupt, OnReject, OnTimeout
from statecore.definition.review import SUPPORTED
from statecore.errors import DefinitionError, UnsupportedSetting


def code(step_input):
    """Stand for user code, which the core never calls."""
    return step_input


def leaf(name: str = "leaf", **settings: Any) -> Step:
    """A step."""
    return Step(name, code, **settings)


def flow(*steps: Any) -> SimpleNamespace:
    """Something that carries a definition, as a Workflow does."""
    return SimpleNamespace(definition=Definition("flow", steps))


DEFINITIONS: dict[str, Definition] = {}
"""A definition of each program that was compiled here, by fingerprint."""


def compiled(*steps: Any, name: str = "model") -> Program:
    """The program of a list of components."""
    definition = Definition(name, tuple(steps))
    program = compile_definition(definition).program
    DEFINITIONS.setdefault(program.fingerprint, definition)
    return program


# the values of each setting that can make a difference to what a node knows
VALUES: dict[str, tuple[Any, ...]] = {
    "requires_confirmation": (False, True),
    "confirmation_message": (None,),
    "allow_edit": (False, True),
    "requires_user_input": (False, True),
    "user_input_message": (None,),
    "user_input_schema": (None,),
    "user_input_check": (None,),
    "allow_multiple_selections": (True,),
    "requires_output_review": (False, True, code),
    "output_review_message": (None,),
    "requires_iteration_review": (False, True),
    "iteration_review_message": (None,),
    "on_reject": (None, *OnReject),
    "on_error": (*OnError,),
    "on_interrupt": (*OnInterrupt,),
    "hitl_max_retries": (1,),
    "timeout": (60,),
    "on_timeout": (*OnTimeout,),
    "dangerous": (False,),
    "approval": (None,),
}
RENAMED = {"max_retries": "hitl_max_retries"}
"""Settings whose flat keyword has another name, because a Step's own keyword has theirs."""

# how a component of each kind is made; a setting that one of them refuses is no legal policy
SHAPES: dict[str, tuple[Callable[..., Any], ...]] = {
    "Step": (lambda **s: leaf("it", max_retries=1, **s), lambda **s: leaf("it", max_retries=1, may_ask=2, **s)),
    "Step(workflow)": (lambda **s: Step("it", workflow=flow(leaf()), **s),),
    "Steps": (lambda **s: Steps("it", [leaf()], **s), lambda **s: Steps("it", [], **s)),
    "Condition": (
        lambda **s: Condition("it", [leaf()], [leaf("other")], evaluator=s["requires_confirmation"] or code, **s),
        lambda **s: Condition("it", [leaf()], evaluator=s["requires_confirmation"] or code, **s),
    ),
    "Loop": (
        lambda **s: Loop("it", [leaf()], max_iterations=2, **s),
        lambda **s: Loop("it", [leaf()], max_iterations=2, end_condition=code, **s),
    ),
    "Router": (
        lambda **s: Router("it", [leaf(), leaf("other")], selector=code, **s),
        lambda **s: Router("it", [leaf(), leaf("other")], **s),
    ),
    "Parallel": (lambda **s: Parallel(leaf(), leaf("other"), name="it", **s),),
    "Workflow": (lambda **_: Definition("it", (leaf(),)),),
}
CALLS = ("Step", "Condition", "Loop", "Router")


def components() -> Iterator[Any]:
    """Each kind, in each shape, under each legal combination of settings."""
    for kind, shapes in SHAPES.items():
        names = [RENAMED.get(name, name) for name in SUPPORTED[kind]] if kind != "Workflow" else []
        names += ["on_interrupt"] if kind in CALLS else []
        for make, values in product(shapes, product(*(VALUES[name] for name in names))):
            try:
                yield fitting(make, dict(zip(names, values, strict=True)))[0]
            except DefinitionError:
                continue


DROPPED = {"timeout", "hitl_max_retries", "allow_multiple_selections", "on_interrupt"}
"""Settings that are always set here: where they can have no effect (GATE-1) the same component is made without them."""


def fitting(make: Callable[..., Any], settings: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """A component under these settings, without those that need something which they do not set; and the settings that are left."""
    try:
        return make(**settings), settings
    except UnsupportedSetting as refused:
        if refused.setting not in DROPPED & settings.keys():
            raise
        return fitting(make, {name: value for name, value in settings.items() if name != refused.setting})


@cache
def programs() -> tuple[Program, ...]:
    """The programs of every component under every legal policy; equal ones once, small ones first."""
    found: dict[str, Program] = {}
    for program in (compiled(component) for component in components()):
        found.setdefault(program.fingerprint, program)
    return tuple(sorted(found.values(), key=lambda program: len(program.nodes)))


@cache
def nodes(machine: str) -> tuple[Node, ...]:
    """One node for each policy that a node of this machine can have: its facts with its limits."""
    found = {
        (node.facts, node.limits): node for program in programs() for node in program.nodes.values() if node.machine == machine
    }
    return tuple(found.values())


@cache
def samples() -> tuple[Program, ...]:
    """Few programs that together have every pair of facts that some node knows: what is explored, where all would be too many.

    Each is taken because it has a pair that none before it had.
    """
    seen: set[tuple[str, str, str]] = set()
    found = []
    for program in programs():
        pairs = {
            (node.kind, pair[0], pair[1])
            for node in program.nodes.values()
            if node.name == "it"
            for pair in product(sorted(node.facts), repeat=2)
        }
        if not pairs <= seen:
            seen |= pairs
            found.append(program)
    return tuple(found)
