"""Branches of a Parallel that no property names, each replaced by one step that has the same outcomes: what a check looks at where a graph is large.

A branch without limit on concurrency depends on the others, and they on it, only by its outcomes: it is over, it stops its workflow, it fails
the run and goes on when that is reopened, it leaves a unit around it. Which of its steps runs meanwhile is its own affair. `outcomes` looks at a
branch alone, and says which outcomes it has for as long as it lives; where a step has the same ones, that step stands for it, and the
order of its affairs and those of other branches is looked at once. A property that names no place in a branch cannot tell the two apart.

The built-in properties speak of every place, so they are judged once for each of `focuses`: in each a branch is looked at whole, and the
others by what stands for them. A counterexample is told on the whole workflow: `told` finds the run there.
"""

from __future__ import annotations

from contextlib import suppress
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from statecore.core import BEGINNING, ROOT, Compiled, Event, State, advance, compile_definition
from statecore.core.program import assemble
from statecore.definition import Definition, OnError, Step
from statecore.errors import LifecycleError
from statecore.lifecycles import KINDS
from statecore.lifecycles import words as w

from .atoms import Atom, is_every, moments, places_of
from .graph import ENDS, Budget, Graph, explore
from .properties import BAD, Property, Shape
from .symmetry import canonical
from .world import Letter, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from statecore.core import Address, Advanced, Move, Node, Program

MOST = 2_000
"""Situations of a branch alone; a larger one is looked at whole."""
TRIES = 20_000
"""Situations that are looked at to tell a counterexample on the whole workflow."""
OVER, STOPS, FAILS, AGAIN, LEAVES = "over", "stops", "fails", "again", "leaves"
Outcomes = frozenset[str]


# -- which branches ----------------------------------------------------------------------------------------------------------------


def roots(program: Program) -> list[Address]:
    """The branches for which a step may stand: those of every Parallel that has no limit, and is in none that has one."""
    return [
        root
        for node in program.nodes.values()
        if KINDS[node.kind].holds == "branches" and all(is_free(each) for each in (node, *program.ancestors(node.at)))
        for root in node.exits.values()
    ]


def is_free(node: Node) -> bool:
    """Whether a component is no Parallel with a limit."""
    return KINDS[node.kind].holds != "branches" or node.limits.concurrency is None


def inside(program: Program, root: Address) -> frozenset[Address]:
    """A component and all that is in it."""
    return frozenset(at for at in program.nodes if at == root or (at != ROOT and program.within(at, root)))


def named(program: Program, atoms: Iterable[Atom]) -> frozenset[Address]:
    """The branches in which a property names a place; they are looked at whole. `stops(*)` says the same of a step that stands for a branch."""
    known = list(atoms)
    if any(is_every(program, atom.name) and atom.verb != "stops" for atom in known):
        return frozenset(roots(program))
    places = places_of(program, known)
    return frozenset(root for root in roots(program) if places & inside(program, root))


def focuses(program: Program, around: Address = ROOT) -> list[frozenset[Address]]:
    """Sets of branches to be looked at whole, of which each branch is in one, with those around it."""
    ways: list[list[frozenset[Address]]] = [
        [frozenset({root}) | more for root in node.exits.values() for more in focuses(program, root)]
        for node in program.nodes.values()
        if KINDS[node.kind].holds == "branches" and enclosing(program, node.at) == around
    ]
    longest = max(map(len, ways), default=1)
    return [frozenset().union(*[way[number % len(way)] for way in ways]) for number in range(longest)]


def enclosing(program: Program, at: Address) -> Address:
    """The innermost branch that a Parallel is in, or is; the run where it is in none."""
    around = [program.nodes[at], *program.ancestors(at)]
    return next((each.at for each in around if each.parent and KINDS[program.nodes[each.parent].kind].holds == "branches"), ROOT)


# -- a branch alone ----------------------------------------------------------------------------------------------------------------


@frozen
class Alone:
    """The outcomes that a branch has at all, and whether each of its situations still has all of them."""

    outcomes: Outcomes
    always: bool


