"""`Execution`: one claimed run in this process. It reads what the state refers to, and turns effects into boundaries; it performs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import Context, copy_context
from sys import modules
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from attrs import define, evolve, field

from statecore.codec import decode
from statecore.core import (
    Address,
    Call,
    Commit,
    Compiled,
    Cursor,
    Event,
    Gather,
    Micros,
    Move,
    OpenQuestion,
    Program,
    Ref,
    Source,
    State,
    Timer,
    asks,
)
from statecore.core.owed import references, ruled_asks
from statecore.core.path import GIVES, REVIEWED
from statecore.core.state import Turn
from statecore.errors import StaleEvent
from statecore.lifecycles import KINDS, SHOWS
from statecore.lifecycles import words as w
from statecore.stores import Body, Boundary, Claim, Decided, Entry, Identity, Pause, Record, Waiting
from statecore.stores.detail import detail_of, detail_text, of_text
from statecore.stores.history import History, entry_at
from statecore.stores.records import NO_BODY

from .forms import formed, is_alone
from .meanings import slices_of
from .renewals import detail_again, newest, remember
from .sharing import session_after
from .showing import message, shown
from .voting import ruled

if TYPE_CHECKING:
    from logging import Logger

    from .host import Host
    from .sharing import Change
    from .stopping import Stop

ON_TIMEOUT = {w.timeout_cancels: "cancel", w.timeout_skips: "skip", w.timeout_approves: "approve"}
SEVERAL = 8
"""From so many questions at once on it is remembered that they were put in the words of the program."""


def logger() -> Logger | None:
    """The logger of the package; None where `logging` is not imported, for then nothing below a warning is heard."""
    logging = modules.get("logging")
    return None if logging is None else logging.getLogger("statecore")


@define(eq=False)
class Execution:
    """A run that this process has claimed: where its journal ends, what its state refers to, and what its calls have changed."""

    host: Host
    compiled: Compiled
    identity: Identity
    state: State
    epoch: int
    seq: int
    held: Mapping[Ref, int]
    session_state: str
    lease: Micros | None = None
    claim: Claim | None = None
    answers: dict[str, Decided] = field(factory=dict)
    voted: dict[str, Decided] = field(factory=dict)
    """The decisions that votes amount to, by pause, as they were looked up last."""
    rules: dict[str, tuple[str, tuple[str, ...]]] = field(factory=dict, repr=False)
    """The rule of each question that was put here, with who decided earlier gates: settled once (AUTH-1)."""
    adopted_by: str | None = None
    code: Mapping[str, str] | None = None
    time: Micros = 0
    raised: dict[tuple[Address, Turn, int], Exception] = field(factory=dict)
    parked: bool = False
    lost: list[Call] = field(factory=list)
    texts: dict[Ref, str] = field(factory=dict)
    held_before: Mapping[Ref, int] = field(factory=dict)
    put: tuple[Pause, ...] = ()
    streamed: bool = False
    """Whether somebody follows the run piece by piece."""
    read: Callable[[str], Any] = decode
    """How stored values are read: strictly, or as plain data where they are only shown."""
    changes: dict[tuple[Address, Turn, int], Change] = field(factory=dict)
    """The changes of the session state by calls that have ended, until the boundary of their end."""
    keeps_claim: bool = False
    """Whether the run stays claimed where it rests, because a call of it goes on that was given up or not waited for (RUN-9, RUN-11)."""
    told: Micros | None = None
    """When its calls were told that the run is to be cancelled."""
    is_calling: bool = False
    """Whether its driver is in user code itself, and hears nothing; `ending` guards this and `cut`."""
    cut: Commit | None = None
    """The cancellation that was stored meanwhile, because that call was not over a lease after it was told to stop (RUN-11)."""
    ending: Lock = field(factory=Lock, repr=False)
    parks_delays: bool = False
    """Whether its driver gives the claim back where the run waits for a delay, and another one goes on (RUN-12)."""
    is_stopping: bool = False
    """Whether its driver is to stop: nothing more begins, and what is in flight is waited for; `wake` ends its waiting."""
    wake: Callable[[], object] = field(default=lambda: None, repr=False)
    stops: WeakSet[Stop] = field(factory=WeakSet, repr=False)
    """The requests to stop that calls in flight may hear."""
    context: Context = field(factory=copy_context, repr=False)
    """The context variables of the caller, of which each call has a copy (RUN-15)."""
    log: Logger | None = field(factory=logger, repr=False)
    """The logger of the package, where `logging` is imported (OBS-1)."""
    observed: dict[Any, Any] = field(factory=dict, repr=False)
    """The things that observers keep with this slice, each under itself."""
    _history: History | None = None
    _decided_at: dict[str, Micros] = field(factory=dict)
    _looking: Lock = field(factory=Lock, repr=False, eq=False)

    @property
    def program(self) -> Program:
        """The program that is executed."""
        return self.compiled.program

    def halt(self) -> None:
        """Have its driver stop, and tell its calls to; from any thread, and in a signal handler."""
        self.is_stopping = True
        for stop in list(self.stops):
            stop.set()
        self.wake()

    @property
    def left(self) -> Record | None:
        """The run as this process left it with a boundary that parked it; None where it stored none, or left the run otherwise.

        A store would answer the same, unless somebody has moved the run on since. Who cancelled a run, only the store knows.
        """
        if not (self.parked and self.time):
            return None
        return Record(
            self.identity, self.state, self.seq, self.held, self.session_state, None, self.epoch, None, None, None, self.time
        )

    @property
    def waiting(self) -> list[Waiting] | None:
        """The open questions, where the last boundary put them all; None where one is older, for it may have been answered since."""
        if {ask.pause_id for ask in asks(self.program, self.state)} != {pause.pause_id for pause in self.put}:
            return None
        if any(pause.rule is not None for pause in self.put):
            return None  # people may have voted since, and a voter is shown the digest that the store has made
        who = self.identity
        names = (who.workflow_id, who.workflow_name, who.session_id)
        return [Waiting(pause, None, *names, user_id=who.user_id) for pause in self.put]

    # -- looking back ------------------------------------------------------------------------------------------------------------

    def content(self, ref: Source | None) -> Any:
        """The value that a reference of the state stands for, freshly decoded; None for no reference."""
        if ref is None:
            return None
        if isinstance(ref, Gather):
            return {name: self.content(branch) for name, branch in ref.branches}
        text = self.texts.get(ref)
        if text is None:
            seq = self.held[ref] if ref in self.held else self.held_before[ref]
            text = self.texts[ref] = self.text_at(seq) or "null"
        return self.read(text)

    def media(self, ref: Source | None) -> dict[str, Any]:
        """The images, videos, audio and files beside the value of a reference, freshly decoded."""
        if ref is None:
            return {}
        if isinstance(ref, Gather):
            found: dict[str, Any] = {}
            for each in (self.media(branch) for _, branch in ref.branches):
                found |= {name: [*found.get(name, ()), *media] for name, media in each.items()}
            return found
        text = detail_of(entry_at(self.host.store, self.identity.run_id, self.held[ref]).body.detail).media
        kept: dict[str, Any] = self.read(text) if text is not None else {}
        return kept

    def history(self) -> History:
        """All that this run has done so far; read from the store when first asked for, then kept up."""
        with self._looking:  # calls look back from their own threads, while this one commits
            if self._history is None:
                outline = getattr(self.host.store, "outline", None)  # without it all values come along
                history = History(times=self.decided_at, fetch=self.text_at if outline is not None else None)
                rows = (outline or self.host.store.journal)(self.identity.run_id, 0, self.seq)
                self._history = history.extend(rows)
            return self._history

    def text_at(self, seq: int) -> str | None:
        """The encoded value of a journal row."""
        return entry_at(self.host.store, self.identity.run_id, seq).body.value

    def answer(self, *pause_ids: str) -> Any:
        """The value that a person gave with the decision of the first of these pauses that has one: its value, or else its comment."""
        for pause_id in pause_ids:
            waiting = newest(self.host.store, self.identity.run_id, pause_id)
            if waiting is not None and waiting.decided is not None:
                decided = waiting.decided
                return decode(decided.value) if decided.value is not None else decided.comment
        return None

    def decided_at(self, pause_id: str) -> Micros | None:
        """When a pause was decided, in microseconds."""
        if pause_id not in self._decided_at:
            self._decided_at = {each.pause_id: each.time for each in self.host.store.decisions(self.identity.run_id)}
        return self._decided_at.get(pause_id)

    def attempt_of(self, at: Address) -> int:
        """At which attempt an entered component is."""
        return next((frame.attempt for frame in self.state.frames if frame.at == at), 0)

    def place(self, call: Call) -> tuple[Address, Turn, int]:
        """Where the move of a call's end will be: an end condition's is of its Loop, without the iteration."""
        return call.at, call.turn[: self.program.nodes[call.at].depth], call.attempt

    # -- boundaries --------------------------------------------------------------------------------------------------------------

    def boundary(self, effect: Commit, *, heeds_cancel: bool) -> Boundary:
        """The transaction that stores an effect."""
        if (plain := formed(self, effect, heeds_cancel=heeds_cancel)) is not None:
            return plain
        after, adopts = effect.after.state, self.adopts
        time = max(event.time for event in effect.events) or self.host.clock()
        at_seq: dict[Ref, int] = {}
        entries = []
        for seq, move in enumerate(effect.after.moves, self.seq + 1):
            if move.body is not None and move.body.value is not None and move.trigger in GIVES:
                at_seq[Ref(move.at, move.turn, move.attempt)] = seq
            entries.append(self.entry(seq, move, time, at_seq))
        if adopts:  # the journal says which definition its rows follow from here on
            said = detail_of(entries[0].body.detail)._replace(definition=self.program.fingerprint)
            said = said if self.adopted_by is None else said._replace(adopted_by=self.adopted_by, code=self.code)
            entries[0] = entries[0]._replace(body=entries[0].body._replace(detail=detail_text(said)))
        session = self.session_state
        if self.changes or any(cursor.phase in REVIEWED for cursor in effect.before.cursors):
            session = session_after(self, effect)
        answers = {**self.answers, **self.voted} if self.voted else self.answers
        opened, closed = ((), ()) if is_alone(effect.before) and is_alone(after) else self.asked(effect, time)
        return Boundary(  # in the order of its fields: one is made for each step, and names would take longer than all they name
            self.identity.run_id,
            self.epoch,
            self.seq,
            time,
            after,
            tuple(entries),
            self.held_by(after, at_seq),
            opened,
            closed,
            tuple([answers[pause_id] for pause_id in closed if pause_id in answers]) if closed else (),
            session if session is not self.session_state else None,
            after.run != w.running and not self.keeps_claim,
            heeds_cancel,
            (self.program.fingerprint, self.program.canonical) if adopts else None,
            self.renewed(time),
            self.claim,
            True,  # noqa: FBT003  # decisions are heeded, unless `storing` says otherwise
            len(effect.events) == 1,
            ruled_asks(self.program, after) if after.run == w.paused else (),
        )

    def renewed(self, time: Micros) -> Micros | None:
        """Until when the claim lasts from now on; None while two thirds of its lease are left: a store need not write it for each step."""
        whole = self.host.lease_micros
        if self.claim is None and self.lease is not None and 3 * (self.lease - time) > 2 * whole:
            return None
        return time + whole

    def asked(self, effect: Commit, time: Micros) -> tuple[tuple[Pause, ...], tuple[str, ...]]:
        """The pauses that an effect opens, and the ids of those that it closes."""
        before, after = asks(self.program, effect.before), asks(self.program, effect.after.state)
        if before == after:
            return (), ()
        new, old = set(after), set(before)
        opened = tuple([self.pause(ask, effect, time) for ask in after if ask not in old])
        return opened, tuple([ask.pause_id for ask in before if ask not in new])

    @property
    def is_as_ever(self) -> bool:
        """Whether nothing of the run changes beside its state: no session state, and not its definition."""
        return not self.changes and not self.adopts

    @property
    def adopts(self) -> bool:
        """Whether the run goes on with another definition than the one that is stored with it (P9), or with other code that a person took."""
        return self.adopted_by is not None or self.compiled.program.fingerprint != self.identity.fingerprint

    def entry(self, seq: int, move: Move, time: Micros, at_seq: Mapping[Ref, int]) -> Entry:
        """The journal row of a move; a component that hands on what another row holds says which row that is."""
        body = move.body if move.body is not None else NO_BODY
        if move.hands_on is not None and body.value is None:
            rows = self.rows_of(move.hands_on, at_seq)
            alone = type(rows) is int and not body.detail
            body = Body(of_text(rows) if alone else detail_text(detail_of(body.detail)._replace(of=rows)))
        return Entry(seq, move.machine, move.at, move.turn, move.attempt, move.source, move.trigger, move.dest, time, body)

    def rows_of(self, source: Source | None, at_seq: Mapping[Ref, int]) -> Any:
        """The journal rows that a source stands for: a number, for a Parallel one for each branch, None for nothing."""
        if source is None:
            return None
        if isinstance(source, Ref):
            return at_seq.get(source) or self.held[source]
        return {name: self.rows_of(branch, at_seq) for name, branch in source.branches}

    def held_by(self, state: State, at_seq: Mapping[Ref, int]) -> dict[Ref, int]:
        """Where the outputs lie that a state refers to."""
        return {ref: at_seq.get(ref) or self.held[ref] for ref in references(state)}

    def pause(self, ask: OpenQuestion, effect: Commit, time: Micros) -> Pause:
        """The question that an ask puts, as a person will read it."""
        node = self.program.nodes[ask.at]
        on_timeout = next((word for fact, word in ON_TIMEOUT.items() if fact in node.facts), "cancel")
        if SHOWS[ask.kind] == "error" and on_timeout == "approve":
            on_timeout = "cancel"
        pause = Pause(
            run_id=self.identity.run_id,
            pause_id=ask.pause_id,
            kind=ask.kind,
            at=ask.at,
            turn=ask.turn,
            attempt=ask.attempt,
            step_name=node.name,
            message=message(node, ask, effect),
            opened=time,
            detail=detail_again(self.host.store, self.identity.run_id, ask, effect.events, shown(node, ask, effect)),
            deadline=ask.due,
            on_timeout=on_timeout,
            slices=slices_of(self.program, ask.at, ask.kind),
        )
        return pause if node.rule is None else ruled(self, ask, pause)

    def committed(self, effect: Commit, boundary: Boundary) -> None:
        """Take over the state that was stored."""
        with self._looking:
            self.held_before = self.held  # watchers still hear of what was handed on, where no later call sees it
            self.state, self.seq, self.held = effect.after.state, boundary.seq + len(boundary.entries), boundary.held
            if self._history is not None:
                self._history.extend(boundary.entries)
        self.claim = None
        if boundary.definition is not None:
            fingerprint, canonical = boundary.definition
            self.identity, self.adopted_by = evolve(self.identity, fingerprint=fingerprint, canonical=canonical), None
        self.parked, self.time, self.lease = boundary.parks, boundary.time, boundary.lease or self.lease
        if boundary.session_state is not None:
            self.session_state = boundary.session_state
        if self.changes:
            for move in effect.after.moves:
                self.changes.pop((move.at, move.turn, move.attempt), None)
        self.put = boundary.opened
        if len(self.put) > SEVERAL:  # else each would be read again when one of them is answered
            first = self.identity
            remember(self.program.worded, [(first.run_id, first.created, each.pause_id) for each in self.put])
        if self.raised:
            failed = {(each.at, each.turn, each.attempt) for each in self.state.cursors if each.phase == w.failed}
            self.raised = {place: error for place, error in self.raised.items() if place in failed}
        if len(self.texts) > len(boundary.held):
            self.texts = {ref: text for ref, text in self.texts.items() if ref in boundary.held}

    # -- ends of calls -----------------------------------------------------------------------------------------------------------

    def cursor_at(self, call: Call) -> Cursor:
        """The cursor that owes a call."""
        for cursor in self.state.cursors:
            if cursor.at == call.at and cursor.turn == call.turn:
                return cursor
        raise StaleEvent(call.at, call.turn, call.attempt, call.kind)

    def call_at(self, cursor: Cursor) -> Call:
        """The call that a cursor owes, or would owe if a person let it go on."""
        return Call(KINDS[self.program.nodes[cursor.at].kind].work, cursor.at, cursor.turn, cursor.attempt)

    def event(self, trigger: str, call: Call | Timer, body: Body = NO_BODY, choices: tuple[Address, ...] = ()) -> Event:
        """An event of a call or a timer, now."""
        return Event(trigger, call.at, call.turn, call.attempt, body, choices, self.host.clock())


def of_record(host: Host, compiled: Compiled, record: Record) -> Execution:
    """The execution of a run that has just been claimed."""
    return Execution(
        host, compiled, record.identity, record.state, record.epoch, record.seq, record.held, record.session_state, record.lease
    )
