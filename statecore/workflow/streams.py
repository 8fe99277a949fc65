"""The streams that users iterate: public events out of a driver's commits."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from statecore.output.events import ALWAYS, RunEvent
from statecore.output.public_events import Scene, delta, public_events
from statecore.runtime.keyboard import HeldBack
from statecore.runtime.pieces import Piece
from statecore.runtime.storing import let_go, loud

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from statecore.core import Commit
    from statecore.runtime import Execution


def events_of(execution: Execution, commit: Commit | Piece, *, everything: bool) -> Iterator[RunEvent]:
    """The public events of a commit, or that of a piece; only those that `stream=True` always yields, unless `everything` is wanted."""
    if isinstance(commit, Piece):
        yield delta(execution.identity, execution.program, commit)
        return
    scene = Scene(execution.identity, execution.program, commit, execution.time, execution.content, execution.history)
    for event in public_events(scene):
        if everything or isinstance(event, ALWAYS):
            yield event


class Stream:
    """A synchronous stream: an iterator of events, each durable when it is yielded, and of the pieces of outputs as they are made.

    Closed or forgotten before its end, it gives the run back, so that it can be continued at once.
    """

    def __init__(self, execution: Execution, commits: Generator[Commit | Piece, None, None], *, everything: bool) -> None:
        self._execution, self._commits, self._everything = execution, commits, everything
        execution.streamed = True
        self._ready: deque[RunEvent] = deque()
        self._begun = False

    @property
    def run_id(self) -> str:
        """The run that is followed; a second start with the same key follows the first one's, and may have nothing to tell."""
        return self._execution.identity.run_id

    @property
    def session_id(self) -> str:
        """The session of the run that is followed."""
        return self._execution.identity.session_id

    def __iter__(self) -> Stream:
        """A stream is its own iterator."""
        return self

    def __next__(self) -> RunEvent:
        """The next event. Raises what the run failed of, after its last event."""
        self._begun = True
        while not self._ready:
            try:
                with HeldBack():
                    commit = next(self._commits, None)
            except BaseException:
                self._commits.close()  # also where the interruption was held back until this boundary was stored
                raise
            if commit is None:
                raise_in_stream(self._execution)
                raise StopIteration
            self._ready.extend(events_of(self._execution, commit, everything=self._everything))
        return self._ready.popleft()

    def close(self) -> None:
        """Stop reading; the run can be continued."""
        self._commits.close()
        if not self._begun:
            self._begun = True
            let_go(self._execution)

    def __del__(self) -> None:
        """A stream that nobody holds any more is closed."""
        self.close()


class AsyncStream:
    """An asynchronous stream, to be iterated at once or awaited first: both mean the same."""

    def __init__(self, execution: Execution, commits: AsyncGenerator[Commit | Piece, None], *, everything: bool) -> None:
        self._execution, self._commits, self._everything = execution, commits, everything
        execution.streamed = True
        self._ready: deque[RunEvent] = deque()
        self._begun = False

    @property
    def run_id(self) -> str:
        """The run that is followed; a second start with the same key follows the first one's, and may have nothing to tell."""
        return self._execution.identity.run_id

    @property
    def session_id(self) -> str:
        """The session of the run that is followed."""
        return self._execution.identity.session_id

    def __aiter__(self) -> AsyncStream:
        """A stream is its own iterator."""
        return self

    def __await__(self) -> Generator[Any, None, AsyncStream]:
        """Awaited, a stream is itself."""
        yield from ()
        return self

    async def __anext__(self) -> RunEvent:
        """The next event. Raises what the run failed of, after its last event."""
        self._begun = True
        while not self._ready:
            commit = await anext(self._commits, None)
            if commit is None:
                raise_in_stream(self._execution)
                raise StopAsyncIteration
            self._ready.extend(events_of(self._execution, commit, everything=self._everything))
        return self._ready.popleft()

    async def aclose(self) -> None:
        """Stop reading; the run can be continued."""
        await self._commits.aclose()
        self._give_back()

    def _give_back(self) -> None:
        if not self._begun:
            self._begun = True
            let_go(self._execution)

    def __del__(self) -> None:
        """A stream that was never read gives its run back; one that was read is closed by its event loop."""
        self._give_back()


def raise_in_stream(execution: Execution) -> None:
    """Raise what the run failed of; an exception that would silently end the stream is raised as the cause of a `RuntimeError`."""
    error = loud(execution)
    if isinstance(error, StopIteration | StopAsyncIteration):
        message = f"a step of run {execution.identity.run_id!r} raised {type(error).__name__}"
        raise RuntimeError(message) from error  # noqa: TRY004  # as Python itself does in generators
    if error is not None:
        raise error
