"""The person's choice of a branch, asynchronously and streamed, with the pause read from events and from the session."""
# ruff: noqa: T201
# mypy: disable-error-code="union-attr"

import asyncio

from statecore.db.sqlite import AsyncSqliteDb
from statecore.run.workflow import StepPausedEvent
from statecore.workflow import Condition, Step, StepInput, StepOutput, Workflow


async def season(step_input: StepInput) -> StepOutput:
    """Be the if branch."""
    await asyncio.sleep(0)
    return StepOutput(content=f"{step_input.input}, seasoned")


def plain(step_input: StepInput) -> StepOutput:
    """Be the else branch."""
    return StepOutput(content=f"{step_input.input}, plain")


workflow = Workflow(
    name="kitchen",
    db=AsyncSqliteDb(db_file="kitchen.db"),
    steps=[
        Condition(
            name="seasoning",
            steps=[Step(name="season", executor=season)],
            else_steps=[Step(name="plain", executor=plain)],
            requires_confirmation=True,
            confirmation_message="Season it?",
        )
    ],
)


async def main() -> None:
    """Run twice: once awaiting the stream first, once iterating at once."""
    for dish, yes in (("broth", True), ("stew", False)):
        async for event in workflow.arun(dish, stream=True, stream_events=True):
            if isinstance(event, StepPausedEvent):
                print(f"paused at {event.step_name}: {event.confirmation_message}")
        session = await workflow.aget_session()
        run_output = session.runs[-1]
        while run_output.is_paused:
            for req in run_output.steps_requiring_confirmation:
                if yes:
                    req.confirm()
                else:
                    req.reject()
            async for event in await workflow.acontinue_run(run_output, stream=True, stream_events=True):
                print(event.event, event.step_name)
            session = await workflow.aget_session()
            run_output = session.runs[-1]
        print(run_output.content)
    run_output = await workflow.arun("salad")
    for req in run_output.active_step_requirements:
        req.confirm()
    run_output = await workflow.acontinue_run(run_output)
    print(run_output.content)


asyncio.run(main())
