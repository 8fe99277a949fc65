"""Names handed on: `from statecore.workflow.types import StepInput, StepOutput, HumanReview`, requirements and policies."""

from statecore.definition import HumanReview, OnError, OnInterrupt, OnReject, OnTimeout, StepInput, StepOutput, UserInputField
from statecore.output import ErrorRequirement, StepRequirement

WorkflowExecutionInput = StepInput
"""The input of a function that is a whole workflow: the run's input, its data and its media."""

__all__ = [
    "ErrorRequirement",
    "HumanReview",
    "OnError",
    "OnInterrupt",
    "OnReject",
    "OnTimeout",
    "StepInput",
    "StepOutput",
    "StepRequirement",
    "UserInputField",
    "WorkflowExecutionInput",
]
