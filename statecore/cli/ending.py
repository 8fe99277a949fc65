"""Commands that end data: `purge`, `erase`, `compact`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from statecore.asking.text import clean
from statecore.core import Seconds

from . import exits
from .care import store_argument
from .listing import told as named_runs
from .person import by_option
from .screen import Option, interactive, json_option, watched
from .stores import db_option, inbox
from .views import print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore.stores.endings import Purged

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 365 * 86_400}
AGE = re.compile(r"(\d{1,6})([smhdwy])")

yes_option: Option = click.option("--yes", is_flag=True, help="Do not ask, also on a terminal.")


def moment(ctx: click.Context, param: click.Parameter, value: str) -> datetime | timedelta:
    """An age (90d) or an instant (2026-08-31, or with a time; UTC where it names no other zone)."""
    age = AGE.fullmatch(value)
    if age is not None:
        return timedelta(seconds=int(age[1]) * UNITS[age[2]])
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        message = f"{value!r} is no age and no date. Write 90d, 12h or 2y, or 2026-08-31."
        raise click.BadParameter(message, ctx, param) from None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


@click.command()
@click.option(
    "--ended-before", "before", metavar="AGE", required=True, callback=moment, help="An age (90d, 12h, 2y), or a date (2026-08-31)."
)
@click.option("--workflow", metavar="NAME", help="Only runs of the workflow with this id.")
@click.option("--keep-decisions", is_flag=True, help="Keep runs in which a person decided.")
@click.option("--plan", is_flag=True, help="Say what would be removed, and remove nothing.")
@yes_option
@by_option
@db_option
@json_option
def purge(  # noqa: PLR0913  # as many as there are options
    before: datetime | timedelta,
    workflow: str | None,
    by: str,
    db: str | None,
    *,
    keep_decisions: bool,
    plan: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Remove runs that ended long ago.

    Each run goes whole; a tombstone keeps its id, its hashes and its instants. A run that goes on or waits is never removed, whatever its age.
    At most 50 runs and 5,000 rows go in one transaction, so that workers and deciders go on beside it. A purge that was interrupted is
    continued by the next one. On a terminal the plan is shown first. Exit codes: 0 done, 1 a damaged run was left, or nothing was confirmed,
    2 usage.
    """
    box = inbox(db)

    def done(*, planned: bool) -> Purged:
        return box.purge(
            before, workflow=workflow, keep_decisions=keep_decisions, by=by, plan=planned, progress=counting(as_json=as_json)
        )

    if plan or (interactive() and not yes and not as_json):
        found = done(planned=True)
        report(found, as_json=as_json)
        if plan or not found.runs:
            return named_runs(found.unread)
        if not click.confirm("Remove them?"):
            return exits.FAILED
    found = done(planned=False)
    report(found, as_json=as_json)
    return named_runs(found.unread)


def counting(*, as_json: bool) -> Callable[[int], None] | None:
    """A function that shows on a terminal how many runs are gone."""
    if as_json or not watched():
        return None
    return lambda done: click.echo(f"\r{done:,} runs", nl=False, err=True)


def report(done: Purged, *, as_json: bool) -> None:
    """Print what a purge did, or would do."""
    if as_json:
        print_json({**asdict(done), "kept": dict(done.kept), "unread": [each._asdict() for each in done.unread]})
        return
    if done.planned:
        click.echo(f"{done.runs:,} runs with {done.rows:,} events would be removed.")
    else:
        click.echo(f"{done.runs:,} runs removed: {done.rows:,} rows in {done.batches:,} transactions.")
    for why, count in sorted(done.kept.items()):
        click.secho(f"{count:,} kept: {why}", fg="yellow")


@click.command()
@click.argument("run")
@click.option("--step", metavar="STEP", help="Only values of this step, by its name or its address.")
@click.option("--field", "fields", metavar="NAME", multiple=True, help="Only this field; may be repeated. Default: all.")
@click.option("--reason", metavar="TEXT", help="The reason, kept with the order.")
@click.option(
    "--wait", default=10.0, show_default=True, type=click.FloatRange(0), help="How many seconds to wait for readers of the store."
)
@yes_option
@by_option
@db_option
@json_option
def erase(  # noqa: PLR0913  # as many as there are options
    run: str,
    step: str | None,
    fields: tuple[str, ...],
    reason: str | None,
    wait: Seconds,
    by: str,
    db: str | None,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    """Erase values of a run that has ended.

    They are replaced by their commitments, from which no value can be guessed; the chain of the run stays whole, and `verify` says by whom and
    when. RUN is a run id or a prefix of it. The fields are input, output, form, message, comment, by, error, session, user. Nothing brings a value
    back. Exit codes: 0 done, 1 refused, 2 usage, 3 not done: a process holds a trace back, so run it again.
    """
    box = inbox(db)
    run_id = box.find(run)
    if interactive() and not yes and not as_json:
        names = ", ".join(fields) or "everything"
        if not click.confirm(
            f"Erase {clean(names)} of {f'step {clean(step)} of ' if step else ''}run {clean(run_id)}? Nothing brings it back."
        ):
            return exits.FAILED
    done = box.erase(run_id, by=by, fields=fields, step=step, reason=reason, wait=wait)
    code = exits.FINE if done.done else exits.UNDETERMINED
    if as_json:
        print_json({**asdict(done), "exit_code": code})
        return code
    click.echo(f"Run {clean(run_id)}: {clean(done.what)} erased; {done.bodies:,} values replaced by their commitments.")
    if done.left is not None:
        click.secho(f"Not done: {done.left}.", fg="yellow")
    if done.beyond is not None:
        click.echo(f"Not reached: {done.beyond}.")
    return code


@click.command()
@store_argument
@click.option("--plan", is_flag=True, help="Say how much room it needs and gives back, and change nothing.")
@json_option
def compact(store: Path | str, *, plan: bool, as_json: bool) -> int:
    """Give the room of removed rows back to the disk.

    The file STORE is written anew without its free pages. It needs as much room again as the file will have, twice, and no process can write
    meanwhile. A file keeps the room of removed rows for new ones otherwise. Exit codes: 0 done, 1 refused, 2 usage.
    """
    if not isinstance(store, Path):
        message = "A database gives the room of removed rows to new ones by autovacuum; VACUUM FULL gives it back to the disk."
        raise click.UsageError(message)
    from statecore.stores.sqlite.compacting import compact as compacted  # noqa: PLC0415  # a database needs no SQLite
    from statecore.stores.sqlite.compacting import room  # noqa: PLC0415  # the same

    found = room(store) if plan else compacted(store)
    if as_json:
        print_json(asdict(found))
    elif plan:
        click.echo(
            f"{clean(found.path)}: {found.before:,} bytes, about {found.after:,} when it is compact; needs {found.needs:,} meanwhile."
        )
    else:
        click.echo(f"{clean(found.path)}: {found.before:,} bytes before, {found.after:,} now.")
    return exits.FINE
