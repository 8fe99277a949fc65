"""The rules of every store, written once: which decision counts, whose boundary is accepted, how the chain is linked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONEncoder
from typing import Any, TypeAlias

from statecore.core import DECISIONS, Address, Micros, Program, Ref, State
from statecore.core.owed import asked_number
from statecore.core.program import ROOT
from statecore.core.state import Turn
from statecore.errors import (
    AlreadyDecided,
    ClaimLost,
    KeyReused,
    NeedsVotes,
    NotPaused,
    PauseExpired,
    RefusedBoundary,
    RunBusy,
    StaleDecision,
    UnknownDecision,
    UnreadableValue,
    UnstorableValue,
    UnsupportedSetting,
    WrongArgument,
)
from statecore.lifecycles import BY_WORD, RUN, SHOWS, TABLES
from statecore.lifecycles import words as w

from .detail import VERDICT_WORDS, detail_of, is_tool_call, pause_detail
from .owner import alive
from .records import Boundary, Decided, Entry, Identity, Pause, Record, Text

MAX_KEY = 1_024
ENDED = RUN.final | {w.failed}
STATUS = {
    w.pending: "PENDING",
    w.running: "RUNNING",
    w.paused: "PAUSED",
    w.completed: "COMPLETED",
    w.cancelled: "CANCELLED",
    w.failed: "ERROR",
}
LEGAL = tuple(dict.fromkeys((table.name, row.source, row.on, row.dest) for table in TABLES.values() for row in table.rows))
"""Every move that some lifecycle has, as (machine, source, trigger, dest)."""
EXPIRY = {"cancel": "the run is cancelled", "skip": "it is skipped", "approve": "it is approved"}
"""The consequence of silence after a deadline, by `on_timeout`."""
LEASE_SECONDS = 60.0
"""How long a lease lasts unless it is renewed: the time after which another host takes over a run of a host that went away."""
MANY = 2**62
LAST, SURROGATE, FIRST_ABOVE = chr(0x10FFFF), 0xD800, 0xE000
"""The last character, and the gap in the code points that no text in UTF-8 has."""
TEXT = "text"
Place: TypeAlias = "tuple[Address, Turn, str]"
"""The place of an open question."""
_LEGAL = frozenset(LEGAL)
spelled: Callable[[Any], str] = JSONEncoder(
    ensure_ascii=True, separators=(",", ":"), check_circular=False, default=bytes.hex
).encode


def checked_bound(where: str, name: str, bound: int | None) -> int | None:
    """A bound that a user sets; None for none. Raises `UnsupportedSetting` for anything but a whole number from 1."""
    if bound is not None and (type(bound) is not int or bound < 1):
        raise UnsupportedSetting(where, f"{name}={bound!r}", "it is a whole number from 1, or None")
    return bound


def clock_text(time: Micros) -> str:
    """An instant as people read it, UTC."""
    return datetime.fromtimestamp(time / 1_000_000, UTC).isoformat(timespec="milliseconds")


# -- decisions ---------------------------------------------------------------------------------------------------------------------


def judge(pause: Pause, stored: Decided | None, new: Decided, phase: str, *, voted: bool = False) -> Decided | None:
    """The stored decision if `new` says the same, None if `new` is to be stored; otherwise a named refusal.

    A question with a rule takes votes, and a decision only by whoever applies what they say (`voted`).
    """
    if stored is not None:
        if (stored.word, stored.value) == (new.word, new.value):
            return stored
        raise AlreadyDecided(pause.pause_id, stored.word, stored.by, clock_text(stored.time))
    check_deadline(pause, new)
    if pause.closed is not None or phase in ENDED:
        raise NotPaused(pause.run_id, STATUS[phase])
    if new.word not in words_of(pause):
        raise UnknownDecision(pause.pause_id, pause.kind, new.word, words_of(pause))
    if new.seen is not None and pause.seen is not None and new.seen != pause.seen:  # another question was shown (GATE-6)
        raise StaleDecision(pause.run_id, pause.pause_id)
    if pause.rule is not None and not voted:
        raise NeedsVotes(pause.pause_id)
    check_text(new.value, new.by, new.comment, new.key)
    return None


def words_of(pause: Pause) -> tuple[str, ...]:
    """The words that answer a question, in the order of the words: those of its kind, and those that it offers besides (ERR-12, GATE-11)."""
    words = VERDICT_WORDS if SHOWS.get(pause.kind) == "question" and is_tool_call(pause) else DECISIONS[pause.kind]
    if not pause.detail or not any(pause.kind in BY_WORD[word].offered_by for word in words):
        return tuple([word for word in words if pause.kind not in BY_WORD[word].offered_by])
    try:
        besides = pause_detail(pause.detail).words or ()
    except UnreadableValue:  # the store takes any text; one that says nothing offers nothing besides
        besides = ()
    return tuple([word for word in words if pause.kind not in BY_WORD[word].offered_by or word in besides])


def refuses(word: str) -> bool:
    """Whether a decision word is a "no"."""
    return word in BY_WORD and BY_WORD[word].refuses


def teach(store: object, program: Program) -> None:
    """Hand a program to a store that plays runs: a large definition takes longer to read than all the rest of a run."""
    learn = getattr(store, "learn", None)
    if learn is not None:
        learn(program)


def check_authority(store: object, program: Program) -> None:
    """Raise `UnsupportedSetting` for a program that says who may decide (AUTH-1) on a store that keeps no votes: it is never ignored."""
    if program.ruled and not getattr(store, "keeps_votes", False):
        ruled = program.ruled[0].name
        raise UnsupportedSetting(type(store).__name__, f"the approval of {ruled!r} (or require_identity)", "it keeps no votes")
    handed_on = [node.name for node in program.ruled if node.rule is not None and node.rule.delegates]
    if handed_on:
        raise UnsupportedSetting(type(store).__name__, f"delegate of the approval of {handed_on[0]!r}", "it keeps no delegations")


def check_deadline(pause: Pause, new: Decided) -> None:
    """Raise `PauseExpired` for a decision that comes too late; a "no" that comes before an approval was stored is never too late."""
    if pause.deadline is None or new.time < pause.deadline:
        return
    if pause.closed is None and pause.on_timeout == "approve" and refuses(new.word):
        return
    raise PauseExpired(pause.pause_id, clock_text(pause.deadline), EXPIRY[pause.on_timeout])


def check_key(used: Decided | None, new: Decided) -> None:
    """Raise `KeyReused` where a decision of the run has the key of a new one, and is another one."""
    if used is not None and (used.pause_id, used.word, used.value) != (new.pause_id, new.word, new.value):
        by = f"{used.by or 'somebody'} at {clock_text(used.time)}"
        raise KeyReused(str(new.key), f"the decision {used.word!r} of pause {used.pause_id!r} by {by}")


# -- boundaries --------------------------------------------------------------------------------------------------------------------


def check_claim(run_id: str, owner: str | None, lease: Micros | None, time: Micros) -> bool:
    """Whether a run that is to be claimed was left by its owner. Raises `RunBusy` where the owner lives, or may live."""
    if owner is None:
        return False
    if alive(owner, lease, time):
        raise RunBusy(run_id, owner, None if lease is None else clock_text(lease))
    return True


def check_fence(boundary: Boundary, epoch: int, seq: int) -> None:
    """Raise `ClaimLost` unless the boundary continues what is stored, under the epoch that it begins or the one that there is."""
    if boundary.epoch != epoch + (boundary.claim is not None) or boundary.seq != seq:
        raise ClaimLost(boundary.run_id)


def heeds(boundary: Boundary, cancel_requested: Micros | None) -> bool:
    """Whether a boundary has to be made anew because a cancellation was requested."""
    return boundary.heeds_cancel and cancel_requested is not None


def check_entries(boundary: Boundary, phase: str) -> None:
    """Raise `RefusedBoundary` unless every row is next and the move of some lifecycle, and the run moves from `phase` on.

    That a component's row begins where the component is, the core sees to: see specs/decisions/0011.
    """
    seq = boundary.seq
    if phase in ENDED and all(entry.at != ROOT for entry in boundary.entries) and changes(boundary):
        raise RefusedBoundary(boundary.run_id, f"it does not move the run, which is {phase!r}")
    for entry in boundary.entries:
        seq += 1
        if entry.seq != seq:
            raise RefusedBoundary(boundary.run_id, f"journal row {entry.seq} stands where {seq} is next")
        if (entry.machine, entry.source, entry.trigger, entry.dest) not in _LEGAL:
            move = f"{entry.source!r} --{entry.trigger}--> {entry.dest!r}"
            raise RefusedBoundary(boundary.run_id, f"the {entry.machine} lifecycle has no move {move}")
        if (entry.machine == RUN.name) != (entry.at == ROOT):
            raise RefusedBoundary(boundary.run_id, f"a row of the {entry.machine} lifecycle stands at {entry.at!r}")
        if entry.at == ROOT:
            if entry.source != phase:
                raise RefusedBoundary(boundary.run_id, f"it moves the run from {entry.source!r}, and the run is {phase!r}")
            phase = entry.dest
        body = entry.body
        if not entry.at.isascii() or not body.detail.isascii() or not (body.value is None or body.value.isascii()):
            check_text(entry.at, body.detail, body.value)
    if boundary.state.run != phase:
        raise RefusedBoundary(boundary.run_id, f"its state says {boundary.state.run!r} where its rows lead to {phase!r}")


def changes(boundary: Boundary) -> bool:
    """Whether a boundary says more than where the run stands and whose it is: then it is an event."""
    return bool(boundary.entries or boundary.opened or boundary.closed or boundary.decisions or boundary.session_state is not None)


def place_of(pause: Pause) -> Place:
    """The place of an open question: its component in its turn, and, where the code of a step asks several at once, which of them it is."""
    return pause.at, pause.turn, pause.pause_id if asked_number(pause.pause_id) is not None else ""


def is_about(row: Entry, pause: Pause) -> bool:
    """Whether a row of a question's component is about this question: the code of a step may ask several at once (ASK-2)."""
    number = asked_number(pause.pause_id)
    return number is None or number == detail_of(row.body.detail).number


