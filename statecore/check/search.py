"""`check` draws a workflow's graph once, then judges each property on it.

A property is judged by a search, breadth first, over pairs of a situation and the property's memory. A pair is one integer. The
automaton's answer to a word is computed once for each of its states and looked up afterwards, so an edge costs two list lookups and
a dict. Assumptions are automata beside it: a run that breaks one is not followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from attrs import define, field, frozen

from statecore.core import Compiled, Seconds

from .advice import advice
from .atoms import addresses, moments
from .builtin import builtin
from .graph import Budget, Graph, explore
from .parts import drawn, parts
from .people import shortfall
from .properties import BAD, Property, Reachable, Shape
from .symmetry import symmetry
from .wording import Finding, Report, Verdict, assumable, parse, parse_assumption
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore.core import Event, Program

    from .atoms import Atom
    from .graph import Graph
    from .world import Word

FIRST = 4_000
"""Situations of a workflow that is checked in parts where it has more."""
PRUNED, UNKNOWN = -1, -2
LOOK = 4096
"""After how many pairs the clock is looked at."""
BEYOND = "{} pairs of situation and memory were looked at; there are more"


@define
class Automaton:
    """A property and the assumptions as one automaton over words; `hits` says for each of its states whether the property is decided."""

    parts: tuple[Property, ...]
    read: Callable[[Word], tuple[frozenset[Atom], ...]]
    words: list[Word]
    states: list[tuple[int, ...]] = field(factory=list)
    numbers: dict[tuple[int, ...], int] = field(factory=dict)
    table: list[list[int]] = field(factory=list)
    hits: list[bool] = field(factory=list)
    heard: dict[int, tuple[frozenset[Atom], ...]] = field(factory=dict)

    def number_of(self, state: tuple[int, ...]) -> int:
        """A state's number; a new one gets a row of the table."""
        if state not in self.numbers:
            self.numbers[state] = len(self.states)
            self.states.append(state)
            self.table.append([UNKNOWN] * len(self.words))
            self.hits.append(state[0] == (BAD if self.parts[0].shape is Shape.safety else 1))
        return self.numbers[state]

    def fill(self, number: int, word: int) -> int:
        """Answer a word for the first time."""
        if word not in self.heard:
            self.heard[word] = self.read(self.words[word])
        state = self.states[number]
        for moment in self.heard[word]:
            state = tuple([was if was == BAD else part.step(was, moment) for part, was in zip(self.parts, state, strict=True)])
        answer = PRUNED if BAD in state[1:] else self.number_of(state)
        self.table[number][word] = answer
        return answer


def automaton(graph: Graph, found: Property, assumptions: tuple[Property, ...]) -> Automaton:
    """A property beside the assumptions, over the words of a graph."""
    parts = (found, *assumptions)
    atoms = tuple(dict.fromkeys(atom for part in parts for atom in part.atoms))
    made = Automaton(parts, moments(graph.program, atoms), graph.spelled)
    made.number_of((0,) * len(parts))
    return made


@frozen
class Walk:
    """The pairs that were reached, each with the one before it; `hit` is the first that decides, `whole` says that there are no others."""

    came: dict[int, int]
    size: int
    hit: int | None
    whole: bool


def walk(graph: Graph, made: Automaton, budget: Budget) -> Walk:
    """Every pair, or those up to the first that decides."""
    shape, size, until = made.parts[0].shape, len(graph.states), budget.deadline()
    links, table, hits, fill = graph.links, made.table, made.hits, made.fill
    anywhere, decides = shape is not Shape.response, shape is not Shape.always
    ends = [graph.is_end(number) for number in range(size)] if shape is Shape.response else []
    came, queue = {0: -1}, [0]
    for turn, key in enumerate(queue):
        if len(queue) > budget.states or (not turn % LOOK and time.monotonic() > until):
            return Walk(came, size, None, whole=False)
        memory, situation = divmod(key, size)
        row = table[memory]
        for word, target in links[situation]:
            after = row[word]
            if after == UNKNOWN:
                after = fill(memory, word)
            new = after * size + target
            if after >= 0 and new not in came:
                came[new] = key
                if decides and hits[after] and (anywhere or ends[target]):
                    return Walk(came, size, new, whole=False)
                queue.append(new)
    return Walk(came, size, None, graph.complete)


