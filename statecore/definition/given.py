"""The values of a `StepInput` that a test or a caller makes by hand: held as they were given, under the names that the engine reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from .outputs import Decision, StepOutput


@frozen
class GivenValues:
    """The values of one hand-made input; earlier outputs by step name, in their order."""

    input: Any = None
    previous_content: Any = None
    outputs_given: Mapping[str, StepOutput] = field(factory=dict)
    additional_data: Mapping[str, Any] = field(factory=dict)
    media_given: Mapping[str, Sequence[Any]] = field(factory=dict)
    workflow_session: Any = None
    decided: Decision | None = None

    def run_input(self) -> Any:
        """The run's input."""
        return self.input

    def previous(self) -> Any:
        """The previous step's content."""
        return self.previous_content

    def last(self) -> Any:
        """The previous content; after a skipped step, which has none, the content of the last completed output."""
        done = [each for each in self.outputs_given.values() if each.status == "completed"]
        return done[-1].content if done and self.previous_content is None else self.previous_content

    def additional(self) -> dict[str, Any]:
        """The additional data."""
        return dict(self.additional_data)

    def session(self) -> Any:
        """The session."""
        return self.workflow_session

    def decision(self) -> Decision | None:
        """The answer at the gate."""
        return self.decided

    def media(self, name: str) -> list[Any] | None:
        """The media of a kind; None where there are none."""
        return list(self.media_given.get(name) or ()) or None

    def content(self, name: str) -> Any:
        """The content of the output of a step, or of a member of it; None where there is none."""
        found = self.output(name)
        return found.content if found is not None else None

    def output(self, name: str) -> StepOutput | None:
        """The output of a step, or of a member of it; None where there is none."""
        return self.outputs_given.get(name) or nested(self.outputs_given.values(), name)

    def outputs(self) -> Mapping[str, StepOutput]:
        """All earlier outputs."""
        return self.outputs_given


def nested(outputs: Any, name: str) -> StepOutput | None:
    """The newest output of that name among the members of outputs, at any depth."""
    for each in reversed(list(outputs)):
        found = each if each.step_name == name else nested(each.steps, name)
        if found is not None:
            return found
    return None
