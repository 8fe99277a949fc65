"""RUN-11: `execution_timeout` bounds one call; while a call that was given up is not over, nothing of its visit is called."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import Any

import pytest
from attrs import evolve

from statecore import Inbox, Loop, Parallel, RunStatus, SqliteDb, Step, Workflow
from statecore.cli.main import main
from statecore.errors import DefinitionError, StepTimeout, StillRunning, UnsupportedSetting
from statecore.runtime import limits
from statecore.runtime.doctor import examine
from statecore.runtime.worker import Worker
from statecore.stores.detail import detail_of
from statecore.stores.owner import wall_clock
from tests.conformance.drive import flat, triggers

pytestmark = pytest.mark.spec("RUN-11")
PATIENCE = 30
LIMIT = 60
"""Seconds of the clock of the test, which passes when a call says so, and not by itself."""


@pytest.fixture(autouse=True)
def glances(monkeypatch):
    """A driver looks at the clock of the test every hundredth of a second."""
    monkeypatch.setattr(limits, "HEARS", 0.01)
    CLOCK.ahead = 0


class Clock:
    """Time that passes by jumps beside the real one."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return wall_clock() + self.ahead

    def jump(self) -> None:
        """More than a limit passes."""
        self.ahead += 2 * LIMIT * 1_000_000


def flow(db, *steps, lease=None):
    """A workflow whose time is the test's."""
    workflow = Workflow("flow", list(steps), db)
    workflow.host = evolve(workflow.host, clock=CLOCK, lease=lease)
    return workflow


CLOCK = Clock()


class Hung:
    """User code whose first call takes more than its time, and ends when it is told to stop, or `released`; the others return at once."""

    def __init__(self, polite: bool = True, jumps: bool = True) -> None:
        self.polite, self.jumps, self.released, self.lock = polite, jumps, Event(), Lock()
        self.marks: list[str] = []

    def __call__(self, step_input, run_context):
        with self.lock:
            number = self.marks.count("begin")
            self.marks.append("begin")
        if not number:
            if self.jumps:
                CLOCK.jump()
            (run_context.stop_requested if self.polite else self.released).wait(PATIENCE)
        with self.lock:
            self.marks.append("end")
        return "late" if not number else "good"

    @property
    def overlaps(self) -> bool:
        """Whether two calls were in flight at a time."""
        return any(pair == ("begin", "begin") for pair in zip(self.marks, self.marks[1:], strict=False))


def is_free(workflow) -> bool:
    """Wait until nobody has the run."""
    pause = Event()
    for _ in range(PATIENCE * 1000):
        if workflow.db.load("r").owner is None:
            return True
        pause.wait(0.001)
    return False


def rows(workflow, trigger):
    """The journal rows of a trigger: what came too late, and the value that they keep."""
    found = [entry for entry in workflow.db.journal("r") if entry.at == "s" and entry.trigger == trigger]
    return [(detail_of(entry.body.detail).late, entry.body.value) for entry in found]


@pytest.mark.spec("RUN-11", "RUN-10")
def test_an_attempt_fails_when_its_time_is_over(db, drive):
    """The policy fails the run with `StepTimeout`; what the call returns when it is told to stop is not used, and a retry begins after it."""
    code = Hung()
    workflow = flow(db, Step("s", code, execution_timeout=LIMIT))
    with pytest.raises(StepTimeout, match=r"SC325 .*'s' ran longer than 60\.0 seconds"):
        drive.run(workflow, run_id="r")
    assert (workflow.get_run_output("r").status, triggers(workflow, "r", "s")) == (RunStatus.error, ["enter", "fail"])
    assert is_free(workflow)
    assert drive.resume(workflow, run_id="r", retry_failed=True).content == "good"
    assert not code.overlaps


