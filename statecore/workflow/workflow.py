"""`Workflow`: what users construct and run. It holds a definition and a store, and hands everything else to the floors below."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from attrs import evolve

from statecore.core import Compiled, compile_definition
from statecore.definition.calling import check_version, checked_flag, checked_name
from statecore.definition.components import Child, Definition, Step, Steps, as_components
from statecore.definition.plain import plain_definition, read_definition
from statecore.output import Requirement, WorkflowRunOutput
from statecore.runtime import Host
from statecore.runtime.host import clock_of
from statecore.runtime.launching import late_runs, left_runs
from statecore.stores import Listing, RunReader
from statecore.stores.rules import checked_bound

from .inbox import Inbox
from .known import learn
from .options import (
    DecideOptions,
    aeach_on,
    check_telemetry,
    checked_history,
    checked_people,
    checked_schema,
    checked_store,
    children_of,
    each_on,
    off_loop,
    plain_options,
    read_options,
)
from .reading import Reading
from .running import Running, Sessions
from .terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from statecore.definition import Person


class Workflow(Running, Reading, Terminal):
    """A human-in-the-loop workflow: its steps in order, and the store of its runs.

    `db=None` keeps runs in the memory of this process. A Workflow is never changed by a run and serves concurrent ones; inside another workflow
    it is a group under its own name. `input_schema` (a list of `UserInputField` or such dicts, or a class with `model_validate`) checks each
    run's input before anything is stored; `max_concurrency` bounds each Parallel that sets none. A lower `version` (from 1; none counts as 0)
    never continues a run of a higher one. With `store_events=True` the plain data of its outputs carry their events. `checks` are properties, or
    their texts, that `statecore check` proves or refutes; `dependencies` are live objects for executors that ask for a `run_context`, never
    stored. A run has a session of its own, unless one is named, here or where it begins. `types` are classes, base classes and modules whose
    values are stored, beside those that annotations name; `max_value_bytes` bounds each value. `steps` may be one function of (workflow,
    execution_input): it is the only step then. `people` is a function of a person's name that gives the names of their roles; with
    `require_identity=True` a name that is only declared decides nothing. With `add_workflow_history_to_steps=True` agents are told the inputs
    and outputs of the last `num_history_runs` (3) completed runs of the session (AGENT-6). `telemetry` can only be False: statecore reports nothing.
    Raises `DefinitionError`.
    Example: `statecore.examples`.
    """

    name: str
    definition: Definition
    input_schema: Any
    checks: tuple[Any, ...]
    id: str
    description: str | None
    user_id: str | None
    store_events: bool
    add_workflow_history_to_steps: bool
    num_history_runs: int | None
    session_id: str | None
    session_state: dict[str, Any]
    metadata: dict[str, Any]
    people: Callable[[str], Collection[str]] | None
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
        people: Callable[[str], Collection[str]] | None = None,
        require_identity: bool = False,
        add_workflow_history_to_steps: bool = False,
        num_history_runs: int | None = None,
        telemetry: bool = False,
    ) -> None:
        self.name = checked_name("Workflow", name)
        check_version(where := f"Workflow {self.name!r}", version)
        children = as_components(where, children_of(self, where, steps))
        identified = checked_flag(where, "require_identity", require_identity)
        self.definition = Definition(self.name, children, max_concurrency, version, identified)
        self.people = checked_people(where, people)
        self.input_schema, self.checks = checked_schema(input_schema), tuple(checks)
        self.id = id or re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "workflow"
        self.description, self.user_id, self.store_events = description, user_id, store_events
        self.session_id, self._sessions = session_id, Sessions()
        self.session_state, self.metadata = dict(session_state or {}), dict(metadata or {})
        self.add_workflow_history_to_steps = checked_flag(where, "add_workflow_history_to_steps", add_workflow_history_to_steps)
        self.num_history_runs = checked_history(where, num_history_runs, added=self.add_workflow_history_to_steps)
        self.db = checked_store(db)
        self.host = Host(
            self.db,
            session=self.get_session,
            history=self.history_text if self.add_workflow_history_to_steps else None,
            dependencies={**(dependencies or {})},
            people=self.people,
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
        other.db, other.host = (
            db,
            evolve(self.host, store=db, session=other.get_session, history=self.host.history and other.history_text, clock=clock),
        )
        other.__dict__.pop("inbox", None)
        return other

    # -- deciding ----------------------------------------------------------------------------------------------------------------

    def decide(
        self,
        run_id: str,
        pause_id: str,
        decision: str,
        *,
        value: Any = None,
        by: str | Person | None = None,
        comment: str | None = None,
        **more: Unpack[DecideOptions],
    ) -> Requirement:
        """Store the one decision of a pause, and execute nothing; `continue_run` applies it, in any process.

        `decision` is confirm, reject, retry, skip, edit, input or select; `value` carries the feedback, the edit, the input or the
        choices. The same decision again returns the stored one. Raises `AlreadyDecided`, `NotPaused`, `PauseExpired`, `InvalidInput`,
        `UnknownRun`, `UnknownPause`, `UnknownDecision`, `StaleDecision`. Where the pause has an approval this is a vote of `by`, and `seen` is
        required; `MayNotDecide` where the approval does not let that person vote.
        """
        return self.inbox.decide(run_id, pause_id, decision, value=value, by=by, comment=comment, **more)

    def withdraw(self, run_id: str, pause_id: str, *, by: str | Person, comment: str | None = None) -> Requirement:
        """Take back the vote of a person about a pause with an approval, until its outcome is applied. Raises `NoVote`, `AlreadyDecided`."""
        return self.inbox.withdraw(run_id, pause_id, by=by, comment=comment)

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
