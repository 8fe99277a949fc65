"""The synchronous driver: performs the effects of `loop` in this thread.

A single plain call runs in this thread, too; plain calls that run at the same time have threads of their own. What is awaited runs on one
event loop, which lives as long as the run is driven, or as long as the worker that drives it (RUN-16).
"""

from __future__ import annotations

from functools import partial
from inspect import isgenerator
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core import Call, Commit, Event, Seconds, Start, Timer, loop

from . import ends
from .calls import call_user, is_async, limit_of, values_of
from .delays import HEARS, cancelled_meanwhile, sliced, store_park, woken
from .flights import Flight, called, flight_of, say_waiting, stops, store_ends, store_pending
from .hands import CODE, LoopThread
from .keyboard import GLANCE, HeldBack, Interruptible, keyboard_of, run_in
from .limits import Late
from .observing import observed
from .pieces import AT_HAND, Piece, finish, is_awaited, manner_of, opened, pieces, teller
from .stopping import Stopped
from .storing import (
    HEARTBEAT,
    decided_beside,
    leave,
    listens,
    store,
    store_interruption,
)
from .suspects import may_fly

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future

    from .execution import Execution
    from .hands import Begun, Outcome
    from .storing import Awaited


def drive(execution: Execution, first: Commit | None, on: LoopThread | None = None) -> Generator[Commit | Piece, None, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable. `on` is the loop of a worker.

    Where the run is streamed it yields the pieces of outputs, too, as they are made. A failed run's own exception is left in `storing.loud`.
    Abandoned, interrupted, told to stop or failing itself, it waits for what is in flight, stores how that ended, and releases the run (RUN-9).
    """
    effects = loop(execution.program, execution.state)
    calls = Calls(execution, on)
    reply: Event | tuple[Event, ...] | None = None
    HEARTBEAT.begin(execution)
    try:
        if first is not None:
            yield first
        while True:
            try:
                effect = effects.send(reply)
            except StopIteration as over:
                if calls.flying:  # the run was cancelled
                    calls.close(over)
                break
            match effect:
                case Commit():
                    calls.storing = effect
                    reply = store(execution, effect)
                    calls.storing = None
                    if reply is None:
                        yield effect
                case Start(call):
                    calls.begun.append(call)
                    reply = None
                case _:
                    reply = yield from calls.first(effect.timers)
    except BaseException as stop:
        calls.close(stop)
        raise
    finally:
        if on is None and calls.loop is not None:
            calls.loop.close(wait=not (calls.left or calls.late.given_up))
        leave(execution, [*calls.left, *calls.late.given_up])


def drive_to_rest(execution: Execution, first: Commit | None) -> None:
    """Drive a claimed run until people are owed or it is over. Ctrl-C is held back meanwhile."""
    with HeldBack():
        for _commit in drive(execution, first):
            pass


@define
class Calls:
    """The calls of one run: begun ones wait for `first`; a single plain one runs in this thread, others on threads or on the loop."""

    execution: Execution
    loop: LoopThread | None
    begun: list[Call] = field(factory=list)
    flying: dict[Future[Outcome], Flight] = field(factory=dict)
    awaited: dict[Future[Outcome], Begun] = field(factory=dict)
    left: list[Awaited] = field(factory=list)
    """Calls that were not waited for, and are not over."""
    storing: Commit | None = None
    heard: SimpleQueue[Piece | None] = field(factory=SimpleQueue)
    """The pieces of calls elsewhere, and None for each call that has ended, and for a request to stop."""
    late: Late[Future[Outcome], Flight] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """A request to stop is heard while calls are waited for."""
        self.execution.wake = self.wake
        self.late = Late(self.execution, self.flying, lambda future: future.result(), self.tell)

    def wake(self) -> None:
        """Something has happened that is waited for."""
        self.heard.put(None)

    def first(self, timers: tuple[Timer, ...]) -> Generator[Commit | Piece, None, tuple[Event, ...]]:
        """The events of the first call to end, of the first delay to be over, or of what people decide meanwhile; () where there is neither.

        Until then it yields pieces.
        """
        if self.begun and self.execution.is_stopping:
            raise Stopped
        if len(self.begun) == 1 and not (self.flying or timers or self.is_watched(self.begun[0])):
            found = yield from self.alone(self.begun.pop())
            if found is not None:
                return found
        while True:
            self.fly()
            if not (self.flying or timers):
                return ()
            due = self.late.free(timers)
            seconds = self.until(due)
            if listens(self.execution):
                if decided := self.late.allowed(decided_beside(self.execution)):
                    return decided
                seconds, due = sliced(seconds, due)
            waits = self.flying or self.late.given_up
            if not waits and self.execution.parks_delays and (seconds or 0.0) > 0:
                return store_park(self.execution)
            events = (yield from self.landed(due, seconds)) if waits else self.rung(due, seconds or 0.0)
            if events := events or self.late.cancelled():
                return self.late.carried(events)

    def alone(self, call: Call) -> Generator[Commit | Piece, None, tuple[Event, ...] | None]:
        """Call user code in this thread, which hears nothing meanwhile: the heartbeat may end the run (RUN-11). None where it flies now."""
        execution = self.execution
        execution.is_calling = True
        try:
            event = yield from self.here(call)
        finally:
            with execution.ending:
                execution.is_calling = False
        if execution.cut is not None:
            yield execution.cut
            return ()
        return None if event is None else (event,)

    def is_watched(self, call: Call) -> bool:
        """Whether something has to be looked at while a call runs: its time limit, or questions that are open beside it."""
        return limit_of(self.execution, call) is not None or listens(self.execution)

    def here(self, call: Call) -> Generator[Piece, None, Event | None]:
        """Call user code in this thread. None where it gave something to be awaited, which flies now.

        An interruption is stored before it goes on its way; a stream closed between two pieces is one.
        """
        execution, context = self.execution, self.execution.context.copy()
        if execution.host.observers.each:
            observed(context, execution, call)
        values = values_of(execution, call)
        try:
            value = run_in(context, call_user, execution, call, values)
            if type(value) not in AT_HAND:
                value = opened(value, manner_of(execution, call))
                if is_awaited(value):
                    self.await_(Flight(execution, call, values, context), value)
                    return None
                if isgenerator(value):
                    value = yield from pieces(execution, call, value, partial(run_in, context))
        except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
            return ends.failed(execution, call, error)
        except BaseException as stop:
            store_interruption(execution, [call], type(stop).__name__)
            raise
        return ends.returned(execution, call, value, values)

    def fly(self) -> None:
        """Make the calls that have begun, as many as there is room for (RUN-17)."""
        if self.late.given_up:
            self.late.reap()
        waiting, self.begun = self.begun, []
        for call in waiting:
            if not may_fly(self.execution.program, self.execution.state, call, [flight.call for flight in self.flying.values()]):
                self.begun.append(call)
                continue
            flight = flight_of(self.execution, call)
            tell = teller(self.execution, call, self.heard.put)
            if is_async(self.execution, call):
                self.launch(flight, called(flight, tell))
            else:
                self.up(flight, CODE.submit(flight.attempt, tell, context=flight.context))

    def await_(self, flight: Flight, value: Any) -> None:
        """Bring what user code gave to its end on the loop."""
        tell = teller(self.execution, flight.call, self.heard.put)
        self.launch(flight, finish(value, manner_of(self.execution, flight.call), tell))

    def launch(self, flight: Flight, awaitable: Any) -> None:
        """A flight goes on, on the loop."""
        if self.loop is None:
            self.loop = LoopThread()
        begun = self.loop.begin(awaitable, flight.context)
        self.awaited[begun.future] = begun
        self.up(flight, begun.future)

    def up(self, flight: Flight, future: Future[Outcome]) -> None:
        """A flight is on its way."""
        self.flying[future] = flight
        future.add_done_callback(lambda _: self.wake())

    def landed(self, due: tuple[Timer, ...], seconds: Seconds | None) -> Generator[Piece, None, tuple[Event, ...]]:
        """Wait for a call to end, at most so many seconds; then these delays are over. Raises what ends a driver."""
        found = yield from self.ended(due, seconds)
        if found is None:
            return self.land([future for future in self.flying if future.done()])
        return found

    def ended(self, due: tuple[Timer, ...], seconds: Seconds | None) -> Generator[Piece, None, tuple[Event, ...] | None]:
        """Wait until a call has ended: None; else the events of what came before that, or () where one is over that was given up."""
        end = None if seconds is None else monotonic() + seconds
        while True:
            if self.execution.is_stopping:
                raise Stopped
            done = [future for future in self.flying if future.done()]
            if done and self.heard.empty():  # all that those have told was heard
                return None
            if self.late.is_one_over:
                return ()
            try:
                heard = self.hear(self.late.soonest(None if end is None else max(0.0, end - monotonic())))
            except Empty:
                if over := self.late.over():
                    return over
                if end is not None and monotonic() >= end:
                    return woken(self.execution, due)
                if self.late.given_up:
                    return ()
                continue
            if heard is not None:
                yield heard

    def land(self, done: list[Future[Outcome]]) -> tuple[Event, ...]:
        """The events of calls that have ended; one that gave something to be awaited flies on. Raises what ends a driver."""
        for future in done:
            value, error = future.result()
            stop = stops((value, error), self.flying[future])
            if stop is not None:
                raise stop  # `drive` stores the interruption
            if error is None and is_awaited(value):
                self.await_(self.flying.pop(future), value)
        done = [future for future in done if future in self.flying]
        ordered = sorted(done, key=lambda each: self.flying[each].call.at)
        return tuple([self.flying.pop(future).end(future.result()) for future in ordered])

    def hear(self, seconds: Seconds | None) -> Piece | None:
        """The next piece, or None where something else has happened; at most so many seconds later. Raises an interruption, or `Empty`."""
        keyboard = keyboard_of()
        if keyboard is None:
            return self.heard.get(timeout=seconds)
        keyboard.wake = self.wake
        end = None if seconds is None else monotonic() + seconds
        while True:
            keyboard.check()
            left = GLANCE if end is None else max(0.0, min(GLANCE, end - monotonic()))
            try:
                heard = self.heard.get(timeout=left)
            except Empty:
                if end is not None and monotonic() >= end:
                    raise
            else:
                keyboard.check()
                return heard

    def rung(self, due: tuple[Timer, ...], seconds: Seconds) -> tuple[Event, ...]:
        """Wait so many seconds; then these delays are over. A cancellation is heard within a second."""
        while seconds > 0:
            with Interruptible():
                self.execution.host.sleep(min(seconds, HEARS))
            seconds -= HEARS
            if seconds > 0 and (events := cancelled_meanwhile(self.execution)):
                return events
        return woken(self.execution, due)

    def until(self, timers: tuple[Timer, ...]) -> Seconds | None:
        """How many seconds from now the first delay is over; None where there is none."""
        if not timers:
            return None
        return max(0.0, (min(timer.due for timer in timers) - self.execution.host.clock()) / 1_000_000)

    def close(self, stop: BaseException) -> None:
        """The driver stops: what is in flight is told to, waited for, and stored; nothing new begins. A second interruption waits no longer."""
        for future, flight in self.flying.items():
            self.tell(future, flight)
        try:
            if isinstance(stop, KeyboardInterrupt):
                say_waiting(flight for future, flight in self.flying.items() if not future.done())
            while not all(future.done() for future in self.flying):
                self.hear(None)
        except (KeyboardInterrupt, SystemExit) as again:
            stop = again
        if self.storing is not None and not isinstance(stop, Exception):
            store_pending(self.execution, self.storing)
        over = {flight: future.result() for future, flight in self.flying.items() if future.done()}
        left = {future: flight for future, flight in self.flying.items() if flight not in over}
        self.left = [*left]
        self.flying.clear()
        store_ends(self.execution, over, [*left.values()], type(stop).__name__)

    def tell(self, future: Future[Outcome], flight: Flight) -> None:
        """Tell a call to stop: one that is awaited is cancelled."""
        flight.values.stop.set()
        begun = self.awaited.get(future)
        if begun is not None and self.loop is not None and not future.done():
            flight.is_cancelled = True
            self.loop.cancel(begun)
