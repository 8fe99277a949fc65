"""Two releases on one Postgres: their workers take turns, and a question that has changed is put again (GATE-7, GATE-7a, GATE-8)."""

from __future__ import annotations

from collections import Counter
from random import SystemRandom

import pytest

from statecore import Inbox, PauseFilter, RunStatus, Step, Workflow
from statecore.db.postgres import PostgresDb
from statecore.errors import StaleDecision
from statecore.runtime.worker import Worker
from statecore.stores.postgres.store import PostgresDb2
from tests.property.test_rolling_release import played
from tests.sizes import examples

HISTORIES = 6
"""`STATECORE_EXAMPLES=90` makes it 540."""


@pytest.fixture(params=[PostgresDb2, PostgresDb], ids=["format 2", "format 3"])
def store(request, database):
    """An empty store of each format."""
    opened = request.param(database)
    yield opened
    opened.close()


@pytest.mark.spec("GATE-7", "GATE-8")
def test_versions_that_take_turns_call_no_gated_step_unasked(store):
    """In random histories of two versions on one store nothing is called that nobody agreed to, and a refusal calls nothing."""
    first = SystemRandom().randrange(1 << 40)
    print(f"seeds from {first}")  # noqa: T201  # shown where the test fails
    counts: Counter[str] = Counter()
    for seed in range(first, first + examples(HISTORIES)):
        history = played(seed, store, f"r{seed}")
        assert history.wrong == [], seed
        counts += history.counts
    assert sum(counts[each.value] for each in RunStatus) == examples(HISTORIES)


@pytest.mark.spec("GATE-7a", "SAID-2")
def test_the_worker_of_a_release_puts_a_question_again(store):
    """A worker of the new release finds an answer to the former question: it calls nothing, asks again, and goes on with the new answer."""
    called: list[str] = []

    def flow(message, *more):
        pay = Step("pay", lambda _: called.append("pay"), requires_confirmation=True, confirmation_message=message)
        return Workflow("flow", [pay, *more], store)

    run = flow("Pay 10?").run("x")
    former = run.requirements[0]
    flow("Pay 10?").decide(run.run_id, former.pause_id, "confirm", by="ada", idempotency_key="k")
    later = flow("Pay 10000?", Step("wire", lambda _: called.append("wire")))
    assert Worker(later, concurrency=1).work(until_idle=True) == {"PAUSED": 1}
    [asked] = Inbox(store).pending(PauseFilter())
    assert (asked.pause_id, getattr(asked, "confirmation_message", None), called) == (f"{former.pause_id}@2", "Pay 10000?", [])
    assert "ada said confirm under the former definition" in str(asked.put_again)
    with pytest.raises(StaleDecision, match="@2"):
        Inbox(store).decide(run.run_id, former.pause_id, "confirm", by="ada", idempotency_key="k")
    later.decide(run.run_id, asked.pause_id, "confirm", by="bob")
    assert Worker(later, concurrency=1).work(until_idle=True) == {"COMPLETED": 1}
    assert called == ["pay", "wire"]


@pytest.mark.spec("GATE-7", "GATE-7b")
def test_the_worker_of_other_code_asks_again(store):
    """A worker with another function behind the gate calls nothing under the former yes, where the store keeps digests; it asks again."""
    called: list[str] = []

    def pay(_step_input):
        called.append("pay")

    def wire(_step_input):
        called.append("wire")

    def flow(code):
        return Workflow("flow", [Step("pay", code, requires_confirmation=True)], store)

    run = flow(pay).run("x")
    flow(pay).decide(run.run_id, run.requirements[0].pause_id, "confirm", by="ada")
    counts = Worker(flow(wire), concurrency=1).work(until_idle=True)
    if isinstance(store, PostgresDb2) and not isinstance(store, PostgresDb):
        assert (counts, called) == ({"COMPLETED": 1}, ["wire"])  # format 2 keeps no digests (decision 0086)
        return
    assert (counts, called) == ({"PAUSED": 1}, [])
    [asked] = Inbox(store).pending(PauseFilter())
    assert "'confirm' leads to other code now; ada said confirm" in str(asked.put_again)
    flow(wire).decide(run.run_id, asked.pause_id, "confirm", seen=asked.shown())
    assert Worker(flow(wire), concurrency=1).work(until_idle=True) == {"COMPLETED": 1}
    assert called == ["wire"]
