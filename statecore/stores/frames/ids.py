"""Numbers and names that are kept elsewhere, too: of events and questions, and the keys that make a repeated request the same one."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Sequence
from re import compile as pattern

from .framing import HASH, NUMBER, TEXT, number, record, refuse, text

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
