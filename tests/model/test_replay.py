"""A journal says enough to be played again: random walks through the models come back as the states that they ended in (I7, I8)."""

from __future__ import annotations

from random import Random

import pytest

from statecore.core import BEGINNING, Advanced, Event, Move, Program, State, advance
from statecore.stores.records import NO_BODY, Entry
from statecore.stores.replay import replay, timeless
from tests.model.explore import labels
from tests.model.models import models

WALKS = 50
STEPS = 40
TIME = 1_700_000_000_000_000


def walk(program: Program, random: Random) -> tuple[list[tuple[Move, int]], State]:
    """The moves of a random walk, each with the time of its boundary, and where it ended."""
    state, moves = BEGINNING, []
    for n in range(STEPS):
        ways = labels(program, state, attempts=3, deaths=3)
        if not ways:
            break
        time = TIME + n
        found = advance(program, state, *[at(event, time) for event in random.choice(ways)])
        assert isinstance(found, Advanced)
        moves += [(move, time) for move in found.moves]
        state = found.state
    return moves, state


def at(event: Event, time: int) -> Event:
    """An event, some time."""
    return Event(event.trigger, event.at, event.turn, event.attempt, None, event.choices, time)


def journal(moves: list[tuple[Move, int]]) -> list[Entry]:
    """The rows that a driver would have written."""
    return [
        Entry(seq, move.machine, move.at, move.turn, move.attempt, move.source, move.trigger, move.dest, time, NO_BODY)
        for seq, (move, time) in enumerate(moves, 1)
    ]


@pytest.mark.spec("LAW-3")
@pytest.mark.parametrize("name", models())
def test_a_walk_is_found_again(name):
    """Whatever happened, several things at once and cancellations too, the rows alone lead to the state that the walk ended in."""
    program = models()[name]
    for seed in range(WALKS):
        moves, state = walk(program, Random(f"{name}{seed}"))  # noqa: S311  # to be repeatable, not secret
        rows = journal(moves)
        played = replay(program, rows, state)
        assert (played.rows, timeless(played.state)) == (len(rows), timeless(state)), f"seed {name}{seed}"
