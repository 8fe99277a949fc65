"""The events that are offered to the core and to the model: everything that could be said in a state, most of it refused.

In every state, ended ones included: every trigger of every table at the run; every trigger of its own machine at every cursor, the
internal ones included; at each cursor a few from another machine, of another attempt and of another turn; the same trigger at a
component where no cursor is; and in pairs each event twice, and each with a cancellation behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, permutations
from random import Random

from statecore.core import BEGINNING, CANCEL, Advanced, Cursor, Event, Program, State, advance
from statecore.core.program import ROOT
from statecore.errors import RefusedTrigger, StaleEvent
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w

Events = tuple[Event, ...]
TRIGGERS = list(dict.fromkeys(trigger for table in TABLES.values() for trigger in table.triggers))
INTERNAL = {w.enter, w.start, w.finish, w.leave, w.pause, w.cancel}
"""Triggers that nothing in the world fires at a component; the core still has to answer as the model does."""

UNROUTED = [trigger for trigger in TRIGGERS if trigger not in {w.select, w.choose}]
"""Triggers that carry no choices; a route without any is refused before it reaches the core (ROUTE-2)."""

ROUTES = 3
"""How many children of a Router are permuted at most."""


def outcome(program: Program, state: State, events: Events) -> Advanced | None:
    """What the core answers; None where it refuses. Any other error is the core's fault and ends the comparison."""
    try:
        return advance(program, state, *events)
    except (RefusedTrigger, StaleEvent):
        return None


def at_run() -> list[Event]:
    """Every trigger, said of the run itself."""
    return [Event(trigger) for trigger in TRIGGERS]


def at_cursor(program: Program, cursor: Cursor) -> Iterator[Event]:
    """Every trigger of its machine at a cursor; a route is each selection of up to three children, in each order."""
    node = program[cursor.at]
    for trigger in dict.fromkeys(TABLES[node.machine].triggers):
        for choices in routes(program, cursor.at) if trigger in {w.select, w.choose} else [()]:
            yield Event(trigger, cursor.at, cursor.turn, cursor.attempt, None, choices)


def routes(program: Program, at: str) -> list[tuple[str, ...]]:
    """The ways in which a Router may choose; for any other component, no choice."""
    children = list(program[at].exits.values())[:ROUTES]
    return [chosen for count in range(1, len(children) + 1) for chosen in permutations(children, count)] or [()]


def foreign(program: Program, state: State, draw: Random) -> Iterator[Event]:
    """Events that fit no cursor, or no machine: late ones, early ones, those of other components."""
    for cursor in state.cursors:
        own = set(TABLES[program[cursor.at].machine].triggers)
        other = draw.choice([trigger for trigger in TRIGGERS if trigger not in own])
        trigger = draw.choice(sorted(own - {w.select, w.choose}))
        yield Event(other, cursor.at, cursor.turn, cursor.attempt)
        yield Event(trigger, cursor.at, cursor.turn, cursor.attempt + 1)
        yield Event(trigger, cursor.at, (*cursor.turn, 0), cursor.attempt)
        yield Event(trigger, cursor.at, cursor.turn[:-1], cursor.attempt)
    for at in draw.sample(sorted(program.nodes), min(2, len(program.nodes))):
        yield Event(draw.choice(UNROUTED), at, (0,) * program[at].depth)


def alone(program: Program, state: State, draw: Random) -> list[Event]:
    """All single events that are offered in a state, but for those that are late."""
    at_cursors = chain.from_iterable(at_cursor(program, cursor) for cursor in state.cursors)
    return [*at_run(), *at_cursors, *foreign(program, state, draw)]


def everything(program: Program, state: State, draw: Random, before: Events = ()) -> list[Events]:
    """All that is offered in a state; `before` are the events that led to it, which are now late."""
    single = [*at_run(), *chain.from_iterable(at_cursor(program, cursor) for cursor in state.cursors)]
    found: list[Events] = [(event,) for event in chain(single, foreign(program, state, draw), before)]
    inside = [event for event in single if event.at != ROOT and event.trigger not in INTERNAL]
    found += [(event, CANCEL) for event in inside]
    found += [(event, event) for event in inside]
    if len(inside) > 1:
        found += [tuple(draw.sample(inside, draw.choice((2, 3)) if len(inside) > 2 else 2)) for _ in range(3)]
    return found


def onward(program: Program, state: State, draw: Random) -> Events | None:
    """Events with which a walk goes on: those of the world, seldom several at once, seldom a cancellation; None where all is over."""
    every = [Event(w.start), Event(w.resume), *chain.from_iterable(at_cursor(program, cursor) for cursor in state.cursors)]
    good = [event for event in every if event.trigger not in INTERNAL - {w.start} and outcome(program, state, (event,)) is not None]
    if not good:
        return None
    if state != BEGINNING and draw.random() < 0.02:  # how often a run is cancelled
        return (CANCEL,) if outcome(program, state, (CANCEL,)) else (draw.choice(good),)
    pair = (draw.choice(good), draw.choice(good))
    if len(state.cursors) > 1 and draw.random() < 0.3 and outcome(program, state, pair) is not None:  # how often at once
        return pair
    return (draw.choice(good),)


UNSAID = {w.enter, w.cancel}
"""Triggers that the core would take at a cursor, and that nothing outside the core says there: `enter` at one that waits for a place, and `cancel`."""


def heard(program: Program, state: State, draw: Random) -> list[Event]:
    """The events that the core hears in a state, of all that can be said there, foreign ones included."""
    said = [event for event in alone(program, state, draw) if event.trigger not in UNSAID or not event.at]
    return [event for event in said if outcome(program, state, (event,)) is not None]


def is_route(event: Event) -> bool:
    """Whether several choices are made: the explorer and the engine try two in reverse order, here all selections are tried."""
    return event.trigger in {w.select, w.choose} and len(event.choices) > 1
