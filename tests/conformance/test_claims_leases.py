"""CRASH and P6: a run is executed by one process, and leases say of whom nobody can know whether he still does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from attrs import evolve

from statecore import RunStatus, SqliteDb, Step, Workflow
from statecore.errors import ClaimLost, RunBusy, StoreUnavailable, UnsupportedSetting
from statecore.runtime import Host
from statecore.runtime import storing as heartbeat
from statecore.runtime.storing import HEARTBEAT, Heartbeat
from statecore.stores.owner import SKEW, alive, host, standing, this_process
from tests.conformance.drive import triggers

PATIENCE = 30
HOUR = 3_600_000_000
ROOT = Path(__file__).parents[2]


def elsewhere(db, **parts):
    """The host of a process on another machine."""
    return evolve(Host(db), owner=lambda: "another-host/boot/1/1", **parts)


@pytest.mark.spec("CRASH-3")
def test_a_run_of_another_host_is_taken_over_when_its_lease_is_over(db, drive):
    """Until then it is busy, and the refusal says until when; then its step is in doubt and called again, and its old owner stores nothing."""
    now = [1_000_000_000_000_000]
    entered, release, calls = Event(), Event(), []

    def slow(step_input):
        calls.append(step_input.idempotency_key)
        if len(calls) == 1:
            entered.set()
            assert release.wait(PATIENCE)
        return len(calls)

    workflow = Workflow("flow", [slow], db)
    workflow.host = elsewhere(db, clock=lambda: now[0], lease=60)
    told = []

    def first():
        try:
            drive.run(workflow, run_id="r")
        except ClaimLost as lost:
            told.append(lost)

    thread = Thread(target=first)
    thread.start()
    try:
        assert entered.wait(PATIENCE)
        later = Workflow("flow", [slow], db)
        later.host = evolve(Host(db), clock=lambda: now[0] + 60_000_000 + SKEW - 1)
        with pytest.raises(RunBusy) as refused:
            drive.resume(later, run_id="r")
        assert (refused.value.owner, refused.value.until) == ("another-host/boot/1/1", "2001-09-09T01:47:40.000+00:00")
        later.host = evolve(later.host, clock=lambda: now[0] + 60_000_000 + SKEW)
        run = drive.resume(later, run_id="r")
        assert (run.status, run.content) == (RunStatus.completed, 2)
    finally:
        release.set()
        thread.join(PATIENCE)
    assert [error.run_id for error in told] == ["r"]
    assert triggers(later, "r", "slow") == ["enter", "interrupt", "succeed"]
    assert (later.get_run_output("r").content, calls) == (2, ["r/slow", "r/slow"])


@pytest.mark.spec("CRASH-3")
def test_a_long_call_keeps_its_lease(db, drive):
    """While a call runs, its lease is renewed again and again, from synchronous code and from asyncio."""
    seen: list[bool] = []

    def slow(_):
        first = db.load("r").lease
        waited = Event()
        while db.load("r").lease == first:
            assert len(seen) < 3000, "no heartbeat within 30 s"
            seen.append(waited.wait(0.01))
        return "long"

    workflow = Workflow("flow", [slow], db)
    workflow.host = evolve(workflow.host, lease=0.15)
    assert drive.run(workflow, run_id="r").content == "long"
    assert db.load("r").lease is None


def test_a_boundary_renews_the_lease(db, drive):
    """Each step begins with two thirds of a lease at least, as long as the host or the store says: a boundary renews it after a third."""
    now, leases = [10**15], []

    def step(_):
        leases.append(db.load("r").lease - now[0])
        now[0] += 7_000_000

    workflow = Workflow("flow", [Step(name, step) for name in "abcd"], db)
    workflow.host = evolve(workflow.host, clock=lambda: now[0], lease=30)
    drive.run(workflow, run_id="r")
    assert leases == [30_000_000, 23_000_000, 30_000_000, 23_000_000]


def test_a_store_says_how_long_claims_last(tmp_path):
    """`lease` of the store is what every host of it takes; a claim that lasts for no time is refused by name."""
    assert Host(SqliteDb(tmp_path / "a.db", lease=5)).lease_micros == 5_000_000
    assert Host(SqliteDb(tmp_path / "a.db", lease=5), lease=2).lease_micros == 2_000_000
    assert Host(SqliteDb(tmp_path / "a.db")).lease_micros == 60_000_000
    for wrong in (0, -1, float("nan")):
        with pytest.raises(UnsupportedSetting, match="lease"):
            SqliteDb(tmp_path / "a.db", lease=wrong)


class Fake:
    """What the heartbeat sees of an execution; its store refuses with what it is told to."""

    blocking = False
    log = None

    def __init__(self, refusal=None):
        self.now, self.renewed, self.refusal, self.lease, self.parked, self.epoch = 100_000_000, [], refusal, 160_000_000, False, 4
        store: Any = self
        self.identity, self.host, self.run_id = self, Host(store, clock=lambda: self.now, lease=60), "r"

    def claim_next(self, *_):
        """A store that executes its runs has it; the heartbeat does not call it."""
        raise NotImplementedError

    def renew(self, run_id, epoch, lease):
        self.renewed.append((run_id, epoch, lease))
        if self.refusal is not None:
            raise self.refusal


def driven(refusal=None):
    """A run as the heartbeat sees it."""
    return Fake(refusal)


def test_a_heartbeat_comes_when_a_third_is_over():
    """A lease is left alone while two thirds of it are left; a parked run has none."""
    run = driven()
    HEARTBEAT.look_after(run)
    run.now += 19_999_999
    HEARTBEAT.look_after(run)
    assert run.renewed == []
    run.now += 1
    HEARTBEAT.look_after(run)
    HEARTBEAT.look_after(run)
    assert (run.renewed, run.lease) == ([("r", 4, 180_000_000)], 180_000_000)
    run.now, run.parked = 10**9, True
    HEARTBEAT.look_after(run)
    assert len(run.renewed) == 1


def test_a_clock_that_was_set_back_stops_no_heart(monkeypatch):
    """Where the clock says that no time has passed, the time that has passed counts; a lease is never made shorter."""
    run, passed = driven(), [0.0]
    monkeypatch.setattr(heartbeat, "monotonic", lambda: passed[0])
    beat = Heartbeat()
    run.now -= 50_000_000
    for seconds in (0.0, 19.9, 20.0, 30.0, 39.9, 40.0):
        passed[0] = seconds
        beat.look_after(run)
    assert run.renewed == [("r", 4, 160_000_000)] * 2
    run.lease += 1  # a boundary renewed it
    for seconds in (59.0, 78.9, 79.0):
        passed[0] = seconds
        beat.look_after(run)
    assert run.renewed[2:] == [("r", 4, 160_000_001)]


@pytest.mark.parametrize(("refusal", "times"), [(ClaimLost("r"), 1), (StoreUnavailable("f", "full"), 3), (OSError(), 3)])
def test_a_heartbeat_outlives_trouble(monkeypatch, refusal, times):
    """A claim that was lost is not renewed any more; what a store cannot do now is tried again."""
    run, beat, done = driven(refusal), Heartbeat(), Event()
    run.lease = None
    beaten = beat.look_after

    def watched(execution):
        beaten(execution)
        if len(run.renewed) >= times:
            done.set()

    monkeypatch.setattr(beat, "look_after", watched)
    run.host = evolve(run.host, lease=0.003)
    beat.begin(run)
    assert done.wait(PATIENCE)
    lost = id(run) not in beat._driven
    assert lost is isinstance(refusal, ClaimLost)
    thread = beat._thread
    beat.end(run)
    if thread is not None:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert beat._thread is None


def test_a_forked_child_has_a_heartbeat_of_its_own():
    """A child drives none of its parent's runs, and begins a thread when it drives one."""
    run = driven()
    HEARTBEAT.begin(run)
    try:
        done = subprocess.run(
            [sys.executable, "-c", FORKING], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=60
        )
        assert done.returncode == 0
    finally:
        HEARTBEAT.end(run)


