"""T24: the engine and the store are broken on purpose, one way after the other; each fault must be caught by a campaign, else its zeros mean nothing.

A fault is a patch that is made in a process of its own, where the named campaign then runs as a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from statecore.runtime.judge import Case
from tests.faults import abandoned, boundaries, redefined, signals
from tests.faults.crowd import Pipe, Worker
from tests.faults.report import Order, Tally

CATCHERS = {"T1": boundaries.dense, "T7": redefined.run, "T11": signals.run, "T18": abandoned.run}


@frozen
class Mutant:
    """A deliberate fault, and the campaign that has to catch it; `only` says that no other campaign on runs does, `quick` that it takes a second."""

    name: str
    caught_by: str
    break_it: Callable[[], None]
    only: bool = False
    quick: bool = False


def put(place: Any, name: str, made: Callable[[Any], Any]) -> Callable[[], None]:
    """A patch: the named thing becomes what is made of it."""

    def patch() -> None:
        setattr(place, name, made(getattr(place, name)))

    return patch


def text(place: Any, name: str, old: str, new: str) -> Callable[[], None]:
    """A patch of a statement."""

    def patch() -> None:
        before = getattr(place, name)
        assert old in before, (name, old)
        setattr(place, name, before.replace(old, new))

    return patch


def mutants() -> list[Mutant]:  # a list of small patches
    """All of them."""
    from statecore.runtime import ends, storing, sync
    from statecore.stores import rules
    from statecore.stores.sql3 import writing
    from statecore.stores.sqlite.channel import Channel
    from statecore.stores.sqlite.store3 import SqliteDb

    def no_undo(_: Any) -> Any:
        return lambda self: self.connection.execute("COMMIT") if self.connection.in_transaction else None

    def twice(commit: Any) -> Any:
        def both(self: Any, boundary: Any) -> Any:
            commit(self, boundary)
            return commit(self, boundary)

        return both

    def evolved(**changes: Any) -> Callable[[Any], Any]:
        return lambda commit: lambda self, boundary: commit(self, boundary._replace(**changes))

    def half(append: Any) -> Any:
        def halves(connection: Any, *args: Any, **more: Any) -> Any:
            done = append(connection, *args, **more)
            connection.execute("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            return done

        return halves

    def any_word(event: Any) -> Any:
        return lambda ask, answer, node, now: event(
            ask, evolve(answer, word="confirm") if answer.word == "reject" else answer, node, now
        )

    def kept(decide: Any) -> Any:
        return lambda self, decision, *_: decision

    return [
        Mutant("an undone transaction is committed", "T1", put(Channel, "undo", no_undo)),
        Mutant("a boundary is two transactions", "T1", put(writing, "append", half)),
        Mutant("a boundary is committed twice", "T1", put(SqliteDb, "commit", twice)),
        Mutant("decisions are acknowledged and not stored", "T1", put(SqliteDb, "decide", kept)),
        Mutant("a rejection is taken for a confirmation", "T1", put(storing, "decision_event", any_word)),
        Mutant("pauses are not closed", "T1", put(SqliteDb, "commit", evolved(closed=()))),
        Mutant("pauses are not opened", "T1", put(SqliteDb, "commit", evolved(opened=()))),
        Mutant("a dead owner counts as alive", "T1", put(rules, "alive", lambda _: lambda *_: True)),
        Mutant("a dead owner's calls are not in doubt", "T1", put(ends, "interrupted", lambda _: lambda *_: None)),
        Mutant("a parked run keeps its claim", "T1", put(SqliteDb, "commit", evolved(parks=False))),
        Mutant("a lost end is forgotten", "T1", put(storing, "calls", lambda _: lambda *_: ())),
        Mutant("a cancellation is not heeded", "T11", put(storing, "cancellation", lambda _: lambda *_: None)),
        Mutant("the state is not advanced", "T1", text(writing, "ADVANCE", "state = ?", "state = coalesce(state, ?)")),
        Mutant("a claim is never given back", "T1", put(SqliteDb, "release", lambda _: lambda *_: None)),
        Mutant("an interruption in a step is not stored", "T11", put(sync, "store_interruption", lambda _: lambda *_: None)),
        Mutant("an abandoned run is not given back", "T18", put(sync, "let_go", lambda _: lambda *_: None)),
        Mutant("a changed definition is not looked at", "T7", put(Case, "differences", lambda _: lambda *_: [])),
        Mutant("the chain is not linked", "T1", put(writing, "link", lambda _: lambda *_: bytes(32))),
    ]


def every() -> list[Mutant]:
    """All deliberate faults."""
    from tests.faults.planted import planted

    return [*mutants(), *planted()]


def tried(pipe: Pipe, number: int, folder: Path, catcher: str) -> None:
    """Break it, and run a campaign: how many violations, or what came of it."""
    from tests.faults import planted

    every()[number].break_it()
    try:
        found = (CATCHERS | planted.CATCHERS)[catcher](Order(folder, "sample", budget=80))
        pipe.send((len(found.violations), found.violations[:1]))
    except BaseException as error:  # noqa: BLE001  # a campaign that breaks has caught it, too
        pipe.send((1, [f"{type(error).__name__}: {error}"]))


def found_by(order: Order, number: int, catcher: str) -> int:
    """How many violations a campaign finds of a fault, in a process of its own."""
    folder = order.folder / f"mutant-{number}-{catcher}"
    folder.mkdir()
    worker = Worker(tried, number, folder, catcher)
    found, _ = worker.hear()
    worker.close()
    return int(found)


def run(order: Order) -> Tally:
    """Each fault once; in the sample three of those that are quick. In the full size also what only the simulation finds."""
    from tests.faults.planted import OTHERS

    tally, faults = Tally(), every()
    quick = [number for number, mutant in enumerate(faults) if mutant.quick]
    sample = order.random.sample(quick, 3)
    for number in sample if order.size == "sample" else range(len(faults)):
        if order.over:
            break
        mutant = faults[number]
        found = found_by(order, number, mutant.caught_by)
        missed = [] if found else [f"{mutant.name!r} was not caught by {mutant.caught_by}"]
        tally.add("caught" if found else "missed", missed, "T24")
        if mutant.only and order.size == "full":
            seen_by = [other for other in OTHERS if found_by(order, number, other)]
            tally.notes[mutant.name] = f"found by {mutant.caught_by} and {seen_by or 'no other campaign on runs'}"
            tally.counts["found by the simulation only"] += not seen_by
    tally.cut_short = order.over
    return tally
