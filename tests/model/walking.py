"""Random walks through a program, and the journal rows that a driver would have written of them."""

from __future__ import annotations

from json import dumps
from random import Random

from statecore.core import BEGINNING, CANCEL, Advanced, Event, Move, Program, State, advance
from statecore.lifecycles import words as w
from statecore.stores.records import NO_BODY, Body, Entry
from tests.model.explore import labels

STEPS = 40
TIME = 1_700_000_000_000_000


def walk(
    program: Program, random: Random, *, attempts: int = 3, deaths: int = 3, cancels: bool = True
) -> tuple[list[Entry], State]:
    """The rows that a driver would have written of a random walk, and where it ended; nobody cancels it where that is not wanted.

    No question is put again: the definition of a walk does not change.
    """
    rows: list[Entry] = []
    state = BEGINNING
    for n in range(STEPS):
        every = labels(program, state, attempts=attempts, deaths=deaths)
        ways = [way for way in every if (cancels or CANCEL not in way) and way[0].trigger != w.renew]
        if not ways:
            break
        time = TIME + n
        found = advance(program, state, *[at(program, event, time) for event in random.choice(ways)])
        assert isinstance(found, Advanced)
        rows += [row(move, len(rows) + place, time) for place, move in enumerate(found.moves, 1)]
        state = found.state
    return rows, state


def at(program: Program, event: Event, time: int) -> Event:
    """An event, some time, with the names of its choices."""
    names = [program[choice].name for choice in event.choices]
    body = Body(dumps({"choices": names})) if names else None
    if event.number or program[event.at].limits.asks:
        body = Body(dumps({"number": event.number}))
    return event._replace(body=body, time=time)


def row(move: Move, seq: int, time: int) -> Entry:
    """The row of a move."""
    body = move.body or NO_BODY
    return Entry(seq, move.machine, move.at, move.turn, move.attempt, move.source, move.trigger, move.dest, time, body)
