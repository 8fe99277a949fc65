"""OBS-1 and OBS-2 on Temporal: a run is told once, whatever Temporal repeats of its history; each call has a span in the worker."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from statecore import OnError, Step, Workflow
from statecore.telemetry import flush, instrument
from statecore.temporal import TemporalDb
from tests.temporal.conftest import GATE, Serve, history_of
from tests.temporal.record import replay

WHOLE = [
    "started",
    "has a call that failed at 'fetch'",
    "asks a person (error) at 'fetch'",
    "paused",
    "resumed",
    "retries: a person has a step called again at 'fetch'",
    "asks a person (confirmation) at 'gate'",
    "paused",
    "resumed",
    "completed",
]


@pytest.mark.spec("OBS-1", "OBS-2")
def test_a_run_on_temporal_is_told_once(serve: Serve, db: TemporalDb, caplog: pytest.LogCaptureFixture) -> None:
    """Its records are those of any driver; a replay of its history tells nothing again; its calls have spans, current while they run."""
    fails = iter([OSError("the-secret-4711")])
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("user")

    def fetch(_: object) -> int:
        for error in fails:
            raise error
        with tracer.start_as_current_span("user"):
            return 1

    workflow = instrument(Workflow("told", [Step("fetch", fetch, on_error=OnError.pause), GATE]), tracer_provider=provider)
    with caplog.at_level(logging.INFO, "statecore"):
        runs = serve(workflow)
        run = runs.run("x", timeout=30)
        run.steps_with_errors[0].retry()
        run = runs.continue_run(run, timeout=30)
        run.steps_requiring_confirmation[0].confirm()
        run = runs.continue_run(run, timeout=30)
        assert run.status.value == "COMPLETED"
        told = [each.getMessage() for each in caplog.records if each.name == "statecore"]
        assert [re.sub(r"run '[^']*' of 'told' ", "", each) for each in told] == WHOLE
        replay(history_of(db, run.run_id))
        assert len([each for each in caplog.records if each.name == "statecore"]) == len(WHOLE)
    assert flush(10)
    ended: list[Any] = list(exporter.get_finished_spans())
    calls = [span for span in ended if span.name == "step fetch"]
    [user] = [span for span in ended if span.name == "user"]
    assert [span.attributes["statecore.outcome"] for span in calls] == ["fail", "succeed"]
    assert user.parent.span_id == calls[1].context.span_id
    assert "the-secret-4711" not in caplog.text
