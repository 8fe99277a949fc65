"""A person as a test writes one: answers by the step that asks, or by the kind of question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from statecore.errors import Unanswered

if TYPE_CHECKING:
    from statecore.output import Requirement, WorkflowRunOutput
    from statecore.workflow.workflow import Workflow

Answer: TypeAlias = Any
"""A word ("confirm"), or a word with its value (("edit", "new text"), ("input", {"amount": 3}), ("reject", "why"), ("select", ["a"]))."""


@define
class Reviewer:
    """Answers what a workflow asks.

    `answers` are looked up by pause id, address, step name and kind of question, in this order; a list is used up one by one, anything else
    answers again and again. A question without an answer raises `Unanswered`, which names it. `asked` remembers what was asked, in order.
    """

    answers: Mapping[str, Answer]
    by: str = "reviewer"
    asked: list[tuple[str, str]] = field(factory=list)
    used: dict[str, int] = field(factory=dict)

    def run(self, workflow: Workflow, run_input: Any = None, **options: Any) -> WorkflowRunOutput:
        """Start a run, and answer until it is over."""
        return self.finish(workflow, workflow.run(run_input, **options))

    def finish(self, workflow: Workflow, run_output: WorkflowRunOutput) -> WorkflowRunOutput:
        """Answer what a run asks and continue it, until it is over."""
        while run_output.is_paused:
            for requirement in run_output.requirements:
                if not requirement.is_resolved:
                    self.answer(requirement)
            run_output = workflow.continue_run(run_output)
        return run_output

    def answer(self, requirement: Requirement) -> None:
        """Record the answer to one question on its requirement. Raises `Unanswered`."""
        keys = (requirement.pause_id, requirement.address, requirement.step_name, requirement.kind)
        key = next((key for key in keys if key in self.answers and not self.is_used_up(key)), None)
        if key is None:
            raise Unanswered(requirement.kind, requirement.step_name, list(self.answers))
        answer = self.answers[key]
        if isinstance(answer, list):
            answer = answer[self.used.get(key, 0)]
            self.used[key] = self.used.get(key, 0) + 1
        word, value = answer if isinstance(answer, tuple) else (answer, None)
        self.asked.append((requirement.step_name, requirement.kind))
        requirement.decide(word, value, by=self.by)

    def is_used_up(self, key: str) -> bool:
        """Whether a list of answers is at its end."""
        answer = self.answers[key]
        return isinstance(answer, list) and self.used.get(key, 0) >= len(answer)
