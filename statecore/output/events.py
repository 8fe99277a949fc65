"""The events of a stream, under the names users know. They are a function of what was committed: see `public_events`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from attrs import asdict, define, field

from statecore.definition import StepOutput

from .event_names import WorkflowRunEvent


@define(kw_only=True)
class RunEvent:
    """The common part of every event. `created_at` is in whole seconds since 1970; a step's fields are None on events of the run.

    Example: `for event in workflow.run("x", stream=True): print(event.event, event.step_name)`.
    """

    event: ClassVar[str] = ""
    run_id: str
    session_id: str
    workflow_id: str
    workflow_name: str
    created_at: int
    step_name: str | None = None
    step_id: str | None = None
    step_index: int | None = None
    parent_step_id: str | None = None

    @property
    def is_paused(self) -> bool:
        """Whether the event says that the run waits for people."""
        return self.event == WorkflowRunEvent.workflow_paused.value

    @property
    def is_cancelled(self) -> bool:
        """Whether the event says that the run was cancelled."""
        return self.event == WorkflowRunEvent.workflow_cancelled.value

    @property
    def is_error(self) -> bool:
        """Whether the event says that the run failed."""
        return self.event == WorkflowRunEvent.workflow_error.value

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the event's name; `from_dict` reads it."""
        return {"event": self.event, **asdict(self)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> RunEvent:
        """The event of the class that plain data name. Raises `KeyError` for a name that no event has."""
        return event_of(plain)


@define(kw_only=True)
class ResultsEvent(RunEvent):
    """The common part of events of something that is over: the outputs inside it, which are read when they are asked for."""

    read: Callable[[], list[StepOutput]] | None = field(default=None, eq=False, repr=False)

    @property
    def step_results(self) -> list[StepOutput]:
        """The outputs of the components inside, in order."""
        return self.read() if self.read is not None else []

    @property
    def executed_steps(self) -> list[str]:
        """The names of the components inside that were entered, in order."""
        return [each.step_name or "" for each in self.step_results]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the event's name and the outputs; `from_dict` reads it."""
        results = [each.to_dict() for each in self.step_results]
        return {"event": self.event, **asdict(self, filter=lambda each, _: each.name != "read"), "step_results": results}


@define(kw_only=True)
class WorkflowStartedEvent(RunEvent):
    """The run began."""

    event: ClassVar[str] = WorkflowRunEvent.workflow_started.value


@define(kw_only=True)
class WorkflowPausedEvent(RunEvent):
    """The run waits for people, and nothing of it runs."""

    event: ClassVar[str] = WorkflowRunEvent.workflow_paused.value
    pause_ids: tuple[str, ...] = ()


@define(kw_only=True)
class WorkflowCompletedEvent(ResultsEvent):
    """The run is over; `content` is its output."""

    event: ClassVar[str] = WorkflowRunEvent.workflow_completed.value
    content: Any = None

    @property
    def content_type(self) -> str:
        """The name of the content's class."""
        return type(self.content).__name__


@define(kw_only=True)
class WorkflowCancelledEvent(RunEvent):
    """The run was cancelled."""

    event: ClassVar[str] = WorkflowRunEvent.workflow_cancelled.value
    reason: str | None = None


@define(kw_only=True)
class WorkflowErrorEvent(RunEvent):
    """The run failed, because a step did."""

    event: ClassVar[str] = WorkflowRunEvent.workflow_error.value
    error: str = ""
    error_type: str = ""


@define(kw_only=True)
class StepStartedEvent(RunEvent):
    """A step's code is about to be called."""

    event: ClassVar[str] = WorkflowRunEvent.step_started.value
    attempt: int = 0


@define(kw_only=True)
class StepContinuedEvent(RunEvent):
    """A person decided, and the component goes on."""

    event: ClassVar[str] = WorkflowRunEvent.step_continued.value
    decision: str = ""
    by: str | None = None


@define(kw_only=True)
class StepExecutorContinuedEvent(StepContinuedEvent):
    """The questions of the agent of a step are answered, and the agent goes on (TOOL-6)."""

    event: ClassVar[str] = WorkflowRunEvent.step_executor_continued.value
    executor_name: str | None = None


@define(kw_only=True)
class StepCompletedEvent(RunEvent):
    """A step is over; `content` is its output."""

    event: ClassVar[str] = WorkflowRunEvent.step_completed.value
    content: Any = None

    @property
    def step_response(self) -> StepOutput:
        """The output of the step, as a `StepOutput`."""
        return StepOutput(content=self.content, step_name=self.step_name, address=self.step_id)


@define(kw_only=True)
class StepOutputEvent(RunEvent):
    """The output of a step."""

    event: ClassVar[str] = WorkflowRunEvent.step_output.value
    content: Any = None
    stop: bool = False

    @property
    def step_output(self) -> StepOutput:
        """The output of the step, as a `StepOutput`."""
        return StepOutput(content=self.content, step_name=self.step_name, stop=self.stop, address=self.step_id)


@define(kw_only=True)
class StepOutputDelta(RunEvent):
    """A piece of the output of a generator or of a streaming agent, as it is made; it is told once, and only the whole output is stored."""

    event: ClassVar[str] = WorkflowRunEvent.step_output_delta.value
    content: Any = None
    attempt: int = 0


@define(kw_only=True)
class StepPausedEvent(RunEvent):
    """The run asks a person: `kind` is the kind of the question, `pause_id` names its pause."""

    event: ClassVar[str] = WorkflowRunEvent.step_paused.value
    pause_id: str = ""
    kind: str = ""
    requires_confirmation: bool = False
    confirmation_message: str | None = None
    requires_user_input: bool = False
    user_input_message: str | None = None
    requires_answer: bool = False
    question: str | None = None


@define(kw_only=True)
class StepExecutorPausedEvent(StepPausedEvent):
    """The agent of a step asks: a tool call that is to be confirmed, or values (TOOL-6)."""

    event: ClassVar[str] = WorkflowRunEvent.step_executor_paused.value
    executor_name: str | None = None


@define(kw_only=True)
class StepErrorEvent(RunEvent):
    """User code failed; its policy determines the next state."""

    event: ClassVar[str] = WorkflowRunEvent.step_error.value
    error: str = ""
    error_type: str = ""
    retry_count: int = 0


@define(kw_only=True)
class StepSkippedEvent(RunEvent):
    """A component was skipped for this `reason`."""

    event: ClassVar[str] = WorkflowRunEvent.step_skipped.value
    reason: str | None = None


@define(kw_only=True)
class ConditionExecutionStartedEvent(RunEvent):
    """A branch of a Condition was chosen and begins; `branch` is "steps" or "else_steps"."""

    event: ClassVar[str] = WorkflowRunEvent.condition_execution_started.value
    branch: str = ""

    @property
    def condition_result(self) -> bool:
        """Whether the condition holds."""
        return self.branch == "steps"


@define(kw_only=True)
class ConditionExecutionCompletedEvent(ResultsEvent):
    """A Condition's branch is over."""

    event: ClassVar[str] = WorkflowRunEvent.condition_execution_completed.value


@define(kw_only=True)
class StepsExecutionStartedEvent(RunEvent):
    """A group begins."""

    event: ClassVar[str] = WorkflowRunEvent.steps_execution_started.value
    steps_count: int = 0


@define(kw_only=True)
class StepsExecutionCompletedEvent(ResultsEvent):
    """A group is over."""

    event: ClassVar[str] = WorkflowRunEvent.steps_execution_completed.value
    steps_count: int = 0


@define(kw_only=True)
class StepOutputReviewEvent(RunEvent):
    """An output, or the result of an iteration, is shown for review."""

    event: ClassVar[str] = WorkflowRunEvent.step_output_review.value
    pause_id: str = ""
    kind: str = ""
    requires_output_review: bool = True
    output_review_message: str | None = None


@define(kw_only=True)
class RouterPausedEvent(RunEvent):
    """The run asks a person for a route."""

    event: ClassVar[str] = WorkflowRunEvent.router_paused.value
    pause_id: str = ""
    kind: str = "route"
    available_choices: tuple[str, ...] = ()
    user_input_message: str | None = None
    allow_multiple_selections: bool = False


@define(kw_only=True)
class LoopExecutionStartedEvent(RunEvent):
    """A Loop begins."""

    event: ClassVar[str] = WorkflowRunEvent.loop_execution_started.value
    max_iterations: int = 0


@define(kw_only=True)
class LoopIterationStartedEvent(RunEvent):
    """An iteration begins; `iteration` counts from 1."""

    event: ClassVar[str] = WorkflowRunEvent.loop_iteration_started.value
    iteration: int = 0
    max_iterations: int = 0


@define(kw_only=True)
class LoopIterationCompletedEvent(ResultsEvent):
    """An iteration is over; `should_continue` says whether another may follow. Its `step_results` are those of the iteration."""

    event: ClassVar[str] = WorkflowRunEvent.loop_iteration_completed.value
    iteration: int = 0
    max_iterations: int = 0
    should_continue: bool = False

    @property
    def iteration_results(self) -> list[StepOutput]:
        """The outputs of the iteration, in order."""
        return self.step_results


@define(kw_only=True)
class LoopExecutionCompletedEvent(ResultsEvent):
    """A Loop is over."""

    event: ClassVar[str] = WorkflowRunEvent.loop_execution_completed.value
    total_iterations: int = 0
    max_iterations: int = 0


@define(kw_only=True)
class RouterExecutionStartedEvent(RunEvent):
    """The choices of a Router are made, and the first child begins."""

    event: ClassVar[str] = WorkflowRunEvent.router_execution_started.value
    selected_steps: tuple[str, ...] = ()


@define(kw_only=True)
class RouterExecutionCompletedEvent(ResultsEvent):
    """A Router is over."""

    event: ClassVar[str] = WorkflowRunEvent.router_execution_completed.value


@define(kw_only=True)
class ParallelExecutionStartedEvent(RunEvent):
    """The branches of a Parallel begin."""

    event: ClassVar[str] = WorkflowRunEvent.parallel_execution_started.value
    parallel_step_count: int = 0


@define(kw_only=True)
class ParallelExecutionCompletedEvent(ResultsEvent):
    """Every branch of a Parallel is over."""

    event: ClassVar[str] = WorkflowRunEvent.parallel_execution_completed.value
    parallel_step_count: int = 0


ALWAYS = (
    WorkflowStartedEvent, WorkflowPausedEvent, WorkflowCompletedEvent, WorkflowCancelledEvent, WorkflowErrorEvent,
    StepPausedEvent, StepOutputReviewEvent, RouterPausedEvent, StepErrorEvent, StepOutputEvent, StepOutputDelta,
)  # fmt: skip
"""The events that `stream=True` yields; `stream_events=True` adds the lifecycle events of every component."""

BY_NAME: dict[str, type[RunEvent]] = {
    each.event: each
    for base in (RunEvent, ResultsEvent, StepPausedEvent, StepContinuedEvent)
    for each in base.__subclasses__()
    if each.event
}


def event_of(plain: Mapping[str, Any]) -> RunEvent:
    """An event from plain data, as `to_dict` wrote it."""
    parts = {name: part for name, part in plain.items() if name not in ("event", "step_results")}
    if "step_results" in plain:
        results = [StepOutput.from_dict(each) for each in plain["step_results"]]
        parts["read"] = lambda: list(results)
    return BY_NAME[plain["event"]](**parts)


WorkflowRunOutputEvent = RunEvent
"""The name under which users know the class of all events."""
