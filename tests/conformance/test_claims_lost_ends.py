"""CRASH: a step that ran, and whose end could not be stored because the disk failed, is in doubt like one whose process died."""

from __future__ import annotations

import sqlite3
from threading import Event

import pytest

from statecore import Parallel, RunStatus, SqliteDb, Step, Workflow
from statecore.errors import ClaimLost, RunBusy, StoreUnavailable
from statecore.stores import Boundary, Claim
from tests.conformance.drive import triggers


class Failing(sqlite3.Connection):
    """A connection that cannot commit so many times."""

    left = 0

    def execute(self, sql, *args):
        if sql == "COMMIT" and Failing.left:
            Failing.left -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *args)


def broken(calls, file, commits, monkeypatch, **settings):
    """A workflow in whose step the disk breaks, so that so many commits fail."""

    def pay(step_input):
        first = calls.note("pay", step_input) == 0
        monkeypatch.setattr(Failing, "left", commits if first else 0)
        return "paid"

    db = SqliteDb(file, connection_factory=Failing)
    return Workflow("flow", [Step("pay", pay, **settings), Step("end", calls.does("end"))], db)


@pytest.mark.spec("CRASH-2")
def test_an_end_that_could_not_be_stored_is_an_interruption(drive, db_file, calls, monkeypatch):
    """The caller hears of it, the interruption is journaled, and a policy that asks a person asks before the step is called again."""
    workflow = broken(calls, db_file, 1, monkeypatch, on_error="pause")
    with pytest.raises(StoreUnavailable):
        drive.run(workflow, run_id="r")
    run = workflow.get_run_output("r")
    assert (calls.names, triggers(workflow, "r", "pay")) == (["pay"], ["enter", "interrupt"])
    assert [(each.kind, each.error_type) for each in run.steps_with_errors] == [("interrupted", "Interrupted")]
    run.steps_with_errors[0].skip()
    assert drive.resume(workflow, run).status is RunStatus.completed
    assert calls.names == ["pay", "end"]


@pytest.mark.spec("CRASH-2", "CONT-3")
def test_where_nothing_can_be_stored_the_claim_is_kept(drive, db_file, calls, monkeypatch):
    """While the disk takes not even the interruption, the run is held: nobody calls the step again unawares."""
    workflow = broken(calls, db_file, 3, monkeypatch)
    with pytest.raises(StoreUnavailable):
        drive.run(workflow, run_id="r")
    with pytest.raises(StoreUnavailable):
        drive.resume(workflow, run_id="r")
    assert (calls.names, triggers(workflow, "r", "pay")) == (["pay"], ["enter"])


@pytest.mark.spec("CRASH-2", "CONT-3")
@pytest.mark.parametrize("anew", [False, True], ids=["the same store", "a store object of its own"])
def test_a_run_that_could_not_be_given_back_is_given_back_when_it_can_be(drive, db_file, calls, monkeypatch, anew):
    """Once the disk takes it, the same process goes on with the run: the interruption is journaled first, and the step called again once."""
    workflow = broken(calls, db_file, 2, monkeypatch)
    with pytest.raises(StoreUnavailable):
        drive.run(workflow, run_id="r")
    if anew:
        workflow.db.close()
        workflow = broken(calls, db_file, 2, monkeypatch)
    assert drive.resume(workflow, run_id="r").status is RunStatus.completed
    assert calls.names == ["pay", "pay", "end"]
    assert triggers(workflow, "r", "pay")[:2] == ["enter", "interrupt"]


@pytest.mark.spec("CONT-3")
def test_a_run_that_somebody_else_has_by_then_is_let_alone(drive, db_file, calls, monkeypatch):
    """A run that was left and then claimed by a living owner stays that owner's: an old claim gives back only itself."""
    workflow = broken(calls, db_file, 2, monkeypatch)
    with pytest.raises(StoreUnavailable):
        drive.run(workflow, run_id="r")
    left = workflow.db.load("r")
    seq, epoch = left.seq, left.epoch
    workflow.db.release("r", epoch)
    claim = Claim(left.owner)
    workflow.db.commit(Boundary("r", epoch + 1, seq, left.updated + 1, left.state, (), left.held, claim=claim))
    with pytest.raises(RunBusy):
        drive.resume(workflow, run_id="r")
    assert calls.names == ["pay"]


@pytest.mark.spec("CRASH-2")
def test_a_call_beside_an_end_that_was_stored_unheard_is_an_interruption(db, drive, calls):
    """A commit is reported as failed and was stored: the call in flight beside it is journaled as interrupted before it is made again."""
    failed, commit = Event(), db.commit

    def commits(boundary):
        answer = commit(boundary)
        if any((entry.at, entry.trigger) == ("both/pay", "succeed") for entry in boundary.entries):
            failed.set()
            raise StoreUnavailable("here", "and yet it was stored")
        return answer

    def beside(step_input):
        calls.note("beside", step_input)
        assert failed.wait(60)

    db.commit = commits
    workflow = Workflow("flow", [Parallel(Step("pay", calls.does("pay")), Step("beside", beside), name="both")], db)
    with pytest.raises((StoreUnavailable, ClaimLost)):
        drive.run(workflow, run_id="r")
    db.commit = commit
    assert triggers(workflow, "r", "both/beside") == ["enter", "interrupt"]
    assert drive.resume(workflow, run_id="r").status is RunStatus.completed
    assert sorted(calls.names) == ["beside", "beside", "pay"]
