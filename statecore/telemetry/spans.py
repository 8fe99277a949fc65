"""Spans: one root span a slice, one span a call. No span is open over a pause (OBS-2).

The first row that a slice stores carries its `traceparent`, so that the next slice, in whichever process and store, is linked to it. The span of
a call is current while the user's code runs, in each colour and in the worker, because it is set in the context of that call.
"""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from attrs import define, field
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from statecore.lifecycles import words as w
from statecore.runtime.observers import Observer
from statecore.stores.detail import detail_of, detail_text
from statecore.stores.rules import STATUS

from .aside import DRAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from statecore.core import Address, Call, Commit
    from statecore.core.state import Turn
    from statecore.runtime.observers import Observed
    from statecore.stores import Boundary, Entry

Traces: TypeAlias = Literal["linked", "one"]
TRACES = get_args(Traces)
Place: TypeAlias = "tuple[Address, Turn, int]"
HEADER = "traceparent"
WINDOW, LARGEST, MOST = 64, 4_096, 65_536
"""How many rows are read at first where the slice before is looked for, at a time, and at all: a run may have been traced never before."""
TEXT = TraceContextTextMapPropagator()


@define
class Open:
    """The span of a slice, None where another process has it; and those of its calls that are not over."""

    span: Any
    calls: dict[Place, Any] = field(factory=dict)
    is_carried: bool = False
    is_over: bool = False


@define(eq=False)
class Spans(Observer):
    """The spans of the runs of a workflow. With `traces="linked"` each slice is a trace of its own, with "one" all slices of a run are one."""

    tracer: Any
    traces: Traces = "linked"

    # -- slices ------------------------------------------------------------------------------------------------------------------

    def carried(self, execution: Observed, boundary: Boundary) -> Boundary:
        """The boundary; the first row of a slice has its `traceparent`."""
        kept = self._open(execution)
        if kept.is_carried or kept.is_over or not boundary.entries:
            return boundary
        said = header_of(kept.span)
        if said is None:
            return boundary
        first, *others = boundary.entries
        detail = detail_text(detail_of(first.body.detail)._replace(traceparent=said))
        return boundary._replace(entries=(first._replace(body=first.body._replace(detail=detail)), *others))

    def stored(self, execution: Observed, effect: Commit, boundary: Boundary) -> None:
        """End the spans of the calls that this boundary ends, and that of the slice where the run rests now."""
        kept = self._open(execution)
        kept.is_carried = kept.is_carried or bool(boundary.entries)
        for move in effect.after.moves:
            span = kept.calls.pop((move.at, move.turn, move.attempt), None)
            if span is not None:
                end(span, move.trigger)
        if effect.after.state.run not in (w.pending, w.running):
            self.left(execution)

    def left(self, execution: Observed) -> None:
        """End the span of a slice, and those of calls that are not over: nobody waits for them any longer."""
        kept: Open | None = execution.observed.get(self)
        if kept is None or kept.is_over:
            return
        kept.is_over = True
        for span in kept.calls.values():
            end(span, w.interrupt)
        kept.calls.clear()
        if kept.span is not None:
            run = execution.state.run
            kept.span.set_attribute("statecore.status", STATUS[run])
            if run == w.failed:
                kept.span.set_status(Status(StatusCode.ERROR))
            DRAIN.do(kept.span.end, time_ns())

    def _open(self, execution: Observed) -> Open:
        """The spans of a slice, which begin with the first thing that is told of it."""
        kept: Open | None = execution.observed.get(self)
        if kept is None:
            kept = execution.observed[self] = Open(self._root(execution))
        return kept

    def _root(self, execution: Observed) -> Any:
        """The span of a new slice: linked to the slice before and to the request that began or decided it."""
        identity = execution.identity
        before = spans_of(newest(execution))
        request = trace.get_current_span(execution.context.run(contexts.get_current)).get_span_context()
        links = [Link(each, {"statecore.link": "slice"}) for each in before]
        if request.is_valid:
            links.append(Link(request, {"statecore.link": "request"}))
        around = contexts.Context()
        if self.traces == "one":
            first = spans_of(oldest(execution)) if before else ([request] if request.is_valid else [])
            around = trace.set_span_in_context(NonRecordingSpan(first[0]), around) if first else around
        said = {"statecore.run_id": identity.run_id, "statecore.workflow": identity.workflow_id, "statecore.slice": execution.epoch}
        return self.tracer.start_span(f"run {identity.workflow_name}", around, links=links, attributes=said)

    # -- calls -------------------------------------------------------------------------------------------------------------------

    def calling(self, execution: Observed, call: Call) -> None:
        """Begin the span of a call, and make it current in this context."""
        kept: Open | None = execution.observed.get(self)
        if kept is None:  # the run is executed elsewhere, and this process makes one call of it
            kept = execution.observed[self] = Open(None)
        around = contexts.get_current()
        parent = trace.set_span_in_context(kept.span, around) if kept.span is not None else around
        said = {
            "statecore.run_id": execution.identity.run_id,
            "statecore.workflow": execution.identity.workflow_id,
            "statecore.address": call.at,
            "statecore.attempt": call.attempt,
            "statecore.call": call.kind,
        }
        span = self.tracer.start_span(f"step {execution.program.nodes[call.at].name}", parent, attributes=said)
        kept.calls[execution.place(call)] = span
        contexts.attach(trace.set_span_in_context(span, around))

    def called(self, execution: Observed, call: Call, trigger: str) -> None:
        """End the span of a call whose boundary another process stores."""
        kept: Open | None = execution.observed.get(self)
        span = kept.calls.pop(execution.place(call), None) if kept is not None else None
        if span is not None:
            end(span, trigger)


