"""An order is the message to a worker for one call: its place, and the values of its references as far as they are small.

The texts that people are shown of a definition travel with a run as data (`sayings`), so that its questions are the same whichever
worker asks them.
"""

from __future__ import annotations

from functools import lru_cache
from json import dumps, loads
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve, frozen

from statecore.codec import decode, encode
from statecore.codec.records import dump_state, load_state
from statecore.core import Compiled, Gather, Ref, stored_program
from statecore.core.owed import references
from statecore.definition import HumanReview
from statecore.runtime import Execution, Host

from .values import brought
from .wire import INLINE, Plain, plain_call, plain_held, read_held

if TYPE_CHECKING:
    from statecore.core import Call, Node, Source
    from statecore.definition.components import Component
    from statecore.stores import Identity
    from statecore.temporal.workflow.ledger import Ledger

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


@frozen
class Shown:
    """A component as far as people see it: it stands for the user's own where no user code is."""

    human_review: HumanReview


def sayings(compiled: Compiled) -> str:
    """The sentences, labels, forms and kinds of choice of a definition, by address, as text."""
    return dumps(
        {at: said for at, node in compiled.program.nodes.items() if (said := saying(compiled, node))}, separators=(",", ":")
    )


def saying(compiled: Compiled, node: Node) -> dict[str, Any]:
    """What people are shown of one component; empty where that is nothing of its own."""
    review: HumanReview | None = getattr(compiled.components.get(node.at), "human_review", None)
    asks = {kind: sentence for kind, sentence in node.asks.items() if sentence is not None}
    said: dict[str, Any] = {"asks": asks, "label": node.label}
    if review is not None and review.user_input_schema is not None:
        said["form"] = encode([each.to_dict() for each in review.user_input_schema])
    if review is not None and review.allow_multiple_selections:
        said["multiple"] = True
    return {name: each for name, each in said.items() if each}


@lru_cache(maxsize=256)
def program_of(canonical: str, said: str) -> Compiled:
    """A program with what people are shown of it, and no user code."""
    program = stored_program(canonical)
    nodes, components = dict(program.nodes), {}
    for at in nodes:
        components[at] = cast("Component", Shown(HumanReview(requires_user_input=True)))
    for at, each in loads(said).items():
        form = decode(each["form"]) if "form" in each else None
        review = HumanReview(
            requires_user_input=True, user_input_schema=form, allow_multiple_selections=each.get("multiple", False)
        )
        components[at] = cast("Component", Shown(review))
        nodes[at] = evolve(nodes[at], asks=each.get("asks", {}), label=each.get("label"))
    return Compiled(evolve(program, nodes=nodes), components)
