"""The user's words: `from statecore.workflow import Workflow, Step, Condition, OnError ...`, as in the framework whose words these are.

`Workflow` itself is loaded when it is first used: who only reads and decides needs an `inbox`.
"""

from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Load `Workflow` from its module, once."""
    if name != "Workflow":
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from .workflow import Workflow  # noqa: PLC0415  # who only reads and decides drives no run

    globals()[name] = Workflow
    return Workflow


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
