"""RUN-13: a call that kills its process convicts itself alone; what was in flight beside it is called again, and no person is asked about it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from statecore import RunStatus, SqliteDb, Step, Workflow
from tests.conformance.drive import triggers

pytestmark = pytest.mark.spec("RUN-13", "CRASH-2")

SCRIPT = """
import os, sys, time
from pathlib import Path
from statecore import Parallel, SqliteDb, Step, Workflow
from statecore.runtime.worker import Worker

folder, way, life = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def mark(what, name):
    with (folder / "effects").open("a") as file:
        file.write(f"{life} {what} {name}\\n")

def begun():
    return {line.split()[2] for line in (folder / "effects").read_text().splitlines() if line.startswith(f"{life} begin")}

def call(name):
    mark("begin", name)
    if name == "poison":
        while life == 1 and len(begun()) < 4:  # the first time it kills what is beside it
            time.sleep(0.001)
        os._exit(9)
    while life == 1:
        time.sleep(0.001)
    mark("end", name)
    return name

db = SqliteDb(db_file=folder / "runs.db", durability="normal")
names = ("a", "b", "c", "poison")
if way == "runs":
    flow = Workflow("flow", [Step("s", lambda asked: call(asked.input))], db)
    if life == 1:
        for name in names:
            flow.submit(name, run_id=name)
    Worker(flow, concurrency=4).work(until_idle=True)
else:
    branches = [Step(name, lambda asked: call(asked.step_name)) for name in names]
    flow = Workflow("flow", [Parallel(*branches, name="p")], db)
    flow.run(run_id="r") if life == 1 else flow.recover()
"""


@pytest.mark.parametrize("way", ["runs", "branches"])
def test_a_poison_call_convicts_itself_alone(tmp_path, way):
    """It dies three times, the second and third time with nothing beside it; then a person is asked about it, and about nothing else."""
    (tmp_path / "effects").touch()
    codes = []
    for life in range(1, 8):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), way, str(life)], capture_output=True, text=True, check=False, timeout=120
        )
        codes.append(done.returncode)
        if done.returncode != 9:
            break
    assert (codes, done.stderr) == ([9, 9, 9, 0], "")
    assert beside(tmp_path / "effects") == {"1": 4, "2": 1, "3": 1}
    db = SqliteDb(db_file=tmp_path / "runs.db", durability="normal")
    flow = Workflow("flow", [Step("s", lambda _: None)], db)
    [asked] = flow.list_pauses()
    assert asked.kind == "interrupted"
    if way == "runs":
        assert asked.run_id == "poison"
        assert {name: flow.get_run_output(name).status for name in "abc"} == dict.fromkeys("abc", RunStatus.completed)
        journals = {name: triggers(flow, name, "s") for name in ("a", "b", "c", "poison")}
    else:
        assert asked.step_name == "poison"
        journals = {name: triggers(flow, "r", f"p/{name}") for name in ("a", "b", "c", "poison")}
    assert {name: journal.count("interrupt") for name, journal in journals.items()} == {"a": 1, "b": 1, "c": 1, "poison": 3}
    db.close()


def beside(file: Path) -> dict[str, int]:
    """How many calls were in flight at the death of each life."""
    now: Counter[str] = Counter()
    for line in file.read_text(encoding="utf-8").splitlines():
        life, what, _ = line.split()
        now[life] += 1 if what == "begin" else -1
    return {life: count for life, count in now.items() if count}
