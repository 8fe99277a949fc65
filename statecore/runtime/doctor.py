"""The runs of a store that nothing moves, and the verdicts of a definition on runs parked under another one. It changes nothing.

Theory of operation. Every run is executed by a process that lives, or waits for a person, or is over. Whatever is none of these is named here,
with what to do: runs that a process left, processes that live and do not move, pauses whose deadline is over, decisions that nothing has
applied, parked runs that a new definition of their workflow could not go on with, and gates that they pass unasked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from statecore.core import ROOT, Micros, Program, Seconds, stored_program
from statecore.errors import StatecoreError
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w
from statecore.stores import PauseFilter, Record, RunFilter, RunReader, Waiting
from statecore.stores.abilities import KeepsAside
from statecore.stores.owner import SKEW, alive, standing
from statecore.stores.records import Symptom, unread_of
from statecore.stores.rules import STATUS, clock_text, until

from .judge import Judgement, judge
from .limits import has_left

if TYPE_CHECKING:
    from statecore.core import Node

    from .host import Runnable

ALL = 1_000_000
UNFINISHED = (w.pending, w.running, w.paused, w.failed)
HOUR = 3_600_000_000
"""For how many microseconds a call without a limit may run before it is named."""
OWES = {phase: owed for kind in KINDS.values() for phase, owed in kind.table.owes.items()}
"""The owed part of each phase: a call, an answer or a delay."""
REMEDIES = {
    "stranded": "Finish the run with the definition that it follows, restore what it lacks, or cancel it.",
    "refused": "Finish the run with the definition that it follows, or take it over: statecore resume TARGET RUN --adopt --by WHO",
}
GATES = frozenset({w.needs_confirmation, w.needs_input, w.person_chooses})


def changed(db: RunReader, workflow_id: str, program: Program) -> Iterator[Record]:
    """The unfinished runs of a workflow that another definition of it has begun."""
    for record in db.runs(RunFilter(workflow_id=workflow_id, phases=UNFINISHED, limit=ALL)):
        if record.identity.fingerprint != program.fingerprint:
            yield record


def verdicts(db: RunReader, workflow_id: str, program: Program, now: Micros) -> list[Judgement]:
    """The verdict of this definition on each unfinished run of its workflow."""
    return [judge(db, record, program, now) for record in db.runs(RunFilter(workflow_id=workflow_id, phases=UNFINISHED, limit=ALL))]


def stranded(judgements: Iterable[Judgement]) -> Iterator[Symptom]:
    """The runs that a definition may not go on with."""
    for each in judgements:
        if each.verdict in REMEDIES:
            yield Symptom(each.verdict, each.run_id, "; ".join(each.why), REMEDIES[each.verdict])
        elif each.verdict == "asked again":
            again = f"statecore resume TARGET {each.run_id} puts the question again, in the words of this definition."
            yield Symptom("stale", each.run_id, "; ".join(each.why) or "its question is another one in this definition", again)


def unasked(db: RunReader, workflow_id: str, program: Program) -> Iterator[Symptom]:
    """The gates of this definition that unfinished runs have passed already, and will not be asked: a run never goes back (CONT-9)."""
    for record in changed(db, workflow_id, program):
        try:
            was = stored_program(record.identity.canonical).nodes
            passed = [node.at for at in stands(record, was) if at in program.nodes for node in before(program, at)]
        except (StatecoreError, ValueError):
            continue  # it is stranded, and named there
        new = [at for at in dict.fromkeys(passed) if is_gate(program.nodes[at]) and not (at in was and is_gate(was[at]))]
        if new:
            why = f"it has passed {', '.join(map(repr, new))}, where this definition asks a person: it will not be asked there"
            yield Symptom("unasked", record.identity.run_id, why, "Cancel it and start anew, where that gate has to hold for it.")


def stands(record: Record, was: Mapping[str, Node]) -> list[str]:
    """The addresses where a run stands: its cursors, and the components around them."""
    found = [node.at for cursor in record.state.cursors for node in around(cursor.at, was)]
    return list(dict.fromkeys(found))


def around(at: str, was: Mapping[str, Node]) -> Iterator[Node]:
    """A component and those around it, from the inside out."""
    while at != ROOT:
        yield was[at]
        at = was[at].parent


def before(program: Program, at: str) -> list[Node]:
    """The components that come before one in its list, with all that is inside them."""
    node = program.nodes[at]
    if node.parent != ROOT and KINDS[program.nodes[node.parent].kind].is_wide:
        return []  # beside it, not before it
    branch = node.index
    siblings = [each for each in program.nodes.values() if each.at != ROOT and each.parent == node.parent and each.index < branch]
    earlier = [each for each in siblings if prefix(each.at) == prefix(at)]  # a Condition's other branch is not on the path
    return [each for each in program.nodes.values() if any(each.at == one.at or program.within(each.at, one.at) for one in earlier)]


def prefix(at: str) -> str:
    """The part of an address before its last name."""
    return at.rpartition("/")[0]


def is_gate(node: Node) -> bool:
    """Whether a person is asked before the component runs."""
    return bool(node.facts & GATES)


RECOVER = "statecore recover TARGET"
TICK = "statecore tick TARGET"
WORK = "statecore worker TARGET"
DAMAGED = "statecore verify names its first bad row; the other runs go on. Restore a backup if the run is needed."
PATIENCE = 60_000_000
"""For how many microseconds a submitted run may wait for a worker."""


@define
class Examined:
    """The findings: the number of runs by phase, the symptoms, and, with a workflow, its verdict on each unfinished run."""

    runs: Counter[str] = field(factory=Counter)
    executing: int = 0
    symptoms: list[Symptom] = field(factory=list)
    verdicts: list[Judgement] = field(factory=list)


def examine(db: RunReader, now: Micros, workflow: Runnable | None = None) -> Examined:
    """Look at all runs at an instant (microseconds, UTC); with a workflow, also at what it could not go on with."""
    found = Examined()
    records, pauses = db.runs(RunFilter(limit=ALL)), db.pauses(PauseFilter(undecided_only=False, limit=ALL))
    for record in records:
        found.runs[STATUS[record.state.run]] += 1
        symptom = left_behind(db, record, now) if record.owner is not None else None
        symptom = symptom or of_run(record, now) or unheard(record, now) or endless(record, now, workflow)
        if symptom is not None:
            found.symptoms.append(symptom)
        found.executing += record.owner is not None and symptom is None
    found.symptoms += of_pauses(pauses, now)
    for bad in dict.fromkeys([*unread_of(records), *unread_of(pauses)]):
        found.symptoms.append(Symptom("damaged", bad.run_id, bad.why, DAMAGED))
    for run_id, since in db.aside() if isinstance(db, KeepsAside) else []:
        why = f"it was set aside at {clock_text(since)}: no process continues it"
        found.symptoms.append(Symptom("quarantined", run_id, why, f"statecore quarantine {run_id} --release"))
    if workflow is not None:
        found.verdicts = verdicts(db, workflow.id, workflow.compiled.program, now)
        found.symptoms += stranded(found.verdicts)
        found.symptoms += overlong(db, workflow, now)
    return found


def of_run(record: Record, now: Micros) -> Symptom | None:
    """The symptom of a run, as far as its own row says."""
    run_id, owner, lease = record.identity.run_id, record.owner, record.lease
    if owner is not None and record.state.run in (w.completed, w.cancelled):
        return None  # its process is gone, and with it the call for which it was kept
    over = lease is not None and now >= lease + SKEW
    known = standing(owner) if owner is not None else None
    if known == "dead" or (known == "unknown" and over):
        ends = f"; its lease {'ended' if over else 'ends'} {clock_text(lease)}" if lease is not None else ""
        return Symptom("interrupted", run_id, f"its owner {owner} is gone, and left it {record.state.run}{ends}", RECOVER)
    if known == "alive" and over:
        why = f"its owner {owner} lives, and has not renewed its lease since {clock_text(lease or 0)}"
        return Symptom("stuck", run_id, why, "Look at that process; once it is ended, the run can be recovered.")
    return of_free(record, now) if owner is None else None


def of_free(record: Record, now: Micros) -> Symptom | None:
    """The symptom of a run that has no owner."""
    run_id = record.identity.run_id
    if record.state.run == w.pending:
        why = f"it was submitted at {clock_text(record.updated)}, and nobody has begun it"
        return Symptom("left", run_id, why, f"{WORK}, or {RECOVER}") if now - record.updated >= PATIENCE else None
    waits = now < (until(record.state) or 0) + PATIENCE
    if record.state.run == w.running and not waits:
        return Symptom("left", run_id, "nobody executes it, and it is not paused", RECOVER)
    if record.cancel_requested is not None and record.state.run == w.paused:
        return Symptom(
            "uncancelled",
            run_id,
            f"it is to be cancelled since {clock_text(record.cancel_requested)}",
            f"statecore cancel {run_id}",
        )
    return None


def left_behind(db: RunReader, record: Record, now: Micros) -> Symptom | None:
    """The symptom of a run that rests or is over, and is kept by its owner because a call of it was given up or not waited for (RUN-11)."""
    owner = record.owner or ""
    if record.state.run in (w.pending, w.running) or not alive(owner, record.lease, now) or not has_left(db, record):
        return None
    why = f"it is {STATUS[record.state.run]}, and a call of it that was given up still runs in {owner}"
    return Symptom("left behind", record.identity.run_id, why, "Wait until that call is over, or end that process.")


def overlong(db: RunReader, workflow: Runnable, now: Micros) -> Iterator[Symptom]:
    """The calls of a workflow's running runs that have run for longer than their `execution_timeout`, and a lease."""
    for record in db.runs(RunFilter(workflow_id=workflow.id, phases=(w.running,), limit=ALL)):
        for cursor in record.state.cursors if record.owner is not None else ():
            component = workflow.compiled.components.get(cursor.at) if cursor.phase == w.running else None
            seconds: Seconds | None = getattr(component, "execution_timeout", None)
            if seconds is None:
                continue
            rows = [
                row for row in db.journal(record.identity.run_id, 0, record.seq) if (row.at, row.turn) == (cursor.at, cursor.turn)
            ]
            limit = round(seconds * 1_000_000) + workflow.host.lease_micros
            if rows and now > rows[-1].time + limit:
                why = (
                    f"a call of {cursor.at!r} has run since {clock_text(rows[-1].time)}, and its execution_timeout is {seconds:g} s"
                )
                yield Symptom("overlong", record.identity.run_id, why, f"Look at the process {record.owner}.")


