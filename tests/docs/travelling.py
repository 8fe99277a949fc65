"""The two journeys that the guide tells, on the real thing: a step's result, and a decision that another process goes on with.

As a program it is that other process: `python -m tests.docs.travelling FILE RUN` continues a run and writes down the way, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from statecore import SqliteDb, Step, Workflow
from tests.laws.ways import Passed, Way


def gated(path: Path, way: Way) -> Workflow:
    """A workflow of one gate; the way is no longer written down when the function behind the gate is called."""

    def pay(_: object) -> str:
        way.stop()
        return "paid"

    return Workflow("gated", [Step("pay", pay, requires_confirmation=True)], SqliteDb(db_file=path))


def decided(workflow: Workflow) -> str:
    """A run of that workflow that pauses and is decided."""
    run_id = workflow.run().run_id
    [asked] = workflow.list_pauses(run_id=run_id)
    workflow.decide(run_id, asked.pause_id, "confirm", by="ada")
    return run_id


def result(path: Path) -> list[Passed]:
    """The way from the return value of a step to the call of the next one."""
    way = Way()

    def collect(step_input: object) -> str:
        if step_input.input == "watched":  # type: ignore[attr-defined]
            way.start()
        return "three invoices"

    def pay(_: object) -> str:
        way.stop()
        return "paid"

    workflow = Workflow("two", [Step("collect", collect), Step("pay", pay)], SqliteDb(db_file=path))
    for _ in range(2):  # the lists of moves are interned, then their steps have plans
        workflow.run("warm")
    workflow.run("watched")
    return way.passed


def requirement(path: Path) -> list[Passed]:
    """The way of `confirm` into a requirement."""
    way = Way()
    workflow = gated(path, Way())
    for watched in (Way(), way):
        [asked] = workflow.run().steps_requiring_confirmation
        with watched.watched():
            asked.confirm(by="ada")
    return way.passed


def decision(path: Path) -> tuple[str, list[Passed]]:
    """The way of `decide` into the store, and the run that was decided."""
    way = Way()
    workflow = gated(path, Way())
    decided(workflow)
    run_id = workflow.run().run_id
    [asked] = workflow.list_pauses(run_id=run_id)
    with way.watched():
        workflow.decide(run_id, asked.pause_id, "confirm", by="ada")
    return run_id, way.passed


def continuation(path: Path, run_id: str) -> list[Passed]:
    """The way from `continue_run` to the call of the function behind the gate."""
    way = Way()
    workflow = gated(path, way)
    workflow.continue_run(run_id=decided(workflow))
    way.start()
    workflow.continue_run(run_id=run_id)
    return way.passed


if __name__ == "__main__":
    json.dump(continuation(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
