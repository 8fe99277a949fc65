"""When a gate, or a policy, is weaker than another: a table of orders. In each of them the strongest comes first (GATE-8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .program import Node
    from .rule import Rule

GATES: dict[str, tuple[frozenset[str], ...]] = {
    "confirmation": (frozenset({w.needs_confirmation}),),
    "user_input": (frozenset({w.needs_input}),),
    "route": (frozenset({w.person_chooses}),),
    "output_review": (frozenset({w.needs_review}), frozenset({w.judges_output})),
    "iteration_review": (frozenset({w.reviews_iterations}),),
}
"""For each kind of question, the facts under which it is certain, and those under which a predicate may spare it."""

ORDERS: dict[str, tuple[frozenset[str], ...]] = {
    "the output review": (frozenset({w.needs_review}), frozenset({w.judges_output})),
    "a no at the gate": (frozenset({w.reject_cancels}), frozenset({w.reject_skips}), frozenset({w.reject_takes_else})),
    "a no at the review": (frozenset({w.review_cancels}), frozenset({w.review_retries}), frozenset({w.review_skips})),
    "an error": (frozenset({w.error_pauses, w.error_fails}), frozenset({w.error_skips})),
    "a death": (frozenset({w.interrupt_pauses, w.interrupt_fails}), frozenset({w.interrupt_retries})),
}
SILENCE = (frozenset({w.timeout_cancels}), frozenset({w.timeout_skips}), frozenset({w.timeout_approves}))
ASKS_FIRST = frozenset({w.needs_confirmation, w.needs_input, w.needs_route})
REVIEWS = frozenset({w.needs_review, w.judges_output, w.reviews_iterations})
RELEVANT = {"a no at the gate": ASKS_FIRST | {w.may_ask}, "a no at the review": REVIEWS}
"""A no is compared only where there is a question to say it to."""


COMMENTS = ("", "on_reject", "always")
"""The words of a vote that a rule may ask a comment of, the weakest first."""


def has_gate(node: Node, kind: str) -> bool:
    """Whether a component puts a question of this kind, always or where a predicate says so."""
    return any(node.facts & facts for facts in GATES[kind])


def weakened(old: Node, new: Node, *, has_deadline: bool = False) -> Iterator[str]:
    """The weaker settings of a component in the new definition, in words. `has_deadline`: an open question there has one."""
    for says, order in ORDERS.items():
        wanted = RELEVANT.get(says)
        asked = wanted is None or (old.facts & wanted and new.facts & wanted)
        if asked and rank(new, order) > rank(old, order):
            yield says
    if silence(new, has_deadline=has_deadline) > silence(old, has_deadline=has_deadline):
        yield "the silence"
    if is_weaker(old.rule, new.rule):
        yield "the approval"
    if w.reviews_iterations in old.facts & new.facts and w.tests_end in new.facts - old.facts:
        yield "the iteration review"


def rank(node: Node, order: tuple[frozenset[str], ...]) -> int:
    """Where a component stands in an order: 0 is the strongest, which also holds where the order says nothing of it."""
    return next((place for place, facts in enumerate(order) if node.facts & facts), 0)


def silence(node: Node, *, has_deadline: bool) -> int:
    """The consequence of a passed deadline; without a deadline nothing passes."""
    return rank(node, SILENCE) if has_deadline or node.limits.timeout is not None else 0


def is_weaker(old: Rule | None, new: Rule | None) -> bool:
    """Whether an approval asks for less: fewer people, seats, exclusions or comments, other people, more ways to stand in for them; or for nothing."""
    if old is None or new is None:
        return old is not None
    less = (
        new.k < old.k,
        any(new.also.count(each) < old.also.count(each) for each in old.also),
        old.requester and not new.requester,
        not set(old.gates) <= set(new.gates),
        COMMENTS.index(new.comment) < COMMENTS.index(old.comment),
        old.identified and not new.identified,
        old.no_holds is not new.no_holds,
        widened(old.of, new.of),
        old.via is not None and (new.via is None or not set(new.via) <= set(old.via)),
        not set(new.delegates) <= set(old.delegates),
        not set(new.escalations) <= set(old.escalations),
        any(each.k is not None or each.instead for each in set(old.escalations) - set(new.escalations)),
    )
    return any(less)


def widened(old: tuple[str, ...] | None, new: tuple[str, ...] | None) -> bool:
    """Whether people or roles may decide who might not before; () is every person, and a callable may name any."""
    if old in ((), new):
        return False
    return not new or old is None or not set(new) <= set(old)
