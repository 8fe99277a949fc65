"""`replay` is the fold of a journal through the core: from the rows alone, every event again, and the state after it.

A row that somebody or something caused is the beginning of an event; the rows that followed from it are what `advance` says. Where the rows
say something else, the journal is no history of this workflow, and the first row that differs is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from statecore.codec import decode
from statecore.core import BEGINNING, ROOT, Commit, Event, Gather, Ref, Source, State, advance
from statecore.core.owed import references
from statecore.core.path import GIVES
from statecore.errors import ReplayFailed, StatecoreError
from statecore.lifecycles import words as w
from statecore.stores.detail import detail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from statecore.core import Micros, Move, Program
    from statecore.stores.records import Entry, Text


@frozen
class Replayed:
    """One boundary of a run, as it was: the program that it followed, its commit, and the rows that it stored."""

    program: Program
    commit: Commit
    rows: tuple[Entry, ...]

    @property
    def time(self) -> Micros:
        """When it was stored."""
        return self.rows[0].time


def replay(programs: Callable[[str], Program | None], rows: Sequence[Entry], program: Program | None = None) -> list[Replayed]:
    """Every boundary of a journal again, from the rows alone.

    `programs` gives the program of a fingerprint: the first row says with which definition the run began, a later one where it went on with
    a changed one; `program` is that of a journal that does not say so. Where rows can be read as one boundary or as two, one is tried, and
    the other if that leads nowhere. Raises `ReplayFailed` at the furthest row that does not follow.
    """
    failures: list[ReplayFailed] = []
    path: list[Replayed] = []
    ways = [boundaries(programs, program, BEGINNING, rows, 0, failures)] if rows else []
    tried: set[tuple[State, int]] = set()
    while ways:
        found = next(ways[-1], None)
        if found is None:
            ways.pop()
            del path[-1:]
            continue
        state, done = found.commit.after.state, found.rows[-1].seq
        if (state, done) in tried:
            continue
        tried.add((state, done))
        path.append(found)
        if done == rows[-1].seq:
            return path
        ways.append(boundaries(programs, found.program, state, rows, done - rows[0].seq + 1, failures))
    if rows:
        raise max(failures, key=lambda failed: failed.seq)
    return path


def boundaries(  # noqa: PLR0913  # what a boundary depends on
    programs: Callable[[str], Program | None],
    program: Program | None,
    state: State,
    rows: Sequence[Entry],
    start: int,
    failures: list[ReplayFailed],
) -> Iterator[Replayed]:
    """The boundaries that may begin with `rows[start]`, of the fewest events first; why there is none, or no other, goes to `failures`."""
    adopted = detail_of(rows[start].body.detail).definition
    program = programs(adopted) if adopted is not None else program
    if program is None:
        failures.append(ReplayFailed(rows[start].seq, f"the definition {adopted!r} is not stored"))
        return
    events: tuple[Event, ...] = ()
    place = start
    while place < len(rows) and rows[place].time == rows[start].time:
        try:
            events = (*events, event_at(program, state, rows, place))
            after = advance(program, state, *events)
        except (StatecoreError, LookupError, ValueError) as refused:
            failures.append(refused if isinstance(refused, ReplayFailed) else ReplayFailed(rows[place].seq, str(refused)))
            return
        agreed = agreeing(after.moves, rows, start)
        if agreed == len(after.moves):
            yield Replayed(program, Commit(state, events, after), tuple(rows[start : start + agreed]))
        elif start + agreed <= place:
            failures.append(ReplayFailed(rows[place].seq, f"{told(after.moves[agreed])} was to follow"))
            return
        place = start + agreed
    failures.append(ReplayFailed(rows[min(place, len(rows) - 1)].seq, "no boundary ends here"))


def followed(program: Program, state: State, held: Mapping[Ref, int], rows: Sequence[Entry]) -> tuple[State, dict[Ref, int]]:
    """The state, and where the outputs lie that it refers to, after one boundary of one event. Raises `ReplayFailed` where it does not follow."""
    try:
        after = advance(program, state, event_at(program, state, rows, 0))
    except (StatecoreError, LookupError, ValueError) as refused:
        raise refused if isinstance(refused, ReplayFailed) else ReplayFailed(rows[0].seq, str(refused)) from refused
    agreed = agreeing(after.moves, rows, 0)
    if agreed < max(len(after.moves), len(rows)):
        raise ReplayFailed(rows[min(agreed, len(rows) - 1)].seq, "its boundary does not lead there")
    brought = {Ref(row.at, row.turn, row.attempt): row.seq for row in rows if row.body.value is not None and row.trigger in GIVES}
    return after.state, {ref: brought.get(ref) or held[ref] for ref in references(after.state)}


# -- from a row to the event that it begins ----------------------------------------------------------------------------------------


def event_at(program: Program, state: State, rows: Sequence[Entry], place: int) -> Event:
    """The event that begins with a row, as the driver made it."""
    row = rows[place]
    if row.trigger == w.cancel:  # from the inside out: the order itself is the row of the run
        order = next((each for each in rows[place:] if each.at == ROOT and each.trigger == w.cancel), row)
        return Event(w.cancel, body=order.body, time=row.time, by=detail_of(order.body.detail).by)
    if row.at == ROOT and row.trigger == w.resume and row.source == w.paused and place + 1 < len(rows):
        row = rows[place + 1]  # a person's decision resumes the run before it moves its component
    if row.at == ROOT:
        return Event(row.trigger, body=row.body, time=row.time, by=detail_of(row.body.detail).by)
    node = program.nodes.get(row.at)
    found = [cursor for cursor in state.cursors if (cursor.at, cursor.attempt) == (row.at, row.attempt)]
    cursor = next((each for each in found if node is not None and each.turn[: node.depth] == row.turn), None)
    if node is None or cursor is None:
        raise ReplayFailed(row.seq, f"the run does not stand at {row.at!r}")
    said = detail_of(row.body.detail)
    death = (said.death or "") if row.trigger == w.interrupt else ""
    firm = row.trigger == w.fail and row.dest != w.backing_off  # where no retry was left, it makes no difference
    return Event(
        row.trigger,
        row.at,
        cursor.turn,
        row.attempt,
        row.body,
        chosen(node.exits, row),
        row.time,
        said.by,
        firm,
        death,
        said.number or 0,
    )


def chosen(exits: Mapping[str, str], row: Entry) -> tuple[str, ...]:
    """The addresses that a Router was told to run, by its selector or by a person."""
    names = detail_of(row.body.detail).choices
    if row.trigger == w.select and row.body.value is not None:
        names = decode(row.body.value)
    return tuple(exits[name] for name in names if name in exits)


def agreeing(moves: Sequence[Move], rows: Sequence[Entry], start: int) -> int:
    """How many moves, from the first, are the rows from `start` on."""
    for number, move in enumerate(moves):
        if start + number >= len(rows) or columns(move) != columns(rows[start + number]):
            return number
    return len(moves)


def columns(each: Move | Entry) -> tuple[object, ...]:
    """The columns that a move and its row have in common."""
    return each.machine, each.at, each.turn, each.attempt, each.source, each.trigger, each.dest


def told(move: Move) -> str:
    """A move, in words."""
    return f"{move.machine} {move.at or 'run'}: {move.source} -{move.trigger}-> {move.dest}"


# -- what references stand for -----------------------------------------------------------------------------------------------------


@define
class Values:
    """The values that a run's references stand for, gathered row by row."""

    texts: dict[Ref, Text] = field(factory=dict)
    read: Callable[[str], Any] = decode

    def learn(self, replayed: Replayed) -> None:
        """Take in what a boundary brought."""
        for row in replayed.rows:
            if row.trigger in GIVES and row.body.value is not None:
                self.texts[Ref(row.at, row.turn, row.attempt)] = row.body.value

    def content(self, source: Source | None) -> Any:
        """The value of a source, freshly decoded; None for nothing."""
        if source is None:
            return None
        if isinstance(source, Gather):
            return {name: self.content(branch) for name, branch in source.branches}
        return self.read(self.texts[source])


# -- states ------------------------------------------------------------------------------------------------------------------------


def timeless(state: State) -> State:
    """A state without its instants: journals of schema 1 say when a row was stored, a little after what fired it."""
    cursors = [each if each.marks.due is None else evolve(each, marks=evolve(each.marks, due=0)) for each in state.cursors]
    return evolve(state, cursors=tuple(cursors))
