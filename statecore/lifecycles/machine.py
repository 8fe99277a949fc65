"""`fire` is the only door to `transitions`: every change of status in the package is the firing of a row.

One shared machine a table, built without model (`model=None`), without back doors (`auto_transitions=False`) and without a queue.
A throw-away probe carries the phase and answers each guard from the facts that hold. The question is pure, so it is cached: the
machine answers each one once in a process, and is built, and `transitions` loaded, when it is asked its first.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

from statecore.errors import RefusedTrigger

from .condition import CONDITION_KIND
from .loop import LOOP_KIND
from .parallel import PARALLEL_KIND, STEPS_KIND, WORKFLOW_KIND
from .router import ROUTER_KIND
from .run import RUN_KIND
from .step import STEP_KIND

if TYPE_CHECKING:
    from transitions import Machine

    from .kind import Kind
    from .words import Table

COMPONENT_KINDS: tuple[Kind, ...] = (STEP_KIND, CONDITION_KIND, LOOP_KIND, ROUTER_KIND, PARALLEL_KIND, STEPS_KIND, WORKFLOW_KIND)
"""The kinds of component, as users write them."""

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*COMPONENT_KINDS, RUN_KIND)}
"""The kind of each node of a program by its name; the run is the root."""

TABLES: dict[str, Table] = {kind.table.name: kind.table for kind in KINDS.values()}

LEAVES: frozenset[str] = frozenset(kind.table.name for kind in COMPONENT_KINDS if kind.is_leaf)
"""The tables whose components call user code and hold nothing; a journal knows a component by its table."""


def build(table: Table) -> Machine:
    """A table becomes a `transitions` machine that has its edges and no others."""
    from transitions import Machine  # noqa: PLC0415  # who only reads runs and decides fires nothing

    return Machine(
        model=None,
        initial=None,
        auto_transitions=False,
        send_event=False,
        queued=False,
        states=list(table.states),
        transitions=[
            {"trigger": row.on, "source": row.source, "dest": row.dest, "conditions": None if row.when == "always" else row.when}
            for row in table.rows
        ],
    )


class Machines(dict[str, "Machine"]):
    """The machine of each table by its name, built when it is first asked for."""

    def __missing__(self, name: str) -> Machine:
        """The machine of a table that was not asked for before."""
        self[name] = build(TABLES[name])
        return self[name]


MACHINES = Machines()


@cache
def fire(machine: str, phase: str, trigger: str, facts: frozenset[str]) -> str:
    """The phase after `trigger` in `phase`, where `facts` are the guards that hold.

    Raises `RefusedTrigger` where no row allows it; `transitions` itself would return False for refused guards.
    """
    from transitions import MachineError  # noqa: PLC0415  # as above

    probe = SimpleNamespace(state=phase, **{guard: guard in facts for guard in TABLES[machine].guards})
    event = MACHINES[machine].events.get(trigger)
    try:
        moved = event is not None and event.trigger(probe)
    except MachineError:
        moved = False
    if not moved:
        raise RefusedTrigger(machine, phase, trigger, facts)
    return str(probe.state)


@cache
def allowed(machine: str, phase: str, facts: frozenset[str]) -> tuple[str, ...]:
    """The triggers for which a row holds in `phase` under `facts`, in table order."""
    rows = [row for row in TABLES[machine].rows if row.source == phase and (row.when == "always" or row.when in facts)]
    return tuple(dict.fromkeys(row.on for row in rows))
