"""The lifecycle of a run, and the joint table: what the cursors owe fires it.

A run is paused if and only if a person owes something and nothing runs. It owes nothing itself; its steps do.
"""

from __future__ import annotations

from .kind import Kind
from .words import *  # noqa: F403  # the rows below are to be read without quotation marks
from .words import Row, Table

# fmt: off
RUN = Table(
    name="run",
    title="Run",
    initial=pending,
    final=frozenset({completed, cancelled}),
    rows=(
        #   from      on       to         when    claim       because
        Row(pending,  start,   running,   always, "RUN-1"),

        Row(running,  pause,   paused,    always, "PAR-3",    "nothing runs, a person owes something"),
        Row(running,  finish,  completed, always, "RUN-4"),
        Row(running,  fail,    failed,    always, "ERR-1",    "a step failed under policy fail"),
        Row(running,  cancel,  cancelled, always, "CANCEL-1"),

        Row(paused,   resume,  running,   always, "CONT-1",   "somebody decided"),
        Row(paused,   cancel,  cancelled, always, "CANCEL-1"),

        Row(failed,   resume,  running,   always, "ERR-1",    "a person reopens a failed run"),
    ),
)

# what the cursors are  ->  what becomes of a running run; the first line that is so holds
JOINT: dict[str, str | None] = {
    "some_cancelled": cancel,
    "calls_owed":     None,
    "some_failed":    fail,
    "timers_owed":    None,
    "answers_owed":   pause,
    "none_live":      finish,
}
# fmt: on

RUN_KIND = Kind("run", RUN, "Run", "list", stops=True)
