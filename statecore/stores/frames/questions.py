"""The meaning of a question, in hashes: the digest that a person is shown, one for each word, and what people did about it.

`seen` says whether a person answers the question that stands; the digest of a word says whether a stored answer still means what it meant.
Both cover the texts by their commitments under the salt of the pause, and the *slice*: the part of the program that a word leads to.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from re import compile as pattern

from attrs import frozen

from .framing import (
    HASH,
    HASH_BY_TEXT,
    NULL,
    NUMBER,
    TEXT,
    TEXTS,
    PartKind,
    frame,
    hashed,
    hashes_of,
    link,
    listed,
    maybe,
    members,
    number,
    numeral,
    record,
    refuse,
    text,
    texts,
    word,
)

NUMBER_BITS = 24
LAST_NUMBER = 2**NUMBER_BITS - 1
"""The most events of a run: 16,777,215."""

LAST_RUN = 2**39 - 1
"""The most runs of a store, purged ones included: 549,755,813,887."""

LONGEST_KEY = 1_024
"""The most bytes of an idempotency key: with its scope it fits an index of Postgres."""

AGAIN = pattern(r".*@[1-9]\d*", 16)  # re.DOTALL: an address may hold a line's end

QUESTION_NAME = record("question_id", run_id=TEXT, pause_id=TEXT)
CALL_NAME = record("call", identity=HASH, at=TEXT, turn=TEXT, rejected=NUMBER, rounds=NUMBER)


def event_id(run: int, event: int) -> int:
    """The number of an event in its store: the run's number, and the event's in the last 24 bits. Both count from 1. Raises `OutsideFormat`."""
    if type(run) is type(event) is int and 0 < run <= LAST_RUN and 0 < event <= LAST_NUMBER:
        return run << NUMBER_BITS | event
    number("The number of a run", run)
    number("The number of an event", event)
    if not 1 <= run <= LAST_RUN:
        refuse(f"Run number {run}", f"a store numbers its runs from 1 to {LAST_RUN:,}; begin another store")
    if not 1 <= event <= LAST_NUMBER:
        why = f"a run numbers its events from 1 to {LAST_NUMBER:,}; hand on to another run before that"
        refuse(f"Event number {event}", why)
    return run << NUMBER_BITS | event


def run_and_number(found: int) -> tuple[int, int]:
    """The run's and the event's number of what `event_id` made. Raises `OutsideFormat` for anything else."""
    number("The number of an event", found)
    run, event = found >> NUMBER_BITS, found & LAST_NUMBER
    event_id(run, event)
    return run, event


def put_again(pause_id: str, put: int) -> str:
    """The id of a question that is put for the n-th time: that of the first time, with `@n` from the second on.

    No id of a first time ends so, for it ends with an attempt behind a colon. Raises `OutsideFormat`.
    """
    text("The id of a question", pause_id)
    number("How often a question is put", put)
    if put < 1:
        refuse(f"The putting {put}", "a question is put for the first time, the second and so on")
    if AGAIN.fullmatch(pause_id):
        refuse(f"The id {pause_id!r}", "it is that of a question put again; the id of the first time is wanted")
    return pause_id if put == 1 else f"{pause_id}@{put}"


def times_put(pause_id: str) -> int:
    """The number of times that a question has been put under its name: 1 for the first time, n for one that ends with `@n`."""
    return int(pause_id.rpartition("@")[2]) if AGAIN.fullmatch(pause_id) else 1


def question_id(run_id: str, pause_id: str) -> str:
    """The short name of a question: `q_` and 26 characters, the first 128 bits of a hash. The same in each store that holds the run."""
    return "q_" + short(QUESTION_NAME.digest(run_id=run_id, pause_id=pause_id))


def call_key(identity: bytes, at: str, turn: Sequence[int], rejected: int, rounds: int) -> str:
    """The idempotency key of a call of user code, for the outside world: `c_` and 26 characters.

    The same for each attempt of one wish; another one after a rejected review, and after a round of answers. The digest of the run's
    identity is in it, which is salted: no run of another store has the same key, whatever its id. Raises `OutsideFormat`.
    """
    for each in (*turn, rejected, rounds):
        number("A turn, or how often an output was rejected or a question answered", each)
        if each < 0:
            refuse("A turn, or how often an output was rejected or a question answered", f"{each} is below 0")
    where = ".".join(map(str, turn))
    return "c_" + short(CALL_NAME.digest(identity=identity, at=at, turn=where, rejected=rejected, rounds=rounds))


def checked_key(key: str) -> str:
    """An idempotency key that a caller gives, as it is: 1 to 1,024 bytes of UTF-8, compared byte by byte. Raises `OutsideFormat`."""
    size = len(text("An idempotency key", key))
    if not 1 <= size <= LONGEST_KEY:
        refuse("An idempotency key", f"it has {size:,} bytes of UTF-8, and 1 to {LONGEST_KEY:,} are wanted")
    return key


def short(digest: bytes) -> str:
    """The first 128 bits of a hash as 26 characters: base32 of RFC 4648 in lower case, without padding."""
    return b32encode(digest[:16]).decode().rstrip("=").lower()


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


SHOWN = PartKind("shown", shown)

ASKED: Mapping[str, PartKind] = {
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


def pause_hash(  # noqa: PLR0913  # a record's parts
    run_id: str,
    pause_id: str,
    kind: str,
    put: int,
    bodies: tuple[bytes | None, bytes | None],
    place: tuple[str, str, int, str],
    opened: tuple[int, int],
    deadline_us: int | None,
    on_timeout: str,
    words: tuple[str, ...],
    max_bytes: int,
    evidence: tuple[bytes | None, bytes | None] = (None, None),
    ruled: tuple[str | None, bytes | None] = (None, None),
) -> bytes:
    """`PAUSE.digest`, written out, of a question that has a message, a form, a rule and names, and no more.

    `place` ends with the name of the step; `evidence` is `seen`, and the digests of the words as they are hashed; `ruled` is the rule and the
    commitment to its names.
    """
    at, turn, attempt, step_name = place
    where = (numeral(put), word(at), word(turn), numeral(attempt), word(step_name), *map(numeral, opened))
    seen, meanings = evidence
    known = (link(seen), NULL if meanings is None else listed(meanings))
    until = (NULL if deadline_us is None else numeral(deadline_us), word(on_timeout))
    named = asked_parts(run_id, pause_id, kind, bodies, ruled)
    return sha256(b"".join((PAUSE.head, named, *where, *until, list_of(words), numeral(max_bytes), NULL, *known))).digest()


def asked_parts(
    run_id: str, pause_id: str, kind: str, bodies: tuple[bytes | None, bytes | None], ruled: tuple[str | None, bytes | None]
) -> bytes:
    """The parts of `ASKED`, written out, of a question that has a message, a form, a rule and names, and no more."""
    rule = NULL if ruled[0] is None else listed(text("rule", ruled[0]))
    return b"".join((word(run_id), word(pause_id), word(kind), rule, *map(link, bodies), NULL, link(ruled[1]), NOTHING_SHOWN))


def question_hash(parts: bytes, slices: Mapping[str, bytes]) -> bytes:
    """`QUESTION.digest`, written out, of a question with these parts (`asked_parts`)."""
    return sha256(QUESTION.head + parts + listed(hashes_of(slices))).digest()


def word_hash(parts: bytes, said: str, found: bytes) -> bytes:
    """`WORD.digest`, written out, of a word of such a question, and of the hash of its slice."""
    return sha256(WORD.head + parts + word(said) + link(found)).digest()


NOTHING_SHOWN = listed(b"")


@lru_cache(maxsize=256)
def list_of(words: tuple[str, ...]) -> bytes:
    """The words of a question as a part."""
    return listed(texts("words", words))


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


def decision_hash(  # noqa: PLR0913  # a record's parts
    pause: bytes,
    said: str,
    decided_us: int,
    by: bytes | None,
    login: bytes | None,
    via: str | None,
    answer: bytes | None,
    comment: bytes | None,
    key: str | None,
    evidence: tuple[bytes | None, bytes | None] = (None, None),
    last_act: bytes | None = None,
) -> bytes:
    """`DECISION.digest`, written out; `evidence` is `seen` and the meaning of the word."""
    who = (link(by), link(login), NULL if via is None else word(via))
    bodies = (
        *who,
        link(answer),
        link(comment),
        NULL if key is None else listed(text("key", key)),
        *map(link, evidence),
        link(last_act),
    )
    return sha256(b"".join((DECISION.head, link(pause), word(said), numeral(decided_us), *bodies))).digest()


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
