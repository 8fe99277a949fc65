"""Where a run is, seen from a question: the way there, the output under review, the failure that is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statecore.asking.text import clean
from statecore.client.shapes import FailureDocument, PositionDocument, ReviewDocument
from statecore.codec import decode_plain
from statecore.core.program import ROOT
from statecore.errors import UnreadableValue
from statecore.lifecycles import SHOWS
from statecore.lifecycles import words as w
from statecore.stores.detail import pause_detail
from statecore.stores.history import OVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore.client.shapes import ValueDocument
    from statecore.core import Address, Micros
    from statecore.core.program import Node
    from statecore.stores.history import Visit
    from statecore.stores.records import Pause

    from .stored import StoredRun

SAID = {w.completed: "done", w.skipped: "skipped", w.failed: "failed", w.cancelled: "skipped"}
"""The words for a component that is over."""


def position(stored: StoredRun, pause: Pause, at: Callable[[Micros], str]) -> list[PositionDocument]:
    """The components of the workflow in their order; those inside another one only where the question is inside it, too."""
    program = stored.program
    around = {each.at for each in program.ancestors(pause.at)} if pause.at in program.nodes else set()
    visits: dict[Address, Visit] = {}
    for visit in stored.history.visits.values():
        least = min(len(visit.turn), len(pause.turn))
        if visit.turn[:least] == pause.turn[:least]:
            visits[visit.at] = visit

    def one(node: Node) -> PositionDocument:
        visit = visits.get(node.at)
        over = visit is not None and visit.phase in OVER
        here = node.at == pause.at or node.at in around
        state = SAID[visit.phase] if visit is not None and over else "here" if here else "ahead" if visit is None else "running"
        return PositionDocument(
            address=node.at, name=node.name, state=state, at=at(visit.newest.time) if visit is not None and over else None
        )

    return [one(node) for node in listed(list(program.nodes.values()), ROOT, around)]


def listed(nodes: list[Node], parent: Address, opened: set[Address]) -> Iterator[Node]:
    """The nodes below a parent in their order, each with those inside it where it is opened."""
    for node in nodes:
        if node.parent == parent and node.at != ROOT:
            yield node
            if node.at in opened:
                yield from listed(nodes, node.at, opened)


def failure(pause: Pause, stored: StoredRun) -> FailureDocument | None:
    """The failure that a question is about; None for another question."""
    if SHOWS[pause.kind] != "error":
        return None
    said = pause_detail(pause.detail)
    visit = stored.history.visits.get((pause.at, pause.turn))
    told = visit.failures[-1] if visit is not None and visit.failures else {}
    return FailureDocument(
        type=said.error_type or "",
        text=said.error or "",
        frame=clean(told["where"]) if told.get("where") else None,
        tries=pause.attempt + 1,
        traceback_href=None,
    )


def review(pause: Pause, stored: StoredRun, value: Callable[[str, str | None], ValueDocument | None]) -> ReviewDocument | None:
    """The output under review, with the one before it; None for another question."""
    if SHOWS[pause.kind] != "output":
        return None
    said = pause_detail(pause.detail)
    output, before, feedback = stored.reviewed(pause)
    is_loop = said.iteration is not None
    return ReviewDocument(
        attempt=said.iteration or 1 if is_loop else (said.retry_count or 0) + 1,
        of=said.max_iterations or 1 if is_loop else (said.max_retries or 0) + 1,
        output=value("output", output),
        previous=value("before", before),
        feedback=text_of(feedback),
    )


def text_of(stored: str | None) -> str | None:
    """The feedback of a person as a text; None where none was given."""
    if stored is None:
        return None
    try:
        said = decode_plain(stored)
    except UnreadableValue:
        return None
    return None if said is None else str(said)
