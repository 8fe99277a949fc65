"""The events of a run that another process executes, read from its store as they are stored (OBS-5)."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from statecore.lifecycles import words as w
from statecore.stores.rules import ended

from .options import off_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from statecore.core import Seconds
    from statecore.output.events import RunEvent
    from statecore.stores import Record

    from .inbox import Inbox

POLL = 0.2
"""After how many seconds a store is asked again, which costs it one row."""
MOVING = (w.pending, w.running)


def follow(inbox: Inbox, run_id: str, *, after: int = 0, poll: Seconds = POLL, until_rest: bool = False) -> Iterator[RunEvent]:
    """Yield the events of a run, those before and those to come, until the run has ended; with `until_rest` also until it waits for a person.

    `after` is how many of them the caller has had. Raises `UnknownRun`.
    """
    seen, told = -1, after
    while True:
        record, events = news(inbox, run_id, seen, told)
        seen, told = record.seq, told + len(events)
        yield from events
        if is_over(record, until_rest=until_rest):
            return
        sleep(poll)


async def afollow(
    inbox: Inbox, run_id: str, *, after: int = 0, poll: Seconds = POLL, until_rest: bool = False
) -> AsyncIterator[RunEvent]:
    """The same on asyncio; the store is asked beside the event loop."""
    import asyncio  # noqa: PLC0415  # only asynchronous users pay for it

    seen, told = -1, after
    while True:
        record, events = await off_loop(inbox.db, lambda seen=seen, told=told: news(inbox, run_id, seen, told))  # type: ignore[misc]
        seen, told = record.seq, told + len(events)
        for event in events:
            yield event
        if is_over(record, until_rest=until_rest):
            return
        await asyncio.sleep(poll)


def news(inbox: Inbox, run_id: str, seen: int, told: int) -> tuple[Record, list[RunEvent]]:
    """A run as it stands, and the events that are new; of one that stands where it stood nothing is read but its row."""
    record = inbox.db.load(run_id)
    return record, [] if record.seq == seen else inbox.view(record, waiting=()).events[told:]


def is_over(record: Record, *, until_rest: bool) -> bool:
    """Whether nothing more is to be waited for."""
    return ended(record) or (until_rest and record.state.run not in MOVING)
