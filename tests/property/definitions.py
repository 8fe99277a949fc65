"""Hypothesis strategies of definitions, and of the answers that the world gives a run.

Names are unique in each list and include those that an address has to escape, and the words that it uses itself. Settings are drawn
from the list of all combinations, the plainest first. `answers` are bytes: each picks one of the words that may answer what the run
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
    OnError,
    OnInterrupt,
    OnReject,
    Step,
    StepInput,
    Steps,
)

DEPTH = 4
WIDTH = 3
WAITS = 40
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


def reviews(*rejections: OnReject) -> list[HumanReview]:
    """Every review of a component that supports these rejections; half of them leave errors to what is around."""
    return [
        HumanReview(requires_confirmation=asks, on_reject=on_reject, on_error=on_error)
        for asks, on_reject, on_error in product([False, True], [None, *rejections], [None, None, None, *OnError])
    ]


PLAIN = reviews(OnReject.skip, OnReject.cancel)
FORKED = reviews(OnReject.else_branch, OnReject.skip, OnReject.cancel)
INTERRUPTS = [None, *OnInterrupt]


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


LEAVES = st.sampled_from(list(product(PLAIN, INTERRUPTS)))
GROUPS = st.sampled_from(list(product(["steps", "step", "workflow"], PLAIN)))
FORKS = st.sampled_from(list(product(FORKED, INTERRUPTS)))


@cache
def lists(depth: int) -> st.SearchStrategy[Children]:
    """Lists of components of at most this depth, each with its own name."""
    kinds: list[st.SearchStrategy[Named]] = [st.builds(leaf, LEAVES)]
    if depth > 1:
        inside = lists(depth - 1)
        kinds += [st.builds(group, GROUPS, inside), st.builds(fork, FORKS, inside, inside)]
    return st.dictionaries(st.sampled_from(NAMES), st.one_of(kinds), max_size=WIDTH if depth == DEPTH else WIDTH - 1).map(named)


def named(makers: dict[str, Named]) -> Children:
    """Give each component its name."""
    return tuple(make(name) for name, make in makers.items())


def definitions(depth: int = DEPTH) -> st.SearchStrategy[Definition]:
    """Workflows of every shape and policy, at most `depth` components deep."""
    return lists(depth).map(lambda steps: Definition("flow", steps))


def answers(waits: int = WAITS) -> st.SearchStrategy[bytes]:
    """One byte for each of the first waits of a run."""
    return st.binary(min_size=waits, max_size=waits)
