"""A check of a large workflow in parts: each property on a graph in which only the branches that it names are looked at whole.

`Parts` draws a graph for each set of branches once. The built-in properties are judged on one graph for each of `branches.focuses`; the
verdict about one of them is the worst of its verdicts. A finding's run is told on the whole workflow.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, evolve, field

from .atoms import Atom, places_of
from .branches import Watch, focuses, named, replacing, roots, stand_in, told
from .builtin import builtin
from .graph import Budget, Graph, explore
from .properties import Shape
from .symmetry import symmetry
from .wording import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from statecore.core import Address, Node, Seconds

    from .properties import Property
    from .world import World

UNTOLD = "such a run was found with one step in the place of each branch that the property does not name; it is too long to be told"
Deciding: TypeAlias = "Callable[[Graph, Property, tuple[Property, ...], Budget], Finding]"


@define
class Parts:
    """The graphs of a workflow in which steps stand for branches: each by the branches that are looked at whole, and the places that are named."""

    world: World
    budget: Budget
    until: Seconds
    cancels: bool
    progress: Callable[[Graph, float], None] | None
    steps: dict[Address, tuple[Node, bool]]
    graphs: dict[tuple[frozenset[Address], frozenset[Address]], Graph] = field(factory=dict)

    def graph(
        self, whole: frozenset[Address], atoms: tuple[Atom, ...] = (), *, always: bool = False
    ) -> tuple[Graph, frozenset[Address]]:
        """The graph in which these branches are looked at whole, and the branches for which a step stands there."""
        program = self.world.compiled.program
        gone: dict[Address, Node] = {}
        for root, (step, exact) in self.steps.items():
            outer = any(each.at in gone for each in program.ancestors(root))
            if root not in whole and not outer and (exact or not always):
                gone[root] = step
        key = frozenset(gone), places_of(program, atoms)
        if key not in self.graphs:
            world = replacing(self.world, gone)
            left = Budget(self.budget.states, max(self.until - time.monotonic(), 0.0))
            alike = symmetry(world, atoms)
            self.graphs[key] = explore(world, left, cancels=self.cancels, alike=alike, progress=self.progress)
        return self.graphs[key], frozenset(gone)

    def builtin(self) -> list[Finding]:
        """The built-in properties: each the worst finding of all parts."""
        worst: dict[str, Finding] = {}
        for whole in focuses(self.world.compiled.program):
            graph, gone = self.graph(whole)
            for each in builtin(graph):
                known = worst.get(each.text)
                if known is None or GRAVITY[each.verdict] > GRAVITY[known.verdict]:
                    worst[each.text] = self.whole(each, gone, None)
        return list(worst.values())

    def decide(self, checked: Property, assumptions: tuple[Property, ...], by: Deciding) -> Finding:
        """The verdict about one property, on the graph in which the branches that it names are looked at whole."""
        atoms = tuple(dict.fromkeys(atom for part in (checked, *assumptions) for atom in part.atoms))
        graph, gone = self.graph(named(self.world.compiled.program, atoms), atoms, always=checked.shape is Shape.always)
        found = by(graph, checked, assumptions, self.budget)
        return self.whole(found, gone, Watch(self.world.compiled.program, checked))

    def whole(self, found: Finding, gone: frozenset[Address], watch: Watch | None) -> Finding:
        """A finding with its run on the whole workflow, where there is one."""
        if not found.events or not gone:
            return found
        events = told(self.world, found.events, gone, watch)
        return evolve(found, events=events) if events else evolve(found, events=(), why=found.why or UNTOLD)


GRAVITY = {Verdict.proved: 0, Verdict.advice: 1, Verdict.vacuous: 2, Verdict.undetermined: 3, Verdict.refuted: 4}


def parts(world: World, budget: Budget, *, cancels: bool, progress: Callable[[Graph, float], None] | None = None) -> Parts | None:
    """The parts of a workflow; None where a step stands for no branch."""
    found = {root: step for root in roots(world.compiled.program) if (step := stand_in(world, root)) is not None}
    return Parts(world, budget, budget.deadline(), cancels, progress, found) if found else None


def drawn(graphs: Iterable[Graph]) -> tuple[int, int, bool, Seconds]:
    """The situations, the events, whether all was looked at, and the seconds of some graphs together."""
    known = list(graphs)
    return (
        sum(len(each.states) for each in known),
        sum(sum(map(len, each.out)) for each in known),
        all(each.complete for each in known),
        sum(each.seconds for each in known),
    )
