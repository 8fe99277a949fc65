"""Making a stored run ready for a driver, with what people decided. Written once, for both colours; `launching` begins new ones.

Everything but decisions is read from the store (P8). A run is checked before it is claimed and the check holds when it is claimed, because
claiming is refused where the run has moved in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from statecore.codec import decode
from statecore.core import DECISIONS, REOPEN, Event, Micros, asks, calls
from statecore.errors import (
    AlreadyDecided,
    ClaimLost,
    DefinitionChanged,
    NotPaused,
    NotPermitted,
    PauseExpired,
    RunBusy,
    RunsElsewhere,
    Undecided,
    UnknownDecision,
)
from statecore.lifecycles import BY_WORD
from statecore.lifecycles import words as w
from statecore.stores import Body, Claim, Decided, Pause, PauseFilter, Record, Waiting
from statecore.stores.detail import Detail, detail_text
from statecore.stores.rules import STATUS, check_claim, check_deadline, clock_text, ended

from . import ends
from .answers import ANSWERS, Said, stored_value
from .execution import Execution, of_record
from .host import Host, compiled_of
from .judge import Case, check_seen
from .storing import beginning, cancellation, expiries, let_go, store_claim, store_events, store_interruption

if TYPE_CHECKING:
    from statecore.core import Ask, Commit, Compiled, Node


LEFT = "began, and no end is recorded"


@frozen
class Ready:
    """A run that this process has claimed with its first boundary, which is stored; None where there was nothing to store but the lease."""

    execution: Execution
    first: Commit | None


def claiming(host: Host, compiled: Compiled, record: Record) -> Execution:
    """The execution of a stored run whose first boundary will claim it."""
    execution = of_record(host, compiled, record)
    execution.epoch, execution.claim = record.epoch + 1, Claim(host.owner())
    return execution


@define
class Continuation:
    """A stored run that is to go on: what was decided about it, by whom, and what its state asks for."""

    host: Host
    compiled: Compiled
    workflow_id: str
    run_id: str
    requirements: Iterable[Said]
    retry_failed: bool = False
    adopt_by: str | None = None
    waiting: dict[str, Waiting] = field(factory=dict)
    adopted_by: str | None = None
    stale: list[Decided] = field(factory=list)

    def ready(self) -> Ready:
        """The run, claimed, with what was decided. Every refusal is named, and changes nothing; where somebody else moves it, look again."""
        while True:
            record = self.host.store.load(self.run_id)
            answers = self.answers(record)
            self.check(record, answers)
            execution = claiming(self.host, self.compiled, record)
            execution.answers, execution.adopted_by = answers, self.adopted_by
            events = self.events(execution, record)
            try:
                if events:
                    return Ready(execution, store_events(execution, events))
                if store_claim(execution):
                    return Ready(execution, None)
            except ClaimLost:
                continue
            except RunsElsewhere:
                raise RunBusy(self.run_id, f"a worker of {type(self.host.store).__name__}") from None

    def claimed(self, record: Record, *, doubtful: bool) -> Ready:
        """A run that this process has claimed just now, with what was decided. Raises what keeps it from going on; the lease is still held then."""
        while True:
            execution = of_record(self.host, self.compiled, record)
            execution.answers = self.answers(record)
            self.check(evolve(record, owner=None), execution.answers)
            execution.adopted_by = self.adopted_by
            events = self.events(execution, record if doubtful else evolve(record, owner=None))
            try:
                return Ready(execution, store_events(execution, events) if events else None)
            except ClaimLost:  # somebody decided what was about to expire: then it does not
                if self.host.store.load(self.run_id).epoch != record.epoch:
                    raise

    def give_back(self, record: Record, *, doubtful: bool) -> None:
        """Release a run that this process has claimed and cannot go on with. Where its owner before was gone, his calls stay in doubt (CRASH-2).

        They are stored as interrupted by the definition that is stored with the run: this process may have another one.
        """
        if doubtful:
            execution = of_record(self.host, compiled_of(record), record)
            with suppress(ClaimLost):  # what was reported as failed was stored, or somebody else has the run
                store_interruption(execution, list(calls(execution.program, execution.state)), LEFT)
        self.host.executor.release(record.identity.run_id, record.epoch)

    def answers(self, record: Record) -> dict[str, Decided]:
        """The decisions that count: stored ones, and those of the requirements that were handed in; by pause.

        A requirement that was decided before with the same word is stale where it was applied already. Raises `AlreadyDecided`,
        `UnknownDecision`, `StaleDecision`.
        """
        canonical = record.identity.canonical
        waiting = self.waiting = {row.pause.pause_id: row for row in self.inbox()}
        answers = {pause_id: row.decided for pause_id, row in waiting.items() if row.decided is not None}
        self.stale = []
        for requirement in self.requirements:
            if requirement.decision is None or requirement.run_id != self.run_id:
                continue
            row = waiting.get(requirement.pause_id) or self.host.store.pause(self.run_id, requirement.pause_id)
            if row is None:
                continue
            new = self.decided(requirement, row.pause)
            if row.decided is None:
                self.in_time(row.pause, new)
            if row.decided is None and row.pause.closed is None:
                if new.word not in DECISIONS[row.pause.kind]:
                    raise UnknownDecision(new.pause_id, row.pause.kind, new.word, DECISIONS[row.pause.kind])
                shown = requirement.shown(canonical)
                if shown is not None:
                    check_seen(canonical, row.pause, shown)
                answers[requirement.pause_id] = new
            elif row.decided is not None and (row.decided.word, row.decided.value) != (new.word, new.value):
                raise already(row.decided)
            elif row.decided is not None and row.pause.closed is not None:
                self.stale.append(row.decided)
        return answers

    def in_time(self, pause: Pause, new: Decided) -> None:
        """Refuse a decision that comes too late, once expiry has been applied (TIME-2). Raises `PauseExpired`."""
        try:
            check_deadline(pause, new)
        except PauseExpired:
            self.expire()
            raise

    def expire(self) -> None:
        """Apply expired deadlines as this definition has them, where it may; else as the run's own has them."""
        record = self.host.store.load(self.run_id)
        own = record.identity.fingerprint == self.compiled.program.fingerprint
        expire_run(self.host, self.compiled if own else compiled_of(record), self.run_id)

    def inbox(self) -> list[Waiting]:
        """The pauses of this run, decided or not."""
        return self.host.store.pauses(PauseFilter(run_id=self.run_id, undecided_only=False, limit=10_000))

    def decided(self, requirement: Said, pause: Pause) -> Decided:
        """The decision that a requirement records, checked against the stored question."""
        word = str(requirement.decision)
        text = stored_value(pause, word, requirement.value)
        return Decided(self.run_id, pause.pause_id, word, self.host.clock(), text, requirement.by, requirement.comment)

    def check(self, record: Record, answers: Mapping[str, Decided]) -> None:
        """Refuse by name what cannot go on: decided before, over, busy, of another definition, undecided."""
        if self.stale and not answers:
            raise already(self.stale[0])
        if ended(record) and not (self.retry_failed and record.state.run == w.failed):
            raise NotPaused(self.run_id, STATUS[record.state.run])
        check_claim(self.run_id, record.owner, record.lease, self.host.clock())
        self.check_definition(record, answers)
        open_asks = asks(self.compiled.program, record.state)
        expired = any(ask.due is not None and ask.due <= self.host.clock() for ask in open_asks)
        if record.state.run == w.paused and not answers and not expired and record.cancel_requested is None:
            raise Undecided(self.run_id, [describe(ask, self.compiled) for ask in open_asks])

    def check_definition(self, record: Record, answers: Mapping[str, Decided]) -> None:
        """Raise `DefinitionChanged` where the run may not go on under this definition, and nobody has taken it over (P9)."""
        identity, self.adopted_by = record.identity, None
        if identity.workflow_id != self.workflow_id:
            raise DefinitionChanged(
                self.run_id, [f"it is a run of workflow {identity.workflow_id!r}, and this is {self.workflow_id!r}"]
            )
        questions = {pause_id: row.pause for pause_id, row in self.waiting.items()}
        case = Case(self.host.store, record, self.compiled.program, answers, questions, self.host.clock())
        found = case.differences()
        if found and (self.adopt_by is None or any(each.firm for each in found)):
            raise DefinitionChanged(self.run_id, map(str, found), not any(each.firm for each in found))
        self.adopted_by = self.adopt_by if found else None

    def events(self, execution: Execution, record: Record) -> tuple[Event, ...]:
        """The events that happen first: a failed run reopens, calls in doubt are interrupted, decisions are taken, a cancellation is heeded."""
        program, state, now = self.compiled.program, execution.state, self.host.clock()
        if state.run == w.failed:
            return (REOPEN._replace(time=now),)
        if state.run == w.pending:
            return (beginning(program, now),)
        left = calls(program, state) if record.owner is not None else ()
        events = [ends.interrupted(execution, call, LEFT) for call in left]
        answered = [ask for ask in asks(program, state) if ask.pause_id in execution.answers]
        events += [decision_event(ask, execution.answers[ask.pause_id], program.nodes[ask.at], now) for ask in answered]
        events += expiries(execution, execution.answers)
        if record.cancel_requested is not None:
            events.append(cancellation(record.cancel_by))
        return tuple(events)


