"""The things that a run waits for: a function of its state. It is the outbox, the inbox, the recovery plan and the checker's list of moves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from statecore.lifecycles import KINDS, TABLES, AskKind, CallKind
from statecore.lifecycles import words as w

from .program import Address, Micros, Program
from .state import UNMARKED, Cursor, Ending, Event, Ref, Source, State, Turn


class OpenQuestion(NamedTuple):
    """A person owes an answer; after `due` (microseconds, None without a deadline) the pause expires. `put` counts how often it was asked.

    `number` is that of a question which the code of a step asks, counted in its visit; None of all others (ASK-2).
    """

    kind: AskKind
    at: Address
    turn: Turn
    attempt: int
    due: Micros | None = None
    put: int = 1
    number: int | None = None

    @property
    def pause_id(self) -> str:
        """The pause's name within its run: derived, so that it is the same in every process and after every crash."""
        return pause_id(self.kind, self.at, self.turn, self.attempt, self.put, self.number)


class Call(NamedTuple):
    """The world owes a result: user code is to be called, once."""

    kind: CallKind
    at: Address
    turn: Turn
    attempt: int


class Timer(NamedTuple):
    """The clock owes the end of a delay."""

    at: Address
    turn: Turn
    attempt: int
    due: Micros


Owed: TypeAlias = OpenQuestion | Call | Timer

CALL_OF: dict[tuple[str, str], CallKind] = {
    (kind.table.name, phase): code.call for kind in KINDS.values() for phase, code in kind.calls.items()
}
"""The kinds of calls, by table and phase."""

ASK_OF: dict[tuple[str, str], AskKind] = {
    (kind.table.name, phase): kind.asks(phase) for kind in KINDS.values() for phase in kind.phases("ask")
}
"""The kinds of questions, by table and phase."""


@lru_cache(maxsize=4_096)
def pause_id(  # noqa: PLR0913  # as many as a question has parts
    kind: AskKind, at: Address, turn: Turn, attempt: int, put: int = 1, number: int | None = None
) -> str:
    """The derived name of a question; one that is put again has `@n` at its end (GATE-7a), one of a step's code `+n` (ASK-2)."""
    rounds = "".join(f".{n}" for n in turn)
    again = f"@{put}" if put > 1 else "" if number is None else f"+{number}"
    return f"{at}:{kind}{rounds}:{attempt}{again}"


def first_put(name: str) -> tuple[str, int]:
    """The name of a question when it was put for the first time, and how often it has been put under this one."""
    first, mark, put = name.rpartition("@")
    return (first, int(put)) if mark and put.isdecimal() else (name, 1)  # one of a first time ends with an attempt behind a colon


def asked_number(name: str) -> int | None:
    """The number of a question that the code of a step asks, from the question's name; None for any other question (ASK-2)."""
    number = name.rpartition(":")[2].partition("+")[2]
    return int(number) if number.isdecimal() else None


def next_put(name: str) -> str:
    """The name that a question has when it is put once more."""
    first, put = first_put(name)
    return f"{first}@{put + 1}"


class Owing(NamedTuple):
    """Everything that a state of a program waits for, in order of address, and the same by kind."""

    program: Program
    items: tuple[Owed, ...]
    asks: tuple[OpenQuestion, ...]
    calls: tuple[Call, ...]
    timers: tuple[Timer, ...]


def owing(program: Program, state: State) -> Owing:
    """The things that a state waits for. They follow from it, so it keeps them: a driver asks several times at each boundary."""
    known: Owing | None = state.owing
    if known is not None and known.program is program:
        return known
    items = [item for cursor in state.cursors for item in owed_at(program, cursor)]
    if state.run == w.failed:  # it calls nothing until it is reopened
        items = [item for item in items if type(item) is not Timer]
    asks = tuple([item for item in items if type(item) is OpenQuestion])
    calls = tuple([item for item in items if type(item) is Call])
    timers = tuple([item for item in items if type(item) is Timer])
    found = Owing(program, tuple(items), asks, calls, timers)
    object.__setattr__(state, "owing", found)
    return found


def owed(program: Program, state: State) -> tuple[Owed, ...]:
    """Everything that this state waits for, in order of address. A failed run waits for no delay: it calls nothing until it is reopened."""
    return owing(program, state).items


def owed_at(program: Program, cursor: Cursor) -> tuple[Owed, ...]:
    """The things that one cursor waits for: one, or several questions of its code; none where its branch is over or has not begun."""
    return owed_by(program.nodes[cursor.at].machine, cursor)