def unheard(record: Record, now: Micros) -> Symptom | None:
    """The symptom of a run that is to be cancelled, and whose process has not done it: a call of it neither ends nor is given up."""
    since = record.cancel_requested
    if record.owner is None or since is None or record.state.run != w.running or now < since + 10 * PATIENCE:
        return None
    why = f"it is to be cancelled since {clock_text(since)}, and {record.owner} still executes it"
    return Symptom("uncancelled", record.identity.run_id, why, "Look at that process: it waits for a call that does not end.")


def endless(record: Record, now: Micros, workflow: Runnable | None) -> Symptom | None:
    """The symptom of a run whose owner lives, and that has stored nothing for an hour though it owes a call (RUN-11).

    A call with an `execution_timeout` is judged by that, where the workflow is known (`overlong`).
    """
    if record.owner is None or record.state.run != w.running or now < record.updated + HOUR:
        return None
    components = workflow.compiled.components if workflow is not None and workflow.id == record.identity.workflow_id else {}
    calls = [each.at for each in record.state.cursors if OWES.get(each.phase) == "call"]
    left = [at for at in calls if getattr(components.get(at), "execution_timeout", None) is None]
    if not left:
        return None
    why = f"a call of {left[0]!r} has run since {clock_text(record.updated)} or before, and no limit is known of it"
    return Symptom(
        "overlong", record.identity.run_id, why, f"Look at the process {record.owner}; an execution_timeout bounds a call."
    )


def of_pauses(rows: Iterable[Waiting], now: Micros) -> Iterator[Symptom]:
    """Pauses whose deadline is over, and those that were decided and not gone on with."""
    for row in rows:
        pause, about = row.pause, f"{row.pause.run_id} {row.pause.pause_id}"
        if row.decided is not None:
            why = f"{row.decided.word} since {clock_text(row.decided.time)}, and nobody has gone on with it"
            yield Symptom("unapplied", about, why, f"statecore resume TARGET {pause.run_id}")
        elif pause.deadline is not None and pause.deadline <= now:
            yield Symptom(
                "overdue", about, f"its deadline was {clock_text(pause.deadline)}, and on_timeout is {pause.on_timeout}", TICK
            )
