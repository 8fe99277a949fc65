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

DEPTH = 4
WIDTH = 3
WAITS = 30
NAMES = ("a", "b", "c", "then", "else", "a/b", "a~1b", "~", "/", "é")

Children: TypeAlias = tuple[Any, ...]  # components; a user would write a Workflow where a Definition stands here
Named: TypeAlias = Callable[[str], Component]


@frozen
class Nested:
    """Something that carries a definition, as a Workflow does."""

    definition: Definition


def never_called(_step_input: StepInput) -> None:
    """Stand for user code, which the core never calls."""
    raise AssertionError


def reviews(errors: list[OnError | None], *rejections: OnReject) -> list[HumanReview]:
    """Every review of a component with these error policies and rejections; one in three has a gate, or few runs would get far."""
    return [
        HumanReview(requires_confirmation=asks, on_reject=on_reject, on_error=on_error)
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


def group(settings: tuple[str, HumanReview], steps: Children) -> Named:
    """A Steps, a Step that runs a workflow, or a bare nested workflow."""
    kind, review = settings
    if kind == "steps":
        return lambda name: Steps(name, steps, human_review=review)
    if kind == "step":
        return lambda name: Step(name, workflow=Nested(Definition("inner", steps)), human_review=review)
    return lambda name: Definition(name, steps)


def fork(settings: tuple[HumanReview, OnInterrupt | None], then: Children, other: Children) -> Named:
    """A Condition, with or without an else branch."""
    review, interrupt = settings
    return lambda name: Condition(name, then, other, on_interrupt=interrupt, human_review=review)


@cache
def lists(depth: int) -> st.SearchStrategy[Children]:
    """Lists of components of at most this depth, each with its own name; most of them have several."""
    kinds: list[st.SearchStrategy[Named]] = [st.builds(leaf, st.sampled_from(list(product(STEPS, INTERRUPTS))))]
    if depth > 1:
        inside = lists(depth - 1)
        groups = st.sampled_from(list(product(["steps", "step", "workflow"], GROUPS)))
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


@st.composite
def settled(draw: st.DrawFn, kind: str, *, calm: bool = False) -> HumanReview:
    """A review that a component of this kind supports; a calm one never lets an error out, so that it may stand in a Parallel."""

    def want() -> bool:
        return draw(st.sampled_from([False, False, False, True]))

    asks: dict[str, Any] = {"requires_confirmation": want()}
    rejections: list[Any] = [None, OnReject.skip, OnReject.cancel]
    if kind == "step" and want():
        asks["requires_user_input"] = True
    if kind == "router" and draw(st.booleans()):
        asks["requires_user_input"] = True
    if kind in ("step", "router") and draw(st.booleans()):
        asks |= {"requires_output_review": draw(st.sampled_from([True, judge])), "max_retries": draw(st.integers(0, 2))}
        rejections += [OnReject.retry] * 3
    if kind == "loop" and draw(st.booleans()):
        asks["requires_iteration_review"] = True
        rejections += [OnReject.retry] * 3
    if kind == "condition":
        rejections.append(OnReject.else_branch)
    errors = [OnError.skip, OnError.pause] if calm else INHERITED if kind == "step" else SET
    deadline: dict[str, Any] = {}
    if want():
        ways = [OnTimeout.cancel, OnTimeout.skip] + ([] if asks.get("requires_user_input") else [OnTimeout.approve])
        deadline = {"timeout": 1.5, "on_timeout": draw(st.sampled_from(ways))}
    return HumanReview(**asks, on_reject=draw(st.sampled_from(rejections)), on_error=draw(st.sampled_from(errors)), **deadline)


@st.composite
def member(draw: st.DrawFn, name: str, depth: int, *, calm: bool = False) -> Component:  # noqa: PLR0911  # one for each kind
    """One component of any kind, at most `depth` deep. In a Parallel (`calm`) every component keeps its errors to itself."""
    kinds = ["step"] if depth == 1 else ["step", "steps", "inner", "condition", "loop", "router", "parallel"]
    kind = draw(st.sampled_from(kinds))
    review = draw(settled(kind, calm=calm))
    interrupt = draw(st.sampled_from([None, OnInterrupt.retry, OnInterrupt.pause] if calm else INTERRUPTS))
    if kind == "step":
        return Step(name, never_called, on_interrupt=interrupt, human_review=review, max_retries=draw(st.integers(0, 1)))
    if kind == "parallel":
        branches = draw(members(depth - 1, least=1, calm=True))
        alone = not calm and "Parallel(" not in repr(branches)  # no claim says which of several that wait begins first
        limit = draw(st.sampled_from([None, 1, 2])) if alone else None
        return Parallel(*branches, name=name, human_review=review, max_concurrency=limit)
    children = draw(members(depth - 1, least=kind in ("loop", "router"), calm=calm))
    if kind == "steps":
        return Steps(name, children, human_review=review)
    if kind == "inner":
        return Step(name, workflow=Nested(Definition("inner", children)), human_review=review)
    if kind == "condition":
        other = draw(members(depth - 1, calm=calm))
        return Condition(name, children, other, on_interrupt=interrupt, human_review=review)
    if kind == "loop":
        tests, forwards = draw(st.sampled_from([None, never_called])), draw(st.booleans())
        return Loop(
            name, children, draw(st.integers(1, 3)), tests,
            forward_iteration_output=forwards, on_interrupt=interrupt, human_review=review,
        )  # fmt: skip
    selector = None if review.requires_user_input else never_called
    return Router(name, children, selector, on_interrupt=interrupt, human_review=review)


@st.composite
def members(draw: st.DrawFn, depth: int, *, least: int = 0, calm: bool = False) -> Children:
    """A list of components of any kind, each with its own name."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=least, max_size=WIDTH - (depth < DEPTH)))
    return tuple(draw(member(name, depth, calm=calm)) for name in names)


def families(depth: int = DEPTH) -> st.SearchStrategy[Definition]:
    """Workflows of every kind of component, at most `depth` deep."""
    return members(depth, least=1).map(lambda steps: Definition("flow", steps))
