"""P23 on Temporal: a run that cannot be decoded, and a run that no worker answers for, keep no other from being listed."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from statecore import Inbox, Step, Workflow
from statecore.cli import main
from statecore.stores import PauseFilter, RunFilter
from statecore.temporal import TemporalDb, TemporalWorkflows
from statecore.temporal.wire import RUN
from tests.temporal.conftest import GATE, Working
from tests.temporal.servers import Server
from tests.temporal.test_sizes import end
from tests.temporal.workers import until


def test_a_run_that_cannot_be_decoded_keeps_no_other(db: TemporalDb, server: Server) -> None:
    """A run of another release, or of another codec, is named in `unread`; runs and questions beside it are listed."""

    async def strange() -> None:
        client = await db.connection.client()
        await client.start_workflow(RUN, args=["no start of ours"], id="strange", task_queue="nobody's")

    db.connection.do(strange())
    good = TemporalWorkflows(Workflow("beside", [GATE]), db).start("x")
    box = Inbox(db)
    until(lambda: good in {each.run_id for each in box.runs(RunFilter())})
    assert "strange" in {each.run_id for each in box.runs(RunFilter()).unread}
    assert "strange" in {each.run_id for each in box.pending(PauseFilter()).unread}
    assert main(["runs", "--db", f"temporal://{server.target}"]) == 1
    end(db, "strange")
    end(db, good)


def test_the_questions_of_a_run_with_a_large_session_state_need_no_worker(db: TemporalDb, server: Server) -> None:
    """A session state that was too large for a memo is left out of what a listing shows; no worker is asked for it."""
    flow = Workflow("gated", [Step("gate", lambda s: s.input, requires_confirmation=True)])
    working = Working(db, flow)
    run_id = TemporalWorkflows(flow, db).start("x", session_state={"all": "z" * 9_000})
    until(lambda: db.rests(run_id))
    working.stop()
    impatient = TemporalDb(server.target, patience=0.2)
    [asked] = until(lambda: [each for each in Inbox(impatient).pending(PauseFilter()) if each.run_id == run_id])
    assert (asked.step_name, asked.step_type) == ("gate", "Step")
    [record] = [each for each in impatient.runs(RunFilter()) if each.identity.run_id == run_id]
    assert (record.session_state, record.state.run) == ("", "paused")
    assert [each.run_id for each in impatient.runs(RunFilter()).unread if each.run_id == run_id] == []
    impatient.close()
    end(db, run_id)


def test_a_run_whose_task_queue_has_had_no_worker_for_long_keeps_no_other(db: TemporalDb, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server then refuses the query at once, in other words than a wait that was too long; the run is named, the others are listed."""
    flow = Workflow("left", [GATE])
    run_id = TemporalWorkflows(flow, db).start("x", session_state={"all": "z" * 9_000})
    good = TemporalWorkflows(flow, db).start("y")
    whole = WorkflowHandle.query

    async def refused(self: Any, *args: Any, **more: Any) -> Any:
        if self.id == run_id:
            raise RPCError("no poller seen for task queue recently, worker may be down", RPCStatusCode.FAILED_PRECONDITION, b"")
        return await whole(self, *args, **more)

    monkeypatch.setattr(WorkflowHandle, "query", refused)
    working = Working(db, flow)
    until(lambda: db.rests(good))
    found = until(lambda: [each for each in [Inbox(db).runs(RunFilter())] if good in {run.run_id for run in each}])[0]
    assert run_id in {run.run_id for run in found} | {each.run_id for each in found.unread}
    monkeypatch.undo()
    end(db, run_id)
    end(db, good)
    working.stop()
