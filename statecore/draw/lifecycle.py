"""A lifecycle table becomes a picture: a box for each state, a line on an arrow for each row. Nothing here knows a particular table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.lifecycles import words as w

from .picture import Edge, Node, Picture, happily, ident

if TYPE_CHECKING:
    from statecore.lifecycles import Row, Table

OWED_KIND = {"ask": "asks", "call": "calls", "timer": "waits"}


def draw_lifecycle(table: Table) -> Picture:
    """The picture of a table. Rows between the same two states share an arrow, on which each has its line."""
    goal = w.completed if w.completed in table.final else next((s for s in table.states if s in table.final), "")
    labels: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        labels.setdefault((row.source, row.dest), []).append(label(row))
    nodes = (
        Node(ident(state), (state,), kind_of(table, state), marks=("goal",) if state == goal else ()) for state in table.states
    )
    edges = [Edge(ident(source), ident(dest), lines) for (source, dest), lines in labels.items()]
    title = f"Lifecycle: {table.title or table.name}"
    return Picture(ident(table.name), title, tuple(nodes), happily(edges, ident(table.initial), ident(goal)))


def label(row: Row) -> str:
    """What a row says on its arrow: the trigger, the guard, and the claim that wants it."""
    guard = "" if row.when == w.always else f" [{row.when}]"
    return f"{row.on}{guard} · {row.claim}"


def kind_of(table: Table, state: str) -> str:
    """What a state is to a reader; an end says more than a debt, and a debt more than a beginning."""
    if state in table.final:
        return "final"
    if state == w.failed:
        return "failed"
    if state in table.owes:
        return OWED_KIND[table.owes[state]]
    return "initial" if state == table.initial else "rests"
