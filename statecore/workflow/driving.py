"""How a workflow's methods drive a run that is ready: in this thread, on asyncio, or as a stream of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from statecore.output.run_output import left_by
from statecore.runtime.storing import raise_loud
from statecore.runtime.sync import drive

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.output import WorkflowRunOutput
    from statecore.runtime.ready import Ready
    from statecore.stores import RunReader

    from .streams import AsyncStream, Stream

T = TypeVar("T")


class Driving:
    """The drivers behind the public methods; the same for a run that begins and for one that goes on."""

    db: RunReader
    store_events: bool

    async def _off_loop(self, function: Callable[[], T]) -> T:
        if not self.db.blocking:
            return function()
        import asyncio  # noqa: PLC0415  # only asynchronous users pay for it

        return await asyncio.to_thread(function)

    def _drive(self, ready: Ready, *, stream: bool, stream_events: bool) -> WorkflowRunOutput | Stream:
        commits = drive(ready.execution, ready.first)
        if stream:
            from .streams import Stream  # noqa: PLC0415  # only who streams pays for the events

            return Stream(ready.execution, commits, everything=stream_events)
        for _commit in commits:
            pass
        raise_loud(ready.execution)
        return left_by(ready.execution, store_events=self.store_events)

    async def _adrive(self, prepare: Callable[[], Ready]) -> WorkflowRunOutput:
        from statecore.runtime import aio  # noqa: PLC0415  # only asynchronous users pay for it

        ready = await self._off_loop(prepare)
        async for _commit in aio.drive(ready.execution, ready.first):
            pass
        raise_loud(ready.execution)
        return await self._off_loop(lambda: left_by(ready.execution, store_events=self.store_events))

    def _astream(self, ready: Ready, *, stream_events: bool) -> AsyncStream:
        from statecore.runtime import aio  # noqa: PLC0415  # only asynchronous users pay for it

        from .streams import AsyncStream  # noqa: PLC0415  # only who streams pays for the events

        return AsyncStream(ready.execution, aio.drive(ready.execution, ready.first), everything=stream_events)
