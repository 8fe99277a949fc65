"""Every situation that a workflow can reach, through the real core.

The explorer plays the world: in each state it tries every trigger that the tables know for each owed item, a cancellation, a
cancellation that came with a result, and the reopening of a failed run. `attempts` bounds how often a person may say retry; deaths are
bounded by the core itself, which asks a person after the third. The answer is the whole labelled graph, moves included, so that two
cores are the same if and only if their graphs are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from attrs import frozen

from statecore.core import BEGINNING, CANCEL, REOPEN, START, Advanced, Call, Event, Program, State, advance
from statecore.core.owed import owed_at
from statecore.core.reducer import MAX_INTERRUPTS, NEW_ATTEMPT
from statecore.lifecycles import TABLES
from statecore.lifecycles import words as w

Label = tuple[Event, ...]
Outcome = Advanced | str
"""What `advance` gave, or the name of the error that it raised."""

INTERNAL = frozenset({w.enter, w.start, w.finish, w.leave, w.pause})
"""The triggers that the core fires by itself; no event carries them to a component."""

LIMIT = 20_000


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


def explore(program: Program, *, attempts: int = 1) -> Graph:
    """The whole graph of a program. Raises AssertionError where it is larger than any model should be."""
    edges: dict[State, dict[Label, Outcome]] = {}
    queue = deque([BEGINNING])
    while queue:
        state = queue.popleft()
        if state in edges:
            continue
        edges[state] = {label: outcome(program, state, label) for label in labels(program, state, attempts)}
        queue.extend(found.state for found in edges[state].values() if isinstance(found, Advanced))
        assert len(edges) < LIMIT, f"{program.name} has more than {LIMIT} states"
    return Graph(program, edges)


def difference(graph: Graph, *, attempts: int = 1) -> str | None:
    """Where the core of now behaves otherwise than the one that drew the graph; None where it nowhere does."""
    for state, out in graph.edges.items():
        now = labels(graph.program, state, attempts)
        if set(now) != set(out):
            return f"{state}: other events are possible"
        for label, before in out.items():
            if outcome(graph.program, state, label) != before:
                return f"{state} {label}: another outcome"
    return None


def outcome(program: Program, state: State, label: Label) -> Outcome:
    """What the core makes of these events; an error is an outcome too, so that mutants cannot hide behind one."""
    try:
        return advance(program, state, *label)
    except Exception as error:  # noqa: BLE001  # a broken table may break anything
        return type(error).__name__


def labels(program: Program, state: State, attempts: int) -> list[Label]:
    """Every way in which the world may go on from here."""
    found: list[Label] = []
    if state.run == w.pending:
        found.append((START,))
    if state.run in (w.running, w.paused):
        found.append((CANCEL,))
    if state.run == w.failed and all(cursor.attempt < attempts for cursor in state.cursors):
        found.append((REOPEN,))
    for cursor in state.cursors:
        item = owed_at(program, cursor)
        if item is None or state.run not in (w.running, w.paused):
            continue
        for trigger in offered(program[cursor.at].machine, cursor.phase):
            if trigger in NEW_ATTEMPT and cursor.attempt >= attempts:
                continue
            if trigger == w.interrupt and cursor.interrupts >= MAX_INTERRUPTS:
                continue
            event = Event(trigger, item.at, item.turn, item.attempt)
            found.append((event,))
            if isinstance(item, Call):
                found.append((event, CANCEL))
    return found


def offered(machine: str, phase: str) -> tuple[str, ...]:
    """The triggers that an event may carry to a component in this phase, in table order, whatever its policy."""
    return tuple(
        dict.fromkeys(row.on for row in TABLES[machine].rows if row.source == phase and row.on not in {*INTERNAL, w.cancel})
    )
