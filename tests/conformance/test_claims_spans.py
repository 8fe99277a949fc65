"""OBS-2: the spans of runs, by the real SDK of OpenTelemetry, in every colour, in workers and across processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from statecore import InMemoryDb, Parallel, SqliteDb, Step, Worker, Workflow
from statecore.errors import UnsupportedSetting, WrongArgument
from statecore.stores.detail import detail_of
from statecore.telemetry import flush, instrument

pytestmark = pytest.mark.spec("OBS-2")

USER = "user.http"


class Exported:
    """A provider of its own, and the spans that have ended."""

    def __init__(self, exporter: Any = None):
        self.exporter: Any = exporter or InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("user")

    def spans(self):
        """The spans that have ended, by beginning."""
        assert flush(10)
        return sorted(self.exporter.get_finished_spans(), key=lambda span: span.start_time)

    def named(self, beginning):
        """Those of a name."""
        return [span for span in self.spans() if span.name.startswith(beginning)]


@pytest.fixture
def exported():
    """Spans in memory."""
    return Exported()


def flow(db, exported, **options):
    """Plain and async steps, a generator, branches and a gate; each makes a span of its own."""

    def plain(step_input):
        with exported.tracer.start_as_current_span(f"{USER} {step_input.step_name}"):
            return 1

    async def later(step_input):
        await asyncio.sleep(0)
        return plain(step_input)

    def pieces(step_input):
        yield "a"
        plain(step_input)

    both = Parallel(Step("left", later), Step("right", plain), name="both")
    steps: list[Any] = [Step("quote", plain), both, Step("pay", later, requires_confirmation=True), Step("told", pieces)]
    return instrument(Workflow("flow", steps, db), tracer_provider=exported.provider, **options)


def narrow(db):
    """A gate between two steps, of which one is async; no step makes a span, and no branch is faster than another."""

    async def later(_):
        await asyncio.sleep(0)
        return 2

    return Workflow(
        "flow", [Step("quote", lambda _: 1), Step("pay", later, requires_confirmation=True), Step("told", lambda _: 3)], db
    )


def pause_and_go_on(workflow, drive):
    """Run to the pause, decide, and run to the end."""
    run = drive.run(workflow, run_id="r")
    assert run.is_paused
    workflow.decide("r", "pay:confirmation:0", "confirm")
    return drive.resume(workflow, run_id="r")


STEPS = ["quote", "left", "right", "pay", "told"]


def test_each_slice_is_a_root_span_and_each_call_a_span_below(db, drive, exported):
    """Two slices are two traces, the second linked to the first; each call's span is below its slice and current while the code runs."""
    pause_and_go_on(flow(db, exported), drive)
    first, second = exported.named("run flow")
    assert (first.parent, second.parent) == (None, None)
    assert first.context.trace_id != second.context.trace_id
    assert [(link.context.span_id, link.attributes["statecore.link"]) for link in second.links] == [
        (first.context.span_id, "slice")
    ]
    assert (first.attributes["statecore.status"], second.attributes["statecore.status"]) == ("PAUSED", "COMPLETED")
    steps = {span.name.removeprefix("step "): span for span in exported.named("step ")}
    assert set(steps) == set(STEPS)
    owners = {name: first if name in ("quote", "left", "right") else second for name in STEPS}
    assert {name: span.parent.span_id for name, span in steps.items()} == {name: owners[name].context.span_id for name in STEPS}
    users = {span.name.removeprefix(f"{USER} "): span.parent.span_id for span in exported.named(USER)}
    assert users == {name: span.context.span_id for name, span in steps.items()}


def test_no_span_is_open_over_a_pause(db, drive, exported):
    """When a run is paused every span of it has ended, and the next one begins after the decision."""
    workflow = flow(db, exported)
    drive.run(workflow, run_id="r")
    ended = {span.context.span_id for span in exported.spans()}
    assert len(exported.named("run flow")) == 1
    assert {span.parent.span_id for span in exported.named("step ")} <= ended
    workflow.decide("r", "pay:confirmation:0", "confirm")
    assert {span.context.span_id for span in exported.spans()} == ended
    drive.resume(workflow, run_id="r")
    first, second = exported.named("run flow")
    assert first.end_time <= second.start_time


def test_all_slices_may_be_one_trace(exported):
    """With `traces="one"` each slice is below the first one's parent, in one trace, and still linked to the slice before."""
    workflow = flow(InMemoryDb(), exported, traces="one")
    with exported.tracer.start_as_current_span("request") as request:
        workflow.run("x", run_id="r")
    workflow.decide("r", "pay:confirmation:0", "confirm")
    workflow.continue_run(run_id="r")
    first, second = exported.named("run flow")
    assert {span.context.trace_id for span in exported.spans()} == {request.get_span_context().trace_id}
    assert second.parent.span_id == first.context.span_id
    assert "slice" in {link.attributes["statecore.link"] for link in second.links}


