"""`Run`: the Temporal workflow of every run. It performs the effects of the core's loop; time, results and decisions come from Temporal alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from json import dumps
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as TimedOut

from statecore.core import Micros

with workflow.unsafe.imports_passed_through():
    from attrs import evolve

    from statecore.core import Commit, Event, Start, loop
    from statecore.core.owed import has_room
    from statecore.errors import RulesUnknown, StatecoreError, Undecided, UnstorableValue, ValueTooLarge
    from statecore.lifecycles import words as w
    from statecore.runtime import ends
    from statecore.runtime.delays import woken
    from statecore.runtime.sharing import Change, session_to_be
    from statecore.runtime.storing import decided_beside, listens, store
    from statecore.stores import Body, Decided
    from statecore.stores.detail import detail_of
    from statecore.stores.records import NO_BODY
    from statecore.stores.rules import ENDED, STATUS
    from statecore.temporal import wire
    from statecore.temporal.orders import order_of
    from statecore.temporal.wire import CALL, KEEP, MEMO, OWNER, RUN, Plain, plain_start, read_start, row

    from .opening import judged, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Call, Timer
    from statecore.core.state import Death

LONGEST = timedelta(days=3650)
"""No call is given up because it takes long: only because its worker is silent."""

LONGEST_TIMER = timedelta(days=365)
"""A deadline may be further away; then it is waited for again."""

FIRM = "what cannot be stored is not called again"
"""A mark of this release in histories: an earlier one repeated a call whose value could not be stored."""

UNSTORABLE = tuple(kind.__name__ for kind in ends.UNSTORABLE)

TOGETHER = 1_048_576
"""The most bytes of the session state that two calls leave together; histories rely on it."""

SAID = "decisions are applied beside what runs"
"""The mark of histories of this release where they apply a decision before the run is parked; earlier ones have none."""

BESIDE = "a silent worker may have had other calls"
"""A mark of this release: an earlier one counted each silence of a worker as a death in which the call was alone."""

BOUND = "max_concurrency is a bound at every moment"
"""The mark of histories of this release where a call waits for another one to end."""

DEATHS = ("TemporalTimeout:Heartbeat", "TemporalTimeout:StartToClose")
"""Temporal must not repeat a call by itself: the core decides what a death means (CRASH-2)."""


def now() -> Micros:
    """The time of this run: that of the history, so that a replay is deterministic."""
    return workflow.time_ns() // 1000


@workflow.defn(name=RUN)
class Run:
    """One run, or the part of it that one history holds."""

    @workflow.init
    def __init__(self, start: Plain) -> None:
        self.unknown: RulesUnknown | None = None
        try:
            self.start = read_start(start)
        except RulesUnknown as unknown:
            self.unknown = unknown  # `run` raises it: the SDK leaves a mess where a constructor does
            return
        self.opened = opened(self.start, now, workflow.unsafe.is_replaying)
        self.ledger, self.execution = self.opened.ledger, self.opened.execution
        self.flying: dict[Call, tuple[str, asyncio.Future[Any]]] = {}
        self.waiting: list[Call] = []
        self.ended: list[Call] = []
        self.changes = 0
        self.refused: list[str] = []
        self.listens = False
        self.news = self.start.carried is not None
        self.told = ("RUNNING", "[]") if self.start.carried is None else ("", "")

    @workflow.run
    async def run(self, _start: Plain) -> Plain:
        """Drive the run until it is over. A failed run fails its workflow too, so that Temporal's own lists say so."""
        if self.unknown is not None:
            raise self.unknown  # no failure of the run: Temporal gives it to another worker, again and again
        while True:
            await self.drive()
            self.tell()
            if self.execution.state.run in ENDED:
                break
            await self.answered()
        await self.wait(workflow.all_handlers_finished, None)
        if self.execution.state.run == w.failed:
            message = f"run {self.start.identity.run_id} failed"
            raise ApplicationError(message, type="RunFailed", non_retryable=True)
        return {"status": STATUS[self.execution.state.run]}

    # -- effects -------------------------------------------------------------------------------------------------------------------

    async def drive(self) -> None:
        """Perform the effects of the loop until only people are left, or the run is over."""
        self.tell()
        effects = loop(self.execution.program, self.execution.state)
        reply: Event | tuple[Event, ...] | None = None
        while True:
            try:
                effect = effects.send(reply)
            except StopIteration:
                return
            match effect:
                case Commit():
                    reply = self.stored(effect)
                    if reply is None:
                        self.tell()
                        await self.perhaps_anew()
                        if any(event.trigger == w.interrupt for event in effect.events):
                            effects = loop(self.execution.program, self.execution.state)  # the same call is owed anew
                case Start(call):
                    reply = None
                    if call not in (*self.flying, *self.waiting):
                        self.waiting.append(call)
                case _:
                    reply = await self.first(effect.timers)

    def stored(self, effect: Commit) -> Event | tuple[Event, ...] | None:
        """Store an effect; what stands against it. A history of an earlier release was parked before its decisions were applied."""
        obstacle = store(self.execution, effect)
        if obstacle is None or isinstance(obstacle, Event) or workflow.patched(SAID):
            return obstacle
        return store(self.execution, effect, heeds_decisions=False)

    def begin_waiting(self) -> None:
        """Begin the calls for which there is room (RUN-17). Histories of earlier releases began them at once."""
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            if has_room(self.execution.program, call, self.flying) or not workflow.patched(BOUND):
                self.begin(call)
            else:
                self.waiting.append(call)

    def begin(self, call: Call) -> None:
        """Have a worker make a call. What is too large to be sent fails it."""
        base = self.execution.session_state
        order = order_of(self.execution, call, self.ledger)
        try:
            wire.checked(f"what is sent to {call.at!r}", order)
        except ValueTooLarge as error:
            refusal: asyncio.Future[Any] = asyncio.Future()
            refusal.set_exception(error)
            self.flying[call] = (base, refusal)
            self.ended.append(call)
            return
        made = workflow.start_activity(
            CALL,
            order,
            start_to_close_timeout=LONGEST,
            heartbeat_timeout=timedelta(seconds=self.start.lease),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30), non_retryable_error_types=DEATHS),
            summary=f"{call.kind} {call.at}",
        )
        self.flying[call] = (base, made)
        made.add_done_callback(lambda _: self.ended.append(call))

    async def first(self, timers: tuple[Timer, ...]) -> tuple[Event, ...]:
        """The events of the first calls to end, of the first delay to be over, or of what people decide meanwhile; () where there is neither."""
        self.begin_waiting()
        if not self.flying and not timers:
            return ()
        due = min((timer.due for timer in timers), default=None)
        while not self.ended:
            news, self.news = self.news, False
            if news and (decided := decided_beside(self.execution)) and workflow.patched(SAID):
                return decided
            if not await self.wait(lambda: bool(self.ended) or self.news, due):
                return woken(self.execution, timers)
        ended, self.ended = sorted(self.ended, key=lambda call: call.at), []
        return tuple(self.event(call) for call in ended)

    def event(self, call: Call) -> Event:
        """The event of a call that has ended."""
        base, made = self.flying.pop(call)
        try:
            end = made.result()
        except ActivityError as error:
            if isinstance(error.cause, TimedOut):
                death: Death = "beside" if workflow.patched(BESIDE) else ""
                return ends.interrupted(self.execution, call, "its worker went silent, and no end is recorded", death)
            return ends.failed(self.execution, call, error.cause if isinstance(error.cause, Exception) else error)
        except ValueTooLarge as error:
            return ends.failed(self.execution, call, error)
        if end["trigger"] == w.interrupt:
            return ends.interrupted(self.execution, call, detail_of(end["detail"]).error or "")
        if end["session_state"] is not None:
            change = Change(base, end["session_state"])
            try:
                change.over(session_to_be(self.execution), TOGETHER)
            except UnstorableValue as error:  # what two calls left is too large together (P10)
                return ends.failed(self.execution, call, error)
            self.execution.changes[self.execution.place(call)] = change
        said = Body(end["detail"], end["value"]) if end["detail"] or end["value"] is not None else NO_BODY
        event = self.execution.event(end["trigger"], call, said, tuple(end["choices"]))
        if event.trigger == w.ask:
            event = event._replace(number=detail_of(end["detail"]).number or 0)
        firm = detail_of(end["detail"]).error_type in UNSTORABLE and workflow.patched(FIRM)
        return event._replace(firm=firm) if event.trigger == w.fail else event

    async def wait(self, holds: Callable[[], bool], due: Micros | None) -> bool:
        """Wait until something holds; False where an instant came first. Temporal's own cancellation is heeded as everybody's is."""
        while True:
            left = None if due is None else min(timedelta(microseconds=max(1_000, due - now())), LONGEST_TIMER)
            try:
                await workflow.wait_condition(holds, timeout=left)
            except TimeoutError:
                if due is not None and now() >= due:
                    return False
            except asyncio.CancelledError:
                self.ask_cancel(OWNER)
            else:
                return True

    # -- people --------------------------------------------------------------------------------------------------------------------

    async def answered(self) -> None:
        """Wait until something was decided, or a deadline is over, and take it."""
        while True:
            self.tell()
            await self.perhaps_anew()
            try:
                self.execution = self.opened.continuation().ready().execution
            except Undecided:
                seen, self.listens = self.changes, True
                await self.wait(lambda seen=seen: self.changes != seen or suggested(), self.deadline())  # type: ignore[misc]
                self.listens = False
            else:
                return

    def deadline(self) -> Micros | None:
        """When the first of the open questions expires."""
        kept = self.ledger.kept
        dues = [due for name in kept.open_at if (due := kept.pauses[name].deadline) is not None]
        return min(dues, default=None)

    def tell(self) -> None:
        """Write into the memo what people owe, and how the run stands, where either has changed: it is read without a worker."""
        shown = STATUS[self.execution.state.run], dumps(self.ledger.open_pauses())
        if shown == self.told:
            return
        if self.told[0] != shown[0]:
            workflow.upsert_search_attributes([wire.STATUS.value_set(shown[0])])
        workflow.upsert_memo({MEMO: wire.memo(self.ledger.told())})
        self.told = shown

    @workflow.update
    def decide(self, decision: list[Any]) -> list[Any]:
        """Take the one decision of a pause; what is stored of it."""
        try:
            return row(self.take(decision))
        except StatecoreError as refusal:
            raise wire.refusal(refusal) from refusal

    @decide.validator
    def may_decide(self, decision: list[Any]) -> None:
        """Refuse by name, before anything is in the history."""
        try:
            judged(self.execution, self.ledger, decision, now())
        except StatecoreError as refusal:
            raise wire.refusal(refusal) from refusal

    @workflow.signal
    def decide_later(self, decision: list[Any]) -> None:
        """Take a decision that nobody waits for. A refused one changes nothing, and is told to whoever looks."""
        try:
            self.take(decision)
        except StatecoreError as refusal:
            self.refused = [*self.refused, str(refusal)][-10:]

    def take(self, decision: list[Any]) -> Decided:
        """Store a decision, and have the run go on; where that is not at once, the memo says that it was decided."""
        decided = self.ledger.decide(judged(self.execution, self.ledger, decision, now()))
        self.changes += 1
        self.news = self.news or (listens(self.execution) and workflow.patched(SAID))
        if not self.listens:
            self.tell()
        return decided

    @workflow.update
    def cancel(self, by: str | None) -> Plain:
        """Ask for the run to be cancelled at its next boundary; how it stood."""
        told = self.ledger.told()
        self.ask_cancel(by)
        return told

    @workflow.signal
    def cancel_later(self, by: str | None) -> None:
        """The same, with nobody waiting."""
        self.ask_cancel(by)

    def ask_cancel(self, by: str | None) -> None:
        """Have the next boundary heed a cancellation."""
        self.ledger.request_cancel(self.ledger.run_id, by, now())
        self.changes += 1

    # -- looking -------------------------------------------------------------------------------------------------------------------

    @workflow.query
    def look(self) -> Plain:
        """The run as it stands, what people owe it, and which decisions of signals were refused."""
        return {**self.ledger.told(), "refused": self.refused}

    @workflow.query
    def rows(self, after: int, upto: int) -> Plain:
        """Rows of its journal that are here, as many as may be sent at once, and the names of the pages with those that are not."""
        found, size = [], 0
        for entry in self.ledger.journal(self.ledger.run_id, after, upto):
            found.append(row(entry))
            size += wire.size_of(found[-1])
            if size > wire.MAX_SENT // 2:
                break
        return {"rows": found, "moved": [list(each) for each in self.ledger.moved]}

    @workflow.query
    def pauses(self) -> Plain:
        """Every pause that is here, open or not, and the names of the pages with the others."""
        return {"pauses": self.ledger.all_pauses(), "moved": [list(each) for each in self.ledger.moved]}

    @workflow.query
    def carried(self) -> Plain:
        """The run as another execution would begin with it: for one that failed, and is to go on."""
        return self.ledger.carried(self.ledger.past().text())

    # -- going on in a new history --------------------------------------------------------------------------------------------------

    async def perhaps_anew(self) -> None:
        """Where the history grows long and no call is in flight, go on in a new one, with all that is needed and no more."""
        if self.flying or not suggested():
            return
        await self.wait(workflow.all_handlers_finished, None)
        past = self.ledger.past()
        text = past.text()
        if len(text) > self.start.carry:
            pieces = [text[at : at + wire.MAX_SENT // 2] for at in range(0, len(text), wire.MAX_SENT // 2)]
            names = [await self.kept_elsewhere(piece) for piece in pieces]
            last = self.ledger.kept.seq
            self.ledger.move([(last, " ".join(names))])
            text = self.ledger.past().text()
        workflow.continue_as_new(plain_start(evolve(self.start, carried=self.ledger.carried(text), reopens=False)))

    async def kept_elsewhere(self, text: str) -> str:
        """Have a worker put a piece of the past into the values store; repeated until there is a worker that has one."""
        made = workflow.start_activity(
            KEEP,
            text,
            start_to_close_timeout=timedelta(seconds=60),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
        )
        await self.wait(made.done, None)
        name: str = made.result()
        return name


def suggested() -> bool:
    """Whether Temporal would rather see a new history."""
    return workflow.info().is_continue_as_new_suggested()