def end(span: Any, trigger: str) -> None:
    """End the span of a call, now; of an error it has no word, for these may hold values."""
    if trigger in (w.fail, w.interrupt):
        span.set_status(Status(StatusCode.ERROR, trigger))
    span.set_attribute("statecore.outcome", trigger)
    DRAIN.do(span.end, time_ns())


# -- across processes --------------------------------------------------------------------------------------------------------------


def header_of(span: Any) -> str | None:
    """The `traceparent` of a span; None where nothing records it."""
    carrier: dict[str, str] = {}
    TEXT.inject(carrier, trace.set_span_in_context(span, contexts.Context()))
    return carrier.get(HEADER)


def spans_of(header: str | None) -> list[Any]:
    """The span that a `traceparent` names, in a list; none where there is none, or it names none."""
    if header is None:
        return []
    found = trace.get_current_span(TEXT.extract({HEADER: header}, contexts.Context())).get_span_context()
    return [found] if found.is_valid else []


def newest(execution: Observed) -> str | None:
    """The `traceparent` of the slice before; None for the first one."""
    return next((found for rows in windows(execution, backwards=True) if (found := header_in(reversed(rows))) is not None), None)


def oldest(execution: Observed) -> str | None:
    """The `traceparent` of the first slice that has one."""
    return next((found for rows in windows(execution, backwards=False) if (found := header_in(rows)) is not None), None)


def windows(execution: Observed, *, backwards: bool) -> Iterator[list[Entry]]:
    """The rows of a run, more and more at a time, without their values where the store can leave them out."""
    store, run_id = execution.host.store, execution.identity.run_id
    rows = getattr(store, "outline", None) or store.journal
    size, read = WINDOW, 0
    while read < min(MOST, execution.seq):
        upto = min(read + size, execution.seq)
        yield rows(run_id, execution.seq - upto, execution.seq - read) if backwards else rows(run_id, read, upto)
        size, read = min(2 * size, LARGEST), upto


def header_in(rows: Iterable[Entry]) -> str | None:
    """The first `traceparent` of some rows."""
    return next((found for row in rows if row.body.detail and (found := detail_of(row.body.detail).traceparent) is not None), None)