def test_an_automatic_retry_waits_for_the_call(db, drive):
    """The second attempt begins when the first call is over; the row that begins it says that the first one came too late, and keeps its value."""
    code = Hung()
    step = Step("s", code, execution_timeout=timedelta(seconds=LIMIT), max_retries=1)
    workflow = flow(db, step, Step("next", lambda asked: asked.previous_step_content))
    run = drive.run(workflow, run_id="r")
    assert (run.content, code.marks) == ("good", ["begin", "end", "begin", "end"])
    assert rows(workflow, "wake") == [("returned", '"late"')]
    [failed] = [entry for entry in db.journal("r") if entry.trigger == "fail"]
    assert detail_of(failed.body.detail).error_type == "StepTimeout"


def test_an_async_call_is_cancelled_and_awaited(db, drive):
    """Its `finally` blocks are over before the attempt has failed, and the second attempt begins after them."""
    marks: list[str] = []

    async def work(_step_input):
        marks.append("begin")
        try:
            if marks == ["begin"]:
                CLOCK.jump()
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            marks.append("end")
        return "good"

    workflow = flow(db, Step("s", work, execution_timeout=LIMIT, max_retries=1))
    assert drive.run(workflow, run_id="r").content == "good"
    assert marks == ["begin", "end", "begin", "end"]
    assert triggers(workflow, "r", "s") == ["enter", "fail", "wake", "succeed"]


def test_a_value_that_comes_after_the_cancellation_is_kept_and_not_used(db, drive):
    """A coroutine that swallows its cancellation has failed all the same; the row of the failure keeps what it returned."""

    async def work(_step_input):
        CLOCK.jump()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late"

    workflow = flow(db, Step("s", work, execution_timeout=LIMIT, on_error="skip"), Step("next", str))
    run = drive.run(workflow, run_id="r")
    assert (run.status, flat(run.step_results)["s"].content) == (RunStatus.completed, None)
    assert rows(workflow, "fail") == [("returned", '"late"')]


def test_a_branch_that_hangs_does_not_hold_its_siblings(db, drive):
    """Beside others, too, only the call whose time is over fails; the run goes on, and is free when that call is over."""
    code = Hung(polite=False)
    hangs = Step("s", code, execution_timeout=LIMIT, on_error="skip")
    workflow = flow(db, Parallel(hangs, Step("b", lambda _: "b"), name="p"), Step("next", lambda _: "next"))
    run = drive.run(workflow, run_id="r")
    assert (run.content, run.status) == ("next", RunStatus.completed)
    assert db.load("r").owner is not None
    code.released.set()
    assert is_free(workflow)


def test_a_persons_retry_is_refused_and_may_be_forced(db, drive):
    """While the call goes on a retry is `StillRunning` and nothing is stored; doctor names the call; by force the step is called beside it."""
    code = Hung(polite=False)
    workflow = flow(db, Step("s", code, execution_timeout=LIMIT, on_error="pause"))
    run = drive.run(workflow, run_id="r")
    [asked] = run.steps_with_errors
    assert (run.status, asked.error_type) == (RunStatus.paused, "StepTimeout")
    with pytest.raises(StillRunning, match=r"SC326 A call of run 'r' was given up and still runs"):
        workflow.decide("r", asked.pause_id, "retry", by="ann")
    asked.retry()
    with pytest.raises(StillRunning):
        drive.resume(workflow, run)
    with pytest.raises(UnsupportedSetting, match="force=True without by"):
        drive.resume(workflow, run, force=True)
    assert [each.kind for each in examine(db, workflow.host.clock()).symptoms] == ["left behind"]
    assert (len(db.decisions("r")), code.marks) == (0, ["begin"])
    assert drive.resume(workflow, run, force=True, by="ann").content == "good"
    assert code.marks == ["begin", "begin", "end"]
    assert [(each.word, each.by) for each in db.decisions("r")] == [("retry", "ann")]
    code.released.set()


@pytest.mark.parametrize("where", ["threads", "loop"])
def test_a_worker_is_not_held_by_a_call_that_was_given_up(db, where):
    """The hand is free, another run is driven by it, and the worker ends, while the call goes on; then the run is free, too."""
    code = Hung(polite=False)
    workflow = flow(db, Step("s", code, execution_timeout=LIMIT, on_error="skip"), Step("next", lambda _: "next"))
    for run_id in ("r", "other"):
        workflow.submit("x", run_id=run_id)
    worker = Worker(workflow, concurrency=1)
    counts = worker.work(until_idle=True) if where == "threads" else asyncio.run(worker.arun(until_idle=True))
    assert dict(counts) == {"COMPLETED": 2}
    assert (db.load("r").owner is None, db.load("other").owner, code.marks) == (False, None, ["begin", "begin", "end"])
    code.released.set()
    assert is_free(workflow)


