"""RUN-18: a server that forks: what was made before the fork works in each child, and a memory of the parent takes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.spec("RUN-18")

SCRIPT = """
import asyncio, os, sys
from statecore import InMemoryDb, Parallel, SqliteDb, Step, Workflow
from statecore.errors import StoreForked
from statecore.runtime.worker import Worker

async def awaits(asked):
    await asyncio.sleep(0)
    return asked.step_name

def flow(name, db):
    steps = [Step("a", awaits), Parallel(Step("b", awaits), Step("c", lambda _: "c"), name="p"), Step("d", lambda _: os.getpid())]
    return Workflow(name, steps, db)

shared = flow("shared", SqliteDb(db_file=sys.argv[1]))  # made, and not used
gated = Workflow("gated", [Step("s", lambda _: 1, requires_confirmation=True)], InMemoryDb())
fresh = flow("fresh", InMemoryDb())
paused = gated.run(run_id="g")
flow("warm", InMemoryDb()).run()  # threads and a loop have been at work
asyncio.run(flow("warm", InMemoryDb()).arun())

def refuses(act):
    try:
        act()
    except StoreForked:
        return True
    return False

def child(number):
    assert shared.run(run_id=f"r{number}").content == os.getpid()
    assert asyncio.run(shared.arun(run_id=f"a{number}")).content == os.getpid()
    assert fresh.run().content == os.getpid()
    assert gated.get_run_output("g").is_paused
    [asked] = paused.steps_requiring_confirmation
    pause = gated.list_pauses()[0].pause_id
    assert refuses(lambda: gated.decide("g", pause, "confirm"))
    assert refuses(lambda: gated.cancel_run("g"))
    assert refuses(lambda: gated.submit("x"))
    asked.confirm()
    assert refuses(lambda: gated.continue_run(paused))
    os.write(1, b"well ")

children = []
for number in range(2):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child(number)
            code = 0
        finally:
            os._exit(code)
    children.append(pid)
assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
assert {run.run_id for run in shared.list_runs()} == {"r0", "r1", "a0", "a1"}
pause = gated.list_pauses()[0].pause_id
gated.decide("g", pause, "confirm")
assert gated.continue_run(run_id="g").content == 1
print("over")
"""


def test_a_workflow_that_was_made_before_a_fork_works_in_each_child(tmp_path):
    """Two children run one workflow, in each colour; the parent's memory is read there and refuses what stores; the parent goes on."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "runs.db")], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout.split(), done.stderr) == (["well", "well", "over"], "")


REOPENED = """
import os, sys
from statecore import SqliteDb, Step, Workflow
from statecore.errors import StoreForked

def flow(db):
    return Workflow("w", [Step("s", lambda _: 1)], db)

def refuses(act):
    try:
        act()
    except StoreForked:
        return True
    return False

def forked(act):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if act() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def is_locked():
    held = {line.split()[5].rpartition(":")[2] for line in open("/proc/locks") if line.split()[4] == str(os.getpid())}
    return {str(os.stat(path).st_ino), str(os.stat(path + "-shm").st_ino)} <= held

path = sys.argv[1]
db = SqliteDb(db_file=path)
used = flow(db)
used.run(run_id="a")
assert is_locked()
grandchild = lambda: forked(lambda: refuses(lambda: flow(SqliteDb(db_file=path)).run())) == 0
assert forked(lambda: refuses(db.reopen) and refuses(lambda: flow(SqliteDb(db_file=path)).run()) and grandchild()) == 0
db.reopen()
assert forked(lambda: used.run(run_id="b").content == 1 and is_locked()) == 0
assert {run.run_id for run in used.list_runs()} == {"a", "b"}
db.close()
db.reopen()
os.replace(path, path + ".old")
assert used.run(run_id="b").content == 1
db.reopen()
assert [run.run_id for run in used.list_runs()] == ["b"]
print("over")
"""
LOCKS = Path("/proc/locks")


def test_a_file_that_a_parent_has_open_is_refused_and_opened_after_reopen(tmp_path):
    """No store of a child opens the file: the system's table of locks shows that a child has none until the parent called `reopen` first."""
    script = REOPENED if LOCKS.exists() else REOPENED.replace("is_locked()", "True").replace("def True", "def is_locked()")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "runs.db")], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout.split(), done.stderr) == (["over"], "")


AWAY = """
import os
from statecore.errors import StoreForked
from statecore.temporal import TemporalDb

db = TemporalDb("localhost:1")
assert db.connection.loop.is_running()
pid = os.fork()
if pid == 0:
    code = 1
    try:
        db.load("r")
    except StoreForked:
        db.close()
        code = 7
    finally:
        os._exit(code)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
db.close()
print("over")
"""


def test_a_connection_to_temporal_is_its_process_s_own():
    """A child of a process that has begun its loop is refused by name, and waits for no thread that it does not have."""
    done = subprocess.run([sys.executable, "-c", AWAY], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout.split(), done.stderr) == (["over"], "")
