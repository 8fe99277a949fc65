"""`migrate`: a store of an older format is led to the newest one, in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict

from statecore.asking.text import clean
from statecore.stores.sqlite.formats import THREE
from statecore.stores.sqlite.health import verify
from statecore.stores.sqlite.migrating import migrate as migrated

from . import exits
from .care import counting, store_argument, told
from .screen import json_option
from .stores import database
from .views import print_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from statecore.stores.audit.verify import Verified
    from statecore.stores.sql3.migrating import Migrated

BACKUP = ".format-2"


@click.command()
@store_argument
@click.option(
    "--backup",
    "copy",
    metavar="COPY",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where the backup is made before the first change. Default: STORE{BACKUP}, beside the store.",
)
@click.option("--without-backup", is_flag=True, help="Make no backup: there is one. It is the only way back.")
@json_option
def migrate(store: Path | str, copy: Path | None, *, without_backup: bool, as_json: bool) -> int:
    """Lead a store to the newest format, in place.

    The file STORE is checked and backed up; then its runs are carried in batches, each one transaction. A migration that was interrupted goes
    on where it stopped. From its first transaction on, processes of an older release are refused by name: stop them first. There is no way
    back but the backup. Exit codes: 0 migrated and sound (or there was nothing to do), 1 refused or not sound, 2 usage.
    """
    if copy is not None and without_backup:
        message = "--backup and --without-backup contradict each other."
        raise click.UsageError(message)
    if not isinstance(store, Path):
        return migrated_there(store, without_backup=without_backup, as_json=as_json)
    place = None if without_backup else copy or store.with_name(store.name + BACKUP)
    done = migrated(store, copy=place, progress=counting(as_json=as_json))
    if done.backup is not None and not as_json:
        click.echo(f"Copied to {clean(done.backup)}, which is the only way back.")
    return report(done, verify(store, of=THREE), as_json=as_json)


def migrated_there(store: str, *, without_backup: bool, as_json: bool) -> int:
    """Lead a schema of a database, as its owner; the database's own tools make the backup."""
    if not without_backup:
        message = "A database is backed up with its own tools, such as pg_dump. Make a backup, and say --without-backup."
        raise click.UsageError(message)
    from statecore.stores.postgres.health import verify as verify_schema  # noqa: PLC0415  # only who asks for it needs psycopg
    from statecore.stores.postgres.migrating import migrate as migrate_schema  # noqa: PLC0415  # the same

    done = migrate_schema(store, progress=counting(as_json=as_json))
    return report(done, verify_schema(database(store)), as_json=as_json)


def report(done: Migrated, found: Verified, *, as_json: bool) -> int:
    """Print what a migration did and what was found afterwards; the exit code."""
    if as_json:
        print_json({**asdict(done), "sound": found.sound, "faults": [asdict(each) for each in found.faults]})
        return exits.FINE if found.sound else exits.FAILED
    say(done.path, done.runs, done.rows, done.batches)
    remark(done.grouped_by_time, done.keys_dropped)
    return told(found, as_json=False)


def say(path: str, runs: int, rows: int, batches: int) -> None:
    """Print what a migration did."""
    if runs == 0:
        click.echo(f"{clean(path)}: no run was left to migrate.")
    else:
        click.echo(f"{clean(path)}: {runs:,} runs with {rows:,} rows migrated in {batches:,} batches.")


def remark(grouped: Sequence[str], dropped: Mapping[str, Sequence[str]]) -> None:
    """Print what could not be carried as it was."""
    if grouped:
        why = "their boundaries could not be replayed, so the rows of one instant are one boundary"
        click.secho(f"note  {len(grouped):,} runs of other rules or of schema 1: {why}", fg="yellow")
    for run_id, things in dropped.items():
        click.secho(f"note  run {clean(run_id)}: idempotency keys dropped of {clean(', '.join(things))}", fg="yellow")
