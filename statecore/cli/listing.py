"""Commands that only look: `runs`, `pending`, `show`."""

from __future__ import annotations

from shlex import quote as quoted
from typing import TYPE_CHECKING

import click

from statecore.asking.text import clean, named, short, since
from statecore.lifecycles.decisions import CONFIRM
from statecore.stores import PauseFilter, RunFilter
from statecore.stores.records import after_of, unread_of

from . import exits
from .screen import Option, Screen, command, json_option
from .stores import db_option, inbox
from .views import RUN_HEAD, pause_lines, print_json, run_lines, run_row, shown_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from statecore.stores.pages import Counted
    from statecore.stores.records import Unread
    from statecore.workflow.inbox import Inbox

limit_option: Option = click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1), help="The maximum number of lines."
)
count_option: Option = click.option("--count", "counts", is_flag=True, help="Print how many there are; it stops at 1,000.")
exact_option: Option = click.option("--exact", is_flag=True, help="Print exactly how many there are, however long that takes.")
STATUSES = ("running", "paused", "completed", "cancelled", "error", "pending")


workflow_option: Option = click.option("--workflow", metavar="NAME", help="Only of the workflow with this id.")
session_option: Option = click.option("--session", metavar="ID", help="Only of this session.")


@click.command()
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only runs with this status.")
@workflow_option
@session_option
@click.option("--user", metavar="ID", help="Only runs of this user.")
@limit_option
@click.option("--after", metavar="RUN", help="Go on after this run, the last one of the page before.")
@count_option
@exact_option
@db_option
@json_option
def runs(  # noqa: PLR0913  # as many as there are options
    status: str | None,
    workflow: str | None,
    session: str | None,
    user: str | None,
    limit: int,
    after: str | None,
    db: str | None,
    *,
    counts: bool,
    exact: bool,
    as_json: bool,
) -> int:
    """List runs; the run that began last comes first."""
    from statecore.workflow.options import phases_of  # noqa: PLC0415  # `pending` and `show` do without

    box = inbox(db)
    wanted = RunFilter(session, workflow, phases_of(status) if status else None, limit, after, user_id=user)
    if counts or exact:
        return tell_count(box.count(wanted, exact=exact), as_json=as_json)
    records = box.db.runs(wanted)
    unread = unread_of(records)
    goes_on(after_of(records))
    if as_json:
        fields = ("run_id", "workflow_id", "workflow_name", "session_id", "created_at")
        views = map(box.view, records)
        print_json([{**{name: getattr(view, name) for name in fields}, "status": view.status.value} for view in views])
        return told(unread)
    click.secho(RUN_HEAD if records else "No runs.", dim=bool(records))
    for record in records:
        click.echo(run_row(box.view(record), f"{since(record.updated)} ago"))
    return told(unread)


def tell_count(found: Counted, *, as_json: bool) -> int:
    """Print a count; the exit code."""
    if as_json:
        print_json(found._asdict())
    else:
        click.echo(str(found))
    return exits.FINE


def goes_on(*key: str | None) -> None:
    """Say on the error output how the next page is listed, where there is one."""
    if None not in key:
        click.secho(f"More: --after {' '.join(quoted(clean(str(each))) for each in key)}", dim=True, err=True)


def told(unread: Sequence[Unread]) -> int:
    """Name the runs that a listing could not read, on the error output; the exit code (P23)."""
    for each in unread:
        click.secho(f"Run {clean(each.run_id)} cannot be read: {clean(each.why)}", fg="red", err=True)
    return exits.FAILED if unread else exits.FINE


@click.command()
@click.option("--run", "prefix", metavar="RUN", help="Only pauses of this run.")
@workflow_option
@session_option
@click.option("--overdue", is_flag=True, help="Only pauses whose deadline has passed; the one that passed first comes first.")
@limit_option
@count_option
@exact_option
@click.option("--after", metavar="RUN PAUSE", nargs=2, help="Go on after this pause, the last one of the page before.")
@db_option
@json_option
def pending(  # noqa: PLR0913  # as many as there are options
    prefix: str | None,
    workflow: str | None,
    session: str | None,
    limit: int,
    after: tuple[str, str] | None,
    db: str | None,
    *,
    overdue: bool,
    counts: bool,
    exact: bool,
    as_json: bool,
) -> int:
    """List open pauses.

    The oldest comes first, across all runs, with the outcome of each answer.
    """
    box = inbox(db)
    run_id = box.find(prefix) if prefix else None
    late = box.host.clock() if overdue else None
    wanted = PauseFilter(run_id=run_id, workflow_id=workflow, session_id=session, limit=limit, after=after, due_before=late)
    if counts or exact:
        return tell_count(box.count(wanted, exact=exact), as_json=as_json)
    found = box.placed(wanted)
    goes_on(*(found.after or (None,)))
    if as_json:
        print_json([{**asked.to_dict(), "workflow_name": row.workflow_name} for row, asked in found])
        return told(found.unread)
    if not found:
        click.echo("Nothing waits for a decision.")
        return told(found.unread)
    for row, asked in found:
        click.echo(f"{short(row.pause.run_id)}  {named(row.workflow_name)}, for {since(row.pause.opened)}")
        for line in pause_lines(asked):
            click.echo(line)
    click.echo(f"\nDecide with e.g.  {command(CONFIRM.word, 'RUN', '[STEP]', db=db or '')}".replace("'[STEP]'", "[STEP]"))
    return told(found.unread)


@click.command()
@click.argument("run")
@click.option("--full", is_flag=True, help="Show whole what each open pause is about: message, inputs, the output under review.")
@click.option("--timeline", is_flag=True, help="Show a bar for each step: its calls, and its waiting for a person.")
@click.option("--follow", is_flag=True, help="Show each event as it is stored, until the run ends.")
@db_option
@json_option
def show(  # noqa: PLR0913  # as many as there are options
    run: str, db: str | None, *, full: bool, timeline: bool, follow: bool, as_json: bool
) -> int:
    """Show a run: steps, decisions, open pauses.

    RUN is a run id or a prefix of it. JSON shows everything whole: decisions and tracebacks, too. With --follow and
    --json: one line for each event.
    """
    box = inbox(db)
    run_id = box.find(run)
    if follow:
        return followed(box, run_id, as_json=as_json)
    if timeline:
        from .timeline import print_timeline  # noqa: PLC0415  # only who asks for it needs it

        return print_timeline(box, run_id, as_json=as_json)
    if as_json:
        print_json(shown_document(box, run_id))
        return exits.FINE
    for line in run_lines(box, run_id, full=full):
        click.echo(line)
    return exits.FINE


def followed(box: Inbox, run_id: str, *, as_json: bool) -> int:
    """Show the events of a run that other processes execute, until it ends; the exit code says how."""
    from statecore.workflow.elsewhere import follow  # noqa: PLC0415  # only who follows needs it

    from .following import EXITS, LINES  # noqa: PLC0415  # the same

    screen = Screen(quiet=as_json)
    for event in follow(box, run_id):
        if as_json:
            print_json(event.to_dict())
        describe = LINES.get(type(event))
        if describe is not None:
            screen.step(event.step_name or "run", *describe(event))
    return EXITS[box.show(run_id).status]