def events_to(graph: Graph, made: Automaton, found: Walk, key: int) -> tuple[Event, ...]:
    """The events of the shortest run to a pair."""
    events: list[Event] = []
    while (before := found.came[key]) >= 0:
        memory, situation = divmod(before, found.size)
        after, target = divmod(key, found.size)
        fitting = (e.event for e in graph.out[situation] if e.target == target and made.table[memory][e.word] == after)
        events.append(next(fitting))
        key = before
    return graph.real(events[::-1])


def decide(graph: Graph, checked: Property, assumptions: tuple[Property, ...], budget: Budget) -> Finding:
    """The verdict about one property."""
    began = time.monotonic()
    made = automaton(graph, checked, assumptions)
    found = walk(graph, made, budget)
    verdict, key, why = JUDGED[checked.shape](graph, made, found)
    if verdict is Verdict.proved and (missing := unreachable(graph, checked, assumptions, budget)):
        verdict, why = Verdict.vacuous, f"{missing} never happens"
    events = () if key is None else events_to(graph, made, found, key)
    if verdict is Verdict.refuted:
        why = "; ".join([*([why] if why else []), *lacking(graph.program, checked.atoms)])
    return Finding(str(checked), verdict, events=events, why=why, states=len(found.came), seconds=time.monotonic() - began)


def lacking(program: Program, atoms: Iterable[Atom]) -> Iterator[str]:
    """The gates that do not make sure of the people that a property asks for, each with people who open it all the same."""
    for atom in atoms:
        for at in sorted(addresses(program, atom.name)) if atom.people is not None else ():
            told = shortfall(program.nodes[at].rule, atom.people) if atom.people is not None else None
            if told is not None:
                yield f"{program.nodes[at].name!r}: {told}"


def unreachable(graph: Graph, checked: Property, assumptions: tuple[Property, ...], budget: Budget) -> Atom | None:
    """The first of what a property presupposes that happens in no run that is followed."""
    for atom in checked.antecedents:
        made = automaton(graph, Reachable(atom), assumptions)
        if walk(graph, made, budget).hit is None:
            return atom
    return None


Judged = tuple[Verdict, int | None, str]


def judge_bad(_graph: Graph, _made: Automaton, found: Walk) -> Judged:
    """Refuted by a bad moment, proved where there is none."""
    if found.hit is not None:
        return Verdict.refuted, found.hit, ""
    return (Verdict.proved, None, "") if found.whole else (Verdict.undetermined, None, BEYOND.format(len(found.came)))


def judge_reach(_graph: Graph, _made: Automaton, found: Walk) -> Judged:
    """Proved by a run, refuted where there is none."""
    if found.hit is not None:
        return Verdict.proved, found.hit, ""
    if found.whole:
        return Verdict.refuted, None, "no possible run has it"
    return Verdict.undetermined, None, BEYOND.format(len(found.came))


