"""The invariants of every store, which hold after anything; and a user's own properties, judged on runs that happened.

An invariant is judged from the rows of a store through the core, whatever happened to it: these are the laws of the engine, the same for
every workflow. A property is a sentence about the runs of one workflow, as `statecore check` reads it; here it is judged on runs that
there were, so only a sentence that a single run can break may be given.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from attrs import field, frozen

from statecore.check.atoms import moments
from statecore.check.properties import BAD, Property, Shape
from statecore.check.wording import parse
from statecore.check.world import Letter
from statecore.core import BEGINNING, State, asks, calls, stored_program, timers
from statecore.errors import InvalidProperty
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.detail import detail_of
from statecore.stores.replay import Replayed, replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore.check.atoms import Atom
    from statecore.check.world import Word
    from statecore.core import Move, Program
    from statecore.stores import Entry, Record, RunReader
    from statecore.workflow.workflow import Workflow

ALL = 1_000_000
ENDS = frozenset({w.completed, w.cancelled, w.failed})
Memory: TypeAlias = tuple[int, ...]
"""The memory that each property has of a run."""
OVER = frozenset({w.completed, w.skipped, w.cancelled})


def assert_invariants(db: RunReader, run_id: str | None = None) -> int:
    """Assert what must hold of every run of a store, or of one run; how many journals that were.

    A journal is gap-free and equals the moves of the core on its events; the state at its end is the stored one; no
    move leaves an end; a run is paused if and only if a person owes a decision and no code runs; the open pauses are
    those of the state, and each has at most one decision.
    """
    records = [db.load(run_id)] if run_id is not None else db.runs(RunFilter(limit=ALL))
    for record in records:
        check_run(db, record)
    return len(records)


def check_run(db: RunReader, record: Record) -> None:
    """Assert it of one run."""
    run_id = record.identity.run_id
    rows = db.journal(run_id)
    assert [row.seq for row in rows] == list(range(1, record.seq + 1)), f"run {run_id!r}: the journal has gaps"
    check_ends(run_id, rows)
    played = replay(lambda fingerprint: program_of(db, fingerprint), rows)
    program, state = reached(record, played)
    assert state == record.state, f"run {run_id!r}: its journal leads to {state}, and it is {record.state}"
    check_owed(db, run_id, program, state)


def check_ends(run_id: str, rows: list[Entry]) -> None:
    """Nothing leaves completed, skipped or cancelled, and only a reopening leaves failed."""
    over: dict[object, str] = {}
    for row in rows:
        key = (row.machine, row.at, row.turn)
        assert over.get(key) not in OVER, f"run {run_id!r}: row {row.seq} moves {row.at!r}, which was {over.get(key)}"
        if row.source == w.failed:
            assert row.trigger == w.resume, f"run {run_id!r}: row {row.seq} leaves failed by {row.trigger}"
        over[key] = row.dest


def check_owed(db: RunReader, run_id: str, program: Program, state: State) -> None:
    """Paused is owing, and the inbox is what the state asks."""
    owed, working = asks(program, state), (*calls(program, state), *timers(program, state))
    if state.run in (w.running, w.paused):
        assert (state.run == w.paused) == (bool(owed) and not working), f"run {run_id!r} is {state.run} and owes {owed}, {working}"
        inbox = [row.pause.pause_id for row in db.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=ALL))]
        assert sorted(inbox) == sorted(ask.pause_id for ask in owed), (
            f"run {run_id!r}: the inbox says {inbox}, the state asks {owed}"
        )
    decided = Counter(each.pause_id for each in db.decisions(run_id))
    assert not decided or max(decided.values()) == 1, f"run {run_id!r}: a pause was decided twice: {decided}"


def reached(record: Record, played: list[Replayed]) -> tuple[Program, State]:
    """Where a journal leads, and the program that holds there."""
    if played:
        return played[-1].program, played[-1].commit.after.state
    return stored_program(record.identity.canonical), BEGINNING


def program_of(db: RunReader, fingerprint: str) -> Program | None:
    """A program that some run of a store follows."""
    canonical = db.definition(fingerprint)
    return stored_program(canonical) if canonical is not None else None


# -- a user's own properties -------------------------------------------------------------------------------------------------------


def of_one_run(properties: Iterable[Property | str], workflow: Workflow | None = None) -> tuple[Property, ...]:
    """Properties that a single run can break, parsed; those of the workflow's `checks` come first.

    Raises `InvalidProperty` for a sentence about all runs, as `reachable`; among the workflow's own `checks` such a sentence is left to `check`.
    """
    own = [parse(each) if isinstance(each, str) else each for each in (workflow.checks if workflow is not None else ())]
    given = [parse(each) if isinstance(each, str) else each for each in properties]
    for each in given:
        if not breakable(each):
            why = "it speaks of all runs together: only statecore check can judge it"
            raise InvalidProperty(str(each), why)
    return tuple(dict.fromkeys([*filter(breakable, own), *given]))


def breakable(each: Property) -> bool:
    """Whether a single run can break a property."""
    return each.shape in (Shape.safety, Shape.response)


@frozen
class Judge:
    """Properties over the moves of one program, as one automaton."""

    program: Program = field(repr=False)
    properties: tuple[Property, ...]
    read: Callable[[Word], tuple[frozenset[Atom], ...]] = field(init=False, repr=False)

    @read.default
    def _(self) -> Callable[[Word], tuple[frozenset[Atom], ...]]:
        atoms = tuple(dict.fromkeys(atom for each in self.properties for atom in each.atoms))
        return moments(self.program, atoms)

    @property
    def beginning(self) -> Memory:
        """The memory before a run begins."""
        return (0,) * len(self.properties)

    def after(self, memory: Memory, moves: Iterable[Move | Entry]) -> Memory:
        """The memory after some moves."""
        for moment in self.read(tuple([Letter(each.at, each.source, each.trigger, each.dest) for each in moves])):
            memory = tuple([was if was == BAD else one.step(was, moment) for one, was in zip(self.properties, memory, strict=True)])
        return memory

    def broken(self, memory: Memory, run: str) -> list[str]:
        """The texts of the properties that a run breaks which is in this phase."""
        ended = run in ENDS
        return [
            str(each)
            for each, was in zip(self.properties, memory, strict=True)
            if was == BAD or (each.shape is Shape.response and ended and was == 1)
        ]


def assert_properties(db: RunReader, properties: Iterable[Property | str], run_id: str | None = None) -> int:
    """Assert properties of every run of a store, or of one run; how many runs that were.

    Properties are those of `statecore.check`, or their texts. Raises `AssertionError` with the property and the run's rows, `InvalidProperty`
    for a property that no single run can break, and `UnknownStep`.
    """
    judged = of_one_run(properties)
    records = [db.load(run_id)] if run_id is not None else db.runs(RunFilter(limit=ALL))
    for record in records if judged else ():
        rows = db.journal(record.identity.run_id)
        judge = Judge(last_program(db, record, rows), judged)
        broken = judge.broken(judge.after(judge.beginning, rows), record.state.run)
        assert not broken, f"run {record.identity.run_id!r} breaks {'; '.join(broken)}\n{told(rows)}"
    return len(records)


def last_program(db: RunReader, record: Record, rows: list[Entry]) -> Program:
    """The program that a run follows now: the last one that a row of its journal names."""
    named = [found for row in rows if (found := detail_of(row.body.detail).definition) is not None]
    program = program_of(db, named[-1]) if named else None
    return program if program is not None else stored_program(record.identity.canonical)


def told(rows: list[Entry]) -> str:
    """The rows of a run, one a line."""
    return "\n".join(f"{row.seq:>4}  {row.at or 'the run'}: {row.source} -{row.trigger}-> {row.dest}" for row in rows)
