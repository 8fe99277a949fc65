"""P23 on Postgres: one bad row harms one run."""

from __future__ import annotations

from statecore import RunStatus, Step, Workflow
from statecore.runtime.worker import Went, Worker


def test_a_bad_row_of_postgres_harms_one_run(db):
    """A row that was changed behind its seal is named by listings, `tick` and a worker, which go on with the others."""
    flow = Workflow("flow", [Step("gated", lambda _: "done", requires_confirmation=True)], db=db)
    for run_id in "123":
        flow.run(run_id=run_id)
        flow.decide(run_id, "gated:confirmation:0", "confirm")
    db._write(lambda link: link.execute("ALTER TABLE run DISABLE TRIGGER USER"))
    db._write(lambda link: link.execute("UPDATE run SET user_id = 'eve' WHERE run_id = '2'"))
    db._write(lambda link: link.execute("ALTER TABLE run ENABLE TRIGGER USER"))
    found = flow.list_runs()
    assert ([each.run_id for each in found], [each.run_id for each in found.unread]) == (["3", "1"], ["2"])
    told: list[Went] = []
    Worker(flow, 1, tell=told.append).work(until_idle=True)
    assert {each.run_id: each.status for each in told} == {"1": "COMPLETED", "2": "REFUSED", "3": "COMPLETED"}
    taken = flow.tick()
    assert ([each.status for each in taken], [each.run_id for each in taken.unread]) == ([], ["2"])
    assert flow.get_run_output("3").status is RunStatus.completed
