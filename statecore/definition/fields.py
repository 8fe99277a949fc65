"""The words of settings as enums, and settings as plain data. The enums subclass `str`: plain strings mean the same (`on_error="pause"`)."""

from __future__ import annotations

from enum import Enum
from typing import Any

from .forms import UserInputField


class OnError(str, Enum):
    """The outcome of a failure of user code: the run fails, the component is skipped, or the run pauses for a person.

    Example: `statecore.examples.error_pause`.
    """

    fail = "fail"
    skip = "skip"
    pause = "pause"


class OnReject(str, Enum):
    """The outcome of a rejection.

    Example: `statecore.examples.cancellation`.
    """

    skip = "skip"
    cancel = "cancel"
    else_branch = "else"
    retry = "retry"


class OnTimeout(str, Enum):
    """The outcome of an expired pause.

    Example: `statecore.examples.timeout`.
    """

    cancel = "cancel"
    skip = "skip"
    approve = "approve"


class OnInterrupt(str, Enum):
    """The outcome of a death of the process in a step: the step is called again with the same key, put to a person, or failed.

    Example: `Step("pay", pay, on_interrupt="pause")`.
    """

    retry = "retry"
    pause = "pause"
    fail = "fail"


class RunStatus(str, Enum):
    """The status of a run.

    Example: `run.status is RunStatus.paused`, or `run.status == "PAUSED"`.
    """

    pending = "PENDING"
    running = "RUNNING"
    paused = "PAUSED"
    completed = "COMPLETED"
    cancelled = "CANCELLED"
    error = "ERROR"


def plain_value(value: Any) -> Any:
    """A setting as plain data: an enum's word, a field's parts, a function's name."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UserInputField):
        return value.to_dict()
    if isinstance(value, tuple | list):
        return [plain_value(each) for each in value]
    if isinstance(value, bool | int | float | str):
        return value
    return {"function": function_name(value)}


def function_name(function: Any) -> str:
    """The name under which a plain definition knows a function (of a partial, that inside it), or an agent by its class."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", type(function).__qualname__)
    return f"{module}.{name}" if module else name
