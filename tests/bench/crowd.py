"""Asynchronous runs: one beside a synchronous one, and many at once on one event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from statecore import InMemoryDb
from tests.bench.measure import Row, Scale, Work, at_most, beside, race
from tests.bench.works import linear, linear_async, store


def crowds(scale: Scale, folder: Path) -> list[Row]:
    """`arun` beside `run`, a step; then many concurrent runs of ten steps on one loop, beside as many one after another."""
    rows = []
    for where in ("memory", "normal", "full"):
        rows += colours(scale, folder, where)
    return [*rows, *[crowd(scale, folder, where) for where in ("memory", "normal", "full")]]


def colours(scale: Scale, folder: Path, where: str) -> list[Row]:
    """A step of `arun`, of coroutines on the loop and of functions on threads, beside one of `run`; and a bare hop to a thread."""
    length = max(scale.lengths[:2])
    db: Any = InMemoryDb() if where == "memory" else store(folder, "async", where)
    plain, coroutines = linear(length, db), linear_async(length, db)

    async def hops() -> None:
        for _ in range(length):
            await asyncio.to_thread(int)

    with asyncio.Runner() as runner:
        works: dict[str, Work] = {
            "run": partial(plain.run, "x"),
            "coroutines": lambda: runner.run(coroutines.arun("x")),
            "functions": lambda: runner.run(plain.arun("x")),
            "hop": lambda: runner.run(hops()),
        }
        took = race(works, length, scale.rounds)
    db.close()
    ratio = round(took["coroutines"].cpu / took["run"].cpu, 2)
    name = f"step of arun, {where}: coroutines"
    first = beside(name, "us/step", took["coroutines"], "step of run", took["run"], **at_most(ratio, 1.5, "x CPU of run"))
    name = f"step of arun, {where}: functions, on threads"
    hop = {"a bare hop to a thread, wall us": took["hop"].wall}
    return [first, beside(name, "us/step", took["functions"], "step of run", took["run"], more=hop)]


def crowd(scale: Scale, folder: Path, where: str) -> Row:
    """So many runs of ten steps at once on one loop; a tenth as many where each step waits for the disk."""
    runs = scale.crowd if where != "full" else max(2, scale.crowd // 10)
    db: Any = InMemoryDb() if where == "memory" else store(folder, "crowd", where)
    together, alone = linear_async(10, db), linear(10, db)

    async def at_once() -> None:
        await asyncio.gather(*[together.arun("x") for _ in range(runs)])

    def one_by_one() -> None:
        for _ in range(runs):
            alone.run("x")

    with asyncio.Runner() as runner:
        took = race({"together": lambda: runner.run(at_once()), "one by one": one_by_one}, runs * 10, min(3, scale.rounds))
    db.close()
    return beside(
        f"step of {runs:,} concurrent runs on one loop, {where}", "us/step", took["together"], "run, one by one", took["one by one"]
    )
