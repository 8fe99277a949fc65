"""Hypothesis strategies of definitions, and of the answers that the world gives a run.

Names are unique in each list and include those that an address has to escape, and the words that it uses itself. Settings are drawn
from the list of all combinations, the plainest first. `answers` are numbers: each picks one of the words that may answer what the run
waits for, 0 the one that goes forward, so that a failing example shrinks to the shortest detour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any, TypeAlias

from attrs import frozen
from hypothesis import strategies as st

from statecore.definition import (
    Component,
    Condition,
    Definition,
    HumanReview,
    Loop,
    OnError,
    OnInterrupt,
    OnReject,
    OnTimeout,
    Parallel,
    Router,
    Step,
    StepInput,
    Steps,
)
from statecore.definition.plain import Nested
from statecore.lifecycles import COMPONENT_KINDS, KINDS, exhaustive

DEPTH = 4
WIDTH = 3
WAITS = 30
NAMES = ("a", "b", "c", "then", "else", "a/b", "a~1b", "~", "/", "é")

Children: TypeAlias = tuple[Any, ...]  # components; a user would write a Workflow where a Definition stands here
Named: TypeAlias = Callable[[str], Component]


def never_called(_step_input: StepInput) -> None:
    """Stand for user code, which the core never calls."""
    raise AssertionError


def reviews(errors: list[OnError | None], *rejections: OnReject) -> list[HumanReview]:
    """Every review of a component with these error policies and rejections; one in three has a gate, or few runs would get far."""
    return [
        HumanReview(requires_confirmation=asks, on_reject=on_reject if asks else None, on_error=on_error)
        for asks, on_reject, on_error in product([False, False, True], [None, *rejections], errors)
    ]


INHERITED: list[OnError | None] = [None, None, None, None, *OnError]  # a step mostly leaves its errors to what is around it,
SET: list[OnError | None] = [
    None,
    OnError.fail,
    OnError.skip,
    OnError.skip,
    OnError.pause,
]  # which mostly has a policy that goes on
STEPS = reviews(INHERITED, OnReject.skip, OnReject.cancel)
GROUPS = reviews(SET, OnReject.skip, OnReject.cancel)
FORKS = reviews(SET, OnReject.else_branch, OnReject.skip, OnReject.cancel)
INTERRUPTS: list[OnInterrupt | None] = [None, *OnInterrupt]


def leaf(settings: tuple[HumanReview, OnInterrupt | None]) -> Named:
    """A step that calls user code."""
    review, interrupt = settings
    return lambda name: Step(name, never_called, on_interrupt=interrupt, human_review=review)


def as_steps(name: str, steps: Children, review: HumanReview) -> Component:
    """A Steps."""
    return Steps(name, steps, human_review=review)


def as_step(name: str, steps: Children, review: HumanReview) -> Component:
    """A Step that runs a workflow."""
    return Step(name, workflow=Nested(Definition("inner", steps)), human_review=review)


def as_workflow(name: str, steps: Children, _review: HumanReview) -> Component:
    """A bare nested workflow, which has no settings."""
    return Definition(name, steps)


def group(settings: tuple[Callable[[str, Children, HumanReview], Component], HumanReview], steps: Children) -> Named:
    """A list of components in one of its three forms."""
    make, review = settings
    return lambda name: make(name, steps, review)


def fork(settings: tuple[HumanReview, OnInterrupt | None], then: Children, other: Children) -> Named:
    """A Condition, with or without an else branch."""
    review, interrupt = settings
    calls = None if review.requires_confirmation else interrupt  # where a person chooses, no code is called that may be interrupted
    return lambda name: Condition(name, then, other, on_interrupt=calls, human_review=review)


@cache
def lists(depth: int) -> st.SearchStrategy[Children]:
    """Lists of components of at most this depth, each with its own name; most of them have several."""
    kinds: list[st.SearchStrategy[Named]] = [st.builds(leaf, st.sampled_from(list(product(STEPS, INTERRUPTS))))]
    if depth > 1:
        inside = lists(depth - 1)
        groups = st.sampled_from(list(product([as_steps, as_step, as_workflow], GROUPS)))
        forks = st.sampled_from(list(product(FORKS, INTERRUPTS)))
        kinds += [st.builds(group, groups, inside), st.builds(fork, forks, inside, inside)]
    names, each = st.sampled_from(NAMES), st.one_of(kinds)
    width = WIDTH if depth == DEPTH else WIDTH - 1
    few, many = st.dictionaries(names, each, max_size=width), st.dictionaries(names, each, min_size=2, max_size=width)
    return st.one_of(few, many, many).map(named)


def named(makers: dict[str, Named]) -> Children:
    """Give each component its name."""
    return tuple(make(name) for name, make in makers.items())


def definitions(depth: int = DEPTH) -> st.SearchStrategy[Definition]:
    """Workflows of every shape and policy, at most `depth` components deep."""
    return lists(depth).map(lambda steps: Definition("flow", steps))


def answers(waits: int = WAITS) -> st.SearchStrategy[list[int]]:
    """A number below 256 for each of the first waits of a run; as one string of bytes, most of them would be all zeros."""
    return st.lists(st.integers(0, 255), min_size=waits, max_size=waits)


# -- the whole family ----------------------------------------------------------------------------------------------------------------


def judge(_output: object) -> bool:
    """Stand for a predicate, which the core never calls."""
    raise AssertionError


@frozen
class Spot:
    """Where a component is drawn, and the settings that were drawn for it."""

    name: str
    depth: int
    calm: bool
    review: HumanReview
    interrupt: OnInterrupt | None


@frozen
class Drawn:
    """How components of a kind are drawn: what makes one, whether it calls code, how often it asks for input, which reviews and policies it has."""

    make: Callable[[st.DrawFn, Spot], Component]
    calls: bool = False
    inputs: st.SearchStrategy[bool] | None = None
    outputs: bool = False
    iterations: bool = False
    rejections: tuple[OnReject, ...] = ()
    errors: list[OnError | None] = SET


@st.composite
def settled(draw: st.DrawFn, drawn: Drawn, *, calm: bool = False) -> HumanReview:
    """A review that a component of this kind supports, without a setting that has no effect (GATE-1).

    A calm one never lets an error out, so that it may stand in a Parallel.
    """
    asks: dict[str, Any] = {"requires_confirmation": draw(RARELY)}
    rejections: list[Any] = [None, OnReject.skip, OnReject.cancel]
    if drawn.inputs is not None and draw(drawn.inputs):
        asks["requires_user_input"] = True
    if drawn.outputs and draw(st.booleans()):
        asks["requires_output_review"] = draw(st.sampled_from([True, judge]))
        rejections += [OnReject.retry] * 3
    if drawn.iterations and draw(st.booleans()):
        asks["requires_iteration_review"] = True
        rejections += [OnReject.retry] * 3
    rejections += drawn.rejections
    errors = [OnError.skip, OnError.pause] if calm else drawn.errors
    on_error, questions = draw(st.sampled_from(errors)), any(asks.values())
    if questions:
        asks["on_reject"] = draw(st.sampled_from(rejections))
    if asks.get("on_reject") is OnReject.retry and "requires_output_review" in asks:
        asks["max_retries"] = draw(st.integers(0, 2))
    if (questions or (drawn.calls and on_error is OnError.pause)) and draw(RARELY):
        ways = [OnTimeout.cancel, OnTimeout.skip] + ([] if asks.get("requires_user_input") else [OnTimeout.approve])
        asks |= {"timeout": 1.5, "on_timeout": draw(st.sampled_from(ways))}
    return HumanReview(**asks, on_error=on_error)


def a_step(draw: st.DrawFn, spot: Spot) -> Component:
    """A step that calls user code."""
    retries = draw(st.integers(0, 1))
    return Step(spot.name, never_called, on_interrupt=spot.interrupt, human_review=spot.review, max_retries=retries)


def a_list(make: Callable[[str, Children, HumanReview], Component]) -> Callable[[st.DrawFn, Spot], Component]:
    """A maker of a list of components in one of its forms."""
    return lambda draw, spot: make(spot.name, draw(members(spot.depth - 1, calm=spot.calm)), spot.review)


def a_condition(draw: st.DrawFn, spot: Spot) -> Component:
    """A Condition with two lists."""
    then, other = draw(members(spot.depth - 1, calm=spot.calm)), draw(members(spot.depth - 1, calm=spot.calm))
    if spot.review.requires_confirmation:
        return Condition(spot.name, then, other, human_review=spot.review)
    return Condition(spot.name, then, other, never_called, on_interrupt=spot.interrupt, human_review=spot.review)


def a_loop(draw: st.DrawFn, spot: Spot) -> Component:
    """A Loop, with or without an end condition."""
    children = draw(members(spot.depth - 1, least=1, calm=spot.calm))
    reviewed, tests = spot.review.requires_iteration_review, draw(st.sampled_from([None, never_called]))
    forwards = (spot.review.on_reject is OnReject.retry or not reviewed) and draw(st.booleans())
    least = 2 if tests is not None or forwards or reviewed else 1
    return Loop(
        spot.name, children, draw(st.integers(least, 3)), tests, forward_iteration_output=forwards,
        on_interrupt=spot.interrupt if tests is not None else None, human_review=spot.review,
    )  # fmt: skip


def a_router(draw: st.DrawFn, spot: Spot) -> Component:
    """A Router whose choices a person or a selector chooses."""
    children = draw(members(spot.depth - 1, least=1, calm=spot.calm))
    selector = None if spot.review.requires_user_input else never_called
    called = selector is not None or spot.review.requires_output_review is judge
    return Router(spot.name, children, selector, on_interrupt=spot.interrupt if called else None, human_review=spot.review)


def a_parallel(draw: st.DrawFn, spot: Spot) -> Component:
    """A Parallel; it has a limit where none is around or inside it."""
    branches = draw(members(spot.depth - 1, least=1, calm=True))
    alone = not spot.calm and "Parallel(" not in repr(branches)  # no claim says which of several that wait begins first
    limit = draw(st.sampled_from([None, 1, 2])) if alone else None
    return Parallel(*branches, name=spot.name, human_review=spot.review, max_concurrency=limit)


RARELY = st.sampled_from([False, False, False, True])
DRAWN: dict[str, Drawn] = {
    "step": Drawn(a_step, calls=True, inputs=RARELY, outputs=True, errors=INHERITED),
    "steps": Drawn(a_list(as_steps)),
    "workflow": Drawn(a_list(as_step)),
    "condition": Drawn(a_condition, calls=True, rejections=(OnReject.else_branch,)),
    "loop": Drawn(a_loop, iterations=True),
    "router": Drawn(a_router, calls=True, inputs=st.booleans(), outputs=True),
    "parallel": Drawn(a_parallel),
}
exhaustive("testing.strategies.DRAWN", DRAWN, (kind.name for kind in COMPONENT_KINDS))


@st.composite
def member(draw: st.DrawFn, name: str, depth: int, *, calm: bool = False) -> Component:
    """One component of any kind, at most `depth` deep. In a Parallel (`calm`) every component keeps its errors to itself."""
    drawn = DRAWN[draw(st.sampled_from([kind for kind in DRAWN if depth > 1 or KINDS[kind].is_leaf]))]
    review = draw(settled(drawn, calm=calm))
    interrupt = draw(st.sampled_from([None, OnInterrupt.retry, OnInterrupt.pause] if calm else INTERRUPTS))
    return drawn.make(draw, Spot(name, depth, calm, review, interrupt))


@st.composite
def members(draw: st.DrawFn, depth: int, *, least: int = 0, calm: bool = False) -> Children:
    """A list of components of any kind, each with its own name."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=least, max_size=WIDTH - (depth < DEPTH)))
    return tuple(draw(member(name, depth, calm=calm)) for name in names)


def families(depth: int = DEPTH) -> st.SearchStrategy[Definition]:
    """Workflows of every kind of component, at most `depth` deep."""
    return members(depth, least=1).map(lambda steps: Definition("flow", steps))