def judge_always(graph: Graph, made: Automaton, found: Walk) -> Judged:
    """Refuted by the first pair from which no run leads to it."""
    if not found.whole:
        return Verdict.undetermined, None, BEYOND.format(len(found.came))
    before: dict[int, list[int]] = {key: [] for key in found.came}
    for key in found.came:
        memory, situation = divmod(key, found.size)
        for word, target in graph.links[situation]:
            after = made.table[memory][word]
            if after >= 0:
                before[after * found.size + target].append(key)
    able = {key for key in found.came if made.hits[key // found.size]}
    queue = list(able)
    while queue:
        new = [key for key in before[queue.pop()] if key not in able]
        able.update(new)
        queue += new
    stuck = next((key for key in found.came if key not in able), None)
    return (Verdict.proved, None, "") if stuck is None else (Verdict.refuted, stuck, "from here it cannot happen any more")


JUDGED: dict[Shape, Callable[[Graph, Automaton, Walk], Judged]] = {
    Shape.safety: judge_bad,
    Shape.response: judge_bad,
    Shape.reach: judge_reach,
    Shape.always: judge_always,
}


class HasProgram(Protocol):
    """Anything that was compiled, as a `Workflow` was."""

    @property
    def compiled(self) -> Compiled:
        """The program with its components."""


def check(  # noqa: PLR0913  # what is checked, what is assumed, and how far
    workflow: HasProgram,
    checks: Iterable[Property | str] = (),
    *,
    assume: Iterable[Property | str] = (),
    max_states: int = 1_000_000,
    seconds: float = 60.0,
    crashes: bool = False,
    cancels: bool = False,
    allow_vacuous: bool = False,
    strict: bool = False,
    progress: Callable[[Graph, float], None] | None = None,
) -> Report:
    """Prove or refute properties of a workflow for all its runs, without calling any of its code.

    `checks` and `assume` are properties or their texts; the workflow's own `checks` are judged too. `max_states` and `seconds` bound the
    graph and each property's walk; beyond them a verdict is UNDETERMINED; a large workflow is checked in parts (`parts`). `progress` hears of
    the exploration. With `crashes` processes
    die in calls, with `cancels` an operator
    may cancel at any time. `strict` makes advice a refutation. Raises `UnknownStep` and `InvalidProperty` before anything is explored.
    """
    began = time.monotonic()
    own: Iterable[Property | str] = getattr(workflow, "checks", ())
    wanted = tuple(dict.fromkeys(parse(each) if isinstance(each, str) else each for each in (*own, *checks)))
    assumed = tuple(parse_assumption(each) if isinstance(each, str) else assumable(each) for each in assume)
    for each in (*wanted, *assumed):
        moments(workflow.compiled.program, each.atoms)  # an unknown step is refused before the work
    budget, world = Budget(max_states, seconds), World(workflow.compiled, crashes)
    alike = symmetry(world, [atom for each in (*wanted, *assumed) for atom in each.atoms])
    first = Budget(min(max_states, FIRST), seconds)
    graph = explore(world, first, cancels=cancels, alike=alike, progress=progress)
    large = not graph.complete and max_states > FIRST
    divided = parts(world, budget, cancels=cancels, progress=progress) if large else None
    if large and divided is None:
        graph = explore(world, budget, cancels=cancels, alike=alike, progress=progress)
    findings = builtin(graph) if divided is None else divided.builtin()
    findings.append(advice(workflow.compiled, strict=strict))
    for each in wanted:
        found = decide(graph, each, assumed, budget) if divided is None else divided.decide(each, assumed, decide)
        findings.append(found)
    graphs = [graph] if divided is None else list(divided.graphs.values())
    return reported(graphs, world, findings, assumed, began, allow_vacuous=allow_vacuous)


def reported(  # noqa: PLR0913  # the parts of a report
    graphs: list[Graph],
    world: World,
    findings: list[Finding],
    assumed: tuple[Property, ...],
    began: Seconds,
    *,
    allow_vacuous: bool,
) -> Report:
    """The report of a check."""
    bounds = [*world.bounds, *([] if graphs[0].cancels else ["nobody orders a cancellation (see cancels)"])]
    situations, events, complete, drawing = drawn(graphs)
    return Report(
        workflow=world.compiled.program.name,
        findings=tuple(findings),
        situations=situations,
        events=events,
        complete=complete,
        seconds=time.monotonic() - began,
        drawing=drawing,
        bounds=tuple(bounds),
        assumptions=tuple(map(str, assumed)),
        allow_vacuous=allow_vacuous,
    )