def test_a_command_forces_a_retry(tmp_path, capsys):
    """`statecore retry` is refused while the call goes on; with `--force` it stores the decision, and the run may go on beside the call."""
    code, place = Hung(polite=False), str(tmp_path / "runs.db")
    db = SqliteDb(db_file=place)
    workflow = flow(db, Step("s", code, execution_timeout=LIMIT, on_error="pause"))
    workflow.run(run_id="r")
    assert main(["retry", "r", "--by", "ann", "--db", place]) != 0
    assert "SC326" in capsys.readouterr().err
    assert main(["retry", "r", "--force", "--by", "ann", "--db", place]) == 0
    assert [(each.word, each.by) for each in db.decisions("r")] == [("retry", "ann")]
    assert workflow.continue_run(run_id="r").content == "good"
    code.released.set()
    db.close()


def test_a_failed_run_is_reopened_when_its_call_is_over_or_by_force(db, drive):
    """`retry_failed` is refused while the call goes on; the reopening that was forced says by whom."""
    code = Hung(polite=False)
    workflow = flow(db, Step("s", code, execution_timeout=LIMIT))
    with pytest.raises(StepTimeout):
        drive.run(workflow, run_id="r")
    with pytest.raises(StillRunning):
        drive.resume(workflow, run_id="r", retry_failed=True)
    assert drive.resume(workflow, run_id="r", retry_failed=True, force=True, by="ann").content == "good"
    assert [detail_of(row.body.detail).by for row in db.journal("r") if row.trigger == "resume" and not row.at] == ["ann"]
    code.released.set()


@pytest.mark.spec("CANCEL-1", "LAW-4")
def test_a_cancellation_waits_for_no_call_that_was_given_up(db, drive):
    """The run ends while its call goes on; the row says where that is, doctor names it, and nothing begins any more."""
    code = Hung(polite=False)
    workflow = flow(db, Step("s", code, execution_timeout=LIMIT, on_error="pause"), Step("next", print))
    drive.run(workflow, run_id="r")
    assert workflow.cancel_run("r", by="ann")
    pause = Event()
    while db.load("r").state.run != "cancelled":
        pause.wait(0.001)
    [row] = [row for row in db.journal("r") if row.trigger == "cancel" and not row.at]
    assert (detail_of(row.body.detail).by, detail_of(row.body.detail).left) == ("ann", db.load("r").owner)
    assert [each.kind for each in examine(db, workflow.host.clock()).symptoms] == ["left behind"]
    code.released.set()
    assert is_free(workflow)
    assert (examine(db, workflow.host.clock()).symptoms, code.marks) == ([], ["begin", "end"])


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.spec("CANCEL-1")
def test_a_cancellation_ends_a_run_whose_call_does_not_stop(db, drive, retries):
    """A call that hangs is given up a lease after it was told to stop; one that is over its limit at once, also where a retry waits for it."""
    code = Hung(polite=False)
    limit: dict[str, Any] = {"execution_timeout": LIMIT, "max_retries": 1} if retries else {}
    workflow = flow(db, Parallel(Step("s", code, **limit), name="p"), Step("next", print), lease=60 if retries else 0.2)
    driving = Thread(target=drive.run, args=(workflow,), kwargs={"run_id": "r"})
    driving.start()
    pause = Event()
    while not code.marks or (retries and triggers(workflow, "r", "p/s")[-1] != "fail"):
        pause.wait(0.001)
    workflow.cancel_run("r", by="ann")
    while db.load("r").state.run != "cancelled":
        pause.wait(0.001)
    assert (workflow.get_run_output("r").status, code.marks) == (RunStatus.cancelled, ["begin"])
    code.released.set()
    driving.join(PATIENCE)
    assert is_free(workflow)
    assert triggers(workflow, "r", "p/s")[-1] == "cancel"