def outcomes(world: World, root: Address) -> Alone | None:
    """The outcomes of a branch, where it has the same ones after each reopening; None where it has not, or is too large."""
    own = World(alone(world.compiled, root), world.crashes)
    graph = explore(own, Budget(MOST, 20))
    if not graph.complete:
        return None
    quiet: dict[int, set[int]] = {number: set() for number in range(len(graph.states))}
    seen: dict[int, set[tuple[str, int]]] = {number: set() for number in quiet}
    for number, edges in enumerate(graph.out):
        for edge in edges:
            label = outcome(own.compiled.program, graph, number, edge.event, edge.target)
            if label:
                seen[number].add((label, edge.target))
            else:
                quiet[number].add(edge.target)
    start = next(edge.target for edge in graph.out[0])
    first = closure(quiet, {start})
    found = frozenset(label for each in first for label, _ in seen[each])
    live, todo = [first], [first]
    while todo:
        here = todo.pop()
        failed = {to for each in here for label, to in seen[each] if label == FAILS}
        again = closure(quiet, {to for each in failed for label, to in seen[each] if label == AGAIN})
        if again and again not in live:
            live.append(again)
            todo.append(again)
    if any(frozenset(label for each in here for label, _ in seen[each]) != found for here in live):
        return None
    places = set().union(*live)
    always = all(frozenset(label for each in closure(quiet, {place}) for label, _ in seen[each]) == found for place in places)
    over = all(any(label == OVER for each in closure(quiet, {place}) for label, _ in seen[each]) for place in places)
    return Alone(found, always) if over else None


def closure(quiet: Mapping[int, set[int]], begin: set[int]) -> set[int]:
    """The situations that a branch comes to by itself."""
    found, queue = set(begin), list(begin)
    while queue:
        new = quiet[queue.pop()] - found
        found |= new
        queue += new
    return found


def outcome(program: Program, graph: Graph, number: int, event: Event, target: int) -> str:
    """The outcome that an event of a branch alone is for others; empty for its own affair."""
    before, after = graph.states[number], graph.states[target]
    if after.run in (w.running, w.paused):
        return AGAIN if before.run == w.failed else ""
    if after.run != w.completed:
        return FAILS if after.run == w.failed else after.run
    cursor = next((each for each in before.cursors if each.at == event.at), None)
    if cursor is None:
        return OVER
    if event.trigger == w.stop or cursor.marks.stopping:
        return STOPS
    error = event.trigger in (w.fail, w.skip) or cursor.phase == w.errored_paused
    return LEAVES if error and program.nodes[event.at].leaves == ROOT else OVER


def alone(compiled: Compiled, root: Address) -> Compiled:
    """A branch as a workflow of its own, at its own addresses; what leaves a unit around it leaves the run."""
    program, places = compiled.program, inside(compiled.program, root)
    depth = program.nodes[root].depth
    nodes = {ROOT: program.nodes[ROOT]}
    for node in [each for each in program.nodes.values() if each.at in places]:
        parent, after = (ROOT, ROOT) if node.at == root else (node.parent, node.next)
        leaves = node.leaves if node.leaves in places else ROOT
        nodes[node.at] = evolve(node, parent=parent, next=after, leaves=leaves, depth=node.depth - depth)
    return Compiled(assemble(program.name, nodes, root), compiled.components)


# -- a step in its place -----------------------------------------------------------------------------------------------------------


def stand_in(world: World, root: Address) -> tuple[Node, bool] | None:
    """The step that has the outcomes of a branch, and whether each situation of the branch has them all; None where there is none."""
    program = world.compiled.program
    branch = outcomes(world, root) if KINDS[program.nodes[root].kind].holds != "nothing" else None
    if branch is None:
        return None
    units = {node.leaves for node in map(program.nodes.__getitem__, inside(program, root))} - inside(program, root)
    for policy, unit in [(OnError.fail, root), (OnError.skip, root), *[(OnError.skip, unit) for unit in sorted(units)]]:
        step = step_at(program.nodes[root], policy, unit)
        replaced = replacing(world, {root: step})
        found = outcomes(replaced, root)
        if found is not None and found.outcomes == branch.outcomes:
            return step, branch.always
    return None


