"""`compile_definition`: the user's tree becomes a flat program of symbolic addresses. The only module that knows definition and lifecycles.

Policies become facts by tables. A failure is handled where it is set: at the leaf, else at the nearest component around it that sets
`on_error`, else it fails the run (ERR-7); so each leaf's error facts, and the unit that a skip leaves, are known here. A Parallel's policy
leaves the failed branch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import define, evolve, field, frozen

from statecore.definition.components import Component, Condition, Definition, Loop, Parallel, Router, Step, Steps
from statecore.definition.fields import OnError, OnInterrupt, OnReject, OnTimeout
from statecore.definition.plain import CHILDREN, MAKERS
from statecore.definition.review import HAS_ELSE, NESTED, SUPPORTED, HumanReview
from statecore.errors import DuplicateNames
from statecore.lifecycles import (
    COMPONENT_KINDS,
    CONDITION_KIND,
    LOOP_KIND,
    PARALLEL_KIND,
    ROUTER_KIND,
    RUN_KIND,
    STEP_KIND,
    STEPS_KIND,
    WORKFLOW_KIND,
    Kind,
    exhaustive,
)
from statecore.lifecycles import words as w

from .program import DANGEROUS, ROOT, Address, Limits, Node, Program, assemble, below
from .ruled import earlier, rule_of

CONFIRMATION = {True: w.needs_confirmation, False: w.runs_at_once}
GATE_REJECT = {
    OnReject.skip: w.reject_skips,
    OnReject.cancel: w.reject_cancels,
    OnReject.else_branch: w.reject_takes_else,
    OnReject.retry: w.reject_skips,  # CONF-10: retry speaks of the review; at the gate there is nothing to run again
}
REVIEW_REJECT = {OnReject.skip: w.review_skips, OnReject.cancel: w.review_cancels, OnReject.retry: w.review_retries}
ON_ERROR = {OnError.fail: w.error_fails, OnError.skip: w.error_skips, OnError.pause: w.error_pauses}
ON_INTERRUPT = {
    OnInterrupt.retry: w.interrupt_retries,
    OnInterrupt.pause: w.interrupt_pauses,
    OnInterrupt.fail: w.interrupt_fails,
}
ON_TIMEOUT = {OnTimeout.cancel: w.timeout_cancels, OnTimeout.skip: w.timeout_skips, OnTimeout.approve: w.timeout_approves}
CHOOSES = {True: w.person_chooses, False: w.selector_chooses}
ELSE = {True: w.has_else, False: w.has_no_else}
ITERATIONS = {True: w.reviews_iterations, False: w.loops_again}
INTERRUPT_DEFAULT = {OnError.fail: OnInterrupt.retry, OnError.skip: OnInterrupt.retry, OnError.pause: OnInterrupt.pause}
UNGATED = HumanReview()
SECOND = 1_000_000


@frozen
class Handler:
    """The component whose policy decides about an error, and the unit that is left when it is skipped; None stands for the branch of a Parallel."""

    policy: OnError
    unit: Address | None


@frozen
class Place:
    """Where a component stands, which error handler is around it, and how many loops and routers are (`depth`)."""

    at: Address
    parent: Address
    next: Address
    index: int
    handler: Handler | None
    depth: int


@define
class Draft:
    """The program in the making: nodes and the user's components by address."""

    concurrency: int | None = None
    nodes: dict[Address, Node] = field(factory=dict)
    components: dict[Address, Component] = field(factory=dict)


@frozen
class Compiled:
    """A program, and the user's component at each of its addresses (for drivers, who call it)."""

    program: Program
    components: Mapping[Address, Component]


def compile_definition(definition: Definition) -> Compiled:
    """The program of a definition. Raises `DuplicateNames` where two components of one list share a name."""
    draft = Draft(definition.max_concurrency)
    draft.nodes[ROOT] = Node(
        at=ROOT,
        name=definition.name,
        kind=RUN_KIND.name,
        machine=RUN_KIND.table.name,
        parent=ROOT,
        next=ROOT,
        index=0,
        facts=frozenset(),
        leaves=ROOT,
    )
    around = Place(ROOT, ROOT, ROOT, 0, None, 0)
    first = in_order(draft, definition.steps, prefix=ROOT, around=around, handler=None)
    program = assemble(definition.name, draft.nodes, first, definition.version)
    return Compiled(ruled(program, draft.components, everywhere=definition.require_identity), draft.components)


