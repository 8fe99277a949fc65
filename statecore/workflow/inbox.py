"""`Inbox`: a store without a definition. It lists runs and what people owe them, decides, and cancels; it never calls user code.

What a run's workflow means is stored with the run (`Identity.canonical`), so the places of pauses, and what each answer leads to, are known
without the user's code: a reviewer's process needs the store and nothing else.
"""

from __future__ import annotations

from json import loads
from typing import Any

from statecore.codec import encode
from statecore.core import Compiled, Program
from statecore.core.program import ROOT, Address, Node, assemble
from statecore.drivers import Host, of_record
from statecore.drivers.storing import cancellation
from statecore.drivers.sync import drive
from statecore.errors import AmbiguousRun, NotPaused, RunBusy, UnknownPause, UnknownRun
from statecore.output import Requirement, WorkflowRunOutput
from statecore.output.requirement import requirement_of
from statecore.stores import Decided, PauseFilter, Record, RunFilter, Store, Waiting
from statecore.stores.history import name_of
from statecore.stores.rules import ENDED, STATUS

ALL = 1_000_000


class Inbox:
    """The runs of a store and what people owe them, without the workflows' code."""

    def __init__(self, db: Store) -> None:
        self.db, self.host = db, Host(db)

    # -- reading -----------------------------------------------------------------------------------------------------------------

    def find(self, prefix: str) -> str:
        """The id of the run whose id is `prefix`, or begins with it. Raises `UnknownRun`, `AmbiguousRun`."""
        try:
            return self.db.load(prefix).identity.run_id
        except UnknownRun:
            ids = [record.identity.run_id for record in self.db.runs(RunFilter(limit=ALL))]
            found = [run_id for run_id in ids if prefix and run_id.startswith(prefix)]
            if not found:
                raise
            if len(found) > 1:
                raise AmbiguousRun(prefix, found) from None
            return found[0]

    def show(self, run_id: str) -> WorkflowRunOutput:
        """A run as it stands. Raises `UnknownRun`."""
        return self.view(self.db.load(run_id))

    def runs(self, wanted: RunFilter) -> list[WorkflowRunOutput]:
        """Runs, the one executed last first."""
        return [self.view(record) for record in self.db.runs(wanted)]

    def pending(self, wanted: PauseFilter) -> list[Requirement]:
        """What people owe and have not decided, oldest first; with `undecided_only=False` also what waits for a continuation."""
        views: dict[str, WorkflowRunOutput] = {}
        found = []
        for row in self.db.pauses(wanted):
            run_id = row.pause.run_id
            if run_id not in views:
                views[run_id] = self.show(run_id)
            found.append(self.requirement(row, views[run_id]))
        return found

    def program(self, run_id: str) -> Program:
        """The program that a run's workflow was compiled to when it began."""
        return stored_program(self.db.load(run_id).identity.canonical)

    def view(self, record: Record) -> WorkflowRunOutput:
        """The output of a stored run."""
        return WorkflowRunOutput(self.host, record, compiled_of(record))

    @staticmethod
    def requirement(row: Waiting, view: WorkflowRunOutput) -> Requirement:
        """The requirement that a row of the inbox stands for."""
        return requirement_of(row, view.place(row), view.reader(row))

    # -- deciding ----------------------------------------------------------------------------------------------------------------

    def decide(
        self,
        run_id: str,
        pause_id: str,
        decision: str,
        *,
        value: Any = None,
        by: str | None = None,
        comment: str | None = None,
        idempotency_key: str | None = None,
    ) -> Requirement:
        """Store the one decision of a pause, without running anything; whoever continues the run applies it.

        The same decision again returns the stored one. Raises `AlreadyDecided`, `NotPaused`, `UnknownRun`, `UnknownPause`,
        `UnknownDecision`.
        """
        record = self.db.load(run_id)
        if record.state.run in ENDED and self.db.pause(run_id, pause_id) is None:
            raise NotPaused(run_id, STATUS[record.state.run])
        carried = encode(value) if value is not None else None
        self.db.decide(Decided(run_id, pause_id, decision, self.host.clock(), carried, by, comment, idempotency_key))
        row = self.db.pause(run_id, pause_id)
        if row is None:
            raise UnknownPause(run_id, pause_id, [])
        return self.requirement(row, self.view(record))

    def cancel(self, run_id: str, *, by: str | None = None) -> bool:
        """Cancel a run: at once where nobody executes it, else at its next boundary. False where it was over already."""
        record = self.db.request_cancel(run_id, by, self.host.clock())
        if record.state.run in ENDED:
            return False
        try:
            claimed, _ = self.db.claim(run_id, self.host.owner(), self.host.clock())
        except RunBusy:
            return True
        if claimed.state.run in ENDED:
            self.db.release(run_id, claimed.epoch)
            return claimed.state.run == "cancelled"
        for _commit in drive(of_record(self.host, compiled_of(claimed), claimed), (cancellation(by),)):
            pass
        return True


def compiled_of(record: Record) -> Compiled:
    """A stored run's program, with none of the user's components."""
    return Compiled(stored_program(record.identity.canonical), {})


def stored_program(canonical: str) -> Program:
    """The program that a canonical form was written of; equal to it but for the sentences of its gates, which the pauses carry."""
    name, first, rows = loads(canonical)
    known = {row[0] for row in rows}
    nodes: dict[Address, Node] = {}
    taken: dict[str, int] = {}
    for at, kind, machine, after, exits, facts, leaves, transparent in rows:
        siblings = at.rpartition("/")[0]
        if at != ROOT:
            taken[siblings] = taken.get(siblings, -1) + 1
        nodes[at] = Node(
            at=at,
            name=name_of(at) if at != ROOT else name,
            kind=kind,
            machine=machine,
            parent=parent_of(at, known),
            next=after,
            index=taken.get(siblings, 0) if at != ROOT else 0,
            facts=frozenset(facts),
            leaves=leaves,
            exits=exits,
            transparent=transparent,
        )
    return assemble(name, nodes, first)


def parent_of(at: Address, known: set[Address]) -> Address:
    """The nearest component around an address."""
    while at != ROOT:
        at = at.rpartition("/")[0]
        if at in known:
            return at
    return ROOT
