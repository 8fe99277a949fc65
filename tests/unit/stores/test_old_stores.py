"""Stores of every schema that was released are read, migrated and gone on with (P12)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from statecore import RunStatus
from statecore.errors import RunBusy
from statecore.stores.sqlite import opening
from statecore.stores.sqlite import opening as schema
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb
from tests.unit.stores.old_flows import failing, flow, work
from tests.unit.stores.sqlite_files import raw

SEEDS = Path(__file__).parents[2] / "seeds"
RELEASED = range(1, schema.VERSION)


@pytest.fixture(params=RELEASED)
def old(request, tmp_path):
    """A store as a release wrote it."""
    file = tmp_path / "old.db"
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript((SEEDS / f"store-{request.param}.sql").read_text(encoding="utf-8"))
    assert opening.marks(connection) == (schema.APPLICATION_ID, request.param)
    connection.close()
    return file


def test_there_is_a_store_of_every_released_schema():
    """A schema is released when a later one is made; then a store of it lies among the seeds."""
    assert sorted(path.name for path in SEEDS.glob("store-*.sql")) == [f"store-{version}.sql" for version in RELEASED]


def test_an_old_store_is_read(old):
    """Every run is found as it stood, with its content, its decisions and its questions."""
    db = SqliteDb(old)
    workflow = flow(db)
    assert {run.run_id: run.status.value for run in workflow.list_runs()} == {
        "done": "COMPLETED",
        "paused": "PAUSED",
        "decided": "PAUSED",
        "errored": "PAUSED",
        "gone": "CANCELLED",
        "left": "RUNNING",
    }
    done = workflow.get_run_output("done")
    assert (done.content["name"], done.user_id, done.input) == ("end", "u", {"amount": 3})
    assert [step.step_name for step in done.step_results] == ["collect", "pay", "deep", "again", "way", "both", "flaky", "end"]
    assert [(pause.run_id, pause.kind) for pause in workflow.list_pauses()] == [("paused", "confirmation"), ("errored", "error")]
    assert [(decided.word, decided.by, decided.comment, decided.key) for decided in db.decisions("decided")] == [
        ("confirm", "bob", "fine", "k")
    ]
    assert failing(db).get_run_output("failed").status is RunStatus.error
    db.close()
    connection = raw(old)
    assert opening.marks(connection) == (schema.APPLICATION_ID, schema.VERSION)
    connection.close()
    assert verify(old).faults == []


def test_runs_of_an_old_store_go_on(old):
    """What was decided, paused, failed or left before the migration is continued to its end after it."""
    db = SqliteDb(old)
    workflow = flow(db)
    for run_id in ("paused", "decided", "errored"):
        run = workflow.get_run_output(run_id)
        while run.is_paused:
            for asked in run.steps_requiring_confirmation:
                if asked.decision is None:
                    asked.confirm()
            for error in run.steps_with_errors:
                error.skip()
            run = workflow.continue_run(run)
        assert (run.status, run.content["name"]) == (RunStatus.completed, "end")
    with pytest.raises(RunBusy):
        workflow.continue_run(run_id="left")
    fixed = failing(db)
    object.__setattr__(fixed.definition.steps[0], "executor", work)
    assert fixed.continue_run(run_id="failed", retry_failed=True).content == {"name": "fails", "before": None}
    db.close()
    assert verify(old).faults == []
