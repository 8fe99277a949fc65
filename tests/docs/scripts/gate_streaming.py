"""A confirmation in a stream: paused, continued, completed or skipped, by the names of the events."""
# ruff: noqa: T201
# mypy: disable-error-code="union-attr"

from statecore.db.sqlite import SqliteDb
from statecore.run.workflow import StepContinuedEvent, StepPausedEvent, WorkflowCancelledEvent, WorkflowRunEvent
from statecore.workflow import OnReject, Workflow
from statecore.workflow.step import Step
from statecore.workflow.types import StepInput, StepOutput


def greet(step_input: StepInput) -> StepOutput:
    """Greet."""
    return StepOutput(content=f"hello {step_input.input}")


def save(step_input: StepInput) -> StepOutput:
    """Keep the greeting."""
    return StepOutput(content=f"saved: {step_input.previous_step_content or 'nothing'}")


def doorway(on_reject: OnReject | str) -> Workflow:
    """The workflow, with what a "no" means."""
    gate = Step(name="greet", executor=greet, requires_confirmation=True, confirmation_message="Greet?", on_reject=on_reject)
    return Workflow(name="doorway", db=SqliteDb(db_file="doorway.db"), steps=[gate, Step(name="save", executor=save)])


def watch(stream) -> None:
    """Print the events, some by their class and all by their names."""
    for event in stream:
        if isinstance(event, StepPausedEvent):
            print(f"paused at {event.step_name}: {event.confirmation_message} {event.requires_confirmation}")
        elif isinstance(event, StepContinuedEvent):
            print(f"continued {event.step_name}")
        elif isinstance(event, WorkflowCancelledEvent):
            print("cancelled")
        elif event.event == WorkflowRunEvent.workflow_completed.value:
            print(f"completed: {event.content}")
        else:
            print(event.event)


for on_reject, yes in (("skip", True), (OnReject.skip, False), ("cancel", False)):
    workflow = doorway(on_reject)
    watch(workflow.run("world", stream=True, stream_events=True))
    run_output = workflow.get_session().runs[-1]
    while run_output and run_output.is_paused:
        for req in run_output.steps_requiring_confirmation:
            if yes:
                req.confirm()
            else:
                req.reject()
        watch(workflow.continue_run(run_output, stream=True, stream_events=True))
        run_output = workflow.get_session().runs[-1]
    print(run_output.status)
