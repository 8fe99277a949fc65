"""I12: ten thousand operations leave no more descriptors, threads or connections behind than some hundred did, and the log stays bounded."""

from __future__ import annotations

import os
from asyncio import run as run_loop
from collections.abc import Callable
from pathlib import Path
from threading import Thread, active_count
from threading import enumerate as all_threads
from typing import Any

from attrs import frozen

from statecore import Workflow
from statecore.db.sqlite import SqliteDb
from statecore.errors import StatecoreError
from statecore.runtime import hands
from statecore.stores.sqlite import store as sqlite
from tests.faults.crowd import Pipe, Worker
from tests.faults.report import Order, Tally
from tests.faults.scenarios import SCENARIOS, flow, to_the_end

WAL_PAGES = 200
"""How long the log may grow here, so that it is copied many times."""

BOUND = 2 * WAL_PAGES * 4096
SPARE = 3
"""SQLite keeps the descriptor of a connection that is closed while another one holds a lock, and uses it for the next that is opened."""

PATIENCE = 60.0
"""How many seconds a thread without work has to end."""

NAMES = ("approve", "error-skip", "nested", "cancel", "parallel")


@frozen
class Size:
    """How much of everything a process has."""

    descriptors: int
    threads: int
    log: int

    @classmethod
    def of(cls, file: Path) -> Size:
        """How much this process has now, when the threads without work have ended: how many there are at a moment is a matter of chance."""
        for thread in all_threads():
            if thread.name in ("statecore", "statecore-store"):
                thread.join(PATIENCE)
        log = file.with_name(f"{file.name}-wal")
        return cls(len(os.listdir("/proc/self/fd")), active_count(), log.stat().st_size if log.exists() else 0)  # noqa: PTH208  # names only


def elsewhere(act: Callable[[], Any]) -> None:
    """Do it in a thread that ends."""
    thread = Thread(target=act)
    thread.start()
    thread.join()


def opened_again(file: Path) -> None:
    """A store of its own for one question."""
    db = SqliteDb(file, durability="normal")
    db.definition("")
    db.close()


def refused(workflow: Workflow) -> None:
    """Something that cannot be done."""
    try:
        workflow.decide("no such run", "no such pause", "confirm")
    except StatecoreError:
        return
    raise AssertionError("an unknown run was decided")


def operations(workflow: Workflow, file: Path, number: int) -> list[Callable[[], Any]]:
    """Things that users do, all of them with one run."""
    scenario, run_id = SCENARIOS[NAMES[number % len(NAMES)]], f"run-{number}"
    mine = flow(scenario, workflow.db, file.with_suffix(".log"))
    stream = mine.run(run_id=run_id, stream=True)
    return [
        lambda: next(iter(stream), None),
        stream.close,
        lambda: to_the_end(mine, scenario, lambda *_: None, run_id),
        lambda: mine.get_run_output(run_id).to_dict(),
        lambda: mine.list_runs(limit=5),
        lambda: refused(mine),
        lambda: elsewhere(lambda: mine.get_run_output(run_id).status),
        lambda: opened_again(file),
        lambda: run_loop(flow(SCENARIOS["plain"], workflow.db, file.with_suffix(".log")).arun(run_id=f"{run_id}-async")),
        workflow.recover,
    ]


def grown(pipe: Pipe, folder: Path, many: int) -> None:
    """Do them all, and say after each tenth part how much there is."""
    sqlite.WAL_PAGES, hands.IDLE = WAL_PAGES, 0.01
    file = folder / "runs.db"
    workflow = flow(SCENARIOS["plain"], SqliteDb(file, durability="normal"), file.with_suffix(".log"))
    done, told = 0, 0
    number = 0
    while done < many:
        for operation in operations(workflow, file, number):
            operation()
            done += 1
        number += 1
        if done * 10 // many > told:
            told = done * 10 // many
            pipe.send(Size.of(file))
    pipe.send(None)


def run(order: Order) -> Tally:
    """What there is in the second tenth is all that there ever is."""
    tally = Tally()
    order.folder.mkdir(exist_ok=True)
    many = order.of(300, 2000, 10_000)
    worker = Worker(grown, order.folder, many)
    sizes: list[Size] = []
    while (size := worker.hear()) is not None:
        sizes.append(size)
    worker.close()
    early, late = sizes[1], sizes[-1]
    wrong = []
    if late.descriptors > early.descriptors + SPARE or late.threads > early.threads:
        wrong.append(f"I12 {early} became {late}")
    longest = max(each.log for each in sizes)
    if longest > BOUND:
        wrong.append(f"I12 the log grew to {longest} bytes, and is copied at {WAL_PAGES * 4096}")
    tally.counts |= {"descriptors": late.descriptors, "threads": late.threads, "log bytes": longest, "operations": many}
    tally.add("processes", wrong, f"I12 after {many} operations")
    return tally
