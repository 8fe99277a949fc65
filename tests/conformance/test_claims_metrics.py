"""OBS-3: metrics and probes, judged by the parser of Prometheus' own client, over real HTTP."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client.parser import text_string_to_metric_families
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from statecore import InMemoryDb, OnError, SqliteDb, Step, Workflow
from statecore.cli import main
from statecore.stores.sqlite.store import SqliteDb2
from statecore.telemetry import instrument, measure
from statecore.telemetry.serving import Probes
from statecore.testing.doubles import Clock, timed

pytestmark = pytest.mark.spec("OBS-3")

SECRET = "the-secret-4711"  # noqa: S105  # a value that must not be seen


def parsed(text):
    """Each sample of a text by its name and labels, as Prometheus reads it."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples, name, **labels):
    """One sample."""
    return samples.get((name, *sorted(labels.items())))


def flow(db, name="payout"):
    """A step that fails once and is put to a person, and a gate."""
    fails = iter([OSError(SECRET)])

    def fetch(_):
        for error in fails:
            raise error
        return SECRET

    return Workflow(name, [Step("fetch", fetch, on_error=OnError.pause), Step("pay", lambda _: 1, requires_confirmation=True)], db)


def test_a_process_counts_what_it_does(db, drive):
    """Calls, their outcomes and durations, retries, waits and slices are counted where they are stored; no label is a run, a person or a value."""
    clock = Clock()
    workflow = timed(flow(db), clock)
    metrics = measure(workflow)
    run = drive.run(workflow, SECRET, run_id="r")
    for pause_id, word, seconds in (("fetch:error:0", "retry", 30), ("pay:confirmation:0", "confirm", 7_200)):
        clock.advance(seconds)
        workflow.decide("r", pause_id, word, by=SECRET)
        run = drive.resume(workflow, run_id="r")
    assert run.content == 1
    samples = parsed(metrics.text())
    of = {"workflow": "payout"}
    step = {**of, "step": "fetch", "kind": "execute"}
    assert value(samples, "statecore_calls_total", **step, outcome="fail") == 1
    assert value(samples, "statecore_calls_total", **step, outcome="succeed") == 1
    assert value(samples, "statecore_call_duration_seconds_count", **step) == 2
    assert value(samples, "statecore_retries_total", **of, step="fetch") == 1
    assert value(samples, "statecore_slices_total", **of, status="PAUSED") == 2
    assert value(samples, "statecore_slices_total", **of, status="COMPLETED") == 1
    waits = {kind: value(samples, "statecore_question_wait_seconds_sum", **of, kind=kind) for kind in ("error", "confirmation")}
    assert waits == {"error": 30.0, "confirmation": 7_200.0}
    assert value(samples, "statecore_question_wait_seconds_bucket", **of, kind="error", le="10") == 0
    assert value(samples, "statecore_question_wait_seconds_bucket", **of, kind="error", le="60") == 1
    assert value(samples, "statecore_question_wait_seconds_bucket", **of, kind="error", le="+Inf") == 1
    assert {name for key in samples for name, _ in key[1:]} == {"workflow", "step", "kind", "outcome", "status", "phase", "le"}
    assert SECRET not in metrics.text()


