"""A connection to a Temporal server for threads that do not wait asynchronously: one thread with an event loop, and errors by their names."""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import Future
from datetime import timedelta
from functools import cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import Client, WorkflowQueryFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode

from statecore.core import Seconds
from statecore.errors import StoreForked, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Coroutine

Answer = TypeVar("Answer")
AT_ONCE = 32
"""How many runs are looked at in the same moment: healthy ones share the server, and their patience, with no more than that."""
NOBODY = "no worker answers for this run; start one with `statecore worker`"
UNPREPARED = "this namespace lacks the search attributes of runs; a worker registers them when it begins, so start one first"
UNANSWERED = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
UNREADY = (*UNANSWERED, RPCStatusCode.FAILED_PRECONDITION)
"""Refusals of a query that concern one run alone: no worker came for long, or the run ended before one began it."""


@cache
def runtime() -> Runtime:
    """The one runtime of this process; what it has to say goes to Python's log, and never to stdout."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio"))
    wanted = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"), forwarding=forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=wanted))


class Connection:
    """A server and a namespace. Connected when first used; `patience` is how many seconds an answer may take."""

    target: str
    namespace: str
    patience: timedelta
    options: dict[str, Any]

    def __init__(self, target: str, namespace: str, patience: Seconds, options: dict[str, Any]) -> None:
        self.target, self.namespace, self.patience, self.options = target, namespace, timedelta(seconds=patience), options
        self._lock = Lock()
        self._process: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._client: Client | None = None

    @property
    def where(self) -> str:
        """The address, as it is written after `--db`."""
        return f"temporal://{self.target}/{self.namespace}"

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop on which everything happens, on a thread of its own. Raises `StoreForked` where a parent process has begun it (RUN-18)."""
        if self._process not in (None, os.getpid()):
            raise StoreForked(self.where)
        with self._lock:
            if self._loop is None:
                self._process = os.getpid()
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=run_and_close, args=(self._loop,), name="statecore-temporal", daemon=True)
                self._thread.start()
            return self._loop

    async def client(self) -> Client:
        """The client, connected. Raises `StoreUnavailable`."""
        if self._client is None:
            try:
                self._client = await Client.connect(self.target, namespace=self.namespace, runtime=runtime(), **self.options)
            except RuntimeError as error:
                raise StoreUnavailable(self.where, str(error)) from error
        return self._client

    def submit(self, work: Coroutine[Any, Any, Answer]) -> Future[Answer]:
        """Begin something on the loop. Raises `StoreForked`."""
        try:
            loop = self.loop
        except StoreForked:
            work.close()
            raise
        return asyncio.run_coroutine_threadsafe(work, loop)

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do something on the loop and wait for it. What the server cannot do now is `StoreUnavailable`."""
        waiting = self.submit(work)
        try:
            return waiting.result()
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise StoreUnavailable(self.where, NOBODY) from error
        except WorkflowQueryFailedError as error:
            raise StoreUnavailable(self.where, f"the run's worker could not answer: {error}") from error
        except RPCError as error:
            raise StoreUnavailable(self.where, reason(error)) from error
        except BaseException:
            waiting.cancel()
            raise

    def close(self) -> None:
        """Stop the loop; the client goes with it. Does nothing in a forked child, whose it is not."""
        if self._process not in (None, os.getpid()):
            return
        with self._lock:
            if self._loop is None:
                return
            loop, thread, self._loop, self._client = self._loop, self._thread, None, None
        loop.call_soon_threadsafe(loop.stop)
        if thread is not None:
            thread.join()


def reason(error: RPCError) -> str:
    """Why a server did not do something, and what to do."""
    if error.status in UNANSWERED:
        return NOBODY
    if error.status == RPCStatusCode.INVALID_ARGUMENT and "search attribute" in error.message.lower():
        return UNPREPARED
    return error.message


def run_and_close(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped; what is left on it is cancelled."""
    try:
        loop.run_forever()
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
