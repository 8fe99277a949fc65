"""Every situation that a workflow can reach, found through the real core, breadth first.

The core is asked once for each situation and event, whatever number of properties is checked later: a property walks over the numbers
of situations. A *word* is what one event led to: the moves, in order, without their references; equal words are one word.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from attrs import define, field, frozen

from statecore.core import BEGINNING, CANCEL, Event, Program, Seconds, State, advance
from statecore.lifecycles import words as w

from .symmetry import canonical
from .world import JUDGES, LIVE, Law, Letter, World, cancel_possible

if TYPE_CHECKING:
    from statecore.core import Advanced, Compiled

    from .symmetry import Symmetry
    from .world import Word

ENDS = frozenset({w.completed, w.cancelled, w.failed})
LOOK = 64
"""After how many situations the clock is looked at."""


class Edge(NamedTuple):
    """One event, the situation that it led to, and the word of what happened."""

    event: Event
    target: int
    word: int


@frozen
class Offence:
    """A law that does not hold: in a situation, for an event, for a reason."""

    law: Law
    at: int
    event: Event
    why: str


@frozen
class Budget:
    """How many situations may be looked at, and for how many seconds."""

    states: int = 1_000_000
    seconds: float = 60.0

    def deadline(self) -> Seconds:
        """When the time is over."""
        return time.monotonic() + self.seconds


@define(slots=False)
class Graph:
    """The situations of a workflow by number, with the edges out of each and the way by which each was first found.

    `asked` is how many of them the core was asked about: all, where it is `complete`. Under `alike`, one situation stands for all that
    differ in nothing but which of some interchangeable branches stands where.
    """

    compiled: Compiled
    cancels: bool = False
    alike: Symmetry | None = None
    states: list[State] = field(factory=list)
    out: list[list[Edge]] = field(factory=list)
    came: list[tuple[int, Edge] | None] = field(factory=list)
    words: dict[Word, int] = field(factory=dict)
    offences: dict[Law, Offence] = field(factory=dict)
    numbers: dict[State, int] = field(factory=dict)
    complete: bool = False
    asked: int = 0
    seconds: float = 0.0

    @property
    def program(self) -> Program:
        """The program."""
        return self.compiled.program

    @cached_property
    def links(self) -> list[list[tuple[int, int]]]:
        """For each situation the words that lead out of it, and where each leads; events that lead alike are one."""
        return [list(dict.fromkeys([(edge.word, edge.target) for edge in edges])) for edges in self.out]

    @cached_property
    def spelled(self) -> list[Word]:
        """The words by number."""
        return list(self.words)

    def is_end(self, number: int) -> bool:
        """Whether a run is over there."""
        return self.states[number].run in ENDS

    def path(self, number: int) -> list[Event]:
        """The shortest way to a situation."""
        found: list[Event] = []
        while (before := self.came[number]) is not None:
            number, edge = before
            found.append(edge.event)
        return found[::-1]

    def real(self, events: list[Event]) -> tuple[Event, ...]:
        """The events of a real run, of those of a way through this graph."""
        return tuple(events) if self.alike is None else self.alike.unsettled(events)

    def edge(self, before: int, event: Event, after: Advanced) -> Edge:
        """The edge of an event; a new situation gets a number."""
        spelled = tuple([Letter(m.at, m.source, m.trigger, m.dest) for m in after.moves])
        word = self.words.setdefault(spelled, len(self.words))
        state = canonical(self.compiled.program, after.state)
        if self.alike is not None:
            state, _ = self.alike.settle(state)
        number = self.numbers.setdefault(state, len(self.states))
        edge = Edge(event, number, word)
        if number == len(self.states):
            self.states.append(state)
            self.came.append((before, edge))
        return edge


def explore(
    world: World,
    budget: Budget,
    *,
    cancels: bool = False,
    alike: Symmetry | None = None,
    progress: Callable[[Graph, float], None] | None = None,
) -> Graph:
    """The whole graph, or as much of it as the budget allows: then `complete` is False. `progress` hears how far it is by now."""
    began, until = time.monotonic(), budget.deadline()
    graph = Graph(world.compiled, cancels, alike, [BEGINNING], came=[None], numbers={BEGINNING: 0})
    while len(graph.out) < len(graph.states) <= budget.states:
        if not len(graph.out) % LOOK:
            if time.monotonic() > until:
                break
            if progress is not None:
                progress(graph, time.monotonic() - began)
        expand(graph, world, len(graph.out))
    graph.asked, graph.seconds = len(graph.out), time.monotonic() - began
    graph.complete = graph.asked == len(graph.states)
    graph.out += [[] for _ in range(len(graph.states) - graph.asked)]
    return graph


def expand(graph: Graph, world: World, number: int) -> None:
    """Ask the core what every event leads to, and keep the first offence against each law."""
    state, edges = graph.states[number], []
    events = world.events(state)
    if state.run in LIVE:
        if why := cancel_possible(graph.program, state):
            graph.offences.setdefault(Law.cancel, Offence(Law.cancel, number, CANCEL, why))
        if graph.cancels:
            events.append(CANCEL)
    for event in events:
        try:
            after = advance(graph.program, state, event)
        except Exception as error:  # noqa: BLE001  # whatever the engine raises for an offered event is its divergence
            found = Offence(Law.divergence, number, event, f"{type(error).__name__}: {error}")
            graph.offences.setdefault(Law.divergence, found)
            continue
        edges.append(graph.edge(number, event, after))
        judge(graph, number, event, after)
    graph.out.append(edges)


def judge(graph: Graph, number: int, event: Event, after: Advanced) -> None:
    """Keep the first offence of this event against each law."""
    for law, offence in JUDGES:
        if why := offence(graph.program, graph.states[number], event, after):
            graph.offences.setdefault(law, Offence(law, number, event, why))
