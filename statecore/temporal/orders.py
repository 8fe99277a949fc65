"""An order is what a worker is sent for one call: where it stands, what its references stand for as far as that is small, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.codec.records import dump_state, load_state
from statecore.core import Gather, Ref
from statecore.drivers import Execution, Host
from statecore.stores.replay import references

from .sizes import INLINE
from .values import brought
from .wire import Plain, plain_call, plain_held, read_held

if TYPE_CHECKING:
    from statecore.core import Call, Compiled, Source
    from statecore.stores import Identity

    from .ledger import Ledger
    from .values import Values


def order_of(execution: Execution, call: Call, ledger: Ledger) -> Plain:
    """The order for a call. Of the state it has the one cursor that is called, and what is around it."""
    cursor = execution.cursor_at(call)
    state = evolve(execution.state, cursors=(cursor,), endings=())
    meant = references(state)
    held = {ref: seq for ref, seq in execution.held.items() if ref in meant}
    return {
        "run": execution.identity.run_id,
        "call": plain_call(call),
        "seq": execution.seq,
        "state": dump_state(state),
        "held": plain_held(held),
        "texts": small_texts([held[ref] for ref in flat(cursor.prev)], ledger),
        "session_state": execution.session_state,
    }


def flat(source: Source | None) -> list[Ref]:
    """The references that a source is made of, in order."""
    if isinstance(source, Gather):
        return [ref for _, branch in source.branches for ref in flat(branch)]
    return [] if source is None else [source]


def small_texts(rows: list[int], ledger: Ledger) -> list[list[Any]]:
    """The values of some journal rows, as many as may travel along."""
    found: list[list[Any]] = []
    room = INLINE
    for seq in rows:
        [text] = [entry.body.value for entry in ledger.journal(ledger.run_id, seq - 1, seq)] or [None]
        if text is not None and len(text) <= room:
            room -= len(text)
            found.append([seq, text])
    return found


def ordered(host: Host, compiled: Compiled, identity: Identity, order: Plain, values: Values | None) -> Execution:
    """The execution that a worker makes a call with: what it looks back at is read from the run when user code asks."""
    state, held = load_state(order["state"]), read_held(order["held"])
    execution = Execution(host, compiled, identity, state, 0, order["seq"], held, order["session_state"])
    texts = dict(order["texts"])
    execution.texts = {ref: brought(values, texts[seq]) for ref, seq in held.items() if seq in texts}
    return execution
