"""The streams that users iterate: public events out of a driver's commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.output.events import ALWAYS, RunEvent
from statecore.output.public_events import Scene, public_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from statecore.core import Commit
    from statecore.drivers import Execution


def events_of(execution: Execution, commit: Commit, *, everything: bool) -> Iterator[RunEvent]:
    """The public events of a commit; only those that `stream=True` always yields, unless `everything` is wanted."""
    scene = Scene(execution.identity, execution.program, commit, execution.host.clock(), execution.content)
    for event in public_events(scene):
        if everything or isinstance(event, ALWAYS):
            yield event


def stream(execution: Execution, commits: Iterator[Commit], *, everything: bool) -> Generator[RunEvent, None, None]:
    """A synchronous stream; each event's effect is durable when it is yielded."""
    for commit in commits:
        yield from events_of(execution, commit, everything=everything)


class AsyncStream:
    """An asynchronous stream, to be iterated at once or awaited first: both mean the same."""

    def __init__(self, execution: Execution, commits: AsyncIterator[Commit], *, everything: bool) -> None:
        self._events = self._generate(execution, commits, everything=everything)

    @staticmethod
    async def _generate(execution: Execution, commits: AsyncIterator[Commit], *, everything: bool) -> AsyncIterator[RunEvent]:
        async for commit in commits:
            for event in events_of(execution, commit, everything=everything):
                yield event

    def __aiter__(self) -> AsyncIterator[RunEvent]:
        """Iterate the events."""
        return self._events

    def __await__(self) -> Generator[Any, None, AsyncStream]:
        """Awaited, a stream is itself."""
        yield from ()
        return self

    async def __anext__(self) -> RunEvent:
        """The next event."""
        return await self._events.__anext__()

    async def aclose(self) -> None:
        """Stop reading; the run can be continued."""
        closing: Any = self._events
        await closing.aclose()
