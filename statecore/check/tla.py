"""A workflow in TLA+, for a second checker that shares nothing with the first but the tables.

`Lifecycle` is written from the tables, `Program` from compiled workflows; `Engine` and `Properties`, written by hand, are the same for every
workflow and lie in `specs/`, from where a wheel takes them along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statecore.lifecycles import JOINT, KINDS, TABLES, Table

if TYPE_CHECKING:
    from statecore.core import Node, Program

BY_HAND = ("Engine.tla", "Properties.tla", "Properties.cfg", "Endless.cfg")
RULE = "-" * 30
END = "=" * 77
NOTHING = "nothing"
"""Stands for None among strings: TLC refuses to compare values of different types."""


# -- values ------------------------------------------------------------------------------------------------------------------------


def literal(value: Any) -> str:
    """A value in TLA+: tuples are sequences, sets sets, mappings with string keys functions or records."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return str(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case tuple() | list():
            return "<<" + ", ".join(map(literal, value)) + ">>"
        case frozenset() | set():
            return "{" + ", ".join(sorted(map(literal, value))) + "}"
        case Mapping():
            return "[" + ", ".join(f"{name} |-> {literal(each)}" for name, each in value.items()) + "]"
    message = f"{value!r} has no TLA+ form"
    raise TypeError(message)


def function(values: Mapping[str, Any]) -> str:
    """A mapping whose keys are any strings."""
    return "(" + " @@\n     ".join(f"{literal(key)} :> {literal(value)}" for key, value in values.items()) + ")"


def module(name: str, comment: str, definitions: Iterable[str], extends: str = "TLC") -> str:
    """The text of a module."""
    return "\n".join([f"{RULE} MODULE {name} {RULE}", f"(* {comment} *)", f"EXTENDS {extends}", "", *definitions, END, ""])


# -- modules -----------------------------------------------------------------------------------------------------------------------


def lifecycle_module(tables: Mapping[str, Table] = TABLES, joint: Mapping[str, str | None] = JOINT) -> str:
    """`Lifecycle.tla`: the rows of every table, what each state owes, and the joint table."""
    rows = ",\n".join(f"  {name} |-> {{\n{rows_of(table)}\n  }}" for name, table in tables.items())
    owes = ",\n".join(f"  {name} |-> {literal(owes_of(table))}" for name, table in tables.items())
    lines = ",\n".join("  " + literal({"line": line, "on": on or NOTHING}) for line, on in joint.items())
    definitions = [f"Rows == [\n{rows}\n]\n", f"Owes == [\n{owes}\n]\n", f"Joint == <<\n{lines}\n>>"]
    return module("Lifecycle", "Generated from statecore.lifecycles by statecore; change the tables, not this file.", definitions)


def rows_of(table: Table) -> str:
    """The rows of a table as records, one a line, with the claim that wants each."""
    shown = [literal({"source": r.source, "on": r.on, "dest": r.dest, "when": r.when}) for r in table.rows]
    return "\n".join(
        f"    {text}{'' if index == len(shown) else ','}  \\* {row.claim}"
        for index, (text, row) in enumerate(zip(shown, table.rows, strict=True), 1)
    )


def owes_of(table: Table) -> dict[str, str]:
    """The debt of each state."""
    return {state: table.owes.get(state, NOTHING) for state in table.states}


def program_module(programs: Sequence[Program], deaths_of: Callable[[Program], int] = lambda _: 1) -> str:
    """`Program.tla`: compiled workflows, with the bounds of what the world does to them: one retry by a person, so many deaths of a call."""
    shown = ",\n".join(
        f" [first |-> {literal(each.first)}, attempts |-> 1, deaths |-> {deaths_of(each)}, nodes |->\n    {nodes_of(each)}]"
        for each in programs
    )
    return module("Program", "Generated from compiled workflows by statecore.", [f"Programs == <<\n{shown}\n>>"])


def nodes_of(program: Program) -> str:
    """The nodes of a program by address."""
    return function({at: node_of(node) for at, node in program.nodes.items()})


def node_of(node: Node) -> dict[str, Any]:
    """A node as a record: its place, its facts, its exits and its numbers; `routes` are the choices that the world may make."""
    exits = tuple(node.exits.items())
    first = tuple(at for _, at in exits)
    routes = (
        {(at,) for at in first} | ({(first[1], first[0])} if len(first) > 1 else set())
        if KINDS[node.kind].holds == "choices"
        else set()
    )
    return {
        "at": node.at,
        "kind": node.kind,
        "machine": node.machine,
        "parent": node.parent,
        "next": node.next,
        "facts": node.facts,
        "leaves": node.leaves,
        "exits": tuple({"on": on, "at": at} for on, at in exits),
        "routes": routes,
        "transparent": node.transparent,
        "depth": node.depth,
        "retries": node.limits.retries,
        "reviews": node.limits.reviews,
        "iterations": node.limits.iterations,
        "forwards": node.limits.forwards,
        "expires": node.limits.timeout is not None,
        "asks": node.limits.asks,
    }


# -- a workflow of one's own -------------------------------------------------------------------------------------------------------


def by_hand(name: str) -> str:
    """A module that is the same for every workflow: beside this one in a wheel, in `specs/` of a checkout."""
    here = Path(__file__).parent
    shipped, source = here / "tla" / name, here.parents[1] / "specs" / "model" / name
    return (shipped if shipped.exists() else source).read_text(encoding="utf-8")


def exported(program: Program) -> dict[str, str]:
    """All that TLC needs to check one workflow, by file name."""
    modules = {"Lifecycle.tla": lifecycle_module(), "Program.tla": program_module([program])}
    return {**modules, **{name: by_hand(name) for name in BY_HAND}}
