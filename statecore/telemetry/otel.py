"""`instrument`: spans and metrics of a workflow, by the OpenTelemetry API, to the providers that the program has set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opentelemetry import metrics as meters
from opentelemetry import trace
from opentelemetry.metrics import Observation

from statecore.errors import UnsupportedSetting, WrongArgument

from .metrics import METRICS, Labels, Metric, Metrics
from .spans import TRACES, Spans, Traces
from .tallies import SEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from statecore.runtime.observers import Observers

NAME, CALL = "statecore", "instrument"
A_WORKFLOW = "workflow", "a workflow"


class Hosted(Protocol):
    """A workflow, as far as it is observed."""

    host: Any


W = TypeVar("W", bound=Hosted)


def instrument(workflow: W, traces: Traces = "linked", *, tracer_provider: Any = None, meter_provider: Any = None) -> W:
    """Send spans and metrics of a workflow's runs in this process to OpenTelemetry, and return the workflow.

    Each slice of a run (what one process does of it between two pauses) is a root span, linked to the slice before and to the span that was
    current where the run was started or continued; each call of user code is a span below it, current while the code runs. `traces="one"` puts all
    slices of a run into one trace. The first row that a slice stores carries its `traceparent`, so that the next slice finds it in any process.
    The providers are those that the program has set, unless they are given. A telemetry that raises, and an exporter that
    hangs, change no run; a sampler and `on_start` run in the caller, who waits for them. Raises
    `UnsupportedSetting` for another word in `traces`. Example: `instrument(Workflow("payout", steps, db=db))`
    """
    if traces not in TRACES:
        raise UnsupportedSetting(CALL, f"traces={traces!r}", "it says how the slices of a run belong together", TRACES)
    if not hasattr(getattr(workflow, "host", None), "observers"):
        raise WrongArgument(CALL, *A_WORKFLOW, workflow)
    tracer = trace.get_tracer(NAME, tracer_provider=tracer_provider)
    observers: Observers = workflow.host.observers
    observers.add(Spans(tracer, traces))
    observers.add(handed(workflow, meters.get_meter(NAME, meter_provider=meter_provider)))
    return workflow


class Handed(Metrics):
    """The metrics of one workflow, handed to OpenTelemetry; apart from those of `measure`."""


def handed(workflow: Any, meter: Any) -> Metrics:
    """Metrics that OpenTelemetry gets as they are counted, and gauges that it reads when it asks."""
    made = {family: instrument_of(meter, family) for family in METRICS}

    def hand(family: Metric, labels: Labels, value: float) -> None:
        made[family](value, dict(zip(family.labels, labels, strict=True)))

    metrics = Handed((workflow,), hand)
    for name, said in SEEN:
        meter.create_observable_gauge(name, [reading(metrics, name)], description=said)
    return metrics


def instrument_of(meter: Any, family: Metric) -> Callable[..., None]:
    """The function of an instrument that takes a value and its labels."""
    if family.type == "counter":
        add: Callable[..., None] = meter.create_counter(family.name.removesuffix("_total"), description=family.help).add
        return add
    record: Callable[..., None] = meter.create_histogram(
        family.name.removesuffix("_seconds"), "s", family.help, explicit_bucket_boundaries_advisory=family.bounds
    ).record
    return record


def reading(metrics: Metrics, name: str) -> Callable[[Any], Iterator[Observation]]:
    """The callback of a gauge."""

    def read(_: Any) -> Iterator[Observation]:
        for gauge in metrics.gauges():
            if gauge.name == name:
                yield Observation(gauge.value, dict(gauge.labels))

    return read
