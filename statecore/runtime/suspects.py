"""Suspects: calls that were in flight when their process died. Each is made next with nothing beside it: a poison call convicts itself alone.

Theory of operation. A death leaves a mark on each call that was in flight, and a marked call is a suspect (RUN-13). A driver makes the first
suspect of its run alone, and the others of the run wait for its end. So at the next death the first suspect is the only call in doubt, and
no other one is marked again. A worker drives a run with a suspect while it drives no other one; until then it gives the run back, so that a
death of the others leaves no mark on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.core.owed import Call, has_room, owed_at
from statecore.stores.rules import CALLING

if TYPE_CHECKING:
    from collections.abc import Collection

    from statecore.core import Program, State


def owed_calls(program: Program, state: State) -> tuple[tuple[Call, bool], ...]:
    """The calls that a run owes, in their order, each with whether it is a suspect."""
    found = [(owed_at(program, cursor), cursor.marks.interrupts > 0) for cursor in state.cursors]
    return tuple([(call, suspect) for call, suspect in found if isinstance(call, Call)])


def in_doubt(program: Program, state: State) -> tuple[Call, ...]:
    """The calls that may have been in flight when the owner of the run died: the first suspect alone, or all where there is none."""
    owed = owed_calls(program, state)
    suspects = [call for call, suspect in owed if suspect]
    return tuple(suspects[:1] or [call for call, _ in owed])


def may_fly(program: Program, state: State, call: Call, flying: Collection[Call]) -> bool:
    """Whether a call may be made beside those in flight: a suspect waits for all, all wait for a suspect, and each Parallel has its bound."""
    first = next((each for each, suspect in owed_calls(program, state) if suspect), None) if len(state.cursors) > 1 else None
    if first is not None and (flying or call != first):
        return False
    return has_room(program, call, flying)


def owes_suspect(state: State, *, doubtful: bool = False) -> bool:
    """Whether a run is to be driven with no other run beside it: it owes a suspect, or `doubtful` a call that its dead owner left."""
    return any(cursor.phase in CALLING and (doubtful or cursor.marks.interrupts > 0) for cursor in state.cursors)