def expire_run(host: Host, compiled: Compiled, run_id: str) -> None:
    """Apply the expired pauses of a run that rests, up to the next call of user code, which is for whoever continues it.

    Where somebody executes the run, or has just moved it, it is theirs to apply; so it is where this process may only decide.
    """
    record = host.store.load(run_id)
    execution = claiming(host, compiled, record)
    rows = host.store.pauses(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))
    late = expiries(execution, [row.pause.pause_id for row in rows if row.decided is not None])
    if not late or record.state.run != w.paused:
        return
    with suppress(RunBusy, ClaimLost, NotPermitted, RunsElsewhere):
        store_events(execution, tuple(late))
        if not execution.parked:
            let_go(execution)


def decision_event(ask: Ask, answer: Decided, node: Node, now: Micros) -> Event:
    """The event that a stored decision stands for."""
    names = decode(answer.value) if BY_WORD[answer.word].carries == "names" and answer.value else ()
    choices = tuple(node.exits[name] for name in names)
    trigger = DECISIONS[ask.kind][answer.word]
    return Event(trigger, ask.at, ask.turn, ask.attempt, decision_body(answer), choices, now, answer.by or None)


def decision_body(answer: Decided) -> Body:
    """The body of a decision in the journal: the person and the reason."""
    if not (answer.by or answer.comment):
        return Body("", answer.value)
    return Body(detail_text(Detail(by=answer.by or None, comment=answer.comment or None)), answer.value)


def already(decided: Decided) -> AlreadyDecided:
    """The refusal of a second decision."""
    return AlreadyDecided(decided.pause_id, decided.word, decided.by, clock_text(decided.time))


def describe(ask: Ask, compiled: Compiled) -> str:
    """One owed answer, in words."""
    return f"{ask.kind} of {compiled.program.nodes[ask.at].name!r} ({ANSWERS[ask.kind]})"
