"""The workflows whose runs lie in `tests/seeds`, in stores of every schema that was released."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from statecore import Condition, Loop, Parallel, Router, Step, StepInput, Workflow
from statecore.runtime import Host
from statecore.stores import RunStore

BEGAN = 1_700_000_000_000_000
BOOM = "the line is busy"


class Stopped(BaseException):
    """The process ends in the middle of a step."""


def work(step_input: StepInput) -> Any:
    """Say which step this is, and what came before."""
    return {"name": step_input.step_name, "before": step_input.previous_step_content}


def fails(_step_input: StepInput) -> Any:
    """Fail."""
    raise OSError(BOOM)


def flow(db: RunStore) -> Workflow:
    """Something of everything."""
    steps: list[Any] = [
        Step("collect", work),
        Step("pay", work, requires_confirmation=True),
        Condition("deep", [Step("yes", work)], [Step("no", work)], evaluator=lambda _: True),
        Loop("again", [Step("round", work)], max_iterations=2),
        Router("way", [Step("left", work), Step("right", work)], selector=lambda _: ["right", "left"]),
        Parallel(Step("one", work), Step("two", work, requires_confirmation=True), name="both"),
        Step("flaky", fails, on_error="pause"),
        Step("end", work),
    ]
    return on_old_host(Workflow("old", steps, db, session_id="s"))


def failing(db: RunStore) -> Workflow:
    """A run of it fails."""
    return on_old_host(Workflow("failing", [Step("fails", fails)], db, session_id="s"))


def on_old_host(workflow: Workflow) -> Workflow:
    """The workflow as another machine executes it, with a clock of its own."""
    now = iter(range(BEGAN, BEGAN + 10**9, 1_000))
    workflow.host = evolve(Host(workflow.db), clock=lambda: next(now), owner=lambda: "old-host/boot/1/1")
    return workflow
