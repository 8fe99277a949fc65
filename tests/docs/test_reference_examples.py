"""Programs written as users of the reference framework write them, with only the name of the root package changed, run as they stand.

The scripts are ours; the calls, attributes, events and import paths in them are those of the documented error handling, conditions and
confirmations. Each is run as a program, with a person who answers from a list; what it prints is what a reader would expect.
"""

from __future__ import annotations

import builtins
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from statecore import Step, Workflow

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture
def ran(monkeypatch, tmp_path, capsys):
    """Run a script in a directory with an empty folder `tmp`, with these answers; the lines that it printed."""
    (tmp_path / "tmp").mkdir()  # the documented examples name it, and a store makes no folder (P24)

    def run(name: str, *answers: str) -> list[str]:
        said = iter(answers)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(builtins, "input", lambda _prompt="": next(said))
        runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        assert list(said) == []
        return capsys.readouterr().out.splitlines()

    return run


@pytest.mark.spec("ERR-3", "ERR-4", "ERR-6")
def test_retrying_until_it_works(ran):
    """A failing step asks after each failure, tells the count of retries, and its success is handed on."""
    assert ran("error_pause.py", "retry", "retry") == [
        "deliver: ConnectionError: storm on the way to Bergen (retried 0)",
        "deliver: ConnectionError: storm on the way to Bergen (retried 1)",
        "RunStatus.completed",
        "receipt: delivered",
        "deliver delivered True",
        "receipt receipt: delivered True",
    ]


@pytest.mark.spec("ERR-5", "SKIP-1")
def test_skipping_what_fails(ran):
    """A failed step that is skipped hands on None, and counts as no failure."""
    assert ran("error_pause.py", "skip")[-4:] == [
        "RunStatus.completed",
        "receipt: nothing arrived",
        "deliver None True",
        "receipt receipt: nothing arrived True",
    ]


@pytest.mark.spec("ERR-3", "ERR-4", "CONT-8")
def test_watching_errors_in_a_stream(ran):
    """A stream tells of each start, error and pause; the run at the end of the session is the one that was streamed."""
    assert ran("error_streaming.py", "r", "r") == [
        "workflow started",
        "> deliver",
        "! deliver (storm)",
        "|| deliver",
        "> deliver",
        "! deliver (storm)",
        "|| deliver",
        "> deliver",
        "< deliver: delivered",
        "> receipt",
        "< receipt: receipt: delivered",
        "workflow completed: receipt: delivered",
        "COMPLETED",
    ]


@pytest.mark.spec("ERR-5", "SKIP-1")
def test_skipping_in_a_stream(ran):
    """A step skipped in a stream is followed by the next one, which sees None."""
    assert ran("error_streaming.py", "s")[4:] == [
        "> receipt",
        "< receipt: receipt: None",
        "workflow completed: receipt: None",
        "COMPLETED",
    ]


@pytest.mark.spec("ERR-7", "ERR-1", "ERR-2")
def test_error_policies_of_a_condition(ran):
    """Under skip and pause a fork is left as a whole and gives None; under fail its error comes out; untaken, nothing fails."""
    assert ran("error_policies.py") == [
        "skip COMPLETED shipped with None",
        "paused at weigh: weigh: the scales are broken",
        "pause COMPLETED shipped with None",
        "fail the scales are broken",
        "shipped with None",
    ]


@pytest.mark.spec("COND-1", "COND-2", "COND-4")
def test_a_person_chooses_the_branch(ran):
    """Yes runs the if branch whatever on_reject says; no runs the else branch, skips or cancels. Both spellings are one."""
    asked = [f"seasoning: Season it? [{word}]" for word in ("else", "skip", "cancel")]
    no = [
        asked[0],
        "else COMPLETED menu: served plain",
        asked[1],
        "skip COMPLETED menu: tasted broth",
        asked[2],
        "cancel CANCELLED None",
    ]
    assert ran("branch_by_person.py", *["no"] * 6) == no * 2
    yes = [
        line
        for ask, word in zip(asked, ("else", "skip", "cancel"), strict=True)
        for line in (ask, f"{word} COMPLETED menu: seasoned at length")
    ]
    assert ran("branch_by_person.py", *["yes"] * 6) == yes * 2


@pytest.mark.spec("COND-1", "COND-2", "RUN-5")
def test_a_branch_is_chosen_asynchronously(ran):
    """The asynchronous stream may be iterated at once or awaited first; the asynchronous store is the same store."""
    told = ["StepContinued seasoning", "ConditionExecutionStarted seasoning"]
    assert ran("branch_streaming.py") == [
        "paused at seasoning: Season it?",
        *told,
        *(f"{event} season" for event in ("StepStarted", "StepOutput", "StepCompleted")),
        "ConditionExecutionCompleted seasoning",
        "WorkflowCompleted None",
        "broth, seasoned",
        "paused at seasoning: Season it?",
        *told,
        *(f"{event} plain" for event in ("StepStarted", "StepOutput", "StepCompleted")),
        "ConditionExecutionCompleted seasoning",
        "WorkflowCompleted None",
        "stew, plain",
        "salad, seasoned",
    ]


