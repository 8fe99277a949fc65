"""The objects that users read: run outputs, requirements, sessions and the events of a stream. All of them are derived from the store."""

from .requirement import ErrorRequirement, Requirement, StepRequirement
from .run_output import WorkflowRunOutput
from .session import WorkflowSession

__all__ = ["ErrorRequirement", "Requirement", "StepRequirement", "WorkflowRunOutput", "WorkflowSession"]
