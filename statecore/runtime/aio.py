"""The asyncio driver: performs the same effects on the caller's event loop, which waits for no disk and for no plain function.

Async calls are tasks of the loop, plain ones have threads of their own, and what a store waits for is waited for by the store's threads.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field

from statecore.core import Call, Commit, Event, Seconds, Start, Timer, loop

from .calls import is_async
from .delays import HEARS, cancelled_meanwhile, sliced, store_park, woken
from .flights import Flight, called, flight_of, say_waiting, stops, store_ends, store_pending
from .hands import CODE, begin, end_of, hands_of
from .limits import Late
from .pieces import Piece, finish, is_awaited, manner_of, teller
from .stopping import Stopped
from .storing import (
    HEARTBEAT,
    decided_beside,
    leave,
    listens,
    store,
)
from .suspects import may_fly

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from concurrent.futures import Future

    from statecore.stores import RunReader

    from .execution import Execution
    from .hands import Outcome
    from .ready import Ready
    from .storing import Awaited

T = TypeVar("T")


async def drive(execution: Execution, first: Commit | None) -> AsyncGenerator[Commit | Piece, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable.

    Where the run is streamed it yields the pieces of outputs, too, as they are made. A failed run's own exception is left in `storing.loud`.
    Cancelled, abandoned, told to stop or failing itself, it waits for what is in flight, stores how that ended, and releases the run (RUN-9).
    """
    effects = loop(execution.program, execution.state)
    calls = Calls(execution)
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
                    await calls.close(over)
                break
            match effect:
                case Commit():
                    calls.storing = effect
                    reply = await beside(execution.host.store, calls.store)
                    if reply is None:
                        yield effect
                case Start(call):
                    calls.begun.append(call)
                    reply = None
                case _:
                    while isinstance(found := await calls.next(effect.timers), Piece):
                        yield found
                    reply = found
    except BaseException as stop:
        await calls.close(stop)
        raise
    finally:
        await beside(execution.host.store, lambda: leave(execution, calls.left + calls.outlasting()))


async def beside(db: RunReader, function: Callable[[], T]) -> T:
    """Call a function that may wait for a store: on a thread of the store where it does. A cancellation waits for its end."""
    return await outlast(hands_of(db).submit(function)) if db.blocking else function()


async def outlast(future: Future[T]) -> T:
    """Wait for a thread's future to its end, however often the waiting is cancelled; it is cancelled afterwards.

    Its thread wakes this task itself: one way to the loop, and one turn of it.
    """
    cancelled: asyncio.CancelledError | None = None
    running = asyncio.get_running_loop()
    while not future.done():
        waiter: asyncio.Future[None] = running.create_future()
        future.add_done_callback(partial(wake, running, waiter))
        try:
            await waiter
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        _ = future.cancelled() or future.exception()  # it was seen
        raise cancelled
    return future.result()


def wake(running: asyncio.AbstractEventLoop, waiter: asyncio.Future[None], _: object) -> None:
    """Wake a task that waits for a thread, in that thread."""
    with suppress(RuntimeError):  # the loop is closed, and nothing waits there
        running.call_soon_threadsafe(settle, waiter)


def settle(waiter: asyncio.Future[None]) -> None:
    """A waiting is over, unless it was cancelled."""
    if not waiter.done():
        waiter.set_result(None)


async def prepared(db: RunReader, prepare: Callable[[], Ready]) -> Ready:
    """A run that is made ready to be driven; where the waiting is cancelled, it is given back."""
    if not db.blocking:
        return prepare()
    making = hands_of(db).submit(prepare)
    try:
        return await outlast(making)
    except asyncio.CancelledError:
        if making.exception() is None and not (execution := making.result().execution).parked:
            await beside(db, lambda: leave(execution, []))
        raise


