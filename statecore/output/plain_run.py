"""A run as plain data, and back: what `WorkflowRunOutput.to_dict` writes, and `from_dict` reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statecore.definition import RunStatus, StepOutput

from .requirement import ErrorRequirement, Requirement, StepRequirement

PLAIN = (
    "run_id", "session_id", "user_id", "workflow_id", "workflow_name", "created_at", "input",
    "content", "error", "session_state", "additional_data", "metadata", "metrics",
)  # fmt: skip


def requirement_from(plain: Mapping[str, Any]) -> Requirement:
    """A requirement from plain data, of the class that its kind says."""
    found: Requirement = (ErrorRequirement if plain["kind"] in ("error", "interrupted") else StepRequirement).from_dict(plain)
    return found


def plain_run(output: Any, *, store_events: bool) -> dict[str, Any]:
    """All that is to be known of a run, as plain data."""
    plain: dict[str, Any] = {
        "run_id": output.run_id,
        "session_id": output.session_id,
        "user_id": output.user_id,
        "workflow_id": output.workflow_id,
        "workflow_name": output.workflow_name,
        "status": output.status.value,
        "created_at": output.created_at,
        "input": output.input,
        "content": output.content,
        "error": output.error,
        "session_state": output.session_state,
        "additional_data": output.additional_data,
        "metadata": output.metadata,
        "step_results": [each.to_dict() for each in output.step_results],
        "step_requirements": [each.to_dict() for each in output.step_requirements],
        "error_requirements": [each.to_dict() for each in output.error_requirements],
        "metrics": output.metrics,
    }
    if output.unused_decisions:
        plain["unused_decisions"] = [each.to_dict() for each in output.unused_decisions]
    return {**plain, "events": [each.to_dict() for each in output.events]} if store_events else plain


def read_run(output: Any, plain: Mapping[str, Any]) -> None:
    """Fill an output in from plain data."""
    from .events import event_of  # noqa: PLC0415  # only who asks for events pays for their classes

    output.__dict__.update({name: plain.get(name) for name in PLAIN})
    output.status = RunStatus(plain["status"])
    output.step_requirements = [StepRequirement.from_dict(each) for each in plain.get("step_requirements", ())]
    output.error_requirements = [ErrorRequirement.from_dict(each) for each in plain.get("error_requirements", ())]
    output.__dict__["unused_decisions"] = [requirement_from(each) for each in plain.get("unused_decisions", ())]
    output.__dict__["step_results"] = [StepOutput.from_dict(each) for each in plain.get("step_results", ())]
    output.__dict__["events"] = [event_of(each) for each in plain.get("events", ())]
    output.__dict__["_store_events"] = "events" in plain
