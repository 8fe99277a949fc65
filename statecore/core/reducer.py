"""`advance`: one event in, the next parked state out. Pure; every change of status is the firing of a row.

An event fires a row at its cursor. Then *microsteps* follow until every cursor waits for the world: a cursor that has left its
component goes to the next one, a component whose last child is over finishes, a fresh cursor enters. At last the joint table says
what became of the run. Several events may be given at once: they are all applied before any microstep, so that a cancellation that
came with a result keeps the next step from beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.errors import RefusedTrigger, StaleEvent
from statecore.lifecycles import JOINT, RUN, TABLES
from statecore.lifecycles import words as w

from .draft import Draft, take_apart
from .path import end_early, take
from .program import ROOT
from .state import Advanced, Cursor, Event, Frame, State

if TYPE_CHECKING:
    from .program import Node, Program
    from .state import Turn

OWES = {"call": "calls_owed", "timer": "timers_owed", "ask": "answers_owed"}


def advance(program: Program, state: State, *events: Event) -> Advanced:
    """The state after `events`, and the moves that led there.

    Raises `StaleEvent` where an event speaks of a cursor that is not there, `RefusedTrigger` where no row allows it; `state` is
    never changed.
    """
    draft = take_apart(program, state)
    draft.time = events[0].time if len(events) == 1 else max([event.time for event in events], default=0)
    for event in events:
        AT_ROOT.get(event.trigger, report)(draft, event) if event.at == ROOT else report(draft, event)
    settle(draft)
    cursors = draft.cursors if len(draft.cursors) < 2 else sorted(draft.cursors, key=place)  # noqa: PLR2004
    frames = tuple(sorted(draft.frames, key=place)) if draft.frames else ()
    return Advanced(State(draft.run, tuple(cursors), draft.result, frames, tuple(draft.endings)), tuple(draft.moves))


def place(each: Cursor | Frame) -> tuple[str, Turn]:
    """The order of cursors and frames in a state."""
    return each.at, each.turn


def stands_at(state: State, event: Event) -> bool:
    """Whether a state has the cursor that an event speaks of; the result of a call that was given up finds none."""
    return event.at == ROOT or any(matches(cursor, event) for cursor in state.cursors)


def matches(cursor: Cursor, event: Event) -> bool:
    """Whether an event speaks of a cursor."""
    return cursor.at == event.at and cursor.turn == event.turn and cursor.attempt == event.attempt


# -- events ----------------------------------------------------------------------------------------------------------------------


def report(draft: Draft, event: Event) -> None:
    """A call ended, a delay is over, a person decided, a deadline passed: fire the row at the cursor that waited for it."""
    if draft.run == w.failed:  # after the end nothing begins (LAW-4): a failed run is reopened or cancelled, as a whole
        raise RefusedTrigger(RUN.name, draft.run, event.trigger, ())
    for index, cursor in enumerate(draft.cursors):
        if matches(cursor, event) and event.trigger != w.resume:  # only a run is reopened, with all that failed in it
            del draft.cursors[index]
            break
    else:
        raise StaleEvent(event.at, event.turn, event.attempt, event.trigger)
    if event.trigger == w.expire and cursor.marks.due is None:
        raise RefusedTrigger(draft.program.nodes[cursor.at].machine, cursor.phase, w.expire, ())
    check_number(draft, cursor, event)
    if draft.run == w.paused:
        draft.fire_run(w.resume)
    take(draft, cursor, event.trigger, event.body, event.choices, firm=event.firm, death=event.death, number=event.number)


def check_number(draft: Draft, cursor: Cursor, event: Event) -> None:
    """Refuse what speaks of a question that is not open at a cursor, and more questions than its code may ask (ASK-2, ASK-4)."""
    if cursor.phase == w.awaiting_answer and event.number not in cursor.marks.open:
        raise StaleEvent(event.at, event.turn, event.attempt, event.trigger)
    node = draft.program.nodes[cursor.at]
    if event.trigger == w.ask and not 0 < event.number <= node.limits.asks - cursor.marks.asked:
        raise RefusedTrigger(node.machine, cursor.phase, w.ask, ())


def start(draft: Draft, event: Event) -> None:
    """The run begins at its first component, or is over at once where it has none."""
    draft.fire_run(w.start, event.body)
    if draft.program.first != ROOT:
        draft.fresh.append(Cursor(draft.program.first))


def cancel(draft: Draft, event: Event) -> None:
    """Nothing more begins: whatever is open is cancelled, from the inside out, and no cursor is left."""
    around = draft.open_nodes()
    for cursor in draft.cursors:
        draft.fire_cancel(cursor)
    for node, turn in around:
        draft.fire(node, turn, 0, w.running, w.cancel, node.facts)
    draft.cursors, draft.fresh, draft.frames, draft.endings = [], [], [], []
    draft.result = None
    draft.fire_run(w.cancel, event.body)


def reopen(draft: Draft, event: Event) -> None:
    """A failed run goes on where it failed: each failed call is owed again, what had not begun may begin."""
    if draft.run != w.failed:  # a paused run is resumed by what a person decides, not by an order to go on
        raise RefusedTrigger(RUN.name, draft.run, w.resume, ())
    draft.fire_run(w.resume, event.body)
    for node, turn in reversed(draft.open_nodes()):
        draft.fire(node, turn, 0, w.failed, w.resume, node.facts | {w.failed_inside})
    failed = [cursor for cursor in draft.cursors if cursor.phase == w.failed]
    draft.cursors = [cursor for cursor in draft.cursors if cursor.phase != w.failed]
    for cursor in failed:
        take(draft, cursor, w.resume)


AT_ROOT = {w.start: start, w.cancel: cancel, w.resume: reopen}


# -- microsteps ------------------------------------------------------------------------------------------------------------------


def settle(draft: Draft) -> None:
    """Run to completion, then let the joint table say what became of the run."""
    while True:
        if draft.fresh:
            cursor, *beside = draft.fresh
            draft.fresh = []
            begin(draft, cursor)
            draft.fresh += beside  # what it led to begins first, so that a branch's calls count before the next branch begins
        elif not (draft.endings and conclude(draft)) and not admit(draft):
            break
    if draft.run == w.running:
        close_run(draft)


def begin(draft: Draft, cursor: Cursor) -> None:
    """A fresh cursor enters its component; or rests before it, where nothing begins any more or all places are taken."""
    held = draft.endings and draft.is_ending(cursor)
    if held or (draft.cursors and (draft.is_failing() or is_full(draft, cursor))):
        draft.cursors.append(cursor)
    else:
        take(draft, cursor, w.enter)


def is_full(draft: Draft, cursor: Cursor) -> bool:
    """Whether a branch of a Parallel has to wait, because as many as may run already do."""
    parallel: Node = draft.program.nodes[draft.program.nodes[cursor.at].parent]
    limit = parallel.limits.concurrency
    if limit is None:
        return False
    return sum(draft.owes_call(each) for each in draft.inside(parallel.at, cursor.turn)) >= limit


def admit(draft: Draft) -> bool:
    """Let a branch begin for which there is a place now."""
    waiting = [cursor for cursor in draft.cursors if cursor.phase == w.pending] if draft.cursors else ()
    if not waiting or draft.is_failing():
        return False
    for cursor in waiting:
        if not is_full(draft, cursor) and not draft.is_ending(cursor):
            draft.cursors.remove(cursor)
            begin(draft, cursor)
            return True
    return False


def conclude(draft: Draft) -> bool:
    """End a component early that was told to, as soon as no call in it is owed; a failure in it goes first."""
    for ending in draft.endings:
        inside = draft.inside(ending.unit, ending.turn)
        if not any(draft.owes_call(cursor) or cursor.phase in (w.failed, w.cancelled) for cursor in inside):
            end_early(draft, ending, inside)
            return True
    return False


def close_run(draft: Draft) -> None:
    """Decide the phase of the run by its cursors."""
    trigger = JOINT[situation(draft)]
    if trigger == w.cancel:
        cancel(draft, Event(w.cancel))
    elif trigger == w.fail:
        for node, turn in draft.open_nodes():
            draft.fire(node, turn, 0, w.running, w.fail, node.facts)
        draft.fire_run(w.fail)
    elif trigger is not None:
        draft.fire_run(trigger)


def situation(draft: Draft) -> str:
    """The line of the joint table that holds: the first of those that some cursor makes true."""
    nodes = draft.program.nodes
    if len(draft.cursors) == 1:
        return line_of(nodes[draft.cursors[0].at], draft.cursors[0])
    lines = {line_of(nodes[cursor.at], cursor) for cursor in draft.cursors}
    return next((line for line in JOINT if line in lines), "none_live")


def line_of(node: Node, cursor: Cursor) -> str:
    """The line of the joint table that one cursor makes true."""
    if cursor.phase == w.cancelled:
        return "some_cancelled"
    if cursor.phase == w.failed:
        return "some_failed"
    owes = TABLES[node.machine].owes.get(cursor.phase)
    return OWES[owes] if owes is not None else "not_begun"
