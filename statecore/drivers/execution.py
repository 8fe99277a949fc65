"""`Execution`: one claimed run in this process. It turns effects into boundaries, and ends of calls into events; it performs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.codec import decode, encode
from statecore.core import Ask, Call, Commit, Cursor, Event, Move, Program, Ref, State, asks
from statecore.core.owed import CALLS, CallKind
from statecore.definition import StepOutput
from statecore.errors import StepFailed
from statecore.lifecycles import words as w
from statecore.stores import Body, Boundary, Decided, Entry, Identity, Pause, Record
from statecore.stores.history import History
from statecore.stores.records import NO_BODY

from .inputs import CallValues, Past

if TYPE_CHECKING:
    from statecore.core import Compiled

    from .host import Host

MAX_ERROR = 4096
"""Stored error text is bounded (P17)."""


@define
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
    answers: dict[str, Decided] = field(factory=dict)
    raised: BaseException | None = None
    parked: bool = False
    texts: dict[Ref, str] = field(factory=dict)
    past: Past = field(init=False)
    _saved_session: str = field(init=False)
    _history: History | None = None

    def __attrs_post_init__(self) -> None:
        self.past = Past(self)
        self._saved_session = self.session_state

    @property
    def program(self) -> Program:
        """The program that is executed."""
        return self.compiled.program

    # -- looking back ------------------------------------------------------------------------------------------------------------

    def content(self, ref: Ref | None) -> Any:
        """The value that a reference of the state stands for, freshly decoded; None for no reference."""
        if ref is None:
            return None
        text = self.texts.get(ref)
        if text is None:
            seq = self.held[ref]
            [entry] = self.host.store.journal(self.identity.run_id, seq - 1, seq)
            text = entry.body.value or "null"
            self.texts[ref] = text
        return decode(text)

    def history(self) -> History:
        """All that this run has done so far; read from the store when first asked for, then kept up."""
        if self._history is None:
            self._history = History().extend(self.host.store.journal(self.identity.run_id, 0, self.seq))
        return self._history

    # -- boundaries --------------------------------------------------------------------------------------------------------------

    def boundary(self, effect: Commit, *, heeds_cancel: bool) -> Boundary:
        """The transaction that stores an effect."""
        time, after = self.host.clock(), effect.after.state
        at_seq: dict[Ref, int] = {}
        entries = []
        for seq, move in enumerate(effect.after.moves, self.seq + 1):
            if move.hands_on is not None and move.body is not None:
                at_seq[move.hands_on] = seq
            entries.append(self.entry(seq, move, time, at_seq))
        before_asks, after_asks = asks(self.program, effect.before), asks(self.program, after)
        closed = tuple(ask.pause_id for ask in before_asks if ask not in after_asks) if before_asks else ()
        opened = tuple(self.pause(ask, effect, time) for ask in after_asks if ask not in before_asks) if after_asks else ()
        return Boundary(
            run_id=self.identity.run_id,
            epoch=self.epoch,
            seq=self.seq,
            time=time,
            state=after,
            entries=tuple(entries),
            held=self.held_by(after, at_seq),
            opened=opened,
            closed=closed,
            decisions=tuple(self.answers[pause_id] for pause_id in closed if pause_id in self.answers),
            session_state=self.session_state if self.session_state != self._saved_session else None,
            parks=not any(cursor.phase in CALLS for cursor in after.cursors) or after.run == w.failed,
            heeds_cancel=heeds_cancel,
        )

    def entry(self, seq: int, move: Move, time: int, at_seq: Mapping[Ref, int]) -> Entry:
        """The journal row of a move; a component that hands on what is inside it says which row that is."""
        body = move.body
        if body is None:
            body = NO_BODY
            if move.hands_on is not None:
                of = at_seq.get(move.hands_on) or self.held[move.hands_on]
                body = Body(f'{{"of":{of}}}')
        return Entry(seq, move.machine, move.at, move.turn, move.attempt, move.source, move.trigger, move.dest, time, body)

    def held_by(self, state: State, at_seq: Mapping[Ref, int]) -> dict[Ref, int]:
        """Where the outputs lie that a state refers to."""
        refs = {ref for cursor in state.cursors for ref in (cursor.prev, cursor.last) if ref is not None}
        if state.result is not None:
            refs.add(state.result)
        return {ref: at_seq.get(ref) or self.held[ref] for ref in refs}

    def pause(self, ask: Ask, effect: Commit, time: int) -> Pause:
        """The question that an ask puts, as a person will read it."""
        node = self.program.nodes[ask.at]
        detail = ""
        if ask.kind != "confirmation":
            body = next((event.body for event in effect.events if event.at == ask.at and event.body is not None), NO_BODY)
            detail = body.detail
        return Pause(
            self.identity.run_id, ask.pause_id, ask.kind, ask.at, ask.turn, ask.attempt, node.name, node.asks, time, None, detail
        )

    def committed(self, effect: Commit, boundary: Boundary) -> None:
        """What was stored is now what is."""
        self.state, self.seq, self.held = effect.after.state, boundary.seq + len(boundary.entries), boundary.held
        self._saved_session, self.parked = self.session_state, boundary.parks
        self.texts = {ref: text for ref, text in self.texts.items() if ref in boundary.held}
        if self._history is not None:
            self._history.extend(boundary.entries)

    # -- ends of calls -----------------------------------------------------------------------------------------------------------

    def values_of(self, call: Call) -> CallValues:
        """The values that a call is made with."""
        for cursor in self.state.cursors:
            if cursor.at == call.at and cursor.turn == call.turn:
                return CallValues(self, cursor.prev)
        return CallValues(self, None)

    def call_at(self, cursor: Cursor) -> Call:
        """The call that a cursor owes, or would owe if a person let it go on."""
        kind: CallKind = "evaluate" if self.program.nodes[cursor.at].kind == "condition" else "execute"
        return Call(kind, cursor.at, cursor.turn, cursor.attempt)

    def returned(self, call: Call, value: Any, values: CallValues) -> Event:
        """A call returned: the event that it stands for. What cannot be stored fails the step instead (P10)."""
        try:
            if call.kind == "evaluate":
                event = Event(w.hold if value else w.refute, call.at, call.turn, call.attempt, NO_BODY)
            else:
                event = self.handed_on(call, value)
            changed = values.changed_state() if event.trigger != w.fail else None
        except Exception as error:  # noqa: BLE001  # whatever goes wrong with a value is an error of its step
            return self.failed(call, error)
        if changed is not None:
            self.session_state = changed
        if event.body.value is not None:
            self.texts[Ref(call.at, call.turn, call.attempt)] = event.body.value
        return event

    def handed_on(self, call: Call, value: Any) -> Event:
        """A step's return value as an event. Raises `UnstorableValue`."""
        if type(value) is not StepOutput:
            return Event(w.succeed, call.at, call.turn, call.attempt, Body("", encode(value)))
        if not value.success and not value.stop:
            return self.failed(call, StepFailed(self.program.nodes[call.at].name, value.error or "no reason given"), said=value.error)
        said = {"success": False, "error": value.error} if not value.success else {}
        body = Body(dumps(said) if said else "", encode(value.content))
        return Event(w.stop if value.stop else w.succeed, call.at, call.turn, call.attempt, body)

    def failed(self, call: Call, error: Exception, said: str | None = None) -> Event:
        """A call raised: the event that it stands for; the exception itself is kept for the caller of `run`."""
        self.raised = error
        text = bounded(said if said is not None else text_of(error))
        detail = {"error": text, "error_type": type(error).__name__, "retry_count": call.attempt}
        return Event(w.fail, call.at, call.turn, call.attempt, Body(dumps(detail)))

    def interrupted(self, call: Call, why: str) -> Event:
        """A call's process died, or was told to: it began, and no end is recorded."""
        detail = {"error": why, "error_type": "Interrupted", "retry_count": call.attempt}
        return Event(w.interrupt, call.at, call.turn, call.attempt, Body(dumps(detail)))


def text_of(error: Exception) -> str:
    """`str(exception)`; where even that fails, its class says so."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # user code again
        return f"{type(error).__name__} (which has no text of its own)"


def bounded(text: str) -> str:
    """Error text, cut visibly where it is too long to store."""
    return text if len(text) <= MAX_ERROR else text[: MAX_ERROR - 1] + "…"


def of_record(host: Host, compiled: Compiled, record: Record) -> Execution:
    """The execution of a run that has just been claimed."""
    return Execution(
        host, compiled, record.identity, record.state, record.epoch, record.seq, record.held, record.session_state
    )


