"""The values of a `StepInput` that a test or a caller makes by hand: held as they were given, under the names that the engine reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from .outputs import Decision, StepOutput
from .questions import Answered, AnswersByKey


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
    answers_given: AnswersByKey = field(factory=AnswersByKey)
    notes_given: Any = None

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

    def answers(self) -> AnswersByKey:
        """The answers to what the step has asked."""
        return self.answers_given

    def notes(self) -> Any:
        """The notes of its last question."""
        return self.notes_given

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


def as_answers(given: Mapping[str, Any] | Sequence[Any]) -> AnswersByKey:
    """AnswersByKey from values: by key, or in the order of the questions; an `Answered`, or its plain data, is itself."""
    pairs = list(given.items()) if isinstance(given, Mapping) else [(str(number), each) for number, each in enumerate(given)]
    return AnswersByKey([as_answer(key, each) for key, each in pairs])


def as_answer(key: str, given: Any) -> Answered:
    """One answer from a value, or from plain data."""
    if isinstance(given, Mapping) and given.keys() >= PARTS:
        return Answered(**given)
    return given if isinstance(given, Answered) else Answered(key, "", given)


PARTS = frozenset({"key", "message", "value"})
"""The parts that plain data of an answer has."""


def nested(outputs: Any, name: str) -> StepOutput | None:
    """The newest output of that name among the members of outputs, at any depth."""
    for each in reversed(list(outputs)):
        found = each if each.step_name == name else nested(each.steps, name)
        if found is not None:
            return found
    return None
