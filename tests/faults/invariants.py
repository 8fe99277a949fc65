"""I1 to I11, written once: what must be true of a store and of the world after whatever happened to them.

Each function answers with the violations that it finds, as sentences that begin with the invariant's number.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import field, frozen

from statecore import Workflow
from statecore.core import advance, asks
from statecore.core.state import BEGINNING, CANCEL, Event
from statecore.errors import StatecoreError, UnknownRun
from statecore.lifecycles import TABLES
from statecore.stores.history import History
from statecore.stores.records import PauseFilter
from statecore.stores.rules import LEGAL
from statecore.stores.sqlite.health import verify
from tests.faults.effects import Effect
from tests.faults.scenarios import RUN, Scenario

ENDS = ("COMPLETED", "CANCELLED")


@frozen
class Evidence:
    """All that is known of one run: the store's file, what the world saw, what callers were told, how often it was struck."""

    workflow: Workflow
    scenario: Scenario
    run_id: str
    effects: list[Effect]
    told: list[tuple[Any, ...]] = field(factory=list)
    crashes: int = 0
    status: str = ""


def violations(evidence: Evidence) -> list[str]:
    """Every invariant that does not hold."""
    return [wrong for check in CHECKS for wrong in check(evidence)]


def told_is_true(e: Evidence) -> Iterator[str]:
    """I1: every answer given to a caller is still true; I3: at most one decision for each pause."""
    decided = e.workflow.db.decisions(e.run_id)
    words = {each.pause_id: each.word for each in decided}
    if len(words) < len(decided):
        yield "I3 a pause has two decisions"
    now = e.workflow.get_run_output(e.run_id)
    for what, *rest in e.told:
        if what == "decided" and words.get(rest[0]) != rest[1]:
            yield f"I1 {rest[1]!r} of {rest[0]} was acknowledged; stored is {words.get(rest[0])!r}"
        if what == "status" and rest[0] in ENDS and (now.status.value, now.content) != tuple(rest):
            yield f"I1 {rest} was told; now it is {now.status.value} {now.content!r}"
        if what == "cancelled" and now.status.value != "CANCELLED":
            yield f"I1 the run was cancelled; now it is {now.status.value}"


def lost(workflow: Workflow, scenario: Scenario, told: list[tuple[Any, ...]], run_id: str = RUN) -> list[str]:
    """I1, asked before anybody goes on: a run that goes on may come to the same answers again, and hide that they were lost."""
    try:
        return list(told_is_true(Evidence(workflow, scenario, run_id, [], told)))
    except UnknownRun:
        return [f"I1 {words} was told; now there is no such run" for words in told]


def gates_hold(e: Evidence) -> Iterator[str]:
    """I2: no gated step begins unless the file held an allowing decision of its pause at that moment."""
    for effect in e.effects:
        allowed = e.scenario.gated.get(effect.at)
        if effect.kind == "start" and allowed is not None and not allowed & set(effect.seen):
            yield f"I2 {effect.at} began with {effect.seen or 'nothing'} decided"


def nothing_twice(e: Evidence) -> Iterator[str]:
    """I4: what is stored as done is never begun again; I5: every repetition is journaled, at most one a branch and crash."""
    journal = e.workflow.db.journal(e.run_id)
    interrupts = Counter((row.at, row.attempt) for row in journal if row.trigger == "interrupt")
    starts = Counter((each.at, each.attempt) for each in e.effects if each.kind == "start")
    for each in e.effects:
        if each.kind == "start" and "done" in each.seen:
            yield f"I4 {each.at} was done, and began again"
    extra = 0
    for place, count in starts.items():
        extra += count - 1
        if count - 1 > interrupts[place]:
            yield f"I5 {place} began {count} times, and {interrupts[place]} interruptions are journaled"
    if extra > e.crashes * e.scenario.branches:
        yield f"I5 {extra} repetitions after {e.crashes} crashes of {e.scenario.branches} branches"


