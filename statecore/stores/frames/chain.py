"""The chain of a run: its identity, its events link by link, its head, and its leaves. Seals, with a key or without.

A leaf is the beginning or the end of a run, in the RFC 6962 tree whose root an outsider keeps. It never changes, and none is taken out,
also when its run is purged; so the root over the first n leaves never changes either.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from re import compile as pattern
from struct import Struct
from typing import NamedTuple

from .framing import (
    HASH,
    HASH_BYTES,
    HASHES,
    LENGTH,
    NULL,
    NUMBER,
    TEXT,
    frame,
    hashed,
    link,
    listed,
    maybe,
    number,
    numeral,
    record,
    refuse,
    text,
    word,
)

KEY_BYTES = 32
SHORT = 96
"""How long a text may be that is likely to come again."""
PLACE = pattern(r"((0|[1-9]\d*)(\.(0|[1-9]\d*))*)?:(0|[1-9]\d*)")


class ListedMove(NamedTuple):
    """One move of an event, without turn and attempt: an address and a row of a lifecycle."""

    at: str
    machine: str
    source: str
    trigger: str
    dest: str


RUN = record(
    "run",
    run_id=TEXT,
    workflow_id=TEXT,
    workflow_name=TEXT,
    session=HASH,
    user=maybe(HASH),
    requester=maybe(HASH),
    created_us=NUMBER,
    input=HASH,
    additional=HASH,
    metadata=HASH,
    definition=TEXT,
    workflow_version=maybe(NUMBER),
    rules=NUMBER,
    start_key=maybe(TEXT),
)
"""The identity of a run. Its digest is the link before the first event: no chain fits another run."""


def run_hash(  # noqa: PLR0913  # a record's parts
    run_id: str,
    workflow: tuple[str, str],
    bodies: Iterable[bytes | None],
    created_us: int,
    given: Iterable[bytes | None],
    definition: str,
    version: int | None,
    rules: int,
    key: str | None,
) -> bytes:
    """`RUN.digest`, written out: `bodies` are the commitments of session, user and requester, `given` those of input and data."""
    whose = (run_part(run_id), *map(word, workflow), *map(link, bodies), numeral(created_us), *map(link, given))
    what = (word(definition), NULL if version is None else numeral(version), numeral(rules), optional_text("key", key))
    return sha256(b"".join((RUN.head, *whose, *what))).digest()


EVENT = record(
    "event",
    previous=HASH,
    run_id=TEXT,
    number=NUMBER,
    boundary=NUMBER,
    epoch=NUMBER,
    moves=HASH,
    place=maybe(TEXT),
    time_us=NUMBER,
    fact=maybe(TEXT),
    by=maybe(HASH),
    note=maybe(HASH),
    value=maybe(HASH),
    session=maybe(HASHES),
    asked=maybe(HASHES),
    decided=maybe(HASH),
)
"""A link of the chain. `moves` is `moves_digest`, `place` is `placed`; `session` are commitments, `asked` the digests of the questions that
the event puts, `decided` that of the decision that it applies or finds lapsed."""


def event_hash(  # noqa: PLR0913  # a record's parts
    previous: bytes,
    run_id: str,
    numbers: tuple[int, int, int],
    moves: bytes,
    place: str | None,
    time_us: int,
    fact: str | None,
    bodies: Iterable[bytes | None],
    session: bytes | None,
    asked: bytes | None,
    decided: bytes | None,
) -> bytes:
    """`EVENT.digest`, written out, for each step makes one.

    `numbers` are those of the event, its boundary and its epoch, `bodies` the commitments in their order. Several hashes come joined.
    """
    parts = [
        EVENT.head,
        HASH_HEAD,
        hashed("previous", previous),
        run_part(run_id),
        NUMBERS(8, numbers[0], 8, numbers[1], 8, numbers[2]),
    ]
    parts += (HASH_HEAD, moves, optional_text("place", place), TIME(8, time_us), optional_text("fact", fact))
    for each in (*bodies, session, asked, decided):
        parts += (NULL,) if each is None else (LENGTH(len(each)), each)
    return sha256(b"".join(parts)).digest()


NUMBERS, TIME, HASH_HEAD = Struct(">QqQqQq").pack, Struct(">Qq").pack, LENGTH(HASH_BYTES)
EVENT_START, NOBODY, NO_MORE = EVENT.head + HASH_HEAD, NULL * 2, NULL * 3


def step_middle(moves: bytes, place: str | None) -> bytes:
    """The parts of an event's link that say its moves: the same for each step of one kind."""
    return HASH_HEAD + hashed("moves", moves) + optional_text("place", place)


