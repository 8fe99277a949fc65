"""`AskedNow`: the questions of a run by what they ask for, those that are not decided yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .requirement import StepRequirement


class AskedNow:
    """The lists of open questions, by what a person is asked for."""

    if TYPE_CHECKING:

        @property
        def step_requirements(self) -> list[StepRequirement]:
            """The questions about components: what an output says."""

    @property
    def steps_requiring_confirmation(self) -> list[StepRequirement]:
        """The components that wait for a yes or no."""
        return [each for each in self.step_requirements if each.needs_confirmation]

    @property
    def steps_requiring_user_input(self) -> list[StepRequirement]:
        """The steps that wait for values."""
        return [each for each in self.step_requirements if each.needs_user_input]

    @property
    def steps_requiring_route(self) -> list[StepRequirement]:
        """The Routers that wait for a choice."""
        return [each for each in self.step_requirements if each.needs_route_selection]

    @property
    def steps_requiring_output_review(self) -> list[StepRequirement]:
        """The outputs, and results of iterations, that wait for a review."""
        return [each for each in self.step_requirements if each.needs_output_review]

    @property
    def steps_requiring_executor_resolution(self) -> list[StepRequirement]:
        """The agents that wait for a confirmation of a tool call, or for values (TOOL-6)."""
        return [each for each in self.step_requirements if each.needs_executor_resolution]
