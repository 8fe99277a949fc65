"""Suspects: calls that were in flight when their process died. Each is made next with nothing beside it: a poison call convicts itself alone.

Theory of operation. A death marks each call that was in flight, and a marked call is a suspect (RUN-13). A driver makes the first suspect of
its run alone, and the others of the run wait for its end. So at the next death the first suspect is the only call in doubt, the death counts
as one in which it was alone, and no other call is marked again. A worker drives a run with a suspect while it drives no other one; until
then it gives the run back, so that a death of the others leaves no mark on it.

A first death counts as one in which the call was alone where nothing else is known that the process left: no call of the same run, and no
other run of the store in the middle of a call. An interruption in a process that lives is no death, and makes no suspect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.core.owed import Call, has_room, owed_at
from statecore.lifecycles import words as w
from statecore.stores import RunFilter
from statecore.stores.owner import alive
from statecore.stores.rules import CALLING

if TYPE_CHECKING:
    from collections.abc import Collection

    from statecore.core import Program, State
    from statecore.core.state import Death

    from .execution import Execution
    from .host import Host

MANY = 200
"""How many running runs are looked at, at most, for others that a dead process left."""
LEFT_SEVERAL: set[str] = set()
"""The dead owners that are known to have left several runs in the middle of calls."""


def owed_calls(program: Program, state: State) -> tuple[tuple[Call, bool], ...]:
    """The calls that a run owes, in their order, each with whether it is a suspect."""
    found = [(item, cursor.marks.deaths > 0) for cursor in state.cursors for item in owed_at(program, cursor)]
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


def owes_suspect(state: State) -> bool:
    """Whether a run owes a suspect, so that it is to be driven with no other run beside it."""
    return any(cursor.phase in CALLING and cursor.marks.deaths > 0 for cursor in state.cursors)


def death_of(execution: Execution, left: Collection[Call], owner: str | None, *, beside: bool) -> Death:
    """The death in which a dead owner left these calls: whether they were alone. `beside`: other runs were found that a process left."""
    suspect = any(suspect for _, suspect in owed_calls(execution.program, execution.state))
    if suspect:
        return "alone"
    return "beside" if beside or len(left) > 1 or others_left(execution.host, execution.identity.run_id, owner) else "alone"


def others_left(host: Host, run_id: str, owner: str | None) -> bool:
    """Whether the store has another run that a dead owner left in the middle of a call; `owner` is that of this one, where it is known."""
    now = host.clock()
    found = {
        record.owner
        for record in host.store.runs(RunFilter(phases=(w.running,), limit=MANY))
        if record.owner is not None and record.identity.run_id != run_id and not alive(record.owner, record.lease, now)
        if any(cursor.phase in CALLING for cursor in record.state.cursors)
    }
    LEFT_SEVERAL.update(found)
    return bool(found) or owner in LEFT_SEVERAL