@lru_cache(maxsize=4_096)
def owed_by(machine: str, cursor: Cursor) -> tuple[Owed, ...]:
    """The things that a cursor of a table waits for; of many branches few change at a time, and the others are not asked again."""
    marks = cursor.marks
    match TABLES[machine].owes.get(cursor.phase):
        case "call":
            return (Call(CALL_OF[machine, cursor.phase], cursor.at, cursor.turn, cursor.attempt),)
        case "timer":
            return (Timer(cursor.at, cursor.turn, cursor.attempt, marks.due or 0),)
        case "ask":
            asked = OpenQuestion(ask_kind(machine, cursor), cursor.at, cursor.turn, cursor.attempt, marks.due, marks.put)
            return tuple([asked._replace(number=number) for number in marks.open]) if marks.open else (asked,)
        case _:
            return ()


def ask_kind(machine: str, cursor: Cursor) -> AskKind:
    """Which question a cursor puts: before it ran, about its output, after it failed, or after its process died in it."""
    if cursor.phase == w.errored_paused and (cursor.marks.interrupts or cursor.marks.deaths):
        return "interrupted"
    return ASK_OF[machine, cursor.phase]


def asks(program: Program, state: State) -> tuple[OpenQuestion, ...]:
    """The questions that people owe an answer to."""
    return owing(program, state).asks


def ruled_asks(program: Program, state: State) -> tuple[str, ...]:
    """The names of the open questions whose components say who may decide (AUTH-1)."""
    if not program.ruled:
        return ()
    return tuple([ask.pause_id for ask in asks(program, state) if program.nodes[ask.at].rule is not None])


def answerable(program: Program, state: State) -> tuple[OpenQuestion, ...]:
    """The questions whose answers count now (SAID-1).

    None counts where something has failed or was cancelled, where the run is over, or inside a component that is about to end early: an
    answer there would let code begin after the end was decided.
    """
    found = asks(program, state)
    if not found or state.run not in (w.running, w.paused):
        return ()
    if any(cursor.phase in (w.failed, w.cancelled) for cursor in state.cursors):
        return ()
    return tuple(ask for ask in found if not is_ending(program, state.endings, ask)) if state.endings else found


CLOSES = frozenset({w.reject, w.expire, w.renew})
"""The triggers after which none of the questions of a cursor is open."""


def until_closed(events: Iterable[Event]) -> tuple[Event, ...]:
    """Events of people and clocks, without those of questions that an event before them has closed.

    A rejection or an expiry of one question of a step's code closes its other ones: what was said of these stays stored, and is not used.
    """
    found: list[Event] = []
    closed: set[tuple[Address, Turn]] = set()
    for event in events:
        if (event.at, event.turn) not in closed:
            found.append(event)
            closed |= {(event.at, event.turn)} if event.trigger in CLOSES else set()
    return tuple(found)


def is_ending(program: Program, endings: Iterable[Ending], place: Cursor | OpenQuestion) -> bool:
    """Whether a place lies in a component that is about to end early, so that nothing of it begins any more."""
    for ending in endings:
        depth = program.nodes[ending.unit].depth
        if place.turn[:depth] == ending.turn[:depth] and program.within(place.at, ending.unit):
            return True
    return False


def calls(program: Program, state: State) -> tuple[Call, ...]:
    """The calls whose results are owed."""
    return owing(program, state).calls


def timers(program: Program, state: State) -> tuple[Timer, ...]:
    """The delays that are not over."""
    return owing(program, state).timers


def has_room(program: Program, call: Call, flying: Iterable[Call]) -> bool:
    """Whether each Parallel around a call lets one more be made beside those in flight: its `max_concurrency` is a bound at every moment (RUN-17)."""
    for around in program.ancestors(call.at):
        limit = around.limits.concurrency
        if limit is not None:
            turn = call.turn[: around.depth]
            beside = [each for each in flying if each.turn[: around.depth] == turn and program.within(each.at, around.at)]
            if len(beside) >= limit:
                return False
    return True


# -- what a state refers to -----------------------------------------------------------------------------------------------------


def references(state: State) -> set[Ref]:
    """All outputs that a state refers to."""
    refs: set[Ref] = set()
    for cursor in state.cursors:
        if cursor.prev is not None:
            collect(refs, cursor.prev)
        if cursor.last is not cursor.prev:
            collect(refs, cursor.last)
        if cursor.marks is not UNMARKED:
            collect(refs, cursor.marks.output, cursor.marks.rejected)
    for frame in state.frames:
        collect(refs, frame.prev, frame.last, frame.marks.rejected, *(source for _, source in frame.done))
    for ending in state.endings:
        collect(refs, ending.prev, ending.last)
    if state.result is not None:
        collect(refs, state.result)
    return refs


def collect(refs: set[Ref], *sources: Source | None) -> None:
    """Add what sources refer to, also inside of what a Parallel handed on."""
    for source in sources:
        if source is None:
            continue
        if isinstance(source, Ref):
            refs.add(source)
        else:
            collect(refs, *[branch for _, branch in source.branches])
