"""The time limits of calls, and the calls that were given up: their attempts have failed, and they are not over (RUN-11).

Theory of operation. A call whose `execution_timeout` is over is told to stop, and its attempt fails at once where it is on a thread. One that is
awaited is cancelled first, and has one lease for its `finally` blocks. A call that is not over then is `Late`: nothing of its visit is called
while it lasts. So the delay of an automatic retry is not over before the call is; a run that rests keeps its claim, as it does for calls that a
driver left (RUN-9), and a person's retry is refused by `check_left`. The result of a late call is never used. The next row of its visit
that this driver stores says that it came too late, and keeps it.

A cancellation waits for no call that was given up, and for another one for a lease from the moment when the call was told to stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from attrs import define, field

from statecore.codec import encode
from statecore.core import Call, Event, Micros, Seconds, Timer
from statecore.definition import StepOutput
from statecore.errors import StepTimeout, StillRunning, UnsupportedSetting
from statecore.lifecycles import words as w
from statecore.stores import Body
from statecore.stores.detail import Detail, detail_of, detail_text
from statecore.stores.history import History
from statecore.stores.owner import alive
from statecore.stores.rules import ENDED, clock_text

from . import ends
from .calls import limit_of
from .delays import HEARS, cancelled_meanwhile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore.core import Address, Cursor
    from statecore.core.state import Turn
    from statecore.stores import Record, RunReader

    from .execution import Execution
    from .hands import Outcome
    from .host import Host
    from .storing import Awaited

F = TypeVar("F", bound="Awaited")
L = TypeVar("L", bound="Limited")
LEAVES = frozenset({StepTimeout.__name__, "Interrupted"})
"""The errors of an attempt whose call may go on."""
RESTS = frozenset({w.paused, w.failed})
"""The phases in which a run waits for a person."""


class Limited(Protocol):
    """A call in flight, as far as its limit goes."""

    execution: Execution
    call: Call
    due: Micros | None
    is_timed_out: bool
    is_cancelled: bool


def timed_out(flight: Limited, outcome: Outcome | None = None) -> Event:
    """The failure of a call whose time is over; a result that came after its cancellation is kept beside it."""
    execution, call = flight.execution, flight.call
    step = execution.compiled.components[call.at]
    error = StepTimeout(step.name, (limit_of(execution, call) or 0) / 1_000_000)
    event = ends.failed(execution, call, error)
    late = late_body(execution, outcome) if outcome is not None and outcome[1] is None else None
    if late is None:
        return event
    detail = detail_of(event.body.detail)._replace(late=detail_of(late.detail).late)
    return event._replace(body=Body(detail_text(detail), late.value))


def late_body(execution: Execution, outcome: Outcome) -> Body:
    """The body that keeps a result that came too late: its value where that can be stored, or the words of its error."""
    value, error = outcome
    if error is not None:
        words = ends.text_of(error) if isinstance(error, Exception) else ""
        return Body(detail_text(Detail(late=ends.bounded(f"raised {type(error).__name__}: {words}"))), None)
    given = value.content if isinstance(value, StepOutput) else value
    try:
        return Body(detail_text(Detail(late="returned")), encode(given, limit=execution.host.limit))
    except Exception as unstorable:  # noqa: BLE001  # it is not used, and the error says why it is not kept
        return Body(detail_text(Detail(late=ends.bounded(f"returned what cannot be stored: {unstorable}"))), None)


@define(eq=False)
class Late(Generic[F, L]):
    """The calls in flight of one driver that have a limit, and those that it has given up.

    `outcome` reads a future that is over; `tell` tells a call to stop.
    """

    execution: Execution
    flying: dict[F, L]
    outcome: Callable[[F], Outcome]
    tell: Callable[[F, L], object]
    given_up: dict[F, L] = field(factory=dict)
    came: dict[tuple[Address, Turn], Body] = field(factory=dict)

    def reap(self) -> None:
        """Take in what came of calls that were given up; without one the run is released where it rests."""
        for future in [each for each in self.given_up if each.done()]:
            call = self.given_up.pop(future).call
            self.came[call.at, call.turn] = late_body(self.execution, self.outcome(future))
        self.execution.keeps_claim = bool(self.given_up)

    @property
    def is_one_over(self) -> bool:
        """Whether a call is over that was given up."""
        return any(future.done() for future in self.given_up)

    def free(self, timers: tuple[Timer, ...]) -> tuple[Timer, ...]:
        """The delays whose visit has no call that was given up."""
        held = self.held()
        return tuple(timer for timer in timers if (timer.at, timer.turn) not in held) if held else timers

    def allowed(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """The decisions that call nothing beside a call that was given up."""
        held = self.held()
        return (
            tuple(each for each in events if each.trigger not in (w.retry, w.amend) or (each.at, each.turn) not in held)
            if held
            else events
        )

    def held(self) -> set[tuple[Address, Turn]]:
        """The visits of the calls that were given up."""
        return {(flight.call.at, flight.call.turn) for flight in self.given_up.values()}

    def carried(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Events, each with what came too late of its visit."""
        if not self.came:
            return events
        found = []
        for event in events:
            late = self.came.pop((event.at, event.turn), None) if event.trigger == w.wake else None
            found.append(event if late is None else event._replace(body=late))
        return tuple(found)

    def soonest(self, seconds: Seconds | None) -> Seconds | None:
        """How many of so many seconds may be waited before the next look at the limits; None without an end."""
        look = self.left()
        return seconds if look is None else look if seconds is None else min(seconds, look)

    def left(self) -> Seconds | None:
        """How many seconds may be waited before the next look at the limits; None where there is none to look at."""
        execution = self.execution
        dues = [flight.due for flight in self.flying.values() if flight.due is not None]
        if execution.told is not None and self.flying:
            dues.append(execution.told + execution.host.lease_micros)
        looks = [HEARS] if self.given_up else []
        seconds = [max(0.0, (min(dues) - execution.host.clock()) / 1_000_000)] if dues else []
        return min([*looks, *seconds, HEARS]) if looks or seconds else None

    def over(self) -> tuple[Event, ...]:
        """The failures of the calls whose time is over now. Where the run is to be cancelled, calls that were told to stop are given up."""
        now = self.execution.host.clock()
        told = self.execution.told
        if told is not None and self.flying and now >= told + self.execution.host.lease_micros:
            for future in list(self.flying):
                self.tell(future, self.flying[future])
                self.give_up(future)
            return ()
        events = []
        for future, flight in list(self.flying.items()):
            if flight.due is None or flight.due > now or future.done():
                continue
            is_told, flight.is_timed_out = flight.is_timed_out, True
            self.tell(future, flight)
            if flight.is_cancelled and not is_told:
                flight.due = now + self.execution.host.lease_micros  # its `finally` blocks are awaited first
            else:
                self.give_up(future)
                events.append(timed_out(flight))
        return tuple(sorted(events, key=lambda event: event.at))

    def give_up(self, future: F) -> None:
        """Wait for a call no longer; its visit is called no more before it is over."""
        self.given_up[future] = self.flying.pop(future)
        self.execution.keeps_claim = True

    def cancelled(self) -> tuple[Event, ...]:
        """The cancellation of a run that waits for calls that were given up alone."""
        return cancelled_meanwhile(self.execution) if self.given_up and not self.flying else ()


