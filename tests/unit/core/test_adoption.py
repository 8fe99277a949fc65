"""What speaks against adoption, as data: the rule and the address of each difference, and what is nobody's difference."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Condition, Loop, Parallel, Router, Step, Steps, Workflow
from statecore.core import BEGINNING, START, Event, Program, State, advance, calls, stored_program
from statecore.core.adoption import differences, new_gates
from statecore.core.ahead import ahead
from statecore.core.evidence import means_the_same
from statecore.core.ways import FAILED, can_hold
from statecore.errors import DefinitionError
from statecore.lifecycles import TABLES

ANSWERS = {"execute": "succeed", "evaluate": "hold", "select": "choose", "test": "refute", "judge": "hold"}


def work(_step_input: object) -> bool:
    """Stand for user code, which the core never calls."""
    raise AssertionError


def step(name: str, **settings: Any) -> Step:
    """A step."""
    return Step(name, work, **settings)


def gate(name: str, **settings: Any) -> Step:
    """A step with a gate."""
    return step(name, requires_confirmation=True, **settings)


def program(*steps: Any, **settings: Any) -> Program:
    """The program of a workflow."""
    return Workflow("w", list(steps), **settings).compiled.program


def parked(of: Program, *answers: tuple[str, str]) -> State:
    """The run of a program where it rests, after answers (address, trigger); every call goes well."""
    state = advance(of, BEGINNING, START).state
    todo = list(answers)
    while True:
        if owed := calls(of, state):
            call = owed[0]
            choices = tuple(of[call.at].exits.values()) if call.kind == "select" else ()
            event = Event(ANSWERS[call.kind], call.at, call.turn, call.attempt, choices=choices)
        elif todo:
            at, trigger = todo.pop(0)
            cursor = next(each for each in state.cursors if each.at == at)
            event = Event(trigger, at, cursor.turn, cursor.attempt)
        else:
            return state
        state = advance(of, state, event).state


def found(old: Program, new: Program, state: State) -> set[tuple[str, str]]:
    """The rules and addresses of the differences."""
    return {(each.rule, each.at) for each in differences(old, new, state)}


JUDGED = step("s", requires_output_review=lambda _: True, on_reject="cancel")
REVIEWED = step("s", requires_output_review=True, on_reject="cancel")
CASES: dict[str, tuple[list[Any], list[Any], set[tuple[str, str]]]] = {
    "the same": ([gate("a")], [gate("a")], set()),
    "a judged review for a sure one": (
        [gate("a"), REVIEWED, step("z")],
        [gate("a"), JUDGED, step("z")],
        {("weaker", "s"), ("behind", "z")},
    ),
    "a sure review for a judged one": ([gate("a"), JUDGED, step("z")], [gate("a"), REVIEWED, step("z")], set()),
    "an iteration review that an end condition may spare": (
        [gate("a"), Loop("l", [step("b")], requires_iteration_review=True)],
        [gate("a"), Loop("l", [step("b")], end_condition=lambda _: True, requires_iteration_review=True)],
        {("weaker", "l")},
    ),
    "a no that takes the else branch": (
        [gate("a"), Condition("c", [step("t")], [step("e")], requires_confirmation=True, on_reject="cancel")],
        [gate("a"), Condition("c", [step("t")], [step("e")], requires_confirmation=True)],
        {("weaker", "c")},
    ),
    "a rejected review that is made again": (
        [gate("a"), step("s", requires_output_review=True, on_reject="cancel")],
        [gate("a"), step("s", requires_output_review=True, on_reject="retry")],
        {("weaker", "s")},
    ),
    "a rejected review that skips": (
        [gate("a"), step("s", requires_output_review=True, on_reject="retry")],
        [gate("a"), step("s", requires_output_review=True, on_reject="skip")],
        {("weaker", "s")},
    ),
    "a death that is repeated": ([gate("a", on_interrupt="pause")], [gate("a")], {("weaker", "a")}),
    "a form for a yes": ([gate("a")], [step("a", requires_user_input=True)], {("gate", "a")}),
    "a gate that moved outward": (
        [gate("a"), Steps("g", [gate("b")])],
        [gate("a"), Steps("g", [step("b")], requires_confirmation=True)],
        {("gate", "g/b"), ("behind", "g/b")},
    ),
    "a step at another place takes its gates along": (
        [gate("a"), gate("g", on_reject="cancel"), step("s")],
        [gate("a"), gate("g", on_reject="cancel"), Steps("in", [step("s")])],
        set(),
    ),
    "a step at another place without its gates": (
        [gate("a"), gate("g", on_reject="cancel"), step("s")],
        [gate("a"), Steps("in", [step("s")]), gate("g", on_reject="cancel")],
        {("behind", "in/s")},
    ),
    "a gate beside a branch stands before what follows": (
        [gate("first"), Parallel(gate("a"), gate("b", on_reject="cancel"), name="p"), step("z")],
        [gate("first"), Parallel(gate("a"), gate("b", on_reject="skip"), name="p"), step("z")],
        {("weaker", "p/b"), ("behind", "z")},
    ),
    "a no where the run stands is asked for again": (
        [Parallel(gate("a"), gate("b", on_reject="cancel"), name="p"), step("z")],
        [Parallel(gate("a"), gate("b", on_reject="skip"), name="p"), step("z")],
        set(),
    ),
    "a no where another iteration asks again": (
        [Loop("l", [gate("a", on_reject="cancel"), step("s")])],
        [Loop("l", [gate("a", on_reject="skip"), step("s")])],
        {("weaker", "l/a"), ("behind", "l/s")},
    ),
    "a silence where the run stands": (
        [gate("a", timeout=60, on_timeout="cancel"), step("z")],
        [gate("a", timeout=60, on_timeout="approve"), step("z")],
        {("weaker", "a")},
    ),
    "before its gate in the next iteration": (
        [Loop("l", [gate("a"), step("s")])],
        [Loop("l", [step("s"), gate("a")])],
        {("dropped", "l/s")},
    ),
    "a step that is over, into a loop": (
        [step("s"), Loop("l", [gate("a"), step("b")])],
        [Loop("l", [step("s"), gate("a"), step("b")])],
        {("twice", "l/s")},
    ),
    "a choice that is gone, and was not chosen yet": (
        [Router("r", [step("x"), step("y")], requires_user_input=True)],
        [Router("r", [step("x")], requires_user_input=True)],
        set(),
    ),
    "inside other components": (
        [Condition("c", [gate("a")], evaluator=True)],
        [Steps("c", [Steps("then", [gate("a")])])],
        {("place", "c"), ("place", "c/then/a")},
    ),
}


@pytest.mark.spec("GATE-8", "GATE-8b")
@pytest.mark.parametrize("case", CASES)
def test_a_difference_has_a_rule_and_a_place(case):
    """Each change of a definition is told by its rules and addresses, and a change that takes nothing away by none."""
    before, after, expected = CASES[case]
    old, new = program(*before), program(*after)
    assert found(old, new, parked(old)) == expected
    assert found(stored_program(old.canonical), new, parked(old)) == expected


@pytest.mark.spec("GATE-8")
def test_versions_of_workflows_and_of_calls():
    """A lower version of the workflow is a difference, and another version of a step whose call is owed; at a gate a step's is none."""
    old = program(gate("a", version=2), version=3)
    assert found(old, program(gate("a", version=2), version=2), parked(old)) == {("version", "")}
    assert found(old, program(gate("a", version=2)), parked(old)) == {("version", "")}
    assert found(old, program(gate("a"), version=4), parked(old)) == set()
    owed = advance(old, parked(old), Event("confirm", "a")).state
    assert found(old, program(gate("a"), version=4), owed) == {("version", "a")}
    for ends, phase in (({"max_retries": 1, "retry_delay": 9}, "backing_off"), ({}, "failed")):
        late = program(step("a", **ends))
        state = advance(late, advance(late, BEGINNING, START).state, Event("fail", "a", (), 0)).state
        assert [each.phase for each in state.cursors] == [phase]
        assert found(late, program(step("a", version=2, **ends)), state) == {("version", "a")}
    inner = Workflow("inner", [gate("a")], version=2)
    assert program(inner)["inner"].version == program(Step("x", workflow=inner))["x"].version == 2
    assert program(Step("x", workflow=inner, version=3))["x"].version == 3


