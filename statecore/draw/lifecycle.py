"""A lifecycle table becomes a picture: a box for each state, a line on an arrow for each row. Nothing here knows a particular table.

A table of many rows is crowded, and a crowded picture is not read. So there each state has the ends that it leads to beside it, except for
the goal, which is drawn once; claims stand in the table alone; and so do the rows of `cancel`, which are alike wherever something is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.lifecycles import words as w

from .picture import Edge, Node, Picture, happily, ident

if TYPE_CHECKING:
    from statecore.lifecycles import Row, Table

OWED_KIND = {"ask": "asks", "call": "calls", "timer": "delays"}
CROWDED = 20
"""A table with more rows than this is crowded."""


def draw_lifecycle(table: Table) -> Picture:
    """The picture of a table. Rows between the same two states share an arrow, on which each has its line."""
    goal = w.completed if w.completed in table.final else next((s for s in table.states if s in table.final), "")
    labels: dict[tuple[str, str], list[str]] = {}
    for row in drawn(table):
        labels.setdefault((row.source, row.dest), []).append(label(row, claim=not crowded(table)))
    aside = table.final - {goal} if crowded(table) else frozenset()
    nodes = [
        Node(ident(state), (state,), kind_of(table, state), marks=("goal",) if state == goal else ())
        for state in table.states
        if state not in aside
    ]
    nodes += [Node(beside(source, dest), (dest,), "final") for source, dest in labels if dest in aside]
    edges = [
        Edge(ident(source), beside(source, dest) if dest in aside else ident(dest), lines)
        for (source, dest), lines in labels.items()
    ]
    title = f"Lifecycle: {table.title or table.name}"
    return Picture(ident(table.name), title, tuple(nodes), happily(edges, ident(table.initial), ident(goal)))


def crowded(table: Table) -> bool:
    """Whether a table has too many rows to draw them all."""
    return len(table.rows) > CROWDED


def drawn(table: Table) -> tuple[Row, ...]:
    """The rows that are in the picture."""
    return tuple(row for row in table.rows if not (crowded(table) and row.on == w.cancel))


def beside(source: str, end: str) -> str:
    """The id of an end that is drawn beside one state."""
    return f"{ident(source)}___{ident(end)}"


def label(row: Row, *, claim: bool) -> str:
    """What a row says on its arrow: the trigger, the guard, and the claim that wants it."""
    guard = "" if row.when == w.always else f" [{row.when}]"
    return f"{row.on}{guard} · {row.claim}" if claim else f"{row.on}{guard}"


def kind_of(table: Table, state: str) -> str:
    """What a state is to a reader; an end says more than a debt, and a debt more than a beginning."""
    if state in table.final:
        return "final"
    if state == w.failed:
        return "failed"
    if state in table.owes:
        return OWED_KIND[table.owes[state]]
    return "initial" if state == table.initial else "rests"
