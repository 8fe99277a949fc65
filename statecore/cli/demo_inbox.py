"""`demo --inbox`: the demo decided in a browser. One process serves the pages and has a worker within, so that one command shows it all."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from statecore.asking.text import short
from statecore.runtime.worker import Worker

from .person import login
from .reviewing import import_extra, served
from .screen import Screen
from .working import teller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statecore import Workflow

TITLE = "statecore demo"


def in_browser(workflow: Workflow, given: str | None, report: str, *, port: int, goes_on: bool) -> None:
    """Submit a run, where none goes on, and serve its questions until the process is told to stop. Raises `MissingExtra`."""
    import_extra()
    from statecore.inbox.auth import Declared  # noqa: PLC0415  # an extra

    screen = Screen()
    if not goes_on:
        run = workflow.submit(given, additional_data={"report": report})
        screen.say(
            f"Run {short(run.run_id)} is submitted. It asks twice: about a server that is busy, and how deep to look.", bold=True
        )
    screen.say(f"Its report will be {report}")
    with at_work(workflow, screen):
        served(workflow.db, Declared(login(), ["demo"]), TITLE, ("127.0.0.1", port), announced)


def announced(link: str) -> None:
    """Print the link."""
    click.echo(f"\nOpen this link in a browser; it works once. Ctrl-C ends the demo.\n\n    {link}\n")


@contextmanager
def at_work(workflow: Workflow, screen: Screen) -> Iterator[Any]:
    """Meanwhile, a worker executes the runs of the workflow."""
    working = Worker([workflow], 1, None, teller(screen, as_json=False))
    thread = Thread(target=working.work, name="worker")
    thread.start()
    try:
        yield working
    finally:
        working.stop()
        thread.join()
