"""The same courier, watched as it goes; the run is read from the session when the stream is over."""
# ruff: noqa: T201
# mypy: disable-error-code="union-attr"

from statecore.db.sqlite import SqliteDb
from statecore.run.workflow import (
    StepCompletedEvent,
    StepErrorEvent,
    StepPausedEvent,
    StepStartedEvent,
    WorkflowCompletedEvent,
    WorkflowStartedEvent,
)
from statecore.workflow import OnError, Workflow
from statecore.workflow.step import Step
from statecore.workflow.types import StepInput, StepOutput

storms = iter([True, True, False])


def deliver(_step_input: StepInput) -> StepOutput:
    """Deliver, unless there is a storm."""
    if next(storms, True):
        message = "storm"
        raise ConnectionError(message)
    return StepOutput(content="delivered")


def receipt(step_input: StepInput) -> StepOutput:
    """Write what happened."""
    return StepOutput(content=f"receipt: {step_input.previous_step_content}")


workflow = Workflow(
    name="courier",
    db=SqliteDb(db_file="courier.db"),
    steps=[Step(name="deliver", executor=deliver, on_error=OnError.pause), Step(name="receipt", executor=receipt)],
)


def watch(stream):
    """Print what is heard."""
    for event in stream:
        if isinstance(event, StepErrorEvent):
            print(f"! {event.step_name} ({event.error})")
        elif isinstance(event, WorkflowStartedEvent):
            print("workflow started")
        elif isinstance(event, StepStartedEvent):
            print(f"> {event.step_name}")
        elif isinstance(event, StepPausedEvent):
            print(f"|| {event.step_name}")
        elif isinstance(event, StepCompletedEvent):
            print(f"< {event.step_name}: {event.content}")
        elif isinstance(event, WorkflowCompletedEvent):
            print(f"workflow completed: {event.content}")


watch(workflow.run("Bergen", stream=True, stream_events=True))
session = workflow.get_session()
run_output = session.runs[-1] if session and session.runs else None
while run_output and run_output.is_paused:
    for req in run_output.steps_with_errors:
        choice = input(f"{req.error_message}: r/s? ").lower()
        if choice == "r":
            req.retry()
        else:
            req.skip()
    watch(workflow.continue_run(run_output, stream=True, stream_events=True))
    session = workflow.get_session()
    run_output = session.runs[-1]
print(run_output.status.value)
