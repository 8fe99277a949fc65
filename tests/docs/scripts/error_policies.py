"""What a fork does when something in it fails: the three policies side by side."""
# ruff: noqa: T201

from statecore.db.sqlite import SqliteDb
from statecore.run.base import RunStatus
from statecore.workflow import Condition, OnError
from statecore.workflow.step import Step
from statecore.workflow.types import StepInput, StepOutput
from statecore.workflow.workflow import Workflow


def weigh(_step_input: StepInput) -> StepOutput:
    """Fail."""
    message = "the scales are broken"
    raise ValueError(message)


def label(_step_input: StepInput) -> StepOutput:
    """Stand after what fails."""
    return StepOutput(content="labelled")


def ship(step_input: StepInput) -> StepOutput:
    """Stand after the fork."""
    return StepOutput(content=f"shipped with {step_input.previous_step_content}")


def heavy(step_input: StepInput) -> bool:
    """Decide whether the fork is taken."""
    return "kg" in step_input.input


def parcels(policy: OnError) -> Workflow:
    """The workflow under a policy."""
    checks = Condition(
        name="checks",
        evaluator=heavy,
        steps=[Step(name="weigh", executor=weigh), Step(name="label", executor=label)],
        on_error=policy,
    )
    return Workflow(
        name=f"parcels {policy.value}", db=SqliteDb(db_file="parcels.db"), steps=[checks, Step(name="ship", executor=ship)]
    )


for policy in (OnError.skip, OnError.pause):
    workflow = parcels(policy)
    run_output = workflow.run(input="12 kg")
    while run_output.status == RunStatus.paused:
        for req in run_output.steps_with_errors:
            print(f"paused at {run_output.paused_step_name}: {req.step_name}: {req.error_message}")
            req.skip()
        run_output = workflow.continue_run(run_output)
    print(policy.value, run_output.status.value, run_output.content)

try:
    parcels(OnError.fail).run("12 kg")
except ValueError as error:
    print("fail", error)
print(parcels(OnError.fail).run("light").content)
