"""What people are shown is what the rows say: an oracle with the package closed, against every colour and store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.model import people
from statecore import Condition, InMemoryDb, Loop, Parallel, Router, RunStatus, SqliteDb, Step, Workflow
from statecore.run.workflow import StepOutputDelta
from statecore.testing import Clock, Planned, timed
from tests.conformance.drive import COLOURS, Drive
from tests.conformance.plans import answers, plans
from tests.conformance.plays import play
from tests.sizes import examples

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def shown(events: Any) -> list[people.Told]:
    """The events of a run as the oracle tells them: with the fields that the rows decide."""
    found = []
    for each in events:
        if not isinstance(each, StepOutputDelta):
            plain = each.to_dict()
            at = plain["step_id"] or ""
            found.append(people.Told(each.event, at, {name: plain[name] for name in FIELDS.get(each.event, ())}))
    return found


FIELDS: dict[str, tuple[str, ...]] = {
    "StepContinued": ("decision", "by"),
    "StepError": ("error", "error_type"),
    "StepStarted": ("attempt",),
    "StepOutput": ("stop",),
    "StepPaused": ("kind",),
    "RouterPaused": ("kind",),
    "StepOutputReview": ("kind",),
    "LoopExecutionStarted": ("max_iterations",),
    "LoopIterationStarted": ("iteration",),
    "LoopIterationCompleted": ("iteration", "should_continue"),
    "LoopExecutionCompleted": ("total_iterations",),
}


def agrees(flow: Workflow, run: Any, now: int) -> None:
    """Assert that a run's output, as it was read now, is what its rows say."""
    record = flow.db.load(run.run_id)
    rows, known = flow.db.journal(run.run_id), people.components(flow.definition)
    assert shown(run.events) == people.events(rows, known)
    plain, said = run.to_dict(), people.outcome(rows, record.identity.created)
    assert {name: plain[name] for name in said} == said
    asked = [*run.step_requirements, *run.error_requirements]
    found = {
        (each.address, each.kind): {
            name: getattr(each, name) for name in ("timeout_at", "on_timeout", "is_timed_out", "retry_count")
        }
        for each in asked
    }
    open_ones = people.questions(rows, known, now)
    assert len(asked) == len(found)
    assert found == (open_ones if run.status in (RunStatus.paused, RunStatus.running) else {})
    posted = {
        (each["address"], each["kind"]): each["timeout_at"] for each in plain["step_requirements"] + plain["error_requirements"]
    }
    assert posted == {place: each["timeout_at"] and each["timeout_at"].isoformat() for place, each in found.items()}


@pytest.mark.spec("RUN-5", "ERR-4", "LOOP-1", "CONF-6")
@settings(max_examples=examples(12), deadline=None, suppress_health_check=QUIET)
@given(made=plans(), script=answers, colour=st.sampled_from(COLOURS), disk=st.booleans())
def test_random_runs_are_shown_as_their_rows_say(tmp_path_factory, made, script, colour, disk):
    """Events, open questions, status, error and metrics of random runs, and what a stream told that raised nothing, are those of the oracle."""
    db: Any = SqliteDb(tmp_path_factory.mktemp("people") / "runs.db", durability="normal") if disk else InMemoryDb()
    played = play(made, script, Drive(colour), db, "r")
    run = played.workflow.get_run_output("r")
    agrees(played.workflow, run, 0)
    if "stream" in colour and not played.raised:  # a stream that raises tells no more of that moment
        known = people.components(played.workflow.definition)
        told, all_told = shown(played.events), people.events(played.workflow.db.journal("r"), known)
        assert told == all_told[: len(told)]
        assert {each.event for each in all_told[len(told) :]} <= {"WorkflowCancelled"}  # a person cancels beside every stream
    db.close()


def failing(_about: Any) -> Any:
    """Fail."""
    raise Planned


def code(step_input: Any) -> str:
    """Succeed."""
    return str(step_input.step_name)


LATE: dict[str, Any] = {"hitl_timeout": 60}
QUESTIONS: dict[str, list[Any]] = {
    "confirmation": [Step("a", code, requires_confirmation=True, on_timeout="approve", **LATE)],
    "input": [Step("a", code, requires_user_input=True, on_timeout="skip", **LATE)],
    "error": [Step("a", failing, on_error="pause", on_timeout="skip", **LATE)],
    "review": [Step("a", code, requires_output_review=True, on_reject="retry", hitl_max_retries=2, on_timeout="approve", **LATE)],
    "iteration": [Loop("l", [Step("a", code)], 3, requires_iteration_review=True, on_reject="retry", timeout=60)],
    "route": [Router("r", [Step("a", code), Step("b", code)], requires_user_input=True, timeout=60, on_timeout="cancel")],
    "fork": [Condition("c", [Step("a", code)], requires_confirmation=True, timeout=60, on_timeout="skip")],
    "branches": [Parallel(Step("a", code, requires_confirmation=True, **LATE), Step("b", failing, on_error="pause"), name="p")],
    "error without end": [Step("a", failing, on_error="pause")],
}
AGAIN = {"confirmation": "confirm", "error": "retry"} | dict.fromkeys(
    ("user_input", "output_review", "iteration_review", "route"), "reject"
)


@pytest.mark.spec("TIME-1", "TIME-3", "ERR-4", "REV-1")
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", QUESTIONS)
def test_deadlines_and_counts_are_shown_as_the_rows_say(name, colour):
    """At every rest the deadline, whether it is over, what its passing does and how often was tried again are those of the oracle."""
    clock, drive = Clock(), Drive(colour)
    flow = timed(Workflow("late", QUESTIONS[name], InMemoryDb()), clock)
    run = drive.run(flow, run_id="r")
    for seconds in (0.0, 59.999999, 0.000001):
        clock.advance(seconds)
        agrees(flow, flow.get_run_output("r"), clock.now)
    for _ in range(2):
        clock.now = flow.db.load("r").updated + 1
        for requirement in run.requirements:
            requirement.decide(AGAIN[requirement.kind], by="ada")
        if not run.is_paused:
            break
        run = drive.resume(flow, run)
        agrees(flow, flow.get_run_output("r"), clock.now)


def test_the_oracle_is_no_mirror():
    """A run that is shown with one event more, another order, another deadline or another count is not what the rows say."""
    clock = Clock()
    flow = timed(Workflow("late", QUESTIONS["iteration"], InMemoryDb()), clock)
    run = flow.run(run_id="r")
    rows, known = flow.db.journal("r"), people.components(flow.definition)
    told = people.events(rows, known)
    assert [each.fields for each in told if each.event == "LoopIterationCompleted"] == [{"iteration": 1, "should_continue": True}]
    assert shown([*run.events, run.events[-1]]) != told
    assert shown(run.events[::-1]) != told
    [question] = people.questions(rows, known, clock.now).values()
    assert question["on_timeout"] == "cancel"
    assert question["timeout_at"] == people.moment(rows[-1].time) + timedelta(seconds=60)