# -- people, and the next owner ----------------------------------------------------------------------------------------------------


def forcing(*, force: bool, by: str | None) -> str | None:
    """The person who takes a run from a call that was given up; None for nobody. Raises `UnsupportedSetting` without a name."""
    if force and not by:
        where, setting = "Continuing a run", "force=True without by"
        raise UnsupportedSetting(where, setting, "a person answers for two calls of one step that may run at once")
    return by if force else None


def check_left(host: Host, record: Record, force_by: str | None) -> bool:
    """Whether a run was freed by force that rests and is kept, because a call of it was given up. Raises `StillRunning` without force."""
    owner = record.owner
    if owner is None or not alive(owner, record.lease, host.clock()) or not has_left(host.store, record):
        return False
    if not force_by:
        raise StillRunning(record.identity.run_id, owner, None if record.lease is None else clock_text(record.lease))
    host.executor.release(record.identity.run_id, record.epoch)
    return True


def has_left(store: RunReader, record: Record) -> bool:
    """Whether a run with an owner rests or is over, and is kept for a call that was given up or not waited for.

    A worker that has just claimed a decided run has it for a moment, too: so a call of it must have timed out, or was interrupted.
    """
    if record.state.run in ENDED - {w.failed}:
        return True
    if record.state.run not in RESTS:
        return False
    visits = History().extend(store.journal(record.identity.run_id, 0, record.seq)).visits.values()
    return any(visit.failures and visit.failures[-1].get("error_type") in LEAVES for visit in visits)


def waited(execution: Execution) -> Iterable[Cursor]:
    """The delays behind which a call may have been going on whose time was over: its process died, and `on_interrupt` decides."""
    for cursor in execution.state.cursors:
        policy = execution.program.nodes[cursor.at].facts
        if cursor.phase != w.backing_off or w.interrupt_retries in policy:
            continue
        visit = execution.history().visits.get((cursor.at, cursor.turn))
        if visit is not None and visit.failures and visit.failures[-1].get("error_type") == StepTimeout.__name__:
            yield cursor


def decided_by_death(execution: Execution, why: str) -> tuple[Event, ...]:
    """The events of these delays: each retry begins, and is interrupted at once, because its process died before it."""
    events: list[Event] = []
    for cursor in waited(execution):
        before = Call("execute", cursor.at, cursor.turn, cursor.attempt)
        again: Any = before._replace(attempt=cursor.attempt + 1)
        events += [execution.event(w.wake, before), ends.interrupted(execution, again, why)]
    return tuple(events)
