"""A fixed scenario stores the same bytes as the release that made the golden file: every table, every column, every row.

The golden file is `tests/seeds/same-bytes.json`. It was written by an earlier release with this very scenario, whose clock, owner and ids
are fixed, and it stays as it is as long as the schema does. `python -m tests.conformance.test_same_bytes FILE` writes one.
"""

# ruff: noqa: S608  # the names of tables and columns are read from the file itself

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from statecore import Condition, Loop, OnError, Parallel, Router, RunStatus, Step, StepInput, Workflow
from statecore.errors import RunBusy
from statecore.runtime import ends
from statecore.runtime.traces import Trace
from statecore.stores import RunFilter
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.store import SqliteDb2 as SqliteDb

SEEDS = Path(__file__).parents[1] / "seeds"
GOLDEN, UNASKED, BEFORE = SEEDS / "same-bytes.json", SEEDS / "bytes-unasked.json", SEEDS / "bytes-before.json"
"""The rows that this release writes, those of one whose steps asked nothing, and those of one with no question that is put again."""
BEGAN = 1_700_000_000_000_000
OWNER = "old-host/boot/1/1"
BOOM = "the line is busy"
LARGE = "0123456789" * 2_000


class Stopped(BaseException):
    """The process is told to end in the middle of a step."""


class Scene:
    """Workflows on one file, with a clock that moves when a step is called or an act begins, and at no other moment."""

    def __init__(self, file: Path) -> None:
        self.db = SqliteDb(db_file=file, durability="normal")
        self.now = BEGAN
        self.healed = False

    def tick(self) -> None:
        """A millisecond passes."""
        self.now += 1_000

    def work(self, step_input: StepInput) -> Any:
        """Say which step this is, and what came before."""
        self.tick()
        return {"name": step_input.step_name, "before": step_input.previous_step_content}

    def flaky(self, step_input: StepInput, run_context: Any) -> Any:
        """Fail until it is healed; count the calls in the session."""
        self.tick()
        run_context.session_state["calls"] = run_context.session_state.get("calls", 0) + 1
        if not self.healed:
            raise OSError(BOOM)
        return step_input.step_name

    def dies(self, _step_input: StepInput) -> Any:
        """End the process."""
        self.tick()
        raise Stopped

    def placed(self, workflow: Workflow) -> Workflow:
        """The workflow with this scene's clock and owner."""
        workflow.host = evolve(workflow.host, clock=lambda: self.now, owner=lambda: OWNER)
        return workflow

    def flow(self) -> Workflow:
        """Something of everything."""
        work = self.work
        steps: list[Any] = [
            Step("collect", work),
            Step("pay", work, requires_confirmation=True, confirmation_message="Pay?"),
            Condition("deep", [Step("yes", work)], [Step("no", work)], evaluator=lambda _: True),
            Loop("again", [Step("round", work)], max_iterations=2),
            Router("way", [Step("left", work), Step("right", work)], selector=lambda _: ["right", "left"]),
            Parallel(Step("one", work), Step("two", work, requires_confirmation=True), name="both"),
            Step("flaky", self.flaky, on_error=OnError.pause),
            Step("end", work),
        ]
        return self.placed(Workflow("same", steps, self.db, session_id="s", max_concurrency=1))

    def failing(self) -> Workflow:
        """A run of it fails."""
        return self.placed(Workflow("failing", [Step("fails", self.flaky)], self.db, session_id="t", metadata={"team": "é"}))

    def dying(self) -> Workflow:
        """A run of it is interrupted in the middle of a step."""
        return self.placed(Workflow("dying", [Step("first", self.work), Step("dies", self.dies)], self.db, session_id="s"))

    def play(self) -> None:
        """One run to its end through every kind of answer, and one that rests at each kind of place."""
        flow = self.flow()
        run = flow.run({"amount": 3}, run_id="done", user_id="u", additional_data={"note": LARGE}, idempotency_key="k")
        while run.is_paused:
            self.tick()
            for asked in run.steps_requiring_confirmation:
                asked.confirm(by="ann", comment="good")
            for error in run.steps_with_errors:
                self.healed = True
                error.retry(by="bob")
            run = flow.continue_run(run)
        assert run.status is RunStatus.completed
        self.healed = False
        flow.run(run_id="paused")
        self.tick()
        flow.run(run_id="decided")
        [pause] = flow.list_pauses(run_id="decided")
        flow.decide("decided", pause.pause_id, "confirm", by="bob", comment="fine", idempotency_key="d")
        self.tick()
        run = flow.run(run_id="errored", session_id="u")
        while run.steps_requiring_confirmation:
            for asked in run.steps_requiring_confirmation:
                asked.confirm(by="ann")
            run = flow.continue_run(run)
        self.tick()
        flow.run(run_id="gone")
        flow.cancel_run("gone", by="eve")
        self.tick()
        flow.submit("later", run_id="submitted", idempotency_key="s")
        flow.submit(run_id="claimed")
        taken = self.db.claim_next(flow.id, OWNER, self.now, BEGAN + 10**12, 1, ("decided", "submitted"))
        assert [record.identity.run_id for record, _ in taken] == ["claimed"]
        with pytest.raises(OSError, match=BOOM):
            self.failing().run(run_id="failed")
        with pytest.raises(Stopped):
            self.dying().run(run_id="broken")
        self.db.close()


