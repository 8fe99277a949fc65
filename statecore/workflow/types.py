"""Names handed on: `from statecore.workflow.types import StepInput, StepOutput, HumanReview`, requirements and policies."""

from statecore.definition import HumanReview, OnError, OnInterrupt, OnReject, StepInput, StepOutput
from statecore.output import ErrorRequirement, StepRequirement

__all__ = ["ErrorRequirement", "HumanReview", "OnError", "OnInterrupt", "OnReject", "StepInput", "StepOutput", "StepRequirement"]
