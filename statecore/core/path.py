"""How a cursor moves: it takes a row, and then rests, goes into the component, or goes on to what comes next.

Two tables say, by what a component holds, how a cursor goes into it (`INTO`), and what becomes of it when a child of it that has no sibling
after it is over (`CLOSE`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from statecore.lifecycles import HOLDING, KINDS, LEAVES, TABLES, exhaustive
from statecore.lifecycles import words as w

from .draft import innermost_first
from .facts import CURSOR_FACTS, ENDS_EARLY, after_death, after_iteration
from .program import ROOT, Address, Micros, Node
from .state import UNMARKED, Cursor, Death, Ending, Frame, Gather, Marks, Ref, Source, Turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from .draft import Draft

NEW_ATTEMPT = frozenset({w.retry, w.resume, w.wake, w.amend})
BY_PERSON = frozenset({w.retry, w.resume, w.reject, w.amend, w.answer})
GIVES = frozenset({w.succeed, w.stop, w.edit, w.amend, w.provide})
"""The triggers whose rows have a value that is handed on: the output of a call, or what a person gives."""
REVIEWED = frozenset({w.judging, w.awaiting_review})
Onward: TypeAlias = "tuple[Turn, Source | None, Source | None] | None"


def take(  # noqa: PLR0913  # the parts of an event, one by one
    draft: Draft,
    cursor: Cursor,
    trigger: str,
    body: Any = None,
    choices: tuple[Address, ...] = (),
    *,
    firm: bool = False,
    death: Death = "",
    number: int = 0,
) -> None:
    """Fire a row at a cursor, and follow it. A firm failure is met by the error policy, whatever retries are left."""
    node = draft.program.nodes[cursor.at]
    facts = CURSOR_FACTS[trigger](node, cursor) if trigger in CURSOR_FACTS and not firm else node.facts
    if death:
        facts = after_death(node, cursor, death)
    gives = cursor.marks.output
    if trigger == w.edit or (gives is None and node.machine in LEAVES):
        gives = Ref(cursor.at, cursor.turn, cursor.attempt)
    phase = draft.fire(node, cursor.turn, cursor.attempt, cursor.phase, trigger, facts, body, gives)
    if phase == w.running and node.exits:
        descend(draft, node, cursor, trigger, choices)
    elif phase == w.completed:
        complete(draft, node, cursor, trigger, gives)
    elif phase == w.skipped:
        skip(draft, node, cursor, trigger)
    else:
        rest(draft, node, cursor, trigger, phase, death, number)


# -- at rest -------------------------------------------------------------------------------------------------------------------


def rest(draft: Draft, node: Node, cursor: Cursor, trigger: str, phase: str, death: Death, number: int) -> None:  # noqa: PLR0913  # as `take`
    """A cursor waits for the world, or has failed."""
    again = begins_attempt(cursor.phase, trigger, phase)
    plain = trigger == w.enter and phase == w.running
    marks = UNMARKED if plain else marked(draft, node, cursor, trigger, phase, death)
    if w.awaiting_answer in (phase, cursor.phase):
        marks = asking(marks, cursor, trigger, phase, number)
    prev = Ref(cursor.at, cursor.turn, cursor.attempt) if trigger == w.amend else cursor.prev
    draft.cursors.append(Cursor(cursor.at, phase, cursor.turn, cursor.attempt + again, prev, cursor.last, marks))


def begins_attempt(phase: str, trigger: str, dest: str) -> bool:
    """Whether a trigger in a phase, which leads to another one, makes what comes next another attempt."""
    if phase == w.awaiting_answer:  # the last answer, or a question that lapses: the code is called again (ASK-2, ASK-8)
        return dest == w.running
    return trigger in NEW_ATTEMPT or (trigger == w.reject and phase == w.awaiting_review)


def asking(marks: Marks, cursor: Cursor, trigger: str, phase: str, number: int) -> Marks:
    """The marks of a cursor whose code has asked, with the questions that are open now: all deadlines of one call are one."""
    was = cursor.marks
    if trigger == w.ask:
        return evolve(marks, asked=was.asked + number, open=tuple(range(was.asked, was.asked + number)))
    if trigger == w.renew:  # what was asked and answered in this visit lapses, and may be asked anew (ASK-8)
        return evolve(marks, due=None, put=1, asked=0, open=(), interrupts=0, deaths=0)
    left = tuple([each for each in was.open if each != number])
    return evolve(marks, open=left, due=was.due if phase == w.awaiting_answer else marks.due)


def marked(draft: Draft, node: Node, cursor: Cursor, trigger: str, phase: str, death: Death) -> Marks:  # noqa: PLR0913  # as `take`
    """The marks of a cursor after a trigger."""
    was = cursor.marks
    if trigger == w.renew:
        return evolve(was, due=due(draft, node, was, phase), put=was.put + 1)
    rejected = trigger == w.reject and cursor.phase == w.awaiting_review
    output = Ref(cursor.at, cursor.turn, cursor.attempt) if trigger in (w.succeed, w.stop) else was.output
    return Marks(
        interrupts=was.interrupts + (death != "beside") if trigger == w.interrupt else 0,
        retries=was.retries + 1 if trigger == w.wake else 0 if trigger in BY_PERSON else was.retries,
        reruns=was.reruns + (trigger in (w.retry, w.resume) or (trigger == w.amend and cursor.phase == w.errored_paused)),
        reviews=was.reviews + rejected,
        output=output if phase in REVIEWED or KINDS[node.kind].holds == "iterations" else None,
        rejected=was.output if rejected else was.rejected,
        stopping=(was.stopping or trigger == w.stop) and phase in REVIEWED,
        due=due(draft, node, was, phase),
        deaths=was.deaths + (death != "") if trigger == w.interrupt else 0,
        asked=was.asked,
    )


def due(draft: Draft, node: Node, was: Marks, phase: str) -> Micros | None:
    """When a question expires or a delay is over; None for anything else."""
    if phase == w.backing_off:
        return draft.time + int(node.limits.delay * node.limits.backoff**was.retries)
    if node.limits.timeout is not None and TABLES[node.machine].owes.get(phase) == "ask":
        return draft.time + node.limits.timeout
    return None


# -- into a component ----------------------------------------------------------------------------------------------------------


def descend(draft: Draft, node: Node, cursor: Cursor, trigger: str, choices: tuple[Address, ...]) -> None:
    """Into a component: fresh cursors at the children that begin it, or straight out where it has none."""
    INTO[KINDS[node.kind].holds](draft, node, cursor, trigger, choices)


def into_list(draft: Draft, node: Node, cursor: Cursor, trigger: str, _choices: tuple[Address, ...]) -> None:
    """Into the list to which the trigger leads."""
    if node.exits[trigger] == node.at:
        turn, prev, last = close_group(draft, node, node, cursor.turn, cursor.prev, cursor.last)
        go_on(draft, node, turn, prev, last)
    else:
        draft.fresh.append(Cursor(node.exits[trigger], w.pending, cursor.turn, 0, cursor.prev, cursor.last))


def into_iteration(draft: Draft, node: Node, cursor: Cursor, _trigger: str, _choices: tuple[Address, ...]) -> None:
    """Into the first iteration, or the next one."""
    iterate(draft, node, cursor)


def into_choices(draft: Draft, node: Node, cursor: Cursor, _trigger: str, choices: tuple[Address, ...]) -> None:
    """Into the first of those chosen; the frame remembers the others."""
    first, *others = choices
    draft.frames.append(framed(node, cursor, tuple(others)))
    draft.fresh.append(Cursor(first, w.pending, (*cursor.turn, cursor.attempt), 0, cursor.prev, cursor.last))


def into_branches(draft: Draft, node: Node, cursor: Cursor, _trigger: str, _choices: tuple[Address, ...]) -> None:
    """Into all branches at once."""
    draft.frames.append(framed(node, cursor))
    draft.fresh.extend(Cursor(at, w.pending, cursor.turn, 0, cursor.prev, cursor.last) for at in node.exits.values())


INTO: dict[str, Callable[[Draft, Node, Cursor, str, tuple[Address, ...]], None]] = {
    "list": into_list,
    "fork": into_list,
    "iterations": into_iteration,
    "choices": into_choices,
    "branches": into_branches,
}
exhaustive("core.path.INTO", INTO, HOLDING)


def framed(node: Node, cursor: Cursor, others: tuple[Address, ...] = ()) -> Frame:
    """The part of its own cursor that a component keeps while its children run."""
    marks = evolve(cursor.marks, interrupts=0, output=None, due=None, deaths=0, put=1)
    return Frame(node.at, cursor.turn[: node.depth], cursor.prev, cursor.last, cursor.attempt, marks, others)


def iterate(draft: Draft, node: Node, cursor: Cursor) -> None:
    """Into the first iteration of a Loop, or into the one after that which the cursor has just tested or reviewed."""
    draft.frames.append(framed(node, cursor))
    outer = cursor.turn[: node.depth]
    number = cursor.turn[node.depth] + 1 if len(cursor.turn) > node.depth else 0
    prev = cursor.marks.output if number and node.limits.forwards else cursor.prev
    draft.fresh.append(Cursor(node.exits[w.enter], w.pending, (*outer, number), 0, prev, cursor.last))


# -- out of a component --------------------------------------------------------------------------------------------------------


def complete(draft: Draft, node: Node, cursor: Cursor, trigger: str, gives: Source | None) -> None:
    """A component is over and hands something on; a step that said stop ends its workflow with it."""
    if trigger == w.stop or cursor.marks.stopping:
        unit = next((each.at for each in draft.program.ancestors(node.at) if KINDS[each.kind].stops), ROOT)
        draft.endings.append(Ending(unit, node.at, cursor.turn, w.finish, gives, gives))
    else:
        go_on(draft, node, cursor.turn[: node.depth], gives, gives)


def skip(draft: Draft, node: Node, cursor: Cursor, trigger: str) -> None:
    """A component is skipped: by an error, with the unit that its policy leaves; otherwise alone, and transparent where it is a group."""
    if trigger in (w.fail, w.skip) or cursor.phase == w.errored_paused:
        if node.leaves == node.at:
            go_on(draft, node, cursor.turn[: node.depth], None, cursor.last)
        else:
            draft.endings.append(Ending(node.leaves, node.at, cursor.turn, w.leave, None, cursor.last))
    else:
        go_on(draft, node, cursor.turn[: node.depth], cursor.prev if node.transparent else None, cursor.last)


def go_on(draft: Draft, node: Node, turn: Turn, prev: Source | None, last: Source | None) -> None:
    """Past a component: to its sibling, or out of what is around it as far as that is over too."""
    while node.next == node.parent:
        if node.parent == ROOT:
            draft.result = last
            return
        parent = draft.program.nodes[node.parent]
        onward = CLOSE[KINDS[parent.kind].holds](draft, parent, node, turn, prev, last)
        if onward is None:
            return
        turn, prev, last = onward
        node = parent
    draft.fresh.append(Cursor(node.next, w.pending, turn, 0, prev, last))


def close_group(
    draft: Draft, node: Node, _child: Node, turn: Turn, prev: Source | None, _last: Source | None
) -> tuple[Turn, Source | None, Source | None]:
    """The last child of a list is over: the component finishes and hands on what the child did."""
    draft.fire(node, turn, 0, w.running, w.finish, node.facts, None, prev)
    return turn, prev, prev


def close_loop(draft: Draft, node: Node, _child: Node, turn: Turn, prev: Source | None, _last: Source | None) -> Onward:
    """An iteration is over: so is the Loop, or it is tested, or reviewed, or goes round again."""
    outer, number = turn[:-1], turn[-1]
    frame = draft.frame(node.at, outer)
    phase = draft.fire(node, outer, frame.attempt, w.running, w.finish, after_iteration(node, number), None, prev)
    if phase == w.completed:
        return outer, prev, prev
    own = Cursor(node.at, phase, turn, frame.attempt, frame.prev, frame.last, evolve(frame.marks, output=prev))
    if phase == w.running:
        iterate(draft, node, own)
    else:
        draft.cursors.append(evolve(own, marks=evolve(own.marks, due=due(draft, node, own.marks, phase))))
    return None


def close_router(draft: Draft, node: Node, _child: Node, turn: Turn, prev: Source | None, last: Source | None) -> Onward:
    """A choice is over: the next one runs, or the Router finishes, or its result is judged or reviewed."""
    outer = turn[:-1]
    frame = draft.frame(node.at, outer)
    facts = node.facts if not frame.rest else node.facts - {w.keeps_output, w.needs_review, w.judges_output} | {w.more_choices}
    phase = draft.fire(node, outer, frame.attempt, w.running, w.finish, facts, None, prev)
    if phase == w.completed:
        return outer, prev, prev
    if phase == w.running:
        draft.frames.append(evolve(frame, rest=frame.rest[1:]))
        draft.fresh.append(Cursor(frame.rest[0], w.pending, turn, 0, prev, last))
    else:
        marks = evolve(frame.marks, output=prev, due=due(draft, node, frame.marks, phase))
        draft.cursors.append(Cursor(node.at, phase, outer, frame.attempt, frame.prev, frame.last, marks))
    return None


def close_parallel(draft: Draft, node: Node, child: Node, turn: Turn, prev: Source | None, _last: Source | None) -> Onward:
    """A branch is over; when all are, the Parallel hands on what each did, in the order of the definition."""
    frame = draft.frame(node.at, turn)
    done = dict([*frame.done, (child.at, prev)])
    if len(done) < len(node.exits):
        ordered = tuple((at, done[at]) for at in node.exits.values() if at in done)
        draft.frames.append(evolve(frame, done=ordered))
        return None
    gathered = Gather(tuple((name, done[at]) for name, at in node.exits.items()))
    draft.fire(node, turn, 0, w.running, w.finish, node.facts, None, gathered)
    return turn, gathered, gathered


CLOSE: dict[str, Callable[[Draft, Node, Node, Turn, Source | None, Source | None], Onward]] = {
    "list": close_group,
    "fork": close_group,
    "iterations": close_loop,
    "choices": close_router,
    "branches": close_parallel,
}
exhaustive("core.path.CLOSE", CLOSE, HOLDING)


def end_early(draft: Draft, ending: Ending, inside: list[Cursor]) -> None:
    """A component ends before its last child: what is around the place that ended it finishes or is left, the rest is cancelled."""
    unit = draft.program.nodes[ending.unit]
    own: dict[Address, tuple[Node, Turn]] = {}
    draft.around(ending.at, ending.turn, own)
    found = dict(own)
    for other in draft.endings:  # a branch that was told to end beside this one has no cursor any more
        draft.around(other.at, other.turn, found)
    for cursor in inside:
        draft.around(cursor.at, cursor.turn, found)
        draft.cursors.remove(cursor)
        draft.fire_cancel(cursor)
    facts = {w.finish: ENDS_EARLY}
    for node, turn in innermost_first(found):
        if node.at == unit.at or draft.program.within(node.at, unit.at):
            if node.at in own:
                draft.fire(node, turn, 0, w.running, ending.how, facts.get(ending.how, node.facts), None, ending.prev)
            else:
                draft.fire(node, turn, 0, w.running, w.cancel, node.facts)
    gone = [f for f in draft.frames if f.at == unit.at or draft.program.within(f.at, unit.at)]
    draft.frames = [f for f in draft.frames if f not in gone or f.turn[: unit.depth] != ending.turn[: unit.depth]]
    draft.endings = [  # one around the unit that was decided inside it goes on from the unit, which is over now
        evolve(e, at=unit.at, turn=e.turn[: unit.depth]) if draft.program.within(e.at, unit.at) else e
        for e in draft.endings
        if e.unit != unit.at and not draft.program.within(e.unit, unit.at)
    ]
    if unit.at == ROOT:
        draft.result = ending.last
    elif all(e.at != unit.at for e in draft.endings):  # where one stands at the unit, that one goes on from further out, once
        go_on(draft, unit, ending.turn[: unit.depth], ending.prev, ending.last)
