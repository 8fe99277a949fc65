"""statecore and Burr with a write-ahead log, in one process and by turns, so that whatever slows the machine slows both: the medians of ratios.

It runs in Burr's environment, where the libraries that statecore needs are installed, too.
"""

from __future__ import annotations

import gc
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from statecore import SqliteDb
from tests.bench.peers.timing import Work, asked, one_round, repeated, tell
from tests.bench.peers.with_burr import persister, reviewing, running
from tests.bench.works import gated, linear, reviewed

ROUNDS, STEPS_A_ROUND, REVIEWS_A_ROUND = 9, 200, 30


def ratio(ours: Work, theirs: Work, units: int) -> list[float]:
    """The median of the ratios of CPU, and the CPU microseconds of a unit of both."""
    for work in (ours, theirs):
        work()
    took = []
    for _ in range(ROUNDS):
        gc.collect()
        mine = one_round(ours, units)[0]
        gc.collect()
        took.append((mine, one_round(theirs, units)[0]))
    return [round(median(each), 2) for each in ([a / b for a, b in took], [a for a, _ in took], [b for _, b in took])]


def paired(durability: Any, lengths: list[int], folder: Path) -> dict[str, list[float]]:
    """Runs of each length, and reviews, by turns."""
    db = SqliteDb(folder / f"ours-{durability}.db", durability=durability)
    kept = persister(folder / f"theirs-{durability}.db")
    kept.connection.execute(f"PRAGMA synchronous={durability.upper()}")
    found = {}
    for length in lengths:
        runs = max(1, STEPS_A_ROUND // length)
        works = (partial(linear(length, db).run, "x"), running(length, kept))
        ours, theirs = (repeated(work, runs) for work in works)
        found[f"step, {length:,} a run"] = ratio(ours, theirs, length * runs)
    ours, theirs = (repeated(work, REVIEWS_A_ROUND) for work in (partial(reviewed, gated(db)), reviewing(kept)))
    found["review"] = ratio(ours, theirs, REVIEWS_A_ROUND)
    return found


def main() -> None:
    """Measure and print."""
    lengths, _, folder = asked()
    tell(["apache-burr"], **{name: paired(name, lengths, folder) for name in ("normal", "full")})


if __name__ == "__main__":
    main()
