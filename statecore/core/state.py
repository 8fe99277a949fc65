"""The durable situation of a run: small, frozen, sorted and hashable. It holds references to outputs, never values."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from attrs import frozen

from statecore.lifecycles import words as w

from .program import Address

Turn: TypeAlias = tuple[int, ...]

RULES_VERSION = 1
"""Raised when a release changes what the tables or the reducer do; parked runs finish under the rules they began with."""


class Ref(NamedTuple):
    """A reference to what a step handed on: where, in which turn of the loops around it, at which attempt."""

    at: Address
    turn: Turn
    attempt: int


@frozen
class Cursor:
    """One live branch: where it is, in which phase.

    `turn` counts the loops around it, `attempt` the executions here, `interrupts` the deaths of this attempt. `prev` refers to the
    previous content, `last` to what the last completed component handed on.
    """

    at: Address
    phase: str = w.pending
    turn: Turn = ()
    attempt: int = 0
    prev: Ref | None = None
    last: Ref | None = None
    interrupts: int = 0


@frozen
class State:
    """A run's situation: its phase, its cursors in order, and, when it has completed, what it handed on.

    Equal states are equal situations: the past is in the journal, not here.
    """

    run: str = w.pending
    cursors: tuple[Cursor, ...] = ()
    result: Ref | None = None


BEGINNING = State()
