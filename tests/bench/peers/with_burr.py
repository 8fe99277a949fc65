"""Burr: a chain of actions, and its SQLite persister on a file with a write-ahead log."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

from burr.core import ApplicationBuilder, State, action  # type: ignore[import-not-found]
from burr.core.graph import GraphBuilder  # type: ignore[import-not-found]
from burr.core.persistence import SQLitePersister  # type: ignore[import-not-found]

from tests.bench.peers.timing import Work, asked, different, reviews, steps, tell


@action(reads=[], writes=["value"])
def trivial(state: State) -> State:
    """Do next to nothing."""
    return state.update(value=different())


@action(reads=[], writes=["value"])
def allowed(state: State, go_on: bool) -> State:
    """Do next to nothing, once a person said so."""
    return state.update(value=different() if go_on else "")


def chain(actions: list[Any]) -> Any:
    """A graph of actions, one after another."""
    named = {f"s{n}": each for n, each in enumerate(actions)}
    names = list(named)
    return GraphBuilder().with_actions(**named).with_transitions(*pairwise(names)).build()


def persister(path: Path) -> Any:
    """A persister in a file with a write-ahead log."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    made = SQLitePersister(str(path), connect_kwargs={"check_same_thread": False})
    made.initialize()
    return made


def begun(graph: Any, app_id: str, kept: Any = None) -> Any:
    """An application at its first action; where it is kept, at the one after its last."""
    builder = ApplicationBuilder().with_graph(graph).with_identifiers(app_id=app_id)
    if kept is None:
        return builder.with_entrypoint("s0").with_state(value="").build()
    first = builder.initialize_from(kept, resume_at_next_action=True, default_state={"value": ""}, default_entrypoint="s0")
    return first.with_state_persister(kept).build()


def running(length: int, kept: Any = None) -> Work:
    """A run of so many trivial actions."""
    graph = chain([trivial] * length)
    return lambda: begun(graph, str(uuid4()), kept).run(halt_after=[f"s{length - 1}"])


def reviewing(kept: Any) -> Work:
    """A halt before the second of three actions, and the rest by an application that is made anew, with a person's word."""
    graph = chain([trivial, allowed, trivial])

    def work() -> None:
        app_id = str(uuid4())
        begun(graph, app_id, kept).run(halt_before=["s1"])
        begun(graph, app_id, kept).run(halt_after=["s2"], inputs={"go_on": True})

    return work


def main() -> None:
    """Measure and print."""
    lengths, runs, folder = asked()
    tell(
        ["apache-burr"],
        memory=steps(running, lengths),
        durable=steps(lambda length: running(length, persister(folder / f"steps-{length}.db")), lengths),
        reviews=reviews(reviewing(persister(folder / "reviews.db")), runs),
        setting="durable: SQLitePersister, write-ahead log",
    )


if __name__ == "__main__":
    main()
