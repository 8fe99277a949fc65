"""A process that dies at a statement: before it, or after it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from typing import Any


class Counted(sqlite3.Connection):
    """A connection that counts its statements, and ends the process at one of them: before it, or after it."""

    done = 0
    fatal = 0
    after = False

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute a statement, unless it is the fatal one."""
        return self.struck(super().execute, arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        """Execute one for many rows."""
        return self.struck(super().executemany, arguments)

    def struck(self, act: Any, arguments: tuple[Any, ...]) -> sqlite3.Cursor:
        """Do it, and die."""
        Counted.done += 1
        if Counted.done == Counted.fatal and not Counted.after:
            os._exit(9)
        cursor: sqlite3.Cursor = act(*arguments)
        if Counted.done == Counted.fatal:
            os._exit(9)
        return cursor


def dies(act: Callable[[], object], fatal: int, *, after: bool) -> bool:
    """Whether a forked process died in an act, at its statement of that number; the act uses connections of the class `Counted`."""
    pid = os.fork()
    if pid == 0:
        Counted.done, Counted.fatal, Counted.after = 0, fatal, after
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
