"""Histories of releases are replayed by the code of today: a run that is under way goes on, whatever was changed. No server is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from statecore.temporal.workflow import run
from tests.temporal.record import HISTORIES, WORKFLOWS, replay

PATHS = sorted(HISTORIES.glob("*.json"))


def read(path: Path) -> WorkflowHistory:
    """A history from its file."""
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


def test_there_are_histories_of_every_workflow() -> None:
    """Each workflow that is recorded was recorded by some release, and a history is small.

    In "beside" a decision came while a call ran, before such a decision was acted upon: the run was parked first.
    """
    assert {path.stem.partition("-")[2] for path in PATHS} == {*WORKFLOWS, "beside"}
    assert all(path.stat().st_size < 100_000 for path in PATHS)


def test_a_history_has_as_many_events_as_the_guide_counts() -> None:
    """Three steps and one decision: 6 events a step, 10 a decision, and 7."""
    [path] = [path for path in PATHS if path.stem == "0.1-gate"]
    assert len(read(path).events) == 6 * 3 + 10 + 7


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_recorded_history_is_replayed(path: Path) -> None:
    """The workflow asks Temporal for the same things in the same order."""
    replay(read(path))


@pytest.mark.spec("SAID-1")
def test_a_history_without_the_mark_parks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaying can fail: a driver that acts upon a decision where an earlier release parked the run first is found out."""
    [path] = [path for path in PATHS if path.stem == "0.1-beside"]
    monkeypatch.setattr(workflow, "patched", lambda _: True)
    with pytest.raises(NondeterminismError):
        replay(read(path))


def test_a_changed_driver_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaying can fail: a driver that asks for another activity is found out."""
    monkeypatch.setattr(run, "CALL", "statecore.other")
    with pytest.raises(NondeterminismError):
        replay(read(PATHS[0]))


def test_a_decision_that_is_not_there_is_caught() -> None:
    """Replaying can fail: a history in which somebody changed a decision leads elsewhere."""
    [path] = [path for path in PATHS if path.stem.endswith("-gate")]
    text = path.read_text(encoding="utf-8")
    plain = json.loads(text)
    [accepted] = [each for each in plain["events"] if "workflowExecutionUpdateAcceptedEventAttributes" in each]
    payload = accepted["workflowExecutionUpdateAcceptedEventAttributes"]["acceptedRequest"]["input"]["args"]["payloads"][0]
    payload["data"] = plain["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"][0]["data"]
    with pytest.raises(Exception, match="Nondeterminism"):
        replay(WorkflowHistory.from_json(path.stem, json.dumps(plain)))
