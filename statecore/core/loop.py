"""`loop`: the effect generator that every driver performs. Ten lines of control flow, never stored.

| effect   | the driver                                                        | its answer                                       |
|----------|-------------------------------------------------------------------|--------------------------------------------------|
| `Commit` | stores the next state with the moves that led to it, durably      | None; or what stands against it, and nothing was |
|          |                                                                   | stored: the cancellation that was asked for, or  |
|          |                                                                   | the decisions of questions that it leaves open   |
| `Start`  | begins a call of user code                                        | -                                                |
| `Next`   | waits for the first call to end, or the first delay to be over    | its events, or () where nothing is in flight     |

`recall` is `advance` with a memory, kept with the program, because runs of one workflow pass through the same situations. Equal
states are equal situations, so the answer to the same event is the same, but for what the event brings for the journal. An answer
with an instant in it is not kept, and a program keeps only a few for each component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from attrs import define

from .owed import Call, Timer, owing
from .reducer import advance, stands_at
from .state import Advanced, Event, Move

if TYPE_CHECKING:
    from collections.abc import Generator

    from .program import Program
    from .state import State

LEAST, EACH = 1_000, 4
"""How many answers are remembered: so many for each component, and at least so many; each takes about a kilobyte."""


# -- an answer that is remembered --------------------------------------------------------------------------------------------------


@define(eq=False)
class Remembered:
    """An answer that is remembered, without the body that its event brings at the move number `place`.

    A driver keeps with it the `form` of the boundaries that it makes of such answers; `formless` says that there is none.
    """

    after: Advanced
    place: int
    form: Any = None
    formless: bool = False


class Recalled(Advanced):
    """An answer with the memory of those that differ from it in nothing but the body."""

    known: Remembered


def recall(program: Program, state: State, events: tuple[Event, ...]) -> Advanced:
    """`advance(program, state, *events)`. Raises what it raises."""
    if len(events) > 1:
        return advance(program, state, *events)
    [event] = events
    key = (state, event.trigger, event.at, event.turn, event.attempt, event.choices, event.firm, event.death, event.number)
    known: Remembered | None = program.memo.get(key)
    if known is not None:
        after = Recalled(known.after.state, moves_with(known.after.moves, known.place, event.body))
        after.known = known
        return after
    found = advance(program, state, event)
    if event.body is not None and is_timeless(found) and len(program.memo) < max(LEAST, EACH * len(program.nodes)):
        place = next(place for place, move in enumerate(found.moves) if move.body is not None)
        program.memo[key] = Remembered(with_body(found, place, None), place)  # an output is let go with its run
    return found


def is_timeless(after: Advanced) -> bool:
    """Whether an answer has no instant in it: no deadline, and no end of a delay."""
    return all(cursor.marks.due is None for cursor in after.state.cursors)


def with_body(after: Advanced, place: int, body: Any) -> Advanced:
    """An answer with what an event brings for the journal, at the move that it fired."""
    return Advanced(after.state, moves_with(after.moves, place, body))


def moves_with(moves: tuple[Move, ...], place: int, body: Any) -> tuple[Move, ...]:
    """Moves with what an event brings for the journal, at one of them."""
    was = moves[place]
    return (*moves[:place], Move(*was[:7], body, was[8]), *moves[place + 1 :])


class Commit(NamedTuple):
    """Store this before anything else happens."""

    before: State
    events: tuple[Event, ...]
    after: Advanced


class Start(NamedTuple):
    """Begin this call."""

    call: Call


class Next(NamedTuple):
    """Wait for the world: for the first call to end, or for the first of these delays to be over."""

    timers: tuple[Timer, ...] = ()


Effect: TypeAlias = Commit | Start | Next
NEXT = Next()
Reply: TypeAlias = "Event | tuple[Event, ...] | None"


def committing(program: Program, state: State, events: tuple[Event, ...]) -> Generator[Commit, Reply, Commit]:
    """Have events stored; returns what was stored in the end.

    The events are judged by themselves first. Only where they alone would park the run does the store name decisions (SAID-1). These join
    the events, and the commit is tried again, until none is new. A cancellation joins the events alone: it uses no decision.
    """
    effect = Commit(state, events, recall(program, state, events))
    said: tuple[Event, ...] = ()
    while reply := (yield effect):
        said = (reply,) if isinstance(reply, Event) else (*said, *reply)
        joined = (*events, *said)
        effect = Commit(state, joined, advance(program, state, *joined))
    return effect


def loop(program: Program, state: State, events: tuple[Event, ...] = ()) -> Generator[Effect, Reply, State]:
    """Drive a run from `state` and `events` until only people are left or it is over; returns the state it is parked in."""
    begun: tuple[Call, ...] = ()
    while True:
        if events:
            state = (yield from committing(program, state, events)).after.state
        waiting = owing(program, state)
        for call in waiting.calls:
            if call not in begun:
                yield Start(call)
        begun = waiting.calls
        reply = yield Next(waiting.timers) if waiting.timers else NEXT
        if isinstance(reply, Event) or not reply:
            return state
        events = reply if len(state.cursors) == 1 else tuple([event for event in reply if stands_at(state, event)])
