"""Commands that run a workflow's code: `run`, `resume`, `recover`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from statecore import RunStatus
from statecore.asking.text import clean, named, read_json, short
from statecore.core import Seconds
from statecore.errors import NotPaused, RunBusy, StatecoreError
from statecore.runtime.launching import late_runs, left_runs
from statecore.stores import RunFilter
from statecore.workflow.inbox import Inbox

from . import exits
from .following import Following, Watching, interval_option, pace, watch_option
from .person import Asker, by_option, nobody, parse
from .screen import Option, Screen, interactive, json_option, log_options, usage_errors, watched
from .stores import db_option, placed
from .targets import load
from .views import print_json, run_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from statecore import Workflow

    from .person import Answering

answers_option: Option = click.option(
    "--answers",
    multiple=True,
    metavar="WORDS",
    help="Decide without asking: retry,confirm (one pause each) or fetch=retry,deep=reject (whenever that step asks). "
    "An answer with a value ends the list: form=input:{JSON}, route=select:a,b, draft=edit:JSON, draft=reject:FEEDBACK; "
    "may be given several times.",
)
UNFINISHED = ("pending", "running", "paused")


def answering(workflow: Workflow, answers: tuple[str, ...], by: str, *, ask: bool) -> Answering:
    """The source of answers: the words that were given, else the person at the terminal, else none. Raises `UnknownStep`."""
    if answers:
        given = parse(answers, by)
        program = workflow.compiled.program
        given.check({**program.named, **program.nodes})
        return given
    return Asker(by) if ask and interactive() else nobody


def follow(following: Following, go: Callable[[], int], *, as_json: bool) -> int:
    """Follow a run; with `--json`, print it when it stands."""
    code = go()
    if as_json:
        print_json({**run_document(Inbox(following.workflow.db), following.run_id), "exit_code": code})
    return code


@click.command()
@click.argument("target")
@click.option("--input", "text", metavar="TEXT", help="The run's input, as text.")
@click.option("--input-json", metavar="JSON", help="The run's input, as JSON.")
@click.option("--run-id", metavar="ID", help="The new run's id.  [default: a new UUID]")
@click.option("--requester", metavar="NAME", help="The person who asks for the run; a gate may exclude them.")
@click.option("--submit", is_flag=True, help="Store the run and execute nothing; a worker begins it.")
@click.option("--idempotency-key", "key", metavar="KEY", help="A repeated key starts no second run; it follows the first.")
@answers_option
@by_option
@db_option
@json_option
@log_options
def run(  # noqa: PLR0913  # the options of the command, one by one
    target: str,
    text: str | None,
    input_json: str | None,
    run_id: str | None,
    requester: str | None,
    key: str | None,
    answers: tuple[str, ...],
    by: str,
    db: str | None,
    *,
    submit: bool,
    as_json: bool,
) -> int:
    """Start a run of a workflow and follow it.

    TARGET is module:workflow or file.py:workflow; the attribute may be left out where the module has one workflow. The
    run is followed until it ends or pauses without an answer here; with --submit it is only stored.
    """
    run_input = input_of(text, input_json)
    workflow, file = placed(load(target), db)
    screen = Screen(quiet=as_json)
    if submit:
        return submitted(workflow, run_input, {"run_id": run_id, "idempotency_key": key, "requester": requester}, screen)
    who = answering(workflow, answers, by, ask=not as_json)
    following = Following(workflow, who, screen, (), file)
    following.named(run_id)
    following.again = resume_command(target, following.run_id, file)
    return follow(following, lambda: following.start(run_input, idempotency_key=key, requester=requester), as_json=as_json)


def submitted(workflow: Workflow, run_input: Any, options: dict[str, Any], screen: Screen) -> int:
    """Store a run that a worker will begin, and print it."""
    view = workflow.submit(run_input, **options)
    if screen.quiet:
        print_json({**run_document(Inbox(workflow.db), view.run_id), "exit_code": exits.FINE})
    screen.say(f"Run {short(view.run_id)} of {clean(workflow.name)} is {view.status.value}: a worker begins it.")
    return exits.FINE


def input_of(text: str | None, input_json: str | None) -> Any:
    """The run's input: text as it is, or what JSON means."""
    if input_json is None:
        return text
    if text is not None:
        message = "Give --input or --input-json, not both."
        raise click.UsageError(message)
    with usage_errors():
        return read_json(input_json, "--input-json")


def resume_command(target: str, run_id: str, file: str) -> tuple[str, ...]:
    """The command that goes on with a run."""
    return ("resume", target, short(run_id), *(("--db", file) if file else ()))


