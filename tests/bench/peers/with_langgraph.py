"""LangGraph: a chain of nodes, its SQLite checkpointer (a write-ahead log) with `durability="sync"`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from tests.bench.peers.timing import Work, asked, different, reviews, steps, tell


class Values(TypedDict):
    value: str


def trivial(_: Values) -> dict[str, str]:
    """Do next to nothing."""
    return {"value": different()}


def asking(_: Values) -> dict[str, str]:
    """Ask a person first."""
    interrupt("go on?")
    return {"value": different()}


def chain(nodes: list[Any], saver: Any = None) -> Any:
    """A graph of nodes, one after another."""
    graph = StateGraph(Values)
    names = [f"s{n}" for n in range(len(nodes))]
    for name, node in zip(names, nodes, strict=True):
        graph.add_node(name, node)
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return graph.compile(checkpointer=saver)


def saver(path: Path) -> Any:
    """A checkpointer in a file."""
    made = SqliteSaver(sqlite3.connect(path, check_same_thread=False))
    made.setup()
    return made


def configured(length: int) -> dict[str, Any]:
    """A thread of its own for a run."""
    return {"recursion_limit": length + 10, "configurable": {"thread_id": str(uuid4())}}


def running(length: int, kept: Any = None) -> Work:
    """A run of so many trivial nodes."""
    graph = chain([trivial] * length, kept)
    more = {"durability": "sync"} if kept is not None else {}
    return lambda: graph.invoke({"value": ""}, configured(length), **more)


def reviewing(kept: Any) -> Work:
    """A pause in the second of three nodes, a yes, and the rest."""
    graph = chain([trivial, asking, trivial], kept)

    def work() -> None:
        thread = configured(3)
        graph.invoke({"value": ""}, thread, durability="sync")
        graph.invoke(Command(resume=True), thread, durability="sync")

    return work


def main() -> None:
    """Measure and print."""
    lengths, runs, folder = asked()
    tell(
        ["langgraph", "langgraph-checkpoint-sqlite"],
        memory=steps(running, lengths),
        durable=steps(lambda length: running(length, saver(folder / f"steps-{length}.db")), lengths),
        reviews=reviews(reviewing(saver(folder / "reviews.db")), runs),
        setting="in memory without a checkpointer; durable: SqliteSaver, sync",
    )


if __name__ == "__main__":
    main()
