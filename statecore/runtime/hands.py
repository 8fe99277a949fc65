"""Threads and event loops of the package's own. Each hop of user code to another thread or loop goes through this file (RUN-15 to RUN-17).

Theory of operation. `Hands` are threads: `CODE` has one for each call of user code that needs one, and each store that waits for a disk or a
server has a few of its own (`hands_of`), so that nothing which lists, decides or commits queues behind user code. asyncio's default pool is
never used. A thread is a daemon and ends after some seconds without work: each driver waits for its calls, and a call that is not waited for
ends with its process. `LoopThread` is an event loop on a thread, for the async steps of a run, or of all runs of a worker. `submit` and `begin` run
everything in a copy of the caller's context. A forked child has none of its parent's threads, and begins with new ones.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from threading import Condition, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

from attrs import define, field

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

IDLE = 5.0
"""After how many seconds without work a thread ends."""
OF_A_STORE = 8
"""How many threads wait for one store at most."""
Outcome: TypeAlias = "tuple[Any, BaseException | None]"
"""A value, or the exception in its place: a future cannot carry every exception."""
Work: TypeAlias = "tuple[Future[Any], Context, Callable[..., Any], tuple[Any, ...]]"


class Hands:
    """Threads that take work: at most `most` at a time, as many as there is work where it is None."""

    def __init__(self, name: str, most: int | None = None) -> None:
        self._name, self._most = name, most
        self._begin()

    def _begin(self) -> None:
        """Begin without threads."""
        self._process = os.getpid()
        self._changed = Condition()
        self._work: deque[Work] = deque()
        self._threads = self._idle = 0

    def submit(self, function: Callable[..., Any], *arguments: Any, context: Context | None = None) -> Future[Any]:
        """Have a thread call a function in a context; without one in a copy of the caller's. Raises `RuntimeError` where no thread can begin."""
        if self._process != os.getpid():
            self._begin()
        future = new_future()
        work = (future, copy_context() if context is None else context, function, arguments)
        with self._changed:
            self._work.append(work)
            if self._idle >= len(self._work):
                self._changed.notify()
            elif self._most is None or self._threads < self._most:
                try:
                    Thread(target=self._serve, name=self._name, daemon=True).start()
                except RuntimeError:
                    self._work.remove(work)
                    raise
                self._threads += 1
        return future

    def _serve(self) -> None:
        """Work, in a thread, until there is nothing to do for a while."""
        while True:
            with self._changed:
                if not self._work:
                    self._idle += 1
                    self._changed.wait(IDLE)
                    self._idle -= 1
                    if not self._work:
                        self._threads -= 1
                        return
                work = self._work.popleft()
            perform(*work)
            del work


def new_future() -> Future[Any]:
    """A future of a thread."""
    from concurrent.futures import Future  # noqa: PLC0415  # only who needs a thread pays for it

    return Future()


def perform(future: Future[Any], context: Context, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Do a piece of work; how it ended is in its future."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(context.run(function, *arguments))
    except BaseException as error:  # noqa: BLE001  # whoever waits for the future gets it
        future.set_exception(error)


CODE = Hands("statecore")
"""The threads of user code."""
_OF_STORES: WeakKeyDictionary[Any, Hands] = WeakKeyDictionary()
_FINDING = Lock()


def forget() -> None:
    """Begin anew in a forked child: a thread that it does not have may hold the lock, and the threads of the stores are its parent's."""
    global _FINDING  # noqa: PLW0603  # there is one of it
    _FINDING = Lock()
    _OF_STORES.clear()


with suppress(AttributeError):  # there is no fork everywhere
    os.register_at_fork(after_in_child=forget)


def hands_of(store: Any) -> Hands:
    """The threads that wait for a store."""
    with _FINDING:
        found = _OF_STORES.get(store)
        if found is None:
            found = _OF_STORES[store] = Hands("statecore-store", OF_A_STORE)
        return found


# -- a loop ------------------------------------------------------------------------------------------------------------------------


@define(eq=False)
class Begun:
    """A coroutine on a loop. Its `future` is done when it is really over, also where it was cancelled."""

    future: Future[Outcome] = field(factory=new_future)
    task: asyncio.Task[Outcome] | None = None
    is_cancelled: bool = False

    def start(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context) -> None:
        """Begin, in the thread of the loop."""
        self.task = begin(loop, coroutine, context)
        self.task.add_done_callback(lambda task: self.future.set_result(end_of(task)))

    def cancel(self) -> None:
        """Cancel it once, in the thread of the loop: what cleans up afterwards is not disturbed."""
        if self.task is not None and not self.is_cancelled:
            self.is_cancelled = True
            self.task.cancel()


def begin(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: Context) -> asyncio.Task[Outcome]:
    """Begin a coroutine as a task of the loop of this thread, in a context. Nothing comes out of the task but how it ended."""
    task = loop.create_task(outcome_of(coroutine), context=context)
    task.add_done_callback(lambda task: coroutine.close() if task.cancelled() else None)  # it was cancelled before it began
    return task


def end_of(future: asyncio.Future[Outcome]) -> Outcome:
    """How a call ended that is over."""
    import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it

    return (None, asyncio.CancelledError()) if future.cancelled() else future.result()


async def outcome_of(awaitable: Awaitable[Any]) -> Outcome:
    """How an awaitable ends. Nothing comes out of here, for a loop would end with some exceptions."""
    try:
        return await awaitable, None
    except BaseException as error:  # noqa: BLE001  # whoever waits for it gets it
        return None, error


class LoopThread:
    """An event loop on a thread of its own, which begins with the first coroutine; until `close` it goes on between two of them, too."""

    def __init__(self) -> None:
        self._changing, self._process = Lock(), os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread: Thread | None = None

    def begin(self, coroutine: Coroutine[Any, Any, Any], context: Context | None = None) -> Begun:
        """Begin a coroutine as a task, in a context; without one in a copy of the caller's."""
        begun, loop = Begun(), self._running()
        loop.call_soon_threadsafe(begun.start, loop, coroutine, copy_context() if context is None else context)
        return begun

    def cancel(self, begun: Begun) -> None:
        """Cancel what has begun."""
        self._running().call_soon_threadsafe(begun.cancel)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The value of a coroutine, waited for in this thread. Raises what it raises."""
        value, error = self.begin(coroutine).future.result()
        if error is not None:
            raise error
        return value

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs from now on; a forked child begins one of its own."""
        if self._process != os.getpid():
            self._process, self._changing, self._loop = os.getpid(), Lock(), None
        with self._changing:
            if self._loop is None:
                ready = new_future()
                self._thread = Thread(target=self._serve, args=(ready,), name="statecore-loop", daemon=True)
                self._thread.start()
                self._loop, self._end = ready.result()
            return self._loop

    @staticmethod
    def _serve(ready: Future[tuple[Any, Any]]) -> None:
        """Run the loop, in its thread, until it is closed; what still runs on it is cancelled and waited for then."""
        import asyncio  # noqa: PLC0415  # only asynchronous steps pay for it

        async def wait() -> None:
            end = asyncio.Event()
            ready.set_result((asyncio.get_running_loop(), end))
            await end.wait()

        with asyncio.Runner() as runner:
            runner.run(wait())

    def close(self, *, wait: bool = True) -> None:
        """End the loop, and wait until it has ended; with `wait=False` it ends by itself."""
        with self._changing:
            loop, end, thread, self._loop = self._loop, self._end, self._thread, None
        if loop is not None and end is not None and thread is not None:
            loop.call_soon_threadsafe(end.set)
            if wait:
                thread.join()
