"""The workflows that TLC checks: every policy of two steps for the properties, and random ones of every kind for the graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from typing import Any

from statecore.core import Program, compile_definition
from statecore.core.facts import MAX_INTERRUPTS
from statecore.definition import Condition, Definition, Loop, Parallel, Router, Step, Steps
from statecore.errors import DefinitionError, UnsupportedSetting

ON_ERROR = ("fail", "skip", "pause")
DEPTH = 3
LARGEST = 7
"""Nodes of a random workflow, the run itself among them."""


SMALL = 3
"""Nodes of a workflow in which a call's process may die three times, so that the last death is seen (P15)."""


def deaths_of(program: Program) -> int:
    """How often the process of one call may die in this workflow."""
    return MAX_INTERRUPTS if len(program.nodes) <= SMALL else 1


def code(step_input: Any) -> Any:
    """Stand for user code, which nobody calls here."""
    return step_input


def compiled(*steps: Any) -> Program:
    """The program of a list of components."""
    return compile_definition(Definition("flow", steps)).program


def two_steps() -> list[Program]:
    """Two steps under every combination of gate, rejection and error policy."""
    policies: list[dict[str, Any]] = [{"on_error": error} for error in ON_ERROR]
    policies += [
        {"on_error": error, "requires_confirmation": True, "on_reject": reject}
        for error in ON_ERROR
        for reject in ("skip", "cancel")
    ]
    return [compiled(Step("a", code, **one), Step("b", code, **other)) for one, other in product(policies, policies)]


def pausing() -> list[Program]:
    """Each component that calls code or branches, where an error is put to a person, with and without a deadline."""
    leaf, other = Step("x", code), Step("y", code)
    found = []
    deadlines: tuple[dict[str, Any], ...] = ({}, {"timeout": 60, "on_timeout": "approve"}, {"timeout": 60, "on_timeout": "skip"})
    for deadline in deadlines:
        settings: dict[str, Any] = {"on_error": "pause", "on_interrupt": "pause", **deadline}
        asked = {
            **settings,
            "requires_user_input": True,
            "on_timeout": "cancel",
        }  # nothing can be approved for a person who chooses
        judged: dict[str, Any] = {"requires_output_review": code, "on_reject": "retry", "hitl_max_retries": 1}
        found += [
            compiled(Step("a", code, **judged, **settings), leaf),
            compiled(Condition("a", [leaf], [other], code, **settings)),
            compiled(Loop("a", [leaf], max_iterations=2, end_condition=code, requires_iteration_review=True, **settings)),
            compiled(Router("a", [leaf, other], code, **judged, **settings)),
            compiled(Router("a", [leaf, other], **judged, **asked)),
            compiled(Parallel(leaf, other, name="a", requires_confirmation=True, on_error="pause", **deadline)),
        ]
    return found


def asking() -> list[Program]:
    """Code that asks, once and several times at once: alone, tried again, reviewed, with a deadline, and inside of other components."""
    leaf = Step("y", code)
    late: dict[str, Any] = {"timeout": 60, "on_timeout": "skip"}
    return [
        compiled(Step("a", code, may_ask=3), leaf),
        compiled(Step("a", code, may_ask=2, max_retries=1, on_reject="cancel", **late)),
        compiled(Step("a", code, may_ask=1, requires_output_review=True, on_reject="retry", hitl_max_retries=1, on_error="pause")),
        compiled(Step("a", code, may_ask=1, requires_confirmation=True), leaf),
        compiled(Parallel(Step("a", code, may_ask=2), leaf, name="p")),
        compiled(Loop("l", [Step("a", code, may_ask=1, **late)], 2)),
        compiled(Steps("u", [Step("a", code, may_ask=1), leaf], on_error="skip"), Step("z", code)),
    ]


def ending() -> list[Program]:
    """A unit that an error leaves around a Parallel in which a step may say stop, with a gate behind it; and a step that takes another input."""
    left = Steps("u", [Parallel(Step("x", code), Step("y", code), name="p")], on_error="skip")
    amended = Step("a", code, requires_confirmation=True, allow_edit=True, on_error="pause", requires_output_review=code)
    return [compiled(Definition("w", (left,)), Step("z", code, requires_confirmation=True)), compiled(amended, Step("b", code))]


