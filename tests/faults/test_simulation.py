"""The scheduler itself: it tries every order, looks at no state twice, does what a move says, and does it again."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import pytest

from statecore.errors import StoreUnavailable
from statecore.stores.memory import InMemoryDb
from tests.faults.planted import epoch_only
from tests.faults.schedule import Actor, Search, World, sampled, told
from tests.faults.simulation import SCOPES, Theatre


def world_of(log, pick, acts, *, merged=False, **left):
    """A world of actors, each of which makes named calls that are logged; `merged` says that nobody can tell one log from another."""
    world = World([], pick, lambda: 0 if merged else tuple(log), now=0, jump=100, **{"faults": 0, "jumps": 0} | left)

    def call(name, what, tell):
        try:
            world.point(what, "write", lambda: log.append(f"{name}{what}@{world.now}"))
        except StoreUnavailable:
            tell("failed", what)

    def acting(name, calls, tell):
        for what in calls:
            call(name, what, tell)

    world.actors += [Actor(name, partial(acting, name, calls)) for name, calls in acts.items()]
    return world


def test_every_order_is_tried_once():
    """Where no two histories are alike, the orders that are tried are all that there are, and none is tried twice."""
    search, found = Search(), []
    for pick in search.picks():
        log: list[str] = []
        world_of(log, pick, {"a": "123", "b": "45"}).play()
        if len(log) == 5:
            found.append(tuple(each.partition("@")[0] for each in log))
    expected = set()
    for places in combinations(range(5), 2):
        mine, theirs = iter("123"), iter("45")
        expected.add(tuple(f"b{next(theirs)}" if n in places else f"a{next(mine)}" for n in range(5)))
    assert sorted(found) == sorted(expected)


def test_a_state_is_looked_at_once():
    """Where nothing that is stored tells orders apart, only the last move differs, and each pair of places is a state."""
    search, ended = Search(), 0
    for pick in search.picks():
        world = world_of([], pick, {"a": "12", "b": "34"}, merged=True)
        world.play()
        ended += not world.pruned
    states = 4 * 4 - 1  # before it begins, before each call, done; where both are done there is nothing to pick
    assert (ended, len(search.seen)) == (2, states)  # either is the last


@pytest.mark.parametrize(
    ("fault", "logged", "answers", "dead"),
    [
        ("killed", [], [], True),
        ("killed-after", ["a1@0"], [], True),
        ("fails", ["a2@0"], [("failed", "1")], False),
        ("fails-after", ["a1@0", "a2@0"], [("failed", "1")], False),
    ],
)
def test_a_fault_comes_before_a_call_or_after_it(fault, logged, answers, dead):
    """A process that is gone does nothing more; a failure is told, whether the call was done or not."""
    log: list[str] = []
    world = world_of(log, told(f"a a!{fault}"), {"a": "12"}, faults=1)
    world.play()
    assert (log, world.actors[0].told, world.actors[0].dead) == (logged, answers, dead)


def test_the_clock_is_a_move():
    """What was read of the clock before a jump is old after it."""
    log: list[str] = []
    world = world_of(log, told("a a clock a b b"), {"a": "12", "b": "3"}, jumps=1)
    world.play()
    assert log == ["a1@0", "a2@100", "b3@100"]


def test_what_the_clock_said_is_part_of_a_state():
    """Two orders that differ only in what an actor has read of the clock before its first call are not the same state."""
    search, found = Search(), set[int]()
    for pick in search.picks():
        read: list[int] = []
        world = World([], pick, lambda: 0, now=0, jump=100, faults=0, jumps=1)

        def act(_, world=world, read=read):
            now = world.now
            world.point("first", "write", lambda: read.append(now))

        world.actors.append(Actor("a", act))
        world.play()
        found |= set(read)
    assert found == {0, 100}


def test_a_failure_is_made_again_by_its_moves(monkeypatch):
    """The moves of an order in which something was wrong make the same wrong again, and nothing wrong once the fault is mended."""
    theatre = Theatre(SCOPES["stale"])
    with monkeypatch.context() as broken:
        broken.setattr(InMemoryDb, "commit", epoch_only(InMemoryDb.commit))
        orders = (theatre.play(sampled(f"1-{n}")) for n in range(200))
        world, wrong = next((world, wrong) for world, wrong in orders if wrong)
        again, same = theatre.play(told(" ".join(world.moves)))
        assert (again.moves, same) == (world.moves, wrong)
    assert theatre.play(told(" ".join(world.moves)))[1] == []
