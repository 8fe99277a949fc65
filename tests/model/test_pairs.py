"""Every configuration of one component, and of two steps, through the real core: all built-in properties hold, and the counts are pinned.

The ordinary run sets every policy of a step before and after one that is gated and pauses; `STATECORE_PAIRS=full` before and after each of nine.
"""

from __future__ import annotations

import os
from functools import cache, partial
from itertools import product
from typing import Any

from statecore.check.builtin import builtin
from statecore.check.graph import Budget, explore
from statecore.check.wording import Verdict
from statecore.check.world import World
from statecore.core import Compiled, Program, compile_definition
from statecore.definition.components import Definition
from statecore.definition.review import SUPPORTED
from statecore.errors import DefinitionError
from tests.model.definitions import RENAMED, VALUES, fitting, leaf, programs

FULL = os.environ.get("STATECORE_PAIRS") == "full"
ONES = {"programs": 2741, "situations": 66973, "edges": 272402}
STEPS = 537
SOME = {"pairs": 1074, "situations": 20638, "edges": 75428}
NINE = {"pairs": 9666, "situations": 192186, "edges": 711072}
Settings = dict[str, Any]
GATED: Settings = {"requires_confirmation": True, "on_reject": "skip", "on_error": "pause"}


def flow(*steps: Any) -> Program:
    """The program of some steps."""
    return compile_definition(Definition("flow", steps)).program


@cache
def policies() -> tuple[Settings, ...]:
    """Every policy that a step can have; those that come to the same facts and limits once."""
    names = [*[RENAMED.get(name, name) for name in SUPPORTED["Step"] if name != "allow_edit"], "on_interrupt"]
    found: dict[str, Settings] = {}
    for values in product(*(VALUES[name] for name in names)):
        settings = {"max_retries": 1, **dict(zip(names, values, strict=True))}
        try:
            step, fit = fitting(partial(leaf, "it"), settings)
            found.setdefault(flow(step).fingerprint, fit)
        except DefinitionError:
            continue
    return tuple(found.values())


def nine() -> list[Settings]:
    """Each gate beside each error policy."""
    gates: list[Settings] = [{}, *[{"requires_confirmation": True, "on_reject": reject} for reject in ("skip", "cancel")]]
    return [{"on_error": error, **gate} for error in ("fail", "skip", "pause") for gate in gates]


def refuted(program: Program) -> tuple[int, int, list[str]]:
    """How many situations and edges there are, with crashes and cancellations, and which built-in properties do not hold."""
    graph = explore(World(Compiled(program, {}), crashes=True), Budget(), cancels=True)
    wrong = [found.text for found in builtin(graph) if found.verdict is not Verdict.proved]
    return len(graph.states), sum(map(len, graph.out)), wrong


def total(pairs: list[tuple[Settings, Settings]]) -> dict[str, int]:
    """The counts over pairs of steps, none of which breaks a property."""
    states = edges = 0
    for one, other in pairs:
        seen, led, wrong = refuted(flow(leaf("a", **one), leaf("b", **other)))
        assert not wrong, (one, other)
        states, edges = states + seen, edges + led
    return {"pairs": len(pairs), "situations": states, "edges": edges}


def test_one_component_under_every_policy():
    """Each kind of component under each of its policies keeps every built-in property, but for branches that its own settings make dead."""
    states = edges = 0
    for program in programs():
        seen, led, wrong = refuted(program)
        assert [text for text in wrong if "is dead" not in text] == []
        states, edges = states + seen, edges + led
    assert {"programs": len(programs()), "situations": states, "edges": edges} == ONES


def test_two_steps_under_every_policy():
    """Two steps keep every built-in property, whatever the policy of each."""
    assert len(policies()) == STEPS
    others = nine() if FULL else [GATED]
    assert total([*product(policies(), others), *product(others, policies())]) == (NINE if FULL else SOME)
