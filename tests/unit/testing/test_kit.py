"""The kit itself: it crashes on no small workflow, each of its clauses can fail, and a user's own properties find a planted policy bug."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from statecore import InMemoryDb, Parallel, Router, Step, Workflow
from statecore.check import Verdict, after, check, confirmed, never, ran, reachable, responds, run_cancelled
from statecore.core import reducer
from statecore.definition import Component
from statecore.errors import InvalidProperty, ReplayFailed, UnknownStep
from statecore.lifecycles import JOINT
from statecore.lifecycles import words as w
from statecore.testing import Planned, all_paths, assert_invariants, assert_properties, workflow_machine
from statecore.testing.invariants import of_one_run
from statecore.testing.strategies import members
from tests.sizes import examples

QUICK = settings(
    database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], stateful_step_count=10
)
"""A machine that is to fail: the first failure is enough, it need not be small."""


def code(step_input):
    """Succeed."""
    return step_input.input


# -- small workflows ---------------------------------------------------------------------------------------------------------------


def size(steps: Any) -> int:
    """How many components a list has, with all that is inside them."""
    parts = ("steps", "else_steps", "choices")
    inner = [getattr(each, name, ()) or () for each in steps for name in parts]
    nested = [each.workflow.steps for each in steps if getattr(each, "workflow", None) is not None]
    return len(steps) + sum(map(size, [*inner, *nested]))


TINY = st.one_of(members(1, least=1), members(2, least=1).filter(lambda steps: size(steps) <= 3))


@given(TINY)
@settings(max_examples=examples(10), deadline=None, suppress_health_check=list(HealthCheck))
def test_a_machine_crashes_on_no_small_workflow(steps):
    """A workflow of one, two or three components of any kind runs in the machine; a campaign of twenty times as many has default settings."""
    machine = workflow_machine(Workflow("tiny", list(steps)))
    own = machine.TestCase.settings
    few, short = min(own.max_examples, examples(5)), min(own.stateful_step_count, examples(15))
    run_state_machine_as_test(machine, settings=settings(own, max_examples=few, stateful_step_count=short, database=None))


@given(TINY)
@settings(max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck))
def test_every_path_of_a_small_workflow_is_a_run(steps):
    """All paths of a small workflow fit into one store: each has an id of its own, ends as the model says, and obeys the invariants."""
    flow, db = Workflow("tiny", list(steps)), InMemoryDb()
    paths = all_paths(flow, most=10_000)[: examples(60)]
    for path in paths:
        ended = path.run(db).status.value.lower()
        assert ended == {"failed": "error"}.get(path.status, path.status)
    assert assert_invariants(db) == len(paths) == len({str(path) for path in paths})


BESIDE_A_DELAY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no delay": ({}, {"on_error": "pause"}),
    "a delay": ({"retry_delay": 5}, {"on_error": "pause"}),
    "a delay longer than a deadline": ({"retry_delay": 100}, {"requires_confirmation": True, "timeout": 60}),
    "an expiry that goes on": ({}, {"requires_confirmation": True, "timeout": 60, "on_timeout": "skip"}),
    "a retry that fails again": ({}, {"on_error": "pause", "requires_confirmation": True}),
}


@pytest.mark.parametrize("case", BESIDE_A_DELAY)
@pytest.mark.parametrize("limit", [None, 1])
def test_people_decide_while_a_delay_lasts(case, limit):
    """A decision comes before or after the end of a sibling's delay, as the path says, whatever the delay and the deadline of the question are."""
    delayed, asked = BESIDE_A_DELAY[case]
    branches = [Step("a", code, **asked), Step("b", code, max_retries=2, **delayed)]
    flow = Workflow("beside", [Parallel(*branches, name="p", max_concurrency=limit)])
    paths = all_paths(flow)
    texts = [str(path) for path in paths]
    assert any(text.startswith(("a:fail,b:fail,a:skip", "b:fail,a:confirm")) for text in texts)
    assert any(text.startswith(("a:fail,b:fail,b:wake", "b:fail,b:wake")) for text in texts)
    for path in paths:
        ended = path.run().status.value.lower()
        assert ended == {"failed": "error"}.get(path.status, path.status), path.story


