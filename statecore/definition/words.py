"""The user's words for policies. Enums subclass `str`, so plain strings mean the same (`on_error="pause"`)."""

from __future__ import annotations

from enum import Enum


class OnError(str, Enum):
    """What happens when user code fails: the run fails, the component is skipped, or the run pauses for a person.

    Example: `statecore.examples.error_pause`.
    """

    fail = "fail"
    skip = "skip"
    pause = "pause"


class OnReject(str, Enum):
    """What a person's "no" leads to.

    Example: `statecore.examples.cancellation`.
    """

    skip = "skip"
    cancel = "cancel"
    else_branch = "else"
    retry = "retry"


class OnTimeout(str, Enum):
    """What an expired pause takes.

    Example: `statecore.examples.timeout`.
    """

    cancel = "cancel"
    skip = "skip"
    approve = "approve"


class OnInterrupt(str, Enum):
    """What becomes of a step whose process died in it: called again with the same key, put to a person, or failed.

    Example: `Step("pay", pay, on_interrupt="pause")`.
    """

    retry = "retry"
    pause = "pause"
    fail = "fail"


class RunStatus(str, Enum):
    """Where a run is, in the user's words.

    Example: `run.status is RunStatus.paused`, or `run.status == "PAUSED"`.
    """

    pending = "PENDING"
    running = "RUNNING"
    paused = "PAUSED"
    completed = "COMPLETED"
    cancelled = "CANCELLED"
    error = "ERROR"
