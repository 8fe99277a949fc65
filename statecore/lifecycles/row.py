"""A row is an edge; a table is a lifecycle. Nothing here fires: `machine.py` does."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

Owes = Literal["ask", "call", "timer"]


@frozen
class Row:
    """One edge: in `source`, on the trigger `on`, if `when` holds, go to `dest`; `claim` says which numbered rule wants it."""

    source: str
    on: str
    dest: str
    when: str
    claim: str
    because: str = ""


@frozen
class Table:
    """One lifecycle: its rows, its first state, and what the world owes in each state (a Moore machine).

    `final` states have no exit at all. `failed` is an end too, but a person may reopen it (ERR-1), so it is not in `final`.
    """

    name: str
    initial: str
    rows: tuple[Row, ...]
    final: frozenset[str]
    owes: dict[str, Owes] = field(factory=dict)
    title: str = ""

    @property
    def states(self) -> tuple[str, ...]:
        """All states, in the order in which a run meets them."""
        return tuple(dict.fromkeys([self.initial, *(s for row in self.rows for s in (row.source, row.dest))]))

    @property
    def triggers(self) -> tuple[str, ...]:
        """All triggers, in table order."""
        return tuple(dict.fromkeys(row.on for row in self.rows))

    @property
    def guards(self) -> tuple[str, ...]:
        """All guards but `always`, in table order."""
        return tuple(dict.fromkeys(row.when for row in self.rows if row.when != "always"))
