"""A large workflow is checked in parts: with a step in the place of each branch that a property does not name, every verdict is the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.check import (
    Property,
    after,
    always_can_reach,
    at_most,
    check,
    completed,
    confirmed,
    ended,
    mutually_exclusive,
    never,
    ran,
    reachable,
    responds,
    run_cancelled,
    run_completed,
    run_failed,
    search,
    stops,
)
from statecore.check.branches import FAILS, OVER, STOPS, Watch, focuses, outcomes, roots, stand_in
from statecore.check.wording import Verdict, parse
from statecore.check.world import World
from statecore.core import BEGINNING, advance
from tests.sizes import examples

NEVER = 10**9


def work(step_input):
    """Stand for user code."""
    raise AssertionError("a check calls no user code")


SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"on_error": "skip"},
    {"on_error": "pause"},
    {"max_retries": 1},
    {"requires_confirmation": True},
    {"requires_confirmation": True, "on_reject": "cancel"},
    {"requires_output_review": True},
    {"requires_confirmation": True, "on_error": "pause", "timeout": 60, "on_timeout": "skip"},
)


def branch(number: int, drawn: list[dict[str, Any]], around: str) -> Any:
    """A branch of these steps, in a component of a kind."""
    steps: list[Any] = [Step(f"b{number} s{place}", work, **each) for place, each in enumerate(drawn)]
    name = f"branch {number}"
    if around == "step":
        return steps[0]
    return {
        "steps": lambda: Steps(name, steps),
        "skips": lambda: Steps(name, steps, on_error="skip"),
        "pauses": lambda: Steps(name, steps, on_error="pause"),
        "workflow": lambda: Workflow(name, steps),
        "loop": lambda: Loop(name, steps, max_iterations=2, end_condition=work),
        "condition": lambda: Condition(name, steps, [Step(f"b{number} else", work)], evaluator=work),
        "router": lambda: Router(name, steps, work),
    }[around]()


KINDS = ("step", "steps", "steps", "skips", "pauses", "workflow", "loop", "condition", "router")
BRANCHES = st.lists(
    st.tuples(st.lists(st.sampled_from(SETTINGS), min_size=1, max_size=3), st.sampled_from(KINDS)), min_size=2, max_size=3
)


def flow(drawn: Any, unit: str | None) -> Workflow:
    """Branches beside each other, and a step behind them; perhaps in a unit with an error policy."""
    parallel: Any = Parallel(*[branch(number, *each) for number, each in enumerate(drawn)], name="p")
    inner = [Steps("unit", [parallel, Step("last in it", work)], on_error=unit)] if unit else [parallel]
    return Workflow("w", [*inner, Step("end", work, requires_confirmation=True, on_error="skip")])


PROPERTIES: list[Property | str] = [
    never(ran("end")).unless(completed("p")),
    never(ran("end")).unless(confirmed("end")),
    never(ran("end")),
    reachable(run_failed()),
    reachable(run_completed()),
    reachable(run_cancelled()),
    always_can_reach(ended()),
    always_can_reach(run_failed()),
    always_can_reach(ran("end")),
    at_most(1).times(run_failed()),
    responds(ran("p"), completed("p")),
    never(ran("b0 s0")).unless(confirmed("b0 s0")),
    after(completed("b0 s0")).never(run_failed()),
    never(ran("end")).unless(completed("b0 s0") & completed("p")),
    never(stops("*")),
    mutually_exclusive(completed("b0 s0"), run_failed()),
    at_most(1).times(ran("b0 s0")),
    never(completed("b1 s0")).unless(completed("b0 s0")),
]


def verdicts(own: Workflow, first: int, **options: Any) -> dict[str, Verdict]:
    """The verdicts of a check that goes in parts from so many situations on; each run that is told is one of the whole workflow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FIRST", first)
        report = check(own, PROPERTIES, seconds=120, allow_vacuous=True, **options)
    for found in report.findings:
        if found.events and not found.builtin:
            is_shown(own, found)
    return {found.text: found.verdict for found in report.findings}


def is_shown(own: Workflow, found: Any) -> None:
    """Assert that the events of a finding are those of a run of the whole workflow, which has what it says."""
    program, state, memory = own.compiled.program, BEGINNING, 0
    watch = Watch(program, parse(found.text))
    for event in found.events:
        places: list[Any] = [(c.turn, c.attempt) for c in state.cursors if c.at == event.at] or [((), 0)]
        done = advance(program, state, event._replace(turn=places[0][0], attempt=places[0][1]))
        state, memory = done.state, watch.after(memory, done.moves)
    assert watch.hits(memory, state)


