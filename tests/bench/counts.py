"""What does not depend on the machine's load: fsyncs, bytes of log and Python calls a step.

A child process does the work at two sizes, and the difference is counted: so that what starting costs falls out. Fsyncs and bytes of log
are read from `strace` where it is there. Elsewhere fsyncs are the commits of a "full" store, one each, and bytes of log are not counted.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from statecore import InMemoryDb, SqliteDb
from tests.bench.measure import Row, Scale, at_most
from tests.bench.peers.timing import SIZE
from tests.bench.works import KILO, LARGER, gated, linear, reviewed

ROOT = Path(__file__).parents[2]
CALLS = "fsync,fdatasync,write,pwrite64"
WRITTEN = re.compile(r"\b(?:write|pwrite64)\((\d+)<([^>]*)>.*= (\d+)$")
SYNCED = re.compile(r"\bf(?:data)?sync\(")
Task = Literal["steps", "reviews"]


def doing(task: Task, amount: int, db: Any, size: int = SIZE) -> Callable[[], None]:
    """What does a run of so many steps with outputs of so many bytes, or so many reviews of three steps."""
    workflow = linear(amount, db, size) if task == "steps" else gated(db)

    def work() -> None:
        if task == "steps":
            workflow.run("x")
            return
        for _ in range(amount):
            reviewed(workflow)

    return work


def counts(scale: Scale, folder: Path) -> list[Row]:
    """Fsyncs, bytes of log and calls a step, and fsyncs and calls a review."""
    much, few = scale.counted, max(10, scale.counted // 5)
    rows = []
    wanted: dict[tuple[Task, str], dict[str, Any]] = {
        ("steps", "full"): {"target": "1", "low": 0.99, "high": 1.01},
        ("steps", "normal"): {"target": "0", "low": 0, "high": 0},
        ("reviews", "full"): {"target": "<= 5", "low": 0, "high": 5.01},
    }
    for (task, durability), bound in wanted.items():
        fsyncs, written = on_disk(task, durability, few, few + much, folder)
        one = task[:-1]
        unit = f"fsyncs/{one}"
        met = bound["low"] <= fsyncs <= bound["high"]
        rows.append(Row(f"fsyncs a {one}, {durability}", unit, count=round(fsyncs, 3), target=bound["target"], met=met))
        if written is not None:
            target = at_most(round(written), 100_000, "bytes") if task == "reviews" else {}
            rows.append(Row(f"bytes of log a {one}, {durability}", f"bytes/{one}", count=round(written), **target))
    for size in LARGER:
        _, written = on_disk("steps", "normal", few, few + much, folder, size)
        if written is not None:
            target = at_most(round(written), 7_000, "bytes") if size == KILO else {}
            rows.append(Row(f"bytes of log a step of {size:,} bytes", "bytes/step", count=round(written), **target))
    for task, unit in (("steps", "calls/step"), ("reviews", "calls/review")):
        for where in ("memory", "normal"):
            made = python_calls(task, where, few, few + much, folder)
            rows.append(Row(f"Python calls, C calls a {task[:-1]}, {where}", unit, count=made[0], more={"C calls": made[1]}))
    rows.append(kept_floor(folder))
    return rows


def on_disk(  # noqa: PLR0913  # a work, and how much of it
    task: Task, durability: str, few: int, many: int, folder: Path, size: int = SIZE
) -> tuple[float, float | None]:
    """The fsyncs of a unit of work, and the bytes of log."""
    look = traced if shutil.which("strace") else committed
    low, high = (look(task, durability, amount, folder, size) for amount in (few, many))
    fsyncs = (high[0] - low[0]) / (many - few)
    return fsyncs, (high[1] - low[1]) / (many - few) if high[1] is not None and low[1] is not None else None


def traced(task: Task, durability: str, amount: int, folder: Path, size: int) -> tuple[int, int]:
    """What `strace` sees of a child that does the work: fsyncs, and bytes written to the store's log, from where they are copied later."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        found = Path(name, "strace")
        path = Path(name, "counted.db")
        child = [sys.executable, "-m", "tests.bench.counts", task, durability, str(amount), str(size), str(path)]
        strace = [
            str(shutil.which("strace")),
            "-f",
            "--seccomp-bpf",
            "-qq",
            "-y",
            "-s",
            "0",
            "-e",
            f"trace={CALLS}",
            "-o",
            str(found),
        ]
        subprocess.run(child, cwd=ROOT, check=True)  # lists of moves that a store meets for the first time cost one more
        subprocess.run([*strace, *child], cwd=ROOT, check=True)
        lines = found.read_text(encoding="utf-8", errors="replace").splitlines()
    writes = [match for line in lines if (match := WRITTEN.search(line))]
    return sum(bool(SYNCED.search(line)) for line in lines), sum(int(m[3]) for m in writes if f"{path.name}-wal" in m[2])


class Counting(sqlite3.Connection):
    """A connection that counts its commits; with `synchronous=FULL` and a write-ahead log each is one fsync."""

    commits = 0

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        """Count a commit, and execute; a statement by itself is one."""
        whole = not self.in_transaction and sql.lstrip().startswith("INSERT")
        done = super().execute(sql, *args)
        Counting.commits += sql == "COMMIT" or whole
        return done


def committed(task: Task, durability: str, amount: int, folder: Path, size: int) -> tuple[int, None]:
    """What the store's own connection sees, where there is no `strace`."""
    db = SqliteDb(folder / f"counted-{task}-{durability}-{amount}.db", durability="normal", connection_factory=Counting)
    doing(task, amount, db, size)()  # as in `traced`
    before = Counting.commits
    doing(task, amount, db, size)()
    db.close()
    return (Counting.commits - before) * (durability == "full"), None


def python_calls(task: Task, where: str, few: int, many: int, folder: Path) -> tuple[float, float]:
    """The calls of Python functions and of C functions in a unit of work."""
    seen = []
    for amount in (few, many):
        db: Any = InMemoryDb() if where == "memory" else SqliteDb(folder / f"calls-{task}-{amount}.db", durability="normal")
        work = doing(task, amount, db)
        for _ in range(3):  # caches are warm when a program has run for a while
            work()
        seen.append(profiled(work))
        db.close()
    low, high = seen
    return round((high[0] - low[0]) / (many - few), 1), round((high[1] - low[1]) / (many - few), 1)


def profiled(work: Callable[[], None]) -> tuple[int, int]:
    """How many Python functions, and how many C functions, a work calls."""
    python = native = 0

    def hear(_: Any, event: str, __: Any) -> None:
        nonlocal python, native
        python += event == "call"
        native += event == "c_call"

    before = sys.getprofile()
    sys.setprofile(hear)
    try:
        work()
    finally:
        sys.setprofile(before)
    return python, native


def kept_floor(folder: Path) -> Row:
    """The bytes that a bare table keeps for a row of one short text."""
    path = folder / "floor.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE step (id INTEGER PRIMARY KEY, body TEXT)")
    connection.executemany("INSERT INTO step (body) VALUES (?)", [("x" * 45,)] * 10_000)
    connection.commit()
    connection.close()
    return Row("bytes a bare table keeps for a row of 45 characters", "bytes/row", count=round(path.stat().st_size / 10_000))


def main() -> None:
    """Do one task, under `strace`."""
    task, durability, amount, size, path = sys.argv[1:]
    db = SqliteDb(path, durability=durability)  # type: ignore[arg-type]
    doing(task, int(amount), db, int(size))()  # type: ignore[arg-type]
    db.close()


if __name__ == "__main__":
    main()
