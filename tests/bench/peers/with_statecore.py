"""statecore, on the peers' work and by the peers' clock."""

from __future__ import annotations

from functools import partial
from typing import Any

from statecore import InMemoryDb, SqliteDb
from tests.bench.peers.timing import Work, asked, reviews, steps, tell
from tests.bench.works import gated, linear, reviewed


def running(db: Any, length: int) -> Work:
    """A run of so many trivial steps."""
    workflow = linear(length, db)
    return lambda: workflow.run("x")


def main() -> None:
    """Measure and print."""
    lengths, runs, folder = asked()
    made: dict[str, Any] = {name: SqliteDb(folder / f"{name}.db", durability=name) for name in ("full", "normal")}
    tell(
        ["statecore"],
        memory=steps(lambda length: running(InMemoryDb(), length), lengths),
        durable=steps(lambda length: running(made["full"], length), lengths),
        durable_normal=steps(lambda length: running(made["normal"], length), lengths),
        reviews=reviews(partial(reviewed, gated(made["full"])), runs),
        reviews_normal=reviews(partial(reviewed, gated(made["normal"])), runs),
        setting="durable: full; and normal",
    )


if __name__ == "__main__":
    main()
