"""What a trivial step costs: `python -m tests.bench.steps` prints one JSON object.

CPU microseconds a step in memory, through SQLite with `durability="normal"` and "full", for runs of 10 to 10,000 steps; file bytes a step; and the
same beside a plain loop and a raw INSERT + COMMIT in the same process, because absolute times on a shared machine mean little. Each figure is the
median of several runs.
"""

from __future__ import annotations

import json
import platform
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from statecore import InMemoryDb, Parallel, SqliteDb, Step, StepInput, Steps, Workflow, __version__

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTHS = (10, 100, 1_000, 10_000)
PARALLEL = (1, 8, 64)
DEPTHS = (1, 2, 20)
LEAST_STEPS = 2_000


def trivial(step_input: StepInput) -> int:
    """Do next to nothing."""
    return step_input.attempt


def linear(length: int, db: Any) -> Workflow:
    """A workflow of trivial steps."""
    return Workflow("linear", steps=[Step(f"s{n}", trivial) for n in range(length)], db=db)


def cost(work: Callable[[], object], units: int, rounds: int) -> dict[str, float]:
    """The median CPU and wall microseconds a unit, over several rounds, the first not counted."""
    work()
    cpu, wall = [], []
    for _ in range(rounds):
        begun_cpu, begun_wall = time.process_time_ns(), time.perf_counter_ns()
        work()
        cpu.append((time.process_time_ns() - begun_cpu) / 1_000 / units)
        wall.append((time.perf_counter_ns() - begun_wall) / 1_000 / units)
    return {"cpu_us": round(median(cpu), 2), "wall_us": round(median(wall), 2)}


def rounds_for(length: int) -> int:
    """How often a run of that length is repeated."""
    return max(3, min(50, LEAST_STEPS // length))


def in_memory(length: int) -> dict[str, float]:
    """A run in memory."""
    workflow = linear(length, InMemoryDb())
    return cost(lambda: workflow.run("x"), length, rounds_for(length))


def in_sqlite(length: int, durability: Any, folder: Path) -> dict[str, float]:
    """A run through SQLite, with the bytes that the file grows by a step."""
    path = folder / f"{durability}-{length}.db"
    db = SqliteDb(db_file=path, durability=durability)
    workflow = linear(length, db)
    rounds = rounds_for(length)
    found = cost(lambda: workflow.run("x"), length, rounds)
    db.close()
    return {**found, "bytes_per_step": round(path.stat().st_size / length / (rounds + 1))}


def plain_loop(length: int) -> dict[str, float]:
    """The limit in memory: calling the same functions."""
    steps = [trivial] * length

    class Input:
        attempt = 0

    def work() -> None:
        for step in steps:
            step(Input())  # type: ignore[arg-type]

    return cost(work, length, rounds_for(length))


def raw_commit(length: int, synchronous: str, folder: Path) -> dict[str, float]:
    """The limit on a disk: one INSERT and COMMIT a step."""
    connection = sqlite3.connect(folder / f"raw-{synchronous}-{length}.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE step (id INTEGER PRIMARY KEY, body TEXT)")

    def work() -> None:
        for _ in range(length):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO step (body) VALUES ('0')")
            connection.execute("COMMIT")

    found = cost(work, length, rounds_for(length))
    connection.close()
    return found


def pause_and_resume(durability: Any, folder: Path) -> dict[str, float]:
    """A pause, a decision and a continuation of a three-step run."""
    db = SqliteDb(db_file=folder / f"pause-{durability}.db", durability=durability)
    gated = [Step("a", trivial), Step("b", trivial, requires_confirmation=True), Step("c", trivial)]
    workflow = Workflow("gated", steps=gated, db=db)

    def work() -> None:
        output = workflow.run("x")
        output.steps_requiring_confirmation[0].confirm()
        workflow.continue_run(output)

    found = cost(work, 1, 50)
    db.close()
    return found


def width(branches: int) -> dict[str, float]:
    """A Parallel whose branches all pause, confirmed together, in memory; a unit is a branch."""
    steps = [Step(f"b{n}", trivial, requires_confirmation=True) for n in range(branches)]
    workflow = Workflow("wide", steps=[Parallel(*steps, name="wide")])

    def work() -> None:
        output = workflow.run("x")
        for requirement in output.steps_requiring_confirmation:
            requirement.confirm()
        workflow.continue_run(output)

    return cost(work, branches, 5)


def nested(size: int, depth: int, db: Any) -> Workflow:
    """A workflow of so many components, of which chains of Steps so deep hold the steps; the last of each chain is gated."""
    chains = []
    for number in range(size // depth):
        inner: Any = Step(f"leaf {number}", trivial, requires_confirmation=True)
        for level in range(depth - 1):
            inner = Steps(f"group {number}.{level}", [inner])
        chains.append(inner)
    return Workflow("nested", steps=chains, db=db)


def deep(size: int, depth: int, db: Any) -> dict[str, float]:
    """A run through nested components, confirmed gate by gate; a unit is a component."""
    workflow = nested(size, depth, db)

    def work() -> None:
        output = workflow.run("x")
        while output.is_paused:
            output.steps_requiring_confirmation[0].confirm()
            output = workflow.continue_run(output)

    return cost(work, size, 5)


def main() -> None:
    """Measure everything and print it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {
            "versions": {
                "statecore": __version__,
                "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version,
                "platform": platform.platform(),
            },
            "memory": {length: in_memory(length) for length in LENGTHS},
            "plain_loop": {length: plain_loop(length) for length in LENGTHS},
            "sqlite_normal": {length: in_sqlite(length, "normal", folder) for length in LENGTHS},
            "sqlite_full": {length: in_sqlite(length, "full", folder) for length in LENGTHS[:3]},
            "raw_normal": {length: raw_commit(length, "NORMAL", folder) for length in LENGTHS[1:3]},
            "raw_full": {length: raw_commit(length, "FULL", folder) for length in LENGTHS[1:3]},
            "pause_decide_resume": {durability: pause_and_resume(durability, folder) for durability in ("normal", "full")},
            "nested_200_components": {
                depth: {
                    "memory": deep(200, depth, InMemoryDb()),
                    "sqlite_normal": deep(200, depth, SqliteDb(folder / f"deep-{depth}.db", durability="normal")),
                }
                for depth in DEPTHS
            },
            "parallel_pauses": {branches: width(branches) for branches in PARALLEL},
        }
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