def step_hash(  # noqa: PLR0913  # a record's parts
    previous: bytes,
    run_id: str,
    numbers: tuple[int, int, int],
    middle: bytes,
    time_us: int,
    fact: bytes,
    value: bytes | None,
) -> bytes:
    """`event_hash` of an event that has a value, or nothing, and no other body: `middle` is from `step_middle`, `fact` a part already."""
    number, boundary, epoch = numbers
    start = (EVENT_START, previous, run_part(run_id), NUMBERS(8, number, 8, boundary, 8, epoch), middle, TIME(8, time_us), fact)
    end = (NOBODY, NULL, NO_MORE) if value is None else (NOBODY, HASH_HEAD, value, NO_MORE)
    return sha256(b"".join(start + end)).digest()


def optional_text(name: str, value: str | None) -> bytes:
    """A text as a part, which may be missing."""
    if value is None:
        return NULL
    return word(value) if type(value) is str and len(value) <= SHORT else listed(text(name, value))


@lru_cache(maxsize=4_096)
def run_part(run_id: str) -> bytes:
    """The id of a run as a part; each event of it has the same."""
    return listed(text("run_id", run_id))


HOT = record(
    "hot",
    run_id=TEXT,
    phase=TEXT,
    claim_order=NUMBER,
    owner=maybe(TEXT),
    epoch=NUMBER,
    definition=TEXT,
    number=NUMBER,
    head=HASH,
    state=TEXT,
    held=TEXT,
    ended_us=maybe(NUMBER),
)
"""Where a run stands. Not in it: when to look again (lease, wake), and a request to cancel, which has a digest of its own."""


def hot_hash(  # noqa: PLR0913  # a record's parts
    run_id: str,
    phase: str,
    claim_order: int,
    owner: str | None,
    epoch: int,
    definition: str,
    number: int,
    head: bytes,
    state: str,
    held: str,
    ended_us: int | None,
) -> bytes:
    """`HOT.digest`, written out, for each claim, each park and each end makes one."""
    whose = (
        word(run_id),
        word(phase),
        numeral(claim_order),
        NULL if owner is None else word(owner),
        numeral(epoch),
        word(definition),
    )
    long = listed(text("state", state), text("held", held))
    where = (numeral(number), link(hashed("head", head)), long, NULL if ended_us is None else numeral(ended_us))
    return sha256(b"".join((HOT.head, *whose, *where))).digest()


CANCEL = record("cancel", run_id=TEXT, by=maybe(HASH), time_us=NUMBER)

TOMBSTONE = record(
    "tombstone",
    run_id=TEXT,
    workflow_id=TEXT,
    identity=HASH,
    phase=TEXT,
    number=NUMBER,
    head=HASH,
    created_us=NUMBER,
    ended_us=NUMBER,
    purged_us=NUMBER,
    by=maybe(HASH),
)

ERASURE = record("erasure", run_id=TEXT, what=TEXT, by=maybe(HASH), reason=maybe(HASH), time_us=NUMBER)


# -- moves -------------------------------------------------------------------------------------------------------------------------


def moves_digest(moves: Iterable[ListedMove]) -> bytes:
    """The SHA-256 of a list of moves, in their order; one list is one shape. Raises `OutsideFormat` and `UnstorableValue`."""
    return sha256(frame("moves", *[listed(*[text("A word of a move", word) for word in move]) for move in moves])).digest()


