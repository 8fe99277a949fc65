"""`quarantine`: a run is set aside by a person, and taken back."""

from __future__ import annotations

import click

from statecore.asking.text import short

from . import exits
from .screen import json_option
from .stores import db_option, inbox
from .views import print_json


@click.command()
@click.argument("run")
@click.option("--release", is_flag=True, help="Take the run back.")
@db_option
@json_option
def quarantine(run: str, db: str | None, *, release: bool, as_json: bool) -> int:
    """Set a run aside: no process continues it.

    No worker takes it until --release takes it back. RUN is a run id or a prefix of it. The rows of the run are not looked at, so that a
    damaged run can be set aside. `doctor` lists such runs.
    """
    box = inbox(db)
    run_id = box.find(run)
    is_aside = box.quarantine(run_id, release=release)
    if as_json:
        print_json({"run_id": run_id, "quarantined": is_aside})
    else:
        click.echo(f"Run {short(run_id)} {'is set aside: no process continues it.' if is_aside else 'is not set aside.'}")
    return exits.FINE
