"""What a type checker knows of a user's program. Nothing here is run: mypy (strict, with the rest of the checkout) and pyright read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from statecore import (
    Condition,
    ErrorRequirement,
    HumanReview,
    InMemoryDb,
    Loop,
    OnError,
    OnReject,
    Parallel,
    Router,
    RunContext,
    RunStatus,
    SqliteDb,
    Step,
    StepInput,
    StepOutput,
    StepRequirement,
    Steps,
    UserInputField,
    Workflow,
    WorkflowRunOutput,
    WorkflowSession,
    pause,
)
from statecore.run.workflow import RunEvent, StepCompletedEvent, StepErrorEvent, WorkflowPausedEvent
from statecore.stores import Listing
from statecore.workflow.streams import AsyncStream, Stream


def fetch(step_input: StepInput) -> str:
    """A step may hand on anything."""
    assert_type(step_input.step_name, str)
    assert_type(step_input.idempotency_key, str)
    assert_type(step_input.attempt, int)
    assert_type(step_input.previous_step_content, Any)
    return "data"


async def store(step_input: StepInput, run_context: RunContext) -> StepOutput:
    """A step may be a coroutine, and ask for its context."""
    assert_type(run_context.run_id, str)
    assert_type(run_context.session_state, dict[str, Any])
    return StepOutput(content=step_input.input, stop=True)


def stream_of(step_input: StepInput) -> Iterator[str]:
    """A step may be a generator."""
    yield str(step_input.input)


async def astream_of(step_input: StepInput) -> AsyncIterator[str]:
    """A step may be an asynchronous generator."""
    yield str(step_input.input)


@pause(requires_confirmation=True)
def pay(step_input: StepInput) -> int:
    """A function may carry the settings of its step."""
    return 17


assert_type(pay(StepInput.__new__(StepInput)), int)


def is_large(step_input: StepInput) -> bool:
    """An evaluator."""
    return step_input.input is not None


def is_good(outputs: list[StepOutput]) -> bool:
    """An end condition."""
    return bool(outputs)


def choose(step_input: StepInput) -> list[str]:
    """A selector."""
    return [str(step_input.input)]


flow = Workflow(
    "flow",
    steps=[
        fetch,
        Step("store", store, on_error=OnError.pause, max_retries=2, retry_delay=0.5),
        Step("pay", pay, timeout=60, on_timeout="skip"),
        Step(
            "form",
            fetch,
            human_review=HumanReview(requires_user_input=True, user_input_schema=[UserInputField("amount", field_type="int")]),
        ),
        Condition("large", [Step("a", stream_of)], [Step("b", astream_of)], evaluator=is_large),
        Condition("asks", [fetch], requires_confirmation=True, on_reject=OnReject.skip),
        Loop("loop", [fetch], max_iterations=3, end_condition=is_good),
        Router("route", [Step("c", fetch), Step("d", fetch)], selector=choose),
        Parallel(Step("e", fetch), Steps("f", [fetch]), name="both"),
        Workflow("inner", [fetch]),
    ],
    db=SqliteDb(db_file="runs.db"),
)


def running(workflow: Workflow, flag: bool) -> None:  # a flag that is known at run time only
    """What `run` gives follows from `stream`."""
    assert_type(workflow.run("x"), WorkflowRunOutput)
    assert_type(workflow.run("x", stream=False, run_id="r"), WorkflowRunOutput)
    assert_type(workflow.run("x", stream=True), Stream)
    for event in workflow.run("x", stream=True, stream_events=True):
        assert_type(event, RunEvent)
        match event:
            case StepCompletedEvent(content=content):
                assert_type(content, Any)
            case StepErrorEvent():
                assert_type(event.error_type, str)
                assert_type(event.retry_count, int)
            case WorkflowPausedEvent():
                assert_type(event.pause_ids, tuple[str, ...])
            case _:
                assert_type(event.created_at, int)
    with_stream = workflow.continue_run(run_id="r", stream=True)
    assert_type(with_stream, Stream)
    assert_type(with_stream.run_id, str)


async def running_async(workflow: Workflow) -> None:
    """The same on asyncio; a stream may be iterated at once or awaited first."""
    assert_type(await workflow.arun("x"), WorkflowRunOutput)
    assert_type(workflow.arun("x", stream=True), AsyncStream)
    async for event in workflow.arun("x", stream=True):
        assert_type(event, RunEvent)
    async for event in await workflow.acontinue_run(run_id="r", stream=True):
        assert_type(event, RunEvent)
    assert_type(await workflow.aget_run_output("r"), WorkflowRunOutput)
    assert_type(await workflow.arecover(), Listing[WorkflowRunOutput])


def deciding(workflow: Workflow) -> None:
    """Requirements of both kinds, and what may be said to them."""
    run = workflow.run()
    assert_type(run.status, RunStatus)
    assert_type(run.content, Any)
    assert_type(run.is_paused, bool)
    assert_type(run.step_results, list[StepOutput])
    assert_type(run.events, list[RunEvent])
    for asked in run.steps_requiring_confirmation:
        assert_type(asked, StepRequirement)
        asked.confirm(by="ada", comment="checked")
        asked.reject("too late", by="ada")
    for asked in run.steps_requiring_output_review:
        assert_type(asked.step_output, StepOutput | None)
        asked.edit({"any": ["value"]})
    for asked in run.steps_requiring_user_input:
        asked.set_user_input(amount=3, by="ada")
        assert_type(asked.user_input, dict[str, Any] | None)
    for asked in run.steps_requiring_route:
        asked.select("c", "d")
        assert_type(asked.available_choices, list[str])
    for failed in run.steps_with_errors:
        assert_type(failed, ErrorRequirement)
        assert_type(failed.retry_count, int)
        failed.retry()
        failed.skip(by="ada")
    for each in run.requirements:
        assert_type(each, StepRequirement | ErrorRequirement)
        assert_type(each.pause_id, str)
    assert_type(workflow.continue_run(run, step_requirements=run.step_requirements), WorkflowRunOutput)


def looking(workflow: Workflow) -> None:
    """Reading."""
    [asked] = workflow.list_pauses(kind="confirmation")
    assert_type(workflow.decide(asked.run_id, asked.pause_id, "confirm"), StepRequirement | ErrorRequirement)
    assert_type(workflow.get_session(), WorkflowSession | None)
    assert_type(workflow.list_runs(status=RunStatus.paused), Listing[WorkflowRunOutput])
    assert_type(workflow.cancel_run("r"), bool)
    assert_type(workflow.on(InMemoryDb()), Workflow)
    assert_type(f"{workflow:mermaid}", str)
