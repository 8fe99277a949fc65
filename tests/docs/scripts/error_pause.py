"""A courier that may not get through: after each failure a person retries or gives the parcel up."""
# ruff: noqa: T201

from statecore.db.sqlite import SqliteDb
from statecore.workflow import OnError
from statecore.workflow.step import Step
from statecore.workflow.types import StepInput, StepOutput
from statecore.workflow.workflow import Workflow

storms = iter([True, True, False])


def deliver(step_input: StepInput) -> StepOutput:
    """Deliver, unless there is a storm."""
    if next(storms, True):
        message = f"storm on the way to {step_input.input}"
        raise ConnectionError(message)
    return StepOutput(content="delivered", success=True)


def receipt(step_input: StepInput) -> StepOutput:
    """Write what happened."""
    news = step_input.previous_step_content or "nothing arrived"
    return StepOutput(content=f"receipt: {news}")


workflow = Workflow(
    name="courier",
    db=SqliteDb(db_file="tmp/courier.db"),
    steps=[Step(name="deliver", executor=deliver, on_error=OnError.pause), Step(name="receipt", executor=receipt)],
)

run_output = workflow.run("Bergen")
while run_output.is_paused:
    if run_output.steps_with_errors:
        for error_req in run_output.steps_with_errors:
            print(f"{error_req.step_name}: {error_req.error_type}: {error_req.error_message} (retried {error_req.retry_count})")
            if input("retry or skip? ").strip().lower() == "retry":
                error_req.retry()
            else:
                error_req.skip()
    run_output = workflow.continue_run(run_output)

print(run_output.status)
print(run_output.content)
for result in run_output.step_results or []:
    print(result.step_name, result.content, result.success)
