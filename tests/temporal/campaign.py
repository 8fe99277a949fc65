"""`python -m tests.temporal.campaign`: two workers share 900 steps; one is killed while 200 runs are paused and 20 are in a step.

It prints what it saw, and ends with 1 where anything was lost, a step was paid for twice, or the sharing is not even within 20 %.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import click

from statecore.temporal import TemporalDb, TemporalWorkflows
from tests.temporal.servers import Server, started
from tests.temporal.steps import split, workflow
from tests.temporal.workers import process, processes, until

CALLERS = 8


def shared(server: Server, db: TemporalDb, folder: Path, steps: int) -> dict[str, int]:
    """Runs of three steps, by two workers; how many steps each has executed."""
    db.lease = 30
    runs = TemporalWorkflows(split, db)
    with processes(server.target, "split", folder, many=2), ThreadPoolExecutor(CALLERS) as callers:
        begun = monotonic()
        started_ids = list(callers.map(lambda _: runs.start(), range(steps // 3)))
        contents = [run.content for run in callers.map(lambda run_id: runs.wait(run_id, timeout=600), started_ids)]
        seconds = monotonic() - begun
    counted = Counter(pid for content in contents for pid in content)
    click.echo(f"{sum(counted.values())} steps of {len(contents)} runs in {seconds:.1f} s: {dict(counted)}")
    return {str(pid): count for pid, count in counted.items()}


def killed(server: Server, db: TemporalDb, folder: Path, paused: int, running: int) -> list[str]:
    """A worker is killed while runs are paused and others are in a step; what went wrong."""
    db.lease = 3
    runs = TemporalWorkflows(workflow, db)
    with ExitStack() as stack:
        first = stack.enter_context(process(server.target, "workflow", folder, "--concurrency", str(running)))
        callers = stack.enter_context(ThreadPoolExecutor(CALLERS))
        waiting = list(callers.map(lambda n: runs.start(f"paused-{n}"), range(paused)))
        list(callers.map(lambda run_id: runs.wait(run_id, timeout=600), waiting))
        stuck = list(callers.map(lambda n: runs.start(f"stuck-{n}"), range(running)))
        until(lambda: len(list(folder.glob("stuck-*.slow.0"))) == running, 300)
        first.kill()
        first.wait()
        listed = len(until(lambda: runs.workflow.list_pauses(limit=10_000)))
        begun = monotonic()
        stack.enter_context(process(server.target, "workflow", folder, "--concurrency", str(running)))
        everybody = [*waiting, *stuck]
        list(callers.map(lambda run_id: runs.wait(run_id, timeout=600), everybody))
        list(callers.map(lambda run_id: runs.workflow.decide(run_id, "approve:confirmation:0", "confirm", by="ada"), everybody))
        ended = [run.status.value for run in callers.map(lambda run_id: runs.wait(run_id, timeout=600), everybody)]
    payments = Counter(path.name.rpartition(".")[0] for path in folder.glob("*.pay.*"))
    click.echo(
        f"{listed} pauses listed without a worker; {Counter(ended)} {monotonic() - begun:.1f} s after the second worker began"
    )
    wrong = [f"{listed} pauses were listed without a worker, not {paused}"] if listed != paused else []
    wrong += [f"{name} was called {count} times" for name, count in payments.items() if count != 1]
    lost = len(everybody) - len(payments)
    return [
        *wrong,
        *([f"{lost} runs did not pay"] if lost else []),
        *([f"ended as {Counter(ended)}"] if set(ended) != {"COMPLETED"} else []),
    ]


def main() -> int:
    """Both parts."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--steps", type=int, default=900)
    wanted.add_argument("--paused", type=int, default=200)
    wanted.add_argument("--running", type=int, default=20)
    given = wanted.parse_args()
    server = started("dev")
    db = TemporalDb(server.target, patience=60)
    with TemporaryDirectory() as folder:
        counts = shared(server, db, Path(folder), given.steps)
        wrong = killed(server, db, Path(folder), given.paused, given.running)
    low, high = min(counts.values()), max(counts.values())
    if len(counts) != 2 or high - low > 0.2 * sum(counts.values()):
        wrong.append(f"the steps were not shared evenly: {counts}")
    click.echo("\n".join(wrong) or "Nothing was lost, and nothing was paid twice.")
    server.stop()
    return 1 if wrong else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
