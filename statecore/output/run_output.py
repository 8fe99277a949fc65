"""`WorkflowRunOutput`: a run as it stood when it was read. What is large is read from the store when asked for, up to that moment.

Whoever has just driven the run gives what it knows already: the open `waiting` ones, and the `texts` of what the run handed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.codec import decode, decode_plain
from statecore.core import Compiled, stored_program
from statecore.definition import RunStatus, StepInput, StepOutput
from statecore.definition.outputs import as_text
from statecore.errors import StoreUnavailable, UnreadableValue
from statecore.lifecycles import KINDS, LEAVES, SHOWS
from statecore.lifecycles import words as w
from statecore.runtime.calls import CallValues, step_input
from statecore.runtime.execution import of_record
from statecore.runtime.host import compiled_of
from statecore.runtime.judge import seen
from statecore.stores import PauseFilter, Waiting
from statecore.stores.history import History, is_used
from statecore.stores.rules import ENDED, STATUS

from .asked_now import AskedNow
from .place import Place
from .plain_run import plain_run, read_run
from .requirement import ErrorRequirement, Requirement, StepRequirement, requirement_of

if TYPE_CHECKING:
    from statecore.core import Cursor, Program, Ref, State
    from statecore.draw import Past
    from statecore.runtime import Execution, Host
    from statecore.stores import Entry, Pause, Record

    from .events import RunEvent

NO_TEXTS: Mapping[Ref, str] = {}
"""Nothing of a run's outputs is known."""
ON_REJECT = {w.reject_skips: "skip", w.reject_cancels: "cancel", w.reject_takes_else: "else"}


