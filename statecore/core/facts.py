"""The few facts that a cursor knows rather than its node, by the trigger that needs them. Pure; one family of guards each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from collections.abc import Callable

    from .program import Node
    from .state import Cursor, Death

MAX_INTERRUPTS = 3
"""A call that was interrupted this often with nothing beside it stops and asks a person, whatever its policy (P15)."""
MAX_DEATHS = 6
"""A call whose process died this often, whatever was beside it, does the same."""

ERRORS = frozenset({w.error_fails, w.error_skips, w.error_pauses})
ITERATION = frozenset({w.tests_end, w.reviews_iterations, w.loops_again})
ENDS_EARLY = frozenset({w.iterations_spent, w.keeps_output})
"""The fact of a component whose child said stop: it is over as it stands."""


def after_interrupt(node: Node, cursor: Cursor) -> frozenset[str]:
    """The policy for an interrupted call; after `MAX_INTERRUPTS` interruptions in a row a person is asked."""
    return node.facts if cursor.marks.interrupts + 1 < MAX_INTERRUPTS else asking(node)


def after_death(node: Node, cursor: Cursor, death: Death) -> frozenset[str]:
    """The policy for a call whose process died; a person is asked after three deaths in which it was alone, or six in all (RUN-13)."""
    marks = cursor.marks
    is_spent = marks.interrupts + (death == "alone") >= MAX_INTERRUPTS or marks.deaths + 1 >= MAX_DEATHS
    return asking(node) if is_spent else node.facts


def asking(node: Node) -> frozenset[str]:
    """The facts of a node whose interrupted call is put to a person, whatever its policy."""
    return node.facts - {w.interrupt_retries, w.interrupt_fails} | {w.interrupt_pauses}


def after_error(node: Node, cursor: Cursor) -> frozenset[str]:
    """Automatic retries come before the error policy, where the step's own code failed."""
    if cursor.phase == w.running and cursor.marks.retries < node.limits.retries:
        return node.facts - ERRORS | {w.retries_left}
    return node.facts


def knows(node: Node, guard: str) -> bool:
    """Whether the lifecycle of a node has a row with this guard."""
    return guard in TABLES[node.machine].guards


def after_rejection(node: Node, cursor: Cursor) -> frozenset[str]:
    """A rejected review is run again at most as often as the limit says, where the lifecycle knows one; a Router chooses anew."""
    if cursor.phase != w.awaiting_review or w.review_retries not in node.facts or not knows(node, w.reviews_spent):
        return node.facts
    rest = node.facts - {w.review_retries}
    if cursor.marks.reviews >= node.limits.reviews:
        return rest | {w.reviews_spent}
    if not knows(node, w.person_rechooses):
        return node.facts
    return rest | {w.person_rechooses if w.person_chooses in node.facts else w.selector_rechooses}


def after_failure(node: Node, _cursor: Cursor) -> frozenset[str]:
    """Here is where the run had failed."""
    if knows(node, w.choice_failed):
        return node.facts | {w.choice_failed if w.person_chooses in node.facts else w.selector_failed}
    return node.facts | {w.failed_here}


def after_iteration(node: Node, iteration: int) -> frozenset[str]:
    """The successor of an iteration of a Loop: the end, its end condition, its review, or the next one."""
    rest = node.facts - ITERATION
    if iteration + 1 >= node.limits.iterations:
        return rest | {w.iterations_spent}
    if w.tests_end in node.facts:
        return rest | {w.tests_end}
    return node.facts


def after_answer(node: Node, cursor: Cursor) -> frozenset[str]:
    """Whether this answer is the last one that the code of a step waits for."""
    return node.facts | {w.answers_missing if len(cursor.marks.open) > 1 else w.answers_complete}


def after_asking(node: Node, cursor: Cursor) -> frozenset[str]:
    """Code that has asked as often as it may in this visit asks no more (ASK-4)."""
    return node.facts if cursor.marks.asked < node.limits.asks else node.facts - {w.may_ask}


CURSOR_FACTS: dict[str, Callable[[Node, Cursor], frozenset[str]]] = {
    w.interrupt: after_interrupt,
    w.fail: after_error,
    w.reject: after_rejection,
    w.resume: after_failure,
    w.answer: after_answer,
    w.ask: after_asking,
}