@pytest.mark.spec("CONF-1", "CONF-4", "CONF-6", "STEPS-1")
def test_a_gate_before_a_dangerous_step(ran):
    """Confirmation comes first, the error pause after it; a rejection cancels the run or skips the group, as it is set."""
    burn, ashes = "burn (Step): Burn them?", "ashes (Steps): Bury them?"
    assert ran("gate_before_step.py", "y", "y", "y", "n", "n") == [
        *(burn, "burn: the archive is locked", ashes, "True False buried: burnt what was found letters"),
        *(burn, ashes, "True False burnt what was found letters"),
        *(burn, "False True None"),
    ]


@pytest.mark.spec("CONF-2", "CONF-3", "CONF-4")
def test_a_gate_in_a_stream(ran):
    """The stream ends with the pause and goes on with the decision; the names of the events are those of the enum."""
    paused = ["WorkflowStarted", "paused at greet: Greet? True", "WorkflowPaused"]
    save = ["StepStarted", "StepOutput", "StepCompleted"]
    assert ran("gate_streaming.py") == [
        *paused,
        "continued greet",
        *save,
        *save,
        "completed: saved: hello world",
        "RunStatus.completed",
        *paused,
        "continued greet",
        "StepSkipped",
        *save,
        "completed: saved: nothing",
        "RunStatus.completed",
        *paused,
        "continued greet",
        "cancelled",
        "RunStatus.cancelled",
    ]


PLACES = {
    "statecore.workflow": [
        "Condition",
        "HumanReview",
        "OnError",
        "OnReject",
        "Step",
        "StepInput",
        "StepOutput",
        "Steps",
        "Workflow",
    ],
    "statecore.workflow.workflow": ["Workflow"],
    "statecore.workflow.step": ["Step"],
    "statecore.workflow.steps": ["Steps"],
    "statecore.workflow.condition": ["Condition"],
    "statecore.workflow.types": [
        "HumanReview",
        "OnError",
        "OnReject",
        "StepInput",
        "StepOutput",
        "StepRequirement",
        "ErrorRequirement",
    ],
    "statecore.run": ["RunContext", "RunStatus"],
    "statecore.run.base": ["RunStatus"],
    "statecore.run.workflow": [
        "ConditionExecutionCompletedEvent",
        "ConditionExecutionStartedEvent",
        "StepCompletedEvent",
        "StepContinuedEvent",
        "StepErrorEvent",
        "StepOutputEvent",
        "StepPausedEvent",
        "StepStartedEvent",
        "StepsExecutionCompletedEvent",
        "StepsExecutionStartedEvent",
        "WorkflowCancelledEvent",
        "WorkflowCompletedEvent",
        "WorkflowErrorEvent",
        "WorkflowRunEvent",
        "WorkflowRunOutput",
        "WorkflowRunOutputEvent",
        "WorkflowStartedEvent",
    ],
    "statecore.db.sqlite": ["AsyncSqliteDb", "SqliteDb"],
    "statecore.db.in_memory": ["InMemoryDb"],
}


@pytest.mark.spec("CONT-1")
@pytest.mark.parametrize(("place", "name"), [(place, name) for place, names in PLACES.items() for name in names])
def test_names_are_where_users_import_them_from(place, name):
    """Each documented name of error handling, conditions and confirmations is found at its documented place."""
    __import__(place)
    assert hasattr(sys.modules[place], name)


@pytest.mark.spec("CONF-1", "ERR-3")
@pytest.mark.parametrize(
    "attribute",
    [
        *("is_paused", "is_cancelled", "status", "content", "input", "step_results", "metrics", "metadata", "created_at"),
        *("steps_requiring_confirmation", "steps_requiring_user_input", "steps_requiring_route", "steps_requiring_output_review"),
        *("steps_with_errors", "step_requirements", "error_requirements", "active_step_requirements", "active_error_requirements"),
        *(
            "paused_step_name",
            "paused_step_index",
            "run_id",
            "session_id",
            "user_id",
            "workflow_id",
            "workflow_name",
            "events",
            "to_dict",
        ),
    ],
)
def test_a_run_has_what_is_documented(attribute):
    """A paused run has every documented attribute, so that a program that asks for all kinds of pause runs with those there are."""
    run_output = Workflow("flow", [Step("a", lambda _: None, requires_confirmation=True)]).run("x")
    assert hasattr(run_output, attribute)


@pytest.mark.spec("ERR-3", "ERR-4", "ERR-5")
@pytest.mark.parametrize(("word", "retried"), [("retry", True), ("skip", False)])
def test_an_error_requirement_says_what_was_decided(word, retried):
    """`decision`, `should_retry` and `should_skip` say what a person chose, and `needs_decision` that they still have to."""

    def fail(_step_input):
        raise ValueError("x")

    failed: Any = Workflow("flow", [Step("a", fail, on_error="pause")]).run("x").steps_with_errors[0]
    assert (failed.should_retry, failed.should_skip, failed.needs_decision) == (False, False, True)
    getattr(failed, word)()
    assert (failed.should_retry, failed.should_skip, failed.needs_decision, failed.decision) == (retried, not retried, False, word)


@pytest.mark.spec("CONF-9")
def test_a_step_requirement_keeps_the_feedback():
    """`rejection_feedback` is what a person said with their no; `to_dict` carries it."""
    asked: Any = Workflow("flow", [Step("a", lambda _: None, requires_confirmation=True)]).run("x").step_requirements[0]
    asked.reject(feedback="too late")
    assert (asked.confirmed, asked.rejection_feedback, asked.to_dict()["confirmed"]) == (False, "too late", False)
