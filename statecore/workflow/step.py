"""Names handed on: `from statecore.workflow.step import Step`."""

from statecore.definition import Step, StepInput, StepOutput

__all__ = ["Step", "StepInput", "StepOutput"]
