"""Commands that look at a definition: `check` proves or refutes properties, `export` writes TLA+. Neither runs the workflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from statecore.asking.text import clean, named
from statecore.check import Finding, Report, Verdict, document, junit, mermaid, pytest_file, sarif
from statecore.check import check as checked
from statecore.check.graph import Graph
from statecore.check.replay import is_replayable
from statecore.check.story import is_told, lines_of
from statecore.check.tla import exported
from statecore.check.wording import parse, parse_assumption, parse_lines
from statecore.core import Seconds
from statecore.errors import InvalidProperty, UnknownStep
from statecore.runtime.doctor import stranded, unasked, verdicts
from statecore.runtime.host import clock_of

from . import exits
from .screen import json_option, watched
from .stores import existing, opened, place_of
from .targets import load, split
from .views import print_json, verdict_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from statecore import Workflow
    from statecore.check import Property

COLOURS = {
    Verdict.proved: "green",
    Verdict.refuted: "red",
    Verdict.vacuous: "red",
    Verdict.undetermined: "yellow",
    Verdict.advice: "yellow",
}
WIDE = 60
FORMATS = ("text", "json", "mermaid", "sarif", "junit", "pytest")
HOW = "Check it with TLC: java -cp tla2tools.jar tlc2.TLC -deadlock -config Properties.cfg Properties.tla"


@click.command()
@click.argument("target")
@click.option("--property", "texts", multiple=True, metavar="TEXT", help="A property, e.g. 'never ran(pay) unless confirmed(ok)'.")
@click.option("--assume", "assumed", multiple=True, metavar="TEXT", help="An assumption, e.g. 'never fails(mail)'.")
@click.option("--file", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file of properties, one a line; 'assume ...' for assumptions, # for comments.")  # fmt: skip
@click.option(
    "--max-states", default=1_000_000, show_default=True, type=click.IntRange(1), help="The maximum number of situations."
)
@click.option("--budget", default=60.0, show_default=True, type=click.FloatRange(0), metavar="SECONDS", help="The maximum time.")
@click.option("--crashes", is_flag=True, help="Let processes die in calls, too.")
@click.option("--cancels", is_flag=True, help="Let an operator cancel at any time, too.")
@click.option("--strict", is_flag=True, help="Count advice as refuted.")
@click.option("--allow-vacuous", is_flag=True, help="Accept a property whose premise never happens.")
@click.option("--against-store", "store", callback=existing, metavar="STORE",
              help="Say what this definition would make of each unfinished run of a store, and name the gates that they passed unasked.")  # fmt: skip
@click.option("--format", "style", default="text", show_default=True, type=click.Choice(FORMATS), help="The format of the output.")
@click.option("--json", "style", flag_value="json", help="The same as --format json.")
@click.option("--pytest", "test", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write the first counterexample as a test.")  # fmt: skip
def check(  # noqa: PLR0913  # the options of the command, one by one
    target: str,
    texts: tuple[str, ...],
    assumed: tuple[str, ...],
    files: tuple[Path, ...],
    max_states: int,
    budget: Seconds,
    test: Path | None,
    style: str,
    store: Path | str | None,
    *,
    crashes: bool,
    cancels: bool,
    allow_vacuous: bool,
    strict: bool,
) -> int:
    """Prove or refute properties of a workflow for all its runs.

    No code of the workflow is called: every outcome of every step, evaluator and selector, and every decision, is tried. Exit codes: 0 all
    proved, 1 refuted or vacuous, or a run refused or stranded, 2 usage, 3 undetermined within the budget.
    """
    workflow = load(target)
    shows = style == "text" and watched()
    try:
        properties, assumptions = wanted(texts, assumed, files)
        report = checked(
            workflow, properties, assume=assumptions, max_states=max_states, seconds=budget, crashes=crashes, cancels=cancels,
            allow_vacuous=allow_vacuous, strict=strict, progress=progress if shows else None,
        )  # fmt: skip
    except (InvalidProperty, UnknownStep) as error:
        raise click.UsageError(clean(error)) from error
    finally:
        if shows:
            wiped()
    STYLES[style](report, workflow, target)
    if test is not None:
        write_test(test, report, workflow)
    return exits.FAILED if store is not None and parked(store, workflow) else report.exit_code


def parked(store: Path | str, workflow: Workflow) -> bool:
    """Say on stderr what this definition would make of each unfinished run of a store, and which gates they pass; whether one is not taken."""
    db = opened(str(store))
    program = workflow.compiled.program
    found = verdicts(db, workflow.id, program, clock_of(db)())
    for line in verdict_lines(found, place_of(db)):
        click.echo(line, err=True)
    for each in unasked(db, workflow.id, program):
        click.secho(f"{each.kind:<12}{clean(each.about)}: {clean(each.why)}", fg="yellow", err=True)
        click.echo(f"            {clean(each.remedy)}", err=True)
    return any(each.kind != "stale" for each in stranded(found))  # a question that is put again keeps no run back


def wanted(texts: tuple[str, ...], assumed: tuple[str, ...], files: tuple[Path, ...]) -> tuple[list[Property], list[Property]]:
    """The properties and assumptions of a command line."""
    properties, assumptions = [parse(each) for each in texts], [parse_assumption(each) for each in assumed]
    for file in files:
        more, taken = parse_lines(file.read_text(encoding="utf-8").splitlines())
        properties += more
        assumptions += taken
    return properties, assumptions


def progress(graph: Graph, seconds: float) -> None:
    """Show how far the exploration is, on one line of stderr."""
    click.echo(f"\r{len(graph.states):,} situations{rate(len(graph.states), seconds)}", nl=False, err=True)


def wiped() -> None:
    """Leave an empty line where the progress was."""
    click.echo(f"\r{'':<{WIDE}}\r", nl=False, err=True)


def rate(count: int, seconds: float) -> str:
    """How many a second."""
    return f" ({count / seconds:,.0f} a second)" if count and seconds else ""


# -- what is printed -------------------------------------------------------------------------------------------------------------


def print_text(report: Report, workflow: Workflow, _target: str) -> None:
    """Each verdict; where something is wrong, the shortest run as a story; at last how much was looked at."""
    for found in report.findings:
        click.echo(click.style(f"{found.verdict.value:<12}", fg=COLOURS[found.verdict]) + f" {clean(found.text)}")
        if found.verdict is not Verdict.proved:
            for line in lines_of(found, workflow.compiled.program):
                click.echo(f"    {clean(line)}")
    more = "" if report.complete else "; there are more"
    click.echo(
        f"\n{named(report.workflow)}: {report.situations:,} situations and {report.events:,} events in {report.drawing:.2f} s, "
        f"{report.walked:,} states walked in {report.walking:.2f} s{rate(report.walked, report.walking)}{more}"
    )
    for said in report.assumptions:
        click.echo(f"Assumed: {clean(said)}")
    for said in report.bounds:
        click.echo(f"Left out: {clean(said)}")


def print_report_json(report: Report, workflow: Workflow, _target: str) -> None:
    """The report as JSON."""
    click.echo(json.dumps(document(report, workflow.compiled.program), indent=2))


def print_mermaid(report: Report, workflow: Workflow, _target: str) -> None:
    """Each counterexample as a sequence diagram."""
    program = workflow.compiled.program
    for found in refuted(report):
        if is_told(found, program):
            click.echo(f"%% {clean(found.text)}\n{mermaid(program, found.events)}")


def print_sarif(report: Report, workflow: Workflow, target: str) -> None:
    """The report as SARIF."""
    place = split(target)[0]
    where = place if place.endswith(".py") else place.replace(".", "/") + ".py"
    click.echo(json.dumps(sarif(report, workflow.compiled.program, where), indent=2))


def print_junit(report: Report, workflow: Workflow, _target: str) -> None:
    """The report as JUnit XML."""
    click.echo(junit(report, workflow.compiled.program), nl=False)


def print_pytest(report: Report, workflow: Workflow, _target: str) -> None:
    """The first counterexample as a test."""
    click.echo(test_of(report, workflow) or "# nothing is refuted by a run that a test can replay", nl=False)


STYLES: dict[str, Callable[[Report, Workflow, str], None]] = {
    "text": print_text,
    "json": print_report_json,
    "mermaid": print_mermaid,
    "sarif": print_sarif,
    "junit": print_junit,
    "pytest": print_pytest,
}


def refuted(report: Report) -> list[Finding]:
    """The findings that a run refutes."""
    return [each for each in report.findings if each.verdict is Verdict.refuted and each.events]


def test_of(report: Report, workflow: Workflow) -> str | None:
    """The first counterexample that a test can replay, as a test."""
    for found in refuted(report):
        if is_replayable(found.events) and is_told(found, workflow.compiled.program):
            return pytest_file(workflow.compiled, workflow.definition, found.events, found.text)
    return None


def write_test(file: Path, report: Report, workflow: Workflow) -> None:
    """Write the test, and say so."""
    text = test_of(report, workflow)
    if text is not None:
        file.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {file}: run it with pytest." if text else "No counterexample that a test can replay.", err=True)


@click.command()
@click.argument("target")
@click.option("--tla", is_flag=True, help="As TLA+ modules.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The output folder; default: the current one.",
)
@json_option
def export(target: str, out: Path, *, tla: bool, as_json: bool) -> int:
    """Write a workflow as TLA+, for a second and independent checker.

    Program.tla is the workflow TARGET; Lifecycle.tla are the tables that are executed; Engine.tla and Properties.tla are the same for every
    workflow. Files of these names in DIR are overwritten.
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
