"""The exit codes of a command, and the code of each error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from statecore.errors import StatecoreError

FINE, FAILED, USAGE, UNDETERMINED, PAUSED = 0, 1, 2, 3, 4
INTERRUPTED = 130
"""Ctrl-C, as shells write it."""

BY_ERROR = {
    "TargetError": USAGE,
    "UnknownRun": USAGE,
    "AmbiguousRun": USAGE,
    "UnknownStep": USAGE,
    "UnknownPause": USAGE,
    "UnknownDecision": USAGE,
    "InvalidInput": USAGE,
    "RunBusy": UNDETERMINED,
    "ClaimLost": UNDETERMINED,
    "Undecided": PAUSED,
}
"""By the name of the class: `--help` and `--version` import no errors, for attrs makes them."""


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


def exit_of(error: StatecoreError) -> int:
    """The exit code of a named error."""
    return next((BY_ERROR[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in BY_ERROR), FAILED)
