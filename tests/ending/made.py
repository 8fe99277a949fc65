"""Stores with runs of every kind, for the tests of the end of data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from statecore import Parallel, Step, Workflow
from statecore.testing.doubles import Clock, timed

if TYPE_CHECKING:
    from pathlib import Path

IBAN = "DE02120300000000202051"
"""The value that must not be found again."""
DAY = 86_400 * 1_000_000


def flow_of(db: Any, clock: Clock, name: str = "flow", session: str | None = None) -> Workflow:
    """A step with a large output, a gate, a step that keeps something in the session."""

    def remember(_step_input, run_context):
        run_context.session_state["customer"] = IBAN
        return "remembered"

    steps: list[Any] = [
        Step("large", lambda s: f"{s.input} " * 200),
        Step("gate", lambda s: f"paid {s.input}", requires_confirmation=True),
        Step("remember", remember),
    ]
    return timed(Workflow(name, steps, db=db, session_id=session), clock)


def wide_of(db: Any, clock: Clock, branches: int = 36) -> Workflow:
    """A run of many questions: when it is cancelled, more moves are made at once than a list is interned of."""
    steps = [Step(f"b{n}", lambda _: 1, requires_confirmation=True) for n in range(branches)]
    return timed(Workflow("wide", [Parallel(*steps, name="wide")], db=db), clock)


def failing_of(db: Any, clock: Clock) -> Workflow:
    """A step that fails with the value in its message."""

    def fail(_step_input):
        raise OSError(IBAN)

    return timed(Workflow("failing", [Step("fail", fail)], db=db), clock)


def completed(flow: Workflow, run_id: str, comment: str | None = None, **options: Any) -> None:
    """A run that has ended well."""
    run = flow.run(IBAN, run_id=run_id, **options)
    for each in run.requirements:
        flow.decide(run_id, each.pause_id, "confirm", by="ada", comment=comment)
    flow.continue_run(run_id=run_id)


def filled(db: Any, clock: Clock) -> list[str]:
    """Runs of every kind; the ids of those that have ended. The others must never be touched."""
    flow = flow_of(db, clock)
    completed(flow, "done", comment=f"checked {IBAN}", user_id="ann", idempotency_key="k", session_id="s")
    completed(flow, "again", session_id="s")
    flow.run(IBAN, run_id="cancelled")
    flow.cancel_run("cancelled", by="eve")
    with pytest.raises(OSError, match=IBAN):
        failing_of(db, clock).run(IBAN, run_id="failed")
    wide = wide_of(db, clock)
    wide.run(IBAN, run_id="wide")
    wide.cancel_run("wide")
    flow.run(IBAN, run_id="paused", session_id="t")
    flow.run(IBAN, run_id="decided")
    flow.decide("decided", "gate:confirmation:0", "confirm", by="ada")
    flow.submit(IBAN, run_id="submitted")
    return ["done", "again", "cancelled", "failed", "wide"]


LIVING = ("paused", "decided", "submitted")
"""The runs of `filled` that have not ended."""


def rows_of(file: Path, run_id: str) -> dict[str, list[Any]]:
    """Every row that a run has in a file, by table."""
    with closing(sqlite3.connect(file)) as connection:
        [number] = connection.execute("SELECT id FROM run WHERE run_id = ?", (run_id,)).fetchone()
        where = {
            "run": "id = :run",
            "hot": "run = :run",
            "event": "run = :run",
            "value": "event >> 24 = :run",
            "move": "event >> 24 = :run",
            "pause": "run = :run",
            "session_value": "run = :run",
        }
        return {
            table: connection.execute(f"SELECT * FROM {table} WHERE {condition}", {"run": number}).fetchall()  # noqa: S608  # from above
            for table, condition in where.items()
        }
