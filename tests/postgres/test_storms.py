"""Storms on one Postgres: many deciders, a server that is restarted or killed under way, hints that are lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest

from statecore import RunStatus, Step, Workflow
from statecore.db.postgres import PostgresDb
from statecore.errors import AlreadyDecided
from statecore.stores.conformance.samples import ALIVE, answer, asked, identity, question
from statecore.workflow.worker import Worker
from tests.postgres.flows import until

DECIDERS, ROUNDS = 16, 3
RUNS = 24


def test_of_sixteen_deciders_one_decides(database):
    """Sixteen, each with connections of his own, decide one pause at once: one is heard, and fifteen are told whom."""
    stores = [PostgresDb(database, max_connections=1) for _ in range(DECIDERS)]
    ready = Barrier(DECIDERS)

    def act(who, run_id):
        ready.wait(60)
        try:
            return stores[who].decide(answer(question(run_id), value=str(who), by=f"by-{who}")).by, "heard"
        except AlreadyDecided as refused:
            return refused.by, "told"

    with ThreadPoolExecutor(DECIDERS) as pool:
        for n in range(ROUNDS):
            asked(stores[0], f"run-{n}")
            said = list(pool.map(act, range(DECIDERS), [f"run-{n}"] * DECIDERS))
            [stored] = stores[0].decisions(f"run-{n}")
            assert sorted(said) == sorted([(stored.by, "heard"), *[(stored.by, "told")] * (DECIDERS - 1)])
    for store in stores:
        store.close()


@contextmanager
def working(flows):
    """A worker for each of these, on threads, for as long as the block lasts."""
    workers = [Worker(flow, concurrency=2, poll=0.2) for flow in flows]
    with ThreadPoolExecutor(len(workers)) as pool:
        ends = [pool.submit(worker.work) for worker in workers]
        try:
            yield
        finally:
            for worker in workers:
                worker.stop()
    for end in ends:
        end.result()


def decide_all(flow):
    """Confirm whatever asks, until each run was confirmed; what was answered, by run."""
    told: dict[str, Any] = {}
    while len(told) < RUNS:
        for each in flow.list_pauses(limit=RUNS):
            told[each.run_id] = flow.decide(each.run_id, each.pause_id, "confirm", by="ann").decision
    return told


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_a_server_is_restarted_in_the_middle_of_a_storm(server, database, how):
    """Runs are submitted, decided and executed while the server is stopped or killed and started again: every answer counts, no step runs twice."""
    done = []

    def note(step_input):
        done.append(step_input.idempotency_key)
        return step_input.step_name

    steps = [Step("first", note), Step("gate", note, requires_confirmation=True), Step("last", note)]
    stores = [PostgresDb(database, patience=60) for _ in range(3)]
    *flows, flow = [Workflow("storm", steps=steps, db=store) for store in stores]
    with working(flows), ThreadPoolExecutor(1) as pool:
        deciding = pool.submit(decide_all, flow)
        for n in range(RUNS):
            flow.submit(n, run_id=f"run-{n}")
            if n in (RUNS // 3, 2 * RUNS // 3):
                server.crash() if how == "crash" else server.stop()
                server.start()
        told = deciding.result(120)
        until(lambda: len(flow.list_runs(status=RunStatus.completed)) == RUNS, 120)
    assert told == {f"run-{n}": "confirm" for n in range(RUNS)}
    assert [len(flow.db.decisions(run_id)) for run_id in told] == [1] * RUNS
    assert sorted(done) == sorted(f"run-{n}/{step}" for n in range(RUNS) for step in ("first", "gate", "last"))
    for store in stores:
        store.close()


def test_a_hint_is_heard_and_may_be_lost(db, server):
    """A decision and a free run are told at once to whoever listens; after a lost connection he is told to look for himself."""
    assert db.listen(0)  # whoever begins to listen looks first
    assert not db.listen(0.01)
    asked(db)
    assert not db.listen(0.01)
    db.decide(answer(question("run-1")))
    assert db.listen(60)
    db.begin(identity("run-2"), "{}", ALIVE)
    assert not db.listen(0.01)
    db.release("run-2", 1)
    assert db.listen(60)
    server.restart()
    assert not db.listen(0.01)
    assert db.listen(0)