def check_pauses(boundary: Boundary, known: Collection[str], open_at: Mapping[str, Place]) -> None:
    """Raise `RefusedBoundary` unless the boundary closes pauses that are open, and then opens new ones where none is.

    `known` are the ids of the run's pauses, at least those that the boundary speaks of; `open_at` says where its open ones ask.
    """
    still = dict(open_at)
    for pause_id in boundary.closed:
        if still.pop(pause_id, None) is None:
            raise RefusedBoundary(boundary.run_id, f"it closes {pause_id!r}, which is no open pause")
    places, ids = set(still.values()), set(known)
    for pause in boundary.opened:
        if pause.pause_id in ids or pause.closed is not None:
            raise RefusedBoundary(boundary.run_id, f"it opens {pause.pause_id!r}, which was asked before")
        place = place_of(pause)
        if place in places or any(each[:2] == place[:2] and "" in (each[2], place[2]) for each in places):
            raise RefusedBoundary(boundary.run_id, f"it opens {pause.pause_id!r} where another question is open")
        ids.add(pause.pause_id)
        places.add(place)
        check_text(pause.pause_id, pause.at, pause.step_name, pause.message, pause.detail)


def check_beginning(identity: Identity, session_state: Text) -> None:
    """Raise `UnstorableValue` where a text of a new run cannot be stored."""
    who = (
        identity.run_id,
        identity.workflow_id,
        identity.workflow_name,
        identity.session_id,
        identity.user_id,
        identity.key,
        identity.requester,
    )
    what = (identity.input, identity.additional_data, identity.metadata, identity.fingerprint, identity.canonical)
    check_text(*who, *what, session_state)


