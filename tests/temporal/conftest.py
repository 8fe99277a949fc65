"""Servers that live as long as the session, and a worker in this process whose workflow a test chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from statecore import Step, Workflow
from statecore.runtime.hands import Hands
from statecore.temporal import TemporalDb, TemporalWorkflows, Values
from statecore.temporal.activities import Performer, worker
from tests.temporal.servers import Server, started

Serve = Callable[..., TemporalWorkflows]
"""What the fixture `serve` is."""
GATE = Step("gate", lambda s: s.input, requires_confirmation=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A dev server."""
    server = started("dev")
    yield server
    server.stop()


@pytest.fixture
def db(server: Server) -> Iterator[TemporalDb]:
    """The runs on the dev server."""
    db = TemporalDb(server.target, lease=30)
    yield db
    db.close()


def history_of(db: TemporalDb, run_id: str) -> WorkflowHistory:
    """What Temporal remembers of a run, of its newest execution."""

    async def fetched() -> WorkflowHistory:
        client = await db.connection.client()
        return await client.get_workflow_handle(run_id).fetch_history()

    return db.connection.do(fetched())


class Working:
    """A worker in this process. What it serves may be changed while it works, to another workflow of the same id."""

    def __init__(self, db: TemporalDb, workflow: Workflow, slots: int = 8) -> None:
        self.db, self.pool = db, Hands("steps", slots)
        self.performer = Performer(db, {workflow.id: workflow}, self.pool)
        self.worker: Any = db.connection.do(self._begin(workflow.id, slots))

    async def _begin(self, workflow_id: str, slots: int) -> Any:
        made = worker(await self.db.connection.client(), self.performer, workflow_id, slots)
        await made.__aenter__()
        return made

    def stop(self) -> None:
        """Stop it, once its calls have ended."""
        self.db.connection.do(self.worker.__aexit__(None, None, None))
        self.performer.steps.close()


@pytest.fixture
def serve(db: TemporalDb) -> Iterator[Callable[..., TemporalWorkflows]]:
    """Workers for as long as a test lasts: of a workflow, its runs."""
    working: list[Working] = []

    def serving(workflow: Workflow, slots: int = 8, values: Values | None = None) -> TemporalWorkflows:
        db.values = values
        working.append(Working(db, workflow, slots))
        return TemporalWorkflows(workflow, db)

    yield serving
    for each in working:
        each.stop()
