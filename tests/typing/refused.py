"""What a type checker refuses. Nothing here is run.

Each line is wrong and says so: the checkers are told to complain of a comment that silences nothing, so a line that is accepted by mistake
fails the test run.
"""

from __future__ import annotations

from statecore import Condition, Loop, Parallel, Router, Step, StepInput, Workflow
from statecore.run.workflow import StepCompletedEvent


def fetch(step_input: StepInput) -> str:
    """A step."""
    return str(step_input.input)


def definitions() -> None:
    """Wrong settings and children."""
    Step("a", "fetch")  # type: ignore[arg-type]
    Step("a", fetch, max_retries="three")  # type: ignore[arg-type]
    Step("a", fetch, requires_confirmation="yes")  # type: ignore[arg-type]
    Step("a", fetch, on_eror="pause")  # type: ignore[call-arg]
    Step("a", fetch, timeout="1 h")  # type: ignore[arg-type]
    Condition("c", fetch)  # type: ignore[arg-type]
    Condition("c", [fetch], evaluator=3)  # type: ignore[arg-type]
    Loop("l", [fetch], max_iterations="3")  # type: ignore[arg-type]
    Router("r", [fetch], selector=17)  # type: ignore[arg-type]
    Parallel(17)  # type: ignore[arg-type]
    Workflow("w", steps=17)  # type: ignore[arg-type]
    Workflow("w", [fetch], db="runs.db")  # type: ignore[arg-type]


def runs(workflow: Workflow) -> None:
    """Wrong options of a run, and wrong uses of what it gives."""
    workflow.run("x", stream="yes")  # type: ignore[call-overload]
    workflow.run("x", run_id=17)  # type: ignore[call-overload]
    workflow.run("x", sesion_id="s")  # type: ignore[call-overload]
    workflow.run("x", stream=True).status  # type: ignore[attr-defined]  # noqa: B018
    workflow.run("x", stream=False).close()  # type: ignore[attr-defined]
    workflow.continue_run("r")  # type: ignore[call-overload]
    workflow.continue_run(run_id="r", retry_failed="yes")  # type: ignore[call-overload]
    workflow.decide("r", "p")  # type: ignore[call-arg]
    for event in workflow.run("x", stream=True):
        event.content  # type: ignore[attr-defined]  # noqa: B018
        if isinstance(event, StepCompletedEvent):
            event.error_type  # type: ignore[attr-defined]  # noqa: B018


async def runs_async(workflow: Workflow) -> None:
    """An output is awaited, a stream is iterated."""
    workflow.arun("x").status  # type: ignore[attr-defined]  # noqa: B018
    async for _ in workflow.arun("x"):  # type: ignore[attr-defined]
        pass


def decisions(workflow: Workflow) -> None:
    """Answers that a requirement does not take."""
    run = workflow.run()
    for asked in run.steps_requiring_confirmation:
        asked.retry()  # type: ignore[attr-defined]
        asked.confirm("ada")  # type: ignore[call-arg]
        asked.reject(feedback=17)  # type: ignore[arg-type]
        asked.select(17)  # type: ignore[arg-type]
    for failed in run.steps_with_errors:
        failed.confirm()  # type: ignore[attr-defined]
        failed.retry(by=17)  # type: ignore[arg-type]
