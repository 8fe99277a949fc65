"""One way to drive a workflow in four colours, user code that remembers its calls, and the questions that tests put to a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from threading import Lock
from typing import Any, Literal, get_args

from attrs import define, field

from statecore import StepInput, StepOutput, Workflow, WorkflowRunOutput
from statecore.run.workflow import RunEvent

Colour = Literal["sync", "async", "stream", "async stream"]
COLOURS: tuple[Colour, ...] = get_args(Colour)


@define
class Drive:
    """Runs and continues workflows in one colour.

    A streaming colour exhausts the stream, keeps its `events` (also those before it raised), and reads the run as a user does: from
    the end of its session. Whatever comes out of the workflow comes out of here.
    """

    colour: Colour
    everything: bool = True
    events: list[RunEvent] = field(factory=list)

    @property
    def streams(self) -> bool:
        """Whether events are heard."""
        return self.colour in ("stream", "async stream")

    def run(self, workflow: Workflow, run_input: Any = "input", **options: Any) -> WorkflowRunOutput:
        """Start a run, and drive it until it rests."""
        return self._drive(workflow, workflow.run, workflow.arun, run_input, options)

    def resume(self, workflow: Workflow, run_output: WorkflowRunOutput | None = None, **options: Any) -> WorkflowRunOutput:
        """Continue a run, and drive it until it rests."""
        return self._drive(workflow, workflow.continue_run, workflow.acontinue_run, run_output, options)

    def finish(
        self, workflow: Workflow, run_output: WorkflowRunOutput, decide: Callable[[WorkflowRunOutput], object]
    ) -> WorkflowRunOutput:
        """Decide and continue until nobody owes anything."""
        while run_output.is_paused:
            decide(run_output)
            run_output = self.resume(workflow, run_output)
        return run_output

    def heard(self, kind: type[RunEvent]) -> list[Any]:
        """The events of one class, of the last call."""
        return [event for event in self.events if type(event) is kind]

    def _drive(
        self, workflow: Workflow, plain: Callable[..., Any], twin: Callable[..., Any], first: Any, options: dict[str, Any]
    ) -> WorkflowRunOutput:
        self.events = []
        options = {**options, "stream": True, "stream_events": self.everything} if self.streams else options
        match self.colour:
            case "sync":
                output: WorkflowRunOutput = plain(first, **options)
                return output
            case "async":
                return asyncio.run(awaited(twin, first, options))
            case "stream":
                self._hear(plain(first, **options))
            case "async stream":
                asyncio.run(self._ahear(twin, first, options))
        session = workflow.get_session(self.events[-1].session_id)
        assert session is not None
        return session.runs[-1]

    def _hear(self, stream: Iterator[RunEvent]) -> None:
        for event in stream:
            self.events.append(event)  # what was heard before the stream raised counts

    async def _ahear(self, twin: Callable[..., AsyncIterator[RunEvent]], first: Any, options: dict[str, Any]) -> None:
        async for event in twin(first, **options):
            self.events.append(event)


async def awaited(twin: Callable[..., Any], first: Any, options: dict[str, Any]) -> WorkflowRunOutput:
    """Await an asynchronous twin inside a loop of its own."""
    output: WorkflowRunOutput = await twin(first, **options)
    return output


# -- user code ---------------------------------------------------------------------------------------------------------------------


@define
class Calls:
    """User code that remembers: which of it was called, and what it saw, in order."""

    seen: list[tuple[str, Any]] = field(factory=list)
    _lock: Lock = field(factory=Lock, repr=False)

    @property
    def names(self) -> list[str]:
        """What was called, in order."""
        return [name for name, _ in self.seen]

    def saw(self, name: str) -> list[Any]:
        """The previous contents that one function saw, call by call."""
        return [previous for called, previous in self.seen if called == name]

    def note(self, name: str, asked: Any) -> int:
        """Remember a call and what it saw: the previous content, or the outputs that it is to judge; how many there were before."""
        if isinstance(asked, StepInput):
            previous = asked.previous_step_content
        else:
            previous = [output.content for output in (asked if isinstance(asked, list) else [asked])]
        with self._lock:
            before = sum(called == name for called, _ in self.seen)
            self.seen.append((name, previous))
        return before

    def does(self, name: str, *outcomes: Any) -> Callable[[StepInput], Any]:
        """User code that returns or raises one outcome after the other, the last one for ever; its own name where none is given."""
        ends = outcomes or (name,)

        def called(step_input: StepInput) -> Any:
            outcome = ends[min(self.note(name, step_input), len(ends) - 1)]
            if isinstance(outcome, BaseException):
                raise outcome.with_traceback(None)  # raised again, it would keep the frames of each time
            return outcome

        called.__name__ = name
        return called


# -- what became of a run ----------------------------------------------------------------------------------------------------------


def flat(outputs: list[StepOutput]) -> dict[str, StepOutput]:
    """What became of every component of a run, by name, with what is inside."""
    found: dict[str, StepOutput] = {}
    for output in outputs:
        found[output.step_name or ""] = output
        found |= flat(output.steps)
    return found


def statuses(run_output: WorkflowRunOutput) -> dict[str, str]:
    """How every component that was entered stands, by name."""
    return {name: output.status for name, output in flat(run_output.step_results).items()}


def history(workflow: Workflow, run_id: str) -> list[tuple[Any, ...]]:
    """A run's journal without its times: what the same answers make the same."""
    return [
        (e.seq, e.machine, e.at, e.turn, e.attempt, e.source, e.trigger, e.dest, e.body.detail, e.body.value)
        for e in workflow.db.journal(run_id)
    ]


def triggers(workflow: Workflow, run_id: str, at: str) -> list[str]:
    """What happened at one address, in order."""
    return [entry.trigger for entry in workflow.db.journal(run_id) if entry.at == at]


def confirm_all(run_output: WorkflowRunOutput) -> None:
    """A person says yes to everything, and retries what failed."""
    for asked in run_output.steps_requiring_confirmation:
        asked.confirm()
    for failed in run_output.steps_with_errors:
        failed.retry()
