"""A process that dies while it executes a run: a fork of one that has imported what it needs, and nothing else of this one.

The scenario's user code writes each call into LOG, with one write, so that what really ran is known whatever became of the process.
WHEN is `in:NAME`, and the process kills itself inside that user code; or `after:N`, and it is gone when the store has taken N commits,
counting from the one that begins the run (0).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from statecore import Condition, Parallel, Step, Steps, Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import NotPaused, UnknownRun
from statecore.stores import Boundary, Obstacle
from tests.conformance.drive import Colour, Drive, confirm_all

RUN_ID = "r"
WORLD = get_context("forkserver")
WORLD.set_forkserver_preload([__name__])
Work = Callable[[str], Callable[..., Any]]


def yes(called: Callable[..., Any]) -> Callable[..., bool]:
    """User code that says yes when it is over."""
    return lambda step_input: called(step_input) is not None


def long_way(work: Work) -> list[Any]:
    """A scenario with something of everything: a gate, an error that a person retries, a fork, groups, a policy that skips."""

    def flaky(step_input: Any) -> Any:
        work("flaky")(step_input)
        if step_input.attempt == 0:
            raise OSError("flaky")
        return ("flaky", step_input.attempt)

    def bad(step_input: Any) -> Any:
        work("bad")(step_input)
        raise OSError("bad")

    return [
        Step("a", work("a")),
        Step("flaky", flaky, requires_confirmation=True, on_error="pause"),
        Condition("fork", [Steps("group", [Step("b", work("b")), Step("c", work("c"))])], evaluator=yes(work("evaluator"))),
        Step("bad", bad, on_error="skip"),
        Step("nested", workflow=Workflow("inner", [Step("d", work("d"), requires_confirmation=True)])),
        Step("end", work("end")),
    ]


def short(**settings: Any) -> Callable[[Work], list[Any]]:
    """A scenario with one step in the middle that has these settings."""
    return lambda work: [Step("a", work("a")), Step("b", work("b"), **settings), Step("end", work("end"))]


def branches(policy: str, **settings: Any) -> Callable[[Work], list[Any]]:
    """A scenario with a branch that takes an interruption so, beside one behind a gate that has these settings."""

    def steps(work: Work) -> list[Any]:
        gated = Step("b", work("b"), requires_confirmation=True, **settings)
        return [Parallel(Step("a", work("a"), on_interrupt=policy), gated, name="both"), Step("end", work("end"))]

    return steps


SCENARIOS: dict[str, Callable[[Work], list[Any]]] = {
    "long way": long_way,
    "plain": short(),
    "on_error=pause": short(on_error="pause"),
    "on_error=skip": short(on_error="skip"),
    "on_interrupt=pause": short(on_interrupt="pause"),
    "on_interrupt=fail": short(on_interrupt="fail"),
    "on_interrupt=retry": short(on_interrupt="retry", on_error="pause"),
    "evaluator": lambda work: [Condition("fork", [Step("then", work("then"))], evaluator=yes(work("evaluator")))],
    "gate": short(requires_confirmation=True),
    **{f"branches, on_interrupt={policy}": branches(policy) for policy in ("fail", "retry", "pause")},
    "branches, on_interrupt=fail, timeout": branches("fail", timeout=60, on_timeout="approve"),
}


def flow(scenario: str, db: SqliteDb, log: Path, dies_in: str = "") -> Workflow:
    """The scenario's workflow; `dies_in` names the user code in which the process kills itself."""

    def work(name: str) -> Callable[..., Any]:
        def called(step_input: Any) -> Any:
            written(log, f"{name} {step_input.attempt} {step_input.idempotency_key}\n")
            if name == dies_in:
                os.kill(os.getpid(), signal.SIGKILL)
            return name

        return called

    return Workflow("flow", SCENARIOS[scenario](work), db, session_id="s")


def written(log: Path, line: str) -> None:
    """Append a line in one write."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


class Mortal(SqliteDb):
    """A store whose process is gone when it has taken so many commits."""

    left: int | None = None

    def commit(self, boundary: Boundary) -> Obstacle:
        refused = super().commit(boundary)
        self.spend()
        return refused

    def spend(self) -> None:
        if self.left == 0:
            os._exit(9)
        if self.left is not None:
            self.left -= 1


def on(drive: Drive, workflow: Workflow) -> Any:
    """Begin the run, or go on with it, to its end; a person says yes to everything."""
    try:
        run = workflow.get_run_output(RUN_ID)
    except UnknownRun:
        run = drive.run(workflow, run_id=RUN_ID)
    else:
        if not run.is_paused:
            try:
                run = drive.resume(workflow, run_id=RUN_ID)
            except NotPaused:
                return run
    return drive.finish(workflow, run, confirm_all)


def die(db_file: Path, log: Path, colour: Colour, scenario: str, when: str) -> int:
    """Let a process begin or continue the run and die; its exit status, 0 where it lived to the end."""
    process = WORLD.Process(target=lives, args=(db_file, log, colour, scenario, when))
    process.start()
    process.join(120)
    assert process.exitcode is not None, "it neither dies nor ends"
    return process.exitcode


def lives(db_file: Path, log: Path, colour: Colour, scenario: str, when: str) -> None:
    """The process that dies."""
    how, _, at = when.partition(":")
    db = Mortal(db_file=str(db_file))
    db.left = int(at) if how == "after" else None
    on(Drive(colour), flow(scenario, db, log, at if how == "in" else ""))
