"""`worker`: a process that executes the runs of workflows that can go on.

It serves a store with `runtime.worker.Worker`. On a Temporal server it serves the workflow's task queue instead: Temporal says
which runs go on.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import click

from statecore.asking.text import clean, named, short
from statecore.core import Seconds
from statecore.runtime.worker import Went, Worker

from . import exits
from .screen import Screen, json_option, log_options
from .stores import db_option, is_served, placed, served
from .targets import load_all
from .views import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore import Workflow

WORDS = {"COMPLETED": "done", "ERROR": "failed", "PAUSED": "waits", "CANCELLED": "cancelled", "RUNNING": "given back"}


def placed_at(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """The host and the port that an option names. Raises `click.BadParameter`."""
    if value is None:
        return None
    from statecore.telemetry.serving import address  # noqa: PLC0415  # only who serves needs it

    found = address(value)
    if found is None:
        message = f"{clean(value)!r} is no port; write e.g. 9464 or 127.0.0.1:9464."
        raise click.BadParameter(message, ctx, param)
    return found


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--concurrency", default=4, show_default=True, type=click.IntRange(1), help="The number of runs at a time.")
@click.option("--until-idle", is_flag=True, help="End when no run can continue, instead of waiting for more.")
@click.option(
    "--poll", type=click.FloatRange(0.01), metavar="SECONDS", help="Seconds between two polls for work, besides notifications."
)
@click.option(
    "--metrics",
    "place",
    metavar="[HOST:]PORT",
    callback=placed_at,
    help="Serve /metrics, /healthz and /readyz by HTTP on this port of 127.0.0.1; 0 takes a free one.",
)
@click.option("--temporal", metavar="HOST:PORT", help="The same as --db temporal://HOST:PORT, for runs on a Temporal server.")
@db_option
@json_option
@log_options
def worker(  # noqa: PLR0913  # the options of the command, one by one
    targets: tuple[str, ...],
    concurrency: int,
    poll: Seconds | None,
    place: tuple[str, int] | None,
    temporal: str | None,
    db: str | None,
    *,
    until_idle: bool,
    as_json: bool,
) -> int:
    """Execute the runs of workflows that can continue.

    Any number of workers, on any number of machines, share a store. One of them continues each run of the workflows
    TARGET... that was submitted or decided, is past its deadline, or was left by a dead process, until it pauses or
    ends. After SIGTERM or Ctrl-C each run is given back at its next boundary; after a second one at once, and other
    workers take the runs over. With --json: one line for each run.
    """
    url = f"temporal://{temporal}" if temporal is not None else db
    workflows = load_all(targets)
    if is_served(url):
        if len(workflows) > 1:
            message = "On a Temporal server each workflow has a task queue of its own: start one worker for each TARGET."
            raise click.UsageError(message)
        return serve(workflows[0], str(url), concurrency)
    there = [placed(workflow, db) for workflow in workflows]
    places = list(dict.fromkeys(clean(place) for _, place in there if place))
    screen = Screen(quiet=as_json)
    working = Worker([workflow for workflow, _ in there], concurrency, poll, teller(screen, as_json=as_json))
    names = ", ".join(named(workflow.name) for workflow in workflows)
    screen.say(f"Working on {names}, {concurrency} runs at a time" + (f", in {', '.join(places)}" if places else ""), bold=True)
    with probed(working, place, screen), heeding(working):
        counts = working.work(until_idle=until_idle)
    if as_json:
        print_json({"counts": dict(counts)})
    screen.say(", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items())) or "No run could go on.")
    return exits.FINE


def teller(screen: Screen, *, as_json: bool) -> Callable[[Went], None]:
    """The printer of a line for each run; runs end on several threads, lines come whole."""
    lock = Lock()

    def tell(went: Went) -> None:
        with lock:
            if as_json:
                print_json({"run_id": went.run_id, "status": went.status, "why": went.why, "workflow": went.workflow})
            else:
                screen.step(short(went.run_id) or "store", WORDS.get(went.status, went.status.lower()), clean(went.why))

    return tell


@contextmanager
def probed(working: Worker, place: tuple[str, int] | None, screen: Screen) -> Iterator[None]:
    """Meanwhile, serve the probes of a worker, where it is to have some. Raises `click.UsageError` where the port is taken."""
    if place is None:
        yield
        return
    from statecore.telemetry.metrics import measure  # noqa: PLC0415  # only who serves needs them
    from statecore.telemetry.serving import Probes  # noqa: PLC0415  # the same

    metrics = measure(*working.workflows)
    try:
        probes = Probes(metrics, *place, is_stopping=lambda: working.stopping)
    except OSError as error:
        message = f"The metrics cannot be served at {place[0]}:{place[1]}: {error.strerror or error}."
        raise click.UsageError(message) from error
    screen.say(f"Metrics at http://{place[0]}:{probes.port}/metrics")
    try:
        yield
    finally:
        probes.close()


@contextmanager
def heeding(working: Worker) -> Iterator[None]:
    """Meanwhile, stop the worker when this process is told to; the second time, end the process at once."""

    def stop(number: int, _frame: Any) -> None:
        if working.stopping:
            os._exit(128 + number)
        working.stop()

    before = {each: signal.signal(each, stop) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def serve(workflow: Workflow, url: str, concurrency: int) -> int:
    """Execute the runs of a workflow on a Temporal server until told to stop; then its steps have ten seconds to end."""
    from statecore.temporal import activities as temporal  # noqa: PLC0415  # an extra

    store = served(url)
    ready = f"Worker {os.getpid()} executes runs of {clean(workflow.name)} on {clean(store.path)}, {concurrency} steps at a time."
    temporal.serve(store, workflow, concurrency, lambda: click.echo(ready))
    click.echo("Stopped.")
    return exits.FINE
