"""The timeline of a run: a bar for each component, in which the time of its calls and the time that it waited for a person are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from statecore.asking.text import lasting, named
from statecore.lifecycles import TABLES
from statecore.stores.detail import name_of
from statecore.stores.rules import ENDED

from . import exits
from .views import print_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from statecore.core import Address, Micros, Seconds
    from statecore.core.state import Turn
    from statecore.stores import Entry
    from statecore.workflow.inbox import Inbox

COLUMNS, MINUTE = 40, 60
OWES = {table.name: table.owes for table in TABLES.values()}
"""The owed part of each phase of each lifecycle: a call, an answer, or a delay."""
SIGNS = {"call": "#", "ask": ".", "timer": "-"}
LEGEND = "  # works   . waits for a person   - waits for a delay"


@define
class Lane:
    """The times of one component in one turn: what it owed, from when to when."""

    at: Address
    turn: Turn
    spans: list[tuple[str, Micros, Micros]] = field(factory=list)

    def seconds(self, owed: str) -> float:
        """How long it owed that."""
        return sum(end - start for kind, start, end in self.spans if kind == owed) / 1_000_000

    def bar(self, start: Micros, end: Micros) -> str:
        """The bar of the lane; what is shorter than a column has one, and work is seen before waiting."""
        signs, scale = [" "] * COLUMNS, max(1, end - start) / COLUMNS
        for owed in ("timer", "ask", "call"):
            for kind, begun, over in self.spans:
                if kind == owed:
                    first, last = (min(COLUMNS - 1, int((each - start) / scale)) for each in (begun, max(begun, over - 1)))
                    signs[first : last + 1] = SIGNS[owed] * (last + 1 - first)
        return "".join(signs)


def lanes(entries: Iterable[Entry], now: Micros) -> list[Lane]:
    """The lanes of a journal, in the order in which the components first owed something; what is open lasts until now."""
    found: dict[tuple[Address, Turn], Lane] = {}
    open_since: dict[tuple[Address, Turn], tuple[str, Micros]] = {}
    for row in entries:
        key = row.at, row.turn
        before = open_since.pop(key, None)
        if before is not None:
            found[key].spans.append((*before, row.time))
        owed = OWES[row.machine].get(row.dest)
        if owed is not None:
            found.setdefault(key, Lane(*key))
            open_since[key] = owed, row.time
    for key, before in open_since.items():
        found[key].spans.append((*before, max(now, before[1])))
    return list(found.values())


def lanes_of(inbox: Inbox, run_id: str) -> tuple[list[Lane], Micros, Micros]:
    """The lanes of a stored run, and its first and last instant; of a run that has not ended the last one is now."""
    record, entries = inbox.db.load(run_id), inbox.db.journal(run_id)
    start = record.identity.created
    end = entries[-1].time if entries and record.state.run in ENDED else inbox.host.clock()
    return lanes(entries, end), start, max(start, end)


def told_of(seconds: Seconds) -> str:
    """A time in words; a short one to a tenth of a second."""
    return lasting(seconds) if seconds >= MINUTE else f"{seconds:.1f} s"


def print_timeline(inbox: Inbox, run_id: str, *, as_json: bool) -> int:
    """Print the timeline; the exit code."""
    if as_json:
        print_json({"run_id": run_id, "timeline": timeline_document(inbox, run_id)})
        return exits.FINE
    for line in timeline_lines(inbox, run_id):
        click.echo(line)
    return exits.FINE


def timeline_lines(inbox: Inbox, run_id: str) -> Iterator[str]:
    """The timeline for people."""
    found, start, end = lanes_of(inbox, run_id)
    yield f"Timeline of {told_of((end - start) / 1_000_000)}"
    for lane in found:
        turn = "".join(f" {number + 1}" for number in lane.turn)
        told = [
            f"{word} {told_of(lane.seconds(owed))}"
            for owed, word in (("call", "works"), ("ask", "waits"), ("timer", "delayed"))
            if any(kind == owed for kind, *_ in lane.spans)
        ]
        yield f"  {named(name_of(lane.at)) + turn:<18} |{lane.bar(start, end)}| {', '.join(told)}"
    yield LEGEND


def timeline_document(inbox: Inbox, run_id: str) -> list[dict[str, Any]]:
    """The timeline as plain data, in seconds."""
    found, _, _ = lanes_of(inbox, run_id)
    return [
        {
            "address": lane.at,
            "turn": list(lane.turn),
            "works": lane.seconds("call"),
            "waits": lane.seconds("ask"),
            "delayed": lane.seconds("timer"),
            "began": lane.spans[0][1] / 1_000_000,
            "ended": lane.spans[-1][2] / 1_000_000,
        }
        for lane in found
    ]
