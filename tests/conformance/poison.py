"""A call that kills its process, among others that it takes along the first time: the processes, and what they left."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from statecore import RunStatus, SqliteDb, Step, Workflow
from statecore.db.postgres import PostgresDb
from tests.conformance.drive import triggers

NAMES = ("a", "b", "c", "poison")
SCRIPT = """
import os, sys, time
from pathlib import Path
from statecore import Parallel, Step, Workflow
from statecore.runtime.worker import Worker
from tests.conformance.poison import NAMES, opened

folder, way, life = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def mark(what, name):
    with (folder / "effects").open("a") as file:
        file.write(f"{life} {what} {name}\\n")

def begun():
    return {line.split()[2] for line in (folder / "effects").read_text().splitlines() if line.startswith(f"{life} begin")}

def call(name):
    mark("begin", name)
    if name == "poison":
        while way != "one" and life == 1 and len(begun()) < 4:  # the first time it kills what is beside it
            time.sleep(0.001)
        os._exit(9)
    while life == 1:
        time.sleep(0.001)
    mark("end", name)
    return name

db = opened(sys.argv[4])
if way == "branches":
    branches = [Step(name, lambda asked: call(asked.step_name)) for name in NAMES]
    flow = Workflow("flow", [Parallel(*branches, name="p")], db)
    flow.run(run_id="r") if life == 1 else flow.recover()
else:
    flow = Workflow("flow", [Step("s", lambda asked: call(asked.input))], db)
    if life == 1:
        for name in NAMES if way == "runs" else ["poison"]:
            flow.submit(name, run_id=name)
    Worker(flow, concurrency=4).work(until_idle=True)
"""


def opened(place: str) -> SqliteDb | PostgresDb:
    """The store at a place."""
    return PostgresDb(place) if "://" in place else SqliteDb(db_file=place, durability="normal")


def lives(folder: Path, way: str, place: str) -> list[int]:
    """The exit codes of processes, one after the other, until one outlives its calls."""
    (folder / "effects").touch()
    codes: list[int] = []
    while len(codes) < 9 and (not codes or codes[-1] == 9):
        line = [sys.executable, "-c", SCRIPT, str(folder), way, str(len(codes) + 1), place]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode in (0, 9), done.stderr
        codes.append(done.returncode)
    return codes


def beside(folder: Path) -> dict[str, int]:
    """How many calls were in flight at the death of each life."""
    now: Counter[str] = Counter()
    for line in (folder / "effects").read_text(encoding="utf-8").splitlines():
        life, what, _ = line.split()
        now[life] += 1 if what == "begin" else -1
    return {life: count for life, count in now.items() if count}


def convicted(folder: Path, way: str, place: str) -> None:
    """Assert that a poison call died once beside others and three times alone, was put to a person, and nothing else was."""
    assert lives(folder, way, place) == [9, 9, 9, 9, 0]
    assert beside(folder) == {"1": 4, "2": 1, "3": 1, "4": 1}
    db = opened(place)
    flow = Workflow("flow", [Step("s", lambda _: None)], db)
    [asked] = flow.list_pauses()
    assert asked.kind == "interrupted"
    if way == "runs":
        assert asked.run_id == "poison"
        assert {name: flow.get_run_output(name).status for name in "abc"} == dict.fromkeys("abc", RunStatus.completed)
        journals = {name: triggers(flow, name, "s") for name in NAMES}
    else:
        assert asked.step_name == "poison"
        journals = {name: triggers(flow, "r", f"p/{name}") for name in NAMES}
    assert {name: journal.count("interrupt") for name, journal in journals.items()} == {"a": 1, "b": 1, "c": 1, "poison": 4}
    db.close()