def ruled(program: Program, components: Mapping[Address, Component], *, everywhere: bool) -> Program:
    """The program with who may decide, where its user says so; unchanged where they say nothing. Raises `UnsupportedSetting`."""
    wanted = {at for at, each in components.items() if isinstance(each, Definition) and each.require_identity}
    wanted |= {at for at, each in components.items() if isinstance(each, Step) and each.workflow and each.workflow.require_identity}
    rules = {}
    for at, component in components.items():
        approval = None if isinstance(component, Definition) else component.human_review.approval
        identified = everywhere or any(each.at in wanted for each in program.ancestors(at))
        if approval is None and not identified:
            continue
        gates = tuple(earlier(program, at, each) for each in (approval.exclude if approval else ()) if isinstance(each, str))
        no_holds = w.reject_takes_else in program.nodes[at].facts
        rules[at] = rule_of(approval, no_holds=no_holds, identified=identified, gates=gates)
    if not rules:
        return program
    nodes = {at: evolve(node, rule=rules.get(at)) for at, node in program.nodes.items()}
    return assemble(program.name, nodes, program.first, program.version)


# -- lists of children -----------------------------------------------------------------------------------------------------------


def addresses_of(steps: Sequence[Component], prefix: Address, parent: Address) -> list[Address]:
    """The addresses of a list's components, which must differ."""
    addresses: list[Address] = []
    seen: set[Address] = set()
    for step in steps:
        at = below(prefix, step.name)
        if at in seen:
            raise DuplicateNames(parent, step.name)
        seen.add(at)
        addresses.append(at)
    return addresses


def in_order(  # noqa: PLR0913  # a list, where it stands, and what is around it
    draft: Draft, steps: Sequence[Component], *, prefix: Address, around: Place, handler: Handler | None, loops: int = 0
) -> Address:
    """Compile a list that runs in order; the address where it begins, or the parent's own where it is empty."""
    addresses = addresses_of(steps, prefix, around.at)
    for index, (step, at) in enumerate(zip(steps, addresses, strict=True)):
        after = addresses[index + 1] if index + 1 < len(addresses) else around.at
        one(draft, step, Place(at, around.at, after, index, handler, around.depth + loops))
    return addresses[0] if addresses else around.at


def side_by_side(
    draft: Draft, steps: Sequence[Component], around: Place, handler: Handler | None, loops: int = 0
) -> dict[str, Address]:
    """Compile components that stand beside each other, choices or branches; their addresses by name."""
    addresses = addresses_of(steps, around.at, around.at)
    for index, (step, at) in enumerate(zip(steps, addresses, strict=True)):
        mine = Handler(handler.policy, at) if handler is not None and handler.unit is None else handler
        one(draft, step, Place(at, around.at, around.at, index, mine, around.depth + loops))
    return {step.name: at for step, at in zip(steps, addresses, strict=True)}


def one(draft: Draft, component: Component, place: Place) -> None:
    """Compile one component by its kind."""
    draft.components[place.at] = component
    compile_kind = COMPILED[type(component)]
    compile_kind(draft, component, place)


# -- facts -----------------------------------------------------------------------------------------------------------------------


def handled(review: HumanReview, place: Place) -> Handler | None:
    """The error handler in force at a component: its own where it sets one, else the nearest around it."""
    return Handler(review.on_error, place.at) if review.on_error is not None else place.handler


def gate_facts(review: HumanReview, default: OnReject = OnReject.skip) -> set[str]:
    """The facts of a confirmation and of its deadline."""
    return {
        CONFIRMATION[review.requires_confirmation],
        GATE_REJECT[review.on_reject or default],
        ON_TIMEOUT[review.on_timeout],
        *([DANGEROUS] if review.dangerous else []),
    }


def error_facts(handler: Handler | None, on_interrupt: OnInterrupt | None) -> set[str]:
    """The facts of a call that may fail or be interrupted."""
    policy = handler.policy if handler else OnError.fail
    return {ON_ERROR[policy], ON_INTERRUPT[on_interrupt or INTERRUPT_DEFAULT[policy]]}


def output_facts(review: HumanReview) -> set[str]:
    """The facts of an output: kept, reviewed, or judged first; and what a rejection leads to."""
    wanted = review.requires_output_review
    kept = w.judges_output if callable(wanted) else w.needs_review if wanted else w.keeps_output
    return {kept, REVIEW_REJECT[review.on_reject or OnReject.skip]}


