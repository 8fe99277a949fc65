"""RUN-13: a call that kills its process convicts itself alone; what was in flight beside it is called again, and no person is asked about it."""

from __future__ import annotations

import asyncio

import pytest

from statecore import InMemoryDb, Parallel, Step, Workflow
from statecore.runtime.worker import Worker
from tests.conformance.drive import triggers
from tests.conformance.poison import beside, convicted, lives, opened

pytestmark = pytest.mark.spec("RUN-13", "CRASH-2")


@pytest.mark.parametrize("way", ["runs", "branches"])
def test_a_poison_call_convicts_itself_alone(tmp_path, way):
    """It dies once beside three others and three times alone; then a person is asked about it, and about nothing else."""
    convicted(tmp_path, way, str(tmp_path / "runs.db"))


def test_a_call_with_nothing_beside_it_is_asked_about_after_three_deaths(tmp_path):
    """A worker that drives one run: nothing else is known of the first death, so it counts, and the fourth process asks."""
    place = str(tmp_path / "runs.db")
    assert (lives(tmp_path, "one", place), beside(tmp_path)) == ([9, 9, 9, 0], {"1": 1, "2": 1, "3": 1})
    db = opened(place)
    assert [(each.run_id, each.kind) for each in Workflow("flow", [Step("s", print)], db).list_pauses()] == [
        ("poison", "interrupted")
    ]
    db.close()


def test_an_orderly_stop_makes_no_suspect():
    """Two branches that a worker's stop has cancelled are both in flight again under the next worker: neither waits for the other."""
    begun: list[int] = []
    workers: list[Worker] = []
    both: list[asyncio.Event] = []

    async def work(_step_input):
        begun.append(1)
        if len(begun) == 2:
            workers[0].stop()
        if len(begun) <= 2:
            await asyncio.Event().wait()
        if len(begun) == 3:
            both.append(asyncio.Event())
            await both[0].wait()
        both[0].set()
        return "done"

    flow = Workflow("flow", [Parallel(Step("a", work), Step("b", work), name="p")], InMemoryDb())
    flow.submit(run_id="r")
    for _ in range(2):
        workers[:] = [Worker(flow)]
        workers[0].work(until_idle=True)
    assert triggers(flow, "r", "p/a") == triggers(flow, "r", "p/b") == ["enter", "interrupt", "succeed"]
