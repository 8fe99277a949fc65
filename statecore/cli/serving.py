"""`statecore worker` on a Temporal server: Temporal says which runs go on, and this process executes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from . import exits
from .screen import clean
from .stores import served

if TYPE_CHECKING:
    from statecore import Workflow


def serve(workflow: Workflow, url: str, concurrency: int) -> int:
    """Execute the runs of a workflow on a Temporal server until told to stop; then its steps have ten seconds to end."""
    from statecore.temporal import worker as temporal  # noqa: PLC0415  # an extra

    store = served(url)
    ready = f"Worker {os.getpid()} executes runs of {clean(workflow.name)} on {clean(store.path)}, {concurrency} steps at a time."
    temporal.serve(store, workflow, concurrency, lambda: click.echo(ready))
    click.echo("Stopped.")
    return exits.FINE
