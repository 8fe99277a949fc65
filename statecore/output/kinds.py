"""`Kinds`: the documented yes-or-no questions about a requirement, by the kind of its question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statecore.lifecycles import SHOWS

from .executors import ExecutorRequirement


class Kinds:
    """The kind of answer that a requirement asks for, and whether it is still owed."""

    __slots__ = ()
    kind: str
    wants: str | None
    call: dict[str, Any] | None
    step_name: str

    if TYPE_CHECKING:

        @property
        def is_resolved(self) -> bool:
            """Whether it is decided: what a requirement says."""

    @property
    def requires_confirmation(self) -> bool:
        """Whether a yes or no is asked before anything runs."""
        return self.kind == "confirmation"

    @property
    def requires_user_input(self) -> bool:
        """Whether values are asked for."""
        return SHOWS.get(self.kind) == "form"

    @property
    def requires_route_selection(self) -> bool:
        """Whether a route is asked for."""
        return SHOWS.get(self.kind) == "choices"

    @property
    def requires_output_review(self) -> bool:
        """Whether an output, or the result of an iteration, is shown for review."""
        return SHOWS.get(self.kind) == "output"

    @property
    def requires_iteration_review(self) -> bool:
        """Whether the result of an iteration is shown for review."""
        return self.kind == "iteration_review"

    @property
    def requires_answer(self) -> bool:
        """Whether the code of a step asks."""
        return SHOWS.get(self.kind) == "question"

    @property
    def is_tool_call(self) -> bool:
        """Whether an agent asks to call a tool (TOOL-1)."""
        return self.requires_answer and self.wants == "tool_call"

    @property
    def requires_executor_input(self) -> bool:
        """Whether the agent of a step asks: a tool call that is to be confirmed, or values (TOOL-6)."""
        return self.requires_answer and self.call is not None

    @property
    def needs_executor_resolution(self) -> bool:
        """Whether an answer to the agent is still owed."""
        return self.requires_executor_input and not self.is_resolved

    @property
    def executor_requirements(self) -> list[ExecutorRequirement]:
        """The one thing that the agent waits for in this question, in the reference framework's words; empty where no agent asks."""
        return [ExecutorRequirement(self)] if self.requires_executor_input else []

    @property
    def executor_name(self) -> str | None:
        """The agent of a team that asks, or else the step of the agent; None where no agent asks."""
        return (self.call or {}).get("agent") or self.step_name if self.requires_executor_input else None

    @property
    def tool_name(self) -> str | None:
        """The name of the tool that an agent asks to call."""
        return self.call["name"] if self.call is not None else None

    @property
    def tool_args(self) -> dict[str, Any] | None:
        """The arguments of the call that an agent asks to make, by name."""
        return dict(self.call["arguments"]) if self.call is not None else None

    @property
    def needs_answer(self) -> bool:
        """Whether an answer to the code of a step is still owed."""
        return self.requires_answer and not self.is_resolved

    @property
    def is_post_execution(self) -> bool:
        """Whether the question comes after something ran."""
        return self.requires_output_review

    @property
    def needs_confirmation(self) -> bool:
        """Whether a confirmation is still owed."""
        return self.requires_confirmation and not self.is_resolved

    @property
    def needs_user_input(self) -> bool:
        """Whether values are still owed."""
        return self.requires_user_input and not self.is_resolved

    @property
    def needs_route_selection(self) -> bool:
        """Whether a route is still owed."""
        return self.requires_route_selection and not self.is_resolved

    @property
    def needs_output_review(self) -> bool:
        """Whether a review is still owed."""
        return self.requires_output_review and not self.is_resolved
