"""The meaning of a question, in hashes: the digest that a person is shown, one for each word, and what people did about it.

`seen` says whether a person answers the question that stands; the digest of a word says whether a stored answer still means what it meant.
Both cover the texts by their commitments under the salt of the pause, and the *slice*: the part of the program that a word leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from attrs import frozen

from .framing import (
    HASH,
    HASH_BY_TEXT,
    NUMBER,
    TEXT,
    TEXTS,
    Kind,
    frame,
    hashed,
    listed,
    maybe,
    members,
    number,
    record,
    refuse,
    text,
)

Edge = tuple[str, str]
"""A trigger, and the address that it leads to; the end of the run is the address ""."""


@frozen
class Component:
    """A component on a slice, as its definition says; `edges` are those that the walk took, in the order of the definition."""

    at: str
    kind: str
    edges: tuple[Edge, ...] = ()
    callable: str | None = None
    version: int | None = None
    facts: frozenset[str] = frozenset()
    iterations: int | None = None
    reviews: int | None = None
    seats: int | None = None


@frozen
class Slice:
    """The consequence of one word of a question, up to the next questions that are certain.

    `entries` are the edges by which the word leaves the question, `stops` the addresses and kinds of the questions at the end.
    """

    entries: tuple[Edge, ...]
    components: tuple[Component, ...]
    stops: frozenset[tuple[str, str]] = frozenset()


def shown(name: str, value: object) -> bytes:
    """The values that a question shows, in their order: for each its name, the step that it is of (or None), and its commitment."""
    parts = []
    for each in members(name, value):
        label, step, committed = members(name, each)
        parts.append(listed(text(name, label), optional(text, name, step), hashed(name, committed)))
    return listed(*parts)


def optional(encode: Callable[[str, object], bytes], name: str, value: object) -> bytes | None:
    """A part that may be missing."""
    return None if value is None else encode(name, value)


SHOWN = Kind("shown", shown)

ASKED: Mapping[str, Kind] = {
    "run_id": TEXT,
    "pause_id": TEXT,
    "kind": TEXT,
    "rule": maybe(TEXT),
    "message": maybe(HASH),
    "form": maybe(HASH),
    "choices": maybe(HASH),
    "names": maybe(HASH),
    "shown": SHOWN,
}
"""A question without its consequences: the first parts of the three records below."""

QUESTION = record("question", **ASKED, slices=HASH_BY_TEXT)
"""Its digest is `seen`; `slices` has the digest of the slice of each word, expiry included."""

WORD = record("word", **ASKED, word=TEXT, slice=HASH)
"""Its digest says what one word of the question means."""

PAUSE = record(
    "pause",
    **ASKED,
    put=NUMBER,
    at=TEXT,
    turn=TEXT,
    attempt=NUMBER,
    step_name=TEXT,
    opened=NUMBER,
    opened_us=NUMBER,
    deadline_us=maybe(NUMBER),
    on_timeout=TEXT,
    words=TEXTS,
    max_bytes=NUMBER,
    consequences=maybe(TEXT),
    seen=maybe(HASH),
    meanings=maybe(HASH_BY_TEXT),
)
"""A question as it was put. `opened` is the number of the event that puts it, `meanings` the digest of each word. `seen` and `meanings` are
None where a release put it that had no such digests. What `extend` makes of the deadline is an act and not in here."""

DECISION = record(
    "decision",
    pause=HASH,
    word=TEXT,
    decided_us=NUMBER,
    by=maybe(HASH),
    login=maybe(HASH),
    via=maybe(TEXT),
    answer=maybe(HASH),
    comment=maybe(HASH),
    key=maybe(TEXT),
    seen=maybe(HASH),
    meaning=maybe(HASH),
    last_act=maybe(HASH),
)
"""The one decision of a pause. `pause` is the digest of the question, `last_act` that of the last act that stood when it was made."""

ACT = record(
    "act",
    previous=HASH,
    kind=TEXT,
    word=maybe(TEXT),
    voter=maybe(HASH),
    round=NUMBER,
    time_us=NUMBER,
    by=maybe(HASH),
    login=maybe(HASH),
    delegate=maybe(HASH),
    via=maybe(TEXT),
    roles=TEXTS,
    answer=maybe(HASH),
    comment=maybe(HASH),
    seen=maybe(HASH),
    meaning=maybe(HASH),
    until_us=maybe(NUMBER),
    detail=maybe(TEXT),
)
"""A vote, withdrawal, delegation, extension, void, lapse or refusal. `previous` is the act before it, or the question where it is the first."""


def slice_digest(what: Slice) -> bytes:
    """The SHA-256 of a slice: of entries in their order, of components by address and of stops by address and kind, both in UTF-8's order.

    Raises `OutsideFormat` where an address has two components, `UnstorableValue` for a lone surrogate.
    """
    parts = sorted((text("An address", each.at), component(each)) for each in what.components)
    if len({at for at, _ in parts}) < len(parts):
        refuse("A slice", "two of its components have one address")
    stops = sorted((text("An address", at), text("A kind", kind)) for at, kind in what.stops)
    whole = frame("slice", edges(what.entries), listed(*[part for _, part in parts]), listed(*[listed(*stop) for stop in stops]))
    return sha256(whole).digest()


def component(what: Component) -> bytes:
    """A component as a part of a slice; facts are ordered by their UTF-8."""
    return listed(
        text("An address", what.at),
        text("A kind", what.kind),
        optional(text, "A callable", what.callable),
        optional(number, "A version", what.version),
        listed(*sorted(text("A fact", fact) for fact in what.facts)),
        optional(number, "The iterations", what.iterations),
        optional(number, "The reviews", what.reviews),
        optional(number, "The seats", what.seats),
        edges(what.edges),
    )


def edges(what: tuple[Edge, ...]) -> bytes:
    """Edges as a list, in their order."""
    return listed(*[listed(text("A trigger", trigger), text("An address", at)) for trigger, at in what])