@pytest.mark.spec("GATE-8")
def test_a_version_is_in_the_form_where_it_is_set():
    """Without versions the canonical form is that of former releases; a version is read back from it."""
    bare, versioned = program(gate("a")), program(gate("a", version=2), version=3)
    assert (len(bare.canonical.split("],")), "2" in bare.canonical) == (len(bare.canonical.split("],")), False)
    back = stored_program(versioned.canonical)
    assert (back.version, back["a"].version, back.fingerprint) == (3, 2, versioned.fingerprint)
    assert stored_program(bare.canonical).version is None
    assert program(gate("a", version=2)).fingerprint != bare.fingerprint != program(gate("a"), version=1).fingerprint


@pytest.mark.spec("GATE-8")
def test_gates_before_a_step_are_those_of_every_way():
    """A step is behind the gates of all ways to it: not behind one in a branch that may be left out, and behind each branch of a Parallel."""
    of = program(
        gate("a"),
        Condition("c", [gate("x", on_reject="cancel")], evaluator=work),
        step("y"),
        Parallel(gate("b", on_reject="cancel"), step("d"), name="p"),
        step("z"),
    )
    begins = {at: {gate.name for gate in gates} for (at, _), gates in ahead(of, parked(of)).begins.items()}
    assert begins == {"a": {"a"}, "c": set(), "c/then/x": {"x"}, "y": set(), "p/b": {"b"}, "p/d": set(), "z": {"b"}}


@pytest.mark.spec("GATE-8")
def test_more_gates_are_named():
    """The gates that a run may be asked in addition are listed; where its place is gone none is."""
    old = program(gate("a"), step("z"))
    new = program(gate("a"), gate("n"), gate("z"))
    assert [each.name for each in new_gates(old, new, parked(old))] == ["n", "z"]
    assert new_gates(old, old, parked(old)) == new_gates(old, program(gate("n")), parked(old)) == []


