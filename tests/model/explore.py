"""Every situation that a workflow can reach, through the real core.

The explorer plays the world: in each state it tries every trigger that the tables know for each owed item, a cancellation, a
cancellation that came with a result, and the reopening of a failed run; a Router is sent to each of its choices and to two of them in
reverse order; a question expires only where it has a deadline. A question is put again in each state, and how often is not counted:
so the state is the same as before, but where code asks anew (ASK-8), which it does in a first attempt alone. `attempts` bounds how
often a person may say retry or reopen, `deaths` how often the process of one call may die;
the core itself asks a person after the third. Rejected reviews, automatic retries and
iterations are bounded by the definition. The answer is the whole labelled graph, moves included, so that two
cores are the same if and only if their graphs are.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from attrs import evolve, frozen

from statecore.core import BEGINNING, CANCEL, REOPEN, START, Advanced, Call, Cursor, Event, OpenQuestion, Program, State, advance
from statecore.core.facts import MAX_INTERRUPTS
from statecore.core.owed import Owed, owed_at
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w

Label = tuple[Event, ...]
Outcome = Advanced | str
"""What `advance` gave, or the name of the error that it raised."""

INTERNAL = frozenset({w.enter, w.start, w.finish, w.leave, w.pause})
"""The triggers that the core fires by itself; no event carries them to a component."""

LIMIT = 20_000


class TooLargeError(AssertionError):
    """A program has more states than somebody wants to see."""


@contextmanager
def unwatched() -> Iterator[None]:
    """Garbage is not looked for: graphs have no cycles, and to look through them while they grow takes as long as to make them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@frozen
class Graph:
    """The reachable states of a program, and from each of them the outcome of every event that it allows."""

    program: Program
    edges: dict[State, dict[Label, Outcome]]

    @property
    def size(self) -> tuple[int, int]:
        """How many states, how many edges."""
        return len(self.edges), sum(map(len, self.edges.values()))

    def steps(self) -> Iterator[tuple[State, Label, Advanced]]:
        """Every edge that led somewhere."""
        for state, out in self.edges.items():
            for label, outcome in out.items():
                if isinstance(outcome, Advanced):
                    yield state, label, outcome


@unwatched()
def explore(program: Program, *, attempts: int = 1, deaths: int = MAX_INTERRUPTS, limit: int = LIMIT) -> Graph:
    """The whole graph of a program. Raises TooLargeError where it has more states than `limit`: than any model should have."""
    edges: dict[State, dict[Label, Outcome]] = {}
    queue = deque([BEGINNING])
    while queue:
        state = queue.popleft()
        if state in edges:
            continue
        if len(edges) == limit:
            message = f"{program.name} has more than {limit} states"
            raise TooLargeError(message)
        edges[state] = {label: outcome(program, state, label) for label in labels(program, state, attempts, deaths)}
        queue.extend(found.state for found in edges[state].values() if isinstance(found, Advanced))
    return Graph(program, edges)


@unwatched()
def difference(graph: Graph, whole: Graph | None = None, *, attempts: int = 1, deaths: int = MAX_INTERRUPTS) -> str | None:
    """Where the core of now behaves otherwise than the one that drew the graph, or a part of a `whole` one; None where it nowhere does."""
    events_of = (whole or graph).edges
    for state, out in graph.edges.items():
        now = labels(graph.program, state, attempts, deaths)
        if set(now) != set(events_of[state]):
            return f"{state}: other events are possible"
        for label, before in out.items():
            if outcome(graph.program, state, label) != before:
                return f"{state} {label}: another outcome"
    return None


def outcome(program: Program, state: State, label: Label) -> Outcome:
    """What the core makes of these events; an error is an outcome too, so that mutants cannot hide behind one."""
    try:
        after = advance(program, state, *label)
        return after._replace(state=once(after.state)) if label[0].trigger == w.renew else after
    except Exception as error:  # noqa: BLE001  # a broken table may break anything
        return type(error).__name__


def once(state: State) -> State:
    """A state whose questions were put once."""
    return evolve(state, cursors=tuple([evolve(each, marks=evolve(each.marks, put=1)) for each in state.cursors]))


def labels(program: Program, state: State, attempts: int, deaths: int) -> list[Label]:
    """Every way in which the world may go on from here."""
    found: list[Label] = []
    if state.run == w.pending:
        found.append((START,))
    if state.run in (w.running, w.paused):
        found.append((CANCEL,))
    if state.run == w.failed and all(cursor.marks.reruns < attempts for cursor in state.cursors):
        found.append((REOPEN,))
    for cursor in state.cursors if state.run in (w.running, w.paused) else ():
        for item in owed_at(program, cursor):
            for trigger in offered(program[cursor.at].machine, cursor.phase):
                if is_offered(program, cursor, trigger) and not is_spent(cursor, trigger, attempts, deaths):
                    for event in events(program, item, trigger, cursor.marks.asked):
                        found += [(event,), (event, CANCEL)] if isinstance(item, Call) else [(event,)]
    return found


def is_offered(program: Program, cursor: Cursor, trigger: str) -> bool:
    """Whether a component hears a trigger there: some words are heard only where the definition says so."""
    node = program[cursor.at]
    rows = [row for row in TABLES[node.machine].rows if (row.source, row.on) == (cursor.phase, trigger)]
    return any(row.when not in w.OFFERED or row.when in node.facts for row in rows)


def is_spent(cursor: Cursor, trigger: str, attempts: int, deaths: int) -> bool:
    """Whether the exploration's bounds leave a trigger out here."""
    return (
        (trigger in (w.retry, w.amend) and cursor.marks.reruns >= attempts)
        or (trigger == w.interrupt and cursor.marks.interrupts >= deaths)
        or (trigger == w.renew and cursor.phase == w.awaiting_answer and cursor.attempt >= attempts)
    )


def events(program: Program, item: Owed, trigger: str, asked: int = 0) -> list[Event]:
    """The events that carry a trigger to what is owed: one for each choice of a Router, none for a deadline that does not exist.

    The code of a step asks each number of questions that it may still ask.
    """
    if trigger == w.ask:
        numbers = range(1, program[item.at].limits.asks - asked + 1)
        return [Event(trigger, item.at, item.turn, item.attempt, number=number) for number in numbers]
    if trigger == w.expire and not (isinstance(item, OpenQuestion) and item.due is not None):
        return []
    if trigger not in (w.select, w.choose):
        number = item.number or 0 if isinstance(item, OpenQuestion) else 0
        return [Event(trigger, item.at, item.turn, item.attempt, number=number)]
    exits = tuple(program[item.at].exits.values())
    routes = [(each,) for each in exits] + [tuple(reversed(exits[:2]))] * (len(exits) > 1)
    return [Event(trigger, item.at, item.turn, item.attempt, choices=route) for route in routes]


@cache
def offered(machine: str, phase: str) -> tuple[str, ...]:
    """The triggers that an event may carry to a component in this phase, in table order, whatever its policy."""
    return tuple(
        dict.fromkeys(row.on for row in TABLES[machine].rows if row.source == phase and row.on not in {*INTERNAL, w.cancel})
    )