@pytest.mark.parametrize(("first", "other"), ["ab", "ba"])
def test_deadlines_pass_in_the_order_of_the_path(first, other):
    """Two deadlines of one length: on one path the one passes and the other question is answered, on another it is the other way round."""
    settings: dict[str, Any] = {"requires_confirmation": True, "timeout": 60, "on_timeout": "skip"}
    flow = Workflow("two", [Parallel(Step("a", code, **settings), Step("b", code, **settings), name="p")])
    [path] = [each for each in all_paths(flow) if str(each) == f"{first}:expire,{other}:reject"]
    [both] = path.run().step_results
    assert {each.step_name: each.reason for each in both.steps} == {first: "nobody decided in time", other: "rejected"}


def test_a_long_path_has_an_id_of_its_own():
    """Paths that differ only at their end have texts that differ, however long they are; and so the runs of one store."""
    flow = Workflow("long", [Step(f"a step with a long name, number {n}", code, on_error="skip") for n in range(12)])
    paths = all_paths(flow)
    assert max(len(path.beats) for path in paths) > 12
    assert max(len(str(path)) for path in paths) < 200
    assert len({str(path) for path in paths}) == len(paths)
    db = InMemoryDb()
    assert {path.run(db).status.value for path in paths} <= {"COMPLETED"}
    assert assert_invariants(db) == len(paths)


# -- each clause can fail ----------------------------------------------------------------------------------------------------------


class Faulty(InMemoryDb):
    """A store that says something else than it was given."""

    def load(self, run_id: str) -> Any:
        """The run, as this store tells it."""
        return self.told(super().load(run_id))

    def runs(self, query: Any) -> Any:
        """The runs, as this store tells them."""
        return [self.told(each) for each in super().runs(query)]

    def told(self, record: Any) -> Any:
        """What it makes of a run."""
        return record


class LosesARow(Faulty):
    """The second row of a journal is gone."""

    def journal(self, run_id: str, *rest: Any) -> Any:
        rows = super().journal(run_id, *rest)
        return rows[:1] + rows[2:]


class ChangesARow(Faulty):
    """The first row says that a run was reopened."""

    def journal(self, run_id: str, *rest: Any) -> Any:
        rows = super().journal(run_id, *rest)
        return [row._replace(trigger=w.resume) if row.seq == 1 else row for row in rows]


class TellsAnotherState(Faulty):
    """Every run is cancelled."""

    def told(self, record: Any) -> Any:
        return evolve(record, state=evolve(record.state, run=w.cancelled, cursors=()))


class GoesOn(Faulty):
    """A row follows the last one, from where that led."""

    TRIGGER, BREAKS = w.cancel, frozenset({w.completed, w.cancelled, w.skipped})

    def journal(self, run_id: str, *rest: Any) -> Any:
        rows = super().journal(run_id, *rest)
        last = rows[-1]
        return [*rows, last._replace(seq=last.seq + 1, source=last.dest, trigger=self.TRIGGER, dest=w.running)]

    def told(self, record: Any) -> Any:
        return evolve(record, seq=record.seq + 1)


class Revives(GoesOn):
    """A failed run goes on by itself."""

    TRIGGER = w.start


class ForgetsQuestions(Faulty):
    """Nobody is asked anything."""

    def pauses(self, *_query: Any) -> Any:
        return []


class AsksTwice(Faulty):
    """Each question is there twice."""

    def pauses(self, query: Any) -> Any:
        return [each for each in super().pauses(query) for _ in range(2)]


