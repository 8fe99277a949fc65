"""`statecore demo`: the analysis of a real file, with a real server that is busy at first and a real person who is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statecore import RunStatus
from statecore.asking.text import clean, short
from statecore.codec import decode
from statecore.examples import analysis, companion
from statecore.stores import RunFilter

from . import exits
from .following import Following
from .person import by_option
from .running import UNFINISHED, answering, answers_option, follow
from .screen import Screen, json_option
from .stores import opened

if TYPE_CHECKING:
    from statecore import Workflow
    from statecore.stores import Record

DB, REPORT = "statecore-demo.sqlite", "statecore-demo-report.md"


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--db", metavar="FILE", default=DB, envvar="STATECORE_DB", show_envvar=True, show_default=True, help="The SQLite file."
)
@click.option("--report", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help=f"The report.  [default: {REPORT}]")
@click.option(
    "--fail-times",
    default=companion.FAIL_TIMES,
    show_default=True,
    type=click.IntRange(0),
    help="The number of failures of the simulated server.",
)
@click.option("--inbox", "in_browser", is_flag=True, help="Decide in a browser: serve the inbox, with a worker within.")
@click.option(
    "--port", default=8321, show_default=True, type=click.IntRange(0, 65_535), help="The port of the inbox; 0 takes a free one."
)
@answers_option
@by_option
@json_option
def demo(  # noqa: PLR0913  # the options of the command, one by one
    file: Path | None,
    db: str,
    report: Path | None,
    fail_times: int,
    port: int,
    answers: tuple[str, ...],
    by: str,
    *,
    in_browser: bool,
    as_json: bool,
) -> int:
    """Analyse a file in a workflow that asks questions.

    FILE is CSV or text; without one, a shipped file is used. After a kill at any moment, the next start continues where the demo stopped.
    """
    workflow = analysis.workflow.on(opened(db))
    if in_browser:
        return in_inbox(workflow, file, report, fail_times, port)
    screen = Screen(quiet=as_json)
    who = answering(workflow, answers, by, ask=not as_json)
    following = Following(workflow, who, screen, ("demo", *(("--db", db) if db != DB else ())), db)
    record = unfinished(workflow, file)
    with companion.serving(fail_times):
        if record is None:
            code = follow(following, lambda: start(following, file, report), as_json=as_json)
        else:
            code = follow(following, lambda: go_on(following, record, report), as_json=as_json)
    view = following.view()
    if view.status is RunStatus.completed:
        screen.say(f"\nReport: {clean(view.content)}", fg="green")
    return code


def in_inbox(workflow: Workflow, file: Path | None, report: Path | None, fail_times: int, port: int) -> int:
    """The demo in a browser, until it is told to stop."""
    from .demo_inbox import in_browser  # noqa: PLC0415  # an extra

    given, target = (str(file.resolve()) if file else None), str((report or Path(REPORT)).resolve())
    with companion.serving(fail_times):
        in_browser(workflow, given, target, port=port, goes_on=unfinished(workflow, file) is not None)
    return exits.FINE


def unfinished(workflow: Workflow, file: Path | None) -> Record | None:
    """The run that was left behind last, of this file where one is named; None where all have ended."""
    records = workflow.db.runs(RunFilter(workflow_id=workflow.id, phases=UNFINISHED, limit=10_000))
    wanted = None if file is None else str(file.resolve())
    return next((record for record in records if wanted in (None, decode(record.identity.input))), None)


def start(following: Following, file: Path | None, report: Path | None) -> int:
    """A new run; what it reads and where its report goes are fixed here, wherever it goes on later."""
    target = str((report or Path(REPORT)).resolve())
    following.named(None)
    name = clean(file.name) if file else f"{analysis.SHIPPED.name} (ships with statecore)"
    following.screen.say(f"Analysing {name}: run {short(following.run_id)}", bold=True)
    return following.start(str(file.resolve()) if file else None, additional_data={"report": target})


def go_on(following: Following, record: Record, report: Path | None) -> int:
    """The run that was left behind goes on where it was."""
    following.run_id = record.identity.run_id
    view = following.view()
    name = clean(Path(view.input or analysis.SHIPPED).name)
    following.screen.say(f"Resuming run {short(following.run_id)} of {name}, which is {view.status.value}", bold=True)
    done = [step.step_name for step in view.step_results if step.status == "completed"]
    if done:
        following.screen.say(f"  done before: {', '.join(clean(name) for name in done)}")
    target: Any = view.additional_data["report"]
    if report is not None and str(report.resolve()) != target:
        following.screen.say(f"  its report goes to {clean(target)}, as it began")
    return following.go_on()
