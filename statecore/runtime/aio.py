"""The asyncio driver: performs the same effects; calls are tasks, and a commit that waits for a disk leaves the loop free."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core import Call, Commit, Event, Seconds, Start, Timer, loop

from . import ends
from .calls import aexhaust, call_user, exhaust, is_async, values_of
from .storing import HEARTBEAT, let_go, store, store_interruption, woken

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .calls import CallValues
    from .execution import Execution


async def drive(execution: Execution, first: Commit | None) -> AsyncGenerator[Commit, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable.

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
                    reply = await calls.first(effect.timers)
    except BaseException as stop:
        calls.interrupt(stop)
        raise
    finally:
        HEARTBEAT.end(execution)
        if not execution.parked:
            let_go(execution)


async def commit(execution: Execution, effect: Commit) -> Event | None:
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

    async def first(self, timers: tuple[Timer, ...]) -> tuple[Event, ...]:
        """The events of the first call to end, or of the first delay to be over; () where there is neither."""
        if len(self.begun) == 1 and not self.flying and not timers:
            self.here = [self.begun.pop()]
            values = values_of(self.execution, self.here[0])
            value, error = await attempt(self.execution, self.here[0], values)
            return (self.event(self.here.pop(), values, value, error),)
        while self.begun:
            call = self.begun.pop(0)
            values = values_of(self.execution, call)
            self.flying[asyncio.ensure_future(attempt(self.execution, call, values))] = (call, values)
        if self.flying:
            return await self.landed(timers)
        return await self.rung(timers) if timers else ()

    def event(self, call: Call, values: CallValues, value: Any, error: Exception | None) -> Event:
        """The event of a call that has ended."""
        return ends.failed(self.execution, call, error) if error is not None else ends.returned(self.execution, call, value, values)

    async def landed(self, timers: tuple[Timer, ...]) -> tuple[Event, ...]:
        """Wait for a task to end, at most until the first delay is over."""
        seconds = self.until(timers) if timers else None
        done, _ = await asyncio.wait(self.flying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return woken(self.execution, timers)
        events = []
        for task in sorted(done, key=lambda each: self.flying[each][0].at):
            value, error = task.result()  # what is no error of the step comes out here, and `drive` stores the interruption
            events.append(self.event(*self.flying.pop(task), value, error))
        return tuple(events)

    async def rung(self, timers: tuple[Timer, ...]) -> tuple[Event, ...]:
        """Wait until the first delay is over."""
        seconds = self.until(timers)
        if seconds > 0:
            await (self.execution.host.asleep or asyncio.sleep)(seconds)
        return woken(self.execution, timers)

    def until(self, timers: tuple[Timer, ...]) -> Seconds:
        """How many seconds from now the first delay is over."""
        return max(0.0, (min(timer.due for timer in timers) - self.execution.host.clock()) / 1_000_000)

    def interrupt(self, stop: BaseException) -> None:
        """The driver is cancelled or closed: what is in flight is cancelled, and it is stored that it was interrupted."""
        calls = [*self.here, *(call for call, _ in self.flying.values())]
        for task in self.flying:
            task.cancel()
        self.here, self.flying = [], {}
        store_interruption(self.execution, calls, type(stop).__name__)


async def attempt(execution: Execution, call: Call, values: CallValues) -> tuple[Any, Exception | None]:
    """Call user code once; plain functions run on a thread, so that they do not hold up other runs."""
    try:
        if is_async(execution, call):
            value = call_user(execution, call, values)
        else:
            value, error = await asyncio.to_thread(attempt_plain, execution, call, values)
            if error is not None:
                return None, error
        if inspect.isasyncgen(value):
            value = await aexhaust(value)
        elif inspect.isawaitable(value):
            value = await value
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return None, error
    return value, None


def attempt_plain(execution: Execution, call: Call, values: CallValues) -> tuple[Any, Exception | None]:
    """Call user code on a thread; its exception is brought back as a value, because a future cannot carry every exception."""
    try:
        value = call_user(execution, call, values)
        return (exhaust(value) if inspect.isgenerator(value) else value), None
    except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
        return None, error