class DecidesTwice(Faulty):
    """Each decision is there twice."""

    def decisions(self, run_id: str) -> Any:
        return [*super().decisions(run_id), *super().decisions(run_id)]


GATED = Workflow("gated", [Step("first", code, requires_confirmation=True), Step("second", code)])
FAILING = Workflow("failing", [Step("first", code)])
FAULTS: dict[type[Faulty], tuple[Workflow, str]] = {
    LosesARow: (GATED, "gaps"),
    ChangesARow: (GATED, "Row 1 of the journal does not follow"),
    TellsAnotherState: (GATED, "its journal leads to"),
    GoesOn: (FAILING, "which was completed"),
    Revives: (FAILING, "leaves failed by start"),
    ForgetsQuestions: (GATED, r"the inbox says \[\]"),
    AsksTwice: (GATED, "the inbox says"),
    DecidesTwice: (GATED, "decided twice"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_clause_of_the_invariants_fails(fault):
    """On a store that does what a clause forbids, the invariants fail in that clause; on the same run of a sound store they hold."""
    flow, said = FAULTS[fault]
    for db, broken in ((InMemoryDb(), False), (fault(), True)):
        own = flow.on(db)
        if flow is FAILING and fault is Revives:
            own = Workflow("failing", [Step("first", raising)], db)
        run_and_decide(own)
        if broken:
            with pytest.raises((AssertionError, ReplayFailed), match=said):
                assert_invariants(db)
        else:
            assert assert_invariants(db) == 1


def raising(_step_input):
    """Fail."""
    raise Planned


def run_and_decide(flow: Workflow) -> None:
    """Start a run and decide its first question, by the store itself: a faulty one cannot be asked."""
    try:
        flow.run("in", run_id="r")
    except Planned:
        return
    for pause_id in list(flow.db._runs["r"].pauses):  # type: ignore[attr-defined]
        flow.decide("r", pause_id, "confirm")


def test_paused_beside_a_call_is_noticed(monkeypatch):
    """Where the engine pauses a run whose code still runs, the clause about paused runs fails; as it is, the clause holds there."""
    db, said = InMemoryDb(), list[str]()

    def works(_step_input):
        try:
            assert_invariants(db)
        except AssertionError as error:
            said.append(str(error))

    steps = Parallel(Step("works", works), Step("asks", code, requires_confirmation=True), name="p")
    Workflow("beside", [steps], db).run("in")
    assert said == []
    monkeypatch.setattr(reducer, "JOINT", {"answers_owed": w.pause, **JOINT})
    Workflow("paused beside", [steps], db).run("in")
    assert len(said) == 1
    assert "is paused and owes" in said[0]


@pytest.mark.parametrize("fault", [LosesARow, ChangesARow, TellsAnotherState, GoesOn, ForgetsQuestions, AsksTwice, DecidesTwice])
def test_a_machine_notices_a_broken_store(fault):
    """Each of these stores fails the machine, which asserts the invariants after every rule."""
    machine = workflow_machine(GATED, fault)
    with pytest.raises((AssertionError, ReplayFailed)):
        run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=200))


# -- a user's own properties -------------------------------------------------------------------------------------------------------

POLICY = never(ran("pay")).unless(confirmed("approve"))


@cache
def payout(*, leaks: bool) -> Workflow:
    """A gate before a payment; with the planted bug, a no skips the gate and the money is paid."""
    approve = Step("approve", code, requires_confirmation=True, on_reject="skip" if leaks else "cancel")
    return Workflow("payout", [Step("collect", code), approve, Step("pay", code)])


def broken_by(properties: Any, flow: Workflow) -> list[str]:
    """The paths that break one of the properties."""
    broken = []
    for path in all_paths(flow, properties=properties):
        try:
            path.run()
        except AssertionError as error:
            broken += [str(path)] * ("breaks" in str(error))
    return broken