@pytest.mark.parametrize("kind", [InMemoryDb, SqliteDb, SqliteDb2], ids=["memory", "format 3", "format 2"])
def test_gauges_are_right_right_after_a_restart(kind, tmp_path, monkeypatch):
    """A process that has just begun tells the open questions, the age of the oldest, and the runs by phase, of its own workflows alone."""
    db = kind() if kind is InMemoryDb else kind(db_file=str(tmp_path / "runs.db"))
    clock = Clock()
    workflow, other = timed(flow(db), clock), timed(flow(db, "other"), clock)
    for seconds in (0, 600, 600):
        clock.advance(seconds)
        workflow.run("x")
    other.run("x")
    workflow.run("x", run_id="decided")
    workflow.decide("decided", "pay:confirmation:0", "confirm")
    workflow.cancel_run(workflow.run("x").run_id)
    clock.advance(60)
    samples = parsed(measure(timed(flow(db), clock)).text())
    of = {"workflow": "payout"}
    assert value(samples, "statecore_open_questions", **of, kind="error") == 1
    assert value(samples, "statecore_open_questions", **of, kind="confirmation") == 2
    assert value(samples, "statecore_oldest_question_age_seconds", **of, kind="error") == 1_260
    assert value(samples, "statecore_oldest_question_age_seconds", **of, kind="confirmation") == 660
    phases = {phase: value(samples, "statecore_runs", **of, phase=phase) for phase in ("pending", "running", "paused", "failed")}
    assert phases == {"pending": 0, "running": 0, "paused": 4, "failed": 0}
    assert value(samples, "statecore_store_up", **of) == 1
    assert not [key for key in samples if ("workflow", "other") in key]


def test_gauges_are_read_at_most_every_15_seconds(monkeypatch):
    """A second scrape within 15 seconds asks the store nothing; a store that is away is a figure, and its gauges are absent."""
    now = [100.0]
    monkeypatch.setattr("statecore.telemetry.metrics.monotonic", lambda: now[0])
    workflow = flow(InMemoryDb())
    workflow.run("x")
    metrics = measure(workflow)
    asked = []
    real = workflow.db.pauses

    def pauses(wanted):
        asked.append(wanted)
        return real(wanted)

    monkeypatch.setattr(workflow.db, "pauses", pauses)
    for seconds in (0, 14.9, 0.2):
        now[0] += seconds
        metrics.text()
    assert len(asked) == 2
    monkeypatch.setattr(workflow.db, "pauses", lambda _: 1 / 0)
    now[0] += 15
    samples = parsed(metrics.text())
    assert value(samples, "statecore_store_up", workflow="payout") == 0
    assert [key for key in samples if key[0] == "statecore_open_questions"] == []


def test_a_scrape_that_hangs_holds_no_run_up():
    """While a scrape waits for a store that does not answer, a run of another store is executed and counted."""
    silent = Silent()
    workflows = [flow(silent, "other"), Workflow("w", [Step("a", lambda _: 1)])]
    metrics = measure(*workflows)
    asked = Event()

    def tallies(_):
        asked.set()
        silent.go.wait()
        return 1 / 0

    silent.pauses = tallies  # type: ignore[method-assign]
    scrape = Thread(target=metrics.text)
    scrape.start()
    try:
        assert asked.wait(20)
        workflows[1].run("x")
        assert metrics.counters
        assert scrape.is_alive()
    finally:
        silent.go.set()
        scrape.join()


def test_any_name_is_a_label(tmp_path):
    """Names with quotes, backslashes and line ends are labels that Prometheus reads back as they are."""
    name = 'a "b" \\ c\nd'
    workflow = Workflow("w", [Step(name, lambda _: 1)], id=name)
    metrics = measure(workflow)
    workflow.run("x")
    assert value(parsed(metrics.text()), "statecore_calls_total", workflow=name, step=name, kind="execute", outcome="succeed") == 1


def test_opentelemetry_gets_the_same_figures(drive):
    """`instrument` hands counters, histograms and gauges to the program's meter provider, under the names of the text."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    workflow = instrument(flow(InMemoryDb()), meter_provider=provider)
    metrics = measure(workflow)
    drive.run(workflow, run_id="r")
    samples = parsed(metrics.text())
    data: Any = reader.get_metrics_data()
    found: dict[str, Any] = {m.name: m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}
    [point] = found["statecore_calls"].data.data_points
    assert (point.value, point.attributes["outcome"]) == (1, "fail")
    [point] = found["statecore_call_duration"].data.data_points
    assert point.count == value(samples, "statecore_call_duration_seconds_count", workflow="payout", step="fetch", kind="execute")
    assert {p.attributes["kind"]: p.value for p in found["statecore_open_questions"].data.data_points} == {"error": 1}


# -- by HTTP -----------------------------------------------------------------------------------------------------------------------


def got(port, path):
    """The status and the text of a path."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Silent(InMemoryDb):
    """A store that does not answer until it is let go."""

    def __init__(self):
        super().__init__()
        self.go = Event()

    def load(self, run_id):
        """Hang."""
        self.go.wait()
        return super().load(run_id)


