"""The user's words: `from statecore.workflow import Workflow, Step, Condition, OnError ...`, as in the framework whose words these are.

`Workflow` itself is loaded at its first use: a process that only reads and decides uses an `Inbox`.
"""

from typing import TYPE_CHECKING

from statecore.definition import (
    Condition,
    HumanReview,
    Loop,
    OnError,
    OnInterrupt,
    OnReject,
    OnTimeout,
    Parallel,
    Router,
    Step,
    StepInput,
    StepOutput,
    Steps,
    UserInputField,
    pause,
)
from statecore.lazy import lazy

if TYPE_CHECKING:
    from .workflow import Workflow

__all__ = [
    "Condition",
    "HumanReview",
    "Loop",
    "OnError",
    "OnInterrupt",
    "OnReject",
    "OnTimeout",
    "Parallel",
    "Router",
    "Step",
    "StepInput",
    "StepOutput",
    "Steps",
    "UserInputField",
    "Workflow",
    "pause",
]


if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, {"Workflow": "statecore.workflow.workflow"})
