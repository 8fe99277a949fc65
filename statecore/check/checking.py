"""`check`: draw a workflow's graph once, then judge every property on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from statecore.core import Compiled

from .atoms import moments
from .builtin import builtin
from .graph import Budget, Graph, explore
from .properties import Property
from .search import decide
from .symmetry import symmetry
from .verdicts import Report
from .wording import assumable, parse, parse_assumption
from .world import World

if TYPE_CHECKING:
    from .verdicts import Finding


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
    progress: Callable[[Graph, float], None] | None = None,
) -> Report:
    """Prove or refute properties of a workflow for all its runs, without calling any of its code.

    `checks` and `assume` are properties or their texts; the workflow's own `checks` are judged too. `max_states` and `seconds` bound the
    graph and each property's walk; beyond them a verdict is UNDETERMINED; `progress` hears of the exploration. With `crashes` processes
    die in calls, with `cancels` an operator
    may cancel at any time. Raises `UnknownStep` and `InvalidProperty` before anything is explored.
    """
    began = time.monotonic()
    own: Iterable[Property | str] = getattr(workflow, "checks", ())
    wanted = tuple(dict.fromkeys(parse(each) if isinstance(each, str) else each for each in (*own, *checks)))
    assumed = tuple(parse_assumption(each) if isinstance(each, str) else assumable(each) for each in assume)
    for each in (*wanted, *assumed):
        moments(workflow.compiled.program, each.atoms)  # an unknown step is refused before the work
    budget, world = Budget(max_states, seconds), World(workflow.compiled, crashes)
    alike = symmetry(world, [atom for each in (*wanted, *assumed) for atom in each.atoms])
    graph = explore(world, budget, cancels=cancels, alike=alike, progress=progress)
    findings = [*builtin(graph), *[decide(graph, each, assumed, budget) for each in wanted]]
    return reported(graph, world, findings, assumed, began, allow_vacuous=allow_vacuous)


def reported(  # noqa: PLR0913  # the parts of a report
    graph: Graph, world: World, findings: list[Finding], assumed: tuple[Property, ...], began: float, *, allow_vacuous: bool
) -> Report:
    """The report of a check."""
    bounds = [*world.bounds, *([] if graph.cancels else ["nobody orders a cancellation (see cancels)"])]
    return Report(
        workflow=graph.program.name,
        findings=tuple(findings),
        situations=len(graph.states),
        events=sum(map(len, graph.out)),
        complete=graph.complete,
        seconds=time.monotonic() - began,
        drawing=graph.seconds,
        bounds=tuple(bounds),
        assumptions=tuple(map(str, assumed)),
        allow_vacuous=allow_vacuous,
    )