def shape_number(digest: bytes) -> int:
    """The number of a list of moves, 0 to 2^63 - 1: the first 63 bits of its digest.

    The chain covers the whole digest. Two lists may have one number by ill will (2^32 tries): whatever interns a list compares it.
    """
    return int.from_bytes(hashed("The digest of a list of moves", digest)[:8], "big") >> 1


def placed(places: Sequence[tuple[Sequence[int], int]]) -> str | None:
    """The turns and attempts of an event's moves as text, `2.1:0;:1`; None where all turns are empty and all attempts 0.

    Raises `OutsideFormat` for what is no turn or attempt.
    """
    for turn, attempt in places:
        for each in (*turn, attempt):
            number("A turn or an attempt", each)
            if each < 0:
                refuse("A turn or an attempt", f"{each} is below 0")
    if all(not turn and not attempt for turn, attempt in places):
        return None
    return ";".join(f"{'.'.join(map(str, turn))}:{attempt}" for turn, attempt in places)


def places(place: str | None, count: int) -> list[tuple[tuple[int, ...], int]]:
    """The turns and attempts of `count` moves, from what `placed` wrote. Raises `OutsideFormat` for anything else."""
    if place is None:
        return [((), 0)] * count
    found = []
    for each in place.split(";"):
        if not PLACE.fullmatch(each) or not each.isascii():
            refuse("The place of an event", f"{each!r} is no turn and attempt")
        turn, attempt = each.split(":")
        found.append((tuple(map(int, turn.split("."))) if turn else (), int(attempt)))
    if len(found) != count or placed(found) != place:
        refuse("The place of an event", f"it is not the one way to write the places of {count} moves")
    return found


# -- seals -------------------------------------------------------------------------------------------------------------------------


def seal(digest: bytes, kid: str | None = None, key: bytes | None = None) -> bytes:
    """The seal of a digest: the digest itself, or its HMAC-SHA256 with a key that is called `kid`.

    Digests never depend on a key, so that another key changes seals and nothing else. A key has 32 bytes. Raises `OutsideFormat`.
    """
    hashed("What is sealed", digest)
    if (kid is None) != (key is None):
        refuse("A seal", "it takes a key and its name, or neither")
    if kid is None or key is None:
        return digest
    if len(key) != KEY_BYTES:
        refuse("The key of a seal", f"{KEY_BYTES} bytes are wanted: secrets.token_bytes({KEY_BYTES})")
    if not kid:
        refuse("The name of a key", "it is empty")
    return hmac.digest(key, frame("seal", text("The name of a key", kid), digest), "sha256")


LEAF = record("leaf", kind=TEXT, run_id=TEXT, number=NUMBER, digest=HASH)


def begun(run_id: str, identity: bytes) -> bytes:
    """The leaf of a run's beginning: its id and the digest of its identity, at the number 0. Raises `OutsideFormat`."""
    return leaf(LEAF.framed(kind="begun", run_id=run_id, number=0, digest=identity))


def ended(run_id: str, last: int, head: bytes) -> bytes:
    """The leaf of a run's end: the number and the hash of its last event. A run that is reopened may end again: another leaf."""
    return leaf(LEAF.framed(kind="ended", run_id=run_id, number=last, digest=head))


def leaf(content: bytes) -> bytes:
    """The hash of a leaf as RFC 6962 has it."""
    return sha256(b"\0" + content).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaves in their order, 32 bytes, in time linear in their number; of none it is the SHA-256 of nothing.

    Complete trees of two powers stand on a stack, the largest at the bottom, until the next leaf makes two of one size. Raises
    `OutsideFormat` for what is no hash.
    """
    trees: list[bytes] = []
    for count, each in enumerate(leaves, 1):
        trees.append(hashed("A leaf", each))
        size = count
        while size % 2 == 0:
            right = trees.pop()
            trees.append(joined(trees.pop(), right))
            size //= 2
    if not trees:
        return sha256().digest()
    found = trees.pop()
    while trees:
        found = joined(trees.pop(), found)
    return found


def joined(left: bytes, right: bytes) -> bytes:
    """The hash of two trees as RFC 6962 has it."""
    return sha256(b"\1" + left + right).digest()
