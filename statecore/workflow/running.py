"""`Running`: the methods of a workflow that begin its runs and go on with them, in four colours, and beside the caller."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, cast, overload

from statecore.core import asks
from statecore.errors import AmbiguousSession, NotPaused, RunBusy, Undecided, UnsupportedSetting
from statecore.lifecycles import words as w
from statecore.output import WorkflowRunOutput
from statecore.runtime.hands import CODE
from statecore.runtime.host import RUN_HERE, compiled_of
from statecore.runtime.launching import RunOptions, launch, resume, submit
from statecore.runtime.storing import raise_loud
from statecore.runtime.sync import drive, drive_to_rest

from .options import ContinueOptions, StartOptions, off_loop, stopped

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from statecore.core import Compiled
    from statecore.runtime import Execution, Host
    from statecore.runtime.ready import Ready
    from statecore.stores import RunReader

    from .streams import AsyncStream, Stream

RESTS = (RunBusy, NotPaused, Undecided)
"""A worker was faster, or the run that the same key has begun is over, or waits for a person: there is nothing to drive."""
_TASKS: set[asyncio.Task[Any]] = set()
"""The runs in the background of an event loop, which holds no task itself."""


MANY = 64
"""How many workflow objects a context remembers the last session of."""
_LAST: ContextVar[Mapping[object, str]] = ContextVar("statecore-last-session")


class Sessions:
    """The session that was run last in each context, and whether this process has run others, too."""

    def __init__(self) -> None:
        self._key = object()  # no id: that of an object that is gone comes again
        self._lock = Lock()
        self._only: str | None = None
        self._several = False

    def ran(self, session_id: str) -> None:
        """A run of this session was begun, or went on."""
        before = {key: kept for key, kept in _LAST.get({}).items() if key is not self._key}
        while len(before) >= MANY:
            before.pop(next(iter(before)))
        _LAST.set({**before, self._key: session_id})
        with self._lock:
            self._several = self._several or self._only not in (None, session_id)
            self._only = session_id

    def meant(self, call: str) -> str | None:
        """The session of a call that names none; None where none was run. Raises `AmbiguousSession`: a session of another is never taken."""
        found = _LAST.get({}).get(self._key)
        if found is not None:
            return found
        with self._lock:
            if self._several:
                raise AmbiguousSession(call)
            return self._only


class Running:
    """The methods that run a workflow."""

    id: str
    name: str
    input_schema: Any
    session_id: str | None
    _sessions: Sessions
    session_state: dict[str, Any]
    user_id: str | None
    metadata: dict[str, Any]
    store_events: bool
    db: RunReader
    host: Host
    get_run_output: Callable[..., WorkflowRunOutput]

    if TYPE_CHECKING:

        @property
        def compiled(self) -> Compiled:
            """The program, compiled once."""

        def on(self, db: RunReader) -> Self:
            """The same workflow on another store."""

    @overload
    def run(
        self, input: Any = None, *, stream: Literal[False] = False, stream_events: bool = False, **options: Unpack[StartOptions]
    ) -> WorkflowRunOutput: ...
    @overload
    def run(
        self, input: Any = None, *, stream: Literal[True], stream_events: bool = False, **options: Unpack[StartOptions]
    ) -> Stream: ...
    @overload
    def run(
        self, input: Any = None, *, stream: bool, stream_events: bool = False, **options: Unpack[StartOptions]
    ) -> WorkflowRunOutput | Stream: ...
    def run(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        stream: bool = False,
        stream_events: bool = False,
        **options: Unpack[StartOptions],
    ) -> WorkflowRunOutput | Stream:
        """Start a run and drive it until it pauses or ends.

        Options: see `RunOptions`. With `stream=True` an iterator of events is returned. Raises the executor's own exception where a step
        fails under policy fail; `UnstorableValue`, `DuplicateRun`, `KeyReused` before anything ran.
        """
        given, background = split_options(options, stream=stream)
        if background:
            begun = self.submit(input, **given)
            CODE.submit(self._beside, begun.run_id)
            return begun
        return self._drive(launch(self, input, **given), stream=stream, stream_events=stream_events)

    @overload
    def arun(
        self, input: Any = None, *, stream: Literal[False] = False, stream_events: bool = False, **options: Unpack[StartOptions]
    ) -> Coroutine[Any, Any, WorkflowRunOutput]: ...
    @overload
    def arun(
        self, input: Any = None, *, stream: Literal[True], stream_events: bool = False, **options: Unpack[StartOptions]
    ) -> AsyncStream: ...
    @overload
    def arun(
        self, input: Any = None, *, stream: bool, stream_events: bool = False, **options: Unpack[StartOptions]
    ) -> Coroutine[Any, Any, WorkflowRunOutput] | AsyncStream: ...
    def arun(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        stream: bool = False,
        stream_events: bool = False,
        **options: Unpack[StartOptions],
    ) -> Coroutine[Any, Any, WorkflowRunOutput] | AsyncStream:
        """The same on asyncio: an awaitable of the output, or with `stream=True` an asynchronous iterator that may be awaited first."""
        given, background = split_options(options, stream=stream)
        if background:
            return self._abegin(input, **given)
        if stream:
            return self._astream(launch(self, input, **given), stream_events=stream_events)
        return self._adrive(lambda: launch(self, input, **given))

    def submit(self, input: Any = None, **options: Unpack[RunOptions]) -> WorkflowRunOutput:  # noqa: A002  # the word users know
        """Store a run without executing anything of it: a worker begins it, or `recover`. Options and refusals are those of `run`."""
        begun = self.get_run_output(submit(self, input, **options))
        self._sessions.ran(begun.session_id)
        return begun

    async def asubmit(self, input: Any = None, **options: Unpack[RunOptions]) -> WorkflowRunOutput:  # noqa: A002  # the word users know
        """`submit`, off the event loop."""
        return await off_loop(self.db, lambda: self.submit(input, **options))

    @overload
    def continue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: Literal[False] = False,
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> WorkflowRunOutput: ...
    @overload
    def continue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: Literal[True],
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> Stream: ...
    @overload
    def continue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: bool,
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> WorkflowRunOutput | Stream: ...
    def continue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: bool = False,
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> WorkflowRunOutput | Stream:
        """Continue a run, with the decisions of the requirements and all other data of the store.

        Options: see `ContinueOptions`. Decisions stored by `decide` count too; a run whose process died is taken over. Raises `Undecided`,
        `AlreadyDecided`, `PauseExpired`, `NotPaused`, `RunBusy`, `UnknownRun`, `DefinitionChanged`; nothing is changed then.
        """
        return self._drive(resume(self, run_output, **options), stream=stream, stream_events=stream_events)

    @overload
    def acontinue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: Literal[False] = False,
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> Coroutine[Any, Any, WorkflowRunOutput]: ...
    @overload
    def acontinue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: Literal[True],
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> AsyncStream: ...
    @overload
    def acontinue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: bool,
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> Coroutine[Any, Any, WorkflowRunOutput] | AsyncStream: ...
    def acontinue_run(
        self,
        run_output: WorkflowRunOutput | None = None,
        *,
        stream: bool = False,
        stream_events: bool = False,
        **options: Unpack[ContinueOptions],
    ) -> Coroutine[Any, Any, WorkflowRunOutput] | AsyncStream:
        """The same on asyncio: an awaitable of the output, or with `stream=True` an asynchronous iterator that may be awaited first."""
        if stream:
            return self._astream(resume(self, run_output, **options), stream_events=stream_events)
        return self._adrive(lambda: resume(self, run_output, **options))

    def _beside(self, run_id: str) -> None:
        """Drive a run that was begun in the background: how it ends is stored, and read with `get_run`."""
        try:
            self.continue_run(run_id=run_id)
        except RESTS:
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, no caller waits for it
            stopped(self.id, run_id, error)

    async def _abeside(self, run_id: str) -> None:
        """The same on asyncio."""
        try:
            await self.acontinue_run(run_id=run_id)
        except RESTS:
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, no caller waits for it
            stopped(self.id, run_id, error)

    async def _abegin(self, input: Any, **options: Unpack[RunOptions]) -> WorkflowRunOutput:  # noqa: A002  # the word users know
        """A run that is stored, and driven by a task of this loop."""
        import asyncio  # noqa: PLC0415  # only asynchronous users pay for it

        begun = await self.asubmit(input, **options)
        self._sessions.ran(begun.session_id)
        task = asyncio.get_running_loop().create_task(self._abeside(begun.run_id))
        _TASKS.add(task)
        task.add_done_callback(_TASKS.discard)
        return begun

    def _drive(self, ready: Ready, *, stream: bool, stream_events: bool) -> WorkflowRunOutput | Stream:
        self._sessions.ran(ready.execution.identity.session_id)
        if stream:
            from .streams import Stream  # noqa: PLC0415  # only who streams pays for the events

            return Stream(ready.execution, drive(ready.execution, ready.first), everything=stream_events)
        drive_to_rest(ready.execution, ready.first)
        raise_loud(ready.execution)
        return left_by(ready.execution, store_events=self.store_events)

    async def _adrive(self, prepare: Callable[[], Ready]) -> WorkflowRunOutput:
        from statecore.runtime import aio  # noqa: PLC0415  # only asynchronous users pay for it

        ready = await aio.prepared(self.db, prepare)
        self._sessions.ran(ready.execution.identity.session_id)
        async for _commit in aio.drive(ready.execution, ready.first):
            pass
        raise_loud(ready.execution)
        return await off_loop(self.db, lambda: left_by(ready.execution, store_events=self.store_events))

    def _astream(self, ready: Ready, *, stream_events: bool) -> AsyncStream:
        self._sessions.ran(ready.execution.identity.session_id)
        from statecore.runtime import aio  # noqa: PLC0415  # only asynchronous users pay for it
        from statecore.workflow.streams import AsyncStream  # noqa: PLC0415  # the same

        return AsyncStream(ready.execution, aio.drive(ready.execution, ready.first), everything=stream_events)


def left_by(execution: Execution, *, store_events: bool) -> WorkflowRunOutput:
    """The output of a run that this process has driven: as it left it, which is not read again, else as it stands.

    Where it left questions and none is open any more, somebody else has answered and gone on: then the run is read.
    """
    left, host = execution.left, execution.host
    if left is not None:
        handed_on = execution.texts if left.state.run == w.completed else {}  # all else that is large is read when asked for
        waiting, is_paused = execution.waiting, left.state.run == w.paused
        if waiting or not is_paused or is_asked(execution):
            later = waiting is None and is_paused  # there may be many, and few may be looked at
            return WorkflowRunOutput(
                host, left, execution.compiled, store_events=store_events, waiting=waiting, texts=handed_on, later=later
            )
    record = host.store.load(execution.identity.run_id)
    known = record.identity.fingerprint == execution.program.fingerprint
    return WorkflowRunOutput(host, record, execution.compiled if known else compiled_of(record), store_events=store_events)


def is_asked(execution: Execution) -> bool:
    """Whether the first question that a run was left with is open in its store: where it is closed, the run has gone on."""
    first = asks(execution.program, execution.state)[0]
    row = execution.host.store.pause(execution.identity.run_id, first.pause_id)
    return row is not None and row.pause.closed is None


def split_options(options: StartOptions, *, stream: bool) -> tuple[RunOptions, bool]:
    """The options of a run, and whether it is driven beside its caller. Raises `UnsupportedSetting` where it is to be a stream, too."""
    background = options.get("background", False)
    if not isinstance(background, bool):
        raise UnsupportedSetting(RUN_HERE, "this background", "it is True or False")
    if background and stream:
        raise UnsupportedSetting(RUN_HERE, "background=True", "a stream is followed by its caller; leave one of them out")
    return cast("RunOptions", {name: value for name, value in options.items() if name != "background"}), background
