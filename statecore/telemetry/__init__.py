"""Telemetry of runs: spans and metrics by OpenTelemetry, metrics as Prometheus text, and the probes of a worker.

Owns: listeners of the runtime (`runtime.observers`) and what they tell other programs. `spans` makes a span of each slice of a run and of each
call; `metrics` counts what this process does, `tallies` reads the gauges of a store; `otel` hands the same figures to OpenTelemetry, and has
`instrument`; `serving` answers `/metrics`, `/healthz` and `/readyz`; `aside` has the thread that ends spans. A failure here, and an exporter
that hangs, change no run (OBS-2).

    from statecore.telemetry import instrument

    instrument(workflow)  # spans and metrics go to the providers that the program has set

May enter: the runtime and all rooms below, and `opentelemetry`, which no other room imports. No facade, no screen.

Start with `otel.instrument`.
"""

from typing import TYPE_CHECKING

from statecore.lazy import OTEL, lazy

if TYPE_CHECKING:
    from .aside import flush
    from .metrics import Metrics, measure
    from .otel import instrument

_HOMES = {
    "Metrics": "statecore.telemetry.metrics",
    "flush": "statecore.telemetry.aside",
    "instrument": "statecore.telemetry.otel",
    "measure": "statecore.telemetry.metrics",
}

__all__ = ["Metrics", "flush", "instrument", "measure"]

if not TYPE_CHECKING:
    __all__, __getattr__, __dir__ = lazy(__name__, __all__, _HOMES, {"instrument": OTEL})
