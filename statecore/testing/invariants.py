"""What every store obeys, whatever happened to it: judged from its rows through the core."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from statecore.core import BEGINNING, asks, calls, stored_program, timers
from statecore.core.state import State
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.audit.replay import Replayed, replay

if TYPE_CHECKING:
    from statecore.core import Program
    from statecore.stores import Entry, Record, RunReader

ALL = 1_000_000
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
