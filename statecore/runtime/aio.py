"""The asyncio driver: performs the same effects; calls are tasks, and a commit that waits for a disk leaves the loop free."""

from __future__ import annotations

import asyncio
import inspect
from threading import get_ident
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core import Call, Commit, Event, Seconds, Start, Timer, loop

from . import ends
from .calls import call_user, is_async, values_of
from .pieces import Piece, Tell, exhaust, finish, manner_of, opened, teller
from .storing import HEARTBEAT, decided_beside, let_go, listens, sliced, store, store_interruption, woken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .calls import CallValues
    from .execution import Execution


async def drive(execution: Execution, first: Commit | None) -> AsyncGenerator[Commit | Piece, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable.

    Where the run is streamed it yields the pieces of outputs, too, as they are made.
    A failed run's own exception is left in `storing.loud`. Abandoned, cancelled or failing itself, it releases the run.
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
            except StopIteration:
                break
            match effect:
                case Commit():
                    reply = await commit(execution, effect)
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
        calls.interrupt(stop)
        raise
    finally:
        HEARTBEAT.end(execution)
        if not execution.parked:
            let_go(execution)


async def looked(execution: Execution) -> tuple[Event, ...]:
    """The stored decisions; read off the event loop where the store waits for a disk."""
    return await asyncio.to_thread(decided_beside, execution) if execution.host.store.blocking else decided_beside(execution)


async def commit(execution: Execution, effect: Commit) -> Event | tuple[Event, ...] | None:
    """Store an effect; off the event loop where the store waits for a disk. A cancellation waits for the commit to end."""
    if not execution.host.store.blocking:
        return store(execution, effect)
    storing = asyncio.get_running_loop().run_in_executor(None, store, execution, effect)  # no task, which a closing loop cancels
    try:
        return await asyncio.shield(storing)
    except asyncio.CancelledError:
        await asyncio.wait([storing])
        raise


@define
class Calls:
    """The calls of one run: begun ones wait for `first`; a single one runs in this task, several run as tasks of their own."""

    execution: Execution
    begun: list[Call] = field(factory=list)
    here: list[Call] = field(factory=list)
    flying: dict[asyncio.Task[Any], tuple[Call, CallValues]] = field(factory=dict)
    heard: asyncio.Queue[Piece | None] = field(factory=asyncio.Queue)
    """The pieces of calls, and None for each call that has ended."""

    async def next(self, timers: tuple[Timer, ...]) -> Piece | tuple[Event, ...]:
        """The next piece, or the events that come next; () where nothing is in flight."""
        while True:
            found = await self.piece(timers) or await self.first(timers)
            if found is not None:
                return found

    async def piece(self, timers: tuple[Timer, ...]) -> Piece | None:
        """The next piece; None where a call has ended first, or a delay is over, or the run is not streamed."""
        if not self.execution.streamed:
            return None
        self.fly()
        heard, seconds = None, self.until(timers)
        if listens(self.execution):
            seconds, _ = sliced(seconds, timers)
        while heard is None and self.flying and not (self.heard.empty() and any(task.done() for task in self.flying)):
            try:
                heard = await asyncio.wait_for(self.heard.get(), seconds)
            except TimeoutError:
                break
        return heard

    async def first(self, timers: tuple[Timer, ...]) -> tuple[Event, ...] | None:
        """The events of the first call to end, of the first delay to be over, or of what people decide meanwhile; () where there is neither.

        None where nothing has happened yet.
        """
        if len(self.begun) == 1 and not self.flying and not timers and not listens(self.execution):
            self.here = [self.begun.pop()]
            values = values_of(self.execution, self.here[0])
            value, error = await attempt(self.execution, self.here[0], values)
            return (self.event(self.here.pop(), values, value, error),)
        self.fly()
        if not (self.flying or timers):
            return ()
        seconds, due = self.until(timers), timers
        if listens(self.execution):
            if decided := await looked(self.execution):
                return decided
            seconds, due = sliced(seconds, due)
            if self.execution.streamed and self.flying and seconds > 0 and not any(task.done() for task in self.flying):
                return None  # pieces are waited for, and not only ends
        return await (self.landed(due, seconds) if self.flying else self.rung(due, seconds or 0.0)) or None

    def fly(self) -> None:
        """Call user code in tasks of their own."""
        loop, here = asyncio.get_running_loop(), get_ident()

        def put(piece: Piece) -> None:
            if get_ident() == here:
                self.heard.put_nowait(piece)
            else:
                loop.call_soon_threadsafe(self.heard.put_nowait, piece)

        while self.begun:
            call = self.begun.pop(0)
            values = values_of(self.execution, call)
            tell = teller(self.execution, call, put)
            task = asyncio.ensure_future(attempt_beside(self.execution, call, values, tell))
            self.flying[task] = (call, values)
            task.add_done_callback(lambda _: self.heard.put_nowait(None))

    def event(self, call: Call, values: CallValues, value: Any, error: Exception | None) -> Event:
        """The event of a call that has ended."""
        return ends.failed(self.execution, call, error) if error is not None else ends.returned(self.execution, call, value, values)

    async def landed(self, due: tuple[Timer, ...], seconds: Seconds | None) -> tuple[Event, ...]:
        """Wait for a task to end, at most so many seconds; then these delays are over."""
        done, _ = await asyncio.wait(self.flying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return woken(self.execution, due)
        for task in done:
            _, stop = task.result()
            if stop is not None and not isinstance(stop, Exception):
                raise stop  # it is no error of the step, and `drive` stores the interruption
        ordered = sorted(done, key=lambda each: self.flying[each][0].at)
        return tuple(self.event(*self.flying.pop(task), *task.result()) for task in ordered)

    async def rung(self, due: tuple[Timer, ...], seconds: Seconds) -> tuple[Event, ...]:
        """Wait so many seconds; then these delays are over."""
        if seconds > 0:
            await (self.execution.host.asleep or asyncio.sleep)(seconds)
        return woken(self.execution, due)

    def until(self, timers: tuple[Timer, ...]) -> Seconds | None:
        """How many seconds from now the first delay is over; None where there is none."""
        if not timers:
            return None
        return max(0.0, (min(timer.due for timer in timers) - self.execution.host.clock()) / 1_000_000)

    def interrupt(self, stop: BaseException) -> None:
        """The driver is cancelled or closed: what is in flight is cancelled, and it is stored that it was interrupted."""
        calls = [*self.here, *(call for call, _ in self.flying.values())]
        for task in self.flying:
            task.cancel()
        self.here, self.flying = [], {}
        store_interruption(self.execution, calls, type(stop).__name__)


async def attempt(execution: Execution, call: Call, values: CallValues, tell: Tell | None = None) -> tuple[Any, Exception | None]:
    """Call user code once; plain functions run on a thread, so that they do not hold up other runs."""
    try:
        if is_async(execution, call):
            value = call_user(execution, call, values)
        else:
            value, error = await asyncio.to_thread(attempt_plain, execution, call, values, tell)
            if error is not None:
                return None, error
        value = await finish(value, manner_of(execution, call), tell)
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return None, error
    return value, None


async def attempt_beside(
    execution: Execution, call: Call, values: CallValues, tell: Tell | None
) -> tuple[Any, BaseException | None]:
    """The same in a task of its own; what would end the event loop from there is brought to the driver, which it is meant for."""
    try:
        return await attempt(execution, call, values, tell)
    except (KeyboardInterrupt, SystemExit) as stop:
        return None, stop


def attempt_plain(execution: Execution, call: Call, values: CallValues, tell: Tell | None) -> tuple[Any, Exception | None]:
    """Call user code on a thread; its exception is brought back as a value, because a future cannot carry every exception."""
    try:
        manner = manner_of(execution, call)
        value = opened(call_user(execution, call, values), manner)
        return (exhaust(value, manner, tell) if inspect.isgenerator(value) else value), None
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return None, error