def test_a_slice_is_linked_to_its_request(db, drive, exported):
    """The span that is current where a run is started or continued is a link of the slice's root span."""
    workflow = flow(db, exported)
    with exported.tracer.start_as_current_span("start") as start:
        drive.run(workflow, run_id="r")
    workflow.decide("r", "pay:confirmation:0", "confirm")
    with exported.tracer.start_as_current_span("decided") as decided:
        drive.resume(workflow, run_id="r")
    first, second = exported.named("run flow")
    links = [{link.attributes["statecore.link"]: link.context.span_id for link in span.links} for span in (first, second)]
    assert links[0] == {"request": start.get_span_context().span_id}
    assert links[1] == {"slice": first.context.span_id, "request": decided.get_span_context().span_id}


@pytest.mark.parametrize("in_a_loop", [False, True], ids=["threads", "arun"])
def test_a_worker_traces_as_a_driver_does(db, exported, in_a_loop):
    """The slices of a worker, on threads or in a loop, have the same spans, and are linked across workers."""
    workflow = flow(db, exported)

    def work():
        worker = Worker(workflow)
        asyncio.run(worker.arun(until_idle=True)) if in_a_loop else worker.work(until_idle=True)

    run_id = workflow.submit("x").run_id
    work()
    workflow.decide(run_id, "pay:confirmation:0", "confirm")
    work()
    first, second = exported.named("run flow")
    assert [link.context.span_id for link in second.links] == [first.context.span_id]
    steps = {span.context.span_id: span.name.removeprefix("step ") for span in exported.named("step ")}
    assert sorted(steps.values()) == sorted(STEPS)
    assert {span.name.removeprefix(f"{USER} "): steps[span.parent.span_id] for span in exported.named(USER)} == {
        n: n for n in STEPS
    }


def test_a_failed_call_has_a_status_and_no_words(exported):
    """The span of a call that raises is an error that says no word of the exception; the slice's is one, too."""

    def fails(_):
        raise OSError("the-secret-4711")

    workflow = instrument(Workflow("w", [Step("a", fails, max_retries=1, retry_delay=0)]), tracer_provider=exported.provider)
    with pytest.raises(OSError, match="secret"):
        workflow.run("the-secret-4711")
    assert [span.attributes["statecore.attempt"] for span in exported.named("step a")] == [0, 1]
    assert {span.status.status_code for span in exported.spans()} == {trace.StatusCode.ERROR}
    assert "the-secret-4711" not in "".join(span.to_json() for span in exported.spans())


def journal(db, run_id="r"):
    """A journal without its times, and with what its details say beside the trace."""
    rows = db.journal(run_id)
    details = [detail_of(row.body.detail)._replace(traceparent=None) for row in rows]
    return [(*row[:8], detail, row.body.value) for row, detail in zip(rows, details, strict=True)]


def headers(db, run_id="r"):
    """The traces that a journal names, by row."""
    return {row.seq: found for row in db.journal(run_id) if (found := detail_of(row.body.detail).traceparent) is not None}


def test_only_the_first_row_of_a_slice_has_a_trace(db, drive, exported):
    """A journal has one `traceparent` a slice where it is traced, none where it is not, and is the same otherwise."""
    plain = InMemoryDb()
    pause_and_go_on(instrument(narrow(db), tracer_provider=exported.provider), drive)
    pause_and_go_on(narrow(plain), drive)
    first, second = exported.named("run flow")
    traces = [f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}" for span in (first, second)]
    found = headers(db)
    assert [each.rpartition("-")[0] for each in found.values()] == traces  # then come flags
    assert min(found) == 1
    assert headers(plain) == {}
    assert journal(db) == journal(plain)


def test_a_long_slice_is_found_again(exported):
    """A slice of more rows than are looked at together is linked by the next one; of a run that was never traced nothing is."""
    steps = [*(Step(f"s{n}", lambda _: 1) for n in range(200)), Step("gate", lambda _: 1, requires_confirmation=True)]
    for traced in (True, False):
        db = InMemoryDb()
        before = Workflow("long", steps, db)
        after = instrument(Workflow("long", steps, db), tracer_provider=exported.provider)
        (after if traced else before).run("x", run_id="r")
        after.decide("r", "gate:confirmation:0", "confirm")
        assert exported.spans() is not None  # they have ended
        exported.exporter.clear()
        after.continue_run(run_id="r")
        [slice_] = exported.named("run long")
        assert len(slice_.links) == traced
        assert db.load("r").seq > 400


# -- telemetry that does not work ------------------------------------------------------------------------------------------------------