def limits(review: HumanReview, **more: Any) -> Limits:
    """The numbers of a component."""
    timeout = None if review.timeout is None else round(review.timeout * SECOND)
    return Limits(timeout=timeout, **more)


def shown(review: HumanReview, **more: str | None) -> dict[str, Any]:
    """The texts shown of a component: the sentences of each kind of question, the form of its input, whether they may choose several."""
    schema = review.user_input_schema
    return {
        "asks": {"confirmation": review.confirmation_message, **more},
        "form": None if schema is None else tuple(each.to_dict() for each in schema),
        "multiple": review.allow_multiple_selections,
    }


def code_of(given: Any) -> str | None:
    """The name of user code, `module:qualname`; of an object its class's, of an expression or a constant itself. None for none."""
    if given is None or isinstance(given, str | bool):
        return None if given is None else str(given)
    if isinstance(given, partial):
        return code_of(given.func)
    named = given if hasattr(given, "__qualname__") else type(given)
    return f"{named.__module__}:{named.__qualname__}"


def node(  # the parts in which kinds differ
    name: str, place: Place, kind: Kind, facts: set[str], handler: Handler | None, **more: Any
) -> Node:
    """A node at a place."""
    unit = handler.unit if handler is not None else None
    return Node(
        at=place.at,
        name=name,
        kind=kind.name,
        machine=kind.table.name,
        parent=place.parent,
        next=place.next,
        index=place.index,
        facts=frozenset(facts),
        leaves=unit if unit is not None else place.at,
        depth=place.depth,
        **more,
    )


# -- kinds: a parent is put down before its children, so that program order is reading order ----------------------------------------


def step(draft: Draft, component: Step, place: Place) -> None:
    """A leaf that calls user code; or a Step that runs a workflow in its place."""
    review, handler = component.human_review, handled(component.human_review, place)
    if component.workflow is not None:
        group(draft, component.name, review, component.workflow.steps, place, WORKFLOW_KIND, transparent=False)
        version = component.version if component.version is not None else component.workflow.version
        draft.nodes[place.at] = evolve(draft.nodes[place.at], label=component.step_id, version=version)
        return
    facts = gate_facts(review) | error_facts(handler, component.on_interrupt) | output_facts(review)
    if review.requires_user_input:
        facts = facts - set(CONFIRMATION.values()) | {w.needs_input}  # INPUT-3: one pause
    if component.may_ask:
        facts = facts | {w.may_ask}
    if review.allow_edit:
        facts |= {w.allows_edit}
    numbers = limits(
        review,
        reviews=review.max_retries,
        retries=component.max_retries,
        delay=round(component.retry_delay * SECOND),
        backoff=float(component.backoff),
        asks=component.may_ask,
    )
    words = shown(
        review,
        user_input=review.user_input_message or review.confirmation_message,
        output_review=review.output_review_message,
    )
    does = {"callable": code_of(component.executor or component.agent), "version": component.version}
    draft.nodes[place.at] = node(
        component.name, place, STEP_KIND, facts, handler, limits=numbers, label=component.step_id, **does, **words
    )


def group(  # noqa: PLR0913  # one for each thing in which Steps, a nested Workflow and Step(workflow=...) differ
    draft: Draft, name: str, review: HumanReview, steps: Sequence[Component], place: Place, kind: Kind, *, transparent: bool
) -> None:
    """`Steps`, a nested Workflow, or a Step that runs one: its children in order, gated as a whole."""
    handler = handled(review, place)
    made = node(
        name, place, kind, gate_facts(review), handler,
        transparent=transparent, limits=limits(review), **shown(review),
    )  # fmt: skip
    draft.nodes[place.at] = made
    first = in_order(draft, steps, prefix=place.at, around=place, handler=handler)
    draft.nodes[place.at] = evolve(made, exits=dict.fromkeys((w.enter, w.confirm, w.expire), first))


def condition(draft: Draft, component: Condition, place: Place) -> None:
    """A fork with two lists; a person's choice and the evaluator's lead to the same two places."""
    review, handler = component.human_review, handled(component.human_review, place)
    wanted = review.on_reject or OnReject.else_branch
    if wanted is OnReject.else_branch and not component.else_steps:
        wanted = OnReject.skip  # COND-3
    facts = gate_facts(evolve(review, on_reject=wanted)) | {ELSE[bool(component.else_steps)]}
    facts |= error_facts(handler, component.on_interrupt)
    made = node(
        component.name, place, CONDITION_KIND, facts, handler,
        transparent=True, limits=limits(review), callable=code_of(component.evaluator), **shown(review),
    )  # fmt: skip
    draft.nodes[place.at] = made
    parts = CONDITION_KIND.lists
    then = in_order(draft, component.steps, prefix=below(place.at, parts["steps"]), around=place, handler=handler)
    other = in_order(draft, component.else_steps, prefix=below(place.at, parts["else_steps"]), around=place, handler=handler)
    exits = {w.confirm: then, w.hold: then, w.expire: then, w.reject: other, w.refute: other}
    draft.nodes[place.at] = evolve(made, exits=exits)


