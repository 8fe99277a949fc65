"""RUN-10: a call is told to stop by a cancellation, a shutdown and an interruption, and what it returns then is kept."""

from __future__ import annotations

import asyncio
import signal
from threading import Event, Thread

import pytest

from statecore import Parallel, RunStatus, Step, Workflow
from statecore.definition import RunContext
from statecore.runtime.worker import Worker
from tests.conformance.cutting import interrupt
from tests.conformance.drive import flat

pytestmark = pytest.mark.spec("RUN-10")
PATIENCE = 30


@pytest.fixture(autouse=True)
def keyboard():
    """Ctrl-C raises KeyboardInterrupt, also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def polite(db, begun, wide, told=None):
    """A workflow whose first step goes on until it is told to stop; `wide` puts it beside another one, on a thread."""

    def step(_, run_context):
        begun.set()
        is_told = run_context.stop_requested.wait(PATIENCE)
        if told is not None:
            told.append(is_told)
        return "told" if is_told and run_context.stop_requested.is_set() else "alone"

    first = Parallel(Step("first", step), Step("quick", lambda _: None), name="p") if wide else Step("first", step)
    return Workflow("flow", [first, Step("next", lambda _: "next")], db)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("where", ["threads", "loop"])
def test_a_shutdown_tells_a_call_to_stop(db, where, wide):
    """A worker that is stopped tells its plain calls; what they hand on is kept, and the run goes on elsewhere from there."""
    begun = Event()
    workflow = polite(db, begun, wide)
    workflow.submit("x", run_id="r")
    worker = Worker(workflow)
    working = Thread(target=worker.work if where == "threads" else lambda: asyncio.run(worker.arun()))
    working.start()
    assert begun.wait(PATIENCE)
    worker.stop()
    working.join(PATIENCE)
    done = flat(workflow.get_run_output("r").step_results)
    assert (done["first"].content, db.load("r").owner) == ("told", None)
    assert workflow.continue_run(run_id="r").content == "next"


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_an_interruption_tells_a_call_to_stop(db, colour):
    """Ctrl-C tells a call on a thread to stop; what it hands on is kept."""
    begun = Event()
    workflow = polite(db, begun, wide=True)

    def keyboard():
        assert begun.wait(PATIENCE)
        interrupt()

    typing = Thread(target=keyboard)
    typing.start()
    with pytest.raises(KeyboardInterrupt):
        workflow.run("x", run_id="r") if colour == "sync" else asyncio.run(workflow.arun("x", run_id="r"))
    typing.join()
    assert flat(workflow.get_run_output("r").step_results)["first"].content == "told"


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("colour", ["sync", "async", "awaits"])
def test_a_cancellation_tells_a_call_to_stop(db, colour, wide):
    """`cancel_run` tells the calls of a running run to stop, whichever thread they are on; the run is cancelled at their boundary."""
    begun = Event()
    told: list[bool] = []
    workflow = polite(db, begun, wide, told)
    if colour == "awaits":

        async def step(_, run_context: RunContext):
            begun.set()
            assert not await run_context.stop_requested.wait(0)
            assert await run_context.stop_requested.wait(PATIENCE)
            assert await run_context.stop_requested.wait()
            told.append(True)

        workflow = Workflow("flow", [Step("first", step), Step("next", lambda _: "next")], db)
    drives = (lambda: workflow.run("x", run_id="r")) if colour == "sync" else (lambda: asyncio.run(workflow.arun("x", run_id="r")))
    driving = Thread(target=drives)
    driving.start()
    assert begun.wait(PATIENCE)
    assert workflow.cancel_run("r", by="ann")
    driving.join(PATIENCE)
    assert told == [True]
    assert workflow.get_run_output("r").status is RunStatus.cancelled


def test_a_context_that_no_driver_has_made_is_never_told():
    """A `RunContext` of a unit test can be asked and waited for, in both colours."""
    context = RunContext("r", None, None, "w", "w", {})

    async def main():
        return bool(await context.stop_requested.wait(1))

    assert (context.stop_requested.is_set(), bool(context.stop_requested.wait(1)), asyncio.run(main())) == (False, False, False)
