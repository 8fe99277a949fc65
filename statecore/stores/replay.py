"""A journal played once more through the core: the state that its rows lead to, found from the rows and the program alone. Pure.

The rows of one boundary begin with those that events fired; what follows from them the core finds by itself. So the events are read off the
rows, one by one, until what the core does is what the rows say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from statecore.codec import decode
from statecore.core import BEGINNING, DECISIONS, Event, Ref, State, advance
from statecore.core.program import ROOT
from statecore.core.state import UNMARKED, Cursor
from statecore.errors import StatecoreError
from statecore.lifecycles import words as w

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from statecore.core import Address, Move, Program, Source

    from .records import Entry

BY_CALL = frozenset({w.succeed, w.stop, w.fail, w.interrupt, w.hold, w.refute, w.choose, w.wake, w.expire, w.cancel})
BY_WORLD = BY_CALL | {trigger for words in DECISIONS.values() for trigger in words.values()}
"""The triggers of components that an event fires."""


@frozen
class Replayed:
    """Where a journal leads: the state after `rows` rows. Fewer than there are, where the program would not have done the next ones."""

    state: State
    rows: int


def replay(program: Program, entries: Sequence[Entry], last: State) -> Replayed:
    """Play a journal; `last` is the stored state, which says what a Router had still to do.

    Where rows can be read as one boundary or as two, one is tried, and the other if that leads nowhere.
    """
    best, ways, tried = Replayed(BEGINNING, 0), [iter([(BEGINNING, 0)])], set()
    while ways:
        found = next(ways[-1], None)
        if found is None:
            ways.pop()
        elif found not in tried:
            tried.add(found)
            state, done = found
            if done > best.rows:
                best = Replayed(state, done)
            if done == len(entries):
                return best
            ways.append(boundaries(program, state, entries, done, last))
    return best


def boundaries(program: Program, state: State, entries: Sequence[Entry], first: int, last: State) -> Iterator[tuple[State, int]]:
    """The states to which the next rows that belong together may lead, and where these rows end: the fewest events first."""
    events: list[Event] = []
    at = first + (entries[first].at == ROOT and entries[first].trigger == w.resume and entries[first].source == w.paused)
    while at < len(entries) and entries[at].time == entries[first].time:
        event = event_of(program, state, entries, at, last)
        if event is None:
            return
        events.append(event)
        try:
            after = advance(program, state, *events)
        except (StatecoreError, KeyError, ValueError):
            return
        same = agreeing(after.moves, entries, first)
        if same == len(after.moves):
            yield after.state, first + same
        if first + same <= at:
            return
        at = first + same


def agreeing(moves: Sequence[Move], entries: Sequence[Entry], first: int) -> int:
    """How many moves, from the first on, are what the rows say."""
    for n, move in enumerate(moves):
        if first + n >= len(entries):
            return n
        row = entries[first + n]
        if (row.machine, row.at, row.turn, row.attempt) != (move.machine, move.at, move.turn, move.attempt) or (
            row.source,
            row.trigger,
            row.dest,
        ) != (move.source, move.trigger, move.dest):
            return n
    return len(moves)


def event_of(program: Program, state: State, entries: Sequence[Entry], index: int, last: State) -> Event | None:
    """The event that a row was fired by; None for one that only follows from others."""
    row = entries[index]
    if row.at == ROOT:
        return Event(row.trigger, time=row.time) if row.trigger in (w.start, w.cancel, w.resume) else None
    if row.trigger not in BY_WORLD or row.at not in program.nodes:
        return None
    cursor = cursor_of(program, state, row)
    if row.trigger == w.cancel or cursor is None:
        return Event(w.cancel, time=row.time) if row.trigger == w.cancel else None
    choices = chosen(program, cursor, entries, index, last) if row.trigger in (w.choose, w.select) else ()
    return Event(row.trigger, row.at, cursor.turn, row.attempt, None, choices, row.time)


def cursor_of(program: Program, state: State, row: Entry) -> Cursor | None:
    """The cursor that a row moved: a journal cuts its turn to the loops around it."""
    depth = program.nodes[row.at].depth
    fits = [each for each in state.cursors if (each.at, each.turn[:depth], each.attempt) == (row.at, row.turn, row.attempt)]
    return fits[0] if fits else None


def chosen(program: Program, cursor: Cursor, entries: Sequence[Entry], index: int, last: State) -> tuple[Address, ...]:
    """What a Router was told to run: what a person gave, else what was entered since and what is still to come."""
    row, node = entries[index], program.nodes[cursor.at]
    if row.trigger == w.select and row.body.value is not None:
        return tuple(node.exits[name] for name in decode(row.body.value) if name in node.exits)
    turn = (*cursor.turn, cursor.attempt)
    inside = set(node.exits.values())
    begun = [each.at for each in entries[index:] if each.at in inside and each.turn == turn and each.trigger == w.enter]
    rest = [at for frame in last.frames if (frame.at, frame.attempt) == (cursor.at, cursor.attempt) for at in frame.rest]
    waiting = [each.at for each in last.cursors if each.at in inside and each.turn == turn and each.phase == w.pending]
    found = list(dict.fromkeys([*begun, *waiting, *rest]))
    went_on = sum(
        (each.at, each.turn, each.attempt, each.trigger, each.dest) == (row.at, row.turn, row.attempt, w.finish, w.running)
        for each in entries[index:]
    )
    unbegun = [at for at in node.exits.values() if at not in found]  # what was cancelled before it began: any of them is as good
    return tuple(found + unbegun[: max(0, 1 + went_on - len(found))])


# -- states ------------------------------------------------------------------------------------------------------------------------


def timeless(state: State) -> State:
    """A state without its instants: a journal says when a row was stored, a little after what fired it."""
    cursors = [each if each.marks.due is None else evolve(each, marks=evolve(each.marks, due=0)) for each in state.cursors]
    return evolve(state, cursors=tuple(cursors))


def references(state: State) -> set[Ref]:
    """All outputs that a state refers to."""
    refs: set[Ref] = set()
    for cursor in state.cursors:
        collect(refs, cursor.prev, cursor.last)
        if cursor.marks is not UNMARKED:
            collect(refs, cursor.marks.output, cursor.marks.rejected)
    for frame in state.frames:
        collect(refs, frame.prev, frame.last, frame.marks.rejected, *(source for _, source in frame.done))
    for ending in state.endings:
        collect(refs, ending.prev, ending.last)
    collect(refs, state.result)
    return refs


def collect(refs: set[Ref], *sources: Source | None) -> None:
    """Add what sources refer to, also inside of what a Parallel handed on."""
    for source in sources:
        if source is None:
            continue
        if isinstance(source, Ref):
            refs.add(source)
        else:
            collect(refs, *[branch for _, branch in source.branches])