def step_at(node: Node, policy: OnError, unit: Address) -> Node:
    """A plain step in the place of a branch, under an error policy."""
    made = compile_definition(Definition("one", (Step("one", print, on_error=policy),))).program.nodes["one"]
    return evolve(
        made, at=node.at, name=node.name, parent=node.parent, next=node.next, index=node.index, depth=node.depth, leaves=unit
    )


def replacing(world: World, steps: Mapping[Address, Node]) -> World:
    """The world in which these steps stand for the branches at their places; one step for all of a Parallel that have the same outcomes."""
    program = world.compiled.program
    kept: dict[tuple[Address, frozenset[str], Address], Address] = {}
    for root, step in steps.items():
        kept.setdefault((step.parent, step.facts, ROOT if step.leaves == root else step.leaves), root)
    stay = frozenset(kept.values())
    gone = frozenset().union(*[inside(program, root) for root in steps]) if steps else frozenset()
    nodes = {at: steps.get(at, node) for at, node in program.nodes.items() if at not in gone or at in stay}
    for at in {step.parent for step in steps.values()} & nodes.keys():
        exits = {name: to for name, to in nodes[at].exits.items() if to in nodes}
        nodes[at] = evolve(nodes[at], exits=exits)
    components = {at: each for at, each in world.compiled.components.items() if at not in gone}
    return World(Compiled(assemble(program.name, nodes, program.first), components), world.crashes)


# -- a run of the whole workflow ---------------------------------------------------------------------------------------------------


@frozen
class Watch:
    """A property that watches a run: its memory after each event, and whether the run has what is to be told."""

    program: Program
    checked: Property

    def after(self, memory: int, moves: Iterable[Move]) -> int:
        """The memory after some moves."""
        read = moments(self.program, self.checked.atoms)
        for moment in read(tuple([Letter(each.at, each.source, each.trigger, each.dest) for each in moves])):
            memory = memory if memory == BAD else self.checked.step(memory, moment)
        return memory

    def hits(self, memory: int, state: State) -> bool:
        """Whether the run has it."""
        if self.checked.shape is Shape.safety:
            return memory == BAD
        return self.checked.shape is Shape.always or (memory == 1 and (self.checked.shape is Shape.reach or state.run in ENDS))


def told(world: World, events: Sequence[Event], gone: frozenset[Address], watch: Watch | None) -> tuple[Event, ...]:
    """The events of a run of the whole workflow that has those of a smaller one in the same order; empty where it is not found soon.

    Between them, and after them until the watch hits, whatever happens in the branches of `gone` may happen.
    """
    places = frozenset().union(*[inside(world.compiled.program, root) for root in gone])
    wanted = [each for each in events if each.at not in gone]
    queue: list[tuple[int, int, int, Waypoint]] = [(0, 0, 0, Waypoint(BEGINNING, 0, ()))]
    seen = {(BEGINNING, 0, 0)}
    for number in range(TRIES):
        if not queue:
            break
        here = heappop(queue)[3]
        done = -here.left
        if done == len(wanted) and (watch is None or watch.hits(here.memory, here.state)):
            return here.way
        for order, (event, after, place) in enumerate(onward(world, here.state, wanted[done : done + 1], places)):
            memory = watch.after(here.memory, after.moves) if watch is not None else 0
            state = canonical(world.compiled.program, after.state)
            if (state, done + place, memory) not in seen:
                seen.add((state, done + place, memory))
                new = Waypoint(state, memory, (*here.way, event), -done - place)
                heappush(queue, (new.left, -len(new.way), number * 1000 + order, new))
    return ()


@frozen
class Waypoint:
    """A situation of the whole workflow on the way: the memory there, the events that led to it, and less the more of them were wanted."""

    state: State
    memory: int
    way: tuple[Event, ...] = field(repr=False)
    left: int = 0


def onward(world: World, state: State, wanted: list[Event], places: frozenset[Address]) -> Iterator[tuple[Event, Advanced, int]]:
    """The events by which a run goes on: the one that is wanted, and those of some places; each with what follows and whether it was wanted."""
    offered = [(each, 1) for each in wanted] + [(each, 0) for each in world.events(state) if each.at in places]
    for event, place in offered:
        with suppress(LifecycleError):  # what is wanted later is not taken here
            yield event, advance(world.compiled.program, state, event), place
