"""What happens to many runs at once, as large as asked for: small in the tests, in full with `python -m tests.postgres`."""

from __future__ import annotations

import json
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from threading import Thread
from typing import TYPE_CHECKING, Any

from statecore import RunStatus, Step, Workflow
from statecore.db.postgres import PostgresDb
from statecore.errors import AlreadyDecided
from statecore.runtime.worker import Worker
from statecore.testing.stores.samples import answer, asked, question
from tests.postgres import flows
from tests.postgres.flows import lines, until, worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.synchronize import Barrier
    from pathlib import Path
    from subprocess import Popen

    from statecore.stores import RunStore
    from tests.postgres.server import Server

LONG = 600.0


def ended(process: Popen[bytes], *, deaths: bool = False) -> tuple[int, dict[str, Any]]:
    """The exit code of a worker's process, and its last line; it complains of nothing but, where some are expected, deaths (OBS-1)."""
    said, complaint = process.communicate(timeout=LONG)
    complaints = complaint.decode().splitlines()
    assert deaths or not complaints, complaints
    assert all("was left by a process that died in a call" in each for each in complaints), complaints
    return process.returncode, json.loads(said.splitlines()[-1])


def shared(place: str, db: RunStore, log: Path, runs: int, seconds: float) -> list[int]:
    """Runs of three steps, submitted while two workers wait: each step happens once, every run is completed. How many each worker did."""
    flow = flows.plain.on(db)
    both = [worker("plain", place, log, "--concurrency", "1") for _ in range(2)]
    for process in both:  # so that neither has the other's start for a head start
        warm = flow.submit({}).run_id
        until(lambda warm=warm: flow.get_run_output(warm).status is RunStatus.completed)
        until(lambda process=process: process.poll() is None)
    for n in range(runs):
        assert (
            flow.submit({"seconds": seconds}, idempotency_key=f"order {n}").status is not RunStatus.error
        )  # a worker may be quick
    until(lambda: len(flow.list_runs(status="completed", limit=runs + 2)) == runs + 2, LONG)
    for process in both:
        process.send_signal(signal.SIGTERM)
    told = [ended(process) for process in both]
    assert [code for code, _ in told] == [0, 0]
    done = [document["counts"].get("COMPLETED", 0) for _, document in told]
    assert sum(done) == runs + 2
    assert set(Counter((what, key) for what, key, _ in lines(log)).values()) == {1}
    assert len(lines(log)) == 6 * (runs + 2)
    return done


def killed(place: str, db: RunStore, log: Path, paused: int, running: int) -> dict[str, int]:
    """So many runs wait and so many are in the middle when a worker is killed: all come to their ends, and only those in doubt ran twice."""
    waiting, plain = flows.gated.on(db), flows.plain.on(db)
    wait = [waiting.submit({}).run_id for _ in range(paused)]
    pausing, victim = worker("gated", place, log, "--until-idle"), worker("plain", place, log, "--concurrency", str(running))
    assert ended(pausing) == (0, {"counts": {"PAUSED": paused}})
    busy = [plain.submit({"seconds": 0.1}).run_id for _ in range(running)]
    until(lambda: len({key for what, key, _ in lines(log) if what == "begin" and key.partition("/")[0] in busy}) >= running)
    victim.kill()
    victim.communicate()
    for each in waiting.list_pauses(limit=paused):
        waiting.decide(each.run_id, each.pause_id, "confirm", by="ann")
    finishing = [worker(name, place, log, "--until-idle") for name in ("gated", "plain")]
    assert ended(finishing[0]) == (0, {"counts": {"COMPLETED": paused}})
    assert ended(finishing[1], deaths=True)[0] == 0
    for flow, runs in ((waiting, wait), (plain, busy)):
        assert {flow.get_run_output(run_id).status for run_id in runs} == {RunStatus.completed}
    ends = Counter(key for what, key, _ in lines(log) if what == "end")
    begun = Counter(key for what, key, _ in lines(log) if what == "begin")
    assert len(ends) == 3 * (paused + running)
    again = Counter(key.partition("/")[0] for key, count in begun.items() if count > 1)
    assert set(again) <= set(busy)
    assert set(again.values()) <= {1}
    return {"paused": paused, "running": running, "steps in doubt, called again": len(again)}


@contextmanager
def working(flows: list[Workflow]) -> Iterator[None]:
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


def confirmed(flow: Workflow, runs: int) -> dict[str, Any]:
    """Confirm whatever asks, until each run was confirmed; what was answered, by run."""
    told: dict[str, Any] = {}
    while len(told) < runs:
        for each in flow.list_pauses(limit=runs):
            told[each.run_id] = flow.decide(each.run_id, each.pause_id, "confirm", by="ann").decision
    return told


def storm(server: Server, database: str, runs: int, times: int, *, crash: bool) -> dict[str, int]:
    """Runs are submitted, decided and executed while the server goes and comes: every answer counts, and no step runs twice."""
    done: list[str] = []

    def note(step_input: Any) -> str:
        done.append(step_input.idempotency_key)
        return str(step_input.step_name)

    steps = [Step("first", note), Step("gate", note, requires_confirmation=True), Step("last", note)]
    stores = [PostgresDb(database, patience=120) for _ in range(3)]
    *worked, flow = [Workflow("storm", steps=steps, db=store) for store in stores]
    with working(worked), ThreadPoolExecutor(1) as pool:
        deciding = pool.submit(confirmed, flow, runs)
        for n in range(runs):
            flow.submit(n, run_id=f"run-{n}")
            if n and n % (runs // (times + 1)) == 0:
                server.crash() if crash else server.stop()
                server.start()
        told = deciding.result(LONG)
        until(lambda: len(flow.list_runs(status=RunStatus.completed, limit=runs)) == runs, LONG)
    assert told == {f"run-{n}": "confirm" for n in range(runs)}
    assert [len(flow.db.decisions(run_id)) for run_id in told] == [1] * runs
    assert sorted(done) == sorted(f"run-{n}/{step}" for n in range(runs) for step in ("first", "gate", "last"))
    for store in stores:
        store.close()
    return {"runs": runs, "server gone": times, "lost answers": 0, "steps twice": 0}


def decide(url: str, ready: Barrier, who: int, rounds: int, told: Any) -> None:
    """Decide one pause after the other at the same moment as the others, and tell who was heard."""
    store = PostgresDb(url, max_connections=1)
    said = []
    for n in range(rounds):
        ready.wait(LONG)
        try:
            said.append((store.decide(answer(question(f"run-{n}"), value=str(who), by=f"by-{who}")).by, "heard"))
        except AlreadyDecided as refused:
            said.append((refused.by, "told"))
    told.put(said)
    store.close()


def crowd(database: str, many: int, rounds: int, *, threads: bool) -> None:
    """So many deciders, each with connections of his own, decide one pause at once: one is heard, and the others are told whom."""
    world = get_context("spawn")
    ready, told = world.Barrier(many), world.SimpleQueue()
    store = PostgresDb(database)
    for n in range(rounds):
        asked(store, f"run-{n}")
    kind: Any = Thread if threads else world.Process
    deciders = [kind(target=decide, args=(database, ready, who, rounds, told)) for who in range(many)]
    for each in deciders:
        each.start()
    said = [told.get() for _ in deciders]
    for each in deciders:
        each.join()
    for n in range(rounds):
        [stored] = store.decisions(f"run-{n}")
        assert sorted(each[n] for each in said) == sorted([(stored.by, "heard"), *[(stored.by, "told")] * (many - 1)])
    store.close()