@define
class Calls:
    """The calls of one run: begun ones wait for `first`, those in flight are tasks, or wait for threads."""

    execution: Execution
    begun: list[Call] = field(factory=list)
    flying: dict[asyncio.Future[Outcome], Flight] = field(factory=dict)
    left: list[Awaited] = field(factory=list)
    """Calls that were not waited for, and are not over."""
    storing: Commit | None = None
    heard: asyncio.Queue[Piece | None] = field(factory=asyncio.Queue)
    """The pieces of calls, and None for each call that has ended."""
    told: asyncio.Event = field(factory=asyncio.Event)
    """Set by a request to stop, and whenever a call has ended."""
    late: Late[asyncio.Future[Outcome], Flight] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """A request to stop is heard while calls are waited for."""
        running = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed, and nothing waits there
                running.call_soon_threadsafe(self.wake)

        self.execution.wake = wake
        self.late = Late(self.execution, self.flying, end_of, self.tell)

    def wake(self) -> None:
        """Something has happened that is waited for."""
        self.told.set()
        if self.execution.streamed:
            self.heard.put_nowait(None)

    def store(self) -> Event | tuple[Event, ...] | None:
        """Store the effect that is to be stored; it is no longer, once this has ended."""
        if self.storing is None:
            return None
        reply = store(self.execution, self.storing)
        if reply is None:
            self.storing = None
        return reply

    async def next(self, timers: tuple[Timer, ...]) -> Piece | tuple[Event, ...]:
        """The next piece, or the events that come next; () where nothing is in flight."""
        self.storing = None
        while True:
            found = await self.piece(timers) or await self.first(timers)
            if found is not None:
                return found

    async def piece(self, timers: tuple[Timer, ...]) -> Piece | None:
        """The next piece; None where a call has ended first, or a delay is over, or the run is not streamed."""
        if not self.execution.streamed:
            return None
        self.fly()
        heard, seconds = None, self.until(self.late.free(timers))
        if listens(self.execution):
            seconds, _ = sliced(seconds, timers)
        while heard is None and self.flying and not self.execution.is_stopping:
            if self.heard.empty() and any(future.done() for future in self.flying):
                break
            try:
                heard = await asyncio.wait_for(self.heard.get(), self.late.soonest(seconds))
            except TimeoutError:
                break
        return heard

    async def first(self, timers: tuple[Timer, ...]) -> tuple[Event, ...] | None:
        """The events of the first call to end, of the first delay to be over, or of what people decide meanwhile; () where there is neither.

        None where nothing has happened yet.
        """
        self.fly()
        self.late.reap()
        if not (self.flying or timers):
            return ()
        due = self.late.free(timers)
        seconds = self.until(due)
        if listens(self.execution):
            if decided := self.late.allowed(await beside(self.execution.host.store, lambda: decided_beside(self.execution))):
                return decided
            seconds, due = sliced(seconds, due)
            if self.execution.streamed and self.flying and seconds > 0 and not any(future.done() for future in self.flying):
                return None  # pieces are waited for, and not only ends
        waits = self.flying or self.late.given_up
        if not waits and self.execution.parks_delays and (seconds or 0.0) > 0:
            return await beside(self.execution.host.store, lambda: store_park(self.execution))
        events = await (self.landed(due, seconds) if waits else self.rung(due, seconds or 0.0))
        events = events or await beside(self.execution.host.store, self.late.cancelled)
        return self.late.carried(events) or None

    def fly(self) -> None:
        """Make the calls that have begun, as many as there is room for (RUN-17). Raises what a request to stop does."""
        if self.begun and self.execution.is_stopping:
            raise Stopped
        waiting, self.begun = self.begun, []
        for call in waiting:
            if not may_fly(self.execution.program, self.execution.state, call, [flight.call for flight in self.flying.values()]):
                self.begun.append(call)
                continue
            flight = flight_of(self.execution, call)
            tell = teller(self.execution, call, self.putter())
            if is_async(self.execution, call):
                self.launch(flight, called(flight, tell))
            else:
                flight.thread = CODE.submit(flight.attempt, tell, context=flight.context)
                self.up(flight, asyncio.wrap_future(flight.thread))

    def putter(self) -> Callable[[Piece], object]:
        """The function that hands a piece to the driver, from any thread."""
        running, here = asyncio.get_running_loop(), get_ident()

        def put(piece: Piece) -> None:
            if get_ident() == here:
                self.heard.put_nowait(piece)
            else:
                running.call_soon_threadsafe(self.heard.put_nowait, piece)

        return put

    def launch(self, flight: Flight, coroutine: Coroutine[Any, Any, Any]) -> None:
        """A flight goes on as a task of the loop."""
        flight.thread = None
        self.up(flight, begin(asyncio.get_running_loop(), coroutine, flight.context))

    def up(self, flight: Flight, future: asyncio.Future[Outcome]) -> None:
        """A flight is on its way."""
        self.flying[future] = flight
        future.add_done_callback(lambda _: self.wake())

    async def landed(self, due: tuple[Timer, ...], seconds: Seconds | None) -> tuple[Event, ...]:
        """Wait for a call to end, at most so many seconds; then these delays are over. Raises what ends a driver."""
        if (found := await self.ended(due, seconds)) is None:
            return self.land([future for future in self.flying if future.done()])
        return found

    async def ended(self, due: tuple[Timer, ...], seconds: Seconds | None) -> tuple[Event, ...] | None:
        """Wait until a call has ended: None; else the events of what came before that, or () where one is over that was given up."""
        end = None if seconds is None else monotonic() + seconds
        while not any(future.done() for future in self.flying):
            if self.execution.is_stopping:
                raise Stopped
            if self.late.is_one_over:
                return ()
            self.told.clear()
            try:
                await asyncio.wait_for(self.told.wait(), self.late.soonest(None if end is None else max(0.0, end - monotonic())))
            except TimeoutError:
                if over := self.late.over():
                    return over
                if end is not None and monotonic() >= end:
                    return woken(self.execution, due)
                if self.late.given_up:
                    return ()
        return None

    def land(self, done: list[asyncio.Future[Outcome]]) -> tuple[Event, ...]:
        """The events of calls that have ended; one that gave something to be awaited flies on. Raises what ends a driver."""
        for future in done:
            outcome = end_of(future)
            stop = stops(outcome, self.flying[future])
            if stop is not None:
                raise stop  # `drive` stores the interruption
            if outcome[1] is None and is_awaited(outcome[0]):
                flight = self.flying.pop(future)
                tell = teller(self.execution, flight.call, self.putter())
                self.launch(flight, finish(outcome[0], manner_of(self.execution, flight.call), tell))
        done = [future for future in done if future in self.flying]
        ordered = sorted(done, key=lambda each: self.flying[each].call.at)
        return tuple([self.flying.pop(future).end(end_of(future)) for future in ordered])

    async def rung(self, due: tuple[Timer, ...], seconds: Seconds) -> tuple[Event, ...]:
        """Wait so many seconds; then these delays are over. A cancellation is heard within a second."""
        execution = self.execution
        while seconds > 0:
            await (execution.host.asleep or asyncio.sleep)(min(seconds, HEARS))
            seconds -= HEARS
            if seconds > 0 and (events := await beside(execution.host.store, lambda: cancelled_meanwhile(execution))):
                return events
        return woken(execution, due)

    def until(self, timers: tuple[Timer, ...]) -> Seconds | None:
        """How many seconds from now the first delay is over; None where there is none."""
        if not timers:
            return None
        return max(0.0, (min(timer.due for timer in timers) - self.execution.host.clock()) / 1_000_000)

    async def close(self, stop: BaseException) -> None:
        """The driver stops: what is in flight is told to, waited for, and stored; nothing new begins.

        That is a task of its own, which no cancellation of the driver's task reaches, however often it comes. Where the task itself is
        cancelled, the loop ends (a second interruption from the keyboard): then nothing is waited for any longer.
        """
        for future, flight in self.flying.items():
            self.tell(future, flight)
        if isinstance(stop, Exception):
            self.storing = None  # it cannot be stored
        if isinstance(stop, asyncio.CancelledError):
            say_waiting(flight for future, flight in self.flying.items() if flight.thread is not None and not future.done())
        if not self.flying and self.storing is None:
            return
        closing = asyncio.ensure_future(self.wind_up(type(stop).__name__))
        while not closing.done():
            try:
                await asyncio.wait([closing])
            except asyncio.CancelledError:
                continue
        closing.result()

    def outlasting(self) -> list[Awaited]:
        """The calls that were given up: their threads where they have one, for the loop may end before them."""
        return [flight.thread or future for future, flight in self.late.given_up.items()]

    @staticmethod
    def tell(future: asyncio.Future[Outcome], flight: Flight) -> None:
        """Tell a call to stop: a task is cancelled, once, so that what cleans up is not disturbed."""
        flight.values.stop.set()
        if isinstance(future, asyncio.Task) and not future.done():
            flight.is_cancelled = True
            if not future.cancelling():
                future.cancel()

    async def wind_up(self, why: str) -> None:
        """Wait for what is in flight, and store how it ended."""
        try:
            if self.flying:
                await asyncio.wait(self.flying)
        except asyncio.CancelledError:
            why = "KeyboardInterrupt"
        self.left = [flight.thread or future for future, flight in self.flying.items() if not future.done()]
        over = {flight: end_of(future) for future, flight in self.flying.items() if future.done()}
        left = [flight for future, flight in self.flying.items() if not future.done()]
        self.flying.clear()

        def stored() -> None:
            if self.storing is not None:
                store_pending(self.execution, self.storing)
            store_ends(self.execution, over, left, why)

        try:
            await beside(self.execution.host.store, stored)
        except asyncio.CancelledError:
            return  # it is stored
