"""What a person owes, as the user sees it. A requirement records a decision and changes nothing: `continue_run` takes it from there."""

from __future__ import annotations

from json import loads
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, field, frozen

from statecore.stores.rules import clock_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.definition import StepInput
    from statecore.stores import Waiting


@frozen
class Place:
    """Where a requirement's component stands in its workflow."""

    step_id: str
    step_type: str
    index: int
    on_reject: str | None


@define
class StepRequirement:
    """A question about a component before it runs: call `confirm()` or `reject()`; the last call before continuing counts.

    `decision` is the word that was chosen, None while nothing is. `decided_by` and `decided_at` tell who, where it is stored already.
    """

    run_id: str
    pause_id: str
    kind: str
    step_name: str
    step_id: str
    step_type: str
    step_index: int
    address: str
    confirmation_message: str | None = None
    on_reject: str | None = None
    created_at: str | None = None
    decision: str | None = None
    comment: str | None = None
    by: str | None = None
    decided_at: str | None = None

    @property
    def requires_confirmation(self) -> bool:
        """Whether this is a confirmation."""
        return self.kind == "confirmation"

    @property
    def confirmed(self) -> bool | None:
        """True or False once decided."""
        return None if self.decision is None else self.decision == "confirm"

    @property
    def needs_confirmation(self) -> bool:
        """Whether a confirmation is still owed."""
        return self.requires_confirmation and not self.is_resolved

    @property
    def is_resolved(self) -> bool:
        """Whether a decision is recorded."""
        return self.decision is not None

    def confirm(self, *, by: str | None = None, comment: str | None = None) -> None:
        """Record a yes."""
        self._record("confirm", by, comment)

    def reject(self, feedback: str | None = None, *, by: str | None = None) -> None:
        """Record a no, with what the person says about it."""
        self._record("reject", by, feedback)

    def _record(self, decision: str, by: str | None, comment: str | None) -> None:
        self.decision, self.by, self.comment = decision, by, comment

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return plain(self)


@define
class ErrorRequirement:
    """A step failed, or its process died in it: call `retry()` or `skip()`; the last call before continuing counts.

    `error_message` is `str(exception)` and `error_type` its class; `retry_count` counts the retries a person has ordered so far.
    """

    run_id: str
    pause_id: str
    kind: str
    step_name: str
    step_id: str
    step_type: str
    step_index: int
    address: str
    error_message: str
    error_type: str
    retry_count: int
    created_at: str | None = None
    decision: str | None = None
    comment: str | None = None
    by: str | None = None
    decided_at: str | None = None
    _input: Callable[[], StepInput] | None = field(default=None, repr=False, eq=False)

    @property
    def step_input(self) -> StepInput | None:
        """What the failed step was called with; None on a requirement read from plain data."""
        return self._input() if self._input is not None else None

    @property
    def needs_decision(self) -> bool:
        """Whether a decision is still owed."""
        return not self.is_resolved

    @property
    def is_resolved(self) -> bool:
        """Whether a decision is recorded."""
        return self.decision is not None

    def retry(self, *, by: str | None = None, comment: str | None = None) -> None:
        """Record that the step is to run again, with the same input."""
        self.decision, self.by, self.comment = "retry", by, comment

    def skip(self, *, by: str | None = None, comment: str | None = None) -> None:
        """Record that the step is to be skipped."""
        self.decision, self.by, self.comment = "skip", by, comment

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return plain(self)


Requirement = StepRequirement | ErrorRequirement

STEP_TYPES = {"step": "Step", "steps": "Steps", "workflow": "Workflow", "condition": "Condition"}


def public(attribute: Any, _value: object) -> bool:
    """Whether a field is part of the plain form."""
    return not attribute.name.startswith("_")


def plain(requirement: Requirement) -> dict[str, Any]:
    """A requirement's public fields."""
    return asdict(requirement, filter=public)


def requirement_of(waiting: Waiting, place: Place, read_input: Callable[[], StepInput] | None) -> Requirement:
    """The requirement that a row of the inbox stands for."""
    pause, decided = waiting.pause, waiting.decided
    shared: dict[str, Any] = {
        "run_id": pause.run_id,
        "pause_id": pause.pause_id,
        "kind": pause.kind,
        "step_name": pause.step_name,
        "step_id": place.step_id,
        "step_type": place.step_type,
        "step_index": place.index,
        "address": pause.at,
        "created_at": clock_text(pause.opened),
        "decision": decided.word if decided else None,
        "comment": decided.comment if decided else None,
        "by": decided.by if decided else None,
        "decided_at": clock_text(decided.time) if decided else None,
    }
    if pause.kind == "confirmation":
        return StepRequirement(**shared, confirmation_message=pause.message, on_reject=place.on_reject)
    said = loads(pause.detail) if pause.detail else {}
    return ErrorRequirement(
        **shared,
        error_message=said.get("error", ""),
        error_type=said.get("error_type", ""),
        retry_count=said.get("retry_count", pause.attempt),
        input=read_input,
    )