def dump(file: Path) -> dict[str, Any]:
    """Every table of a file: its columns, and its rows in a fixed order; bytes as their hex digits.

    `held` is a set written as a list, in the order of this process's hashes, so it is sorted.
    """
    connection = sqlite3.connect(file)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        tables = {}
        for name in names:
            found = connection.execute(f"SELECT * FROM {name}")
            columns = [column for column, *_ in found.description]
            rows = [[plain(column, each) for column, each in zip(columns, row, strict=True)] for row in found]
            tables[name] = {"columns": columns, "rows": sorted(rows, key=json.dumps)}
        return tables
    finally:
        connection.close()


def plain(column: str, found: Any) -> Any:
    """A value of a column, as JSON has it."""
    if isinstance(found, bytes):
        return {"bytes": found.hex()}
    return json.dumps(sorted(json.loads(found)), separators=(",", ":")) if column == "held" else found


def restore(tables: dict[str, Any], file: Path) -> None:
    """A store with the rows of a dump, put in behind its triggers."""
    db = SqliteDb(db_file=file)
    db.runs(RunFilter())
    db.close()
    connection = sqlite3.connect(file, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for name, table in tables.items():
        connection.execute(f"DELETE FROM {name}")
        places = ", ".join("?" * len(table["columns"]))
        rows = [[bytes.fromhex(each["bytes"]) if isinstance(each, dict) else each for each in row] for row in table["rows"]]
        connection.executemany(f"INSERT INTO {name} ({', '.join(map(quoted, table['columns']))}) VALUES ({places})", rows)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def quoted(column: str) -> str:
    """A column's name, which may be a word of SQL."""
    return f'"{column}"'


def test_a_scenario_stores_the_bytes_that_it_stored_before(tmp_path, monkeypatch):
    """Every row of every table is the one of the golden file; its failures tell no traceback, for that names files of the machine."""
    monkeypatch.setattr(ends, "trace_of", lambda *_: Trace(None, None))
    Scene(tmp_path / "same.db").play()
    found, golden = dump(tmp_path / "same.db"), json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert found.keys() == golden.keys()
    for name, table in golden.items():
        assert found[name] == table, name
    assert [len(golden[name]["rows"]) for name in ("run", "journal", "pause", "decision")] == [9, 112, 9, 6]


@pytest.mark.parametrize("written", [GOLDEN, UNASKED, BEFORE], ids=["now", "before code asked", "before"])
def test_a_store_that_was_written_before_goes_on(tmp_path, written):
    """The rows of the golden file are sound, and each run goes on: what was paused, decided, in error, failed, submitted or interrupted."""
    file = tmp_path / "before.db"
    restore(json.loads(written.read_text(encoding="utf-8")), file)
    assert dump(file) == json.loads(written.read_text(encoding="utf-8"))
    assert verify(file).faults == []
    scene = Scene(file)
    scene.now, scene.healed = BEGAN + 10**9, True
    flow = scene.flow()
    assert flow.get_run_output("done").content["before"] == "flaky"
    for run_id in ("decided", "paused", "errored", "submitted"):
        rests = run_id in ("paused", "errored")
        run = flow.get_run_output(run_id) if rests else flow.continue_run(run_id=run_id)
        while run.is_paused:
            for asked in run.steps_requiring_confirmation:
                asked.confirm()
            for error in run.steps_with_errors:
                error.retry()
            run = flow.continue_run(run)
        assert (run.status, run.content["name"]) == (RunStatus.completed, "end")
    assert scene.failing().continue_run(run_id="failed", retry_failed=True).content == "fails"
    with pytest.raises(Stopped):
        scene.dying().continue_run(run_id="broken")
    with pytest.raises(RunBusy):
        flow.continue_run(run_id="claimed")
    scene.db.close()
    assert verify(file).faults == []


if __name__ == "__main__":
    vars(ends)["trace_of"] = lambda *_: Trace(None, None)
    with tempfile.TemporaryDirectory() as folder:
        Scene(Path(folder) / "same.db").play()
        text = json.dumps(dump(Path(folder) / "same.db"), indent=1, ensure_ascii=True)
        Path(sys.argv[1]).write_text(text + "\n", encoding="utf-8")
