"""Commands that look after a store: `verify`, `doctor`, `backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict

from statecore.asking.text import clean
from statecore.stores.ending.files import is_archive
from statecore.stores.endings import Anchored
from statecore.stores.sqlite.archived import verify as archive_verified
from statecore.stores.sqlite.health import ailments, facts, library
from statecore.stores.sqlite.health import backup as backed_up
from statecore.stores.sqlite.health import verify as verified

from . import exits
from .keys import given_keys
from .screen import Option, json_option, watched
from .stores import database, existing, opened
from .views import print_json, verdict_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore import Workflow
    from statecore.stores import RunReader
    from statecore.stores.audit.verify import Fault, Verified
    from statecore.stores.records import Symptom

SHOWN = 100
"""How many faults are printed; with --json all are."""

store_argument: Option = click.argument("store", callback=existing, envvar="STATECORE_DB")


@click.command()
@store_argument
@click.option("--root", metavar="HEX", help="A root that `statecore audit --anchor` gave; needs --leaves.")
@click.option("--leaves", metavar="N", type=click.IntRange(0), help="Over how many leaves the root was made.")
@json_option
def verify(store: Path | str, root: str | None, leaves: int | None, *, as_json: bool) -> int:
    """Check a store, or an archive, row by row.

    Every value, hash chain, state, pause and decision in STORE, a file or a postgresql:// URL, is checked, and each journal is replayed;
    the first wrong row of each run is named. With --root, a run that was deleted, replaced or shortened since is named, too. Nothing is written.
    Exit codes: 0 sound, 1 faults or no store of ours, 2 usage.
    """
    progress = counting(as_json=as_json)
    if (root is None) != (leaves is None):
        message = "--root and --leaves belong together."
        raise click.UsageError(message)
    kept = None if root is None or leaves is None else Anchored(leaves, root)
    if isinstance(store, Path) and is_archive(store):
        return told(archive_verified(store, progress, keys=given_keys()), as_json=as_json)
    if isinstance(store, Path):
        return told(verified(store, progress, anchored=kept, keys=given_keys()), as_json=as_json)
    from statecore.stores.postgres.health import verify as verified_there  # noqa: PLC0415  # only who asks for it needs psycopg

    return told(verified_there(database(store), progress, anchored=kept), as_json=as_json)


@click.command()
@store_argument
@click.argument("copy", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(store: Path | str, copy: Path, *, as_json: bool) -> int:
    """Copy a store while it is in use.

    The file STORE is copied into the new file COPY as it is at one moment, and verified. Nothing is ever overwritten. Exit codes: 0 made
    and sound, 1 refused or damaged (then there is no copy), 2 usage.
    """
    if not isinstance(store, Path):
        message = "A database is backed up with its own tools: pg_dump, or a base backup with its log."
        raise click.UsageError(message)
    found = backed_up(store, copy, counting(as_json=as_json))
    return told(found, as_json=as_json, made=True)


def counting(*, as_json: bool) -> Callable[[int, int], None] | None:
    """A function that shows the progress on a terminal."""
    if as_json or not watched():
        return None
    return lambda done, of: click.echo(f"\r{done:,} of {of:,} runs" + ("\n" if done == of else ""), nl=False, err=True)


def told(found: Verified, *, as_json: bool, made: bool = False) -> int:
    """Print what was found; the exit code."""
    if as_json:
        print_json({**asdict(found), "sound": found.sound, "exit_code": exits.FINE if found.sound else exits.FAILED})
        return exits.FINE if found.sound else exits.FAILED
    for fault in found.faults[:SHOWN]:
        click.secho(line_of("bad", fault), fg="red")
    if len(found.faults) > SHOWN:
        click.echo(f"... and {len(found.faults) - SHOWN:,} more; --json has them all")
    for remark in found.remarks[:SHOWN]:
        click.secho(line_of("note", remark), fg="yellow")
    seen = f"{found.runs:,} runs, {found.rows:,} journal rows, {found.values:,} values"
    if found.root is not None:
        click.echo(f"root  {found.root}")
    if found.purged:
        seen = f"{seen}; {found.purged:,} purged"
    verdict = "sound" if found.sound else f"not sound: {len(found.faults):,} faults"
    click.echo(f"{'Copied to ' if made else ''}{clean(found.path)}: {verdict} ({seen})")
    return exits.FINE if found.sound else exits.FAILED


def line_of(word: str, fault: Fault) -> str:
    """A fault as one line."""
    return f"{word:<6}{clean(fault)}"


@click.command()
@store_argument
@click.option(
    "--target",
    metavar="TARGET",
    help="A workflow (module:workflow or file.py:workflow): name the runs that it cannot continue.",
)
@json_option
def doctor(store: Path | str, target: str | None, *, as_json: bool) -> int:
    """List the problems of a store that need a person.

    Looks at STORE (a file, or a postgresql:// URL), at the database that it is used with, its settings, and at all runs: interrupted, stuck or
    left ones, pauses past their deadline, decisions that no process has applied, and with --target what this definition would make of each
    unfinished run. Exit codes: 0 no problem, 1 a problem, 2 usage.
    """
    from statecore.runtime.doctor import REMEDIES, examine  # noqa: PLC0415  # as above
    from statecore.runtime.host import clock_of  # noqa: PLC0415  # `verify` and `backup` know no runs as they are driven

    workflow = targeted(target) if target is not None else None
    db, known, notes, ill = looked_at(store)
    found = examine(db, clock_of(db)(), workflow)
    symptoms = [*ill, *found.symptoms]
    code = exits.FAILED if symptoms else exits.FINE
    if as_json:
        document: dict[str, Any] = {
            "file": known,
            "runs": dict(found.runs),
            "executing": found.executing,
            "notes": [asdict(each) for each in notes],
            "symptoms": [asdict(each) for each in symptoms],
            "verdicts": [{**asdict(each), "why": list(each.why)} for each in found.verdicts],
            "exit_code": code,
        }
        print_json(document)
        return code
    print_facts(known)
    counts = ", ".join(f"{count:,} {word.lower()}" for word, count in sorted(found.runs.items())) or "no runs"
    click.echo(f"Runs     {counts}; {found.executing:,} being executed")
    for each in notes:
        click.secho(f"note     {each.kind} {clean(each.about)}: {clean(each.why)}", dim=True)
    judged = [] if workflow is None else verdict_lines(found.verdicts, clean(known["path"]))
    for line in judged:
        click.echo(line)
    for each in symptoms:
        if judged and each.kind in REMEDIES:
            continue
        click.secho(f"{each.kind:<12}{clean(each.about)}: {clean(each.why)}", fg="yellow")
        if each.remedy:
            click.echo(f"            {clean(each.remedy)}")
    click.echo("Something needs somebody." if symptoms else "All is well.")
    return code


def targeted(target: str) -> Workflow:
    """The workflow that a target names."""
    from .targets import load  # noqa: PLC0415  # only who names a workflow needs what drives one

    return load(target)


def looked_at(store: Path | str) -> tuple[RunReader, dict[str, Any], list[Symptom], list[Symptom]]:
    """A store, what is known of its file or database, what to know of its library, and what is wrong with it."""
    if isinstance(store, Path):
        path = store.resolve()
        return opened(str(path)), facts(path), library(), ailments(path)
    from statecore.stores.postgres import health  # noqa: PLC0415  # only who asks for it needs psycopg

    db = database(store)
    known = health.facts(db)
    return db, known, [], health.ailments(known)


def print_facts(told: dict[str, Any]) -> None:
    """The file or the database, in lines."""
    if "postgres" in told:
        click.echo(f"Store    {clean(told['path'])}: schema {told['schema']}, {told['bytes']:,} bytes")
        click.echo(f"Postgres {told['postgres']}; " + ", ".join(f"{name} {value}" for name, value in told["settings"].items()))
        return
    click.echo(
        f"Store    {clean(told['path'])}: schema {told['schema']}, {told['bytes']:,} bytes, log {told['log_bytes']:,}, mode {told['mode']}"
    )
    click.echo(f"SQLite   {told['sqlite']}; " + ", ".join(f"{name} {value}" for name, value in told["settings"].items()))
