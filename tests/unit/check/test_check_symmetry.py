"""What is alike is looked at once: with and without it, a check says the same."""

from __future__ import annotations

from itertools import permutations

import pytest

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.check import (
    after,
    always_can_reach,
    at_most,
    check,
    confirmed,
    ended,
    mutually_exclusive,
    never,
    ran,
    reachable,
    responds,
    run_failed,
    skipped,
)
from statecore.check.builtin import builtin
from statecore.check.graph import Budget, explore
from statecore.check.search import automaton, decide
from statecore.check.symmetry import canonical, symmetry
from statecore.check.wording import Verdict
from statecore.check.world import Letter, World
from statecore.core import BEGINNING, advance


def work(step_input):
    """Stand for user code."""
    raise AssertionError("a check calls no user code")


def say(name, **settings):
    """A step."""
    return Step(name, work, **settings)


def gate(name, **settings):
    """A gated step."""
    return say(name, requires_confirmation=True, **settings)


def flows():
    """Workflows with branches that are alike, by name."""
    two = [Steps(f"b{n}", [gate(f"g{n}", on_error="pause"), say(f"s{n}", on_error="skip")]) for n in range(2)]
    nested = [Parallel(gate(f"l{n}"), gate(f"r{n}"), name=f"p{n}") for n in range(2)]
    routes = [Router(f"way{n}", [say(f"x{n}"), gate(f"y{n}")], selector=work) for n in range(2)]
    loops = [Loop(f"loop{n}", [gate(f"i{n}")], max_iterations=2, end_condition=work) for n in range(2)]
    choices = [Condition(f"c{n}", [say(f"t{n}")], [say(f"e{n}")], evaluator=work) for n in range(2)]
    return {
        "three gates": Workflow("w", [Parallel(*[gate(f"g{n}") for n in range(3)], name="p"), say("end")]),
        "three gates that cancel": Workflow("w", [Parallel(*[gate(f"g{n}", on_reject="cancel") for n in range(3)], name="p")]),
        "two of two steps": Workflow("w", [Parallel(*two, name="p"), say("end")]),
        "two and another": Workflow("w", [Parallel(*two, gate("odd"), name="p"), say("end")]),
        "nested": Workflow("w", [Parallel(*nested, name="p"), say("end")]),
        "routers": Workflow("w", [Parallel(*routes, name="p")]),
        "loops": Workflow("w", [Parallel(*loops, name="p")]),
        "conditions": Workflow("w", [Parallel(*choices, name="p"), say("end")]),
        "in a loop": Workflow("w", [Loop("l", [Parallel(*[gate(f"g{n}") for n in range(2)], name="p")], max_iterations=2)]),
    }


def alike_in(world, atoms=()):
    """The symmetry of a world that has one."""
    found = symmetry(world, atoms)
    assert found is not None
    return found


def properties(world):
    """Properties of each pair of some steps, and of the run."""
    steps = [node.at for node in world.compiled.program.nodes.values() if node.machine == "step"][:3]
    found = [reachable(run_failed()), always_can_reach(ended()), *[at_most(1).attempts(at) for at in steps]]
    for one, other in permutations(steps, 2):
        found += [
            never(ran(one)).unless(ran(other)),
            never(ran(one)).unless(confirmed(one)),
            mutually_exclusive(ran(one), skipped(other)),
            after(skipped(one)).never(ran(other)),
            responds(ran(one), ran(other)),
        ]
    return found


@pytest.mark.parametrize("name", sorted(flows()))
def test_no_verdict_changes(name):
    """Each property has the same verdict on both graphs, and a counterexample of the same length."""
    world = World(flows()[name].compiled)
    whole = explore(world, Budget(), cancels=True)
    smaller: dict = {}  # many properties leave the same branches alike
    for found in properties(world):
        alike = symmetry(world, found.atoms)
        if alike is None:
            continue
        groups = repr(alike.groups)
        if groups not in smaller:
            smaller[groups] = explore(world, Budget(), cancels=True, alike=alike)
        one, other = decide(whole, found, (), Budget()), decide(smaller[groups], found, (), Budget())
        assert (one.verdict, len(one.events)) == (other.verdict, len(other.events)), str(found)
    assert smaller


@pytest.mark.parametrize("name", sorted(flows()))
def test_a_counterexample_breaks_the_property_in_the_whole_graph(name):
    """The events of a counterexample lead, on the real core, to words that the property's automaton calls bad."""
    world = World(flows()[name].compiled)
    program = world.compiled.program
    steps = [node.at for node in program.nodes.values() if node.machine == "step"]
    found = never(ran(steps[0])).unless(ran(steps[-1]))
    less = explore(world, Budget(), alike=symmetry(world, found.atoms))
    events = decide(less, found, (), Budget()).events
    made, state, memory = automaton(less, found, ()), BEGINNING, 0
    for event in events:
        places: list = [(c.turn, c.attempt) for c in state.cursors if c.at == event.at] or [((), 0)]
        after_it = advance(program, state, event._replace(turn=places[0][0], attempt=places[0][1]))
        state = after_it.state
        for moment in made.read(tuple([Letter(m.at, m.source, m.trigger, m.dest) for m in after_it.moves])):
            memory = found.step(memory, moment)
    assert events
    assert made.hits[made.number_of((memory,))]


