"""P23: a run is set aside by a person, whatever its rows say; no process continues it before it is taken back."""

from __future__ import annotations

from contextlib import closing

import pytest

from statecore import Inbox, InMemoryDb, RunStatus, SqliteDb, Step, Workflow
from statecore.cli.main import main
from statecore.errors import RunBusy, SetAside, UnknownRun, UnsupportedSetting
from statecore.runtime.doctor import examine
from statecore.runtime.worker import Went, Worker
from statecore.stores.owner import this_process
from statecore.stores.sqlite.health import verify
from statecore.testing.stores.samples import DEAD, started
from tests.unit.stores.sqlite_files import tamper


@pytest.fixture
def file(tmp_path):
    """Where the store lies."""
    return tmp_path / "runs.db"


@pytest.fixture
def db(file):
    """A store of format 3."""
    with closing(SqliteDb(file)) as store:
        yield store


def flow_of(db):
    """A gate."""
    return Workflow("flow", [Step("a", lambda _: "done", requires_confirmation=True)], db=db)


def decided(db, *run_ids):
    """Runs that could go on."""
    flow = flow_of(db)
    for run_id in run_ids:
        flow.run(run_id=run_id)
        flow.decide(run_id, "a:confirmation:0", "confirm")
    return flow


def test_a_run_that_is_set_aside_is_continued_by_nobody(db, file):
    """Neither a worker, nor `tick`, nor `continue_run` takes it; the others go on; taken back it goes on as if nothing had been."""
    flow, box = decided(db, "bad", "good"), Inbox(db)
    assert box.quarantine("bad") is True
    assert box.quarantine("bad") is True
    assert dict(Worker(flow, 1).work(until_idle=True)) == {"COMPLETED": 1}
    assert flow.get_run_output("bad").status is RunStatus.paused
    with pytest.raises(SetAside, match="statecore quarantine bad --release"):
        flow.continue_run(run_id="bad")
    assert [each.kind for each in examine(db, flow.host.clock()).symptoms if each.about == "bad"] == ["quarantined"]
    assert verify(file).faults == []
    assert box.quarantine("bad", release=True) is False
    assert examine(db, flow.host.clock()).symptoms[0].kind == "unapplied"
    assert flow.continue_run(run_id="bad").status is RunStatus.completed


def test_a_damaged_run_is_set_aside(db, file, capsys):
    """A run that cannot be read is set aside by the command, and a worker meets it no more; listings go on to name it."""
    flow = decided(db, "bad", "good")
    tamper(file, "UPDATE run SET user_id = 'eve' WHERE run_id = 'bad'")
    assert main(["quarantine", "bad", "--db", str(file)]) == 0
    assert capsys.readouterr().out == "Run bad is set aside: no process continues it.\n"
    told: list[Went] = []
    Worker(flow, 1, tell=told.append).work(until_idle=True)
    assert [(each.run_id, each.status) for each in told] == [("good", "COMPLETED")]
    assert [each.run_id for each in flow.list_runs().unread] == ["bad"]
    assert main(["quarantine", "bad", "--release", "--json", "--db", str(file)]) == 0
    assert capsys.readouterr().out == '{"run_id":"bad","quarantined":false}\n'


def test_a_run_whose_owner_is_gone_is_not_taken_over(db):
    """A worker takes over no run of a dead process that is set aside; one that a living process executes is not set aside."""
    started(db, "left")
    with pytest.raises(RunBusy):
        Inbox(db).quarantine("left")
    db.release("left", 1)
    assert len(db.claim_next("flow", DEAD, 2)) == 1
    db.set_aside("left", 3)
    assert db.claim_next("flow", this_process(), 4) == []
    assert db.aside() == [("left", 3)]
    assert db.take_back("left") is True
    assert db.take_back("left") is False
    assert len(db.claim_next("flow", this_process(), 5)) == 1


def test_what_cannot_be_set_aside_is_named(db):
    """A run that is not there, and a store that does not keep it, are refused by name."""
    with pytest.raises(UnknownRun):
        Inbox(db).quarantine("nobody")
    with pytest.raises(UnsupportedSetting, match="format 3"):
        Inbox(InMemoryDb()).quarantine("nobody")
