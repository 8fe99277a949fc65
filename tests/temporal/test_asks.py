"""ASK on Temporal: code asks in an activity, and is called again in another one with all answers and notes."""

from __future__ import annotations

from typing import Any

import pytest

from statecore import Ask, RunStatus, Step, StepInput, Workflow
from statecore.errors import InvalidInput
from tests.temporal.conftest import Serve


@pytest.mark.spec("ASK-1", "ASK-2", "ASK-3", "ASK-5", "ASK-6")
def test_code_asks_on_temporal(serve: Serve) -> None:
    """Two questions at once, a retry by itself, then one that was raised: each call sees the same answers and the last notes."""
    seen: list[Any] = []

    def code(asked: StepInput) -> Any:
        seen.append((asked.attempt, asked.notes, [each.value for each in asked.answers], asked.idempotency_key.rpartition("/")[2]))
        if not asked.answers:
            return [Ask("How much?", choices=[10, 20], key="amount", notes={"quote": 7}), Ask("Why?")]
        if asked.attempt == 1:
            raise OSError
        if len(asked.answers) == 2:
            raise Ask("Sure?", kind="confirmation")
        return [each.value for each in asked.answers]

    runs = serve(Workflow("asks", [Step("ask", code, may_ask=3, max_retries=1)]))
    run = runs.run("x", timeout=30)
    assert [(each.pause_id, each.kind) for each in run.requirements] == [
        ("ask:question:0+0", "question"),
        ("ask:question:0+1", "question"),
    ]
    with pytest.raises(InvalidInput):
        runs.workflow.decide(run.run_id, "ask:question:0+0", "answer", value=11)
    runs.workflow.decide(run.run_id, "ask:question:0+1", "answer", value="it broke", by="ada")
    runs.workflow.decide(run.run_id, "ask:question:0+0", "answer", value=10, by="bob")
    run = runs.wait(run.run_id, timeout=30)
    [asked] = [each.pause_id for each in run.requirements if not each.is_resolved]
    runs.workflow.decide(run.run_id, asked, "answer", value=True)
    run = runs.wait(run.run_id, timeout=30)
    assert (run.status, run.content) == (RunStatus.completed, [10, "it broke", True])
    notes = {"quote": 7}
    assert seen == [
        (0, None, [], "ask"),
        (1, notes, [10, "it broke"], "ask~a1"),
        (2, notes, [10, "it broke"], "ask~a1"),
        (3, notes, [10, "it broke", True], "ask~a2"),
    ]
