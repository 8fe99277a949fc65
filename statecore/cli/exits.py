"""What a command's exit code says, and which code stands for which error."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from statecore import errors

FINE, FAILED, USAGE, UNDETERMINED, PAUSED = 0, 1, 2, 3, 4
INTERRUPTED = 130
"""Ctrl-C, as shells write it."""

BY_ERROR: dict[type[errors.StatecoreError], int] = {
    errors.TargetError: USAGE,
    errors.UnknownRun: USAGE,
    errors.AmbiguousRun: USAGE,
    errors.UnknownStep: USAGE,
    errors.UnknownPause: USAGE,
    errors.UnknownDecision: USAGE,
    errors.InvalidInput: USAGE,
    errors.RunBusy: UNDETERMINED,
    errors.ClaimLost: UNDETERMINED,
    errors.Undecided: PAUSED,
}


ABRUPT: list[bool] = []
"""Whether something in this process does not survive an orderly exit."""


def leave_at_once() -> None:
    """Have the process end without the interpreter's own clearing up, which Temporal's threads sometimes crash in."""
    ABRUPT.append(True)


def leave(code: int) -> NoReturn:
    """End the process: its exit code."""
    if ABRUPT:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def exit_of(error: errors.StatecoreError) -> int:
    """The exit code of a named error."""
    return next((code for kind, code in BY_ERROR.items() if isinstance(error, kind)), FAILED)
