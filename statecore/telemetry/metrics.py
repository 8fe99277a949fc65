"""Metrics: what this process did, counted where it was stored, and what the store holds, as Prometheus text (OBS-3).

Labels are workflow, step and kind: never a run, a person or a value. A counter belongs to its process and begins with it, as Prometheus expects;
a gauge is read from the store, at most every 15 seconds, so that it is right immediately after a restart. The time that a question waited is
counted by the process that stored its outcome.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from attrs import define, field

from statecore.lifecycles import words as w
from statecore.runtime.observers import Observer
from statecore.stores.rules import STATUS

from .tallies import Gauge, gauges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from statecore.core import Address, Call, Commit, Seconds
    from statecore.core.state import Turn
    from statecore.runtime.host import Runnable
    from statecore.runtime.observers import Observed
    from statecore.stores import Boundary

Labels: TypeAlias = "tuple[str, ...]"
EVERY = 15.0
"""For how many seconds the gauges of a store are kept."""
CALLS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)
WAITS = (1.0, 10.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 259_200.0, 604_800.0, 2_592_000.0)
"""The bounds of the histograms, in seconds."""


class Metric(NamedTuple):
    """A metric: its name, its type, its help, the names of its labels, and the bounds of a histogram."""

    name: str
    type: str
    help: str
    labels: Labels
    bounds: tuple[float, ...] = ()


CALL_SECONDS = Metric(
    "statecore_call_duration_seconds", "histogram", "Time of a call of user code.", ("workflow", "step", "kind"), CALLS
)
CALL_ENDS = Metric("statecore_calls_total", "counter", "Calls of user code by outcome.", ("workflow", "step", "kind", "outcome"))
RETRIES = Metric("statecore_retries_total", "counter", "Calls that follow a failed one.", ("workflow", "step"))
WAITING = Metric(
    "statecore_question_wait_seconds", "histogram", "Time from a question to its stored outcome.", ("workflow", "kind"), WAITS
)
SLICES = Metric("statecore_slices_total", "counter", "Slices of runs by the status they ended in.", ("workflow", "status"))
RENEWALS = Metric("statecore_lease_renewals_total", "counter", "Leases renewed during long calls.", ("workflow",))
METRICS = (CALL_SECONDS, CALL_ENDS, RETRIES, WAITING, SLICES, RENEWALS)


@define
class Histogram:
    """The values of one set of labels: how many lie in each bucket, how many there are, and their sum."""

    counts: list[int]
    sum: float = 0.0
    count: int = 0

    def add(self, value: float, bounds: tuple[float, ...]) -> None:
        """Count a value; one beyond the last bound is in `count` alone."""
        place = bisect_left(bounds, value)
        if place < len(self.counts):
            self.counts[place] += 1
        self.sum, self.count = self.sum + value, self.count + 1


class Calling(NamedTuple):
    """A call that is being made: its step, its kind, and when it began."""

    step: str
    kind: str
    began: Seconds


@define(eq=False)
class Metrics(Observer):
    """The metrics of a process: those of the workflows given to `measure`, and the gauges of their stores.

    `text()` is what a scrape reads, in the text format of Prometheus.
    """

    workflows: tuple[Runnable, ...] = ()
    hand: Callable[[Metric, Labels, float], None] | None = None
    """A function that gets each value as it is counted."""
    counters: dict[tuple[Metric, Labels], float] = field(factory=dict)
    histograms: dict[tuple[Metric, Labels], Histogram] = field(factory=dict)
    _lock: Lock = field(factory=Lock, repr=False)
    _reading: Lock = field(factory=Lock, repr=False)
    """Held while the stores are asked, which may take long; what is counted meanwhile does not wait for it."""
    _read: tuple[Seconds, list[Gauge]] | None = None

    # -- what is counted -----------------------------------------------------------------------------------------------------------

    def count(self, family: Metric, labels: Labels) -> None:
        """Count one more."""
        with self._lock:
            self.counters[family, labels] = self.counters.get((family, labels), 0.0) + 1
        if self.hand is not None:
            self.hand(family, labels, 1)

    def observe(self, family: Metric, labels: Labels, value: float) -> None:
        """Add a value to a histogram."""
        with self._lock:
            found = self.histograms.get((family, labels))
            if found is None:
                found = self.histograms[family, labels] = Histogram([0] * len(family.bounds))
            found.add(max(0.0, value), family.bounds)
        if self.hand is not None:
            self.hand(family, labels, max(0.0, value))

    def calling(self, execution: Observed, call: Call) -> None:
        """A call begins."""
        calls: dict[Any, Calling] = execution.observed.setdefault(self, {})
        calls[execution.place(call)] = Calling(execution.program.nodes[call.at].name, call.kind, monotonic())

    def called(self, execution: Observed, call: Call, trigger: str) -> None:
        """A call has ended whose boundary another process stores."""
        self._over(execution, execution.place(call), trigger)

    def stored(self, execution: Observed, effect: Commit, boundary: Boundary) -> None:
        """A boundary is durable: calls have ended, questions have an outcome, the run may rest now."""
        workflow = execution.identity.workflow_id
        for move in effect.after.moves:
            self._over(execution, (move.at, move.turn, move.attempt), move.trigger)
            if move.dest == w.backing_off or move.trigger == w.retry:
                self.count(RETRIES, (workflow, execution.program.nodes[move.at].name))
        for pause_id in boundary.closed:
            asked = execution.host.store.pause(execution.identity.run_id, pause_id)
            if asked is not None:
                self.observe(WAITING, (workflow, asked.pause.kind), (boundary.time - asked.pause.opened) / 1_000_000)
        if effect.after.state.run not in (w.pending, w.running):
            self.count(SLICES, (workflow, STATUS[effect.after.state.run]))

    def renewed(self, execution: Observed) -> None:
        """A lease was renewed."""
        self.count(RENEWALS, (execution.identity.workflow_id,))

    def _over(self, execution: Observed, place: tuple[Address, Turn, int], trigger: str) -> None:
        """A call is over, if one was made there."""
        made: Calling | None = execution.observed.get(self, {}).pop(place, None)
        if made is not None:
            labels = (execution.identity.workflow_id, made.step, made.kind)
            self.observe(CALL_SECONDS, labels, monotonic() - made.began)
            self.count(CALL_ENDS, (*labels, trigger))

    # -- what is read --------------------------------------------------------------------------------------------------------------

    def gauges(self) -> list[Gauge]:
        """The gauges of the stores, at most 15 seconds old. A store that does not answer has `statecore_store_up` 0 and no other gauge."""
        with self._reading:
            if self._read is None or monotonic() - self._read[0] >= EVERY:
                self._read = monotonic(), list(gauges(self.workflows))
            return self._read[1]

    def text(self) -> str:
        """All metrics in the text format of Prometheus, version 0.0.4."""
        found = self.gauges()
        with self._lock:
            return "".join(f"{line}\n" for line in (*self._own(), *shown(found)))

    def _own(self) -> Iterator[str]:
        """The lines of the metrics of this process."""
        for family in METRICS:
            yield from head(family.name, family.type, family.help)
            for (of, labels), value in sorted(self.counters.items()):
                if of is family:
                    yield line(family.name, dict(zip(family.labels, labels, strict=True)), value)
            for (of, labels), values in sorted(self.histograms.items(), key=lambda item: item[0]):
                if of is family:
                    yield from buckets(family, dict(zip(family.labels, labels, strict=True)), values)


def measure(*workflows: Runnable) -> Metrics:
    """Measure workflows in this process, and return the metrics. A workflow that was measured before is measured anew."""
    metrics = Metrics(workflows)
    for workflow in workflows:
        workflow.host.observers.add(metrics)
    return metrics


# -- the text ----------------------------------------------------------------------------------------------------------------------


def head(name: str, kind: str, said: str) -> Iterator[str]:
    """The lines before the values of a metric."""
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"


def shown(found: Iterable[Gauge]) -> Iterator[str]:
    """The lines of the gauges, a metric's together."""
    before = ""
    for gauge in sorted(found, key=lambda each: each.name):
        if gauge.name != before:
            yield from head(gauge.name, "gauge", gauge.help)
        before = gauge.name
        yield line(gauge.name, gauge.labels, gauge.value)


def buckets(family: Metric, labels: Mapping[str, str], values: Histogram) -> Iterator[str]:
    """The lines of a histogram: each bucket counts what is not above its bound."""
    below = 0
    for bound, count in zip(family.bounds, values.counts, strict=True):
        below += count
        yield line(f"{family.name}_bucket", {**labels, "le": f"{bound:g}"}, below)
    yield line(f"{family.name}_bucket", {**labels, "le": "+Inf"}, values.count)
    yield line(f"{family.name}_sum", labels, values.sum)
    yield line(f"{family.name}_count", labels, values.count)


def line(name: str, labels: Mapping[str, str], value: float) -> str:
    """A value with its labels."""
    told = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value!r}" if told else f"{name} {value!r}"


def escaped(text: str) -> str:
    """The text of a label; a lone surrogate, which no encoding has, is replaced."""
    plain = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return plain.encode("utf-8", "replace").decode()