FORKING = """
import os, warnings
from statecore import Workflow
from statecore.runtime.storing import HEARTBEAT
warnings.simplefilter("ignore")
def step(_):
    child = os.fork()
    if child == 0:
        inherited = len(HEARTBEAT._driven), HEARTBEAT._thread
        fine = Workflow("inner", [lambda _: HEARTBEAT._thread.is_alive()]).run().content
        os._exit(0 if inherited == (0, None) and fine else 1)
    return os.waitpid(child, 0)[1]
raise SystemExit(1 if Workflow("flow", [step]).run().content else 0)
"""

FROZEN = """
import os, sys
from statecore import SqliteDb, Workflow
from statecore.errors import ClaimLost
def step(_):
    print("in", flush=True)
    sys.stdin.readline()
    return "mine"
try:
    Workflow("flow", [step], SqliteDb(sys.argv[1])).run(run_id="r")
except ClaimLost:
    print("lost", flush=True)
"""


@pytest.mark.spec("CRASH-3")
def test_a_frozen_worker_is_taken_over(db_file):
    """A stopped process keeps its run while its lease lasts; then it is taken over, and when it wakes it can store nothing (T5)."""
    worker = subprocess.Popen(
        [sys.executable, "-c", FROZEN, str(db_file)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "in\n"
        workflow = Workflow("flow", [Step("step", lambda _: "yours")], SqliteDb(db_file))
        workflow.host = evolve(workflow.host, clock=lambda: Host(workflow.db).clock() + HOUR)
        with pytest.raises(RunBusy):  # it lives, and would for ever: no lease matters
            workflow.continue_run(run_id="r")
        os.kill(worker.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
        now = Workflow("flow", [Step("step", lambda _: "yours")], workflow.db)
        with pytest.raises(RunBusy):
            now.continue_run(run_id="r")
        assert workflow.continue_run(run_id="r").content == "yours"
    finally:
        os.kill(worker.pid, signal.SIGCONT)
        said, _ = worker.communicate("go\n", timeout=PATIENCE)
    assert (said, worker.returncode) == ("lost\n", 0)
    assert workflow.get_run_output("r").content == "yours"
    workflow.db.close()


def test_who_can_be_known_is_known(monkeypatch):
    """This process lives; a pid of another start, another boot or none is dead; another host or container is unknown."""
    me = this_process()
    where, boot, pid, start = me.rsplit("/", 3)
    assert standing(me) == "alive"
    for gone in (
        f"{where}/{boot}/{pid}/0",
        f"{where}/before/{pid}/{start}",
        f"{where}/{boot}/x/{start}",
        f"{where}/{boot}/999999999/{start}",
    ):
        assert standing(gone) == "dead"
        assert not alive(gone, None, 0)
    for unknown in (f"other/{boot}/{pid}/{start}", f"{where}@pid:[1]/{boot}/{pid}/{start}"):
        assert standing(unknown) == "unknown"
        assert [alive(unknown, 100, time) for time in (99 + SKEW, 100 + SKEW)] == [True, False]
        assert alive(unknown, None, 10**18)
    host.cache_clear()
    monkeypatch.setattr("os.readlink", lambda _: "pid:[7]")
    assert host().endswith("@pid:[7]")
    host.cache_clear()

    def refused(_):
        raise OSError

    monkeypatch.setattr("os.readlink", refused)
    assert "@" not in host()
    monkeypatch.undo()
    host.cache_clear()
