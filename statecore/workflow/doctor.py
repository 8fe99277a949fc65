"""`examine`: what in a store waits for somebody who does not come. It reads, and changes nothing.

Theory of operation. Every run is executed by a process that lives, or waits for a person, or is over. Whatever is none of these is named here,
with what to do: runs that a process left, processes that live and do not move, pauses whose deadline is over, decisions that nobody has
applied, and parked runs that a new definition of their workflow could not go on with.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import define, field

from statecore.lifecycles import words as w
from statecore.stores import PauseFilter, Record, RunFilter, Store
from statecore.stores.health import Symptom
from statecore.stores.owner import SKEW, standing
from statecore.stores.rules import STATUS, clock_text

from .parked import stranded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .workflow import Workflow

ALL = 1_000_000
RECOVER = "statecore recover TARGET"
TICK = "statecore tick TARGET"
WORK = "statecore worker TARGET"
PATIENCE = 60_000_000
"""For how many microseconds a submitted run may wait for a worker."""


@define
class Examined:
    """What was found: how many runs stand where, and the symptoms."""

    runs: Counter[str] = field(factory=Counter)
    executing: int = 0
    symptoms: list[Symptom] = field(factory=list)


def examine(db: Store, now: int, workflow: Workflow | None = None) -> Examined:
    """Look at all runs at an instant (microseconds, UTC); with a workflow, also at what it could not go on with."""
    found = Examined()
    for record in db.runs(RunFilter(limit=ALL)):
        found.runs[STATUS[record.state.run]] += 1
        symptom = of_run(record, now)
        if symptom is not None:
            found.symptoms.append(symptom)
        found.executing += record.owner is not None and symptom is None
    found.symptoms += of_pauses(db, now)
    if workflow is not None:
        found.symptoms += stranded(db, workflow.id, workflow.compiled.program)
    return found


def of_run(record: Record, now: int) -> Symptom | None:
    """What is wrong with a run, as far as its own row says."""
    run_id, owner, lease = record.identity.run_id, record.owner, record.lease
    over = lease is not None and now >= lease + SKEW
    known = standing(owner) if owner is not None else None
    if known == "dead" or (known == "unknown" and over):
        return Symptom("interrupted", run_id, f"its owner {owner} is gone, and left it {record.state.run}", RECOVER)
    if known == "alive" and over:
        why = f"its owner {owner} lives, and has not renewed its lease since {clock_text(lease or 0)}"
        return Symptom("stuck", run_id, why, "Look at that process; once it is ended, the run can be recovered.")
    if owner is None and record.state.run == w.pending:
        why = f"it was submitted at {clock_text(record.updated)}, and nobody has begun it"
        return Symptom("left", run_id, why, f"{WORK}, or {RECOVER}") if now - record.updated >= PATIENCE else None
    if owner is None and record.state.run == w.running:
        return Symptom("left", run_id, "nobody executes it, and it is not paused", RECOVER)
    if owner is None and record.cancel_requested is not None and record.state.run == w.paused:
        return Symptom(
            "uncancelled",
            run_id,
            f"it is to be cancelled since {clock_text(record.cancel_requested)}",
            f"statecore cancel {run_id}",
        )
    return None


def of_pauses(db: Store, now: int) -> Iterator[Symptom]:
    """Pauses whose deadline is over, and those that were decided and not gone on with."""
    for row in db.pauses(PauseFilter(undecided_only=False, limit=ALL)):
        pause, about = row.pause, f"{row.pause.run_id} {row.pause.pause_id}"
        if row.decided is not None:
            why = f"{row.decided.word} since {clock_text(row.decided.time)}, and nobody has gone on with it"
            yield Symptom("unapplied", about, why, f"statecore resume TARGET {pause.run_id}")
        elif pause.deadline is not None and pause.deadline <= now:
            yield Symptom(
                "expired", about, f"its deadline was {clock_text(pause.deadline)}, and on_timeout is {pause.on_timeout}", TICK
            )
