"""Gates hold at every nesting: no component inside another, three deep, lets anything run that a person has not approved (CONF-7)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.core import BEGINNING, START, Call, Event, OpenQuestion, State, advance, compile_definition, owed
from statecore.definition import Definition

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.core import Program


@frozen
class Nested:
    """Something that carries a definition, as a Workflow does."""

    definition: Definition


def first(_step_input: object) -> str:
    """Choose what is inside."""
    return "inside"


WRAPPERS: dict[str, Callable[..., Any]] = {
    "step": lambda name, child, **gate: Step(name, workflow=Nested(Definition("flow", (child,))), **gate),
    "steps": lambda name, child, **gate: Steps(name, [child], **gate),
    "condition": lambda name, child, **gate: Condition(name, [child], evaluator=True, **gate),
    "loop": lambda name, child, **gate: Loop(name, [child], max_iterations=2, **gate),
    "router": lambda name, child, **gate: Router(name, [child], selector=first, **gate),
    "parallel": lambda name, child, **gate: Parallel(child, Step("beside", first), name=name, **gate),
    "workflow": lambda name, child, **gate: Steps(name, [Nested(Definition("nested", (child,)))], **gate),
}
KINDS = list(WRAPPERS)
GATE: dict[str, Any] = {"requires_confirmation": True}
ANSWERS = {"execute": "succeed", "evaluate": "hold", "select": "choose", "test": "refute", "judge": "refute"}


def gated(kinds: tuple[str, ...], *, everywhere: bool) -> Definition:
    """A gated step inside components of these kinds, the first outermost; gates on all of them, or on the step alone."""
    component: Any = Step("inside", first, **GATE)
    for kind in reversed(kinds):
        component = WRAPPERS[kind]("inside", component, **(GATE if everywhere else {}))
    return Definition("gated", (component,))


def run_to_pause(program: Program, state: State, called: list[str]) -> State:
    """Answer every call that is owed, and remember where it was."""
    while open_calls := [item for item in owed(program, state) if isinstance(item, Call)]:
        call = open_calls[0]
        called.append(call.at)
        choices = tuple(program[call.at].exits.values()) if call.kind == "select" else ()
        state = advance(program, state, Event(ANSWERS[call.kind], call.at, call.turn, call.attempt, choices=choices)).state
    return state


def questions(program: Program, state: State) -> list[OpenQuestion]:
    """What people are asked."""
    return [item for item in owed(program, state) if isinstance(item, OpenQuestion)]


def nothing_unapproved_ran(kinds: tuple[str, ...], word: str, *, everywhere: bool) -> None:
    """Answer every gate with one word, and check each call against the gates around it that were confirmed until then."""
    compiled = compile_definition(gated(kinds, everywhere=everywhere))
    program = compiled.program
    gates = {at for at, node in program.nodes.items() if "needs_confirmation" in node.facts}
    approved: set[str] = set()
    called: list[str] = []
    state = run_to_pause(program, advance(program, BEGINNING, START).state, called)
    asked = 0
    while state.run == "paused":
        assert not any(at == gate or at.startswith(f"{gate}/") for at in called for gate in gates - approved)
        for ask in questions(program, state):
            approved |= {ask.at} if word == "confirm" else set()
            state = advance(program, state, Event(word, ask.at, ask.turn, ask.attempt)).state
            asked += 1
        state = run_to_pause(program, state, called)
    assert state.run == "completed"
    inmost = max(gates, key=len)
    assert asked >= 1
    assert (inmost in called) == (word == "confirm")
    assert not any(at == gate or at.startswith(f"{gate}/") for at in called for gate in gates - approved)


@pytest.mark.spec("CONF-1", "CONF-3", "CONF-5", "CONF-7")
def test_a_gated_step_never_runs_unapproved_in_any_nesting_three_deep():
    """In each of the 7 x 7 x 7 nestings of components, with gates on the step or on all, only what was confirmed runs."""
    nestings = list(product(KINDS, repeat=3))
    assert len(nestings) == 343
    for kinds, word, everywhere in product(nestings, ("confirm", "reject"), (False, True)):
        nothing_unapproved_ran(kinds, word, everywhere=everywhere)


@pytest.mark.spec("CONF-7", "CONF-8")
def test_each_iteration_of_each_loop_around_asks_anew():
    """A gated step in n loops of two iterations asks 2 to the n times, whatever the components are between."""
    for kinds in product(KINDS, repeat=3):
        program = compile_definition(gated(kinds, everywhere=False)).program
        state, asked = run_to_pause(program, advance(program, BEGINNING, START).state, []), 0
        while state.run == "paused":
            [ask] = questions(program, state)
            asked += 1
            state = run_to_pause(program, advance(program, state, Event("confirm", ask.at, ask.turn, ask.attempt)).state, [])
        assert asked == 2 ** kinds.count("loop")


@pytest.mark.spec("CONF-1", "CONF-2", "CONF-3", "CONF-7")
@pytest.mark.parametrize("word", ["confirm", "reject"])
@pytest.mark.parametrize(("outer", "inner"), list(product(KINDS, repeat=2)))
def test_a_gated_step_never_runs_unapproved_through_the_public_api(outer, inner, word):
    """In every pair of components the step runs once for each time it was confirmed, and never before."""
    ran: list[object] = []
    step = Step("inside", ran.append, **GATE)
    workflow = Workflow("gated", [WRAPPERS[outer]("inside", WRAPPERS[inner]("inside", step))])
    output, confirmed = workflow.run("go"), 0
    assert output.is_paused
    while output.is_paused:
        assert len(ran) == confirmed
        for requirement in output.requirements:
            getattr(requirement, word)()
            confirmed += word == "confirm"
        output = workflow.continue_run(output)
    assert len(ran) == confirmed
    assert str(output.status.value) == "COMPLETED"
