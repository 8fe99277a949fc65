"""`Flight`: one call of user code on its way, as both drivers know it; and the rules for what may be in flight beside it.

A call is made once the intention is durable, and its visit is called once at a time: a driver that stops waits for its flights, and keeps the
claim of the run while one of them is not over (RUN-9).
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

from attrs import define

from statecore.core.reducer import stands_at
from statecore.errors import ClaimLost, StoreError
from statecore.lifecycles import words as w

from . import ends
from .calls import call_user, limit_of, values_of
from .hands import Outcome
from .limits import timed_out
from .observers import write
from .observing import observed
from .pieces import AT_HAND, Tell, exhaust, finish, manner_of, opened
from .storing import store_events

if TYPE_CHECKING:
    from concurrent.futures import Future

    from statecore.core import Call, Commit, Event, Micros

    from .calls import CallValues
    from .execution import Execution

LOG = logging.getLogger(__name__)


@define(eq=False)
class Flight:
    """A call on its way: its values, and the context that it runs in.

    `is_cancelled`: it was awaited on an event loop, and cancelled there. `thread` is done when the thread is that it has, None where it has none.
    `due`: when its time is over, or the time of its `finally` blocks where it `is_timed_out` (RUN-11).
    """

    execution: Execution
    call: Call
    values: CallValues
    context: Context
    is_cancelled: bool = False
    thread: Future[Outcome] | None = None
    due: Micros | None = None
    is_timed_out: bool = False

    def attempt(self, tell: Tell | None) -> Outcome:
        """Call user code on a thread, in the flight's context, to the end of a plain generator; an awaitable is left to a loop."""
        try:
            value = call_user(self.execution, self.call, self.values)
            if type(value) in AT_HAND:
                return value, None
            manner = manner_of(self.execution, self.call)
            value = opened(value, manner)
            return (exhaust(value, manner, tell) if inspect.isgenerator(value) else value), None
        except BaseException as error:  # noqa: BLE001  # the driver decides what it means
            return None, error

    def end(self, outcome: Outcome, stop: str = "") -> Event:
        """The event that its end stands for. One that was cancelled and has no value is interrupted; `stop` says why."""
        if self.is_timed_out:
            return timed_out(self, outcome)
        value, error = outcome
        if error is None:
            return ends.returned(self.execution, self.call, value, self.values)
        if isinstance(error, Exception) and not self.is_cancelled:
            return ends.failed(self.execution, self.call, error)
        return ends.interrupted(self.execution, self.call, type(error).__name__ if not self.is_cancelled else stop)


def flight_of(execution: Execution, call: Call) -> Flight:
    """A call that is to be made now: its values and its context are its own."""
    limit = limit_of(execution, call)
    due = None if limit is None else execution.host.clock() + limit
    return Flight(execution, call, values_of(execution, call), observed(execution.context.copy(), execution, call), due=due)


async def called(flight: Flight, tell: Tell | None) -> Any:
    """Call user code on an event loop, to the end of what it gives."""
    value = call_user(flight.execution, flight.call, flight.values)
    return await finish(value, manner_of(flight.execution, flight.call), tell)


def stops(outcome: Outcome, flight: Flight) -> BaseException | None:
    """The exception of a call that ends its driver, and is no error of its step (ERR-9); None where it ended otherwise."""
    if flight.is_timed_out and type(outcome[1]).__name__ == "CancelledError":
        return None
    return outcome[1] if outcome[1] is not None and not isinstance(outcome[1], Exception) else None


def say_waiting(flights: Iterable[Flight]) -> None:
    """Say for which calls a driver waits that was interrupted."""
    names = [repr(flight.execution.program.nodes[flight.call.at].name) for flight in flights]
    if names:
        said = "interrupted: waiting for the call of %s to end; a second Ctrl-C waits no longer"
        write(LOG, logging.WARNING, said, ", ".join(names))


# -- a driver stops ----------------------------------------------------------------------------------------------------------------


def store_ends(execution: Execution, over: Mapping[Flight, Outcome], left: Collection[Flight], why: str) -> None:
    """A driver stops: store how the calls ended that are over, and that those were interrupted that have no end; `why` is what stopped it.

    Calls that are `left` go on. Where the run is to be parked by this, the claim is kept all the same (RUN-9).
    """
    execution.keeps_claim = execution.keeps_claim or bool(left)
    interruptions = [ends.interrupted(execution, flight.call, why) for flight in left]
    with suppress(ClaimLost):  # another process has the run, and nothing of this one counts
        for flight, outcome in over.items():
            event = flight.end(outcome, why)
            if event.trigger == w.interrupt:
                interruptions.append(event)
            elif stands_at(execution.state, event):
                store_events(execution, (event,))
        events = tuple(event for event in interruptions if stands_at(execution.state, event))
        if events:
            store_events(execution, events)


def store_pending(execution: Execution, effect: Commit) -> None:
    """Store what a driver was storing when it was interrupted; where that is stored already, or cannot be, `let_go` sees to it."""
    with suppress(ClaimLost, StoreError):
        store_events(execution, effect.events)
