"""Commands that only look: `runs`, `pending`, `show`."""

from __future__ import annotations

import click

from statecore.asking.text import named, short, since
from statecore.lifecycles.decisions import CONFIRM
from statecore.stores import PauseFilter, RunFilter

from . import exits
from .screen import Option, command, json_option
from .stores import db_option, inbox
from .views import RUN_HEAD, pause_document, pause_lines, print_json, run_document, run_lines, run_row

limit_option: Option = click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1), help="The maximum number of lines."
)
STATUSES = ("running", "paused", "completed", "cancelled", "error", "pending")


@click.command()
@click.option("--status", type=click.Choice(STATUSES, case_sensitive=False), help="Only runs with this status.")
@limit_option
@db_option
@json_option
def runs(status: str | None, limit: int, db: str | None, *, as_json: bool) -> int:
    """List runs; the run that changed last comes first."""
    from statecore.workflow.options import phases_of  # noqa: PLC0415  # `pending` and `show` do without

    box = inbox(db)
    wanted = RunFilter(phases=phases_of(status) if status else None, limit=limit)
    records = box.db.runs(wanted)
    if as_json:
        fields = ("run_id", "workflow_id", "workflow_name", "session_id", "created_at")
        views = map(box.view, records)
        print_json([{**{name: getattr(view, name) for name in fields}, "status": view.status.value} for view in views])
        return exits.FINE
    click.secho(RUN_HEAD if records else "No runs.", dim=bool(records))
    for record in records:
        click.echo(run_row(box.view(record), f"{since(record.updated)} ago"))
    return exits.FINE


@click.command()
@click.option("--run", "prefix", metavar="RUN", help="Only pauses of this run.")
@limit_option
@db_option
@json_option
def pending(prefix: str | None, limit: int, db: str | None, *, as_json: bool) -> int:
    """List open pauses.

    The oldest comes first, across all runs, with the outcome of each answer.
    """
    box = inbox(db)
    rows = box.db.pauses(PauseFilter(run_id=box.find(prefix) if prefix else None, limit=limit))
    found = [(row, box.requirement(row, box.show(row.pause.run_id))) for row in rows]
    if as_json:
        print_json([{**pause_document(asked), "workflow_name": row.workflow_name} for row, asked in found])
        return exits.FINE
    if not found:
        click.echo("Nothing waits for a decision.")
        return exits.FINE
    for row, asked in found:
        click.echo(f"{short(row.pause.run_id)}  {named(row.workflow_name)}, for {since(row.pause.opened)}")
        for line in pause_lines(asked):
            click.echo(line)
    click.echo(f"\nDecide with e.g.  {command(CONFIRM.word, 'RUN', '[STEP]', db=db or '')}".replace("'[STEP]'", "[STEP]"))
    return exits.FINE


@click.command()
@click.argument("run")
@db_option
@json_option
def show(run: str, db: str | None, *, as_json: bool) -> int:
    """Show a run: steps, decisions, open pauses.

    RUN is a run id or a prefix of it.
    """
    box = inbox(db)
    run_id = box.find(run)
    if as_json:
        print_json(run_document(box, run_id))
        return exits.FINE
    for line in run_lines(box, run_id):
        click.echo(line)
    return exits.FINE
