"""How the product is asked for what a test vector says."""

from __future__ import annotations

from typing import Any

from statecore.stores.frames import chain, questions
from statecore.stores.frames.framing import NUMBER, PartKind, Record, maybe
from statecore.stores.frames.questions import Component, Slice

RECORDS: dict[str, Record] = {
    each.tag: each
    for each in (
        *(chain.RUN, chain.EVENT, chain.HOT, chain.CANCEL, chain.TOMBSTONE, chain.ERASURE),
        *(questions.QUESTION, questions.WORD, questions.PAUSE, questions.DECISION, questions.ACT),
        *(chain.LEAF, questions.QUESTION_NAME, questions.CALL_NAME),
    )
}


def body(value: dict[str, str]) -> bytes:
    """The bytes of a body or a part in the file."""
    if "times" in value:
        return value["repeat"].encode() * int(value["times"])
    return bytes.fromhex(value["hex"]) if "hex" in value else value["text"].encode()


def valued(kind: PartKind, value: Any) -> Any:
    """The value of a part in the file, as Python has it."""
    if value is None:
        return None
    match kind.name:
        case "number":
            return int(value)
        case "hash" | "hashes":
            return bytes.fromhex(value) if isinstance(value, str) else [bytes.fromhex(each) for each in value]
        case "hash by text":
            return {key: bytes.fromhex(each) for key, each in value.items()}
        case "shown":
            return [(name, step, bytes.fromhex(committed)) for name, step, committed in value]
        case _:
            return value


def values_of(name: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a record in the file, as Python has them."""
    return {part: valued(kind, values[part]) for part, kind in RECORDS[name].parts.items()}


def slice_of(value: dict[str, Any]) -> Slice:
    """A slice in the file."""
    components = []
    for c in value["components"]:
        numbers: dict[str, Any] = {name: valued(maybe(NUMBER), c[name]) for name in ("version", "iterations", "reviews", "seats")}
        edges = pairs(c["edges"])
        components.append(Component(c["at"], c["kind"], edges, callable=c["callable"], facts=frozenset(c["facts"]), **numbers))
    return Slice(pairs(value["entries"]), tuple(components), frozenset(pairs(value["stops"])))


def pairs(value: list[list[str]]) -> tuple[tuple[str, str], ...]:
    """Pairs of texts."""
    return tuple((one, other) for one, other in value)
