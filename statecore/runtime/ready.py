"""Making a stored run ready for a driver, with what people decided. Written once, for both colours; `launching` begins new ones.

Everything but decisions is read from the store (P8). A run is checked before it is claimed and the check holds when it is claimed, because
claiming is refused where the run has moved in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from statecore.core import REOPEN, Event, advance, answerable, asks
from statecore.core.evidence import offered
from statecore.core.owed import until_closed
from statecore.definition.approval import as_person
from statecore.errors import (
    AlreadyDecided,
    ClaimLost,
    DefinitionChanged,
    NotPaused,
    RunBusy,
    RunsElsewhere,
    StaleDecision,
    Undecided,
    UnknownDecision,
)
from statecore.lifecycles import words as w
from statecore.lifecycles.decisions import ANSWER
from statecore.stores import Act, Body, Claim, Decided, Pause, PauseFilter, Record, RunReader, Waiting
from statecore.stores.detail import Detail, detail_text, is_tool_call
from statecore.stores.rules import STATUS, check_authority, check_claim, check_deadline, check_texts, clock_text, ended, words_of
from statecore.stores.votes import VOTE

from . import ends, verdicts
from .answers import Said, answered_by, meaning, stored_value
from .ends import beginning, cancellation, decision_events, expiries
from .execution import Execution, of_record
from .host import Host, compiled_of
from .judge import Case, check_seen, open_questions
from .limits import check_left, decided_by_death
from .renewals import Renewal, put_since
from .storing import (
    UNRETURNED,
    give_back_left,
    store_claim,
    store_events,
    store_interruption,
)
from .suspects import death_of, in_doubt
from .voting import applied, cast, needed, voted_on

if TYPE_CHECKING:
    from statecore.core import Call, Commit, Compiled, OpenQuestion


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
    beside: bool = False
    force_by: str | None = None
    waiting: dict[str, Waiting] = field(factory=dict)
    adopted_by: str | None = None
    code: Mapping[str, str] | None = None
    stale: list[Decided] = field(factory=list)
    fresh: list[Decided] = field(factory=list)
    shown: list[tuple[Said, Pause]] = field(factory=list)
    again: list[Renewal] = field(factory=list)
    voted: dict[str, Decided] = field(factory=dict)
    cast: set[str] = field(factory=set)

    def ready(self) -> Ready:
        """The run, claimed, with what was decided. Every refusal is named, and changes nothing; where another process moves the run, look again."""
        if UNRETURNED:
            give_back_left(self.host, self.run_id)
        while True:
            record, answers = self.look()
            self.check_shown(record)
            if record.state.run == w.failed:
                answers |= self.answers_of_failed(record)
            self.check(record, answers)
            if self.reject_late(record):
                continue
            execution = claiming(self.host, self.compiled, record)
            if self.fresh and record.state.run == w.running:
                self.keep()  # the first boundary of a run that was left in the middle may take no answer
                continue
            execution.answers, execution.adopted_by, execution.code, execution.voted = (
                answers,
                self.adopted_by,
                self.code,
                self.voted,
            )
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

    def ready_after(self, busy: RunBusy) -> Ready:
        """The run, claimed after all; else `busy` again, with the pauses of the answers that were handed in: these are stored (SAID-1)."""
        stored = self.keep()
        if not stored:
            raise busy
        try:
            return self.ready()  # it may have been parked before the answers were stored
        except (RunBusy, NotPaused, Undecided, AlreadyDecided):
            raise RunBusy(self.run_id, busy.owner, busy.until, stored) from None

    def keep(self) -> tuple[str, ...]:
        """Store the answers that were handed in, all or none; the pauses that they decide. Raises what `answers` and `decide` raise."""
        record, answers = self.look()
        if self.fresh:
            self.check_shown(record)
            self.check_definition(record, answers)
            self.host.store.decide(*self.fresh)
        return tuple(each.pause_id for each in self.fresh)

    def in_doubt(self, record: Record) -> tuple[Call, ...]:
        """The calls that a former owner of the run left, whose ends are not recorded."""
        return in_doubt(self.compiled.program, record.state) if record.owner is not None else ()

    def claimed(self, record: Record, *, doubtful: bool) -> Ready:
        """A run that this process has claimed just now, with what was decided. Raises what keeps it from going on; the lease is still held then."""
        while True:
            execution = of_record(self.host, self.compiled, record)
            execution.answers = self.look()[1]
            execution.voted = self.voted
            self.check_shown(record)
            self.check(evolve(record, owner=None), execution.answers)
            if self.reject_late(record):
                continue
            execution.adopted_by, execution.code = self.adopted_by, self.code
            events = self.events(execution, record if doubtful else evolve(record, owner=None))
            try:
                return Ready(execution, store_events(execution, events) if events else None)
            except ClaimLost:  # a question was decided that was about to expire: then it does not
                if self.host.store.load(self.run_id).epoch != record.epoch:
                    raise

    def give_back(self, record: Record, *, doubtful: bool) -> None:
        """Release a run that this process has claimed and cannot go on with. Where its owner before was gone, its calls stay in doubt (CRASH-2).

        They are stored as interrupted by the definition that is stored with the run: this process may have another one.
        """
        if doubtful:
            execution = of_record(self.host, compiled_of(record), record)
            left = list(in_doubt(execution.program, execution.state))
            death = death_of(execution, left, None, beside=self.beside)
            with suppress(ClaimLost):  # what was reported as failed was stored, or another process has the run
                store_interruption(execution, left, LEFT, death)
        self.host.executor.release(record.identity.run_id, record.epoch)

    def look(self) -> tuple[Record, dict[str, Decided]]:
        """The run, and the decisions that count, at one moment; of its other questions, which may be many, none is read.

        Where a store has no `look`, the questions are read first: what is applied in between is seen in the state of the run, and not missed.
        """
        store = self.host.store
        check_authority(store, self.compiled.program)
        named = [each.pause_id for each in self.requirements if each.decision is not None and each.run_id == self.run_id]
        at_once = getattr(store, "look", None)
        if at_once is not None:
            record, rows = at_once(self.run_id, named, self.compiled.program)
        else:
            rows = store.pauses(PauseFilter(run_id=self.run_id, decided_only=True, limit=10_000))
            told = {row.pause.pause_id for row in rows}
            asked = [store.pause(self.run_id, pause_id) for pause_id in named if pause_id not in told]
            rows = [*rows, *(row for row in asked if row is not None)]
            record = store.load(self.run_id)
        return record, self.answers(rows)

    def answers(self, rows: Iterable[Waiting]) -> dict[str, Decided]:
        """The decisions that count: stored ones of open questions, and those of the requirements that were handed in; by pause.

        A requirement that was decided before with the same word is stale where it was applied already. Raises `AlreadyDecided`,
        `UnknownDecision`, and `StaleDecision` for one whose question was put again (GATE-7a).
        """
        waiting = self.waiting = {row.pause.pause_id: self.with_votes(row) for row in rows}
        answers = {
            pause_id: row.decided for pause_id, row in waiting.items() if row.decided is not None and row.pause.closed is None
        }
        some = [row for row in waiting.values() if row.pause.rule is not None]
        self.voted = voted_on(self.host, some) if some else {}
        answers |= self.voted
        self.stale, self.fresh, self.shown = [], [], []
        for requirement in self.requirements:
            row = waiting.get(requirement.pause_id)
            if requirement.decision is None or requirement.run_id != self.run_id or row is None:
                continue
            if row.pause.closed is not None:
                check_put(self.host.store, row.pause)
            if row.pause.rule is None:
                self.take(requirement, row, answers)
            else:
                self.stale += applied(row)
        return answers

    def take(self, requirement: Said, row: Waiting, answers: dict[str, Decided]) -> None:
        """Add the decision of a requirement to the answers. Raises what `answers` raises."""
        new = self.decided(requirement, row.pause)
        if row.decided is None:
            check_deadline(row.pause, new)  # one that comes too late is refused, and writes nothing (TIME-4)
        if row.decided is None and row.pause.closed is None:
            if new.word not in words_of(row.pause):
                raise UnknownDecision(new.pause_id, row.pause.kind, new.word, words_of(row.pause))
            self.shown.append((requirement, row.pause))
            answers[requirement.pause_id] = new
            self.fresh.append(new)
        elif row.decided is not None and (row.decided.word, row.decided.value) != (new.word, new.value):
            raise already(row.decided)
        elif row.decided is not None and row.pause.closed is not None:
            self.stale.append(row.decided)

    def with_votes(self, row: Waiting) -> Waiting:
        """A question; one with a rule with the votes of the requirements that were handed in, which are stored first, each once."""
        pause = row.pause
        if pause.rule is None or row.decided is not None or pause.pause_id in self.cast:
            return row
        said = [each for each in self.requirements if each.decision is not None and each.pause_id == pause.pause_id]
        for requirement in said:
            if pause.closed is not None:
                check_put(self.host.store, pause)
            new, who = self.decided(requirement, pause), as_person(requirement.by) if requirement.by else None
            seen = requirement.shown() or requirement.shown("")
            cast(
                self.host,
                Act(self.run_id, pause.pause_id, VOTE, new.time, new.word, value=new.value, comment=new.comment, seen=seen),
                who,
            )
            self.cast.add(pause.pause_id)
        return (self.host.store.pause(self.run_id, pause.pause_id) or row) if said else row

    def answers_of_failed(self, record: Record) -> dict[str, Decided]:
        """The decisions that were stored before the run failed, by pause; they count, or lapse, when it is reopened."""
        found = {row.pause.pause_id: row for row in open_questions(self.host.store, record)}
        self.waiting |= found
        return {pause_id: row.decided for pause_id, row in found.items() if row.decided is not None}

    def check_shown(self, record: Record) -> None:
        """Refuse an answer to another question than the one that stands (GATE-6). Raises `StaleDecision`."""
        canonical = record.identity.canonical
        for requirement, pause in self.shown:
            shown = requirement.shown(canonical)
            if shown is not None:
                check_seen(canonical, pause, shown)

    def row(self, ask: OpenQuestion) -> Waiting | None:
        """A question with a rule, and its votes; None of any other."""
        if self.compiled.program.nodes[ask.at].rule is None:
            return None
        return self.waiting.get(ask.pause_id) or self.host.store.pause(self.run_id, ask.pause_id)

    def question(self, pause_id: str) -> Pause | None:
        """A question of this run, as it was put."""
        row = self.waiting.get(pause_id) or self.host.store.pause(self.run_id, pause_id)
        return row.pause if row is not None else None

    def decided(self, requirement: Said, pause: Pause) -> Decided:
        """The decision that a requirement records, checked against the stored question."""
        said = meaning(pause, str(requirement.decision), requirement.value)
        check_texts("A decision", by=requirement.by, comment=requirement.comment)
        word, value = said
        text = stored_value(pause, word, value, self.compiled.components.get(pause.at), self.host.limit)
        return Decided(
            self.run_id, pause.pause_id, word, self.host.clock(), text, requirement.by or self.force_by, requirement.comment
        )

    def reject_late(self, record: Record) -> bool:
        """Reject the tool calls whose deadline is over; whether there were some.

        It is the answer of a silence, stored as one that came in the last moment (TOOL-3).
        """
        program, now = self.compiled.program, self.host.clock()
        late = [
            ask for ask in answerable(program, record.state) if ask.number is not None and ask.due is not None and ask.due <= now
        ]
        rejected = False
        for ask in late:
            row = self.host.store.pause(self.run_id, ask.pause_id) if w.timeout_skips in program.nodes[ask.at].facts else None
            if row is None or row.decided is not None or row.pause.rule is not None or not is_tool_call(row.pause):
                continue  # where people vote a silence is no vote: the step is skipped
            rejected, verdict = True, {"approved": False, "words": verdicts.SILENCE}
            text = stored_value(row.pause, ANSWER.word, verdict, limit=self.host.limit)
            said = Decided(self.run_id, ask.pause_id, ANSWER.word, (ask.due or 0) - 1, text, None, verdicts.SILENCE)
            with suppress(AlreadyDecided):  # somebody has decided it: then it counts
                self.host.store.decide(said)
        return rejected

    def check(self, record: Record, answers: Mapping[str, Decided]) -> None:
        """Refuse by name what cannot go on: decided before, over, busy, of another definition, undecided."""
        if self.stale and not answers:
            raise already(self.stale[0])
        if ended(record) and not (self.retry_failed and record.state.run == w.failed):
            raise NotPaused(self.run_id, STATUS[record.state.run])
        if record.owner is not None and check_left(self.host, record, self.force_by):
            record = evolve(record, owner=None)
        check_claim(self.run_id, record.owner, record.lease, self.host.clock())
        self.check_definition(record, answers)
        open_asks = asks(self.compiled.program, record.state)
        now = self.host.clock()
        moves = any(ask.pause_id in answers or (ask.due is not None and ask.due <= now) for ask in open_asks)
        if record.state.run == w.paused and not moves and not self.again and record.cancel_requested is None:
            self.host.store.pauses(PauseFilter(run_id=self.run_id))  # a decision that cannot be read is none never made (P23)
            raise Undecided(self.run_id, [describe(ask, self.compiled) + needed(self.row(ask)) for ask in open_asks])

    def check_definition(self, record: Record, answers: Mapping[str, Decided]) -> None:
        """Raise `DefinitionChanged` where the run may not go on under this definition, and no person has taken it over (P9).

        Where it may, `again` has the questions that are put again.
        """
        identity, self.adopted_by = record.identity, None
        if identity.workflow_id != self.workflow_id:
            raise DefinitionChanged(
                self.run_id, [f"it is a run of workflow {identity.workflow_id!r}, and this is {self.workflow_id!r}"]
            )
        case = Case(self.host.store, record, self.compiled.program, answers, self.question, self.host.clock())
        found = case.differences()
        if found and (self.adopt_by is None or any(each.firm for each in found)):
            raise DefinitionChanged(self.run_id, map(str, found), not any(each.firm for each in found))
        self.adopted_by, self.again = self.adopt_by if found else None, case.renewals()
        self.code = case.code_taken() if self.adopted_by is not None else None

    def events(self, execution: Execution, record: Record) -> tuple[Event, ...]:
        """The events that happen first: a failed run reopens, calls in doubt are interrupted, decisions are taken, or a cancellation is heeded.

        The interruptions are judged by themselves. Decisions and deadlines count where a question is answerable after them (SAID-1). A question
        that is put again is so in any case, or a later boundary would take it for one of this definition.
        """
        program, state, now = self.compiled.program, execution.state, self.host.clock()
        again = until_closed([each.event(now) for each in self.again])
        if state.run == w.failed:
            body = Body(detail_text(Detail(by=self.force_by))) if self.force_by else None
            return (REOPEN._replace(time=now, by=self.force_by, body=body), *again)
        if state.run == w.pending:
            return (beginning(program, now),)
        doubt = self.in_doubt(record)
        death = death_of(execution, doubt, record.owner, beside=self.beside) if doubt else ""
        left = tuple(ends.interrupted(execution, call, LEFT, death) for call in doubt)
        left += decided_by_death(execution, LEFT) if record.owner is not None else ()
        if record.cancel_requested is not None:
            return (*left, cancellation(record.cancel_by))
        alone = advance(program, state, *left, *again).state if left or again else state
        before = set(asks(program, state))
        asked = [ask for ask in answerable(program, alone) if ask in before]
        answers = {**execution.answers, **execution.voted}
        answered = decision_events(program, asked, answers, now)
        return (*left, *again, *until_closed([*answered, *expiries(asked, answers, now)]))


def check_put(store: RunReader, pause: Pause) -> None:
    """Raise `StaleDecision`, with the newer pause, for a question that was put again."""
    newer = put_since(store, pause.run_id, pause.pause_id)
    if newer is not None:
        raise StaleDecision(pause.run_id, pause.pause_id, newer)


def already(decided: Decided) -> AlreadyDecided:
    """The refusal of a second decision."""
    return AlreadyDecided(decided.pause_id, decided.word, decided.by, clock_text(decided.time))


def describe(ask: OpenQuestion, compiled: Compiled) -> str:
    """One owed answer, in words."""
    node = compiled.program.nodes[ask.at]
    return f"{ask.kind} of {node.name!r} ({answered_by(offered(node, ask.kind))})"
