"""`recall`: what `advance` answers, remembered with the program, because runs of one workflow pass through the same situations.

Equal states are equal situations, so the answer to the same event in the same state is the same but for what the event brings for the
journal. It is not remembered where it depends on the time, and a program remembers only so much: a few answers for each component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .events import Advanced, Move
from .reducer import advance

if TYPE_CHECKING:
    from .events import Event
    from .program import Program
    from .state import State

LEAST, EACH = 1_000, 4
"""How many answers are remembered: so many for each component, and at least so many; each takes about a kilobyte."""


def recall(program: Program, state: State, events: tuple[Event, ...]) -> Advanced:
    """`advance(program, state, *events)`. Raises what it raises."""
    if len(events) > 1:
        return advance(program, state, *events)
    [event] = events
    key = (state, event.trigger, event.at, event.turn, event.attempt, event.choices)
    known: tuple[Advanced, int] | None = program.memo.get(key)
    if known is not None:
        return with_body(*known, event)
    after = advance(program, state, event)
    if event.body is not None and is_timeless(after) and len(program.memo) < max(LEAST, EACH * len(program.nodes)):
        program.memo[key] = after, next(place for place, move in enumerate(after.moves) if move.body is not None)
    return after


def is_timeless(after: Advanced) -> bool:
    """Whether an answer has no instant in it: no deadline, and no end of a delay."""
    return all(cursor.marks.due is None for cursor in after.state.cursors)


def with_body(after: Advanced, place: int, event: Event) -> Advanced:
    """An answer with what this event brings for the journal, at the move that it fired."""
    moves, was = after.moves, after.moves[place]
    move = Move(was.machine, was.at, was.turn, was.attempt, was.source, was.trigger, was.dest, event.body, was.hands_on)
    return Advanced(after.state, (*moves[:place], move, *moves[place + 1 :]))
