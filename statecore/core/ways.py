"""`ways`: where a run may go from a point of its program, read from the tables, without a run. Evidence and adoption walk on it.

A point is an address with a phase. `running` of a component that has children stands for the end of its last child. Every row that
can fire there is a way, whatever a cursor would know: a retry that the limit allows, a death, a stop. Automatic retries,
cancellations and questions that are put again are no ways. A way that ends the run leads to `END`; one that cancels or fails it leads nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.lifecycles import KINDS, LEAVES, TABLES
from statecore.lifecycles import words as w

from .program import ROOT, Address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore.lifecycles import Row

    from .program import Node, Program


class Point(NamedTuple):
    """An address, and the phase of its component."""

    at: Address
    phase: str


class Onward(NamedTuple):
    """A trigger, and the point that it leads to."""

    trigger: str
    to: Point


END = Point(ROOT, w.completed)
UNTAKEN = frozenset({w.cancel, w.leave, w.renew})
ASKED_BEFORE = frozenset({w.awaiting_confirmation, w.awaiting_input, w.awaiting_route})
"""The phases of a question that is put before anything runs: on every way that enters the component."""
REVIEWED = frozenset({w.judging, w.awaiting_review})
ITERATES = frozenset({w.tests_end, w.reviews_iterations, w.loops_again})
ALWAYS = frozenset({w.always, w.failed_here, w.iterations_spent, w.interrupt_pauses, w.answers_complete})
"""After three deaths a person is asked, whatever the policy (CRASH-2)."""
NEVER = frozenset({w.retries_left, w.failed_inside, w.reviews_spent, w.answers_missing})
"""They lead nowhere, or to a point that is reached without them."""
FAILED = {w.choice_failed: w.person_chooses, w.selector_failed: w.selector_chooses}
RECHOOSES = {w.person_rechooses: w.person_chooses, w.selector_rechooses: w.selector_chooses}


def ways(program: Program, point: Point) -> tuple[Onward, ...]:
    """The ways out of a point, in the order of the table."""
    node = program.nodes[point.at]
    rows = [row for row in TABLES[node.machine].rows if row.source == point.phase and row.on not in UNTAKEN and can_hold(node, row)]
    return tuple([Onward(row.on, to) for row in rows for to in leads_to(program, node, row)])


def walk(program: Program, starts: Iterable[Point], stops: Callable[[Point], bool]) -> dict[Point, tuple[Onward, ...]]:
    """Every point that can be reached, with its ways; a point that stops the walk has none."""
    found: dict[Point, tuple[Onward, ...]] = {}
    todo = list(starts)
    while todo:
        point = todo.pop()
        if point not in found and point != END:
            found[point] = () if stops(point) else ways(program, point)
            todo += [way.to for way in found[point]]
    return found


def question_at(program: Program, point: Point) -> str | None:
    """The phase in which a person is asked on every way through a point; None where the run may pass it unasked.

    An error pause, and a review that a predicate or an end condition may spare, is not certain.
    """
    asked = ways(program, point)[0].to.phase if point.phase == w.pending else point.phase
    if asked in ASKED_BEFORE:
        return asked
    spared = program.nodes[point.at].facts & {w.judges_output, w.tests_end}
    return asked if asked == w.awaiting_review and not spared else None


# -- which rows can fire -----------------------------------------------------------------------------------------------------------


def can_hold(node: Node, row: Row) -> bool:
    """Whether the guard of a row may hold at a component, for some cursor."""
    facts, limits, guard = node.facts, node.limits, row.when
    if guard in ALWAYS or guard in NEVER:
        return guard in ALWAYS
    if guard in RECHOOSES or (guard == w.review_retries and node.kind in LEAVES):
        return {w.review_retries, RECHOOSES.get(guard, guard)} <= facts and limits.reviews > 0
    if guard in FAILED:
        return FAILED[guard] in facts
    if guard in ITERATES and row.on == w.finish:
        return limits.iterations > 1 and guard in (facts & {w.tests_end} or facts)
    return len(node.exits) > 1 if guard == w.more_choices else guard in facts


# -- where a row leads -------------------------------------------------------------------------------------------------------------


def leads_to(program: Program, node: Node, row: Row) -> list[Point]:
    """The points that a row leads to."""
    match row.dest:
        case w.running if node.exits:
            return into(node, row.on)
        case w.completed:
            stops = [past_workflow(program, node)] if row.on == w.stop or (row.source in REVIEWED and node.kind in LEAVES) else []
            return stops if row.on == w.stop else [past(node), *stops]
        case w.skipped:
            left = row.on in (w.fail, w.skip) or row.source == w.errored_paused
            return [past(program.nodes[node.leaves] if left else node)]
        case w.cancelled | w.failed:
            return []
        case phase:
            return [Point(node.at, phase)]


def into(node: Node, trigger: str) -> list[Point]:
    """The first points inside a component; its own end where the list that begins is empty."""
    if KINDS[node.kind].is_wide:
        return [Point(at, w.pending) for at in node.exits.values()]
    first = node.exits[w.enter if KINDS[node.kind].holds == "iterations" else trigger]
    return [Point(first, w.running if first == node.at else w.pending)]


def past(node: Node) -> Point:
    """The point after a component: its sibling, the end of what is around it, or the end of the run."""
    if node.next != node.parent:
        return Point(node.next, w.pending)
    return END if node.parent == ROOT else Point(node.parent, w.running)


def past_workflow(program: Program, node: Node) -> Point:
    """The point after the workflow that a step ends with `stop` (RUN-3)."""
    unit = next((each for each in program.ancestors(node.at) if KINDS[each.kind].stops), None)
    return END if unit is None else past(unit)
