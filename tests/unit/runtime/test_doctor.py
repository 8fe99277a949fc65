"""OBS-4: the symptoms that doctor names, each of a store that really has it, and none of a healthy one."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event, Thread

import pytest

from statecore import InMemoryDb, SqliteDb, Step, Workflow
from statecore.runtime.doctor import examine
from statecore.stores.owner import wall_clock
from statecore.testing.doubles import Clock, timed

pytestmark = pytest.mark.spec("OBS-4")

HOUR = 3_600
MICROS = 1_000_000


def found(db, clock, workflow=None):
    """The symptoms of a store by kind, with the reason."""
    return {each.kind: each.why for each in examine(db, clock(), workflow).symptoms}


def gated(db, message="Pay?", **settings):
    """A gate, and a step behind it."""
    gate = Step("pay", lambda _: 1, requires_confirmation=True, confirmation_message=message, on_reject="cancel")
    return Workflow("w", [gate, Step("told", lambda _: 2)], db, **settings)


def test_a_healthy_store_has_no_symptom():
    """Runs that wait, have ended or were begun just now are named by no symptom, with their workflow and without."""
    clock, db = Clock(), InMemoryDb()
    workflow = timed(gated(db), clock)
    ids = [workflow.run("x").run_id for _ in range(3)]
    workflow.decide(ids[0], "pay:confirmation:0", "confirm")
    workflow.continue_run(run_id=ids[0])
    workflow.cancel_run(ids[1])
    workflow.submit("x")
    assert found(db, clock) == {}
    assert found(db, clock, workflow) == {}


class Held:
    """A run in a thread, whose call hangs until it is let go."""

    def __init__(self, clock, **settings):
        self.began, self.go, self.db = Event(), Event(), InMemoryDb()
        self.workflow = timed(Workflow("w", [Step("call", self.call, **settings)], self.db), clock)
        self.thread = Thread(target=self.workflow.run, args=("x",), kwargs={"run_id": "r"})

    def call(self, _):
        """Hang."""
        self.began.set()
        self.go.wait()
        return 1

    def __enter__(self):
        """Begin."""
        self.thread.start()
        assert self.began.wait(20)
        return self

    def __exit__(self, *_):
        """Let it go."""
        self.go.set()
        self.thread.join()

    def renew(self, clock):
        """The lease is renewed, as the heartbeat does."""
        record = self.db.load("r")
        self.db.renew("r", record.epoch, clock() + 60 * MICROS)


def test_a_call_without_a_limit_is_named_after_an_hour():
    """A call that runs for 59 minutes is no symptom; after an hour it is, with its step and since when; with a limit it is judged by that."""
    clock = Clock()
    with Held(clock) as held:
        for seconds, kinds in ((HOUR - 60, set()), (61, {"overlong"})):
            clock.advance(seconds)
            held.renew(clock)
            assert set(found(held.db, clock)) == kinds
            assert set(found(held.db, clock, held.workflow)) == kinds
        assert "'call'" in found(held.db, clock)["overlong"]
    assert found(held.db, clock) == {}


def test_a_cancellation_that_is_not_heard_is_named():
    """A running run that is to be cancelled is named ten minutes later, with the process that still executes it."""
    clock = Clock()
    with Held(clock) as held:
        held.db.request_cancel("r", "ada", clock())
        clock.advance(300)
        held.renew(clock)
        assert found(held.db, clock) == {}
        clock.advance(301)
        held.renew(clock)
        assert list(found(held.db, clock)) == ["uncancelled"]
        assert str(os.getpid()) in found(held.db, clock)["uncancelled"]


def test_a_question_that_a_release_made_stale_is_named():
    """A parked run whose question is another one in the new definition is named, with the command that puts it again; under its own it is not."""
    clock, db = Clock(), InMemoryDb()
    timed(gated(db), clock).run("x", run_id="r")
    assert found(db, clock, timed(gated(db), clock)) == {}
    [symptom] = examine(db, clock(), timed(gated(db, "Pay 300?"), clock)).symptoms
    assert (symptom.kind, symptom.about) == ("stale", "r")
    assert "statecore resume TARGET r" in symptom.remedy


def test_a_decided_run_that_nobody_takes_is_named():
    """A decision that is stored and not applied is named with its word."""
    clock, db = Clock(), InMemoryDb()
    workflow = timed(gated(db), clock)
    workflow.run("x", run_id="r")
    workflow.decide("r", "pay:confirmation:0", "confirm")
    assert list(found(db, clock)) == ["unapplied"]


DIES = """
import os, sys
from statecore import SqliteDb, Step, Workflow
Workflow("w", [Step("a", lambda _: os._exit(9))], SqliteDb(db_file=sys.argv[1])).run("x", run_id="r")
"""


def test_the_claim_of_a_dead_process_of_this_host_is_named_with_its_lease(tmp_path):
    """The run of a process that died a moment ago is interrupted, and the reason says when its lease ends."""
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "runs.db")], check=False)
    assert died.returncode == 9
    db = SqliteDb(db_file=tmp_path / "runs.db")
    symptoms = found(db, wall_clock)
    db.close()
    assert list(symptoms) == ["interrupted"]
    assert "; its lease ends 20" in symptoms["interrupted"]
