"""`python -m tests.temporal.record` records what this release writes into Temporal's histories, kept for ever in `histories`.

A history of an earlier release is never changed: a run that began with it has to go on, so that each of them is replayed by the code of
today. Where this release asks Temporal for other things in another order, its histories are recorded anew, under a new name.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from statecore import Loop, Parallel, Router, Step, StepOutput, Workflow, __version__
from statecore.runtime.hands import Hands
from statecore.temporal import TemporalDb, TemporalWorkflows
from statecore.temporal.activities import Performer, runner, worker
from statecore.temporal.client.connection import runtime
from statecore.temporal.workflow.run import Run
from tests.temporal.servers import started

if TYPE_CHECKING:
    from statecore import StepInput, WorkflowRunOutput

HISTORIES = Path(__file__).parent / "histories"
RELEASE = ".".join(__version__.split(".")[:2])


def flaky(step_input: StepInput) -> Any:
    """Fails on its first attempt."""
    return "fine" if step_input.attempt else StepOutput(success=False, error="not yet")


WORKFLOWS: dict[str, list[Any]] = {
    "gate": [
        Step("read", lambda s: s.input),
        Step("pay", lambda s: f"paid {s.input}", requires_confirmation=True),
        Step("end", str),
    ],
    "errors": [Step("flaky", flaky, on_error="pause"), Step("waits", flaky, max_retries=1, retry_delay=0.05)],
    "branches": [
        Parallel(Step("a", lambda _s: 1), Step("b", lambda _s: 2, requires_confirmation=True), name="both"),
        Router("way", [Step("x", lambda _s: "x"), Step("y", lambda _s: "y")], selector=lambda _s: "y"),
        Loop("loop", [Step("round", lambda s: s.input)], max_iterations=2),
        Step("last", lambda s: s.previous_step_content, requires_output_review=True),
    ],
}


def replay(history: WorkflowHistory) -> None:
    """Have this release's workflow do again what a history says. Raises where it would do something else."""
    asyncio.run(Replayer(workflows=[Run], workflow_runner=runner(), runtime=runtime()).replay_workflow(history))


def answer(run: WorkflowRunOutput) -> None:
    """A person says yes, and retry."""
    for asked in run.step_requirements:
        asked.confirm(by="ada")
    for failed in run.error_requirements:
        failed.retry(by="ada")


def recorded(db: TemporalDb, runs: TemporalWorkflows) -> str:
    """The history of one run, from its start to its end, as text."""
    run = runs.run("x", timeout=30)
    while run.is_paused:
        answer(run)
        run = runs.continue_run(run, timeout=30)

    async def history() -> WorkflowHistory:
        client = await db.connection.client()
        return await client.get_workflow_handle(run.run_id).fetch_history()

    text = json.dumps(json.loads(db.connection.do(history()).to_json()), separators=(",", ":"))
    return re.sub(r'"identity":"[^"]*"', '"identity":"worker"', text)  # which machine it was is nobody's business


def main() -> int:
    """Record each workflow's history."""
    server = started("dev")
    db = TemporalDb(server.target)
    HISTORIES.mkdir(exist_ok=True)
    for name, steps in WORKFLOWS.items():
        workflow = Workflow(name, steps)
        performer = Performer(db, {workflow.id: workflow}, Hands("steps", 4))

        async def record(workflow: Workflow = workflow, performer: Performer = performer) -> str:
            async with worker(await db.connection.client(), performer, workflow.id, 4):
                return await asyncio.to_thread(recorded, db, TemporalWorkflows(workflow, db))

        text = db.connection.do(record())
        (HISTORIES / f"{RELEASE}-{name}.json").write_text(text + "\n", encoding="utf-8")
    server.stop()
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