@pytest.mark.parametrize("policy", [POLICY, str(POLICY)])
def test_a_planted_policy_bug_is_found_by_paths_machine_and_check(policy):
    """A no that leads to the payment breaks the policy on a path, in the machine and in the check; without the bug all three are content."""
    machine = workflow_machine(payout(leaks=True), properties=[policy])
    with pytest.raises(AssertionError, match=r"breaks never ran\(pay\) unless confirmed\(approve\)"):
        run_state_machine_as_test(machine, settings=settings(QUICK, max_examples=200, stateful_step_count=25))
    sound = workflow_machine(payout(leaks=False), properties=[policy])
    run_state_machine_as_test(sound, settings=settings(QUICK, max_examples=10))
    assert {"collect:succeed,approve:reject,pay:succeed"} <= set(broken_by([policy], payout(leaks=True)))
    assert broken_by([policy], payout(leaks=False)) == []
    assert check(payout(leaks=True), [policy])[str(POLICY)].verdict is Verdict.refuted
    assert check(payout(leaks=False), [policy])[str(POLICY)].verdict is Verdict.proved


def test_the_checks_of_a_workflow_are_asserted():
    """A property that the workflow carries is asserted by paths and machine, too; one about all runs is left to the check."""
    steps = payout(leaks=True).definition.steps
    flow = Workflow("payout", list(steps), checks=[POLICY, reachable(run_cancelled())])
    assert of_one_run((), flow) == (POLICY,)
    assert broken_by((), flow)
    assert workflow_machine(flow).properties == (POLICY,)


def test_what_only_a_memory_can_tell_is_on_a_path():
    """Paths use every event in every situation and memory: what is wrong only after one of two ways to the same situation is found."""
    ways: list[Component] = [Step("left", code), Step("right", code)]
    flow = Workflow("ways", [Router("way", ways, code), Step("wait", code), Step("pay", code)])
    assert len(broken_by([after(ran("left")).never(ran("pay"))], flow)) > 0
    assert len(all_paths(flow, properties=[after(ran("left")).never(ran("pay"))])) > len(all_paths(flow))


def test_an_answer_that_stays_away_is_found_at_the_end():
    """A response is judged where a run is over, and not before."""
    db = InMemoryDb()
    flow = payout(leaks=False).on(db)
    flow.run("in", run_id="r")
    owing = responds(ran("collect"), ran("pay"))
    assert assert_properties(db, [owing]) == 1
    flow.cancel_run("r")
    with pytest.raises(AssertionError, match=r"breaks responds ran\(collect\) ran\(pay\)"):
        assert_properties(db, [owing], "r")


def test_a_property_that_no_run_can_break_is_refused():
    """It says who can judge it; and a step that is not there is refused before anything runs."""
    for use in (
        lambda wanted: all_paths(payout(leaks=True), properties=wanted),
        lambda wanted: workflow_machine(payout(leaks=True), properties=wanted),
    ):
        with pytest.raises(InvalidProperty, match="all runs together"):
            use(["reachable run_failed()"])
        with pytest.raises(UnknownStep):
            use(["never ran(nothing)"])


def test_a_machine_of_a_changed_definition_is_judged_by_the_last():
    """A run that goes on with a changed definition is judged by the steps of that one."""
    db = InMemoryDb()
    own: Any = Workflow("grows", [Step("ask", code, requires_confirmation=True), Step("late", code)], db)
    own.run("in", run_id="r")
    steps = own.definition.steps
    grown = Workflow("grows", [*steps, Step("added", code)], db)
    grown.decide("r", db._runs["r"].pauses.copy().popitem()[0], "confirm")
    again = grown.continue_run(run_id="r", adopt=True, by="ada")  # the yes let less begin than this definition does (GATE-7)
    again.steps_requiring_confirmation[0].confirm(by="ada")
    assert grown.continue_run(again).status.value == "COMPLETED"
    with pytest.raises(AssertionError, match=r"breaks never ran\(added\)"):
        assert_properties(db, ["never ran(added)"])
