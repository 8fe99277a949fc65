"""Lifecycles are tables handed to `transitions`.

Owns: the tables. `run`, `step`, `condition`, `loop`, `router` and `parallel` hold one machine each: prose, then rows, grouped by
source state in the order in which a run meets them. One row, one edge, one claim number. The same rows are executed
(`machine.fire`), drawn (`statecore.draw`), stored as the legal moves of a database and checked. There are no wildcards, no
callbacks, no internal transitions and no fallback rows, so the table is the diagram. `words` has the names in the tables and the row itself,
`decisions` the words of people.

Guards are *facts*: names that hold at an address. Some come from the user's policy and are computed once by `core.compile`; a few come
from the cursor (where a failed run had failed). For each state and trigger exactly one row holds under every legal policy.

May enter: errors, attrs, and `transitions`, which `machine` alone imports.

Start with `step`.
"""

from .condition import CONDITION
from .decisions import BY_WORD, DECISION_WORDS, DecisionWord, by_kind, exhaustive
from .loop import LOOP
from .machine import MACHINES, TABLES, allowed, fire
from .parallel import GROUP, PARALLEL
from .router import ROUTER
from .run import JOINT, RUN
from .step import STEP
from .words import Row, Table

__all__ = [
    "BY_WORD",
    "CONDITION",
    "DECISION_WORDS",
    "GROUP",
    "JOINT",
    "LOOP",
    "MACHINES",
    "PARALLEL",
    "ROUTER",
    "RUN",
    "STEP",
    "TABLES",
    "DecisionWord",
    "Row",
    "Table",
    "allowed",
    "by_kind",
    "exhaustive",
    "fire",
]
