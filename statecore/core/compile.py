"""`compile_definition`: the user's tree becomes a flat program of symbolic addresses. The only module that knows definition and lifecycles.

Policies become facts by tables. A failure is handled where it is set: at the leaf, else at the nearest component around it that sets
`on_error`, else it fails the run (ERR-7); so each leaf's error facts, and the unit that a skip leaves, are known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from statecore.definition.components import Component, Condition, Definition, Step, Steps
from statecore.definition.review import HumanReview
from statecore.definition.words import OnError, OnInterrupt, OnReject
from statecore.errors import DuplicateNames
from statecore.lifecycles import words as w

from .program import ROOT, Address, Kind, Node, Program, assemble, below

CONFIRMATION = {True: w.needs_confirmation, False: w.runs_at_once}
ON_REJECT = {OnReject.skip: w.reject_skips, OnReject.cancel: w.reject_cancels, OnReject.else_branch: w.reject_takes_else}
ON_ERROR = {OnError.fail: w.error_fails, OnError.skip: w.error_skips, OnError.pause: w.error_pauses}
ON_INTERRUPT = {
    OnInterrupt.retry: w.interrupt_retries,
    OnInterrupt.pause: w.interrupt_pauses,
    OnInterrupt.fail: w.interrupt_fails,
}
ELSE = {True: w.has_else, False: w.has_no_else}
INTERRUPT_DEFAULT = {OnError.fail: OnInterrupt.retry, OnError.skip: OnInterrupt.retry, OnError.pause: OnInterrupt.pause}
UNGATED = HumanReview()


@frozen
class Handler:
    """Who decides about an error, and what is left when it is skipped."""

    policy: OnError
    unit: Address


@frozen
class Place:
    """Where a component stands: its address, parent, what comes after it, its position, and the nearest error handler around it."""

    at: Address
    parent: Address
    next: Address
    index: int
    handler: Handler | None


@define
class Draft:
    """The program in the making: nodes and the user's components by address."""

    nodes: dict[Address, Node] = field(factory=dict)
    components: dict[Address, Component] = field(factory=dict)


@frozen
class Compiled:
    """A program, and the user's component at each of its addresses (for drivers, who call it)."""

    program: Program
    components: Mapping[Address, Component]


def compile_definition(definition: Definition) -> Compiled:
    """The program of a definition. Raises `DuplicateNames` where two components of one list share a name."""
    draft = Draft()
    draft.nodes[ROOT] = Node(
        at=ROOT, name=definition.name, kind="run", machine="run", parent=ROOT, next=ROOT, index=0, facts=frozenset(), leaves=ROOT
    )
    first = children(draft, definition.steps, prefix=ROOT, parent=ROOT, handler=None)
    return Compiled(assemble(definition.name, draft.nodes, first), draft.components)


def children(draft: Draft, steps: Sequence[Component], *, prefix: Address, parent: Address, handler: Handler | None) -> Address:
    """Compile a list in order; the address where it begins, or the parent's own where it is empty."""
    addresses: list[Address] = []
    for step in steps:
        at = below(prefix, step.name)
        if at in addresses:
            raise DuplicateNames(parent, step.name)
        addresses.append(at)
    for index, (step, at, after) in enumerate(zip(steps, addresses, [*addresses[1:], parent], strict=False)):
        one(draft, step, Place(at, parent, after, index, handler))
    return addresses[0] if addresses else parent


def one(draft: Draft, component: Component, place: Place) -> None:
    """Compile one component by its kind."""
    draft.components[place.at] = component
    match component:
        case Step(workflow=None):
            leaf(draft, component, place)
        case Step(workflow=Definition() as flow):
            group(draft, component.name, component.human_review, flow.steps, place, "workflow", transparent=False)
        case Steps():
            group(draft, component.name, component.human_review, component.steps, place, "steps", transparent=True)
        case Definition():
            group(draft, component.name, UNGATED, component.steps, place, "workflow", transparent=True)
        case Condition():
            condition(draft, component, place)


def handled(review: HumanReview, place: Place) -> Handler | None:
    """The error handler in force at a component: its own where it sets one, else the nearest around it."""
    return Handler(review.on_error, place.at) if review.on_error is not None else place.handler


def gate_facts(review: HumanReview, default: OnReject) -> set[str]:
    """The facts of a confirmation."""
    return {CONFIRMATION[review.requires_confirmation], ON_REJECT[review.on_reject or default]}


def error_facts(handler: Handler | None, on_interrupt: OnInterrupt | None) -> set[str]:
    """The facts of a call that may fail or be interrupted."""
    policy = handler.policy if handler else OnError.fail
    return {ON_ERROR[policy], ON_INTERRUPT[on_interrupt or INTERRUPT_DEFAULT[policy]]}


def node(component: Any, place: Place, kind: Kind, machine: str, facts: set[str], **more: Any) -> Node:
    """A node at a place."""
    handler: Handler | None = more.pop("handler", None)
    return Node(
        at=place.at,
        name=component if isinstance(component, str) else component.name,
        kind=kind,
        machine=machine,
        parent=place.parent,
        next=place.next,
        index=place.index,
        facts=frozenset(facts),
        leaves=handler.unit if handler else place.at,
        **more,
    )


def leaf(draft: Draft, step: Step, place: Place) -> None:
    """A step that calls user code."""
    review, handler = step.human_review, handled(step.human_review, place)
    facts = gate_facts(review, OnReject.skip) | error_facts(handler, step.on_interrupt)
    draft.nodes[place.at] = node(step, place, "step", "step", facts, handler=handler, asks=review.confirmation_message)


def group(  # noqa: PLR0913  # one for each thing in which Steps, a nested Workflow and Step(workflow=...) differ
    draft: Draft,
    name: str,
    review: HumanReview,
    steps: Sequence[Component],
    place: Place,
    kind: Kind,
    *,
    transparent: bool,
) -> None:
    """`Steps`, a nested Workflow, or a Step that runs one: its children in order, gated as a whole."""
    handler = handled(review, place)
    facts = gate_facts(review, OnReject.skip)
    made = node(name, place, kind, "group", facts, handler=handler, transparent=transparent, asks=review.confirmation_message)
    draft.nodes[place.at] = made  # a parent stands before its children: program order is reading order
    first = children(draft, steps, prefix=place.at, parent=place.at, handler=handler)
    draft.nodes[place.at] = with_exits(made, {w.enter: first, w.confirm: first})


def condition(draft: Draft, component: Condition, place: Place) -> None:
    """A fork with two lists; a person's choice and the evaluator's lead to the same two places."""
    review, handler = component.human_review, handled(component.human_review, place)
    wanted = review.on_reject or OnReject.else_branch
    if wanted is OnReject.else_branch and not component.else_steps:
        wanted = OnReject.skip  # COND-3
    facts = {CONFIRMATION[review.requires_confirmation], ON_REJECT[wanted], ELSE[bool(component.else_steps)]}
    facts |= error_facts(handler, component.on_interrupt)
    made = node(
        component, place, "condition", "condition", facts, handler=handler, transparent=True, asks=review.confirmation_message
    )
    draft.nodes[place.at] = made
    then = children(draft, component.steps, prefix=below(place.at, "then"), parent=place.at, handler=handler)
    other = children(draft, component.else_steps, prefix=below(place.at, "else"), parent=place.at, handler=handler)
    draft.nodes[place.at] = with_exits(made, {w.confirm: then, w.hold: then, w.reject: other, w.refute: other})


def with_exits(made: Node, exits: dict[str, Address]) -> Node:
    """The node with its exits; made in two steps because a parent stands before its children."""
    return evolve(made, exits=exits)