@given(BRANCHES, st.sampled_from([None, None, "skip", "pause", "fail"]), st.booleans(), st.booleans())
@settings(max_examples=examples(6), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_verdict_changes_in_parts(drawn, unit, crashes, cancels):
    """Each built-in property and each property of the list has the same verdict on the whole graph and in parts."""
    own = flow(drawn, unit)
    options = {"crashes": crashes and len(drawn) == 2, "cancels": cancels, "max_states": 15_000}
    whole = verdicts(own, NEVER, **options)
    if Verdict.undetermined not in whole.values():
        assert verdicts(own, 1, **options) == whole


@pytest.mark.parametrize("kind", KINDS[1:])
def test_no_verdict_changes_beside_each_kind(kind):
    """The same for a branch of each kind beside one that a property names."""
    own = flow([([{}, {"on_error": "pause"}], "steps"), ([{}, {"on_error": "skip"}], kind)], None)
    whole = verdicts(own, NEVER, cancels=True)
    assert Verdict.undetermined not in whole.values()
    assert verdicts(own, 1, cancels=True) == whole


def eight() -> Workflow:
    """A Parallel of eight different branches of four steps, and a step behind it."""
    branches = [branch(n, [{}, SETTINGS[n if n != 5 else 7], {}, {}], "steps") for n in range(7)]
    return Workflow(
        "eight", [Parallel(*branches, branch(7, [{"max_retries": 2}, {}, {}, {}], "steps"), name="p"), Step("end", work)]
    )


def test_eight_different_branches_of_four_steps_are_proved_within_the_default_budget():
    """Their orders are more than can be looked at; in parts few situations are left, and runs are told of the whole workflow."""
    own = eight()
    gate = never(ran("b4 s1")).unless(confirmed("b4 s1"))
    joined = never(ran("end")).unless(completed("b1 s3"))
    report = check(own, [gate, joined, always_can_reach(ended()), never(ran("end"))])
    assert report.complete
    assert report.situations < 5_000
    refuted = [found for found in report.findings if found.verdict is not Verdict.proved]
    assert [found.text for found in refuted] == [str(never(ran("end")))]
    is_shown(own, refuted[0])
    assert len({event.at for event in refuted[0].events}) > 32


def test_sixty_components_with_twelve_gates_are_proved_within_the_default_budget():
    """A long workflow with gates, forks, loops and branches is looked at whole, or in parts."""
    steps: list[Any] = []
    for n in range(12):
        steps.append(Step(f"gate {n}", work, requires_confirmation=True, on_reject=["skip", "cancel"][n % 2]))
        steps.append(Step(f"work {n}", work, on_error=["fail", "pause", "skip"][n % 3], max_retries=n % 2))
        steps.append(Condition(f"fork {n}", [Step(f"then {n}", work)], evaluator=work))
        if n % 4 == 0:
            steps.append(Parallel(Step(f"left {n}", work), Steps(f"right {n}", [Step(f"r{n}", work)]), name=f"both {n}"))
    own = Workflow("sixty", steps)
    assert sum(node.at != "" for node in own.compiled.program.nodes.values()) >= 60
    report = check(own, [never(ran("work 11")).unless(confirmed("gate 11")), always_can_reach(ended())], allow_vacuous=True)
    assert report.complete
    assert [found.text for found in report.findings if found.verdict is Verdict.undetermined] == []
    assert report[str(always_can_reach(ended()))].verdict is Verdict.proved


# -- what stands for a branch ----------------------------------------------------------------------------------------------------------


def world_of(*branches: Any, **settings: Any) -> World:
    """The world of these branches beside a step."""
    return World(Workflow("w", [Parallel(*branches, Step("beside", work), name="p", **settings)]).compiled)


def test_outcomes_are_what_others_can_see():
    """A branch is over, stops, or fails; one that goes on after every error never fails; a no that cancels is none of a step's outcomes."""
    cases: list[tuple[list[dict[str, Any]], frozenset[str]]] = [
        ([{}, {}], frozenset({OVER, STOPS, FAILS})),
        ([{"on_error": "skip"}, {"on_error": "pause"}], frozenset({OVER, STOPS})),
    ]
    for drawn, expected in cases:
        found = outcomes(world_of(branch(0, drawn, "steps")), "p/branch 0")
        assert found is not None
        assert (found.outcomes, found.always) == (expected, True)
    cancels = world_of(branch(0, [{"requires_confirmation": True, "on_reject": "cancel"}], "steps"))
    assert stand_in(cancels, "p/branch 0") is None


def test_a_branch_that_may_fail_only_at_first_is_never_looked_at_for_what_it_can_still_do():
    """Its step may fail until it is over, so it does not stand for it where a property asks what can still be reached."""
    found = stand_in(world_of(branch(0, [{}, {"on_error": "skip"}], "steps")), "p/branch 0")
    assert found is not None
    assert found[1] is False


def test_branches_under_a_limit_are_looked_at_whole():
    """Where a limit decides which branch begins, its branches, and those inside them, are in no part."""
    inner = Parallel(branch(0, [{}], "steps"), branch(1, [{}], "steps"), name="inner")
    assert roots(world_of(inner, max_concurrency=1).compiled.program) == []
    assert len(roots(world_of(inner).compiled.program)) == 4


def test_each_branch_is_in_the_focus_once():
    """Each branch of each Parallel is looked at whole in some part, together with those around it."""
    inner = Parallel(branch(0, [{}], "steps"), branch(1, [{}], "steps"), branch(2, [{}], "steps"), name="inner")
    program = world_of(inner).compiled.program
    found = focuses(program)
    assert set().union(*found) == set(roots(program))
    assert all("p/inner" in whole for whole in found if any(root.startswith("p/inner/") for root in whole))
    assert len(found) == 4