@pytest.mark.parametrize("name", sorted(flows()))
def test_the_settled_graph_is_the_whole_graph_settled(name):
    """Settling every situation of the whole graph gives the smaller graph: its situations and its edges."""
    world = World(flows()[name].compiled)
    alike = alike_in(world)
    less, whole = explore(world, Budget(), alike=alike), explore(world, Budget())
    assert len(less.states) < len(whole.states)
    stands = [alike.settle(state)[0] for state in whole.states]
    assert set(stands) == set(less.states)
    kinds = {(stands[n], edge.event.trigger, stands[edge.target]) for n, out in enumerate(whole.out) for edge in out}
    assert kinds == {
        (less.states[n], edge.event.trigger, less.states[edge.target]) for n, out in enumerate(less.out) for edge in out
    }


@pytest.mark.parametrize("name", sorted(flows()))
def test_every_way_through_the_settled_graph_is_told_as_a_real_run(name):
    """The events told of the way to a situation lead the core to one that it stands for."""
    world = World(flows()[name].compiled)
    program, alike = world.compiled.program, alike_in(world)
    less = explore(world, Budget(), alike=alike)
    for number, settled in enumerate(less.states):
        state = BEGINNING
        for event in less.real(less.path(number)):
            state = canonical(program, advance(program, state, event).state)
        assert alike.settle(state)[0] == settled


@pytest.mark.parametrize("name", sorted(flows()))
def test_the_built_in_properties_say_the_same(name):
    """Every built-in finding is the same on both graphs."""
    world = World(flows()[name].compiled)
    less, whole = explore(world, Budget(), alike=symmetry(world, ())), explore(world, Budget())
    assert [(f.text, f.verdict) for f in builtin(less)] == [(f.text, f.verdict) for f in builtin(whole)]


def test_a_dead_step_in_every_branch_is_found():
    """A branch that no run enters is dead in each of the branches that are alike, and in none where it is entered."""
    dead = [Condition(f"c{n}", [say(f"t{n}")], [say(f"e{n}")], evaluator=True) for n in range(2)]
    report = check(Workflow("w", [Parallel(*dead, name="p")]))
    [found] = [each for each in report.findings if "is dead" in each.text]
    assert found.why == "can never begin: p/c0/else/e0, p/c1/else/e1"


@pytest.mark.parametrize(
    "branches",
    [
        [gate("a"), say("b")],
        [gate("a"), gate("b", on_reject="cancel")],
        [gate("a", max_retries=1), gate("b", max_retries=2)],
        [Condition("a", [say("x")], evaluator=True), Condition("b", [say("y")], evaluator=False)],
        [Steps("a", [say("x")]), Steps("b", [say("y"), say("z")])],
    ],
)
def test_what_differs_is_not_alike(branches):
    """Another gate, policy, limit, known answer or number of steps keeps two branches apart."""
    assert symmetry(World(Workflow("w", [Parallel(*branches, name="p")]).compiled), ()) is None


def test_an_order_of_beginning_keeps_branches_apart():
    """Under `max_concurrency` the first branches begin first, so branches are not interchangeable; without it they are."""
    for most, apart in ((1, True), (None, False)):
        flow = Workflow("w", [Parallel(gate("a"), gate("b"), name="p", max_concurrency=most)])
        assert (symmetry(World(flow.compiled), ()) is None) is apart


def test_what_a_property_names_keeps_its_place():
    """A branch that a property names, by its own name or by that of something in it, is alike with none."""
    flow = Workflow("w", [Parallel(*[Steps(f"b{n}", [gate(f"g{n}")]) for n in range(3)], name="p")])
    for name in ("g0", "b0", "p/b0/g0"):
        alike = alike_in(World(flow.compiled), [ran(name)])
        assert [[*map(next, map(iter, group.branches))] for group in alike.groups] == [["p/b1", "p/b2"]]


def test_twelve_branches_are_a_matter_of_a_moment():
    """Twelve gated branches have more than a million situations; of those that are alike 1,000 are left."""
    flow = Workflow("w", [Parallel(*[gate(f"g{n}", on_error="skip") for n in range(12)], name="p"), say("end", on_error="skip")])
    report = check(flow, [never(ran("g0")).unless(confirmed("g0"))])
    assert report.complete
    assert report.findings[-1].verdict is Verdict.proved
    assert report.situations < 2_000
