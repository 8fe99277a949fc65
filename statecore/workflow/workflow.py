"""`Workflow`: what users construct and run. It holds a definition and a store, and hands everything else to the floors below."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload
from uuid import uuid4

from attrs import evolve

from statecore.core import Compiled, asks, compile_definition
from statecore.definition.calling import check_version, checked_name
from statecore.definition.components import Child, Definition, Step, Steps, as_components
from statecore.definition.plain import plain_definition, read_definition
from statecore.lifecycles import words as w
from statecore.output import Requirement, WorkflowRunOutput
from statecore.runtime import Host
from statecore.runtime.host import clock_of, compiled_of
from statecore.runtime.launching import RunOptions, late_runs, launch, left_runs, resume, submit
from statecore.runtime.ready import Ready
from statecore.runtime.storing import raise_loud
from statecore.runtime.sync import drive, drive_to_rest
from statecore.stores import Listing, RunReader
from statecore.stores.rules import checked_bound

from .inbox import Inbox
from .known import learn
from .options import (
    ContinueOptions,
    DecideOptions,
    aeach_on,
    check_telemetry,
    checked_schema,
    checked_store,
    children_of,
    each_on,
    off_loop,
    plain_options,
    read_options,
)
from .reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.runtime import Execution

    from .streams import AsyncStream, Stream


class Workflow(Reading):
    """A human-in-the-loop workflow: its steps in order, and the store of its runs.

    `db=None` keeps runs in the memory of this process. A Workflow is never changed by a run and serves concurrent ones; inside another
    workflow it is a group under its own name. `input_schema` (a list of `UserInputField` or such dicts, or a class with
    `model_validate`) checks each run's input before anything is stored; `max_concurrency` bounds each Parallel that sets none. A lower
    `version` (from 1; none counts as 0) never continues a run of a higher one. With `store_events=True` the plain data of its outputs carry
    their events. `checks` are properties, or their texts, that `statecore check` proves or refutes; `dependencies` are live objects for
    executors that ask for a `run_context`, never stored. `types` are classes, base classes and modules whose values are
    stored, beside those that annotations name; `max_value_bytes` bounds each value. `steps` may be one function of (workflow, execution_input):
    it is the only step then. `telemetry` can only be False: statecore reports nothing. Raises `DefinitionError`. Example: `statecore.examples`.
    """

    name: str
    definition: Definition
    input_schema: Any
    checks: tuple[Any, ...]
    id: str
    description: str | None
    user_id: str | None
    store_events: bool
    session_id: str
    session_state: dict[str, Any]
    metadata: dict[str, Any]
    db: RunReader
    host: Host

    def __init__(
        self,
        name: str = "workflow",
        steps: Sequence[Child] | Steps | Step | Callable[..., Any] = (),
        db: RunReader | None = None,
        *,
        id: str | None = None,  # noqa: A002  # the word users know
        description: str | None = None,
        session_id: str | None = None,
        session_state: Mapping[str, Any] | None = None,
        user_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        input_schema: Any = None,
        max_concurrency: int | None = None,
        version: int | None = None,
        store_events: bool = False,
        checks: Sequence[Any] = (),
        dependencies: Mapping[str, Any] | None = None,
        types: Sequence[Any] = (),
        max_value_bytes: int | None = None,
        telemetry: bool = False,
    ) -> None:
        self.name = checked_name("Workflow", name)
        check_version(where := f"Workflow {self.name!r}", version)
        children = as_components(where, children_of(self, where, steps))
        self.definition = Definition(self.name, children, max_concurrency, version)
        self.input_schema, self.checks = checked_schema(input_schema), tuple(checks)
        self.id = id or re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "workflow"
        self.description, self.user_id, self.store_events = description, user_id, store_events
        self.session_id = session_id or str(uuid4())
        self.session_state, self.metadata = dict(session_state or {}), dict(metadata or {})
        self.db = checked_store(db)
        self.host = Host(
            self.db,
            session=self.get_session,
            dependencies={**(dependencies or {})},
            shares_session=bool(session_id),
            max_value_bytes=checked_bound(where, "max_value_bytes", max_value_bytes),
        )
        check_telemetry(where, telemetry)
        learn(where, self.compiled, types, self.input_schema)  # a wrong definition is refused where it is written

    def __repr__(self) -> str:
        """The workflow and its first level."""
        return f"Workflow({self.name!r}, steps={[step.name for step in self.definition.steps]!r})"

    def __format__(self, spec: str) -> str:
        """The workflow as `mermaid`, `dot`, `svg`, `md` or `tree`. Raises `UnknownFormat`, `MissingExtra`."""
        from statecore.output.pictures import formatted  # noqa: PLC0415  # only who draws pays for it

        return formatted(spec, repr(self), self.compiled.program)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The picture in a notebook."""
        from statecore.output.pictures import bundle  # noqa: PLC0415  # only who draws pays for it

        return bundle(repr(self), self.compiled.program)

    @cached_property
    def compiled(self) -> Compiled:
        """The program of this workflow, compiled once."""
        return compile_definition(self.definition)

    def to_dict(self) -> dict[str, Any]:
        """The public parts of the definition as plain data; functions are named, as `{"function": "module.name"}`."""
        return {**plain_definition(self.definition), **plain_options(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], functions: Mapping[str, Any], db: RunReader | None = None) -> Workflow:
        """The workflow that `to_dict` wrote; `functions` are its functions and agents by name. Raises `DefinitionError`."""
        definition = read_definition(plain, functions)
        return cls(definition.name, definition.steps, db, **read_options(plain, functions))

    @cached_property
    def inbox(self) -> Inbox:
        """The store of this workflow, seen as what people owe."""
        return Inbox(self.db, self.host, self.compiled, store_events=self.store_events)

    def on(self, db: RunReader) -> Workflow:
        """The same workflow on another store."""
        other, db = copy(self), checked_store(db)
        clock = clock_of(db) if self.host.clock == clock_of(self.db) else self.host.clock
        other.db, other.host = db, evolve(self.host, store=db, session=other.get_session, clock=clock)
        other.__dict__.pop("inbox", None)
        return other

    # -- running -----------------------------------------------------------------------------------------------------------------

    @overload
    def run(
        self, input: Any = None, *, stream: Literal[False] = False, stream_events: bool = False, **options: Unpack[RunOptions]
    ) -> WorkflowRunOutput: ...
    @overload
    def run(
        self, input: Any = None, *, stream: Literal[True], stream_events: bool = False, **options: Unpack[RunOptions]
    ) -> Stream: ...
    @overload
    def run(
        self, input: Any = None, *, stream: bool, stream_events: bool = False, **options: Unpack[RunOptions]
    ) -> WorkflowRunOutput | Stream: ...
    def run(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        stream: bool = False,
        stream_events: bool = False,
        **options: Unpack[RunOptions],
    ) -> WorkflowRunOutput | Stream:
        """Start a run and drive it until it pauses or ends.

        Options: see `RunOptions`. With `stream=True` an iterator of events is returned. Raises the executor's own exception where a step
        fails under policy fail; `UnstorableValue`, `DuplicateRun`, `KeyReused` before anything ran.
        """
        return self._drive(launch(self, input, **options), stream=stream, stream_events=stream_events)

    @overload
    def arun(
        self, input: Any = None, *, stream: Literal[False] = False, stream_events: bool = False, **options: Unpack[RunOptions]
    ) -> Coroutine[Any, Any, WorkflowRunOutput]: ...
    @overload
    def arun(
        self, input: Any = None, *, stream: Literal[True], stream_events: bool = False, **options: Unpack[RunOptions]
    ) -> AsyncStream: ...
    @overload
    def arun(
        self, input: Any = None, *, stream: bool, stream_events: bool = False, **options: Unpack[RunOptions]
    ) -> Coroutine[Any, Any, WorkflowRunOutput] | AsyncStream: ...
    def arun(
        self,
        input: Any = None,  # noqa: A002  # the word users know
        *,
        stream: bool = False,
        stream_events: bool = False,
        **options: Unpack[RunOptions],
    ) -> Coroutine[Any, Any, WorkflowRunOutput] | AsyncStream:
        """The same on asyncio: an awaitable of the output, or with `stream=True` an asynchronous iterator that may be awaited first."""
        if stream:
            return self._astream(launch(self, input, **options), stream_events=stream_events)
        return self._adrive(lambda: launch(self, input, **options))

    def submit(self, input: Any = None, **options: Unpack[RunOptions]) -> WorkflowRunOutput:  # noqa: A002  # the word users know
        """Store a run without executing anything of it: a worker begins it, or `recover`. Options and refusals are those of `run`."""
        return self.get_run_output(submit(self, input, **options))

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

    # -- deciding ----------------------------------------------------------------------------------------------------------------

    def decide(
        self,
        run_id: str,
        pause_id: str,
        decision: str,
        *,
        value: Any = None,
        by: str | None = None,
        comment: str | None = None,
        **more: Unpack[DecideOptions],
    ) -> Requirement:
        """Store the one decision of a pause, and execute nothing; `continue_run` applies it, in any process.

        `decision` is confirm, reject, retry, skip, edit, input or select; `value` carries the feedback, the edit, the input or the
        choices. The same decision again returns the stored one. Raises `AlreadyDecided`, `NotPaused`, `PauseExpired`, `InvalidInput`,
        `UnknownRun`, `UnknownPause`, `UnknownDecision`, `StaleDecision`.
        """
        return self.inbox.decide(run_id, pause_id, decision, value=value, by=by, comment=comment, **more)

    def cancel_run(self, run_id: str, *, by: str | None = None) -> bool:
        """Cancel a run: a paused one at once, a running one at its next boundary. Returns False where the run had ended already."""
        return self.inbox.cancel(run_id, by=by)

    def tick(self) -> Listing[WorkflowRunOutput]:
        """Apply passed deadlines and stored decisions, and drive those runs. Returns their outputs; that of a refused run has its `refusal`."""
        return each_on(self, late_runs(self))

    def recover(self) -> Listing[WorkflowRunOutput]:
        """Take over every run of this workflow that a dead process left running or that is decided, and drive it. Returns as `tick` does."""
        return each_on(self, left_runs(self))

    async def atick(self) -> Listing[WorkflowRunOutput]:
        """`tick`, on asyncio: the runs go on one after the other."""
        return await aeach_on(self, await off_loop(self.db, lambda: late_runs(self)))

    async def arecover(self) -> Listing[WorkflowRunOutput]:
        """`recover`, on asyncio: the runs go on one after the other."""
        return await aeach_on(self, await off_loop(self.db, lambda: left_runs(self)))

    def _drive(self, ready: Ready, *, stream: bool, stream_events: bool) -> WorkflowRunOutput | Stream:
        if stream:
            from .streams import Stream  # noqa: PLC0415  # only who streams pays for the events

            return Stream(ready.execution, drive(ready.execution, ready.first), everything=stream_events)
        drive_to_rest(ready.execution, ready.first)
        raise_loud(ready.execution)
        return left_by(ready.execution, store_events=self.store_events)

    async def _adrive(self, prepare: Callable[[], Ready]) -> WorkflowRunOutput:
        from statecore.runtime import aio  # noqa: PLC0415  # only asynchronous users pay for it

        ready = await aio.prepared(self.db, prepare)
        async for _commit in aio.drive(ready.execution, ready.first):
            pass
        raise_loud(ready.execution)
        return await off_loop(self.db, lambda: left_by(ready.execution, store_events=self.store_events))

    def _astream(self, ready: Ready, *, stream_events: bool) -> AsyncStream:
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