@pytest.mark.spec("GATE-8")
def test_a_run_that_has_not_begun_has_everything_ahead():
    """A submitted run takes a definition with other steps, and none that drops a gate; an empty workflow has nothing ahead."""
    old = program(step("s"), gate("a"))
    assert found(old, program(step("new"), gate("a")), BEGINNING) == set()
    assert found(old, program(step("s"), step("a")), BEGINNING) == {("gate", "a"), ("behind", "a")}
    assert ahead(program(), BEGINNING).begins == {}
    assert found(program(), old, BEGINNING) == set()


@pytest.mark.spec("GATE-8b")
def test_what_frames_remember_is_a_place():
    """In an entered Parallel its branches, in an entered Router the choices that are left: one that has run may be gone."""
    router = [Router("r", [step("x"), gate("g"), step("y")], selector=work)]
    old = program(*router)
    state = parked(old)
    assert found(old, program(Router("r", [gate("g"), step("y")], selector=work)), state) == set()
    [gone] = differences(old, program(Router("r", [step("x"), gate("g")], selector=work)), state)
    assert (gone.rule, gone.at, gone.firm) == ("place", "r", True)
    assert str(gone) == "choice 'r/y' of 'r', which is still to run, is gone"


def in_flight(of: Program, at: str, trigger: str) -> State:
    """A run in which one of several calls has ended."""
    state = advance(of, BEGINNING, START).state
    call = next(each for each in calls(of, state) if each.at == at)
    return advance(of, state, Event(trigger, call.at, call.turn, call.attempt)).state


@pytest.mark.spec("GATE-8b")
def test_a_call_that_is_made_no_more_is_a_place():
    """An evaluator is called, and the new definition asks a person there: the run stays for a definition that makes the call."""
    old = program(Condition("c", [step("a")], evaluator=work))
    new = program(Condition("c", [step("a")], requires_confirmation=True))
    assert ("place", "c") in found(old, new, advance(old, BEGINNING, START).state)


@pytest.mark.spec("GATE-8")
def test_a_failed_choice_has_the_others_ahead():
    """A run failed in the first of two choices: reopened, it has the second one ahead, with its gate."""
    old = program(Router("r", [step("x"), gate("y")], work))
    state = advance(old, BEGINNING, START).state
    state = advance(old, state, Event("choose", "r", choices=("r/x", "r/y"))).state
    [call] = calls(old, state)
    failed = advance(old, state, Event("fail", "r/x", call.turn, call.attempt)).state
    assert failed.run == "failed"
    assert found(old, old, failed) == set()
    assert found(old, program(Router("r", [step("x"), step("y")], work)), failed) == {("gate", "r/y"), ("behind", "r/y")}


def test_a_component_that_ends_early_is_left():
    """Where a group is given up, or stopped, beside a call in flight, the step behind it is ahead."""
    of = program(Steps("s", [Parallel(step("a"), step("b"), name="p")], on_error="skip"), step("c"))
    skipping = in_flight(of, "s/p/a", "fail")
    assert skipping.endings
    assert "c" in ahead(of, skipping).reached
    stopping = in_flight(of, "s/p/a", "stop")
    assert stopping.endings
    assert "c" in ahead(of, stopping).reached


def test_a_branch_is_left_from_inside():
    """A step in a group of a branch fails, and the group is skipped: the Parallel ends, and the step behind it is ahead."""
    of = program(Parallel(Steps("s", [step("x"), step("y")], on_error="skip"), step("b"), name="p"), step("c"))
    assert "c" in ahead(of, advance(of, BEGINNING, START).state).reached


def test_a_place_that_neither_program_has_is_gone():
    """A run that stands at no component of the old program has no place; an entered Parallel that is gone is named."""
    inside = program(Parallel(step("a"), gate("b"), name="p"))
    state = parked(inside)
    assert ("place", "p/b") in found(program(step("z")), program(step("y")), state)
    assert ("place", "p") in found(inside, program(step("a"), gate("b")), state)


def test_a_choice_fails_in_the_way_in_which_it_is_made():
    """Of the guards of a failed choice, that of a Router's own way to choose may hold."""
    for router, guard in (
        (Router("r", [step("a")], work), "selector_failed"),
        (Router("r", [step("a")], requires_user_input=True), "choice_failed"),
    ):
        node = program(router).nodes["r"]
        assert {row.when for row in TABLES[node.machine].rows if can_hold(node, row)} & FAILED.keys() == {guard}


def test_a_word_of_neither_question_means_the_same():
    """A word that the question takes in neither program leads nowhere in both."""
    of = program(gate("g"))
    assert means_the_same(of, of, "g", "confirmation", "retry")


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0])
def test_a_version_is_a_whole_number_from_one(version):
    """Another version is refused, for a step and for a workflow."""
    for made in (lambda: step("s", version=version), lambda: program(step("s"), version=version)):
        with pytest.raises(DefinitionError, match="must be a whole number from 1"):
            made()
