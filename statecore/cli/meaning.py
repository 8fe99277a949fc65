"""The pause that a command at the command line means: by its step's name, address or id, or by the key of an earlier decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import frozen

from statecore.asking.text import clean, short
from statecore.errors import NotPaused, UnknownPause
from statecore.stores import PauseFilter

if TYPE_CHECKING:
    from statecore.output import Requirement
    from statecore.stores import Pause
    from statecore.workflow.inbox import Inbox


@frozen
class Place:
    """A pause that is meant: its id, and the name of its step."""

    pause_id: str
    step_name: str


def meant(box: Inbox, run_id: str, word: str, step: str | None) -> Place:
    """The pause that a command means: by its step's name, address or id; without any, the only one that is open.

    Raises `NotPaused`, `UnknownPause`, `click.UsageError` where several are meant.
    """
    rows = box.pending(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))
    named = [row for row in rows if step in (None, row.step_name, row.address, row.pause_id)]
    undecided = [row for row in named if not row.is_resolved] or named
    fitting = [row for row in undecided if word in row.words] or undecided
    if len(fitting) > 1:
        several = len({row.address for row in fitting}) < len(fitting)  # the code of one step asks several at once
        choices = ", ".join(clean(row.pause_id if several else row.address, 100) for row in fitting)
        message = f"{len(fitting)} pauses of run {short(run_id)} are open. Name one: {choices}"
        raise click.UsageError(message)
    if fitting:
        return Place(fitting[0].pause_id, fitting[0].step_name)
    return decided_before(box, run_id, step, rows)


def keyed(box: Inbox, run_id: str, key: str | None, step: str | None) -> Place | None:
    """The pause of that step that the same key has decided; None where it has decided none."""
    pause = decided_under(box, run_id, key)
    if pause is None or step not in (None, *names_of(pause)):
        return None
    return Place(pause.pause_id, pause.step_name)


def keyed_names(box: Inbox, run_id: str, key: str | None) -> set[str]:
    """The names of the step of which the same key has decided a pause."""
    pause = decided_under(box, run_id, key)
    return set(names_of(pause)) if pause is not None else set()


def decided_under(box: Inbox, run_id: str, key: str | None) -> Pause | None:
    """The pause of a run, open or closed, that a key has decided."""
    if key is None:
        return None
    found = [each.pause_id for each in box.db.decisions(run_id) if each.key == key]
    row = box.db.pause(run_id, found[0]) if found else None
    return row.pause if row is not None else None


def names_of(pause: Pause) -> tuple[str, str, str]:
    """All that a pause may be called by."""
    return pause.step_name, pause.at, pause.pause_id


def decided_before(box: Inbox, run_id: str, step: str | None, open_rows: list[Requirement]) -> Place:
    """The pause of that step that was decided last, so that the store itself refuses to decide it again."""
    for old in reversed(box.db.decisions(run_id)):
        row = box.db.pause(run_id, old.pause_id)
        if row is not None and step in (None, *names_of(row.pause)):
            return Place(old.pause_id, row.pause.step_name)
    status = box.show(run_id).status.value
    if step is None or status not in ("PAUSED", "RUNNING"):
        raise NotPaused(run_id, status)
    raise UnknownPause(run_id, step, [row.step_name for row in open_rows])