def test_the_probes_say_what_the_stores_do():
    """`/readyz` is 200 where each store answers, 503 where one is silent or fails; `/healthz` is 200 all the same, and neither says why."""
    silent = Silent()
    workflows = [flow(InMemoryDb()), flow(silent, "other")]
    stopping: list[bool] = []
    probes = Probes(measure(*workflows), "127.0.0.1", 0, patience=0.2, is_stopping=lambda: bool(stopping))
    try:
        assert got(probes.port, "/healthz") == (200, "ok\n")
        assert got(probes.port, "/readyz") == (503, "not ready\n")
        silent.go.set()
        assert got(probes.port, "/readyz?verbose=1") == (200, "ready\n")
        stopping.append(True)
        assert got(probes.port, "/readyz") == (503, "stopping\n")
        stopping.clear()
        workflows[0].db.load = fails
        assert got(probes.port, "/readyz") == (503, "not ready\n")
        assert got(probes.port, "/")[0] == 404
        assert value(parsed(got(probes.port, "/metrics")[1]), "statecore_store_up", workflow="payout") == 1
    finally:
        silent.go.set()
        probes.close()


def fails(_):
    """A store that is away."""
    raise OSError("away")


FLOW = """
from statecore import Step, Workflow
flow = Workflow("flow", [Step("ask", lambda _: "done", requires_confirmation=True)])
"""


def test_a_worker_serves_metrics(tmp_path):
    """`statecore worker --metrics 0` names its address, serves what it did and what waits, and ends on SIGTERM."""
    (tmp_path / "flow.py").write_text(FLOW)
    command = [sys.executable, "-m", "statecore", "worker", "flow.py", "--db", "runs.db", "--metrics", "0"]
    submit = [sys.executable, "-m", "statecore", "run", "flow.py", "--db", "runs.db", "--submit"]
    subprocess.run(submit, cwd=tmp_path, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    worker = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=environment)
    assert worker.stdout is not None
    try:
        said = ""
        while "waits" not in said:  # the run is paused, and stored so
            said += worker.stdout.readline()
        port = int(re.findall(r"http://127\.0\.0\.1:(\d+)/metrics", said)[0])
        samples = parsed(got(port, "/metrics")[1])
        assert value(samples, "statecore_open_questions", workflow="flow", kind="confirmation") == 1
        assert value(samples, "statecore_slices_total", workflow="flow", status="PAUSED") == 1
        assert [got(port, path)[0] for path in ("/healthz", "/readyz")] == [200, 200]
        taken = subprocess.run([*command[:-1], str(port)], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert taken.returncode == 2
        assert f"127.0.0.1:{port}" in taken.stderr
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate()
    assert worker.returncode == 0


@pytest.mark.parametrize("place", ["port", "1:2:3:x", "99999", "-1", ":80"])
def test_a_wrong_address_is_a_usage_error(place, tmp_path, monkeypatch, capsys):
    """An address that is none is refused before anything is done."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.py").write_text(FLOW)
    assert main(["worker", "flow.py", "--until-idle", "--metrics", place]) == 2
    assert "--metrics" in capsys.readouterr().err


@pytest.mark.spec("OBS-1", "OBS-2", "OBS-5")
def test_the_page_does_what_it_says(tmp_path, monkeypatch):
    """Each block of Python of the guide page runs in the names that those before it left, and its assertions hold."""
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "specs" / "guide" / "observing.md"
    examples = list(Sybil(parsers=[PythonCodeBlockParser()]).parse(page).examples())
    assert len(examples) == 5
    for example in examples:
        example.evaluate()