class Broken:
    """A tracer of which nothing works."""

    def start_span(self, *_, **__):
        """Fail."""
        raise RuntimeError("telemetry is broken")


class Hanging:
    """An exporter that hangs until it is let go."""

    def __init__(self):
        self.go, self.seen = Event(), []

    def export(self, spans):
        """Hang."""
        self.go.wait()
        self.seen.extend(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self):
        """There is nothing to end."""


def test_telemetry_that_raises_changes_nothing(drive, caplog):
    """A run whose every span raises has the journal and the output of one without telemetry; the log says so once."""
    outcomes = []
    for broken in (True, False):
        db = InMemoryDb()
        workflow = narrow(db)
        if broken:
            instrument(workflow)
            spans: Any = workflow.host.observers.each[0]
            spans.tracer = Broken()
        outcomes.append((pause_and_go_on(workflow, drive).content, journal(db)))
    assert outcomes[0] == outcomes[1]
    said = [each for each in caplog.records if "telemetry raised RuntimeError" in each.getMessage()]
    assert len(said) == 1


def test_telemetry_that_hangs_changes_nothing(drive):
    """A run ends while the exporter of its first span still hangs; the spans are exported, in order, once it goes on."""
    hanging = Hanging()
    exported = Exported(hanging)
    try:
        assert pause_and_go_on(instrument(narrow(InMemoryDb()), tracer_provider=exported.provider), drive).content == 3
        assert hanging.seen == []
        assert not flush(0.01)
    finally:
        hanging.go.set()
    assert flush(10)
    assert {span.name for span in hanging.seen} >= {"run flow", "step quote"}


def test_without_a_provider_nothing_is_stored(drive):
    """Where the program has set no provider the API makes spans that record nothing, and no row names one."""
    db = InMemoryDb()
    pause_and_go_on(instrument(narrow(db)), drive)
    assert headers(db) == {}


def test_instrument_needs_its_extra_and_a_workflow():
    """Another word, another thing than a workflow, and an absent package are refused by name."""
    with pytest.raises(UnsupportedSetting, match="linked"):
        instrument(Workflow("w", []), traces="all")  # type: ignore[arg-type]
    with pytest.raises(WrongArgument):
        instrument("w")  # type: ignore[type-var]
    program = (
        "import sys; sys.modules['opentelemetry'] = None; from statecore import telemetry; telemetry.measure; telemetry.instrument"
    )
    refused = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingExtra" in refused.stderr
    assert "statecore[otel]" in refused.stderr


# -- across processes --------------------------------------------------------------------------------------------------------------


class Receiver(BaseHTTPRequestHandler):
    """An OTLP receiver: it keeps the spans of each request."""

    def do_POST(self):
        """Take spans."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = ExportTraceServiceRequest.FromString(body)
        self.server.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[HTTPServer]:
    """A receiver on loopback."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.spans = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


PROGRAM = """
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from statecore import SqliteDb, Step, Workflow
from statecore.telemetry import instrument

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=sys.argv[1])))
trace.set_tracer_provider(provider)
steps = [Step("quote", lambda _: 1), Step("pay", lambda _: 2, requires_confirmation=True)]
workflow = instrument(Workflow("payout", steps, SqliteDb(db_file=sys.argv[2])))
if sys.argv[3] == "run":
    workflow.run("x", run_id="r")
else:
    workflow.decide("r", "pay:confirmation:0", "confirm")
    workflow.continue_run(run_id="r")
"""


def test_two_processes_are_linked_over_otlp(tmp_path):
    """A run in one process and its continuation in another send their spans by OTLP/HTTP when they end; the second is linked to the first."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with receiver() as server:
        endpoint = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
        for what in ("run", "go on"):
            command = [sys.executable, "-c", PROGRAM, endpoint, str(tmp_path / "runs.db"), what]
            subprocess.run(command, check=True, env=environment)
        roots = [span for span in server.spans if span.name == "run payout"]  # type: ignore[attr-defined]
        names = sorted(span.name for span in server.spans)  # type: ignore[attr-defined]
    assert names == ["run payout", "run payout", "step pay", "step quote"]
    first, second = sorted(roots, key=lambda span: span.start_time_unix_nano)
    assert [link.span_id for link in second.links] == [first.span_id]
    assert SqliteDb(db_file=tmp_path / "runs.db").load("r").state.run == "completed"


def test_a_dead_receiver_changes_nothing(tmp_path):
    """Where no receiver answers, the run is stored and the process ends as ever."""
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    command = [sys.executable, "-c", PROGRAM, "http://127.0.0.1:9/v1/traces", str(tmp_path / "runs.db"), "run"]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    assert SqliteDb(db_file=tmp_path / "runs.db").load("r").state.run == "paused"
