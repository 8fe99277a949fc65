"""The one place where the runtime observes: each boundary when it is durable, each call when it begins, each slice when it ends (OBS-1).

A *slice* is what one process does of a run between two pauses: from the boundary that claims it to the one that parks it. `storing` tells of
each boundary, `flights`, `sync` and the activities of Temporal ask here for the context of a call, and both drivers say when a slice ends. So
every colour, the worker and Temporal tell the same, and a driver has no hook of its own.

Two hear it: the logger `statecore`, which this package never configures, and the `Observers` of the host. Where
neither hears, a boundary costs one truth test and one `isEnabledFor`. No record holds a value: no input, output, answer, comment or error text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statecore.core import ROOT
from statecore.lifecycles import words as w

from .observers import DEBUG, INFO, WARNING, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Context

    from statecore.core import Call, Commit, Move
    from statecore.stores import Boundary

    from .execution import Execution

SHOWN = 5
"""How many moves of a boundary a record names."""


def observed(context: Context, execution: Execution, call: Call) -> Context:
    """The context that a call runs in, in which the observer sets what is current."""
    if execution.host.observers.each:
        context.run(execution.host.observers.calling, execution, call)
    return context


# -- the log -----------------------------------------------------------------------------------------------------------------------


class LogLine(NamedTuple):
    """A record: its level, what happened, where, and to which question."""

    level: int
    what: str
    at: str | None = None
    attempt: int | None = None
    pause_id: str | None = None


def tell_stored(execution: Execution, effect: Commit, boundary: Boundary, *, is_logged: bool) -> None:
    """Tell of a boundary that is durable, the log where it `is_logged`; nothing of what is only repeated from a history."""
    host = execution.host
    if host.replays is not None and host.replays():
        return
    host.observers.stored(execution, effect, boundary)
    if is_logged:
        for line in lines_of(effect, boundary):
            say(execution, line)


def say(execution: Execution, line: LogLine) -> None:
    """Write a record about a run; its fields are there even where they say nothing, so that a format may name them."""
    log = execution.log
    if log is None:
        return
    identity = execution.identity
    where = f" at {line.at!r}" if line.at else ""
    fields = {
        "run_id": identity.run_id,
        "workflow": identity.workflow_id,
        "address": line.at,
        "attempt": line.attempt,
        "pause_id": line.pause_id,
    }
    write(log, line.level, "run %r of %r %s%s", identity.run_id, identity.workflow_id, line.what, where, extra=fields)


def lines_of(effect: Commit, boundary: Boundary) -> Iterator[LogLine]:
    """The records of a boundary: what became of the run, of its calls and of its questions; and the boundary itself."""
    for move in effect.after.moves:
        line = line_of(move)
        if line is not None:
            yield line
    for event in effect.events:
        if event.death:
            yield LogLine(WARNING, f"was left by a process that died in a call ({event.death})", event.at, event.attempt)
    for pause in boundary.opened:
        yield LogLine(INFO, f"asks a person ({pause.kind})", pause.at, pause.attempt, pause.pause_id)
    if effect.after.state.run == w.paused:
        yield LogLine(INFO, "paused")
    moves = effect.after.moves
    names = ", ".join(
        f"{move.at!r}: {move.trigger} -> {move.dest}" if move.at else f"run: {move.trigger} -> {move.dest}"
        for move in moves[:SHOWN]
    )
    more = f" and {len(moves) - SHOWN} more" if len(moves) > SHOWN else ""
    event = effect.events[0]
    yield LogLine(DEBUG, f"stored boundary {boundary.seq + len(boundary.entries)}: {names}{more}", event.at or None, event.attempt)


STARTS = {(w.pending, w.start): "started", (w.paused, w.resume): "resumed", (w.failed, w.resume): "reopened"}
"""The words for the run's own moves, where a slice begins."""
ENDS = {w.completed: "completed", w.cancelled: "cancelled", w.failed: "failed"}


CALLS: dict[str, tuple[int, str]] = {
    w.fail: (INFO, "has a call that failed"),
    w.retry: (INFO, "retries: a person has a step called again"),
    w.interrupt: (INFO, "has a call that was interrupted"),
    w.renew: (WARNING, "puts a question again: an answer to the former one is void"),
}
"""The records of a component's moves, by trigger; of the others the boundary's own record is enough."""


def line_of(move: Move) -> LogLine | None:
    """The record of one move, if it has one."""
    if move.at == ROOT:
        what = STARTS.get((move.source, move.trigger)) or ENDS.get(move.dest)
        return LogLine(INFO, what) if what is not None else None
    if move.dest == w.backing_off:
        return LogLine(INFO, "retries: a call failed, and is made again after its delay", move.at, move.attempt)
    if move.trigger not in CALLS:
        return None
    level, what = CALLS[move.trigger]
    return LogLine(level, what, move.at, move.attempt)


def tell_lost(execution: Execution) -> None:
    """Another process has taken a run over that this one executed: what it does from here on is not stored."""
    say(execution, LogLine(WARNING, "was claimed by another process: this one stores nothing more of it"))


def tell_unreleased(execution: Execution) -> None:
    """The run of calls that were left could not be released; called where that was raised."""
    import logging  # noqa: PLC0415  # only this record pays for it

    said = "run %r could not be released; it is free when this process ends"
    write(logging.getLogger(__name__), logging.ERROR, said, execution.identity.run_id, exc_info=True)
