"""P23 on Temporal: a run that cannot be decoded, and a run that no worker answers for, keep no other from being listed."""

from __future__ import annotations

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