def path_is_walked(e: Evidence) -> Iterator[str]:
    """I6: what is stored as done has an effect of its own, in the order of the path."""
    done = [(row.at, row.attempt) for row in e.workflow.db.journal(e.run_id) if (row.machine, row.trigger) == ("step", "succeed")]
    ends = list(dict.fromkeys((each.at, each.attempt) for each in e.effects if each.kind == "end"))
    for place in done:
        if place not in ends:
            yield f"I6 {place} is stored as done and had no effect"
    if e.scenario.branches == 1 and done != [place for place in ends if place in done]:
        yield f"I6 stored order {done} is not the order of the world {ends}"


def journal_is_state(e: Evidence) -> Iterator[str]:
    """I7: the rows follow one another, the chain verifies, and their fold is what the run's row and its pauses say."""
    db = e.workflow.db
    record, journal = db.load(e.run_id), db.journal(e.run_id)  # reading verifies the chain
    if [row.seq for row in journal] != list(range(1, record.seq + 1)):
        yield "I7 the journal has gaps"
    phases = [row.dest for row in journal if row.machine == "run"]
    if (phases[-1] if phases else "pending") != record.state.run:
        yield f"I7 the run is {record.state.run}, its journal says {phases[-1:]}"
    visits = History().extend(journal).visits
    for cursor in record.state.cursors:
        visit = visits.get((cursor.at, cursor.turn))
        if cursor.phase != "pending" and (visit is None or visit.phase != cursor.phase):
            yield f"I7 {cursor.at} is {cursor.phase}, its journal says {visit.phase if visit else None}"
    if record.state.run == "paused":
        asked = {ask.pause_id for ask in asks(e.workflow.compiled.program, record.state)}
        stored = {row.pause.pause_id for row in db.pauses(PauseFilter(run_id=e.run_id, undecided_only=False))}
        if asked != stored:
            yield f"I7 owed are {asked}, stored are {stored}"


def journal_is_a_path(e: Evidence) -> Iterator[str]:
    """I8: the journal is a path of the lifecycles, and of the workflow's own model: the reducer makes the same rows of the same events."""
    at: dict[Any, str] = {}
    journal = e.workflow.db.journal(e.run_id)
    for row in journal:
        place = (row.machine, row.at, row.turn)
        if (
            at.get(place, TABLES[row.machine].initial) != row.source
            or (row.machine, row.source, row.trigger, row.dest) not in LEGAL
        ):
            yield f"I8 row {row.seq}: {place} was {at.get(place)}, and goes {row.source} --{row.trigger}--> {row.dest}"
        at[place] = row.dest
    if e.scenario.branches > 1:  # events of several branches may have come at once
        return
    state, n = BEGINNING, 0
    while n < len(journal):
        row = journal[n]
        if row.machine == "run" and row.trigger == "resume" and state.run == "paused":
            row = journal[n + 1]
        event = Event(row.trigger, row.at, row.turn, row.attempt, row.body, (), row.time)
        for events in ((event,), (event, CANCEL), (CANCEL,)):  # a cancellation may come by itself, or with an end
            try:
                moved = advance(e.workflow.compiled.program, state, *events)
            except StatecoreError:
                continue
            made = [(m.machine, m.at, m.turn, m.attempt, m.source, m.trigger, m.dest) for m in moved.moves]
            if made == [(r.machine, r.at, r.turn, r.attempt, r.source, r.trigger, r.dest) for r in journal[n : n + len(made)]]:
                state, n = moved.state, n + len(made)
                break
        else:
            yield f"I8 the model makes no rows like those from {row.seq} on: {row.at} {row.source} --{row.trigger}--> {row.dest}"
            return


def database_is_sound(e: Evidence) -> Iterator[str]:
    """I9: SQLite finds nothing wrong with the file; I7: neither does `statecore verify`."""
    path: Path | None = getattr(e.workflow.db, "path", None)
    if path is None:
        return
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall() + connection.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        connection.close()
    if found != [("ok",)]:
        yield f"I9 {found[:3]}"
    for fault in verify(path).faults:
        yield f"I7 verify: {fault}"


def progress_is_made(e: Evidence) -> Iterator[str]:
    """I10: when faults have stopped, the run comes to its end."""
    if e.status and e.status != e.scenario.end:
        yield f"I10 the run came to {e.status}, not to {e.scenario.end}"


CHECKS = (
    told_is_true,
    gates_hold,
    nothing_twice,
    path_is_walked,
    journal_is_state,
    journal_is_a_path,
    database_is_sound,
    progress_is_made,
)
