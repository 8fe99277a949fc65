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

from .condition import CONDITION
from .loop import LOOP
from .parallel import GROUP, PARALLEL
from .router import ROUTER
from .run import RUN
from .step import STEP

if TYPE_CHECKING:
    from transitions import Machine

    from .words import Table

TABLES: dict[str, Table] = {table.name: table for table in (STEP, CONDITION, LOOP, ROUTER, PARALLEL, GROUP, RUN)}


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
