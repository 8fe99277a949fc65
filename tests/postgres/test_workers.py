"""Workers in processes of their own, on a file and on Postgres: they share, are killed, are stopped, and lose nothing."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from threading import Thread

import pytest

from statecore import RunStatus, SqliteDb
from statecore.cli.main import main
from statecore.db.postgres import PostgresDb
from tests.postgres import flows
from tests.postgres.flows import lines, until, worker

PAUSED, RUNNING = 8, 3


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


def ended(process):
    """The exit code of a process, and its last line."""
    said, complaint = process.communicate(timeout=60)
    assert complaint == b""
    return process.returncode, json.loads(said.splitlines()[-1])


def test_two_workers_share_what_was_submitted(place, db, log, capsys):
    """Sixty steps, two workers: both take part, each step happens once, and every run is completed."""
    flow = flows.plain.on(db)
    both = [worker("plain", place, log, "--concurrency", "1") for _ in range(2)]
    for n in range(20):
        assert flow.submit({"seconds": 0.02}, idempotency_key=f"order {n}").status is RunStatus.pending
    until(lambda: len(flow.list_runs(status="completed")) == 20)
    for process in both:
        process.send_signal(signal.SIGTERM)
    told = [ended(process) for process in both]
    assert [code for code, _ in told] == [0, 0]
    assert sum(document["counts"].get("COMPLETED", 0) for _, document in told) == 20
    assert set(Counter((what, key) for what, key, _ in lines(log)).values()) == {1}
    assert len(lines(log)) == 2 * 60
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
    assert ended(second) == (0, {"counts": {"COMPLETED": 1}})
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
    """Runs that wait and runs in the middle, and the worker is killed: once the waiting ones are decided another worker brings all to their ends."""
    waiting, running = flows.gated.on(db), flows.plain.on(db)
    asked = [waiting.submit({}).run_id for _ in range(PAUSED)]
    assert ended(worker("gated", place, log, "--until-idle")) == (0, {"counts": {"PAUSED": PAUSED}})
    busy = [running.submit({"seconds": 0.1}).run_id for _ in range(RUNNING)]
    killed = worker("plain", place, log, "--concurrency", str(RUNNING))
    until(lambda: len({key for what, key, _ in lines(log) if what == "begin" and key.partition("/")[0] in busy}) >= RUNNING)
    killed.kill()
    killed.communicate()
    for each in waiting.list_pauses(limit=PAUSED):
        waiting.decide(each.run_id, each.pause_id, "confirm", by="ann")
    assert ended(worker("gated", place, log, "--until-idle")) == (0, {"counts": {"COMPLETED": PAUSED}})
    code, document = ended(worker("plain", place, log, "--until-idle"))
    assert (code, document["counts"].get("COMPLETED", 0) <= RUNNING) == (0, True)
    for flow, runs in ((waiting, asked), (running, busy)):
        assert {flow.get_run_output(run_id).status for run_id in runs} == {RunStatus.completed}
    ends = Counter(key for what, key, _ in lines(log) if what == "end")
    assert {key.partition("/")[0] for key, count in ends.items() if count > 1} <= set(busy)
    assert len(ends) == 3 * (PAUSED + RUNNING)


def test_a_worker_that_is_told_to_stop_gives_its_run_back(place, db, log, pipe):
    """SIGTERM in the middle of a step: the step is finished and stored, the run is nobody's, and another worker goes on after that step."""
    flow = flows.plain.on(db)
    run_id = flow.submit({"pipe": str(pipe)}).run_id
    first = worker("plain", place, log)
    until(lambda: ["begin", f"{run_id}/middle", str(first.pid)] in lines(log))
    first.send_signal(signal.SIGTERM)
    writing = Thread(target=pipe.write_bytes, args=(b"go on",))
    writing.start()
    assert ended(first) == (0, {"counts": {"RUNNING": 1}})
    writing.join()
    record = db.load(run_id)
    assert (record.owner, record.state.run) == (None, "running")
    assert ended(worker("plain", place, log, "--until-idle")) == (0, {"counts": {"COMPLETED": 1}})
    assert set(Counter((what, key) for what, key, _ in lines(log)).values()) == {1}
