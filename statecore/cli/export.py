"""`export`: a workflow for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from statecore.check.tla import exported

from . import exits
from .options import json_option
from .screen import clean
from .targets import load
from .views import print_json

HOW = "Check it with TLC: java -cp tla2tools.jar tlc2.TLC -deadlock -config Properties.cfg Properties.tla"


@click.command()
@click.argument("target")
@click.option("--tla", is_flag=True, help="As TLA+ modules.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), metavar="DIR", help="Where to write; here."
)
@json_option
def export(target: str, out: Path, *, tla: bool, as_json: bool) -> int:
    """Write a workflow as TLA+, for a second and independent checker.

    Program.tla is the workflow TARGET; Lifecycle.tla are the tables that are executed; Engine.tla and Properties.tla are the same for every
    workflow. Files of these names in DIR are written anew.
    """
    if not tla:
        message = "Say what to write: --tla."
        raise click.UsageError(message)
    files = exported(load(target).compiled.program)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8")
    if as_json:
        print_json({"files": [str(out / name) for name in files], "exit_code": exits.FINE})
        return exits.FINE
    click.echo(f"Wrote {', '.join(files)} to {clean(out)}.")
    click.echo(HOW)
    return exits.FINE
