"""`wfb` of `Checker.v` in Python: whether the theorems speak of a program.

The Coq function works on numbers in place of addresses: the place of an address among all addresses, sorted. That order has two
properties which the checker needs: the run itself (the empty address) is 0, and a component comes before what is in it.
"""

from __future__ import annotations

from statecore.core import Node, Program
from statecore.core.program import ROOT
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

TURNS = {"loop", "router"}
"""Kinds inside which a turn has one number more."""

APART = {"router", "parallel"}
"""Kinds whose children stand beside each other, not one after the other."""

GIVEN = {w.retries_left, w.reviews_spent}
"""Facts that a cursor gives to a row, never a node."""

BESIDE = {"loop", "router", "parallel"}
"""Kinds that enter their children beside themselves, so that no exit leads back."""


def well_formed(program: Program) -> bool:
    """Whether the checker accepts a program; `faults` says why not."""
    return not faults(program)


def faults(program: Program) -> list[str]:
    """What the checker would refuse in a program, as sentences."""
    found = [
        f"{node.at!r}: {what}"
        for node in program.nodes.values()
        for what, holds in {**of_node(program, node), **among(program, node)}.items()
        if not holds
    ]
    first = program.nodes[program.first]
    if program.first != ROOT and (first.parent != ROOT or first.depth):
        found.append("the first component is not at the top")
    return found


def of_node(program: Program, node: Node) -> dict[str, bool]:
    """Each condition of the checker for one node; the names say what it asks for."""
    parent, after = program.nodes[node.parent], program.nodes[node.next]
    gated = bool(node.facts & {w.needs_confirmation, w.needs_input})
    leads = [program.nodes[at] for at in node.exits.values()]
    return {
        "its parent comes before it": node.parent < node.at or node.at == node.parent == ROOT,
        "its depth is its parent's, or one more": node.parent == ROOT or node.depth == parent.depth + (parent.kind in TURNS),
        "its next is its parent or a sibling": node.next == node.parent
        or (after.parent == node.parent and after.depth == node.depth),
        "its exits lead to its children, or back to itself": all(
            node.at != ROOT and (to.parent == node.at or (to.at == node.at and node.kind not in BESIDE)) for to in leads
        ),
        "it leaves itself, the run or what is around it": node.leaves
        in {
            node.at,
            ROOT,
            *around(program, node),
        },
        "a gate lets nothing run at once": not gated or not node.facts & {w.runs_at_once, w.needs_route},
        "its machine is not the run's": node.kind == "run" or node.machine != "run",
        "what is no step has an exit": node.kind == "run" or node.machine == "step" or bool(leads),
        "a bound of branches is positive": node.limits.concurrency != 0,
    }


def among(program: Program, node: Node) -> dict[str, bool]:
    """Each condition for what a component stands among; the names say what it asks for."""
    parent, after = program.nodes[node.parent], program.nodes[node.next]
    return {
        "its next comes after it in its list": node.next == node.parent or node.index < after.index,
        "at the top it is in no turn": node.parent != ROOT or node.depth == 0,
        "a step has nothing inside": node.parent == ROOT or parent.machine != "step",
        "beside its siblings nothing comes after it": node.parent == ROOT or parent.kind not in APART or node.next == node.parent,
        "a branch is entered by its Parallel": node.parent == ROOT or parent.kind != "parallel" or node.at in parent.exits.values(),
        "a Parallel enters each branch once": node.kind != "parallel" or len({*node.exits.values()}) == len(node.exits),
        "a step has no exit": node.machine != "step" or not node.exits,
        "it has no fact that only a cursor gives": not node.facts & GIVEN,
        "its machine is its kind's": node.machine == KINDS[node.kind].table.name,
    }


def around(program: Program, node: Node) -> list[str]:
    """The addresses around a node, as far as each parent comes before its child: a malformed program may have a circle."""
    found = []
    while node.parent != ROOT and node.parent < node.at:
        found.append(node.parent)
        node = program.nodes[node.parent]
    return found
