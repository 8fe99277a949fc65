"""RUN-12: a delay holds nothing: neither a hand of a worker, nor a claim, nor a stop, nor a cancellation."""

from __future__ import annotations

import asyncio
from threading import Event, Thread
from typing import Any

import pytest

from statecore import Parallel, RunStatus, Step, Workflow
from statecore.runtime.doctor import examine
from statecore.runtime.worker import Worker
from statecore.stores.rules import until
from tests.conformance.drive import Calls, triggers

pytestmark = pytest.mark.spec("RUN-12")
PATIENCE = 30
DAY = 86_400


@pytest.fixture(params=["threads", "loop"])
def where(request):
    """On its threads, or in an event loop."""
    return request.param


def working(worker, where, **settings):
    """A worker that works on a thread of the test's."""
    thread = Thread(target=lambda: worker.work(**settings) if where == "threads" else asyncio.run(worker.arun(**settings)))
    thread.start()
    return thread


def waits_for(holds):
    """Wait until something holds."""
    pause = Event()
    for _ in range(PATIENCE * 200):
        if holds():
            return True
        pause.wait(0.005)
    return False


def is_parked(db, run_id):
    """Whether a run waits for a delay, and nobody has it."""
    record = db.load(run_id)
    return record.owner is None and until(record.state) is not None


def failing(db, seconds, name="failing"):
    """A workflow whose step fails once and is tried again after a delay."""
    calls = Calls()
    return Workflow(name, [Step("s", calls.does("s", OSError("x"), "done"), max_retries=1, retry_delay=seconds)], db), calls


def test_ten_delays_and_two_hands(db, where):
    """While ten runs wait a day, two hands drive fresh ones; a delayed run is cancelled at once, and the worker stops at once."""
    slow = Workflow("failing", [Step("s", lambda _: 1 / 0, max_retries=1, retry_delay=DAY)], db)
    fresh = Workflow("fresh", [Step("s", lambda _: "fresh")], db)
    for n in range(10):
        slow.submit(n, run_id=f"slow-{n}")
    worker = Worker([slow, fresh], concurrency=2)
    thread = working(worker, where)
    try:
        assert waits_for(lambda: all(is_parked(db, f"slow-{n}") for n in range(10)))
        for n in range(4):
            fresh.submit(n, run_id=f"fresh-{n}")
        assert waits_for(lambda: all(fresh.get_run_output(f"fresh-{n}").status is RunStatus.completed for n in range(4)))
        assert slow.cancel_run("slow-3", by="ann")
        assert slow.get_run_output("slow-3").status is RunStatus.cancelled
        assert (slow.tick(), slow.recover()) == ([], [])  # nothing is due, and nobody left anything
        assert examine(db, slow.host.clock()).symptoms == []
    finally:
        worker.stop()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert all(is_parked(db, f"slow-{n}") for n in range(10) if n != 3)


def test_after_its_delay_a_run_goes_on(db, where):
    """The worker that parked it takes it again, and is not idle before; the journal is that of a run that waited."""
    flow, calls = failing(db, 0.05)
    flow.submit("x", run_id="r")
    worker = Worker(flow)
    thread = working(worker, where, until_idle=True)
    thread.join(PATIENCE)
    assert (flow.get_run_output("r").content, calls.names, worker.counts) == ("done", ["s", "s"], {"COMPLETED": 1})
    assert triggers(flow, "r", "s") == ["enter", "fail", "wake", "succeed"]


def test_a_decision_beside_a_delay_counts_at_once(db, where):
    """A run with a question beside a delay is parked; its answer is taken before the delay is over."""
    steps: list[Any] = [
        Step("late", lambda _: 1 / 0, max_retries=1, retry_delay=DAY),
        [Step("gate", lambda _: "went", requires_confirmation=True)],
    ]
    flow = Workflow("flow", [Parallel(*steps, name="p")], db)
    flow.submit("x", run_id="r")
    worker = Worker(flow)
    thread = working(worker, where)
    try:
        assert waits_for(lambda: is_parked(db, "r") and flow.list_pauses())
        [asked] = flow.list_pauses()
        flow.decide("r", asked.pause_id, "confirm")
        assert waits_for(lambda: "succeed" in triggers(flow, "r", asked.step_id))
        assert waits_for(lambda: is_parked(db, "r"))
    finally:
        worker.stop()
        thread.join(PATIENCE)


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_cancellation_is_heard_in_the_foreground(db, colour):
    """`run` and `arun` wait for the delay themselves, and hear that their run is cancelled."""
    flow, calls = failing(db, DAY)
    drives = (lambda: flow.run("x", run_id="r")) if colour == "sync" else (lambda: asyncio.run(flow.arun("x", run_id="r")))
    thread = Thread(target=drives)
    thread.start()
    assert waits_for(lambda: calls.names and until(db.load("r").state) is not None)
    assert flow.cancel_run("r")
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert (flow.get_run_output("r").status, calls.names) == (RunStatus.cancelled, ["s"])


def test_a_parked_delay_is_continued_in_the_foreground(db):
    """`continue_run` takes a run that waits for a delay, and waits for the rest of it."""
    flow, calls = failing(db, 0.3)
    flow.submit("x", run_id="r")
    worker = Worker(flow)
    thread = working(worker, "threads")
    assert waits_for(lambda: is_parked(db, "r"))
    worker.stop()
    thread.join(PATIENCE)
    assert flow.continue_run(run_id="r").content == "done"
    assert calls.names == ["s", "s"]
