"""Commands that leave evidence elsewhere: `archive`, `audit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from statecore.asking.text import clean
from statecore.errors import UnsupportedSetting
from statecore.stores.endings import Archives

from . import exits
from .screen import json_option
from .stores import db_option, inbox
from .trail import printed, since, trail
from .views import print_json

if TYPE_CHECKING:
    from datetime import datetime

FORMAT_3 = "SqliteDb and PostgresDb of format 3 have a chain; migrate an older store with `statecore migrate`"


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--to", "file", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The new file.")
@db_option
@json_option
def archive(runs: tuple[str, ...], file: Path, db: str | None, *, as_json: bool) -> int:
    """Write runs into a file, to be verified elsewhere.

    The file has every row of the runs, as lines of JSON; `verify FILE` checks it and `show RUN --db FILE` shows a run of it. The runs stay in the
    store. RUN is a run id or a prefix of it. Nothing is overwritten. Exit codes: 0 done, 1 refused, 2 usage.
    """
    box = inbox(db)
    done = box.archive([box.find(run) for run in runs], file)
    if as_json:
        print_json({**asdict(done), "runs": list(done.runs)})
    else:
        click.echo(f"{clean(done.path)}: {len(done.runs):,} runs with {done.rows:,} rows.")
    return exits.FINE


@click.command()
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--since", metavar="TIME", callback=since, help="All runs, from a date (2026-08-31) on, or from an age (90d).")
@click.option("--jsonl", is_flag=True, help="Print the trail as lines of JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the trail as CSV; a cell that would be a formula gets an apostrophe.")
@click.option("--anchor", is_flag=True, help="Append leaves for the runs that have begun and ended since the last time.")
@db_option
@json_option
def audit(  # noqa: PLR0913  # as many as it has options
    run: str | None, since: datetime | None, db: str | None, *, jsonl: bool, as_csv: bool, anchor: bool, as_json: bool
) -> int:
    """Print the trail of runs, or the root of a store.

    With RUN, or with --since for all runs, it prints one row an event: questions, decisions, deadlines, erasures, starts and ends, with the link
    of the chain. Without them it prints the root: keep it and the number of leaves elsewhere. `verify STORE --root HEX --leaves N` then notices
    a run that was deleted, replaced or shortened since. Exit codes: 0 done, 1 refused, 2 usage.
    """
    box = inbox(db)
    if run is not None or since is not None:
        if anchor or (jsonl and as_csv):
            message = "--anchor makes a root and not a trail, and a trail has one form: --jsonl or --csv."
            raise click.UsageError(message)
        printed(trail(box, run, since), "csv" if as_csv else "jsonl" if jsonl or as_json else "table")
        return exits.FINE
    if jsonl or as_csv:
        message = "A trail is that of a RUN, or of all runs --since a time."
        raise click.UsageError(message)
    store = box.db
    if not isinstance(store, Archives):
        raise UnsupportedSetting(type(store).__name__, "audit", FORMAT_3)
    found = store.anchor() if anchor else store.root()
    if as_json:
        print_json(asdict(found))
    else:
        click.echo(f"{found.root} over {found.leaves:,} leaves" + (f", {found.added:,} of them new" if anchor else ""))
        click.echo(f"Later: statecore verify STORE --root {found.root} --leaves {found.leaves}")
    return exits.FINE
