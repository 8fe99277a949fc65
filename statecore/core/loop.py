"""`loop`: the effect generator that every driver performs. Ten lines of control flow, never stored.

| effect   | what the driver does                                              | what it answers                                  |
|----------|-------------------------------------------------------------------|--------------------------------------------------|
| `Commit` | stores the next state with the moves that led to it, durably      | None; or the cancellation that was asked for     |
|          |                                                                   | meanwhile: then nothing was stored               |
| `Start`  | begins a call of user code                                        | -                                                |
| `Next`   | waits for the first call to end, or the first delay to be over    | its events, or () where nothing is in flight     |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .events import Advanced, Event
from .memo import recall
from .owed import Call, Timer, owed
from .reducer import advance, stands_at

if TYPE_CHECKING:
    from collections.abc import Generator

    from .program import Program
    from .state import State


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


def loop(program: Program, state: State, events: tuple[Event, ...] = ()) -> Generator[Effect, Reply, State]:
    """Drive a run from `state` and `events` until only people are left or it is over; returns the state it is parked in."""
    begun: tuple[Call, ...] = ()
    while True:
        if events:
            after = recall(program, state, events)
            ordered = yield Commit(state, events, after)
            if isinstance(ordered, Event):
                events = (*events, ordered)
                after = advance(program, state, *events)
                yield Commit(state, events, after)
            state = after.state
        waiting = owed(program, state)
        open_calls = tuple([item for item in waiting if type(item) is Call])
        for call in open_calls:
            if call not in begun:
                yield Start(call)
        begun = open_calls
        reply = yield Next(tuple([item for item in waiting if type(item) is Timer])) if len(waiting) > len(begun) else NEXT
        if isinstance(reply, Event) or not reply:
            return state
        events = reply if len(state.cursors) == 1 else tuple([event for event in reply if stands_at(state, event)])