def random_programs(count: int, seed: int) -> Iterator[Program]:
    """`count` different workflows, the same for the same seed."""
    draw = Random(seed)  # noqa: S311  # it chooses examples, not secrets
    seen: set[str] = set()
    while len(seen) < count:
        try:
            program = compiled(*some(draw, draw.randint(1, DEPTH), draw.randint(1, 2)))
        except UnsupportedSetting:  # a deadline that nothing around its component gives an effect
            continue
        if len(program.nodes) <= LARGEST and program.fingerprint not in seen:
            seen.add(program.fingerprint)
            yield program


def some(draw: Random, depth: int, count: int) -> list[Any]:
    """A list of components, no deeper than `depth`."""
    return [one(draw, f"{'abc'[index]}", depth) for index in range(count)]


def one(draw: Random, name: str, depth: int) -> Any:
    """A component under a legal policy; a policy that the component refuses is drawn again."""
    kinds = [step, step] if depth <= 1 else [step, step, steps, nested, condition, condition, loop, router, parallel]
    while True:
        try:
            return draw.choice(kinds)(draw, name, depth - 1)
        except DefinitionError:
            continue


def fitted(make: Callable[..., Any], *parts: Any, **settings: Any) -> Any:
    """A component without those settings that can have no effect beside the others (GATE-1)."""
    try:
        return make(*parts, **settings)
    except UnsupportedSetting as refused:
        if refused.setting not in settings:
            raise
        return fitted(make, *parts, **{name: value for name, value in settings.items() if name != refused.setting})


def policy(draw: Random, *reviews: str) -> dict[str, Any]:
    """Settings of a component; each is drawn seldom, or few runs would get far."""
    found: dict[str, Any] = {}
    for name, values, chance in (
        ("requires_confirmation", (True,), 0.3),
        ("on_reject", ("skip", "cancel", "retry", "else"), 0.4),
        ("on_error", ON_ERROR, 0.5),
        ("timeout", (60,), 0.25),
        ("on_timeout", ("cancel", "skip", "approve"), 0.5),
        *((review, (True, code) if review == "requires_output_review" else (True,), 0.25) for review in reviews),
    ):
        if draw.random() < chance:
            found[name] = draw.choice(values)
    return found


def step(draw: Random, name: str, _depth: int) -> Step:
    """A leaf."""
    more: dict[str, Any] = {"on_interrupt": draw.choice(("retry", "pause", "fail"))} if draw.random() < 0.3 else {}
    more |= {"hitl_max_retries": 1, "max_retries": draw.choice((0, 0, 0, 1))}
    return fitted(Step, name, code, **more, **policy(draw, "requires_output_review", "requires_user_input"))


def steps(draw: Random, name: str, depth: int) -> Steps:
    """A list as one component; now and then an empty one."""
    return fitted(Steps, name, some(draw, depth, draw.choice((0, 1, 2, 2))), **policy(draw))


def nested(draw: Random, name: str, depth: int) -> Any:
    """A workflow in a workflow."""
    return Definition(name, tuple(some(draw, depth, draw.randint(1, 2))))


def condition(draw: Random, name: str, depth: int) -> Condition:
    """A fork, with and without else."""
    then, other, found = some(draw, depth, draw.randint(1, 2)), some(draw, depth, draw.randint(0, 1)), policy(draw)
    return fitted(Condition, name, then, other, evaluator=code, **found)


def loop(draw: Random, name: str, depth: int) -> Loop:
    """A loop of at most two iterations."""
    more: dict[str, Any] = {"end_condition": code} if draw.random() < 0.5 else {}
    more["forward_iteration_output"] = draw.random() < 0.5
    return fitted(Loop, name, some(draw, min(depth, 1), 1), 2, **more, **policy(draw, "requires_iteration_review"))


def router(draw: Random, name: str, depth: int) -> Router:
    """Two choices, of which one or both run."""
    found = policy(draw, "requires_output_review", "requires_user_input")
    selector = None if "requires_user_input" in found else code
    return fitted(Router, name, some(draw, min(depth, 1), 2), selector, hitl_max_retries=1, **found)


def parallel(draw: Random, name: str, depth: int) -> Parallel:
    """Two branches at once."""
    return fitted(Parallel, *some(draw, min(depth, 1), 2), name=name, **policy(draw))
