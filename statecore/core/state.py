"""The durable situation of a run, and what moves it: `State`, the `Event` that happened, the `Move` that followed.

A state is small, frozen, sorted and hashable. It holds references to outputs, never values.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

from attrs import field, frozen

from statecore.lifecycles import DECISION_WORDS, by_kind
from statecore.lifecycles import words as w

from .program import ROOT, Address, Micros

Turn: TypeAlias = tuple[int, ...]
Death: TypeAlias = Literal["", "alone", "beside"]

RULES_VERSION = 1
"""Raised when a release changes what the tables or the reducer do; parked runs finish under the rules they began with."""


class Ref(NamedTuple):
    """A reference to what a component handed on: where, in which turn of the loops around it, at which attempt."""

    at: Address
    turn: Turn
    attempt: int


class Gather(NamedTuple):
    """A reference to what a Parallel handed on: one source for each branch, by name, in the order of the definition."""

    branches: tuple[tuple[str, Source | None], ...]


Source: TypeAlias = "Ref | Gather"


@frozen
class Marks:
    """Data that few cursors carry.

    `interrupts` counts the interruptions of this attempt in a row in which nothing was beside it, `deaths` the deaths of its process in all,
    `retries` the automatic retries since a person last decided, `reruns` the retries that people ordered, `reviews` the rejected reviews.
    `output` is under review, `rejected` was rejected by the last review, `stopping` says that the step said stop, `due` when a deadline or a
    delay is over (microseconds), `put` how often the open question was put, the first time included (GATE-7a). `asked` counts the questions
    that the code of a step has asked in this visit, `open` has the numbers of those that are not answered (ASK-2).
    """

    interrupts: int = 0
    retries: int = 0
    reruns: int = 0
    reviews: int = 0
    output: Source | None = None
    rejected: Source | None = None
    stopping: bool = False
    due: Micros | None = None
    deaths: int = 0
    put: int = 1
    asked: int = 0
    open: tuple[int, ...] = ()


UNMARKED = Marks()


@frozen(cache_hash=True)
class Cursor:
    """One live branch: where it is, in which phase.

    `turn` counts the iterations of the loops and the choosings of the routers around it, `attempt` the executions here. `prev` refers
    to the previous content, `last` to what the last completed component handed on.
    """

    at: Address
    phase: str = w.pending
    turn: Turn = ()
    attempt: int = 0
    prev: Source | None = None
    last: Source | None = None
    marks: Marks = UNMARKED


@frozen
class Frame:
    """The data that an entered Loop, Router or Parallel keeps while its children run.

    `prev` and `last` are as they were before it; `rest` are a Router's choices still to run; `done` the branches of a Parallel that
    are over, each with what it handed on; `attempt` and `marks` are its own cursor's.
    """

    at: Address
    turn: Turn
    prev: Source | None
    last: Source | None
    attempt: int = 0
    marks: Marks = UNMARKED
    rest: tuple[Address, ...] = ()
    done: tuple[tuple[Address, Source | None], ...] = ()


@frozen
class Ending:
    """A component that is about to end early: by `stop` (finish) or by an error policy (leave), as soon as no call in it is owed.

    `at` and `turn` say where that was decided; nothing inside `unit` begins any more.
    """

    unit: Address
    at: Address
    turn: Turn
    how: str
    prev: Source | None
    last: Source | None


@frozen(cache_hash=True)
class State:
    """A run's situation: its phase, its cursors and frames in order, and, when it has completed, what it handed on.

    Equal states are equal situations: the past is in the journal, not here.
    """

    run: str = w.pending
    cursors: tuple[Cursor, ...] = ()
    result: Source | None = None
    frames: tuple[Frame, ...] = ()
    endings: tuple[Ending, ...] = ()
    owing: Any = field(default=None, init=False, eq=False, repr=False)
    """The memory of `owed.owing`: it follows from the rest, and goes with its state."""


BEGINNING = State()


class Event(NamedTuple):
    """One thing that happened at an address: a call ended, a person decided, or (at the root) a run was started, cancelled, reopened.

    `choices` are the addresses that a Router is to run; `time` is when it happened, in microseconds. `by` is the person who decided or
    cancelled, as the caller names them; no row asks for it yet, and `loop.recall` relies on that. `body` is for the journal; the reducer
    never looks at it. A `firm` failure is one that a repetition cannot mend: no automatic retry follows it. `death` says of an interruption
    that the process died in the call, alone or beside others; it is empty where a process that lives was told to stop. `number` says which
    of the questions of a step's code is answered, is rejected or expires; of `ask` it says how many are asked (ASK-2).
    """

    trigger: str
    at: Address = ROOT
    turn: Turn = ()
    attempt: int = 0
    body: Any = None
    choices: tuple[Address, ...] = ()
    time: Micros = 0
    by: str | None = None
    firm: bool = False
    death: Death = ""
    number: int = 0


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
    """The result of `advance`: the next parked state, and the moves that led there, in order."""

    state: State
    moves: tuple[Move, ...]


START, CANCEL, REOPEN = Event(w.start), Event(w.cancel), Event(w.resume)

DECISIONS: dict[str, dict[str, str]] = by_kind(DECISION_WORDS)
"""Kind of pause, a person's word, and the trigger that it fires."""
