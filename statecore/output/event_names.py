"""`WorkflowRunEvent`: the names of the events of a stream."""

from enum import Enum


class WorkflowRunEvent(str, Enum):
    """The names of the events.

    Example: `event.event == WorkflowRunEvent.step_paused.value`.
    """

    workflow_started = "WorkflowStarted"
    workflow_paused = "WorkflowPaused"
    workflow_completed = "WorkflowCompleted"
    workflow_cancelled = "WorkflowCancelled"
    workflow_error = "WorkflowError"
    step_started = "StepStarted"
    step_continued = "StepContinued"
    step_completed = "StepCompleted"
    step_output = "StepOutput"
    step_output_delta = "StepOutputDelta"
    step_paused = "StepPaused"
    step_executor_paused = "StepExecutorPaused"
    step_executor_continued = "StepExecutorContinued"
    step_error = "StepError"
    step_skipped = "StepSkipped"
    condition_execution_started = "ConditionExecutionStarted"
    condition_execution_completed = "ConditionExecutionCompleted"
    steps_execution_started = "StepsExecutionStarted"
    steps_execution_completed = "StepsExecutionCompleted"
    step_output_review = "StepOutputReview"
    router_paused = "RouterPaused"
    loop_execution_started = "LoopExecutionStarted"
    loop_iteration_started = "LoopIterationStarted"
    loop_iteration_completed = "LoopIterationCompleted"
    loop_execution_completed = "LoopExecutionCompleted"
    router_execution_started = "RouterExecutionStarted"
    router_execution_completed = "RouterExecutionCompleted"
    parallel_execution_started = "ParallelExecutionStarted"
    parallel_execution_completed = "ParallelExecutionCompleted"
