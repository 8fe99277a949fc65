"""Lifecycles are tables handed to `transitions`.

Owns: the tables. `run`, `step`, `condition`, `loop`, `router` and `parallel` hold one machine each: prose, then rows, grouped by
source state in the order in which a run meets them. One row, one edge, one claim number. The same rows are executed
(`machine.fire`), drawn (`statecore.draw`), stored as the legal moves of a database and checked. There are no wildcards, no
callbacks, no internal transitions and no fallback rows, so the table is the diagram. `words` has the names in the tables and the row itself,
`decisions` the words of people. Beside each table stands the record of its `kind`: what a component of this table calls, holds and is called,
which the upper floors read.

Guards are *facts*: names that hold at an address. Some come from the user's policy and are computed once by `core.compile`; a few come
from the cursor (where a failed run had failed). For each state and trigger exactly one row holds under every legal policy.

May enter: errors, attrs, and `transitions`, which `machine` alone imports.

Start with `step`.
"""

from .condition import CONDITION, CONDITION_KIND
from .decisions import ASK_KINDS, BY_WORD, DECISION_WORDS, SHOWS, AskKind, DecisionWord, by_kind, exhaustive
from .kind import CALL_KINDS, HOLDING, CallKind, Holds, Kind, UserCode
from .loop import LOOP, LOOP_KIND
from .machine import COMPONENT_KINDS, KINDS, LEAVES, MACHINES, TABLES, allowed, fire
from .parallel import GROUP, PARALLEL, PARALLEL_KIND, STEPS_KIND, WORKFLOW_KIND
from .router import ROUTER, ROUTER_KIND
from .run import JOINT, RUN, RUN_KIND
from .step import STEP, STEP_KIND
from .words import Row, Table

__all__ = [
    "ASK_KINDS",
    "BY_WORD",
    "CALL_KINDS",
    "COMPONENT_KINDS",
    "CONDITION",
    "CONDITION_KIND",
    "DECISION_WORDS",
    "GROUP",
    "HOLDING",
    "JOINT",
    "KINDS",
    "LEAVES",
    "LOOP",
    "LOOP_KIND",
    "MACHINES",
    "PARALLEL",
    "PARALLEL_KIND",
    "ROUTER",
    "ROUTER_KIND",
    "RUN",
    "RUN_KIND",
    "SHOWS",
    "STEP",
    "STEPS_KIND",
    "STEP_KIND",
    "TABLES",
    "WORKFLOW_KIND",
    "AskKind",
    "CallKind",
    "DecisionWord",
    "Holds",
    "Kind",
    "Row",
    "Table",
    "UserCode",
    "allowed",
    "by_kind",
    "exhaustive",
    "fire",
]