def check_text(*texts: str | None) -> None:
    """Raise `UnstorableValue` where a text holds a lone surrogate, which is no character and has no place in a file."""
    for text in texts:
        if text is not None and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise UnstorableValue(TEXT, lone(error)) from None


def lone(error: UnicodeEncodeError) -> str:
    """Why a text cannot be stored, without the text."""
    return f"a lone surrogate is its character {error.start + 1}"


# -- arguments: each store would take or refuse another type in a way of its own ----------------------------------------------------


def check_texts(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is neither a text nor None."""
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise WrongArgument(call, name, "a text", value)


def check_request_key(call: str, key: object) -> None:
    """Raise `UnsupportedSetting` for an idempotency key that is no text of 1 to 1,024 characters; None is none."""
    if key is not None and not (isinstance(key, str) and 0 < len(key) <= MAX_KEY):
        raise UnsupportedSetting(call, "this idempotency_key", f"a key is a text of 1 to {MAX_KEY:,} characters")


def check_mappings(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is neither a mapping nor None."""
    for name, value in given.items():
        if value is not None and not isinstance(value, Mapping):
            raise WrongArgument(call, name, "a mapping", value)


def check_lists(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is neither a list nor None."""
    for name, value in given.items():
        if value is not None and (isinstance(value, str | bytes) or not isinstance(value, Sequence)):
            raise WrongArgument(call, name, "a list", value)


def check_counts(call: str, **given: Any) -> None:
    """Raise `WrongArgument` for an argument that is no whole number."""
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise WrongArgument(call, name, "a whole number", value)


# -- reading -----------------------------------------------------------------------------------------------------------------------


def after_prefix(prefix: str) -> str | None:
    """The first text, in the order of code points, after all that begin with another one; None where there is none."""
    head = prefix.rstrip(LAST)
    if not head:
        return None
    end = ord(head[-1]) + 1
    return head[:-1] + chr(FIRST_ABOVE if end == SURROGATE else end)


def slice_of(after: int, upto: int | None) -> tuple[int, int]:
    """The bounds of a slice of a journal."""
    return bounded(after), MANY if upto is None else bounded(upto)


def bounded(number: int) -> int:
    """A count that any database takes: below zero is nothing, and is not counted from the end."""
    return min(max(number, 0), MANY)


CALLING = frozenset(phase for table in TABLES.values() for phase, owes in table.owes.items() if owes == "call")
"""The phases in which a cursor owes a call."""


def until(state: State) -> Micros | None:
    """When the first delay of a run is over, where it owes no call: nobody has to execute it before (RUN-12). None for any other run."""
    if state.run != w.running or any(cursor.phase in CALLING or cursor.phase == w.pending for cursor in state.cursors):
        return None
    return min((cursor.marks.due or 0 for cursor in state.cursors if cursor.phase == w.backing_off), default=None)


def ended(record: Record) -> bool:
    """Whether a run is over (a failed one may be reopened by a person)."""
    return record.state.run in ENDED


class Unheld(bytes):
    """A text that no column can hold, as bytes, which no column of texts holds either."""


def sought(text: str | None) -> str | Unheld | None:
    """A text to look for. One that no column can hold is looked for as something that none holds either."""
    if text is None or text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return Unheld(text.encode("utf-8", "surrogatepass"))
    return text


def turn_text(turn: Turn) -> str:
    """A turn as a column: "2.1", and "" outside of loops."""
    return ".".join(map(str, turn)) if turn else ""


@lru_cache(maxsize=1_024)
def quoted(name: str) -> str:
    """An id or an address as it stands in a JSON array; a run repeats them in each of its rows."""
    return spelled(name)


def held_text(held: Mapping[Ref, int]) -> str:
    """Where outputs lie, as a column."""
    rows = [f"[{quoted(at)},{spelled(turn) if turn else '[]'},{attempt},{seq}]" for (at, turn, attempt), seq in held.items()]
    return f"[{','.join(rows)}]"
