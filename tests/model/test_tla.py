"""TLC and the core agree: on whole labelled graphs of random workflows, on safety, and on when a run ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from attrs import evolve

from specs import abstraction
from specs.programs import random_programs, two_steps
from specs.tla import lifecycle_module, program_module
from specs.tlc import Dumped, canonical, check, graph
from statecore.core import Program
from statecore.lifecycles import STEP, TABLES
from tests.model.explore import explore

SEED = 2026
WORKFLOWS = 120
LARGEST = 60
"""States of a workflow that is compared; what is larger costs more than it adds."""
DEATHS = 1


def drawn(programs: Sequence[Program]) -> Dumped:
    """The core's graph of all programs, in the engine's words."""
    states, edges = set(), set()
    for number, program in enumerate(programs, 1):
        found = explore(program, deaths=DEATHS)
        words = {state: canonical(abstraction.state(number, state)) for state in found.edges}
        states |= set(words.values())
        edges |= {
            (words[before], canonical(abstraction.label(events)), words[after.state]) for before, events, after in found.steps()
        }
    return Dumped(frozenset(states), frozenset(edges))


def small(programs: Iterable[Program], count: int) -> list[Program]:
    """The first of these programs that have few states."""
    found: list[Program] = []
    for program in programs:
        if explore(program, deaths=DEATHS).size[0] <= LARGEST:
            found.append(program)
        if len(found) == count:
            break
    return found
