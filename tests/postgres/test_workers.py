"""Workers in processes of their own, on a file and on Postgres: they share, are killed, are stopped, and lose nothing."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from statecore import SqliteDb
from statecore.cli.main import main
from statecore.db.postgres import PostgresDb
from tests.postgres import flows
from tests.postgres.campaigns import ended, killed, shared
from tests.postgres.flows import lines, until, worker


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """What `--db` is given."""
    return str(tmp_path / "runs.db") if request.param == "sqlite" else request.getfixturevalue("database")


@pytest.fixture
def db(place):
    """The store, as this process sees it."""
    store = PostgresDb(place) if "://" in place else SqliteDb(place)
    yield store
    store.close()


@pytest.fixture
def log(tmp_path, monkeypatch):
    """Where user code tells what it does; each line has happened."""
    monkeypatch.setenv(flows.LOG, str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def pipe(tmp_path):
    """What a step waits for."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_two_workers_share_what_was_submitted(place, db, log, capsys):
    """Sixty steps, two workers: each step happens once, and every run is completed; a command submits, another executes and ends when idle."""
    assert len(shared(place, db, log, 18, 0.02)) == 2
    assert main(["run", f"{flows.__file__}:plain", "--submit", "--input-json", "{}", "--db", place]) == 0
    assert "is PENDING: a worker begins it." in capsys.readouterr().out
    assert main(["worker", f"{flows.__file__}:plain", "--until-idle", "--db", place]) == 0
    assert "1 completed" in capsys.readouterr().out


def test_a_worker_that_is_killed_in_a_step_is_taken_over(place, db, log, pipe):
    """Kill -9 in the middle of a step: another worker goes on with the run at once, what was done stays done, and the step is listed as interrupted."""
    flow = flows.plain.on(db)
    run_id = flow.submit({"pipe": str(pipe)}).run_id
    first = worker("plain", place, log)
    until(lambda: ["begin", f"{run_id}/middle", str(first.pid)] in lines(log))
    first.kill()
    first.communicate()
    second = worker("plain", place, log, "--until-idle")
    until(lambda: ["begin", f"{run_id}/middle", str(second.pid)] in lines(log))
    pipe.write_bytes(b"go on")
    assert ended(second, deaths=True) == (0, {"counts": {"COMPLETED": 1}})
    assert [(what, key.rpartition("/")[2]) for what, key, _ in lines(log)] == [
        ("begin", "first"),
        ("end", "first"),
        ("begin", "middle"),
        ("begin", "middle"),
        ("end", "middle"),
        ("begin", "last"),
        ("end", "last"),
    ]
    assert [row.trigger for row in db.journal(run_id) if row.at == "middle"] == ["enter", "interrupt", "succeed"]


def test_a_kill_loses_neither_paused_nor_running_runs(place, db, log):
    """Runs that wait and runs in the middle, and the worker is killed: once the waiting ones are decided, other workers bring all to their ends."""
    assert killed(place, db, log, 8, 3)["steps in doubt, called again"] <= 3


def test_a_worker_that_is_told_to_stop_gives_its_run_back(place, db, log):
    """SIGTERM in the middle of a step: the step is finished and stored, the run is nobody's, and another worker goes on after that step."""
    flow = flows.plain.on(db)
    run_id = flow.submit({"until told to stop": True}).run_id
    first = worker("plain", place, log, file=str(Path(flows.__file__).with_name("stopping.py")))
    until(lambda: ["begin", f"{run_id}/middle", str(first.pid)] in lines(log))
    first.send_signal(signal.SIGTERM)
    assert ended(first) == (0, {"counts": {"RUNNING": 1}})
    record = db.load(run_id)
    assert (record.owner, record.state.run) == (None, "running")
    assert ended(worker("plain", place, log, "--until-idle")) == (0, {"counts": {"COMPLETED": 1}})
    assert set(Counter((what, key) for what, key, _ in lines(log)).values()) == {1}
