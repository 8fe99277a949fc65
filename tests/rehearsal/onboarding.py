"""Onboarding, as users of the reference framework write it: one function as the workflow, history of the session, plain data for a web page."""

from typing import Any

from statecore.db.sqlite import SqliteDb
from statecore.run import RunContext
from statecore.run.workflow import WorkflowRunOutput
from statecore.workflow import Step, StepInput, StepOutput, Workflow
from statecore.workflow.types import WorkflowExecutionInput


class Crm:
    """A client that steps share."""

    def __init__(self) -> None:
        self.created: list[str] = []

    def create(self, name: str) -> int:
        self.created.append(name)
        return len(self.created)


def greet(workflow: Workflow, execution_input: WorkflowExecutionInput) -> str:
    """A whole workflow in one function."""
    return f"{workflow.name} says hello to {execution_input.get_input_as_string()}"


def remembers(step_input: StepInput) -> str:
    """An executor that looks at the runs of the session before this one."""
    history = step_input.get_workflow_history(num_runs=2)
    if not history:
        return f"first time for {step_input.input}"
    asked, answered = history[-1]
    return f"{step_input.input} after {asked} ({answered[:10]})"


def create_account(step_input: StepInput, run_context: RunContext) -> StepOutput:
    """It uses a live client, which is a dependency of the workflow, and never stored."""
    crm: Crm = run_context.dependencies["crm"]
    number = crm.create(str(step_input.input["name"]))
    run_context.session_state["account"] = number
    return StepOutput(content={"account": number, "mail": step_input.input["mail"]})


def welcome(step_input: StepInput) -> str:
    """It looks back at a step by its name."""
    account = step_input.get_step_content("create account")
    return f"welcome, account {account['account']}: {account['mail']}"


def build_greeter(db_file: str) -> Workflow:
    """A workflow of one function."""
    return Workflow(name="greeter", steps=greet, db=SqliteDb(db_file=db_file))


def build_rememberer(db_file: str) -> Workflow:
    """A workflow that has a memory of its session."""
    return Workflow(name="rememberer", steps=[Step(name="remember", executor=remembers)], db=SqliteDb(db_file=db_file))


def build_onboarding(db_file: str, crm: Crm) -> Workflow:
    """A workflow whose input has a schema, and which asks before it creates anything."""
    return Workflow(
        name="onboarding",
        id="onboarding",
        description="Create an account and say welcome",
        db=SqliteDb(db_file=db_file),
        input_schema=[
            {"name": "name", "field_type": "str", "required": True},
            {"name": "mail", "field_type": "str", "required": True},
        ],
        dependencies={"crm": crm},
        metadata={"team": "sales"},
        store_events=True,
        steps=[
            Step(
                name="create account",
                executor=create_account,
                requires_confirmation=True,
                confirmation_message="Create the account?",
                on_reject="cancel",
            ),
            Step(name="welcome", executor=welcome, max_retries=2),
        ],
    )


# -- a web page, by hand -----------------------------------------------------------------------------------------------------------


def start(workflow: Workflow, form: dict[str, Any], user: str) -> dict[str, Any]:
    """POST /onboarding."""
    run = workflow.run(input=form, user_id=user, session_id=f"onboarding of {user}")
    return shown(run)


def decide(workflow: Workflow, posted: dict[str, Any], user: str) -> dict[str, Any]:
    """POST /onboarding/decide: the page posts back what it was given, with an answer in it."""
    run = WorkflowRunOutput.from_dict(posted)
    for requirement in run.steps_requiring_confirmation:
        if posted["answer"] == "yes":
            requirement.confirm(by=user)
        else:
            requirement.reject(by=user)
    return shown(workflow.continue_run(run_response=run))


def shown(run: WorkflowRunOutput) -> dict[str, Any]:
    """The plain data that a page is given."""
    return {
        **run.to_dict(),
        "paused": run.is_paused,
        "questions": [each.confirmation_message for each in run.active_step_requirements],
    }
