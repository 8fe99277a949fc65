"""Every definition that differs in what its nodes know: each kind of component, under each combination of its settings.

A new setting needs a line in `VALUES`, a new kind of component one in `SHAPES`; until it has it, `test_tables.py` fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any

from statecore.core import Program, compile_definition
from statecore.definition import Condition, Definition, OnError, OnInterrupt, OnReject, Step, Steps
from statecore.definition.review import SUPPORTED
from statecore.errors import DefinitionError


def code(step_input):
    """Stand for user code, which the core never calls."""
    return step_input


def leaf(name: str = "leaf", **settings: Any) -> Step:
    """A step."""
    return Step(name, code, **settings)


def flow(*steps: Any) -> SimpleNamespace:
    """Something that carries a definition, as a Workflow does."""
    return SimpleNamespace(definition=Definition("flow", steps))


def compiled(*steps: Any, name: str = "model") -> Program:
    """The program of a list of components."""
    return compile_definition(Definition(name, tuple(steps))).program


# the values of each setting that can make a difference to a node
VALUES: dict[str, tuple[Any, ...]] = {
    "requires_confirmation": (False, True),
    "confirmation_message": (None,),
    "on_reject": (None, *OnReject),
    "on_error": (None, *OnError),
    "on_interrupt": (None, *OnInterrupt),
}

# how a component of each kind is made; a setting that one of them refuses is no legal policy
SHAPES: dict[str, tuple[Callable[..., Any], ...]] = {
    "Step": (lambda **s: leaf("it", **s), lambda **s: Step("it", workflow=flow(leaf()), **s)),
    "Steps": (lambda **s: Steps("it", [leaf()], **s), lambda **s: Steps("it", [], **s)),
    "Condition": (lambda **s: Condition("it", [leaf()], [leaf("other")], **s), lambda **s: Condition("it", [leaf()], **s)),
    "Workflow": (lambda **_: Definition("it", (leaf(),)),),
}
CALLS = ("Step", "Condition")


def components() -> Iterator[Any]:
    """Each kind, in each shape, under each legal combination of settings."""
    for kind, shapes in SHAPES.items():
        names = [*SUPPORTED[kind], *(["on_interrupt"] if kind in CALLS else [])]
        for make, values in product(shapes, product(*(VALUES[name] for name in names))):
            try:
                yield make(**dict(zip(names, values, strict=True)))
            except DefinitionError:
                continue


@cache
def programs() -> tuple[Program, ...]:
    """The programs of every component, alone and under every inherited error policy; equal ones once, small ones first."""
    found: dict[str, Program] = {}
    for component in components():
        for around in (None, *OnError):
            steps = component if around is None else Steps("around", [component], on_error=around)
            program = compiled(steps)
            found.setdefault(program.fingerprint, program)
    return tuple(sorted(found.values(), key=lambda program: len(program.nodes)))