SCRIPT = """
import os, sys, time
from statecore import SqliteDb, Step, Workflow

db = SqliteDb(db_file=sys.argv[1])

def hang(step_input, run_context):
    run_context.stop_requested.wait()
    while [row.trigger for row in db.journal("r")][-1] != "fail":
        time.sleep(0.001)
    os._exit(9)

steps = [Step("s", hang, execution_timeout=0.02, max_retries=1, on_interrupt=sys.argv[2])]
Workflow("flow", steps, db).run(run_id="r")
"""


@pytest.mark.parametrize("policy", ["retry", "pause", "fail"])
@pytest.mark.spec("CRASH-2")
def test_on_interrupt_decides_about_a_retry_that_waited_for_a_call(tmp_path, policy):
    """The process dies while the retry waits: the attempt stays failed, and the next owner retries, asks a person, or fails the run."""
    place = str(tmp_path / "runs.db")
    done = subprocess.run([sys.executable, "-c", SCRIPT, place, policy], capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (9, b"")
    db = SqliteDb(db_file=place)
    called: list[int] = []
    step = Step("s", lambda _: called.append(1), execution_timeout=60, max_retries=1, on_interrupt=policy)
    workflow = flow(db, step)
    [run] = workflow.recover()
    ends = {"retry": ("COMPLETED", 1, ["wake", "succeed"]), "pause": ("PAUSED", 0, ["wake", "interrupt"])}
    status, calls, rest = ends.get(policy, ("ERROR", 0, ["wake", "interrupt"]))
    assert (run.status.value, len(called), triggers(workflow, "r", "s")) == (status, calls, ["enter", "fail", *rest])
    assert [each.kind for each in workflow.list_pauses()] == (["interrupted"] if policy == "pause" else [])
    db.close()


@pytest.mark.spec("GATE-1")
def test_a_limit_is_refused_where_it_bounds_no_call():
    """On a group, on a step that runs a workflow, and with a value that is no length of time."""
    inner, limit = Workflow("inner", [Step("a", print)]), dict[str, Any](execution_timeout=1)
    with pytest.raises(UnsupportedSetting, match="it bounds one call"):
        Loop("l", [Step("a", print)], **limit)
    with pytest.raises(DefinitionError, match="execution_timeout on the steps inside it"):
        Step("s", workflow=inner, execution_timeout=1)
    wrongs: list[Any] = [0, -1, "1", True, timedelta(0), float("nan")]
    for wrong in wrongs:
        with pytest.raises(DefinitionError, match="execution_timeout of Step 's' must be"):
            Step("s", print, execution_timeout=wrong)
    plain = Workflow("w", [Step("s", print, execution_timeout=timedelta(minutes=1))]).to_dict()
    assert plain["steps"][0]["execution_timeout"] == 60.0
    assert Workflow.from_dict(plain, functions={"builtins.print": print}).to_dict() == plain


def test_a_review_predicate_is_not_bounded(db, drive):
    """The limit is of the step's own call: the predicate of its review takes as long as it takes."""

    def judge(_output):
        CLOCK.jump()
        return False

    workflow = flow(db, Step("s", lambda _: "out", execution_timeout=LIMIT, requires_output_review=judge))
    assert drive.run(workflow, run_id="r").content == "out"


def test_doctor_names_a_call_that_takes_too_long(db):
    """With the workflow doctor knows the limit: a call that began long before it is `overlong`."""
    code = Hung(polite=False, jumps=False)
    workflow = flow(db, Step("s", code, execution_timeout=3600))
    driving = Thread(target=workflow.run, kwargs={"run_id": "r"})
    driving.start()
    pause = Event()
    while not code.marks:
        pause.wait(0.001)
    assert examine(db, workflow.host.clock(), workflow).symptoms == []
    later = workflow.host.clock() + 3_600_000_000 + workflow.host.lease_micros + 1_000_000
    assert "overlong" in [each.kind for each in examine(db, later, workflow).symptoms]
    code.released.set()
    driving.join(PATIENCE)
    assert Inbox(db).show("r").content == "late"
