"""What a definition makes of runs that were parked under another one: which it could not go on with, and which gates they pass unasked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import loads
from typing import TYPE_CHECKING, Any

from statecore.core import ROOT, Program, stored_program
from statecore.errors import StatecoreError
from statecore.lifecycles import words as w
from statecore.stores import Record, RunFilter, Store

if TYPE_CHECKING:
    from statecore.core import Node
    from statecore.stores.health import Symptom

ALL = 1_000_000
UNFINISHED = (w.pending, w.running, w.paused, w.failed)
GATES = frozenset({w.needs_confirmation, w.needs_input, w.person_chooses})


def differences_at(record: Record, nodes: Mapping[str, Any]) -> list[str]:
    """How the places where a run stands differ from a definition; position in a list is never one."""
    _, _, rows = loads(record.identity.canonical)
    was = {at: (kind, machine) for at, _, kind, machine, *_ in rows}
    found = []
    for at in standing(record, was):
        node = nodes.get(at)
        if node is None:
            found.append(f"{at!r}, where the run stands, is gone")
        elif at in was and (node.kind, node.machine) != was[at]:
            found.append(f"{at!r} was a {was[at][0]} and is now a {node.kind}")
    return found


def standing(record: Record, was: Mapping[str, Any]) -> list[str]:
    """The addresses where a run stands: its cursors, and the components around them."""
    places: dict[str, None] = {}
    for cursor in record.state.cursors:
        parts = cursor.at.split("/")
        for cut in range(1, len(parts) + 1):
            at = "/".join(parts[:cut])
            if at in was or at == cursor.at:
                places[at] = None
    return list(places)


def changed(db: Store, workflow_id: str, program: Program) -> Iterator[Record]:
    """The unfinished runs of a workflow that another definition of it has begun."""
    for record in db.runs(RunFilter(workflow_id=workflow_id, phases=UNFINISHED, limit=ALL)):
        if record.identity.fingerprint != program.fingerprint:
            yield record


def stranded(db: Store, workflow_id: str, program: Program) -> Iterator[Symptom]:
    """The unfinished runs of a workflow that this definition of it could not go on with."""
    from statecore.stores.health import Symptom  # noqa: PLC0415  # it knows files, which most runs do not need

    for record in changed(db, workflow_id, program):
        try:
            differences = differences_at(record, program.nodes)
        except (StatecoreError, ValueError) as error:
            differences = [str(error)]
        if differences:
            remedy = "Restore these components, or finish the run with the release that it began with, or cancel it."
            yield Symptom("stranded", record.identity.run_id, "; ".join(differences), remedy)


def unasked(db: Store, workflow_id: str, program: Program) -> Iterator[Symptom]:
    """The gates of this definition that unfinished runs have passed already, and will not be asked: a run never goes back (CONT-9)."""
    from statecore.stores.health import Symptom  # noqa: PLC0415  # it knows files, which most runs do not need

    for record in changed(db, workflow_id, program):
        try:
            was = stored_program(record.identity.canonical).nodes
            passed = [node.at for at in standing(record, was) if at in program.nodes for node in before(program, at)]
        except (StatecoreError, ValueError):
            continue  # it is stranded, and named there
        new = [at for at in dict.fromkeys(passed) if is_gate(program.nodes[at]) and not (at in was and is_gate(was[at]))]
        if new:
            why = f"it has passed {', '.join(map(repr, new))}, where this definition asks a person: it will not be asked there"
            yield Symptom("unasked", record.identity.run_id, why, "Cancel it and start anew, where that gate has to hold for it.")


def before(program: Program, at: str) -> list[Node]:
    """The components that come before one in its list, with all that is inside them."""
    node = program.nodes[at]
    if node.parent != ROOT and program.nodes[node.parent].kind in ("router", "parallel"):
        return []  # beside it, not before it
    branch = node.index
    siblings = [each for each in program.nodes.values() if each.at != ROOT and each.parent == node.parent and each.index < branch]
    earlier = [each for each in siblings if prefix(each.at) == prefix(at)]  # a Condition's other branch is not on the path
    return [each for each in program.nodes.values() if any(each.at == one.at or program.within(each.at, one.at) for one in earlier)]


def prefix(at: str) -> str:
    """What an address has before its last part."""
    return at.rpartition("/")[0]


def is_gate(node: Node) -> bool:
    """Whether a person is asked before the component runs."""
    return bool(node.facts & GATES)