class WorkflowRunOutput(AskedNow):
    """A run as it stood when it was read; never changed by what happens to the run later.

    While it `is_paused`, decide its requirements (`steps_requiring_confirmation`, `steps_with_errors`) and hand it to
    `Workflow.continue_run`, which returns a new one. `created_at` is in whole seconds since 1970. `refusal` is the error that kept `tick` or
    `recover` from continuing the run, None elsewhere.

    Example: `run = workflow.run("x")`, then `run.is_paused`, `run.requirements`, `run.content`; in a notebook, or as `f"{run:tree}"`, it is a picture.
    """

    run_id: str
    session_id: str
    user_id: str | None
    workflow_id: str
    workflow_name: str
    created_at: int
    status: RunStatus
    refusal: Exception | None = None

    def __init__(  # noqa: PLR0913  # a run, and what is known of it already
        self,
        host: Host,
        record: Record,
        compiled: Compiled | None = None,
        *,
        store_events: bool = False,
        waiting: Sequence[Waiting] | None = None,
        texts: Mapping[Ref, str] = NO_TEXTS,
        later: bool = False,
    ) -> None:
        self._host, self._record, self._compiled, self._store_events = host, record, compiled, store_events
        self._texts = dict(texts)
        self._read = decode
        identity = record.identity
        self.run_id, self.session_id, self.user_id = identity.run_id, identity.session_id, identity.user_id
        self.workflow_id, self.workflow_name = identity.workflow_id, identity.workflow_name
        self.created_at = identity.created // 1_000_000
        self.status = RunStatus(STATUS[record.state.run])
        self._known = waiting if waiting is not None or later else self._waiting(None)

    def __repr__(self) -> str:
        """The run and where it stands."""
        return f"<WorkflowRunOutput {self.run_id!r} of {self.workflow_name!r}: {self.status.value}>"

    def __format__(self, spec: str) -> str:
        """The run on its workflow's picture, as `mermaid`, `dot`, `svg`, `md` or `tree`. Raises `UnknownFormat`, `MissingExtra`."""
        from .pictures import formatted  # noqa: PLC0415  # only who draws pays for it

        return formatted(spec, repr(self), *self._drawn()) if spec else repr(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The picture in a notebook: the run on its workflow, the place where it waits lit."""
        from .pictures import bundle  # noqa: PLC0415  # only who draws pays for it

        return bundle(repr(self), *self._drawn())

    def _drawn(self) -> tuple[Program, State, dict[str, Past]]:
        """The program, where the run stands in it, and what became of each component."""
        from .pictures import past_of  # noqa: PLC0415  # only who draws pays for it

        program = self._compiled.program if self._compiled is not None else compiled_of(self._record).program
        return program, self._record.state, past_of(program, self._rows, self._history, self.requirements)

    # -- what the run is ---------------------------------------------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        """Whether a person owes a decision and no code runs."""
        return self.status is RunStatus.paused

    @property
    def is_cancelled(self) -> bool:
        """Whether the run was cancelled."""
        return self.status is RunStatus.cancelled

    @property
    def is_error(self) -> bool:
        """Whether the run failed."""
        return self.status is RunStatus.error

    def has_completed(self) -> bool:
        """Whether the run is over and has completed."""
        return self.status is RunStatus.completed

    @cached_property
    def input(self) -> Any:
        """The run's input."""
        return self._read(self._record.identity.input)

    @cached_property
    def content(self) -> Any:
        """The output of a completed run; None before, and where all was skipped."""
        if self.status is not RunStatus.completed:
            return None
        return self._execution.content(self._record.state.result)

    @property
    def content_type(self) -> str:
        """The name of the content's class: `str`, `dict`, `Order`."""
        return type(self.content).__name__

    def get_content_as_string(self, **options: Any) -> str:
        """The content as a text: a text as it is, a model or a structure as indented JSON (`options` are those of `json.dumps`), else by `str`."""
        return as_text(self.content, **options) or ""

    @cached_property
    def session_state(self) -> dict[str, Any]:
        """The session state as this run left it."""
        state: dict[str, Any] = self._read(self._record.session_state)
        return state

    @cached_property
    def additional_data(self) -> dict[str, Any]:
        """The additional data that the caller of `run` gave beside the input."""
        additional: dict[str, Any] = self._read(self._record.identity.additional_data)
        return additional

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The run's metadata."""
        metadata: dict[str, Any] = self._read(self._record.identity.metadata)
        return metadata

    @cached_property
    def step_results(self) -> list[StepOutput]:
        """The outcome of every component that was entered, as a tree; skipped ones say why, failures stay visible."""
        return self._history.tree()

    @cached_property
    def error(self) -> str | None:
        """Of a failed run: the error that it failed of."""
        if self.status is not RunStatus.error:
            return None
        failed = [v for v in self._history.visits.values() if v.phase == w.failed and v.failures]
        return failed[-1].failures[-1]["error"] if failed else None

    # -- what people owe ---------------------------------------------------------------------------------------------------------

    @cached_property
    def _asked(self) -> list[Requirement]:
        return [requirement_of(waiting, self.place(waiting)) for waiting in self._waiting(self._known)]

    @cached_property
    def step_requirements(self) -> list[StepRequirement]:
        """The questions about components, decided or not."""
        return [each for each in self._asked if isinstance(each, StepRequirement)]

    @cached_property
    def error_requirements(self) -> list[ErrorRequirement]:
        """The questions about failures and interruptions, decided or not."""
        return [each for each in self._asked if isinstance(each, ErrorRequirement)]

    @property
    def requirements(self) -> list[Requirement]:
        """Every requirement of this run, decided or not."""
        return [*self.step_requirements, *self.error_requirements]

    @property
    def active_step_requirements(self) -> list[StepRequirement]:
        """The step requirements that are not decided yet."""
        return [each for each in self.step_requirements if not each.is_resolved]

    @property
    def active_error_requirements(self) -> list[ErrorRequirement]:
        """The error requirements that are not decided yet."""
        return [each for each in self.error_requirements if not each.is_resolved]

    @property
    def steps_with_errors(self) -> list[ErrorRequirement]:
        """The failed or interrupted steps that wait for retry or skip."""
        return self.active_error_requirements

    @cached_property
    def unused_decisions(self) -> list[Requirement]:
        """Of a run that is over: the questions whose stored decisions were not used, because it failed, stopped or was cancelled first.

        A failed run that is reopened applies those of questions that it still asks (SAID-1). Empty while the run goes on.
        """
        if self._record.state.run not in ENDED:
            return []
        store = self._host.store
        decided = [store.pause(self.run_id, each.pause_id) for each in store.decisions(self.run_id)]
        unused = [row for row in decided if row is not None and not is_used(row, self._rows)]
        return [requirement_of(row, evolve(self.place(row), read_input=None, read_output=None, read_about=None)) for row in unused]

    @property
    def paused_step_name(self) -> str | None:
        """The name of the first component that waits."""
        return self.requirements[0].step_name if self.requirements else None

    @property
    def paused_step_index(self) -> int | None:
        """The position of the first component that waits, among its siblings; for people only, never identity."""
        return self.requirements[0].step_index if self.requirements else None

    @property
    def pause_kind(self) -> str | None:
        """The kind of the first question."""
        return self.requirements[0].kind if self.requirements else None

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """How long the run took so far, in seconds, and how many calls and decisions its journal has."""
        entries = self._rows
        duration = (entries[-1].time - self._record.identity.created) / 1_000_000 if entries else 0.0
        attempts = sum(entry.machine in LEAVES and entry.dest == w.running for entry in entries)
        return {"duration": duration, "steps": len(self._history.visits), "attempts": attempts}

    @cached_property
    def events(self) -> list[RunEvent]:
        """All that happened so far, as a stream with `stream_events=True` told it; read back from the journal."""
        from .public_events import past_events  # noqa: PLC0415  # only who asks for events pays for their classes

        return list(past_events(self._record.identity, self._program, self._rows, self._execution.decided_at))

    def to_dict(self) -> dict[str, Any]:
        """Plain data: everything above; the events only where the workflow says `store_events=True`, for they repeat the rest.

        A value whose type this process does not know is in it as the plain data that is stored of it (VALUE-2).
        """
        return plain_run(self._shown, store_events=self._store_events)

    @cached_property
    def _shown(self) -> WorkflowRunOutput:
        """The same run as people see it; one that was read from plain data is that already."""
        if "_record" not in self.__dict__:
            return self
        shown = WorkflowRunOutput(
            self._host, self._record, self._compiled, store_events=self._store_events, waiting=(), texts=self._texts
        )
        shown._read, shown.refusal = decode_plain, self.refusal
        shown.step_requirements, shown.error_requirements = self.step_requirements, self.error_requirements
        return shown

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> WorkflowRunOutput:
        """An output from plain data. It knows what `to_dict` wrote and no store; `continue_run` takes decisions from it, and nothing else."""
        output = cls.__new__(cls)
        read_run(output, plain)
        return output

    # -- how it is read ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _rows(self) -> list[Entry]:
        return self._host.store.journal(self.run_id, 0, self._record.seq)

    @cached_property
    def _history(self) -> History:
        return History(times=self._execution.decided_at, read=self._read).extend(self._rows)

    def _program(self, fingerprint: str) -> Program | None:
        """A program that this run followed; with the sentences that people are shown where it is the one at hand."""
        if self._compiled is not None and self._compiled.program.fingerprint == fingerprint:
            return self._compiled.program
        canonical = self._host.store.definition(fingerprint)
        return stored_program(canonical) if canonical is not None else None

    def _waiting(self, known: Sequence[Waiting] | None) -> Sequence[Waiting]:
        if self.status not in (RunStatus.paused, RunStatus.running):
            return []
        if known is not None:
            return known
        return self._host.store.pauses(PauseFilter(run_id=self.run_id, undecided_only=False, limit=10_000))

    def place(self, waiting: Waiting) -> Place:
        """The place of a waiting component in its workflow, with readers for its input and its output."""
        program = self._compiled.program if self._compiled is not None else None
        node = program.nodes.get(waiting.pause.at) if program is not None else None
        if node is None:
            return Place(waiting.pause.at, "Step", 0, None, program=program)
        place = (waiting.pause.at, waiting.pause.turn)
        on_reject = next((word for fact, word in ON_REJECT.items() if fact in node.facts), None)
        return Place(
            node.step_id,
            KINDS[node.kind].title,
            node.index,
            on_reject,
            lambda: self._read_input(waiting),
            lambda: self._read_output(waiting),
            self._host.clock,
            program,
            any(each.marks.stopping for each in self._record.state.cursors if (each.at, each.turn) == place),
            lambda: seen(self._record.identity.canonical, self._as_stored(waiting.pause)),
            lambda: self._history.traceback(waiting.pause),
            lambda: self._shown._read_output(waiting),  # noqa: SLF001  # the same class
            lambda: self._shown._about(waiting),  # noqa: SLF001  # the same class
        )

    def _as_stored(self, pause: Pause) -> Pause:
        """A question as its store has it: the driver that put it has no digest, where the store keeps one."""
        row = self._host.store.pause(pause.run_id, pause.pause_id) if pause.seen is None and pause.slices is not None else None
        return pause if row is None else row.pause

    @cached_property
    def _execution(self) -> Execution:
        execution = of_record(self._host, self._compiled or compiled_of(self._record), self._record)
        execution.texts, execution.read = self._texts, self._read
        return execution

    def _standing(self, waiting: Waiting) -> Cursor | None:
        place = (waiting.pause.at, waiting.pause.turn)
        return next((cursor for cursor in self._record.state.cursors if (cursor.at, cursor.turn) == place), None)

    def _cursor(self, waiting: Waiting) -> Cursor:
        cursor = self._standing(waiting)
        assert cursor is not None, "the run stands where its open question is put"  # noqa: S101  # of a closed one nothing is read
        return cursor

    def _read_input(self, waiting: Waiting) -> StepInput:
        cursor = self._cursor(waiting)
        call = self._execution.call_at(cursor)
        return step_input(self._execution, call, CallValues(self._execution, call, cursor))

    def _about(self, waiting: Waiting) -> dict[str, Any] | None:
        """All that a question is about; None where the run stands there no more."""
        about: dict[str, Any] = {"requested_by": self.user_id}
        try:
            cursor = self._standing(waiting)
            if cursor is None:
                return None
            about |= {"run_input": self.input, "previous_step_content": self._execution.content(cursor.prev)}
            if SHOWS[waiting.pause.kind] == "output":
                about["output"] = self._execution.content(cursor.marks.output)
        except (UnreadableValue, StoreUnavailable) as why:  # also where only a worker could read them, and none answers
            about["unreadable"] = str(why)
        return about

    def _read_output(self, waiting: Waiting) -> StepOutput:
        cursor = self._cursor(waiting)
        steps = self._history.tree_at(waiting.pause.at, waiting.pause.turn) if SHOWS[waiting.pause.kind] == "output" else []
        content, media = self._execution.content(cursor.marks.output), self._execution.media(cursor.marks.output)
        return StepOutput(
            content=content, step_name=waiting.pause.step_name, steps=steps, attempt=cursor.attempt, address=cursor.at, **media
        )
