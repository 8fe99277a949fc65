"""A step that may hurt is confirmed first; if it then fails a person is asked again. Both spellings, mixed on one step."""
# ruff: noqa: T201

from statecore.db.sqlite import SqliteDb
from statecore.run.base import RunStatus
from statecore.workflow import HumanReview, OnError, OnReject
from statecore.workflow.step import Step
from statecore.workflow.steps import Steps
from statecore.workflow.types import StepInput, StepOutput
from statecore.workflow.workflow import Workflow

locked = iter([True, False])


def find(step_input: StepInput) -> StepOutput:
    """Come first."""
    return StepOutput(content=f"found {step_input.input}")


def burn(step_input: StepInput) -> StepOutput:
    """Be what may hurt."""
    if next(locked, False):
        message = "the archive is locked"
        raise PermissionError(message)
    return StepOutput(content=f"burnt what was {step_input.previous_step_content}")


def bury(step_input: StepInput) -> StepOutput:
    """Come last."""
    return StepOutput(content=f"buried: {step_input.previous_step_content}")


workflow = Workflow(
    name="archive",
    description="Letters are burnt only when somebody says so.",
    db=SqliteDb(db_file="archive.db"),
    steps=[
        Step(name="find", executor=find),
        Step(
            name="burn",
            executor=burn,
            human_review=HumanReview(requires_confirmation=True, confirmation_message="Burn them?", on_reject=OnReject.cancel),
            on_error=OnError.pause,
        ),
        Steps(
            name="ashes", steps=[Step(name="bury", executor=bury)], requires_confirmation=True, confirmation_message="Bury them?"
        ),
    ],
)


def answered(run_output):
    """Put to a person whatever is owed, until nothing is."""
    while run_output.is_paused:
        for req in run_output.step_requirements or []:
            if req.requires_confirmation and req.confirmed is None:
                print(f"{req.step_name} ({req.step_type}): {req.confirmation_message}")
                if input("y/n: ").lower() == "y":
                    req.confirm()
                else:
                    req.reject(feedback="keep them")
        for failed in run_output.active_error_requirements:
            print(f"{failed.step_name}: {failed.error_message}")
            failed.retry()
        run_output = workflow.continue_run(run_output)
    return run_output


for _ in range(3):
    run_output = answered(workflow.run("letters"))
    print(run_output.status == RunStatus.completed, run_output.is_cancelled, run_output.content)
