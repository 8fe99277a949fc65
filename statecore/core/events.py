"""What happened (`Event`) and what followed from it (`Move`), and the table from a person's word to a trigger."""

from __future__ import annotations

from typing import Any, NamedTuple

from statecore.lifecycles import words as w

from .program import ROOT, Address
from .state import Source, State, Turn


class Event(NamedTuple):
    """One thing that happened at an address: a call ended, a person decided, or (at the root) a run was started, cancelled, reopened.

    `choices` are the addresses that a Router is to run; `time` is when it happened, in microseconds. `body` is for the journal; the
    reducer never looks at it.
    """

    trigger: str
    at: Address = ROOT
    turn: Turn = ()
    attempt: int = 0
    body: Any = None
    choices: tuple[Address, ...] = ()
    time: int = 0


class Move(NamedTuple):
    """One firing of a row. `body` is that of the event where the event fired it, None where it followed.

    `hands_on` refers to what a component that is now completed hands on to the next one.
    """

    machine: str
    at: Address
    turn: Turn
    attempt: int
    source: str
    trigger: str
    dest: str
    body: Any = None
    hands_on: Source | None = None


class Advanced(NamedTuple):
    """What `advance` found: the next parked state, and the moves that led there, in order."""

    state: State
    moves: tuple[Move, ...]


START, CANCEL, REOPEN = Event(w.start), Event(w.cancel), Event(w.resume)

# kind of pause -> a person's word -> the trigger that it fires
DECISIONS: dict[str, dict[str, str]] = {
    "confirmation": {"confirm": w.confirm, "reject": w.reject},
    "user_input": {"input": w.give, "reject": w.reject},
    "route": {"select": w.select, "reject": w.reject},
    "output_review": {"confirm": w.confirm, "edit": w.edit, "reject": w.reject},
    "iteration_review": {"confirm": w.confirm, "reject": w.reject},
    "error": {"retry": w.retry, "skip": w.skip},
    "interrupted": {"retry": w.retry, "skip": w.skip},
}
