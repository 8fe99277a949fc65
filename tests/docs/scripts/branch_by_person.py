"""A person chooses between two branches, and what a "no" means is set three ways, in both spellings."""
# ruff: noqa: T201

from typing import Any

from statecore.db.sqlite import SqliteDb
from statecore.workflow import OnReject, Workflow
from statecore.workflow.condition import Condition
from statecore.workflow.step import Step
from statecore.workflow.types import HumanReview, StepInput, StepOutput


def taste(step_input: StepInput) -> StepOutput:
    """Come first."""
    query = step_input.input or "soup"
    return StepOutput(content=f"tasted {query}")


def season(_step_input: StepInput) -> StepOutput:
    """Be the if branch."""
    return StepOutput(content="seasoned at length")


def serve_plain(_step_input: StepInput) -> StepOutput:
    """Be the else branch."""
    return StepOutput(content="served plain")


def menu(step_input: StepInput) -> StepOutput:
    """Come last."""
    return StepOutput(content=f"menu: {step_input.previous_step_content or 'nothing'}")


def kitchen(on_reject: OnReject, *, grouped: bool) -> Workflow:
    """The workflow, its settings in one spelling or the other."""
    settings: dict[str, Any] = {"requires_confirmation": True, "confirmation_message": "Season it?", "on_reject": on_reject}
    fork = Condition(
        name="seasoning",
        evaluator=True,
        steps=[Step(name="season", executor=season)],
        else_steps=[Step(name="serve_plain", executor=serve_plain)],
        **({"human_review": HumanReview(**settings)} if grouped else settings),
    )
    steps: list[Any] = [Step(name="taste", executor=taste), fork, Step(name="menu", executor=menu)]
    return Workflow(name="kitchen", steps=steps, db=SqliteDb(db_file="tmp/kitchen.db"))


for grouped in (False, True):
    for mode in (OnReject.else_branch, OnReject.skip, OnReject.cancel):
        workflow = kitchen(mode, grouped=grouped)
        run_output = workflow.run("broth")
        while run_output.is_paused:
            for requirement in run_output.steps_requiring_confirmation:
                print(f"{requirement.step_name}: {requirement.confirmation_message} [{requirement.on_reject}]")
                if input("yes or no? ").strip().lower() in ("yes", "y"):
                    requirement.confirm()
                else:
                    requirement.reject()
            run_output = workflow.continue_run(run_output)
        print(mode.value, run_output.status.value, run_output.content)
