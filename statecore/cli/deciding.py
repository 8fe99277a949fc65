"""Commands that decide: `confirm`, `reject`, `retry`, `skip`, `cancel`. They need the store, no code of the workflow, and run nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import frozen

from statecore.core import DECISIONS
from statecore.errors import NotPaused, UnknownPause
from statecore.stores import PauseFilter

from . import exits
from .answers import carried, login
from .listing import json_option
from .outcomes import outcomes
from .screen import clean, command, short
from .stores import db_option, inbox
from .views import pause_document, print_json

if TYPE_CHECKING:
    from statecore.output import Requirement
    from statecore.workflow.inbox import Inbox

HELP = {
    "confirm": "Say yes to a pause.",
    "reject": "Say no to a pause.",
    "retry": "Have a failed or interrupted step run again.",
    "skip": "Go on without a failed or interrupted step.",
    "input": "Give the values that a step asks for.",
    "select": "Choose what a Router runs.",
    "edit": "Replace an output under review.",
}
VALUES = {
    "input": click.option("--value", required=True, metavar="JSON", help="An object, e.g. '{\"amount\": 3}'."),
    "select": click.option("--value", required=True, metavar="NAMES", help="Choices, separated by commas, in the order to run."),
    "edit": click.option("--value", required=True, metavar="JSON", help="The new output, as JSON or plain text."),
    "reject": click.option("--feedback", "value", metavar="TEXT", help="What is to be better; the next run of the step sees it."),
}

F = TypeVar("F", bound=Callable[..., Any])

by_option = click.option("--by", metavar="NAME", default=login, show_default="who is logged in", help="Who decides.")


@frozen
class Place:
    """A pause that is meant: its id, and the name of its step."""

    pause_id: str
    step_name: str


def decision(word: str) -> click.Command:
    """The command of one word."""
    value_option = VALUES.get(word, no_option)

    @click.command(word, help=f"{HELP[word]}\n\nRUN is an id or its beginning; STEP may be left out where one pause is open.")
    @click.argument("run")
    @click.argument("step", required=False)
    @value_option
    @by_option
    @click.option("--comment", metavar="TEXT", help="Why; it is kept with the decision.")
    @db_option
    @json_option
    def decide(  # noqa: PLR0913  # the options of the command, one by one
        run: str,
        step: str | None,
        by: str,
        comment: str | None,
        db: str | None,
        *,
        as_json: bool,
        value: str | None = None,
    ) -> int:
        box = inbox(db)
        run_id = box.find(run)
        place = meant(box, run_id, word, step)
        before = box.db.pause(run_id, place.pause_id)
        given = carried(word, value) if value is not None else None
        decided = box.decide(run_id, place.pause_id, word, value=given, by=by, comment=comment)
        if as_json:
            print_json(pause_document(decided, box.program(run_id)))
        elif before is not None and before.decided is not None:
            said = f"{decided.decision} by {clean(decided.by or 'somebody')} at {decided.decided_at}"
            click.echo(f"'{clean(place.step_name)}' was decided already: {said}. Nothing changed.")
        else:
            leads_to = {each.word: each.leads_to for each in outcomes(box.program(run_id), decided)}[word]
            click.echo(f"{word} '{clean(place.step_name)}' of run {short(run_id)}, by {clean(by)} -> {leads_to}")
            click.echo(f"It counts when the run goes on: {command('resume', 'TARGET', short(run_id), db=db or '')}")
        return exits.FINE

    return decide


def no_option(function: F) -> F:
    """A word that carries nothing has no option for it."""
    return function


def meant(box: Inbox, run_id: str, word: str, step: str | None) -> Place:
    """The pause that a command means: by its step's name, address or id; without any, the only one that is open.

    Raises `NotPaused`, `UnknownPause`, `click.UsageError` where several are meant.
    """
    rows = box.pending(PauseFilter(run_id=run_id, undecided_only=False, limit=10_000))
    named = [row for row in rows if step in (None, row.step_name, row.address, row.pause_id)]
    undecided = [row for row in named if not row.is_resolved] or named
    fitting = [row for row in undecided if word in DECISIONS[row.kind]] or undecided
    if len(fitting) > 1:
        choices = ", ".join(clean(row.address) for row in fitting)
        message = f"{len(fitting)} pauses of run {short(run_id)} are open. Name one: {choices}"
        raise click.UsageError(message)
    if fitting:
        return Place(fitting[0].pause_id, fitting[0].step_name)
    return decided_before(box, run_id, step, rows)


def decided_before(box: Inbox, run_id: str, step: str | None, open_rows: list[Requirement]) -> Place:
    """The pause of that step that was decided last, so that the store itself refuses to decide it again."""
    for old in reversed(box.db.decisions(run_id)):
        row = box.db.pause(run_id, old.pause_id)
        if row is not None and step in (None, row.pause.step_name, row.pause.at, old.pause_id):
            return Place(old.pause_id, row.pause.step_name)
    status = box.show(run_id).status.value
    if step is None or status not in ("PAUSED", "RUNNING"):
        raise NotPaused(run_id, status)
    raise UnknownPause(run_id, step, [row.step_name for row in open_rows])


@click.command()
@click.argument("run")
@by_option
@db_option
@json_option
def cancel(run: str, by: str, db: str | None, *, as_json: bool) -> int:
    """Cancel a run.

    RUN is an id or its beginning. A paused run is cancelled at once, a running one when its present step is over.
    """
    box = inbox(db)
    run_id = box.find(run)
    if not box.cancel(run_id, by=by):
        raise NotPaused(run_id, box.show(run_id).status.value)
    status = box.show(run_id).status.value
    if as_json:
        print_json({"run_id": run_id, "status": status})
    elif status == "CANCELLED":
        click.echo(f"Run {short(run_id)} is cancelled.")
    else:
        click.echo(f"Run {short(run_id)} is {status}; it will be cancelled when its present step is over.")
    return exits.FINE


confirm, reject, retry, skip, give, select, edit = (decision(word) for word in HELP)
