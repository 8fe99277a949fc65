"""What people are shown of a definition travels with a run as data, so that its questions are the same whichever worker asks them."""

from __future__ import annotations

from functools import lru_cache
from json import dumps, loads
from typing import TYPE_CHECKING, Any, cast

from attrs import evolve, frozen

from statecore.codec import decode, encode
from statecore.core import Compiled, stored_program
from statecore.definition import HumanReview

if TYPE_CHECKING:
    from statecore.core import Node
    from statecore.definition.components import Component


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
