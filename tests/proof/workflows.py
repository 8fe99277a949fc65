"""Random workflows larger than a model checker sees: any nesting, up to three branches and choices, bounds, up to sixty nodes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from random import Random
from typing import Any
from unittest import mock

from specs.model import programs
from statecore.core import Program
from statecore.definition import Definition, Loop, Parallel, Router, Step, Steps

LARGEST = 60
"""Nodes of a workflow, the run itself among them."""


def loop(draw: Random, name: str, depth: int) -> Loop:
    """A loop of up to three iterations of up to two components."""
    more: dict[str, Any] = {"end_condition": programs.code} if draw.random() < 0.5 else {}
    more["forward_iteration_output"] = draw.random() < 0.5
    more |= programs.policy(draw, "requires_iteration_review")
    inside, most = programs.some(draw, depth, draw.randint(1, 2)), draw.randint(1, 3)
    return programs.fitted(Loop, name, inside, most, **more)


def router(draw: Random, name: str, depth: int) -> Router:
    """Up to three choices."""
    found = programs.policy(draw, "requires_output_review", "requires_user_input")
    selector = None if "requires_user_input" in found else programs.code
    choices = programs.some(draw, depth, draw.randint(1, 3))
    return programs.fitted(Router, name, choices, selector, hitl_max_retries=draw.randint(0, 2), **found)


def parallel(draw: Random, name: str, depth: int) -> Parallel:
    """Up to three branches, some of them bounded."""
    bound = draw.choice((None, None, 1, 2))
    branches, found = programs.some(draw, depth, draw.randint(1, 3)), programs.policy(draw)
    return programs.fitted(Parallel, *branches, name=name, max_concurrency=bound, **found)


def telling() -> list[Program]:
    """Small workflows in which failures, stops and units that are left meet in a Parallel: most mutants of the core show in them."""
    x, y = Step("x", programs.code), Step("y", programs.code)
    both = Parallel(x, Steps("c", [y, Step("z", programs.code)]), name="p")
    gated = Step("g", programs.code, requires_confirmation=True)
    return [
        programs.compiled(Parallel(x, y, gated, name="p", max_concurrency=1)),
        programs.compiled(Definition("w", (Steps("u", [both], on_error="skip"),)), Step("a", programs.code)),
        programs.compiled(Parallel(Steps("c", [Step("f", programs.code, on_error="skip"), y]), x, name="p")),
    ]


def larger(count: int, seed: int, least: int = 2) -> Iterator[Program]:
    """`count` workflows of `least` to sixty nodes, the same for the same seed."""
    draw = Random(seed)  # noqa: S311  # it chooses examples, not secrets
    with ExitStack() as stack:
        for name, own in (("loop", loop), ("router", router), ("parallel", parallel)):
            stack.enter_context(mock.patch.object(programs, name, own))
        found: list[Program] = []
        while len(found) < count:
            program = programs.compiled(*programs.some(draw, draw.randint(2, 5), draw.randint(1, 3)))
            if least <= len(program.nodes) <= LARGEST:
                found.append(program)
    yield from found