def loop(draft: Draft, component: Loop, place: Place) -> None:
    """A list that runs again and again."""
    review, handler = component.human_review, handled(component.human_review, place)
    facts = gate_facts(review) | {ITERATIONS[review.requires_iteration_review], REVIEW_REJECT[review.on_reject or OnReject.skip]}
    facts |= error_facts(handler, component.on_interrupt)
    if component.end_condition is not None:
        facts.add(w.tests_end)
    numbers = limits(review, iterations=component.max_iterations, forwards=component.forward_iteration_output)
    words = shown(review, iteration_review=review.iteration_review_message)
    code = code_of(component.end_condition)
    made = node(component.name, place, LOOP_KIND, facts, handler, transparent=True, limits=numbers, callable=code, **words)
    draft.nodes[place.at] = made
    first = in_order(draft, component.steps, prefix=place.at, around=place, handler=handler, loops=1)
    draft.nodes[place.at] = evolve(made, exits={w.enter: first})


def router(draft: Draft, component: Router, place: Place) -> None:
    """Choices beside each other; which run, and in which order, arrives with the event that chooses."""
    review, handler = component.human_review, handled(component.human_review, place)
    facts = gate_facts(review) | output_facts(review) | {CHOOSES[review.requires_user_input]}
    facts |= error_facts(handler, component.on_interrupt)
    if review.requires_user_input and not review.requires_confirmation:
        facts = facts - {w.runs_at_once} | {w.needs_route}
    words = shown(review, route=review.user_input_message, output_review=review.output_review_message)
    made = node(
        component.name, place, ROUTER_KIND, facts, handler,
        transparent=True, limits=limits(review, reviews=review.max_retries), callable=code_of(component.selector), **words,
    )  # fmt: skip
    draft.nodes[place.at] = made
    draft.nodes[place.at] = evolve(made, exits=side_by_side(draft, component.choices, place, handler, loops=1))


def parallel(draft: Draft, component: Parallel, place: Place) -> None:
    """Branches beside each other; an error policy of the Parallel leaves the failed branch alone."""
    review = component.human_review
    handler = Handler(review.on_error, None) if review.on_error is not None else place.handler
    made = node(
        component.name, place, PARALLEL_KIND, gate_facts(review), handler,
        transparent=True, limits=limits(review, concurrency=component.max_concurrency or draft.concurrency), **shown(review),
    )  # fmt: skip
    draft.nodes[place.at] = made
    draft.nodes[place.at] = evolve(made, exits=side_by_side(draft, component.steps, place, handler))


def nested(draft: Draft, component: Definition, place: Place) -> None:
    """A Workflow inside another: a group under its own name, with its version."""
    group(draft, component.name, UNGATED, component.steps, place, WORKFLOW_KIND, transparent=True)
    draft.nodes[place.at] = evolve(draft.nodes[place.at], version=component.version)


COMPILED: dict[type, Callable[[Draft, Any, Place], None]] = {
    Step: step,
    Steps: lambda draft, each, place: group(draft, each.name, each.human_review, each.steps, place, STEPS_KIND, transparent=True),
    Definition: nested,
    Condition: condition,
    Loop: loop,
    Router: router,
    Parallel: parallel,
}
TITLES = tuple(kind.title for kind in COMPONENT_KINDS)
exhaustive("core.compile.COMPILED", ("Workflow" if each is Definition else each.__name__ for each in COMPILED), TITLES)
exhaustive("definition.plain.MAKERS", MAKERS, TITLES)
exhaustive("definition.review.HAS_ELSE", HAS_ELSE, (kind.title for kind in COMPONENT_KINDS if "else_steps" in kind.lists))
exhaustive("definition.plain.CHILDREN", CHILDREN, (name for kind in COMPONENT_KINDS for name in kind.lists))
exhaustive(
    "definition.review.SUPPORTED", SUPPORTED.keys() - {NESTED}, TITLES
)  # definition knows no lifecycles: its tables are compared here
