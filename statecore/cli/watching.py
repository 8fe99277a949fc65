"""`resume --watch`: a run that another process executes is looked at again and again, until it ends, pauses, or is to be taken over."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

import click
from attrs import define

from statecore.errors import NotPaused, RunBusy
from statecore.lifecycles import words as w
from statecore.stores.owner import alive
from statecore.stores.rules import ended

from .options import Option
from .screen import clean

if TYPE_CHECKING:
    from statecore.stores import Record

    from .following import Following

INTERVAL = 1.0
MOVING = (w.pending, w.running)

watch_option: Option = click.option(
    "--watch", is_flag=True, help="Follow the run also where another process executes it; with --json, print each event as a line."
)
interval_option: Option = click.option(
    "--interval", type=click.FloatRange(0.01), metavar="SECONDS", help=f"How often --watch looks.  [default: {INTERVAL:g}]"
)


def pace(interval: float | None, *, watch: bool) -> float:
    """The seconds between two looks. Raises `click.UsageError` where nobody looks."""
    if interval is not None and not watch:
        message = "--interval says how often --watch looks; give both."
        raise click.UsageError(message)
    return interval or INTERVAL


@define
class Watching:
    """One run, executed here where it may be and watched where another process is at it. `told` counts the events that were shown."""

    following: Following
    interval: float
    told: int = 0

    def go_on(self, *, retry_failed: bool = False) -> int:
        """Follow the run until it ends or waits for a person; the exit code. Raises what `continue_run` raises, but for `RunBusy`."""
        if ended(self.record()) and not retry_failed:
            self.following.screen.say(f"It is {self.following.view().status.value} already.")
            return self.following.leave()
        while True:
            self.told = len(self.following.view().events)
            try:
                return self.following.go_on(retry_failed=retry_failed)
            except RunBusy as busy:
                self.following.screen.say(f"{'':>11}executed by {clean(busy.owner)}; watching", dim=True)
            except NotPaused:
                if retry_failed:
                    raise
            retry_failed = False
            if self.came_to_rest():
                return self.following.leave()

    def came_to_rest(self) -> bool:
        """Show what happens elsewhere until the run rests; False where whoever executed it is gone before."""
        seq = -1
        while True:
            record = self.record()
            if record.seq != seq:
                self.tell()
            seq = record.seq
            if record.state.run not in MOVING:
                return True
            if record.owner is None or not alive(record.owner, record.lease, self.following.workflow.host.clock()):
                return False
            sleep(self.interval)

    def tell(self) -> None:
        """Show the events that were not shown yet."""
        events = self.following.view().events
        for event in events[self.told :]:
            self.following.line(event)
        self.told = len(events)

    def record(self) -> Record:
        """The run's row in the store."""
        return self.following.workflow.db.load(self.following.run_id)
