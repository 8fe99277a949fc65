"""The command `rotate`."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import asdict

from statecore.asking.text import clean
from statecore.stores.sqlite.store3 import SqliteDb, store_in

from . import exits
from .care import store_argument
from .keys import given_keys
from .screen import json_option
from .views import print_json


@click.command()
@store_argument
@json_option
def rotate(store: Path | str, *, as_json: bool) -> int:
    """Encipher the values of a store with its newest key.

    The keys are those of the file that STATECORE_KEYS names; the last one of each use is the newest. Values of older keys are enciphered anew, and
    keyed seals made anew, in small transactions beside running work; no hash changes. An interrupted rotation continues with the same command.
    Exit codes: 0 done, 1 refused, 2 usage, 3 not done: a process holds a trace back, so run it again.
    """
    if not isinstance(store, Path):
        message = "PostgresDb enciphers nothing; a file of SqliteDb does."
        raise click.UsageError(message)
    db = store_in(store, given_keys())
    click.get_current_context().call_on_close(db.close)
    if not isinstance(db, SqliteDb):
        message = "The file is of format 2. Migrate it first: statecore migrate."
        raise click.UsageError(message)
    done = db.rotate()
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(f"{clean(store)}: {done.bodies:,} values enciphered anew, {done.seals:,} seals made anew.")
        if done.left is not None:
            click.secho(f"Not done: {done.left}.", fg="yellow")
    return exits.FINE if done.left is None else exits.UNDETERMINED
