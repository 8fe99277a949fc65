"""The core against the extracted model: along random walks, and over the whole graph of a workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

from attrs import define, field

from specs.model.programs import deaths_of
from specs.proof.model import Model
from statecore.core import BEGINNING, Advanced, Program, State
from statecore.lifecycles import words as w
from tests.proof.offers import Events, everything, onward, outcome

ENDED = {w.completed, w.cancelled, w.failed}
SHOWN = 5
"""How many differences are kept in full."""


@define
class Comparison:
    """What was compared, by name; `differences` are the first answers that are not the same."""

    model: Model
    counts: Counter[str] = field(factory=Counter)
    differences: list[str] = field(factory=list)

    def take(self, program: Program) -> None:
        """Turn to a program; one that the checker does not accept is counted as a difference."""
        self.counts["workflows"] += 1
        self.counts["nodes"] += len(program.nodes)
        if not self.model.take(program):
            self.differ(f"the checker does not accept {program.canonical}")

    def differ(self, what: str) -> None:
        """One difference."""
        self.counts["differences"] += 1
        if len(self.differences) < SHOWN:
            self.differences.append(what)

    def answers(self, program: Program, state: State, known: int, asked: list[tuple[int, Events]]) -> list[Advanced | None]:
        """What the core says to each of these events in a state; each is compared with what the model says of state number `known`."""
        numbers = self.model.numbers
        assert numbers is not None
        found = [outcome(program, state, events) for _, events in asked]
        said = self.model.answers([(known, place, events) for place, events in asked])
        self.counts["states"] += 1
        for (_, events), core, model in zip(asked, found, said, strict=True):
            self.counts["refusals" if core is None else "answers"] += 1
            self.counts["events offered to a run that is over"] += state.run in ENDED
            self.counts["moves"] += len(core.moves) if core else 0
            wanted = None if core is None else numbers.advanced(core)
            if model != wanted:
                self.counts["differences in runs that are over"] += state.run in ENDED
                self.differ(f"{program.canonical}\n  state {state}\n  events {events}\n  core  {wanted}\n  model {model}")
        return found

    def walk(self, program: Program, draw: Random, steps: int) -> None:
        """A random walk; in each state all is offered, in the last one too."""
        before: Events = ()
        state, number = BEGINNING, 0
        for step in range(1, steps + 1):
            self.answers(program, state, number, [(-1, events) for events in everything(program, state, draw, before)])
            events = onward(program, state, draw)
            if events is None:
                return
            (found,) = self.answers(program, state, number, [(step, events)])
            assert found is not None
            self.counts[f"walks through {events[0].trigger}"] += 1
            state, number, before = found.state, step, events

    def graph(self, program: Program, draw: Random, limit: int) -> None:
        """Every state that can be reached with one retry or reopening by a person and few deaths; in each of them all is offered."""
        known, queue, place, deaths = {BEGINNING: 0}, [BEGINNING], 0, deaths_of(program)
        while queue and len(known) <= limit:
            state = queue.pop()
            offered = everything(program, state, draw)
            asked = [(place + number, events) for number, events in enumerate(offered, 1)]
            place += len(asked)
            for (at, _), found in zip(asked, self.answers(program, state, known[state], asked), strict=True):
                if found and found.state not in known and bounded(found.state, deaths):
                    known[found.state] = at
                    queue.append(found.state)
        self.counts["graphs cut short" if queue else "whole graphs"] += 1


def bounded(state: State, deaths: int) -> bool:
    """Whether a state lies within the bounds of a graph; how often a question was put, the model does not count."""
    return all(each.marks.reruns <= 1 and each.marks.interrupts <= deaths and each.marks.put == 1 for each in state.cursors)


def compared(  # noqa: PLR0913  # what, how, and where it is counted
    model: Model,
    walked: Iterable[Program],
    drawn: Iterable[Program],
    seed: int,
    size: tuple[int, int, int],
    found: Comparison | None = None,
) -> Comparison:
    """Walks through some programs and the whole graphs of others, counted in `found`. `size`: walks a program, steps a walk, states a graph."""
    walks, steps, limit = size
    draw = Random(seed)  # noqa: S311  # it chooses examples, not secrets
    found = found or Comparison(model)
    for program in walked:
        found.take(program)
        for _ in range(walks):
            found.walk(program, draw, steps)
    for program in drawn:
        found.take(program)
        found.graph(program, draw, limit)
    return found
