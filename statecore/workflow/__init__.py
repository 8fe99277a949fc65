"""The user's words: `from statecore.workflow import Workflow, Step, Condition, OnError ...`, as in the framework whose words these are."""

from statecore.definition import Condition, HumanReview, OnError, OnInterrupt, OnReject, Step, StepInput, StepOutput, Steps

from .workflow import Workflow

__all__ = [
    "Condition",
    "HumanReview",
    "OnError",
    "OnInterrupt",
    "OnReject",
    "Step",
    "StepInput",
    "StepOutput",
    "Steps",
    "Workflow",
]
