"""DBOS: a durable workflow of steps, its system database a SQLite file with a write-ahead log, and fast polling."""

from __future__ import annotations

import sqlite3
from typing import Any

from dbos import DBOS  # type: ignore[import-not-found]

from tests.bench.peers.timing import Work, asked, different, reviews, steps, tell


@DBOS.step()
def trivial() -> str:
    """Do next to nothing."""
    return different()


@DBOS.workflow()
def linear(length: int) -> int:
    """So many trivial steps."""
    for _ in range(length):
        trivial()
    return length


@DBOS.workflow()
def gated() -> str:
    """Three trivial steps, the second once a person said so."""
    trivial()
    if DBOS.recv("decision", timeout_seconds=60) != "yes":
        raise AssertionError("it was a yes")
    trivial()
    return str(trivial())


def running(length: int) -> Work:
    """A run of so many trivial steps."""
    return lambda: linear(length)


def review() -> None:
    """A run that waits for a word, the word, and the rest."""
    handle: Any = DBOS.start_workflow(gated)
    DBOS.send(handle.workflow_id, "yes", "decision")
    handle.get_result()


def main() -> None:
    """Measure and print."""
    lengths, runs, folder = asked()
    path = folder / "dbos.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    config: Any = {
        "name": "bench",
        "system_database_url": f"sqlite:///{path}",
        "run_admin_server": False,
        "enable_otlp": False,
        "log_level": "ERROR",
        "notification_listener_polling_interval_sec": 0.001,
    }
    DBOS(config=config)
    DBOS.launch()
    tell(
        ["dbos"],
        durable=steps(running, lengths),
        reviews=reviews(review, runs),
        setting="write-ahead log, polling every ms; it has no way to run in memory",
    )
    DBOS.destroy()


if __name__ == "__main__":
    main()
