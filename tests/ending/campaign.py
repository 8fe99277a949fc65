"""A purge of many runs beside two workers and a decider, with figures: `python -m tests.ending.campaign [RUNS]`. Not part of the suite.

It prints as JSON how long each transaction of the purge held the writer's place, how long a decision waited meanwhile, and the sizes of the file.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from multiprocessing import Event, Process
from pathlib import Path
from statistics import quantiles
from tempfile import mkdtemp
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from statecore import SqliteDb, Step, Worker, Workflow
from statecore.stores.sqlite.compacting import compact
from statecore.stores.sqlite.health import verify

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event as Flag

FAR = 2**60


def small(db: SqliteDb) -> Workflow:
    """A run that ends at once."""
    return Workflow("small", [Step("a", lambda s: s.input), Step("b", lambda s: s.input)], db=db)


def gated(db: SqliteDb) -> Workflow:
    """A run that waits for a person."""
    return Workflow("gated", [Step("a", lambda _: "x", requires_confirmation=True)], db=db)


def worker(file: Path, over: Flag) -> None:
    """Execute what is decided."""
    with closing(SqliteDb(file)) as db:
        flow = gated(db)
        while not over.is_set():
            Worker(flow, 1).work(until_idle=True)
            sleep(0.01)


def decider(file: Path, over: Flag, result: Path) -> None:
    """Start runs and decide them; how long each start and decision took goes into a file."""
    took, n = [], 0
    with closing(SqliteDb(file)) as db:
        flow = gated(db)
        while not over.is_set():
            began = monotonic()
            flow.run("x", run_id=f"gated-{n}")
            flow.decide(f"gated-{n}", "a:confirmation:0", "confirm")
            took.append(monotonic() - began)
            n += 1
            sleep(0.005)
    result.write_text(json.dumps(took), encoding="utf-8")


def in_ms(seconds: list[float]) -> dict[str, float]:
    """A distribution in milliseconds."""
    cuts = quantiles(seconds, n=100)
    return {
        "median": round(cuts[49] * 1e3, 1),
        "p95": round(cuts[94] * 1e3, 1),
        "p99": round(cuts[98] * 1e3, 1),
        "max": round(max(seconds) * 1e3, 1),
    }


class Timed(SqliteDb):
    """A store that notes how long each transaction of a purge lasts."""

    took: list[float]

    def _purged(self, *arguments: Any) -> Any:
        began = monotonic()
        batch = super()._purged(*arguments)
        self.took.append(monotonic() - began)
        return batch


def main(runs: int) -> dict[str, Any]:
    """The figures."""
    folder = Path(mkdtemp())
    file = folder / "runs.db"
    with closing(SqliteDb(file, durability="normal")) as db:
        flow = small(db)
        for n in range(runs):
            flow.run("x" * 200, run_id=f"old-{n}")
    told: dict[str, Any] = {"runs": runs, "bytes_before": file.stat().st_size}
    over, result = Event(), folder / "took.json"
    others = [
        Process(target=worker, args=(file, over)),
        Process(target=worker, args=(file, over)),
        Process(target=decider, args=(file, over, result)),
    ]
    for each in others:
        each.start()
    with closing(Timed(file)) as db:
        db.took = []
        began = monotonic()
        done = db.purge(FAR, FAR, workflow_id="small")
        told |= {
            "purged": done.runs,
            "rows": done.rows,
            "batches": done.batches,
            "seconds": round(monotonic() - began, 1),
            "batch_ms": in_ms(db.took),
        }
    over.set()
    for each in others:
        each.join()
    waits = json.loads(result.read_text(encoding="utf-8"))
    told |= {"decisions": len(waits), "decision_ms": in_ms(waits), "bytes_after": file.stat().st_size}
    began = monotonic()
    told |= {"bytes_compact": compact(file).after, "compact_seconds": round(monotonic() - began, 1)}
    found = verify(file)
    return told | {"sound": found.sound, "tombstones": found.purged, "living": found.runs}


if __name__ == "__main__":
    print(json.dumps(main(int((sys.argv[1:] or ["100000"])[0])), indent=2))  # noqa: T201  # a campaign prints
