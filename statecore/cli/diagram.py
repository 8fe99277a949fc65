"""`diagram`: a workflow, or a run on it, as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from statecore.asking.text import clean
from statecore.output.pictures import FORMATS, formatted

from . import exits
from .stores import db_option, inbox
from .targets import load


@click.command()
@click.argument("target", required=False)
@click.option(
    "--run", "run", metavar="RUN", help="A run id (or a prefix of it) in the store: its position, and the result of each component."
)
@click.option(
    "--format", "style", type=click.Choice(list(FORMATS)), default="tree", show_default=True, help="The format of the picture."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The output file; default: standard output."
)
@db_option
def diagram(target: str | None, run: str | None, style: str, out: Path | None, db: str | None) -> int:
    """Draw a workflow, or a run on it.

    TARGET is a workflow (module:workflow or file.py:workflow); with --run a run of the store --db is drawn, from the definition that is stored
    with it, so that no TARGET is needed.
    """
    if (target is None) == (run is None):
        message = "Name a TARGET, or a run: --run RUN."
        raise click.UsageError(message)
    if run is not None:
        box = inbox(db)
        text = format(box.show(box.find(run)), style)
    else:
        text = formatted(style, "", load(str(target)).compiled.program)
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {clean(out)}.", err=True)
    return exits.FINE
