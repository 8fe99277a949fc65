"""What a person's decision costs: pause, decide and resume; a resume far into a run; what a parked run holds in memory."""

from __future__ import annotations

import gc
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

from statecore import InMemoryDb
from tests.bench.measure import Cost, Row, Scale, at_most, beside, middle, one_round
from tests.bench.works import gated, gated_at, raw_commits, repeated, reviewed, store

RUN = "us/run"
COMMITS = 5
"""The boundaries of a gated run of three steps: begun and a called; paused; decided; b called and c called; over."""


def reviews(scale: Scale, folder: Path) -> list[Row]:
    """Pause, decide and resume of a run of three steps, the first and the last of many runs in one store, beside as many raw commits."""
    rows = []
    for where in ("memory", "normal", "full"):
        db: Any = InMemoryDb() if where == "memory" else store(folder, "reviews", where)
        runs = scale.reviews if where != "full" else max(scale.reviews // 10, 4)
        workflow, limit = gated(db), raw_limit(folder, where)
        repeated(partial(reviewed, gated()), 100)()  # the code is warm; the store that is measured is new
        took: list[tuple[float, float]] = []
        limits: list[tuple[float, float]] = []
        for _ in range(runs):
            took.append(one_round(partial(reviewed, workflow), 1))
            if limit is not None and len(limits) < 200:
                limits.append(one_round(limit, 1))
        some = min(20, max(1, runs // 2))
        first, last, whole = middle(took[:some]), middle(took[-some:]), middle(took)
        name = f"pause + decide + resume, 3 steps, {where}"
        against = middle(limits) if limits else None
        rows.append(
            beside(name, RUN, whole, f"{COMMITS} raw commits {where}" if limits else "", against, **review_target(where, whole))
        )
        ratio = round(last.cpu / first.cpu, 2)
        rows.append(Row(f"last {some} / first {some} of {runs:,}, {where}", "ratio of CPU", count=ratio, **at_most(ratio, 1.1, "")))
        db.close()
    return rows


def raw_limit(folder: Path, where: str) -> Any:
    """As many raw commits as a review has boundaries; None in memory."""
    return raw_commits(folder, where, COMMITS, 230) if where != "memory" else None


def review_target(where: str, took: Cost) -> dict[str, Any]:
    """The target of a review: CPU without the disk's wait, wall with it."""
    match where:
        case "normal":
            return at_most(took.cpu, 800, "us CPU")
        case "full":
            return at_most(took.wall, 2_500, "us wall")
        case _:
            return {}


def resumes(scale: Scale, folder: Path) -> list[Row]:
    """A decision and the rest of a run that is parked after few steps, and after many."""
    rows: list[Row] = []
    for where in ("memory", "normal"):
        took: dict[int, list[tuple[float, float]]] = {}
        for length in scale.parked:
            db: Any = InMemoryDb() if where == "memory" else store(folder, f"parked-{length}", where)
            workflow, small = gated_at(length, db), gated(db)
            took[length] = []
            for _ in range(scale.rounds + 1):
                output = workflow.run("x")
                output.steps_requiring_confirmation[0].confirm()
                gc.collect()
                reviewed(small)  # what is shared by all resumes is warm, whatever lay between
                took[length].append(one_round(partial(workflow.continue_run, output), 1))
            db.close()
        near, far = (middle(took[length][1:]) for length in scale.parked)
        few, many = scale.parked
        rows.append(beside(f"resume at step {few:,}, {where}", RUN, near))
        target = at_most(round(far.cpu / near.cpu, 2), 2, f"x step {few:,}")
        rows.append(beside(f"resume at step {many:,}, {where}", RUN, far, f"at step {few:,}", near, **target))
    return rows


def memory_of_runs(scale: Scale, folder: Path) -> list[Row]:
    """What a paused run of three steps holds in memory, by tracemalloc, when only the store knows it."""
    del folder
    workflow = gated(InMemoryDb())
    for _ in range(10):
        workflow.run("x")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(scale.kept):
        workflow.run("x")
    gc.collect()
    each = round((tracemalloc.get_traced_memory()[0] - before) / scale.kept)
    tracemalloc.stop()
    return [Row("memory of a paused run, in memory", "bytes/run", count=each, **at_most(each, 3_000, "bytes"))]
