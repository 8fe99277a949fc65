"""The events of a stream, under the names users know. They are a function of what was committed: see `public_events`."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from attrs import asdict, define


class WorkflowRunEvent(str, Enum):
    """The names of the events."""

    workflow_started = "WorkflowStarted"
    workflow_paused = "WorkflowPaused"
    workflow_completed = "WorkflowCompleted"
    workflow_cancelled = "WorkflowCancelled"
    workflow_error = "WorkflowError"
    step_started = "StepStarted"
    step_continued = "StepContinued"
    step_completed = "StepCompleted"
    step_output = "StepOutput"
    step_paused = "StepPaused"
    step_error = "StepError"
    step_skipped = "StepSkipped"
    condition_execution_started = "ConditionExecutionStarted"
    condition_execution_completed = "ConditionExecutionCompleted"
    steps_execution_started = "StepsExecutionStarted"
    steps_execution_completed = "StepsExecutionCompleted"


@define(kw_only=True)
class RunEvent:
    """What every event carries. `created_at` is in whole seconds since 1970; a step's fields are None on events of the run."""

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

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with the event's name."""
        return {"event": self.event, **asdict(self)}


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
class WorkflowCompletedEvent(RunEvent):
    """The run is over; `content` is what it handed on."""

    event: ClassVar[str] = WorkflowRunEvent.workflow_completed.value
    content: Any = None


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
class StepCompletedEvent(RunEvent):
    """A step is over; `content` is what it handed on."""

    event: ClassVar[str] = WorkflowRunEvent.step_completed.value
    content: Any = None


@define(kw_only=True)
class StepOutputEvent(RunEvent):
    """What a step handed on."""

    event: ClassVar[str] = WorkflowRunEvent.step_output.value
    content: Any = None
    stop: bool = False


@define(kw_only=True)
class StepPausedEvent(RunEvent):
    """A person is asked: `kind` says what, `pause_id` names the question."""

    event: ClassVar[str] = WorkflowRunEvent.step_paused.value
    pause_id: str = ""
    kind: str = ""
    requires_confirmation: bool = False
    confirmation_message: str | None = None


@define(kw_only=True)
class StepErrorEvent(RunEvent):
    """User code failed; the policy decides what follows."""

    event: ClassVar[str] = WorkflowRunEvent.step_error.value
    error: str = ""
    error_type: str = ""
    retry_count: int = 0


@define(kw_only=True)
class StepSkippedEvent(RunEvent):
    """A component was skipped; `reason` says why."""

    event: ClassVar[str] = WorkflowRunEvent.step_skipped.value
    reason: str | None = None


@define(kw_only=True)
class ConditionExecutionStartedEvent(RunEvent):
    """A branch of a Condition was chosen and begins; `branch` is "steps" or "else_steps"."""

    event: ClassVar[str] = WorkflowRunEvent.condition_execution_started.value
    branch: str = ""


@define(kw_only=True)
class ConditionExecutionCompletedEvent(RunEvent):
    """A Condition's branch is over."""

    event: ClassVar[str] = WorkflowRunEvent.condition_execution_completed.value


@define(kw_only=True)
class StepsExecutionStartedEvent(RunEvent):
    """A group begins."""

    event: ClassVar[str] = WorkflowRunEvent.steps_execution_started.value


@define(kw_only=True)
class StepsExecutionCompletedEvent(RunEvent):
    """A group is over."""

    event: ClassVar[str] = WorkflowRunEvent.steps_execution_completed.value


ALWAYS = (
    WorkflowStartedEvent,
    WorkflowPausedEvent,
    WorkflowCompletedEvent,
    WorkflowCancelledEvent,
    WorkflowErrorEvent,
    StepPausedEvent,
    StepErrorEvent,
    StepOutputEvent,
)
"""What `stream=True` yields; `stream_events=True` adds the lifecycle events of every component."""
