"""The clockwork of a peer's script, which runs in the peer's own interpreter and prints one JSON object.

A script gives what it can do: steps in memory and durable, by the length of a run, and a pause with its decision and its resumption.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

Work = Callable[[], object]
SIZE = 30
"""The bytes of an output, where nothing else is said."""
NUMBERS = count()
ROUNDS = 5
STEPS_A_ROUND = 300


def different(size: int = SIZE) -> str:
    """An output of so many bytes that no step gave before: a store that keeps equal ones once would hide what they cost."""
    return f"{next(NUMBERS):010d}".ljust(size, "x")


def one_round(work: Work, units: int) -> tuple[float, float]:
    """The CPU and wall microseconds of a unit, this time."""
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    work()
    return (time.process_time_ns() - cpu) / 1_000 / units, (time.perf_counter_ns() - wall) / 1_000 / units


def medians(took: list[tuple[float, float]]) -> list[float]:
    """The median CPU and wall microseconds."""
    return [round(median([cpu for cpu, _ in took]), 1), round(median([wall for _, wall in took]), 1)]


def repeated(work: Work, times: int) -> Work:
    """A work so many times: one short run alone would find the caches cold."""

    def again() -> None:
        for _ in range(times):
            work()

    return again


def steps(make: Callable[[int], Work], lengths: list[int]) -> dict[int, list[float]]:
    """The cost of a step in a run of each length; `make` is given a length and answers what runs it once."""
    found = {}
    for length in lengths:
        runs = max(1, STEPS_A_ROUND // length) if length >= 10 else 1
        work = repeated(make(length), runs)
        work()
        gc.collect()
        found[length] = medians([one_round(work, length * runs) for _ in range(ROUNDS)])
    return found


def reviews(work: Work, runs: int) -> dict[str, Any]:
    """What a pause with its decision and resumption costs, over many runs in one store: all, the first and the last 20."""
    for _ in range(min(runs, 20)):  # the code is warm, and the store holds a few runs
        work()
    gc.collect()
    took = [one_round(work, 1) for _ in range(runs)]
    some = min(20, max(1, runs // 2))
    return {"all": medians(took), "first": medians(took[:some]), "last": medians(took[-some:]), "runs": runs}


def kept(folder: Path, name: str) -> int:
    """The bytes of a store's files."""
    return sum(path.stat().st_size for path in folder.glob(f"{name}*"))


def asked() -> tuple[list[int], int, Path]:
    """The lengths, how many reviews, and the folder, as the command line gives them."""
    lengths, runs, folder = sys.argv[1:]
    return json.loads(lengths), int(runs), Path(folder)


def tell(packages: list[str], **figures: Any) -> None:
    """Print the figures, with the versions they are of."""
    versions = {}
    for name in packages:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "?"
    sys.stdout.write(json.dumps({"versions": versions, **figures}) + "\n")
    sys.stdout.flush()
