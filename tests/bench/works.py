"""The works that are measured, and the limits beside them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from statecore import Parallel, SqliteDb, Step, StepInput, Steps, Workflow
from tests.bench.peers.timing import SIZE, different

KILO = 1_000
LARGER = (KILO, 10_000)
"""The bytes of larger outputs that are measured, too."""


def trivial(_: StepInput) -> str:
    """Do next to nothing: another output each time."""
    return different()


async def trivial_async(_: StepInput) -> str:
    """The same, as a coroutine."""
    return different()


def linear(length: int, db: Any = None, size: int = SIZE) -> Workflow:
    """A workflow of trivial steps, each with an output of so many bytes."""
    work = trivial if size == SIZE else lambda _: different(size)
    return Workflow("linear", steps=[Step(f"s{n}", work) for n in range(length)], db=db)


def linear_async(length: int, db: Any = None) -> Workflow:
    """A workflow of trivial steps, each a coroutine."""
    return Workflow("linear", steps=[Step(f"s{n}", trivial_async) for n in range(length)], db=db)


def gated(db: Any = None) -> Workflow:
    """Three trivial steps, of which the second waits for a person."""
    steps = [Step("a", trivial), Step("b", trivial, requires_confirmation=True), Step("c", trivial)]
    return Workflow("gated", steps=steps, db=db)


def gated_at(length: int, db: Any = None) -> Workflow:
    """So many trivial steps, then one that waits for a person."""
    steps = [Step(f"s{n}", trivial) for n in range(length)]
    return Workflow("parked", steps=[*steps, Step("gate", trivial, requires_confirmation=True)], db=db)


def reviewed(workflow: Workflow) -> None:
    """One run until it pauses, a decision, and the run to its end."""
    output = workflow.run("x")
    output.steps_requiring_confirmation[0].confirm()
    workflow.continue_run(output)


def wide(branches: int, db: Any = None) -> Workflow:
    """A Parallel of trivial steps that all wait for a person."""
    steps = [Step(f"b{n}", trivial, requires_confirmation=True) for n in range(branches)]
    return Workflow("wide", steps=[Parallel(*steps, name="wide")], db=db)


def answer_all(workflow: Workflow) -> None:
    """One run, all of whose questions are answered with yes, as often as it asks."""
    output = workflow.run("x")
    while output.is_paused:
        for requirement in output.steps_requiring_confirmation:
            requirement.confirm()
        output = workflow.continue_run(output)


def nested(length: int, depth: int, db: Any = None) -> Workflow:
    """So many trivial steps, one after another, inside so many groups."""
    steps: list[Any] = [Step(f"s{n}", trivial) for n in range(length)]
    for level in range(depth - 1):
        steps = [Steps(f"group {level}", steps)]
    return Workflow("nested", steps=steps, db=db)


def repeated(work: Callable[[], object], times: int) -> Callable[[], None]:
    """A work so many times: one alone would find the caches cold."""

    def again() -> None:
        for _ in range(times):
            work()

    return again


# -- stores ------------------------------------------------------------------------------------------------------------------------


def store(folder: Path, name: str, durability: Any) -> SqliteDb:
    """A store in a file of its own."""
    return SqliteDb(folder / f"{name}-{durability}.db", durability=durability)


# -- limits ------------------------------------------------------------------------------------------------------------------------


class Input:
    attempt = 0


def plain_loop(length: int) -> Callable[[], None]:
    """The limit in memory: calling the same functions with an object of their own."""
    steps: list[Callable[[Any], str]] = [trivial] * length

    def work() -> None:
        for step in steps:
            step(Input())

    return work


def raw_connection(path: Path, durability: str) -> sqlite3.Connection:
    """A connection to a bare table, with the settings of a store."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={durability.upper()}")
    connection.execute("CREATE TABLE IF NOT EXISTS step (id INTEGER PRIMARY KEY, body TEXT)")
    return connection


def raw_commits(folder: Path, durability: str, length: int, payload: int) -> Callable[[], None]:
    """The limit on a disk: one INSERT and COMMIT a step, of as many bytes as the store keeps for one."""
    connection = raw_connection(folder / f"raw-{durability}-{length}.db", durability)
    text = "x" * payload

    def work() -> None:
        for _ in range(length):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO step (body) VALUES (?)", (text,))
            connection.execute("COMMIT")

    return work


def bare_fsyncs(folder: Path, length: int, payload: int) -> Callable[[], None]:
    """The limit of the disk itself: append a page's worth of bytes and wait for it."""
    file = os.open(folder / f"bare-{length}", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    page = b"x" * payload

    def work() -> None:
        for _ in range(length):
            os.write(file, page)
            os.fsync(file)

    return work
