"""The synchronous driver: performs the effects of `loop` in this thread, and calls that run at the same time on threads of their own."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from attrs import define, field

from statecore.core import Call, Commit, Event, Seconds, Start, Timer, loop
from statecore.core.reducer import stands_at

from . import ends
from .calls import call_user, values_of
from .pieces import AT_HAND, Piece, Tell, finish_now, manner_of, pieces, teller
from .storing import HEARTBEAT, decided_beside, let_go, listens, sliced, store, store_events, store_interruption, woken

if TYPE_CHECKING:
    from collections.abc import Generator
    from concurrent.futures import Future, ThreadPoolExecutor

    from .calls import CallValues
    from .execution import Execution


def drive(execution: Execution, first: Commit | None) -> Generator[Commit | Piece, None, None]:
    """Drive a claimed run until people are owed or it is over; yields each commit once it is durable.

    Where the run is streamed it yields the pieces of outputs, too, as they are made.
    A failed run's own exception is left in `storing.loud`. Abandoned, interrupted or failing itself, it releases the run.
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
                    reply = store(execution, effect)
                    if reply is None:
                        yield effect
                case Start(call):
                    calls.begun.append(call)
                    reply = None
                case _:
                    reply = yield from calls.first(effect.timers)
    finally:
        try:
            calls.close()
        finally:
            HEARTBEAT.end(execution)
            if not execution.parked:
                let_go(execution)


@define
class Calls:
    """The calls of one run: begun ones wait for `first`; a single one runs in this thread, several run on threads."""

    execution: Execution
    begun: list[Call] = field(factory=list)
    flying: dict[Future[Any], tuple[Call, CallValues]] = field(factory=dict)
    pool: ThreadPoolExecutor | None = None
    heard: SimpleQueue[Piece | None] = field(factory=SimpleQueue)
    """The pieces of calls on threads, and None for each call that has ended."""

    def first(self, timers: tuple[Timer, ...]) -> Generator[Piece, None, tuple[Event, ...]]:
        """The events of the first call to end, of the first delay to be over, or of what people decide meanwhile; () where there is neither.

        Until then it yields pieces.
        """
        if len(self.begun) == 1 and not self.flying and not timers and not listens(self.execution):
            return ((yield from self.here(self.begun.pop())),)
        while self.begun:
            self.fly(self.begun.pop(0))
        while self.flying or timers:
            seconds, due = self.until(timers), timers
            if listens(self.execution):
                if decided := decided_beside(self.execution):
                    return decided
                seconds, due = sliced(seconds, due)
            events = (yield from self.landed(due, seconds)) if self.flying else self.rung(due, seconds or 0.0)
            if events:
                return events
        return ()

    def here(self, call: Call) -> Generator[Piece, None, Event]:
        """Call user code in this thread. An interruption is stored before it goes on its way; a stream closed between two pieces is one."""
        execution = self.execution
        values = values_of(execution, call)
        try:
            value = call_user(execution, call, values)
            if type(value) not in AT_HAND:
                streamed = execution.streamed
                value = (yield from pieces(execution, call, value)) if streamed else finish_now(value, manner_of(execution, call))
        except Exception as error:  # noqa: BLE001  # the user's exception becomes an event; the policy decides
            return ends.failed(execution, call, error)
        except BaseException as stop:
            store_interruption(execution, [call], type(stop).__name__)
            raise
        return ends.returned(execution, call, value, values)

    def fly(self, call: Call) -> None:
        """Call user code on a thread."""
        if self.pool is None:
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # only calls at the same time pay for it

            self.pool = ThreadPoolExecutor(max_workers=1_000, thread_name_prefix="statecore")
        values = values_of(self.execution, call)
        tell = teller(self.execution, call, self.heard.put)
        future = self.pool.submit(attempt, self.execution, call, values, tell)
        self.flying[future] = (call, values)
        future.add_done_callback(lambda _: self.heard.put(None))

    def landed(self, due: tuple[Timer, ...], seconds: Seconds | None) -> Generator[Piece, None, tuple[Event, ...]]:
        """Wait for a call to end, at most so many seconds; then these delays are over. An interruption is stored for all that is in flight."""
        end = None if seconds is None else monotonic() + seconds
        while True:
            done = [future for future in self.flying if future.done()]
            if done and self.heard.empty():  # all that those have told was heard
                break
            try:
                heard = self.heard.get(timeout=None if end is None else max(0.0, end - monotonic()))
            except Empty:
                return woken(self.execution, due)
            except BaseException as stop:
                self.interrupted(stop)
                raise
            if heard is not None:
                yield heard
        return tuple(self.result(future) for future in sorted(done, key=lambda each: self.flying[each][0].at))

    def result(self, future: Future[Any]) -> Event:
        """The event of a call that has ended on its thread."""
        call, values = self.flying.pop(future)
        value, error = future.result()
        if isinstance(error, Exception):
            return ends.failed(self.execution, call, error)
        if error is not None:
            store_interruption(self.execution, [call, *(each for each, _ in self.flying.values())], type(error).__name__)
            self.flying.clear()
            raise error
        return ends.returned(self.execution, call, value, values)

    def interrupted(self, stop: BaseException) -> None:
        """Store that everything in flight was interrupted; what its threads still do is not waited for."""
        store_interruption(self.execution, [call for call, _ in self.flying.values()], type(stop).__name__)
        self.flying.clear()

    def rung(self, due: tuple[Timer, ...], seconds: Seconds) -> tuple[Event, ...]:
        """Wait so many seconds; then these delays are over."""
        if seconds > 0:
            self.execution.host.sleep(seconds)
        return woken(self.execution, due)

    def until(self, timers: tuple[Timer, ...]) -> Seconds | None:
        """How many seconds from now the first delay is over; None where there is none."""
        if not timers:
            return None
        return max(0.0, (min(timer.due for timer in timers) - self.execution.host.clock()) / 1_000_000)

    def close(self) -> None:
        """The driver stops: what is still in flight is waited for, and its results are stored; nothing new begins."""
        for future in list(self.flying):
            event = self.result(future)
            if stands_at(self.execution.state, event):
                store_events(self.execution, (event,))
        if self.pool is not None:
            self.pool.shutdown(wait=False)


def attempt(execution: Execution, call: Call, values: CallValues, tell: Tell | None) -> tuple[Any, BaseException | None]:
    """Call user code on a thread; what it raises is brought back as a value."""
    try:
        return finish_now(call_user(execution, call, values), manner_of(execution, call), tell), None
    except BaseException as error:  # noqa: BLE001  # the driver's own thread decides what it means
        return None, error
