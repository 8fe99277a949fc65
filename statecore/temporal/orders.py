"""An order is the message to a worker for one call: its place, and the values of its references as far as they are small.

The texts that people are shown of a definition, and the names of its code, travel with a run as data (`sayings`), so that its questions
are the same whichever worker asks them, and an answer is for the code with which the run began (GATE-7).
"""

from __future__ import annotations

from functools import lru_cache
from json import dumps, loads
from typing import TYPE_CHECKING, Any

from attrs import evolve

from statecore.codec import decode, encode
from statecore.codec.records import dump_state, load_state
from statecore.core import Compiled, Gather, Ref, stored_program
from statecore.core.owed import references
from statecore.runtime import Execution, Host
from statecore.runtime.meanings import code_named
from statecore.runtime.standing import follows_an_answer

from .wire import INLINE, Plain, brought, plain_call, plain_held, read_held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statecore.core import Call, Node, Program, Source
    from statecore.stores import Identity
    from statecore.temporal.workflow.ledger import Ledger

    from .wire import Values


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
        "code": code_agreed(execution, call),
    }


def code_agreed(execution: Execution, call: Call) -> str | None:
    """The name of the code that is to be called, where an answer may have let the call begin: another code is no part of what was agreed to."""
    node, marks = execution.program.nodes[call.at], execution.cursor_at(call).marks
    agreed = marks.asked or follows_an_answer(execution.program, call.at, again=call.attempt > 0)
    return node.callable if agreed else None


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


def sayings(program: Program) -> str:
    """The sentences, labels, forms, kinds of choice and names of code of a definition, by address, as text."""
    return dumps({at: said for at, node in program.nodes.items() if (said := saying(node))}, separators=(",", ":"))


def saying(node: Node) -> dict[str, Any]:
    """The texts that people are shown of one component, and the name of its code; empty where it has none of its own."""
    asks = {kind: sentence for kind, sentence in node.asks.items() if sentence is not None}
    said: dict[str, Any] = {"asks": asks, "label": node.label, "code": code_named(node.callable)}
    if node.form is not None:
        said["form"] = encode(list(node.form))
    if node.multiple:
        said["multiple"] = True
    return {name: each for name, each in said.items() if each}


@lru_cache(maxsize=256)
def program_of(canonical: str, said: str) -> Compiled:
    """A program with what people are shown of it, and no user code."""
    program = stored_program(canonical)
    words = loads(said)
    return Compiled(evolve(program, nodes={at: shown(node, words.get(at, {})) for at, node in program.nodes.items()}), {})


def shown(node: Node, said: Mapping[str, Any]) -> Node:
    """A node with what people are shown of it."""
    form = tuple(decode(said["form"])) if "form" in said else None
    words = {"asks": said.get("asks", {}), "label": said.get("label"), "form": form, "multiple": said.get("multiple", False)}
    return evolve(node, **words, callable=said.get("code"))