@click.command()
@click.argument("target")
@click.argument("run", required=False)
@click.option("--retry-failed", is_flag=True, help="Call the failed step of a failed run again.")
@click.option("--adopt", is_flag=True, help="Take the run over although this definition lacks gates of its own; --by says who.")
@click.option(
    "--force", is_flag=True, help="Call a step again beside a call of it that was given up and still runs; --by says who."
)
@watch_option
@interval_option
@answers_option
@by_option
@db_option
@json_option
@log_options
def resume(  # noqa: PLR0913  # the options of the command, one by one
    target: str,
    run: str | None,
    answers: tuple[str, ...],
    by: str,
    db: str | None,
    interval: Seconds | None,
    *,
    retry_failed: bool,
    adopt: bool,
    force: bool,
    watch: bool,
    as_json: bool,
) -> int:
    """Continue a run: apply stored decisions, ask about open pauses.

    TARGET is the workflow of the run, as for `run`. RUN is a run id or a prefix of it; it may be left out where one
    run is unfinished. With --watch a run that another process executes is followed until it ends or pauses, without
    questions; if that process dies, the run continues here.
    """
    seconds = pace(interval, watch=watch)
    workflow, file = placed(load(target), db)
    run_id = chosen(workflow, run)
    screen = Screen(quiet=as_json)
    who = answering(workflow, answers, by, ask=not as_json and not watch)
    again = resume_command(target, run_id, file)
    orders = {name: True for name, given in (("adopt", adopt), ("force", force)) if given}
    following = Following(workflow, who, screen, again, file, run_id, as_lines=as_json and watch, orders=orders, by=by)
    goer = Watching(following, seconds) if watch else following
    screen.say(f"Run {short(run_id)} of {named(workflow.name)}", bold=True)
    return follow(following, lambda: goer.go_on(retry_failed=retry_failed), as_json=as_json)


def chosen(workflow: Workflow, run: str | None) -> str:
    """The run that is meant: by id or its beginning; without one, the workflow's only unfinished run."""
    if run is not None:
        return Inbox(workflow.db).find(run)
    records = workflow.db.runs(RunFilter(workflow_id=workflow.id, phases=UNFINISHED, limit=10))
    if len(records) == 1:
        return records[0].identity.run_id
    ids = ", ".join(short(record.identity.run_id) for record in records)
    why = (
        f"has several unfinished runs. Name one: {ids}"
        if records
        else "has no unfinished run here. Start one with `statecore run`."
    )
    message = f"{named(workflow.name)!r} {why}"
    raise click.UsageError(message)


@click.command()
@click.argument("target")
@db_option
@json_option
@log_options
def recover(target: str, db: str | None, *, as_json: bool) -> int:
    """Take over the runs of dead processes.

    Each run of the workflow TARGET that a dead process left, or that has a stored decision, continues until it ends
    or waits for a decision. A refused run does not keep the others: it is printed, and the exit code is 1.
    """
    workflow, file = placed(load(target), db)
    many = Many(workflow, target, file, Screen(quiet=as_json), "No run was left behind.")
    return many.go_on(left_runs(workflow))


@click.command()
@click.argument("target")
@db_option
@json_option
@log_options
def tick(target: str, db: str | None, *, as_json: bool) -> int:
    """Apply passed deadlines and stored decisions.

    Each run of the workflow TARGET with an overdue pause takes its on_timeout, each one with a stored decision takes it, and both continue.
    A refused run does not keep the others: it is printed, and the exit code is 1. For cron.
    """
    workflow, file = placed(load(target), db)
    many = Many(workflow, target, file, Screen(quiet=as_json), "No deadline is over, and no decision waits.")
    return many.go_on(late_runs(workflow))


@define
class Many:
    """Several runs of a workflow, one after the other, with nobody to ask; one that is refused does not keep the others."""

    workflow: Workflow
    target: str
    file: str
    screen: Screen
    none: str
    counts: Counter[str] = field(factory=Counter)

    def go_on(self, run_ids: Iterable[str]) -> int:
        """Drive each on, and count what became of them; the exit code of the worst."""
        wanted = list(run_ids)
        worst = max([self.one(run_id, number, len(wanted)) for number, run_id in enumerate(wanted, 1)], default=exits.FINE)
        if self.screen.quiet:
            print_json(dict(self.counts))
        self.screen.say(", ".join(f"{count} {word}" for word, count in sorted(self.counts.items())) or self.none)
        return worst

    def one(self, run_id: str, number: int, of: int) -> int:
        """Drive one on; failed where the run failed or was refused. On a terminal it is said how many there are."""
        count = f" ({number:,} of {of:,})" if watched() else ""
        self.screen.say(f"Run {short(run_id)} of {named(self.workflow.name)}{count}", bold=True)
        again = resume_command(self.target, run_id, self.file)
        following = Following(self.workflow, nobody, self.screen, again, self.file, run_id)
        try:
            following.go_on()
        except RunBusy:
            self.screen.say("  is being executed; left alone")
            self.counts["busy"] += 1
        except NotPaused:
            pass  # somebody else was faster
        except StatecoreError as error:
            click.echo(clean(error), err=True)
            self.counts["refused"] += 1
            return exits.FAILED
        else:
            status = following.view().status
            self.counts[status.value.lower()] += 1
            return exits.FAILED if status is RunStatus.error else exits.FINE
        return exits.FINE
